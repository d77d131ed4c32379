//! The write ledger: what is to be written for a task, the proof that it was recorded before it is sent, and the
//! machines that decide what is written: [`Writing`], [`Commit`], [`Recovery`], [`Undo`] and [`Apply`].
//!
//! A writer takes [`Noted`] changes only, and only a [`Ledger`] makes them, after their rows are on disk. Keeping
//! the rows is left to the journal, sending to the client. Machines are driven by the answers to their requests.

mod apply;
mod back;
mod commit;
mod compare;
mod entry;
mod further;
mod inverse;
#[cfg(test)]
pub(crate) mod memory;
mod request;
mod settling;
mod undo;
mod writing;

pub use apply::{Applied, Apply};
pub use commit::Commit;
pub use compare::part_of;
pub use entry::{Before, GROUP, MAX_BYTES, OpenEntry, Scope, StandingEntry};
pub use request::{
    Answered, Look, Machine, Next, Operation, OperationStep, PlanLines, PlannedTask, Reply,
    Request, Seen, TaskReport, TasksSeen, UndoResult, Unit,
};
pub use settling::Recovery;
pub use undo::{Undo, UndoReview};
pub use writing::Writing;

use crate::error::Error;
use crate::ids::{Millis, ProjectHash};
pub use crate::work::{Change, without_secrets};

/// Something whose row in the ledger is on disk, so that it may be sent. Not `Clone`: one row, one write.
///
/// ```compile_fail,E0451
/// # fn forge(change: wb_core::ledger::Change) -> wb_core::ledger::Noted<wb_core::ledger::Change> {
/// wb_core::ledger::Noted { entry: 1, of: change }
/// # }
/// ```
#[derive(Debug)]
#[must_use = "an entry without an answer is completed by the next start"]
pub struct Noted<T> {
    entry: i64,
    of: T,
}

impl<T> Noted<T> {
    /// Number of its row.
    pub const fn entry(&self) -> i64 {
        self.entry
    }

    /// What was noted.
    pub const fn get(&self) -> &T {
        &self.of
    }
}

/// Where every write is noted before it is sent. The product has one: the journal in `wb-engine`.
pub trait Ledger {
    /// Records changes; when it returns, their rows are on disk. The number of each row, or `None` for a task
    /// that another living process is writing at this moment.
    ///
    /// # Errors
    /// The rows cannot be written: nothing may be sent.
    fn record(
        &self,
        project: ProjectHash,
        changes: &[Change],
        now: Millis,
    ) -> Result<Vec<Option<i64>>, Error>;

    /// Whether the row of this number is on disk and this process is the one that completes it.
    fn holds(&self, entry: i64) -> bool;

    /// Notes changes, so that they may be sent; `None` for one that must not be.
    ///
    /// # Errors
    /// As [`Ledger::record`].
    fn note(
        &self,
        project: ProjectHash,
        changes: Vec<Change>,
        now: Millis,
    ) -> Result<Vec<Option<Noted<Change>>>, Error> {
        let entries = self.record(project, &changes, now)?;
        let noted = entries.into_iter().zip(changes);
        Ok(noted
            .map(|(entry, of)| entry.map(|entry| Noted { entry, of }))
            .collect())
    }

    /// What is left to send of a row that an earlier write began; `None` unless this process holds the row.
    fn rest_of(&self, entry: i64, rest: Change) -> Option<Noted<Change>> {
        self.holds(entry).then_some(Noted { entry, of: rest })
    }
}
