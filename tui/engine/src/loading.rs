//! Waiting for libraries to be opened, with a message to the person when that takes long.

use crate::Notify;
use crate::host_limits::HostLimits;
use crate::runtime::Engine;
use std::time::Duration;
use tokio::time::{Instant, timeout_at};
use wb_core::state::State;

/// Added to the limit of each library: starting a host, and reading a file twice while it may still be written.
const GRACE: Duration = Duration::from_secs(20);
/// When a person sees what is waited for.
const LONG: Duration = Duration::from_secs(10);

/// Waits until `count` libraries have been opened or refused, as `known` counts them; false when no
/// further one was for longer than the load timeout allows.
pub async fn wait(
    engine: &mut Engine,
    limits: &HostLimits,
    count: usize,
    known: impl Fn(&State) -> usize,
    notify: Notify,
) -> bool {
    let (began, patience) = (Instant::now(), limits.load_timeout + GRACE);
    let (mut so_far, mut until) = (0, began + patience);
    let mut shown = false;
    loop {
        let now = known(engine.state());
        if now >= count {
            return true;
        }
        if now > so_far {
            (so_far, until) = (now, Instant::now() + patience);
        }
        let next = if shown {
            until
        } else {
            until.min(began + LONG)
        };
        if timeout_at(next, engine.turn()).await.is_ok() {
            continue;
        }
        if Instant::now() >= until {
            return false;
        }
        shown = true;
        notify(&format!(
            "note: agent libraries are still being opened; each may take {} (`--load-timeout`)",
            limits.spelled()
        ));
    }
}
