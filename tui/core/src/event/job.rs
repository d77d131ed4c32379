//! What hosts report of a job: that it began, waits, loads, writes, and ended.

use crate::error::Error;
use crate::ids::JobId;
use crate::pause::PausePlace;
use crate::work::Outcome;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// News of a job.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum JobEvent {
    /// A host has begun.
    Started {
        /// Which.
        job: JobId,
        /// Process id of the host.
        pid: u32,
    },
    /// The host that was to begin it has not, and it waits for another one.
    Waits {
        /// Which.
        job: JobId,
    },
    /// It loads something that no attempt's time covers, such as a model.
    Loading {
        /// Which.
        job: JobId,
        /// What; `None`: it has it, and goes on.
        name: Option<String>,
    },
    /// It has reached a place and waits there for [`Effect::GoOn`](super::Effect::GoOn): somebody looks at it.
    Paused {
        /// Which.
        job: JobId,
        /// The place.
        place: Box<PausePlace>,
    },
    /// A line of the agent's log or output; `job` is empty for lines outside a job.
    Log {
        /// Which.
        job: Option<JobId>,
        /// 1 error … 5 trace.
        level: u8,
        /// Module, `stdout` or `stderr`.
        target: String,
        /// The line as it came.
        text: String,
    },
    /// 0 to 1.
    Progress {
        /// Which.
        job: JobId,
        /// How far.
        fraction: f64,
    },
    /// It ended.
    Done {
        /// Which.
        job: JobId,
        /// What it gave.
        #[serde(with = "crate::shared")]
        result: Result<Arc<Outcome>, Error>,
        /// The host process died or was killed.
        crashed: bool,
        /// How long the agent ran, in microseconds.
        run_us: u64,
    },
}
