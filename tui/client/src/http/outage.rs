//! What stands between us and the platform at present.

use crate::http::now;
use crate::http::retry::{Again, Failure};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use wb_core::ids::Millis;

/// The platform cannot be reached, fails or asks to wait: for the screen.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Outage {
    /// When it began.
    pub since: Millis,
    /// What was wrong last, with the request.
    pub why: String,
    /// When the next attempt leaves; in the past when none is planned.
    pub again: Millis,
}

/// The current outage, if any; shared by every request.
#[derive(Default)]
pub(crate) struct Connectivity(Mutex<Option<Outage>>);

impl Connectivity {
    pub fn read(&self) -> Option<Outage> {
        self.lock().clone()
    }

    pub fn clear(&self) {
        *self.lock() = None;
    }

    /// A refusal is an answer like any other; anything else is an outage.
    pub fn note(&self, failure: &Failure, wait: Option<Duration>) {
        if failure.again == Again::No {
            self.clear();
            return;
        }
        let now = now();
        let wait = i64::try_from(wait.unwrap_or_default().as_millis()).unwrap_or(i64::MAX);
        let mut outage = self.lock();
        let since = outage.as_ref().map_or(now, |before| before.since);
        *outage = Some(Outage {
            since,
            why: failure.error.to_string(),
            again: Millis(now.0.saturating_add(wait)),
        });
    }

    fn lock(&self) -> MutexGuard<'_, Option<Outage>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
