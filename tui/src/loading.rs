//! Waiting for libraries to be opened, with a word to the person when that takes long.

use crate::runtime::Engine;
use std::time::Duration;
use tokio::time::{Instant, timeout_at};
use wb_core::state::State;

/// Beside the limit for each: hosts start and files are read twice, and are being written.
const GRACE: Duration = Duration::from_secs(20);
/// When a person is told what is waited for.
const LONG: Duration = Duration::from_secs(10);

/// Libraries that are being opened.
#[derive(Clone, Copy)]
pub struct Opening {
    /// How many.
    pub count: usize,
    /// How long each may take.
    pub limit: Duration,
}

impl Opening {
    /// Waits until of all of them is known what became of them, as `known` counts; false when that takes
    /// too long since one of them was.
    pub async fn wait(self, engine: &mut Engine, known: impl Fn(&State) -> usize) -> bool {
        let began = Instant::now();
        let (mut so_far, mut until) = (0, began + self.limit + GRACE);
        let mut told = false;
        loop {
            let now = known(&engine.state);
            if now >= self.count {
                return true;
            }
            if now > so_far {
                (so_far, until) = (now, Instant::now() + self.limit + GRACE);
            }
            let next = if told { until } else { until.min(began + LONG) };
            if timeout_at(next, engine.turn()).await.is_ok() {
                continue;
            }
            if Instant::now() >= until {
                return false;
            }
            told = true;
            tell!(
                "note: agent libraries are still being opened; each may take {:?} (`--load-timeout`)",
                self.limit
            );
        }
    }
}
