//! Places that the running job reaches, where somebody looks at it: reported, and waited at.

use super::context::{Context, lock};
use crate::link::NO_JOB;
use crate::proto::{FromHost, MAX_RESULT};
use crate::sys::limits;
use agent_abi::wire::Pause;
use std::sync::atomic::Ordering;

/// Longest name of a place, in characters.
const NAME: usize = 200;

impl Context {
    /// From now on this job's places are reported.
    pub(super) fn look(&self, job: Option<u64>) {
        limits::allow_debugger(job.is_some());
        let job = job.unwrap_or(NO_JOB);
        self.looked_at.store(job, Ordering::SeqCst);
    }

    /// A place that the running job has reached; waits until it may go on. `None`: with its own value.
    pub(super) fn pause(&self, mut at: Pause, value: &[u8]) -> Result<Option<Vec<u8>>, String> {
        let job = lock(&self.current).job;
        let looked_at = |job: &u64| *job == self.looked_at.load(Ordering::SeqCst);
        let Some(job) = job.filter(looked_at) else {
            return Ok(None);
        };
        for text in [&mut at.kind, &mut at.name] {
            *text = text.chars().take(NAME).collect();
        }
        // What is too large to be sent cannot be edited; that it is there is worth a look.
        let value = value.get(..MAX_RESULT).unwrap_or(value);
        self.ask(job, |call| FromHost::Paused { job, call, at }, value)
    }

    /// The call `pause`: empty, or a place on a line and a value.
    pub(super) fn pause_by_name(&self, question: &[u8]) -> Result<Vec<u8>, String> {
        if question.is_empty() {
            let job = lock(&self.current).job;
            let looks = job == Some(self.looked_at.load(Ordering::SeqCst));
            return Ok(looks.to_string().into_bytes());
        }
        let end = question.iter().position(|b| *b == b'\n');
        let (at, value) = question.split_at(end.unwrap_or(question.len()));
        let at = serde_json::from_slice(at).map_err(|e| format!("not a place to pause at: {e}"))?;
        let edited = self.pause(at, value.get(1..).unwrap_or_default())?;
        Ok(edited.unwrap_or_default())
    }
}
