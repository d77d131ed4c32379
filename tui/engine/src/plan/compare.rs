//! Two plans held against each other task by task. Printing is left to the commands.

use super::{Plan, PlanLine};
use agent_abi::model::Ontology;
use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use wb_core::compare::{ComparedTask, Side, compare};
use wb_core::error::{Error, ErrorKind};
use wb_core::ids::{DataHash, StageId};
use wb_core::work::Outcome;

/// Tasks that are in one of two plans only.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OnlyIn {
    /// In the first.
    pub a: usize,
    /// In the second.
    pub b: usize,
}

/// Compares the tasks that are in both plans, each by its data unit and stage, and hands each to `each`. The outcomes of
/// the first plan are in memory meanwhile; those of the second pass through it.
///
/// # Errors
/// A file is not a plan, is damaged, or they are for two projects.
pub fn compare_plans(
    a: &Path,
    b: &Path,
    mut each: impl FnMut(&PlanLine, ComparedTask),
) -> Result<OnlyIn, Error> {
    let (mut first, mut second) = (Plan::open(a)?, Plan::open(b)?);
    if first.header.project != second.header.project {
        let titles = [&first, &second].map(|plan| plan.header.project_title.clone());
        let text = format!(
            "the plans are for two projects: \"{}\" and \"{}\"",
            titles[0], titles[1]
        );
        return Err(Error::new(ErrorKind::Usage, text));
    }
    let mut lines: HashMap<(DataHash, StageId), PlanLine> = HashMap::new();
    while let Some(line) = first.next_line()? {
        lines.insert((line.data, line.stage), line);
    }
    let mut only = OnlyIn::default();
    while let Some(line) = second.next_line()? {
        let Some(before) = lines.remove(&(line.data, line.stage)) else {
            only.b += 1;
            continue;
        };
        let task = compared(&second.ontology, before, &first.ontology, &line)?;
        each(&line, task);
    }
    only.a = lines.len();
    Ok(only)
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // microseconds of one attempt
fn compared(
    ontology: &Arc<Ontology>,
    before: PlanLine,
    older: &Arc<Ontology>,
    line: &PlanLine,
) -> Result<ComparedTask, Error> {
    // A row on which one of them changes nothing is only in the other plan.
    let rows = [&before, line].map(|line| line.change.as_ref().and_then(|c| c.before.clone()));
    let row = rows.into_iter().flatten().find(|row| &*row.json != "null");
    let (one, two) = (outcome(&before, older)?, outcome(line, ontology)?);
    let side = |line: &PlanLine| Some((line.run_ms * 1_000.0).max(0.0) as u64);
    let a = Side {
        given: one.as_ref(),
        run_us: side(&before),
    };
    let b = Side {
        given: two.as_ref(),
        run_us: side(line),
    };
    Ok(ComparedTask {
        task: line.task,
        title: line.title.as_str().into(),
        differs: Arc::new(compare(ontology, row.as_ref(), a, b)),
    })
}

/// What a line of a plan holds, as the run gave it.
fn outcome(line: &PlanLine, ontology: &Arc<Ontology>) -> Result<Result<Outcome, Error>, Error> {
    if let Some(error) = &line.error {
        return Ok(Err(error.clone()));
    }
    let change = line.change.as_ref();
    Ok(Ok(Outcome {
        way: line.way.clone(),
        patch: line.patch(ontology)?,
        labels_after: change.and_then(|change| change.labels_after.clone()),
        further: Vec::new(),
        steps: Vec::new(),
        unread: Vec::new(),
    }))
}
