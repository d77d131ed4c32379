//! Waiting for libraries to be opened, with a message to the person when that takes long.

use crate::Notify;
use crate::clock::now;
use crate::host_limits::HostLimits;
use crate::runtime::Engine;
use std::time::Duration;
use tokio::time::{Instant, timeout_at};
use wb_core::state::State;

/// Added to the limit of each library: starting a host, and reading a file twice while it may still be written.
const GRACE: Duration = Duration::from_secs(20);
/// When a person first sees what is waited for; then after twice that time, and so on.
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
    let (mut so_far, mut until) = (None, began + patience);
    let mut silence = LONG;
    loop {
        let state = engine.state();
        let opened = known(state);
        if opened >= count {
            return true;
        }
        // A library with a resource is opened in two parts, and each has the whole limit.
        let now = Some((opened, state.opening.clone()));
        if now != so_far {
            (so_far, until) = (now, Instant::now() + patience);
        }
        if timeout_at(until.min(began + silence), engine.turn())
            .await
            .is_ok()
        {
            continue;
        }
        if Instant::now() >= until {
            return false;
        }
        silence *= 2;
        notify(&still_opening(engine.state(), limits));
    }
}

fn still_opening(state: &State, limits: &HostLimits) -> String {
    let words = state.opening().and_then(|loading| loading.words(now()));
    let what = words.unwrap_or_else(|| "agent libraries are still being opened".to_owned());
    format!(
        "note: {what}; each may take {} (`--load-timeout`)",
        limits.spelled()
    )
}
