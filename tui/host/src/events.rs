//! The way out: what hosts and the watcher report, to the one receiver of the program.
//!
//! The channel is bounded. Whoever may wait (a host's thread, the watcher) waits for room, which
//! is how a noisy agent is slowed down; whoever may not (a call from the program) leaves its news
//! in a short backlog, and order is kept either way.

use crate::{Asked, JobResult, Probed};
use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::mpsc::{Sender, error::TrySendError};
use wb_core::ids::{BuildId, JobId};
use wb_core::loading::Opening;
use wb_core::pause::PausePlace;

/// News from the hosts and from the watched files.
#[derive(Debug)]
pub enum HostEvent {
    /// A new content of a watched library could be opened; a host that has it open is waiting.
    /// Answer with [`crate::Hosts::activate`] or [`crate::Hosts::discard`].
    Probed(Probed),
    /// A new content of a watched library is not usable; the active build stays active.
    Rejected {
        /// The watched file.
        library: PathBuf,
        /// First 16 hex digits of the SHA-256 of the content, empty when it could not be read.
        hash: String,
        /// What is wrong with it, one line.
        reason: String,
        /// What to do, the best first.
        hints: Vec<String>,
    },
    /// A watched library has been missing for two seconds.
    Removed {
        /// The watched file.
        library: PathBuf,
    },
    /// The agent has begun the job.
    Started {
        /// The job.
        job: JobId,
        /// Process it runs in.
        pid: u32,
    },
    /// A job that was reported as started has not begun: it waits for another host.
    Waits {
        /// The job.
        job: JobId,
    },
    /// A running job loads something that its time limit does not cover: a dependency that stays in the host, or
    /// a resource that is being opened.
    Loading {
        /// The job.
        job: JobId,
        /// What, in the words of the agent; `None`: it has it, and goes on.
        name: Option<String>,
    },
    /// A new content of a watched library is being opened; [`HostEvent::Probed`] or [`HostEvent::Rejected`] follows,
    /// unless a newer content comes first.
    Opening {
        /// The watched file.
        library: PathBuf,
        /// The part that is waited for.
        part: Opening,
    },
    /// A line that an agent logged or printed.
    Log {
        /// The job it ran, if any.
        job: Option<JobId>,
        /// The build; 0 while a library is probed.
        build: BuildId,
        /// 1 error … 5 trace; captured output is 3 (`stdout`) and 2 (`stderr`).
        level: u8,
        /// Where in the agent, or `stdout`, `stderr`.
        target: String,
        /// One line; may hold control codes.
        text: String,
    },
    /// A job reported how far it is.
    Progress {
        /// The job.
        job: JobId,
        /// 0 to 1.
        fraction: f64,
    },
    /// A running job asks for something by name; the agent waits for the answer.
    Call {
        /// The job.
        job: JobId,
        /// What it asks for, at most 200 bytes.
        name: String,
        /// Its question, any bytes.
        question: Vec<u8>,
        /// To be answered.
        asked: Asked,
    },
    /// A running job has reached a place and waits there for [`Hosts::go_on`](crate::Hosts::go_on); its time limit stands
    /// still.
    Paused {
        /// The job.
        job: JobId,
        /// The place.
        at: PausePlace,
    },
    /// A job ended: exactly once for each.
    Done {
        /// The job.
        job: JobId,
        /// How.
        result: JobResult,
        /// Time in the agent without what it loaded; until its end for one that crashed or was killed.
        run: Duration,
    },
    /// A host ended unexpectedly outside a job; one that died during a job is reported by that job's
    /// result.
    HostDied {
        /// Its build.
        build: BuildId,
        /// Its process.
        pid: u32,
        /// How, one line.
        reason: String,
    },
}

/// More than this many waiting lines, and those who may wait do.
const ENOUGH: usize = 1024;

#[derive(Default)]
struct Backlog {
    waiting: VecDeque<HostEvent>,
    pumping: bool,
}

/// Sends events in order without ever blocking the caller, unless it asks for that.
#[derive(Clone)]
pub(crate) struct Events {
    to: Sender<HostEvent>,
    backlog: Arc<(Mutex<Backlog>, Condvar)>,
}

impl Events {
    pub(crate) fn new(to: Sender<HostEvent>) -> Self {
        Self {
            to,
            backlog: Arc::default(),
        }
    }

    /// Sends now or, when the receiver is behind, as soon as it has room. Never blocks.
    pub(crate) fn push(&self, event: HostEvent) {
        let mut backlog = self.lock();
        if backlog.waiting.is_empty() && !backlog.pumping {
            if let Err(TrySendError::Full(event)) = self.to.try_send(event) {
                backlog.waiting.push_back(event);
            }
        } else {
            backlog.waiting.push_back(event);
        }
        if !backlog.waiting.is_empty() && !backlog.pumping {
            let pump = self.clone();
            backlog.pumping = std::thread::Builder::new()
                .name("wb-events".into())
                .spawn(move || pump.run())
                .is_ok();
        }
    }

    /// Waits until the receiver has caught up to a bearable distance.
    pub(crate) fn wait_for_room(&self) {
        let mut backlog = self.lock();
        while backlog.pumping && backlog.waiting.len() > ENOUGH {
            backlog = self
                .backlog
                .1
                .wait(backlog)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Backlog> {
        self.backlog
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Empties the backlog, then ends; lives only while the receiver is behind.
    fn run(&self) {
        loop {
            let next = {
                let mut backlog = self.lock();
                let next = backlog.waiting.pop_front();
                backlog.pumping = next.is_some();
                self.backlog.1.notify_all();
                next
            };
            match next {
                None => return,
                // A closed receiver loses the event: nobody is left to receive it.
                Some(event) => drop(self.to.blocking_send(event)),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_holds_when_the_receiver_is_behind() {
        let (tx, mut rx) = tokio::sync::mpsc::channel(2);
        let events = Events::new(tx);
        for n in 0..500 {
            events.push(HostEvent::Started {
                job: JobId(n),
                pid: 0,
            });
        }
        for n in 0..500 {
            match rx.blocking_recv() {
                Some(HostEvent::Started { job, .. }) => assert_eq!(job, JobId(n)),
                other => panic!("{other:?}"),
            }
        }
    }
}
