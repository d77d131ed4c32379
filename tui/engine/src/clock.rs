//! The clock of this machine, as events carry it.

use std::time::{SystemTime, UNIX_EPOCH};
use wb_core::ids::Millis;

/// Now.
#[must_use]
pub fn now() -> Millis {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    Millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}
