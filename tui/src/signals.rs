//! Signals that end a command in good order: Ctrl-C, termination, a closed terminal; and the one that
//! announces that it goes on.
//!
//! The listeners live as long as the command: one that is made for each wait would lose what
//! arrives in between.

use std::future::Future;
use std::time::Duration;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;
use wb_core::error::{Error, ErrorKind};
use wb_engine::max_time::MaxTime;

/// What a command prints at the first signal.
pub const FINISHING: &str =
    "workbench: finishing what runs; send it again (Ctrl-C, SIGTERM) to leave at once";

/// Listens from now on.
pub struct Signals {
    interrupt: Signal,
    terminate: Signal,
    /// None where hang-ups are ignored, as under `nohup`: they stay ignored.
    hang_up: Option<Signal>,
}

impl Signals {
    /// Begins to listen.
    ///
    /// # Errors
    /// The system refuses a handler.
    pub fn new() -> Result<Self, Error> {
        Ok(Self {
            interrupt: listen(SignalKind::interrupt())?,
            terminate: listen(SignalKind::terminate())?,
            hang_up: match ignored(SignalKind::hangup()) {
                true => None,
                false => Some(listen(SignalKind::hangup())?),
            },
        })
    }

    /// Number of the next signal. Safe to drop and call again.
    pub async fn next(&mut self) -> u8 {
        tokio::select! {
            _ = self.interrupt.recv() => 2,
            _ = self.terminate.recv() => 15,
            () = received(self.hang_up.as_mut()) => 1,
        }
    }
}

async fn received(signal: Option<&mut Signal>) {
    match signal {
        Some(signal) => drop(signal.recv().await),
        None => std::future::pending().await,
    }
}

/// Whether the parent process set this signal to be ignored (known on Linux).
fn ignored(kind: SignalKind) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    let bit = u32::try_from(kind.as_raw_value() - 1).unwrap_or(0);
    mask.is_some_and(|mask| mask.checked_shr(bit).is_some_and(|rest| rest & 1 == 1))
}

/// Notifies whenever this program goes on after it was stopped.
///
/// # Errors
/// The system refuses a handler.
pub fn going_on() -> Result<Signal, Error> {
    let number = rustix::process::Signal::CONT.as_raw();
    listen(SignalKind::from_raw(number))
}

/// A write beyond the limit on the size of files fails like one on a full disk; the system would end the process
/// by a signal otherwise. Holds for as long as the listener is kept.
///
/// # Errors
/// The system refuses a handler.
pub fn survive_file_limit() -> Result<Signal, Error> {
    let number = rustix::process::Signal::XFSZ.as_raw();
    listen(SignalKind::from_raw(number))
}

fn listen(kind: SignalKind) -> Result<Signal, Error> {
    signal(kind).map_err(|e| Error::new(ErrorKind::Bug, format!("no signal handler: {e}")))
}

/// A command that is asked to stop between two steps, by a signal or because its time is over. A second signal,
/// or the end of the grace, ends the process at once, and the journal knows what had begun.
pub struct Stop(watch::Receiver<Option<Asked>>);

/// Who asked a command to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// A signal of this number.
    Signal(u8),
    /// `--max-time`.
    Time,
}

impl Asked {
    const fn code(self) -> u8 {
        match self {
            Self::Signal(number) => 128 + number,
            Self::Time => 9,
        }
    }
}

impl Stop {
    /// Begins to listen.
    ///
    /// # Errors
    /// The system refuses a handler.
    pub fn new(max_time: Option<Duration>) -> Result<Self, Error> {
        let mut signals = Signals::new()?;
        let limit = MaxTime::new(max_time);
        let (send, asked) = watch::channel(None);
        tokio::spawn(async move {
            let first = tokio::select! {
                signal = signals.next() => Asked::Signal(signal),
                () = limit.over() => Asked::Time,
            };
            let _ = send.send(Some(first));
            let last = tokio::select! {
                signal = signals.next() => Asked::Signal(signal),
                () = limit.given_up() => Asked::Time,
            };
            notice!("workbench: left at once; `workbench resume` finishes what had begun");
            std::process::exit(i32::from(last.code()));
        });
        Ok(Self(asked))
    }

    /// Who asked it to stop.
    pub fn asked(&self) -> Option<Asked> {
        *self.0.borrow()
    }

    /// What a command does before its first task; whoever asks it to stop ends it at once.
    ///
    /// # Errors
    /// Who asked.
    pub async fn unless<T>(&self, work: impl Future<Output = T>) -> Result<T, Asked> {
        let mut asked = self.0.clone();
        tokio::select! {
            done = work => Ok(done),
            asked = asked.wait_for(Option::is_some) => match asked.map(|asked| *asked) {
                Ok(Some(asked)) => {
                    let why = match asked {
                        Asked::Signal(_) => "interrupted",
                        Asked::Time => "--max-time was over",
                    };
                    notice!("workbench: {why} before the first task; `workbench resume` goes on");
                    Err(asked)
                }
                // The listener has ended with the process.
                _ => std::future::pending().await,
            },
        }
    }
}
