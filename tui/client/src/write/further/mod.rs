//! Further changes of outcomes: other rows, tasks and items, of any project. Requests are bundled over the tasks of the
//! batch, per project. A task with a step that somebody else has changed meanwhile ends before anything of it is
//! written; after a crash, what is there already is not written twice.

mod look;

pub(super) use look::MOVED_ON;

use super::Writer;
use super::bundle::{BUNDLE, Fate, drive};
use super::values::{Metadata, Priorities};
use crate::error::clean;
use serde_json::{Map, Value};
use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use wb_core::error::{Error, ErrorKind};
use wb_core::ids::{DataHash, ItemId, ProjectHash, StageId};
use wb_core::work::{Change, Committed, FurtherRow, NewIssue, NewItem, WritePhase, Written};

/// One step: the place of its task in the batch, and its own among the further changes of the task.
#[derive(Clone, Copy)]
struct FurtherStep<'a> {
    task: usize,
    step: usize,
    row: &'a FurtherRow,
}

impl FurtherStep<'_> {
    /// What failed, with the step that it is about.
    fn about(&self, mut error: Error) -> Error {
        let kind = self.row.kind();
        let (title, project) = (&self.row.change.title, &self.row.project_title);
        error.summary = format!(
            "{kind} of \"{}\" in {} were not written: {}",
            clean(title),
            clean(project),
            error.summary
        );
        error
    }
}

/// A new item or a deletion: the places of the task and of the step, and the item.
pub(super) type ItemStep<'a> = (usize, usize, &'a NewItem);

/// Steps that are left to be written, by phase; those for metadata with their storage items.
#[derive(Default)]
pub(super) struct Left {
    steps: Vec<(usize, usize)>,
    items: BTreeMap<(usize, usize), ItemId>,
}

/// All steps of the tasks that have not ended.
fn steps<'a>(items: &'a [Change], ends: &[Option<Committed>]) -> Vec<FurtherStep<'a>> {
    let mut found = Vec::new();
    for (task, item) in items.iter().enumerate() {
        let rows = item.further.iter().enumerate();
        let rows = rows.filter(|_| ends[task].is_none());
        found.extend(rows.filter_map(|(step, further)| {
            let row = further.row()?;
            Some(FurtherStep { task, step, row })
        }));
    }
    found
}

impl Left {
    /// The steps of a phase whose tasks have not ended.
    fn of<'a>(
        &self,
        phase: WritePhase,
        items: &'a [Change],
        ends: &[Option<Committed>],
    ) -> Vec<FurtherStep<'a>> {
        let open = self.steps.iter().filter(|(task, _)| ends[*task].is_none());
        open.filter_map(|(task, step)| {
            let further = &items[*task].further[*step];
            let row = further.row().filter(|_| further.phase() == phase)?;
            Some(FurtherStep {
                task: *task,
                step: *step,
                row,
            })
        })
        .collect()
    }
}

/// What is noted of steps that are over: what was written, and how tasks ended.
pub(super) struct Over<'e> {
    ends: &'e mut [Option<Committed>],
    written: &'e mut [Written],
}

impl<'e> Over<'e> {
    pub const fn of(ends: &'e mut [Option<Committed>], written: &'e mut [Written]) -> Self {
        Self { ends, written }
    }

    /// How tasks ended so far.
    pub fn ends(&self) -> &[Option<Committed>] {
        self.ends
    }

    /// A new item, or its deletion, is over.
    pub fn item(&mut self, (task, step, item): ItemStep<'_>, fate: Fate) {
        let end = match fate {
            Fate::Applied => {
                self.written[task].add_step(step);
                return;
            }
            Fate::Gone => Committed::Conflict {
                by: MOVED_ON.to_owned(),
            },
            Fate::Conflict(by) => Committed::Conflict { by },
            Fate::Refused(mut error) => {
                let did = if item.delete { "deleted" } else { "made" };
                let (title, why) = (clean(&item.title), &error.summary);
                error.summary = format!("the item \"{title}\" was not {did}: {why}");
                Committed::Refused(error)
            }
        };
        self.ends[task].get_or_insert(end);
    }

    fn take(&mut self, step: &FurtherStep<'_>, fate: Fate) {
        let end = match fate {
            Fate::Applied => {
                self.written[step.task].add_step(step.step);
                return;
            }
            Fate::Gone => Committed::Conflict {
                by: MOVED_ON.to_owned(),
            },
            Fate::Conflict(by) => Committed::Conflict { by },
            Fate::Refused(error) => Committed::Refused(step.about(error)),
        };
        // The first of them is the reason.
        self.ends[step.task].get_or_insert(end);
    }
}

impl Writer {
    /// Writes the labels of other rows.
    pub(super) async fn further_labels(&self, items: &[Change], left: &Left, mut over: Over<'_>) {
        for (project, steps) in by_project(left.of(WritePhase::Labels, items, over.ends)) {
            let rows: Vec<Change> = steps.iter().map(|step| step.row.change.clone()).collect();
            for (i, fate) in Box::pin(self.save_labels(project, &rows)).await {
                over.take(&steps[i], fate);
            }
        }
    }

