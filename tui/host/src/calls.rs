//! Calls by name: what a running job asks the workbench for, and how it is answered.
//!
//! What the names mean is left to the program, and whether a job may ask at all to the pool. Here a call
//! gets its answer, or ends with its job.

use crate::link::{Chunk, Link};
use crate::proto::{MAX_INPUT, ToHost, pack};
use std::sync::Arc;
use tokio::sync::oneshot;

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

/// A question of a running job. It is answered exactly once: if an [`Asked`] is dropped, the agent gets the
/// error that nobody answered.
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

    /// Answers with bytes of any kind.
    pub(crate) fn answer_bytes(mut self, answer: Result<Vec<u8>, String>) {
        let Some(link) = self.link.take() else {
            return;
        };
        match answer {
            Ok(bytes) => {
                let (call, status) = (self.call, ANSWERED);
                if let Ok(head) = pack(&ToHost::Answer { call, status }, bytes.len()) {
                    let bytes = (!bytes.is_empty()).then_some(Chunk::Own(bytes));
                    link.send(std::iter::once(Chunk::Own(head)).chain(bytes));
                }
            }
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
    // A host that is gone gets no answer; the pool reports its job.
    if let Ok(head) = pack(&ToHost::Answer { call, status }, text.len()) {
        let text = (!text.is_empty()).then_some(Chunk::Text(text));
        link.send(std::iter::once(Chunk::Own(head)).chain(text));
    }
}

/// Opens a call of the running job.
pub(crate) fn open(link: &Arc<Link>, call: u64) -> Asked {
    Asked {
        over: link.open_call(),
        link: Some(Arc::clone(link)),
        call,
    }
}

/// Lets a job go on that waits at a place.
pub(crate) fn go_on(link: &Link, call: u64, edited: Option<Arc<str>>) {
    match edited {
        Some(json) => send(link, call, ANSWERED, json),
        None => send(link, call, UNKNOWN, "".into()),
    }
}

/// Answers a call with an error.
pub(crate) fn refuse(link: &Link, call: u64, why: &str) {
    send(link, call, FAILED, why.into());
}

/// Checks a call before it is counted.
///
/// # Errors
/// What no honest host sends, to follow "the host sent".
pub(crate) fn check(link: &Link, name: &str) -> Result<(), String> {
    if name.len() > NAME {
        return Err(format!("a call with a name of {} bytes", name.len()));
    }
    if link.open_calls() >= OPEN {
        return Err(format!("more than {OPEN} calls at the same time"));
    }
    Ok(())
}
