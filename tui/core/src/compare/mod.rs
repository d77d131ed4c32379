//! Two results for the same tasks held against each other: routes, labels by where they lie, priority, metadata, further
//! changes, failures and times. One task at a time, from references; [`Comparison`] sums up any number of them.
//!
//! Running the agents is left to the engine, drawing and printing to the faces.

mod area;
mod counts;
mod differences;
mod in_words;
mod labels;
mod placed;
mod summary;
#[cfg(test)]
mod tests;
mod tolerance;
pub mod whole;

pub use counts::{ComparedLabel, LabelCounts, LabelFate};
pub use differences::{Difference, GivenResult, differences, route};
pub use labels::{KEPT, PAIRED, PAIRED_WITHIN};
pub use summary::{ComparedTask, Comparison, ROWS, RunTimes, TaskOrder};
pub use tolerance::Tolerance;

use crate::error::Error;
use crate::work::{Outcome, RowInput};
use agent_abi::model::Ontology;
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What one side gave for a task.
#[derive(Clone, Copy, Debug)]
pub struct Side<'a> {
    /// Its outcome or error.
    pub given: GivenResult<'a>,
    /// How long its agent ran, in microseconds, where that is known.
    pub run_us: Option<u64>,
}

/// How two results for one task differ.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct TaskComparison {
    /// Route or error of A and of B, as in [`route`].
    pub routes: [String; 2],
    /// Which of them failed.
    pub failed: [bool; 2],
    /// Whether the route is another one. Errors that differ in their numbers only are the same.
    pub changed_route: bool,
    /// Labels that differ, the worst first, at most [`KEPT`].
    pub labels: Vec<ComparedLabel>,
    /// How many labels differ, by class.
    pub classes: BTreeMap<String, LabelCounts>,
    /// How many labels differ.
    pub counts: LabelCounts,
    /// Priority of A and of B, where either sets one and they differ.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub priority: Option<[Option<f64>; 2]>,
    /// What else differs: priority, metadata and further changes, in words.
    pub others: Vec<Difference>,
    /// Microseconds that the agents ran.
    pub run_us: [Option<u64>; 2],
    /// Why labels could not be compared.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// Compares two results for one task. `row` is the label row that both agents were given; without one they
/// changed no labels.
#[must_use]
pub fn compare(
    ontology: &Arc<Ontology>,
    row: Option<&RowInput>,
    a: Side<'_>,
    b: Side<'_>,
) -> TaskComparison {
    let mut all = TaskComparison {
        routes: [a, b].map(|side| route(side.given)),
        failed: [a, b].map(|side| side.given.is_err()),
        changed_route: match (a.given, b.given) {
            (Err(one), Err(two)) => one.group_id() != two.group_id(),
            (one, two) => route(one) != route(two),
        },
        run_us: [a, b].map(|side| side.run_us),
        ..TaskComparison::default()
    };
    let (Ok(one), Ok(two)) = (a.given, b.given) else {
        return all;
    };
    all.others = differences::beside_labels(one, two);
    let set = [one, two].map(|side: &Outcome| side.patch.priority.map(|(_, new)| new));
    all.priority = all
        .others
        .iter()
        .any(|other| other.what == "priority")
        .then_some(set);
    let written = one.labels_after.is_some() || two.labels_after.is_some();
    let whole = |side: &Outcome| side.labels_after.is_some() || side.patch.labels.is_empty();
    match row.filter(|_| written && whole(one) && whole(two)) {
        Some(row) => match labels::labels(ontology, row, [one, two]) {
            Ok(found) => all.take(found),
            Err(error) => all.note = Some(not_compared(&error)),
        },
        None => all.take(in_words::in_words(one, two)),
    }
    all
}

fn not_compared(error: &Error) -> String {
    format!("its labels could not be compared: {error}")
}

impl TaskComparison {
    fn take(&mut self, found: labels::ComparedLabels) {
        for counts in found.classes.values() {
            self.counts.add(counts);
        }
        (self.labels, self.classes) = (found.differing, found.classes);
    }

    /// Whether anything but the time differs, or could not be compared.
    #[must_use]
    pub fn differs(&self) -> bool {
        self.changed_route
            || self.failed[0] != self.failed[1]
            || self.counts.differing() > 0
            || !self.others.is_empty()
            || self.note.is_some()
    }

    /// How bad the difference is, to sort by: one side that failed comes before another route, that before labels,
    /// and these before the rest; 0 when nothing differs.
    #[must_use]
    #[allow(clippy::cast_precision_loss)] // differences of one task
    pub fn severity(&self) -> f64 {
        let failure = if self.failed[0] == self.failed[1] {
            0.0
        } else {
            2e9
        };
        let route = if self.changed_route { 1e9 } else { 0.0 };
        let labels = self.counts.weight().min(9e5) * 1e3;
        let priority = match self.priority {
            Some([Some(a), Some(b)]) => (a - b).abs(),
            Some(_) => 1.0,
            None => 0.0,
        };
        let rest = self.others.len() + usize::from(self.note.is_some());
        failure + route + labels + rest as f64 + priority
    }

    /// The route of A or of B, or that it failed.
    #[must_use]
    pub fn route_of(&self, side: usize) -> &str {
        if self.failed[side] {
            "failed"
        } else {
            &self.routes[side]
        }
    }

    /// The route, or both: `auto → review`.
    #[must_use]
    pub fn route_words(&self) -> String {
        let (a, b) = (self.route_of(0), self.route_of(1));
        match (a == b, self.changed_route) {
            (true, false) => a.to_owned(),
            (true, true) => format!("{a} with another error"),
            (false, _) => format!("{a} → {b}"),
        }
    }

    /// How the labels differ, in short: `+1 -2 moved 3 answers 1 · overlap 0.93`; empty when none does.
    #[must_use]
    pub fn label_words(&self) -> String {
        label_words(&self.counts)
    }
}

/// See [`TaskComparison::label_words`].
#[must_use]
pub fn label_words(counts: &LabelCounts) -> String {
    let mut all: Vec<String> = Vec::new();
    let mut add = |n: usize, before: &str| {
        if n > 0 {
            all.push(format!("{before}{n}"));
        }
    };
    add(counts.added, "+");
    add(counts.removed, "-");
    add(counts.moved, "moved ");
    add(counts.changed, "answers ");
    if let Some(overlap) = counts.mean_overlap().filter(|_| counts.differing() > 0) {
        all.push(format!("overlap {}", two_digits(overlap)));
    }
    all.join(" ")
}

/// An overlap with two digits, never rounded up to 1.
#[must_use]
pub fn two_digits(overlap: f64) -> String {
    let shown = if overlap < 1.0 {
        overlap.min(0.994_999)
    } else {
        overlap
    };
    format!("{shown:.2}")
}
