//! One label that differs, and how many do. Finding them is left to [`super::labels`].

use serde::ser::SerializeStruct;
use serde::{Deserialize, Serialize, Serializer};

/// How a label differs from A to B.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LabelFate {
    /// Only B has it.
    Added,
    /// Only A has it.
    Removed,
    /// Both have it, with other answers.
    Changed,
    /// Both have it, in another place.
    Moved,
}

impl LabelFate {
    /// `+`, `-` or `~`.
    #[must_use]
    pub const fn sign(self) -> char {
        match self {
            Self::Added => '+',
            Self::Removed => '-',
            Self::Changed | Self::Moved => '~',
        }
    }
}

/// One label that differs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ComparedLabel {
    /// How it differs.
    pub fate: LabelFate,
    /// Its kind in the ontology.
    pub name: String,
    /// Its hash in A and in B.
    pub hashes: [Option<String>; 2],
    /// The first frame that it is on.
    pub frame: u64,
    /// Intersection over union, 0 to 1, where both have it and it covers something.
    pub overlap: Option<f64>,
    /// Of lines, points and skeletons that both have: mean distance in shares of the picture's diagonal.
    pub distance: Option<f64>,
    /// What a person reads of it in A and in B.
    pub details: [Option<String>; 2],
}

/// Labels of one class, or of all.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct LabelCounts {
    /// Both have them alike.
    pub same: usize,
    /// Both have them, in another place.
    pub moved: usize,
    /// Both have them, with other answers.
    pub changed: usize,
    /// Only B has them.
    pub added: usize,
    /// Only A has them.
    pub removed: usize,
    /// Sum of the overlaps of labels that both have and that cover something.
    pub overlap_sum: f64,
    /// How many these are.
    pub overlaps: usize,
}

impl Serialize for LabelCounts {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut figures = to.serialize_struct("LabelCounts", 6)?;
        figures.serialize_field("same", &self.same)?;
        figures.serialize_field("moved", &self.moved)?;
        figures.serialize_field("changed", &self.changed)?;
        figures.serialize_field("added", &self.added)?;
        figures.serialize_field("removed", &self.removed)?;
        figures.serialize_field("mean_overlap", &self.mean_overlap())?;
        figures.end()
    }
}

impl LabelCounts {
    /// How many differ.
    #[must_use]
    pub const fn differing(&self) -> usize {
        self.moved + self.changed + self.added + self.removed
    }

    /// Mean overlap of the labels that both have; `None` without any that cover something.
    #[must_use]
    #[allow(clippy::cast_precision_loss)] // counts of labels
    pub fn mean_overlap(&self) -> Option<f64> {
        (self.overlaps > 0).then(|| self.overlap_sum / self.overlaps as f64)
    }

    /// How much they differ: a label of one side only, and one with other answers, counts 1, a moved one what its
    /// overlap lacks of 1.
    #[must_use]
    #[allow(clippy::cast_precision_loss)] // counts of labels
    pub fn weight(&self) -> f64 {
        let lacking = self.overlaps as f64 - self.overlap_sum;
        (self.added + self.removed + self.changed) as f64 + lacking.max(0.0)
    }

    /// Adds others.
    pub fn add(&mut self, other: &Self) {
        self.same += other.same;
        self.moved += other.moved;
        self.changed += other.changed;
        self.added += other.added;
        self.removed += other.removed;
        self.overlap_sum += other.overlap_sum;
        self.overlaps += other.overlaps;
    }

    /// Counts a label.
    pub(super) fn count(&mut self, fate: Option<LabelFate>, overlap: Option<f64>) {
        match fate {
            None => self.same += 1,
            Some(LabelFate::Moved) => self.moved += 1,
            Some(LabelFate::Changed) => self.changed += 1,
            Some(LabelFate::Added) => self.added += 1,
            Some(LabelFate::Removed) => self.removed += 1,
        }
        if let Some(overlap) = overlap {
            self.overlap_sum += overlap;
            self.overlaps += 1;
        }
    }
}
