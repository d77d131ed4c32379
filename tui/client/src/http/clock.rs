//! The platform's clock, learned from every answer, and put into signatures where ours is refused.

use super::retry::Failure;
use super::{Call, Wire, now};
use crate::error::ClientError;
use reqwest::header::{self, HeaderMap};
use std::sync::atomic::Ordering::Relaxed;

/// No answer has told the platform's time yet.
pub(super) const NO_SKEW: i64 = i64::MIN;
/// Clocks that differ by no more seconds than this are the same: an answer's time is in whole seconds.
const SAME_CLOCK: i64 = 5;

impl Wire {
    /// Seconds that the platform's clock is ahead of ours, as far as an answer has told it.
    pub fn skew(&self) -> Option<i64> {
        Some(self.skew.load(Relaxed)).filter(|skew| *skew != NO_SKEW)
    }

    /// A signature is refused when it bears a wrong time: this machine's clock is off, or somebody has put
    /// it right since. Then the platform's own time is used, as its last answer had it.
    pub(super) fn corrects_clock(&self, call: &Call<'_>, failure: &Failure, used: i64) -> bool {
        let refused = matches!(failure.error, ClientError::Unauthenticated { .. });
        // Only these signatures bear a time.
        let timed = call.legacy.is_none() && self.bearer.is_none();
        let Some(skew) = self.skew().filter(|skew| (skew - used).abs() > SAME_CLOCK) else {
            return false;
        };
        if !refused || !timed {
            return false;
        }
        if self.correction.swap(skew, Relaxed) != skew {
            tracing::warn!(
                seconds = skew,
                "a signature was refused and this machine's clock differs from the platform's by so \
                 much; signatures use the platform's time"
            );
        }
        true
    }

    pub(super) fn learn_time(&self, headers: &HeaderMap) {
        let date = headers
            .get(header::DATE)
            .and_then(|value| value.to_str().ok())
            .and_then(crate::time::parse_time);
        if let Some(theirs) = date {
            self.skew.store((theirs.0 - now().0) / 1000, Relaxed);
        }
    }
}
