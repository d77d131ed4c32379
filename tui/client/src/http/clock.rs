//! The platform's clock, learned from every answer, and put into signatures where ours is refused.

use super::retry::Failure;
use super::{Call, Wire, now};
use crate::error::ClientError;
use crate::settings::Credential;
use reqwest::header::{self, HeaderMap};
use std::sync::atomic::Ordering::Relaxed;

/// No answer has carried the platform's time yet.
pub(super) const NO_SKEW: i64 = i64::MIN;
/// Clocks that differ by no more seconds than this are the same: an answer's time is in whole seconds.
const SAME_CLOCK: i64 = 5;
/// Refusals of one request that are put down to a clock: while it is put right, several servers behind one address
/// may have different times.
pub(super) const CORRECTIONS: u32 = 16;

/// The clocks of one attempt.
pub(super) struct Clock {
    /// Seconds that were added to ours in its signature.
    pub used: i64,
    /// Seconds that the platform's was ahead of ours when it answered. What other answers have reported since may
    /// be another time.
    pub reported: Option<i64>,
}

impl Wire {
    /// Seconds that the platform's clock is ahead of ours, as reported by an answer.
    pub fn skew(&self) -> Option<i64> {
        Some(self.skew.load(Relaxed)).filter(|skew| *skew != NO_SKEW)
    }

    /// The clocks of an attempt that begins now.
    pub(super) fn clock(&self) -> Clock {
        Clock {
            used: self.correction.load(Relaxed),
            reported: None,
        }
    }

    /// A signature is refused when it bears a wrong time: this machine's clock is off, or somebody has put
    /// it right since. Then the platform's own time is used, as the refusal had it.
    pub(super) fn corrects_clock(&self, call: &Call<'_>, failure: &Failure, clock: &Clock) -> bool {
        let refused = matches!(failure.error, ClientError::Unauthenticated { .. });
        // Only these signatures bear a time.
        let timed = call.legacy.is_none() && matches!(self.credential, Credential::Key(_));
        let differs = |skew: &i64| (skew - clock.used).abs() > SAME_CLOCK;
        let Some(skew) = clock.reported.filter(differs) else {
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

    /// Seconds that the platform's clock is ahead of ours, by one of its answers.
    pub(super) fn learn_time(&self, headers: &HeaderMap) -> Option<i64> {
        let date = headers.get(header::DATE)?.to_str().ok()?;
        let skew = (crate::time::parse_time(date)?.0 - now().0) / 1000;
        self.skew.store(skew, Relaxed);
        Some(skew)
    }
}
