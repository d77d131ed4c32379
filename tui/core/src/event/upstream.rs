//! News from upstream: the project, listings, and what is read for them. Inputs of jobs come on their own.

use super::{ListId, NetStats, Outage};
use crate::error::Error;
use crate::filter::Known;
use crate::ids::{StageId, TaskId};
use crate::work::{Project, TaskRow};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// News from upstream.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Upstream {
    /// The project.
    Project(#[serde(with = "crate::shared")] Arc<Project>),
    /// It could not be loaded.
    ProjectFailed(Error),
    /// A page of tasks.
    Page {
        /// Whose page.
        list: ListId,
        /// Stage that was listed.
        stage: StageId,
        /// Tasks.
        rows: Vec<TaskRow>,
        /// `None`: that was the last page.
        next: Option<String>,
    },
    /// A page could not be had.
    PageFailed {
        /// Whose page.
        list: ListId,
        /// Stage.
        stage: StageId,
        /// Why.
        error: Error,
    },
    /// What a filter asked of the label rows of tasks. A row that could not be read is an empty one.
    Known {
        /// Stage.
        stage: StageId,
        /// By task.
        rows: Vec<(TaskId, Known)>,
    },
    /// The label rows could not be read at all.
    KnownFailed {
        /// Stage.
        stage: StageId,
        /// Why.
        error: Error,
    },
    /// Counters of the client, for the status line and the summary.
    Stats(NetStats),
    /// The platform cannot be reached, fails or asks to wait; `None`: no longer.
    Outage(Option<Outage>),
}
