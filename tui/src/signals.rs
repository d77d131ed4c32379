//! Signals that end a command in good order: Ctrl-C, termination, a closed terminal; and the one that
//! tells that it goes on.
//!
//! The listeners live as long as the command: one that is made anew for each wait would lose what
//! arrives in between.

use tokio::signal::unix::{Signal, SignalKind, signal};
use wb_core::fault::{Fault, FaultKind};

/// Listens from now on.
pub struct Signals {
    interrupt: Signal,
    terminate: Signal,
    hang_up: Signal,
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
            hang_up: listen(SignalKind::hangup())?,
        })
    }

    /// Number of the next signal. Safe to drop and call again.
    pub async fn next(&mut self) -> u8 {
        tokio::select! {
            _ = self.interrupt.recv() => 2,
            _ = self.terminate.recv() => 15,
            _ = self.hang_up.recv() => 1,
        }
    }
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
