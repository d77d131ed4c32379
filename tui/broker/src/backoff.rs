//! How long to wait before the next attempt: of a connection, or of a message.

use std::time::Duration;

/// First wait before a broker is tried again.
const FIRST: Duration = Duration::from_millis(250);
/// Longest wait before a broker is tried again.
const LONGEST: Duration = Duration::from_secs(15);

/// Waits between attempts to connect: doubled each time, with up to a quarter taken off, so that workers that lost the
/// same broker do not all come back in the same instant.
#[derive(Debug, Default)]
pub struct Backoff {
    attempts: u32,
}

impl Backoff {
    /// The next wait.
    pub fn next(&mut self) -> Duration {
        let whole = FIRST
            .saturating_mul(1 << self.attempts.min(10))
            .min(LONGEST);
        self.attempts += 1;
        let random = u32::from(uuid::Uuid::new_v4().as_bytes()[0]);
        whole - whole.mul_f64(f64::from(random) / 1024.0)
    }
}

/// Steps of delayed messages, in milliseconds. Each is a queue of its own on RabbitMQ, where a message behind one with a
/// longer wait would be late, so there are few of them.
const STEPS: [u64; 9] = [
    250, 1_000, 2_000, 5_000, 15_000, 60_000, 300_000, 1_800_000, 7_200_000,
];

/// The longest step that is not longer than `wait`; the first one for a shorter wait. A message that comes back too early
/// is delayed again by whoever takes it.
pub fn step(wait: Duration) -> Duration {
    let wanted = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
    let fits = STEPS.iter().rev().find(|step| **step <= wanted);
    Duration::from_millis(*fits.unwrap_or(&STEPS[0]))
}

/// All steps.
pub fn steps() -> impl Iterator<Item = Duration> {
    STEPS.into_iter().map(Duration::from_millis)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_between_connections_grow_to_a_limit() {
        let mut backoff = Backoff::default();
        let waits: Vec<Duration> = (0..40).map(|_| backoff.next()).collect();
        assert!(waits[0] <= FIRST && waits[0] >= FIRST.mul_f64(0.7));
        assert!(waits.iter().all(|wait| *wait <= LONGEST));
        assert!(waits[39] >= LONGEST.mul_f64(0.7));
    }

    #[test]
    fn a_step_is_never_longer_than_the_wait_unless_that_is_the_shortest() {
        for (wait, wanted) in [(1, 250), (250, 250), (1_999, 1_000), (61_000, 60_000)] {
            let wanted = Duration::from_millis(wanted);
            assert_eq!(step(Duration::from_millis(wait)), wanted);
        }
        assert_eq!(step(Duration::MAX), Duration::from_secs(7_200));
    }
}
