//! The journal as a person looks at it: operations, the tasks of one, and what an undo of it would
//! restore.
//!
//! Reading and writing the journal itself is left to the runtime; these are its answers.

use crate::error::Error;
use crate::ids::{Millis, OperationId, StageId, TaskId};
use serde::{Deserialize, Serialize};

/// One operation: a command or a commit from the screen, with its counts.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Op {
    /// Number, from 1.
    pub id: i64,
    /// `run`, `exec`, `apply`, `undo`, `commit`.
    pub kind: String,
    /// The hash of its project.
    pub project: String,
    /// When it began.
    pub began: Millis,
    /// The words of its command; of a commit from the screen, of the command that does the same.
    pub words: Vec<String>,
    /// The plan it applied.
    pub plan: Option<String>,
    /// The operation it took back.
    pub undoes: Option<i64>,
    /// Neither ended nor alive.
    pub interrupted: bool,
    /// Not ended, and its process lives.
    pub under_way: bool,
    /// Belongs to the project in sight; only then it can be taken back from here.
    pub here: bool,
    /// Tasks it wrote for, or tried to.
    pub tasks: u64,
    /// Of these, written.
    pub done: u64,
    /// Of these, not over: without an answer, or written in part.
    pub open: u64,
    /// Of these, written in part: a step was refused after others had been written.
    pub in_part: u64,
    /// Of the written ones, taken back since.
    pub undone: u64,
}

impl Op {
    /// Tasks that were written, wholly or in part, and not taken back since.
    #[must_use]
    pub const fn standing(&self) -> u64 {
        self.done.saturating_sub(self.undone) + self.in_part
    }

    /// Whether a write of it has no answer, so that it is not known what of it stands.
    #[must_use]
    pub const fn unanswered(&self) -> u64 {
        self.open.saturating_sub(self.in_part)
    }

    /// Left with something that can be finished from the screen: writes without an answer or in part, or a
    /// commit of a screen that is gone, whose other outcomes went with it.
    #[must_use]
    pub fn finishable(&self) -> bool {
        let left = self.open > 0 || (self.interrupted && self.kind == "commit");
        self.here && !self.under_way && left
    }

    /// How it stands, in a few words.
    #[must_use]
    pub fn state(&self) -> &'static str {
        match (self.open > 0 || self.interrupted, self.done, self.undone) {
            _ if self.under_way => "under way",
            (true, _, _) if self.in_part > 0 && self.unanswered() == 0 => "written in part",
            (true, _, _) => "interrupted",
            (_, 0, _) => "nothing written",
            (_, _, 0) => "stands",
            (_, done, undone) if undone >= done => "taken back",
            _ => "partly taken back",
        }
    }
}

/// One task of an operation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// The task.
    pub task: TaskId,
    /// Title of its data unit, as it came.
    pub title: String,
    /// Where it was.
    pub from: StageId,
    /// Where it was sent; `None`: it stayed.
    pub to: Option<StageId>,
    /// Its labels were saved.
    pub labels: bool,
    /// Its priority after.
    pub priority: Option<f64>,
    /// Its client metadata were set.
    pub metadata: bool,
    /// `done`, `already moved`, `conflict: …`, `refused: …`; `None`: no answer yet.
    pub answer: Option<String>,
    /// It was taken back since.
    pub undone: bool,
}

/// What an undo would do for one task.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Restore {
    /// Title of the data unit, as it came.
    pub title: String,
    /// What is written, in words: `its labels as they were`, `back to "pre-label"`.
    pub what: Vec<String>,
    /// Why it is left alone instead.
    pub left: Option<String>,
}

/// What an undo came to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Undone {
    /// Tasks as they were before.
    pub restored: u64,
    /// Tasks that others changed since, with the reason: title and why.
    pub left: Vec<(String, String)>,
    /// Tasks that the platform refused: title and why.
    pub failed: Vec<(String, String)>,
    /// What of restored tasks cannot be taken back: title, and what stays.
    pub stays: Vec<(String, String)>,
}

/// The result of finishing writes that had begun and were without an answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settled {
    /// Found open in the journal.
    pub found: usize,
    /// Finished now, or found finished.
    pub finished: usize,
    /// Not written: changed by somebody else or refused; they can be run again.
    pub left: usize,
    /// Still written in part: the rest was refused again.
    pub in_part: usize,
    /// Why, of the first of them.
    pub why: Option<Error>,
    /// Written in part, and changed by somebody else since: left to a person.
    pub changed: usize,
}

