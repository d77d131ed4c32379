//! A comparison of one task with every figure that it has, so that it can be read again. What people are given
//! (`--json`, reports) has means instead of sums, and cannot.

use super::{ComparedLabel, Difference, LabelCounts, TaskComparison};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::collections::BTreeMap;

#[derive(Serialize, Deserialize)]
struct WholeCounts {
    same: usize,
    moved: usize,
    changed: usize,
    added: usize,
    removed: usize,
    overlap_sum: f64,
    overlaps: usize,
}

#[derive(Serialize, Deserialize)]
struct WholeComparison {
    routes: [String; 2],
    failed: [bool; 2],
    changed_route: bool,
    labels: Vec<ComparedLabel>,
    classes: BTreeMap<String, WholeCounts>,
    counts: WholeCounts,
    priority: Option<[Option<f64>; 2]>,
    others: Vec<Difference>,
    run_us: [Option<u64>; 2],
    note: Option<String>,
}

impl From<LabelCounts> for WholeCounts {
    fn from(counts: LabelCounts) -> Self {
        let LabelCounts {
            same,
            moved,
            changed,
            added,
            removed,
            overlap_sum,
            overlaps,
        } = counts;
        Self {
            same,
            moved,
            changed,
            added,
            removed,
            overlap_sum,
            overlaps,
        }
    }
}

impl From<WholeCounts> for LabelCounts {
    fn from(counts: WholeCounts) -> Self {
        Self {
            same: counts.same,
            moved: counts.moved,
            changed: counts.changed,
            added: counts.added,
            removed: counts.removed,
            overlap_sum: counts.overlap_sum,
            overlaps: counts.overlaps,
        }
    }
}

/// Writes all of it.
///
/// # Errors
/// Those of `to`.
#[allow(clippy::borrowed_box)] // serde gives a reference to the field
pub fn serialize<S: Serializer>(all: &Box<TaskComparison>, to: S) -> Result<S::Ok, S::Error> {
    let TaskComparison {
        routes,
        failed,
        changed_route,
        labels,
        classes,
        counts,
        priority,
        others,
        run_us,
        note,
    } = (**all).clone();
    let classes = classes.into_iter();
    let whole = WholeComparison {
        routes,
        failed,
        changed_route,
        labels,
        classes: classes.map(|(name, of)| (name, of.into())).collect(),
        counts: counts.into(),
        priority,
        others,
        run_us,
        note,
    };
    whole.serialize(to)
}

/// Reads it.
///
/// # Errors
/// Those of `from`.
pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Box<TaskComparison>, D::Error> {
    let whole = WholeComparison::deserialize(from)?;
    let classes = whole.classes.into_iter();
    Ok(Box::new(TaskComparison {
        routes: whole.routes,
        failed: whole.failed,
        changed_route: whole.changed_route,
        labels: whole.labels,
        classes: classes.map(|(name, of)| (name, of.into())).collect(),
        counts: whole.counts.into(),
        priority: whole.priority,
        others: whole.others,
        run_us: whole.run_us,
        note: whole.note,
    }))
}
