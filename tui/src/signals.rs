//! Signals that end a command in good order: Ctrl-C, termination, a closed terminal.
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
        let of = |kind| {
            signal(kind).map_err(|e| Fault::new(FaultKind::Bug, format!("no signal handler: {e}")))
        };
        Ok(Self {
            interrupt: of(SignalKind::interrupt())?,
            terminate: of(SignalKind::terminate())?,
            hang_up: of(SignalKind::hangup())?,
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
