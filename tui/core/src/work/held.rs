//! An outcome that waits for review.

use super::{Inputs, Outcome};
use crate::ids::{BuildId, Millis, StageId};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// An outcome that is held.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Held {
    /// Stage.
    pub stage: StageId,
    /// What the agent was given.
    #[serde(with = "crate::shared")]
    pub inputs: Arc<Inputs>,
    /// What it gave.
    #[serde(with = "crate::shared")]
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
