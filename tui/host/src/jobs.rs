//! Jobs as the program orders them and as they end.

use agent_abi::wire;
use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;
use wb_core::error::Error;
use wb_core::event::Priority;
use wb_core::ids::{BuildId, JobId};

/// One attempt of one agent on one task.
#[derive(Clone, Debug)]
pub struct JobRequest {
    /// The job, below 2^63; must differ from every other one that has not ended.
    pub job: JobId,
    /// An activated build.
    pub build: BuildId,
    /// Index into the build's agents.
    pub agent: usize,
    /// 1 for the first attempt.
    pub attempt: u32,
    /// JSON of `wire::StageDoc`.
    pub stage_json: Arc<str>,
    /// JSON of `wire::TaskDoc`.
    pub task_json: Arc<str>,
    /// JSON object of the stage's parameters; may be empty.
    pub params: Arc<str>,
    /// Documents by their names in `wire::input`; the project is added by itself.
    pub inputs: Vec<(Cow<'static, str>, Arc<str>)>,
    /// Limit of the attempt, counted from its start in the agent.
    pub deadline: Option<Duration>,
    /// Whether the places that it reaches are reported as [`HostEvent::Paused`](crate::HostEvent::Paused), where it
    /// waits for [`Hosts::go_on`](crate::Hosts::go_on).
    pub pauses: bool,
    /// Title of the data unit, for messages.
    pub label: String,
    /// Whose turn comes first while hosts are scarce.
    pub priority: Priority,
}

impl JobRequest {
    /// Bytes of all its documents.
    pub(crate) fn size(&self) -> usize {
        let fixed = [&self.stage_json, &self.task_json, &self.params];
        let inputs = self.inputs.iter().map(|(_, json)| json);
        fixed.into_iter().chain(inputs).map(|json| json.len()).sum()
    }
}

/// How a job ended.
#[derive(Clone, Debug, PartialEq)]
pub enum JobResult {
    /// JSON of `wire::Outcome` as the agent wrote it: UTF-8, not yet parsed, at most 64 MB.
    Outcome(Vec<u8>),
    /// The agent returned an error or panicked, or its answer cannot be used; its process lives on.
    Failed(Error, Option<Box<wire::Failure>>),
    /// Its process died of it; the error's cause names library, build and frames.
    Crashed(Error),
    /// It took longer than its deadline.
    TimedOut(Error),
    /// It was stopped on request.
    Cancelled,
}