    /// Sets priorities and client metadata.
    pub(super) async fn further_values(&self, items: &[Change], left: &Left, mut over: Over<'_>) {
        let steps = left.of(WritePhase::Values, items, over.ends);
        let (priorities, metadata): (Vec<FurtherStep<'_>>, Vec<FurtherStep<'_>>) =
            (steps.into_iter()).partition(|step| step.row.change.priority.is_some());
        for (project, steps) in by_project(priorities) {
            let each = steps.iter().map(|step| &step.row.change);
            let values: Vec<(DataHash, f64)> = each
                .clone()
                .map(|change| (change.data, change.priority.unwrap_or_default()))
                .collect();
            let branches: Vec<_> = each.map(|change| Arc::clone(&change.branch)).collect();
            let bundle = Priorities {
                writer: self,
                project,
                priorities: &values,
                branches: &branches,
            };
            for (i, fate) in drive(&bundle, (0..values.len()).collect(), BUNDLE).await {
                over.take(&steps[i], fate);
            }
        }
        let patches = metadata.iter().filter_map(|step| {
            let item = left.items.get(&(step.task, step.step))?;
            Some((*item, step.row.change.metadata.as_ref()?))
        });
        let patches: Vec<(ItemId, &Map<String, Value>)> = patches.collect();
        let bundle = Metadata {
            writer: self,
            items: &patches,
        };
        for (i, fate) in drive(&bundle, (0..patches.len()).collect(), BUNDLE).await {
            over.take(&metadata[i], fate);
        }
    }

    /// Makes issues. Tasks that `gone` names have left their stage: an issue that is not there then is not made.
    pub(super) async fn further_issues(
        &self,
        items: &[Change],
        gone: &HashSet<usize>,
        over: Over<'_>,
    ) {
        let mut wanted: BTreeMap<ProjectHash, Vec<(usize, usize, &NewIssue)>> = BTreeMap::new();
        for (task, item) in items.iter().enumerate() {
            let left = over.ends[task].is_none() && !gone.contains(&task);
            for (step, further) in item.further.iter().enumerate() {
                let known = item.further_written & (1 << step) != 0;
                if let (true, false, Some(issue)) = (left, known, further.issue()) {
                    let steps = wanted.entry(issue.project).or_default();
                    steps.push((task, step, issue));
                }
            }
        }
        for (project, steps) in wanted {
            let issues: Vec<&NewIssue> = steps.iter().map(|(_, _, issue)| *issue).collect();
            for (i, fate) in self.add_issues(project, &issues).await {
                let (task, step, issue) = steps[i];
                match fate {
                    Fate::Applied => over.written[task].add_step(step),
                    Fate::Refused(mut error) => {
                        let title = clean(&issue.title);
                        let why = &error.summary;
                        error.summary = format!("the issue on \"{title}\" was not made: {why}");
                        over.ends[task].get_or_insert(Committed::Refused(error));
                    }
                    Fate::Gone | Fate::Conflict(_) => {
                        let by = MOVED_ON.to_owned();
                        over.ends[task].get_or_insert(Committed::Conflict { by });
                    }
                }
            }
        }
    }

    /// Moves other tasks.
    pub(super) async fn further_moves(&self, items: &[Change], left: &Left, mut over: Over<'_>) {
        let mut moves: BTreeMap<(ProjectHash, StageId, StageId), Vec<FurtherStep<'_>>> =
            BTreeMap::new();
        for step in left.of(WritePhase::Moves, items, over.ends) {
            if let Some(to) = step.row.change.to {
                let way = (step.row.project, step.row.change.stage, to);
                moves.entry(way).or_default().push(step);
            }
        }
        for ((project, from, to), steps) in moves {
            let change = |step: &FurtherStep<'_>| (step.row.change.task, step.row.change.data);
            let tasks: Vec<_> = steps.iter().map(change).collect();
            let ends = self.move_tasks(project, from, to, &tasks).await;
            for (step, (_, end)) in steps.iter().zip(ends) {
                over.take(
                    step,
                    match end {
                        Committed::Done => Fate::Applied,
                        Committed::AlreadyMoved => Fate::Gone,
                        Committed::Conflict { by } => Fate::Conflict(by),
                        Committed::Refused(error) | Committed::Partial { error, .. } => {
                            Fate::Refused(error)
                        }
                    },
                );
            }
        }
    }
}

fn by_project(steps: Vec<FurtherStep<'_>>) -> BTreeMap<ProjectHash, Vec<FurtherStep<'_>>> {
    let mut found: BTreeMap<ProjectHash, Vec<FurtherStep<'_>>> = BTreeMap::new();
    for step in steps {
        found.entry(step.row.project).or_default().push(step);
    }
    found
}

/// A conflict after other parts of the task were written is a task that is written in part.
pub(super) fn in_part(end: Committed, written: Written) -> Committed {
    match end {
        Committed::Conflict { by } if written.further != 0 => Committed::Partial {
            written,
            error: Error::new(
                ErrorKind::Conflict,
                format!("the rest was changed by {by} meanwhile"),
            ),
        },
        other => other.after(written),
    }
}
