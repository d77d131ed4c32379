//! The result of a committed task, and what of it is upstream when a step was refused.

use super::{Change, MAX_FURTHER};
use crate::error::Error;
use serde::{Deserialize, Serialize};

/// Bits of the row's own parts, below those of the further changes.
const OWN_BITS: u32 = 3;

/// Which parts of an outcome are upstream, short of its own move.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Written {
    /// The labels were saved.
    pub labels: bool,
    /// The priority was set.
    pub priority: bool,
    /// The client metadata were set.
    pub metadata: bool,
    /// A bit for each of its further changes, in their order.
    pub further: u64,
}

impl Written {
    /// Everything that an item sets, short of the move.
    #[must_use]
    pub const fn all_of(item: &Change) -> Self {
        Self {
            labels: item.labels_after.is_some(),
            priority: item.priority.is_some(),
            metadata: item.metadata.is_some(),
            further: match item.further.len() {
                0 => 0,
                n => u64::MAX >> (64 - if n > MAX_FURTHER { MAX_FURTHER } else { n }),
            },
        }
    }

    /// Whether a further change is upstream.
    #[must_use]
    pub const fn has_step(self, step: usize) -> bool {
        step < MAX_FURTHER && self.further & (1 << step) != 0
    }

    /// A further change is upstream.
    pub const fn add_step(&mut self, step: usize) {
        if step < MAX_FURTHER {
            self.further |= 1 << step;
        }
    }

    /// Whether anything is upstream.
    #[must_use]
    pub const fn any(self) -> bool {
        self.labels || self.priority || self.metadata || self.further != 0
    }

    /// What either of them has.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self {
            labels: self.labels || other.labels,
            priority: self.priority || other.priority,
            metadata: self.metadata || other.metadata,
            further: self.further | other.further,
        }
    }

    /// For people: `labels, priority and 2 further changes`.
    #[must_use]
    pub fn words(self) -> String {
        let further = match self.further.count_ones() {
            1 => "1 further change".to_owned(),
            n => format!("{n} further changes"),
        };
        let all = [
            (self.labels, "labels"),
            (self.priority, "priority"),
            (self.metadata, "metadata"),
            (self.further != 0, &further),
        ];
        let there: Vec<&str> = all.iter().filter(|(is, _)| *is).map(|(_, w)| *w).collect();
        match there.split_last() {
            None => "nothing".to_owned(),
            Some((last, [])) => (*last).to_owned(),
            Some((last, rest)) => format!("{} and {last}", rest.join(", ")),
        }
    }

    /// As a number, for storage.
    #[must_use]
    pub const fn bits(self) -> i64 {
        let own = self.labels as i64 | (self.priority as i64) << 1 | (self.metadata as i64) << 2;
        own | (self.further << OWN_BITS).cast_signed()
    }

    /// From the number of [`Written::bits`].
    #[must_use]
    pub const fn from_bits(bits: i64) -> Self {
        Self {
            labels: bits & 1 != 0,
            priority: bits & 2 != 0,
            metadata: bits & 4 != 0,
            further: bits.cast_unsigned() >> OWN_BITS,
        }
    }
}

/// The result of one committed task.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Committed {
    /// Everything was written.
    Done,
    /// Labels and the like were written; the task had already left the stage.
    AlreadyMoved,
    /// Somebody else changed the label row or the client metadata since the agent saw them; nothing was
    /// written.
    Conflict {
        /// Who and when, as far as the platform reports it.
        by: String,
    },
    /// The platform refused this task, and nothing of it was written; the rest of the bundle went through.
    Refused(Error),
    /// Some steps were written and a later one was refused: the task still waits at its stage.
    Partial {
        /// What is upstream.
        written: Written,
        /// Why the rest is not.
        error: Error,
    },
}

impl Committed {
    /// Adds to the error of a task that is written in part what is there, and what to do about it.
    #[must_use]
    pub fn with_advice(mut self) -> Self {
        if let Self::Partial { written, error } = &mut self {
            let words = written.words();
            if !error.summary.starts_with(&words) {
                error.summary = format!("{words} written, but {}", error.summary);
            }
            let hint =
                "`workbench resume` finishes it; `workbench undo` takes back what was written";
            if !error.hints.iter().any(|known| known == hint) {
                error.hints.insert(0, hint.to_owned());
            }
        }
        self
    }

    /// Why the task was not written, or not wholly.
    #[must_use]
    pub const fn error(&self) -> Option<&Error> {
        match self {
            Self::Refused(error) | Self::Partial { error, .. } => Some(error),
            Self::Done | Self::AlreadyMoved | Self::Conflict { .. } => None,
        }
    }

    /// The same of a task of which this much is upstream already: a refusal leaves it written in part.
    #[must_use]
    pub fn after(self, written: Written) -> Self {
        match self {
            Self::Refused(error) if written.any() => Self::Partial { written, error },
            other => other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_hold_the_own_parts_and_every_further_change() {
        let mut written = Written {
            priority: true,
            ..Written::default()
        };
        for step in [0, 7, MAX_FURTHER - 1, MAX_FURTHER] {
            written.add_step(step);
        }
        assert!(written.has_step(7) && !written.has_step(8) && !written.has_step(MAX_FURTHER));
        assert_eq!(Written::from_bits(written.bits()), written);
        assert_eq!(written.words(), "priority and 3 further changes");
        // As an earlier version wrote it.
        assert_eq!(Written::from_bits(5).words(), "labels and metadata");
    }
}
