//! What a person had set up on a screen, as it is kept for the next one: filters, marks and orders of queues, watched
//! tasks, the open task. How it comes back is left to the state.

use crate::ids::{StageId, TaskId};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What is kept of the set-up. Fields may be added.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct SavedView {
    /// Queues that are not as they begin.
    pub queues: BTreeMap<StageId, SavedQueue>,
    /// Watched tasks with their stages.
    pub watched: Vec<(StageId, TaskId)>,
    /// The task that is open.
    pub open: Option<(StageId, TaskId)>,
}

/// What is kept of a queue.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct SavedQueue {
    /// The filter as it was typed.
    pub filter: String,
    /// The word of the order.
    pub sort: String,
    /// The order the other way round.
    pub reversed: bool,
    /// Marked tasks.
    pub marks: Vec<TaskId>,
}
