//! What happened, in lines for a person; drawing them is left to the screen.

use super::State;
use crate::error::Error;
use crate::ids::Millis;
use crate::journal::Op;

/// Kind of an activity line.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// A build came, or did not.
    Build,
    /// A task was stepped.
    Task,
    /// Watched tasks ran again.
    Watch,
    /// A run began or ended.
    Run,
    /// Something was written.
    Commit,
    /// A queue changed.
    Queue,
    /// Upstream.
    Net,
    /// An error.
    Error,
}

impl Kind {
    /// One word.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Build => "build",
            Self::Task => "task",
            Self::Watch => "watch",
            Self::Run => "run",
            Self::Commit => "commit",
            Self::Queue => "queue",
            Self::Net => "net",
            Self::Error => "fault",
        }
    }
}

/// One line of what happened.
#[derive(Clone, Debug, PartialEq)]
pub struct Activity {
    /// When.
    pub at: Millis,
    /// Kind.
    pub kind: Kind,
    /// Whether it is bad news.
    pub bad: bool,
    /// What a person reads.
    pub text: String,
    /// More, shown on demand.
    pub detail: Option<String>,
}

/// Activity lines that are kept.
const ACTIVITY: usize = 500;

impl State {
    /// Operations of this folder that were interrupted, the newest first: reported once, at the start.
    pub(super) fn unfinished(&mut self, ops: &[Op]) {
        let what = match ops {
            [] => return,
            [one] => format!("operation {} was interrupted", one.id),
            [newest, rest @ ..] => format!(
                "operation {} and {} before it were interrupted",
                newest.id,
                rest.len()
            ),
        };
        let text = if ops.iter().any(Op::finishable) {
            format!("{what} ({{key:Journal}}, then {{key:FinishOp}} finishes its writes)")
        } else {
            format!("{what}: workbench resume goes on")
        };
        self.warn(Kind::Commit, text, None);
    }

    /// Lines that came after the first `seen` of them, as far as they are kept.
    pub fn activity_since(&self, seen: usize) -> impl Iterator<Item = &Activity> {
        let new = self.noted.saturating_sub(seen).min(self.activity.len());
        self.activity.iter().skip(self.activity.len() - new)
    }

    pub(super) fn info(&mut self, kind: Kind, text: impl Into<String>) {
        self.note(kind, false, text.into(), None);
    }

    pub(super) fn warn(&mut self, kind: Kind, text: impl Into<String>, detail: Option<String>) {
        self.note(kind, true, text.into(), detail);
    }

    pub(super) fn note(&mut self, kind: Kind, bad: bool, text: String, detail: Option<String>) {
        if self.activity.len() == ACTIVITY {
            self.activity.pop_front();
        }
        self.noted += 1;
        self.activity.push_back(Activity {
            at: self.now,
            kind,
            bad,
            text,
            detail,
        });
    }

    pub(super) fn complain(&mut self, error: &Error) {
        let mut detail = error.explanation().collect::<Vec<_>>().join("\n");
        for hint in &error.hints {
            detail.push_str("\n→ ");
            detail.push_str(hint);
        }
        let detail = (!detail.is_empty()).then_some(detail);
        self.warn(Kind::Error, error.summary.clone(), detail);
    }
}
