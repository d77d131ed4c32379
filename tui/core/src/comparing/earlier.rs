//! Earlier runs of the folder as a side of a comparison: what is kept of them, as far as it is kept. Keeping and reading it
//! is left to the engine's `screen_store`.

use super::SideResult;
use crate::compare::{TaskComparison, route};
use crate::error::{Error, ErrorKind};
use crate::figures::KeptResult;
use crate::ids::{DataHash, Millis, StageId};
use crate::work::{Inputs, Outcome, Patch, Route, TaskRow, TaskStatus};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use uuid::Uuid;

/// Kinds of errors that a task ends with.
const KINDS: [ErrorKind; 8] = [
    ErrorKind::Agent,
    ErrorKind::Host,
    ErrorKind::Upstream,
    ErrorKind::Network,
    ErrorKind::Access,
    ErrorKind::Conflict,
    ErrorKind::Refused,
    ErrorKind::Settings,
];

/// Labels added, changed and removed.
pub type LabelTotals = (usize, usize, usize);

/// A result as it was kept, for comparing runs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StoredResult {
    /// Route or error, label counts and time.
    pub result: KeptResult,
    /// What it would change; `None` after an error, and where it was too large or is too old.
    pub patch: Option<Patch>,
}

impl StoredResult {
    /// The same as a side of a comparison.
    #[must_use]
    pub fn side(&self) -> SideResult {
        let last = &self.result.last;
        let totals = self.patch.is_none().then_some(last.labels);
        SideResult {
            result: match last.failed {
                true => Err(self.error()),
                false => Ok(Arc::new(self.outcome())),
            },
            run_us: Some(micros(last.ms)),
            totals: totals.filter(|_| !last.failed),
        }
    }

    /// The error, of the kind that it had: equal failures of two sides stay equal.
    fn error(&self) -> Error {
        let of_kind = |kind: &ErrorKind| Error::new(*kind, self.result.last.text.clone());
        let same = |error: &Error| Some(error.group_id()) == self.result.last.group;
        let found = KINDS.iter().map(of_kind).find(same);
        found.unwrap_or_else(|| of_kind(&ErrorKind::Agent))
    }

    fn outcome(&self) -> Outcome {
        let last = &self.result.last;
        Outcome {
            way: match last.pathway {
                None => Route::Stay,
                // Where it led is not kept, and not compared.
                Some(id) => Route::Pathway {
                    id,
                    name: last.text.clone(),
                    to: StageId(Uuid::nil()),
                },
            },
            patch: self.patch.clone().unwrap_or_default(),
            labels_after: None,
            further: Vec::new(),
            steps: Vec::new(),
            unread: Vec::new(),
        }
    }

    /// The task as far as it is known, for the list of tasks: no agent is given it.
    #[must_use]
    pub fn inputs(&self) -> Arc<Inputs> {
        Arc::new(Inputs {
            row: TaskRow {
                id: self.result.task,
                data: DataHash(Uuid::nil()),
                created: Millis(0),
                updated: self.result.updated,
                title: (&*self.result.title).into(),
                assignee: None,
                last_actioned_by: None,
                branch: "main".into(),
                status: TaskStatus::Unknown,
            },
            task_json: "{}".into(),
            labels: None,
            item_json: None,
            asset_json: None,
            fetched: Millis(0),
            timings: Vec::new(),
        })
    }
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // times for a person
fn micros(ms: f64) -> u64 {
    (ms * 1_000.0).round() as u64
}

/// Whether both sides have an outcome, of which one is known by the number of its labels only.
pub(super) fn only_totals([a, b]: &[SideResult; 2]) -> bool {
    let some = a.totals.is_some() || b.totals.is_some();
    some && a.result.is_ok() && b.result.is_ok()
}

/// Compares two outcomes by route and number of labels, where no more is known of one.
pub(super) fn by_totals(sides: &[SideResult; 2]) -> Option<TaskComparison> {
    if !only_totals(sides) {
        return None;
    }
    let totals = sides.each_ref().map(|side| {
        let counted = |outcome: &Arc<Outcome>| outcome.patch.counts();
        let known = side.result.as_ref().map_or((0, 0, 0), counted);
        side.totals.unwrap_or(known)
    });
    let words = |(added, changed, removed): LabelTotals| format!("+{added} ~{changed} -{removed}");
    let note = (totals[0] != totals[1]).then(|| {
        let [a, b] = totals.map(words);
        format!("labels {a} → {b}, by their number: what they were is not kept")
    });
    let routes = sides.each_ref().map(|side| route(side.result.as_deref()));
    Some(TaskComparison {
        changed_route: routes[0] != routes[1],
        routes,
        run_us: sides.each_ref().map(|side| side.run_us),
        note,
        ..TaskComparison::default()
    })
}
