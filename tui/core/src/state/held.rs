//! Outcomes that wait for review, and a commit of them. Writing is left to the runtime.

use crate::error::Error;
use crate::ids::{BuildId, Millis, StageId};
use crate::work::{Inputs, Outcome};
use std::sync::Arc;

/// An outcome that is held.
#[derive(Clone, Debug, PartialEq)]
pub struct Held {
    /// Stage.
    pub stage: StageId,
    /// What the agent was given.
    pub inputs: Arc<Inputs>,
    /// What it gave.
    pub outcome: Arc<Outcome>,
    /// Build it ran on.
    pub build: BuildId,
    /// Whether it is to be committed.
    pub taken: bool,
    /// When.
    pub at: Millis,
}

impl Held {
    /// Group in review: where it goes and what it changes.
    #[must_use]
    pub fn group(&self) -> String {
        let route = self.outcome.way.name();
        let (added, changed, removed) = self.outcome.patch.counts();
        let what = match (added, changed, removed) {
            _ if removed > 0 => "labels removed",
            _ if changed > 0 => "labels changed",
            _ if added > 0 => "labels added",
            _ if self.outcome.patch.is_empty() => "nothing else",
            _ if !self.outcome.patch.changes.is_empty() => "other rows or items",
            _ => "priority or metadata",
        };
        format!("{route}, {what}")
    }
}

/// A commit under way or just over.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CommitState {
    /// Tasks asked for.
    pub asked: usize,
    /// Tasks whose answer is here.
    pub answered: usize,
    /// Written.
    pub done: usize,
    /// Left because others had changed them.
    pub conflicts: Vec<(String, String)>,
    /// Refused.
    pub refused: Vec<(String, Error)>,
    /// When it ended.
    pub ended: Option<Millis>,
}