impl Settled {
    /// The result for people, a line for each thing.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        if self.found == 0 {
            return Vec::new();
        }
        let mut lines = vec![format!(
            "Recovered from earlier commands: of {} pending writes, {} are finished.",
            self.found, self.finished
        )];
        if self.left > 0 {
            lines.push(format!(
                "{} were changed by others or refused, and not written; their tasks can be run again.",
                self.left
            ));
        }
        if self.in_part > 0 {
            let why = self.why.as_ref().map_or("", |why| &why.summary);
            lines.push(format!(
                "{} are still written in part: {why}; their agents are not run again. `workbench resume` tries again, `workbench undo` takes back what was written.",
                self.in_part
            ));
        }
        if self.changed > 0 {
            lines.push(format!(
                "{} were written in part and changed by others since; they are left. To run their agents on what is there now: --on-conflict rerun.",
                self.changed
            ));
        }
        lines
    }
}

/// News of the journal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum JournalEvent {
    /// Operations of this folder that were interrupted, the newest first; reported once, at the start.
    Interrupted(Vec<Op>),
    /// All operations, the newest first.
    Ops(Result<Vec<Op>, Error>),
    /// An operation that the screen's writes were noted under is over, and has this number.
    Closed {
        /// Which.
        operation: OperationId,
        /// Its number.
        number: i64,
    },
    /// The tasks of an operation.
    Entries {
        /// Which.
        op: i64,
        /// Tasks in the order they were written.
        result: Result<Vec<Entry>, Error>,
    },
}

/// How far the undo of the open operation is.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Undoing {
    /// Nobody asked.
    #[default]
    No,
    /// The platform is asked what stands there now.
    Looking,
    /// What would be restored.
    Reviewed(Vec<Restore>),
    /// It is being written.
    Writing,
    /// It is over.
    Over(Undone),
    /// It could not be looked at or written.
    Failed(Error),
}

/// The operation that is looked at.
#[derive(Clone, Debug, PartialEq)]
pub struct OpenOp {
    /// Its number.
    pub id: i64,
    /// Its tasks, once they are read.
    pub entries: Option<Result<Vec<Entry>, Error>>,
    /// Taking it back.
    pub undo: Undoing,
}

/// What is known of the journal.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Journal {
    /// Operations, the newest first, once they are read.
    pub ops: Option<Vec<Op>>,
    /// Why they could not be read.
    pub error: Option<Error>,
    /// The one that is looked at.
    pub open: Option<OpenOp>,
    /// When the operations are read, the newest that stands is to be looked at for an undo.
    pub undo_newest: bool,
    /// What interrupted commands had begun is being finished.
    pub finishing: bool,
}

impl Journal {
    /// An operation by its number.
    #[must_use]
    pub fn op(&self, id: i64) -> Option<&Op> {
        self.ops.as_ref()?.iter().find(|op| op.id == id)
    }

    /// Whether something that was asked of it is on its way.
    #[must_use]
    pub fn is_reading(&self) -> bool {
        let open = self.open.as_ref().is_some_and(|open| match &open.undo {
            Undoing::Looking | Undoing::Writing => true,
            Undoing::No => open.entries.is_none(),
            Undoing::Reviewed(_) | Undoing::Over(_) | Undoing::Failed(_) => false,
        });
        self.undo_newest || self.finishing || open
    }

    /// Writes of the project in sight that had begun and have no answer, their process being gone.
    #[must_use]
    pub fn unanswered(&self) -> u64 {
        let ops = self.ops.as_deref().unwrap_or_default();
        let left = ops.iter().filter(|op| op.finishable());
        left.map(Op::unanswered).sum()
    }

    /// Tasks of the project in sight that are written in part.
    #[must_use]
    pub fn in_part(&self) -> u64 {
        let ops = self.ops.as_deref().unwrap_or_default();
        let left = ops.iter().filter(|op| op.finishable());
        left.map(|op| op.in_part).sum()
    }

    /// Whether an operation can be finished from the screen.
    #[must_use]
    pub fn finishable(&self) -> bool {
        self.ops.iter().flatten().any(Op::finishable)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn op(done: u64, undone: u64, open: u64) -> Op {
        Op {
            id: 1,
            kind: "run".into(),
            here: true,
            tasks: done + open,
            done,
            open,
            undone,
            ..Op::default()
        }
    }

    #[test]
    fn the_state_of_an_operation_is_a_few_words() {
        assert_eq!(op(5, 0, 0).state(), "stands");
        assert_eq!(op(5, 2, 0).state(), "partly taken back");
        assert_eq!(op(5, 5, 0).state(), "taken back");
        assert_eq!(op(5, 0, 1).state(), "interrupted");
        assert_eq!(op(0, 0, 0).state(), "nothing written");
        assert_eq!(op(5, 2, 0).standing(), 3);
    }
}
