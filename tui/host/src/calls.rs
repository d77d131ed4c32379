//! Calls by name: what a running job asks the workbench for, and how it is answered.
//!
//! What the names mean is left to the program; here is only the way there and back, and its end with
//! the job.

use crate::HostEvent;
use crate::link::{Chunk, Link};
use crate::pool::{Active, Core, HostId, Work};
use crate::proto::{MAX_INPUT, ToHost, pack};
use std::sync::Arc;
use tokio::sync::oneshot;
use wb_core::ids::JobId;

/// A host's own question: the path of a file of the cache that cannot be decoded, to the path of a fresh copy.
pub const FETCH_AGAIN: &str = "workbench.fetch_again";
/// A host's own question: the path of a fresh copy that cannot be decoded either; it is not kept.
pub const DISCARD: &str = "workbench.discard";
/// Open calls of one job; an honest agent has one, since calls of its threads are answered in turn.
const OPEN: usize = 16;
/// Longest name of a call, in bytes.
const NAME: usize = 200;
const ANSWERED: i32 = 0;
const UNKNOWN: i32 = 1;
const FAILED: i32 = 2;

/// A question of a running job. It is answered exactly once: an [`Asked`] that is dropped tells the
/// agent that nobody answered.
pub struct Asked {
    link: Option<Arc<Link>>,
    call: u64,
    over: oneshot::Receiver<()>,
}

impl std::fmt::Debug for Asked {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Asked({})", self.call)
    }
}

impl Asked {
    /// Answers; `None`: the name is not known. Never blocks; an answer that comes after the end of
    /// the job is dropped.
    pub fn answer(mut self, answer: Result<Option<Arc<str>>, String>) {
        let Some(link) = self.link.take() else {
            return;
        };
        match answer {
            Ok(Some(text)) if text.len() > MAX_INPUT => {
                let why = format!(
                    "the answer is {} bytes, more than a host takes ({MAX_INPUT}); ask for less at a time",
                    text.len()
                );
                send(&link, self.call, FAILED, why.into());
            }
            Ok(Some(text)) => send(&link, self.call, ANSWERED, text),
            Ok(None) => send(&link, self.call, UNKNOWN, "".into()),
            Err(why) => send(&link, self.call, FAILED, why.into()),
        }
    }

    /// Returns when the job has ended or is to stop: what is still being fetched for it is not wanted.
    pub async fn over(&mut self) {
        // Both a message and a dropped sender mean the same.
        let _ = (&mut self.over).await;
    }
}

impl Drop for Asked {
    fn drop(&mut self) {
        if let Some(link) = self.link.take() {
            let why = "the workbench gave no answer";
            send(&link, self.call, FAILED, why.into());
        }
    }
}

fn send(link: &Link, call: u64, status: i32, text: Arc<str>) {
    // A host that is gone hears nothing; its job is reported by others.
    if let Ok(head) = pack(&ToHost::Answer { call, status }, text.len()) {
        let text = (!text.is_empty()).then_some(Chunk::Text(text));
        link.send(std::iter::once(Chunk::Own(head)).chain(text));
    }
}

impl Core {
    /// A host asks for something on behalf of the job it runs.
    ///
    /// # Errors
    /// It asks for another job than its own, or for too much at a time: it is not to be trusted.
    pub(crate) fn called(
        &self,
        id: HostId,
        job: u64,
        call: u64,
        name: String,
        question: Vec<u8>,
    ) -> Result<(), String> {
        if name.len() > NAME {
            return Err(format!("a call with a name of {} bytes", name.len()));
        }
        let asked = {
            let mut state = self.lock();
            let Some(slot) = state.hosts.get_mut(&id) else {
                return Ok(());
            };
            let link = Arc::clone(&slot.link);
            let own = |a: &&mut Active| a.started.is_some() && a.work.number() == job;
            let Some(active) = slot.work.as_mut().filter(own) else {
                return Err(format!("a call for job {job}, which it was not given"));
            };
            let refusal = match (&active.work, active.stop) {
                (Work::Preflight { .. }, _) => {
                    Some("a preflight is given the project and nothing else; calls are for tasks")
                }
                (_, Some(_)) => Some("the attempt is to stop"),
                _ => None,
            };
            if let Some(why) = refusal {
                send(&link, call, FAILED, why.into());
                return Ok(());
            }
            active.calls.retain(|call| !call.is_closed());
            if active.calls.len() >= OPEN {
                return Err(format!("more than {OPEN} calls at the same time"));
            }
            let (ends, over) = oneshot::channel();
            active.calls.push(ends);
            Asked {
                link: Some(link),
                call,
                over,
            }
        };
        self.events.push(HostEvent::Call {
            job: JobId(job),
            name,
            question,
            asked,
        });
        Ok(())
    }
}
