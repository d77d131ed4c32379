//! Signals that end a command in good order: Ctrl-C, termination, a closed terminal; and the one that
//! tells that it goes on.
//!
//! The listeners live as long as the command: one that is made anew for each wait would lose what
//! arrives in between.

use std::future::Future;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;
use wb_core::fault::{Fault, FaultKind};

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
    pub fn new() -> Result<Self, Fault> {
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

/// Whether whoever started this program wants it to ignore a signal (known on Linux).
fn ignored(kind: SignalKind) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    let bit = u32::try_from(kind.as_raw_value() - 1).unwrap_or(0);
    mask.is_some_and(|mask| mask.checked_shr(bit).is_some_and(|rest| rest & 1 == 1))
}

/// Tells whenever this program goes on after it was stopped.
///
/// # Errors
/// The system refuses a handler.
pub fn going_on() -> Result<Signal, Fault> {
    let number = rustix::process::Signal::CONT.as_raw();
    listen(SignalKind::from_raw(number))
}

fn listen(kind: SignalKind) -> Result<Signal, Fault> {
    signal(kind).map_err(|e| Fault::new(FaultKind::Bug, format!("no signal handler: {e}")))
}

/// A command that is asked to stop between two steps. The first signal asks; a second one ends the process
/// at once, and the journal knows what had begun.
pub struct Stop(watch::Receiver<u8>);

impl Stop {
    /// Begins to listen.
    ///
    /// # Errors
    /// The system refuses a handler.
    pub fn new() -> Result<Self, Fault> {
        let mut signals = Signals::new()?;
        let (send, asked) = watch::channel(0);
        tokio::spawn(async move {
            let _ = send.send(signals.next().await);
            let signal = signals.next().await;
            tell!("workbench: left at once; `workbench resume` finishes what had begun");
            std::process::exit(128 + i32::from(signal));
        });
        Ok(Self(asked))
    }

    /// The signal that asked to stop.
    pub fn asked(&self) -> Option<u8> {
        Some(*self.0.borrow()).filter(|signal| *signal > 0)
    }

    /// What a command does before its first task; a signal ends it at once.
    ///
    /// # Errors
    /// The number of the signal.
    pub async fn unless<T>(&self, work: impl Future<Output = T>) -> Result<T, u8> {
        let mut asked = self.0.clone();
        tokio::select! {
            done = work => Ok(done),
            signal = asked.wait_for(|signal| *signal > 0) => match signal {
                Ok(signal) => {
                    tell!("workbench: interrupted before the first task; `workbench resume` goes on");
                    Err(*signal)
                }
                // The listener has ended with the process.
                Err(_) => std::future::pending().await,
            },
        }
    }
}
