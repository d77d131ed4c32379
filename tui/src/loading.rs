//! Waiting for libraries to be opened, with a word to the person when that takes long.

use crate::host_limits::HostLimits;
use crate::runtime::Engine;
use std::time::Duration;
use tokio::time::{Instant, timeout_at};
use wb_core::state::State;

/// Beside the limit for each: hosts start and files are read twice, and are being written.
const GRACE: Duration = Duration::from_secs(20);
/// When a person is told what is waited for.
const LONG: Duration = Duration::from_secs(10);

/// Waits until it is known of so many libraries what became of them, as `known` counts; false when that takes
/// too long since one of them was.
pub async fn wait(
    engine: &mut Engine,
    limits: HostLimits,
    count: usize,
    known: impl Fn(&State) -> usize,
) -> bool {
    let (began, patience) = (Instant::now(), limits.load_timeout + GRACE);
    let (mut so_far, mut until) = (0, began + patience);
    let mut told = false;
    loop {
        let now = known(&engine.state);
        if now >= count {
            return true;
        }
        if now > so_far {
            (so_far, until) = (now, Instant::now() + patience);
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
            "note: agent libraries are still being opened; each may take {} (`--load-timeout`)",
            limits.spelled()
        );
    }
}
