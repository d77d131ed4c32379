//! What hosts are given to run, and in which order.

use crate::ids::{BuildId, JobId, StageId};
use crate::work::{GivenEdits, Inputs};
use std::sync::Arc;

/// One attempt to be run in a host.
#[derive(Clone, Debug, PartialEq)]
pub struct Launch {
    /// Number.
    pub job: JobId,
    /// Build to run on.
    pub build: BuildId,
    /// Index into its agents.
    pub agent: usize,
    /// 1 for the first.
    pub attempt: u32,
    /// Stage.
    pub stage: StageId,
    /// What the agent is given; the same for every attempt, so that retries start clean.
    pub inputs: Arc<Inputs>,
    /// Limit in milliseconds.
    pub deadline_ms: Option<u64>,
    /// Whose turn comes first.
    pub priority: Priority,
    /// Whether it reports the places that it reaches, and waits there.
    pub pauses: bool,
    /// What a person made of the inputs for this attempt.
    pub given: Arc<GivenEdits>,
}

/// Which jobs are begun first while hosts are scarce.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Priority {
    /// Somebody waits for it: a stepped task.
    Person,
    /// A watched task.
    Watch,
    /// A run.
    Bulk,
    /// A comparison: behind everything that somebody waits for.
    Background,
}
