//! Entries of the ledger as they are read back: those that are not over, and those that can be taken back.

use super::Change;
use crate::error::Error;
use crate::ids::TaskId;
use crate::work::Written;
use serde::{Deserialize, Serialize};
use std::collections::HashSet;

/// Bytes of label rows that are held at a time while what was written, or is to be written, is gone through.
pub const MAX_BYTES: usize = 32 << 20;

/// Entries that are read, checked and written together.
pub const GROUP: usize = 300;

/// An entry without an answer, or one that is written in part.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OpenEntry {
    /// Number.
    pub id: i64,
    /// What was to be written.
    pub change: Change,
    /// What is known to be upstream.
    pub written: Written,
    /// Why the rest is not; `None`: there was no answer.
    pub refused: Option<Error>,
}

/// An entry that was written and not taken back since.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StandingEntry {
    /// Number.
    pub id: i64,
    /// What was written.
    pub change: Change,
    /// Somebody else moved the task meanwhile. How much had been written by then is not known: what is still there
    /// is taken back, and the rest is not reported.
    pub overtaken: bool,
}

impl StandingEntry {
    /// Bytes of its label rows.
    #[must_use]
    pub fn size(&self) -> usize {
        self.change.weight()
    }
}

/// Which open entries are to be finished.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Scope {
    /// All that no other process works on.
    All,
    /// Those without an answer: their result is not known.
    Unanswered,
    /// Undos of this operation.
    UndosOf(i64),
    /// Those written in part of some tasks.
    Tasks {
        /// The tasks.
        tasks: HashSet<TaskId>,
        /// Entries that are about to be taken back.
        except: HashSet<i64>,
    },
}

/// The state of an entry before it was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Before {
    /// It is new.
    New,
    /// It may have been sent, and the answer is not known.
    Unanswered,
    /// Some of it was written, and the rest refused.
    InPart,
}

impl Before {
    /// Of an entry that an earlier command left open.
    #[must_use]
    pub const fn of(entry: &OpenEntry) -> Self {
        match entry.refused {
            Some(_) => Self::InPart,
            None => Self::Unanswered,
        }
    }
}
