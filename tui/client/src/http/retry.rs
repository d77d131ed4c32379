//! When a request is sent again, and after how long.
//!
//! Whether it *may* be sent again is the caller's knowledge ([`Repeat`]); what an answer means is
//! left to the classification beside the sender.

use crate::error::ClientError;
use std::time::Duration;
use wb_core::ids::Millis;

/// Whether sending a request twice does the same as sending it once.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Repeat {
    /// Yes: reads, and writes that set a value.
    Safe,
    /// No: sent again only when it was certainly not applied.
    AskFirst,
}

/// Why an attempt failed and whether another one makes sense.
#[derive(Debug)]
pub(crate) struct Failure {
    pub error: ClientError,
    pub again: Again,
}

impl Failure {
    /// Whether the answer began and then came too slowly.
    pub fn trickles(&self) -> bool {
        matches!(&self.error, ClientError::Unreachable { why, .. } if why.trickles())
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Again {
    /// The answer will not change.
    No,
    /// It was certainly not applied: no connection.
    Unsent,
    /// It was certainly not applied: the platform asks us to slow down.
    Limited(Option<Duration>),
    /// It may have been applied. The second part: the platform answered.
    Unknown(Option<Duration>, bool),
}

/// Attempts of a request that the platform fails on, the first included.
pub(crate) const ATTEMPTS: u32 = 5;
const FIRST: Duration = Duration::from_millis(250);
const LONGEST: Duration = Duration::from_secs(15);

/// Decides about the next attempt: how long to wait for it, or `None`: give up. `limit` is on attempts
/// that the platform failed on; others are limited by the patience only.
pub(crate) fn next(
    again: Again,
    (repeat, limit): (Repeat, u32),
    attempts: u32,
    waited: Duration,
    patience: Duration,
) -> Option<Duration> {
    let wait = match again {
        Again::No => return None,
        Again::Unknown(..) if repeat == Repeat::AskFirst || attempts >= limit => return None,
        Again::Limited(Some(asked)) | Again::Unknown(Some(asked), _) => {
            // A little more than asked, so that not everybody is back at the same moment.
            asked + jitter(Duration::from_millis(250))
        }
        Again::Unsent | Again::Limited(None) | Again::Unknown(None, _) => back_off(attempts),
    };
    (waited + wait <= patience).then_some(wait)
}

/// Wait before attempt `attempts + 1`: doubles from 250 ms to 15 s, half of it random.
pub(crate) fn back_off(attempts: u32) -> Duration {
    let full = FIRST
        .saturating_mul(1_u32 << attempts.saturating_sub(1).min(10))
        .min(LONGEST);
    full / 2 + jitter(full / 2)
}

/// A random time below `limit`.
fn jitter(limit: Duration) -> Duration {
    let random = uuid::Uuid::new_v4().as_u64_pair().0;
    let fraction = f64::from(u32::try_from(random >> 32).unwrap_or(0)) / f64::from(u32::MAX);
    limit.mul_f64(fraction)
}

/// Reads `Retry-After`: seconds or a date.
pub(crate) fn retry_after(value: &str, now: Millis) -> Option<Duration> {
    if let Ok(seconds) = value.trim().parse::<f64>() {
        return Duration::try_from_secs_f64(seconds).ok();
    }
    crate::time::parse_time(value).map(|until| Duration::from_millis(until.since(now)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: Duration = Duration::from_secs(60);

    #[test]
    fn what_may_have_been_applied_is_repeated_only_where_that_is_safe() {
        let lost = Again::Unknown(None, false);
        assert!(next(lost, (Repeat::Safe, ATTEMPTS), 1, Duration::ZERO, PATIENCE).is_some());
        assert!(
            next(
                lost,
                (Repeat::AskFirst, ATTEMPTS),
                1,
                Duration::ZERO,
                PATIENCE
            )
            .is_none()
        );
        let limited = Again::Limited(None);
        assert!(
            next(
                limited,
                (Repeat::AskFirst, ATTEMPTS),
                1,
                Duration::ZERO,
                PATIENCE
            )
            .is_some()
        );
        assert!(
            next(
                Again::Unsent,
                (Repeat::AskFirst, ATTEMPTS),
                1,
                Duration::ZERO,
                PATIENCE
            )
            .is_some()
        );
        assert!(
            next(
                Again::No,
                (Repeat::Safe, ATTEMPTS),
                1,
                Duration::ZERO,
                PATIENCE
            )
            .is_none()
        );
    }

    #[test]
    fn the_platform_is_waited_for_as_long_as_it_asks_but_not_beyond_the_patience() {
        let asked = |s| Again::Limited(Some(Duration::from_secs(s)));
        let wait = next(
            asked(7),
            (Repeat::Safe, ATTEMPTS),
            1,
            Duration::ZERO,
            PATIENCE,
        )
        .unwrap();
        assert!(wait >= Duration::from_secs(7) && wait < Duration::from_secs(8));
        assert!(
            next(
                asked(61),
                (Repeat::Safe, ATTEMPTS),
                1,
                Duration::ZERO,
                PATIENCE
            )
            .is_none()
        );
        let waited = Duration::from_secs(55);
        assert!(next(asked(7), (Repeat::Safe, ATTEMPTS), 3, waited, PATIENCE).is_none());
    }

    #[test]
    fn waits_grow_and_stay_bounded() {
        for attempts in 1..40 {
            let wait = back_off(attempts);
            assert!(wait >= FIRST / 2 && wait <= LONGEST, "{wait:?}");
        }
        assert!(back_off(7) > Duration::from_secs(5));
    }

    #[test]
    fn retry_after_is_read_as_seconds_and_as_a_date() {
        let now = crate::time::parse_time("2026-11-22T08:00:00Z").unwrap();
        assert_eq!(retry_after(" 4 ", now), Some(Duration::from_secs(4)));
        assert_eq!(
            retry_after("Sun, 22 Nov 2026 08:00:09 GMT", now),
            Some(Duration::from_secs(9))
        );
        assert_eq!(
            retry_after("Sun, 22 Nov 2026 07:00:00 GMT", now),
            Some(Duration::ZERO)
        );
        assert_eq!(retry_after("soon", now), None);
        assert_eq!(retry_after("-1", now), None);
    }
}
