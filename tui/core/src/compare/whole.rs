//! A comparison of one task with every figure that it has, so that it can be read again. What people are given
//! (`--json`, reports) has means instead of sums, and cannot.

use super::{ComparedLabel, Difference, LabelCounts, TaskComparison};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::collections::BTreeMap;

#[derive(Serialize, Deserialize)]
#[serde(remote = "LabelCounts")]
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
#[serde(remote = "TaskComparison")]
struct WholeComparison {
    routes: [String; 2],
    failed: [bool; 2],
    changed_route: bool,
    labels: Vec<ComparedLabel>,
    #[serde(with = "classes")]
    classes: BTreeMap<String, LabelCounts>,
    #[serde(with = "WholeCounts")]
    counts: LabelCounts,
    priority: Option<[Option<f64>; 2]>,
    others: Vec<Difference>,
    run_us: [Option<u64>; 2],
    note: Option<String>,
}

/// The counts of each class.
mod classes {
    use super::*;

    #[derive(Serialize, Deserialize)]
    struct ClassCounts(#[serde(with = "WholeCounts")] LabelCounts);

    pub fn serialize<S: Serializer>(
        all: &BTreeMap<String, LabelCounts>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        to.collect_map(all.iter().map(|(name, of)| (name, ClassCounts(*of))))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<BTreeMap<String, LabelCounts>, D::Error> {
        let all = BTreeMap::<String, ClassCounts>::deserialize(from)?;
        Ok(all.into_iter().map(|(name, of)| (name, of.0)).collect())
    }
}

/// Writes all of it.
///
/// # Errors
/// Those of `to`.
#[allow(clippy::borrowed_box)] // serde gives a reference to the field
pub fn serialize<S: Serializer>(all: &Box<TaskComparison>, to: S) -> Result<S::Ok, S::Error> {
    WholeComparison::serialize(all, to)
}

/// Reads it.
///
/// # Errors
/// Those of `from`.
pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Box<TaskComparison>, D::Error> {
    WholeComparison::deserialize(from).map(Box::new)
}
