//! How long an answer may take to arrive: a floor of bytes per second, and a limit for the whole.
//!
//! A connection has some seconds of credit. Waiting for bytes uses it up, bytes that arrive restore
//! it at the floor's rate. An honest slow line stays above the floor for ever; one that is stalled,
//! or trickles a byte now and then, runs out of credit and is given up.

use crate::error::Obstacle;
use bytes::Bytes;
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// How fast an answer must arrive. The floor holds for answers of the API and for downloads alike; an
/// honest slow line (5 kB/s) passes whatever the size of a file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// Bytes per second that must come on average over `window`; at least 1.
    pub floor: u64,
    /// How long nothing, or too little, may come before the request is given up.
    pub window: Duration,
    /// How long a request may take in all, its attempts and the waits between them included. The time
    /// that its bytes take at the floor is added.
    pub whole: Duration,
    /// How long a download of unknown length may take.
    pub unknown: Duration,
}

impl Limits {
    /// 1,000 bytes per second over 30 s (twice, then the request is given up), 5 minutes for a request, 6 hours for a download whose length
    /// nobody has announced.
    pub const DEFAULT: Self = Self {
        floor: 1_000,
        window: Duration::from_secs(30),
        whole: Duration::from_secs(300),
        unknown: Duration::from_secs(6 * 3600),
    };

    /// How long so many bytes take at the floor.
    pub(crate) fn time_for(self, bytes: u64) -> Duration {
        let floor = self.floor.max(1);
        let (whole, rest) = (bytes / floor, bytes % floor);
        Duration::from_secs(whole)
            + Duration::from_secs(rest) / u32::try_from(floor).unwrap_or(u32::MAX)
    }
}

/// An answer whose body is being read.
pub(crate) struct Body {
    response: reqwest::Response,
    limits: Limits,
    credit: Duration,
    /// When the whole must have arrived.
    end: Instant,
    allowed: Duration,
    /// Since the credit was full: time spent waiting, bytes that came.
    waited: Duration,
    came: u64,
    /// Time spent waiting since the last byte.
    silent: Duration,
}

impl Body {
    /// `size` is the length in bytes where it is known, `unknown` the limit where it is not.
    pub fn new(
        response: reqwest::Response,
        limits: Limits,
        size: Option<u64>,
        unknown: Duration,
    ) -> Self {
        let allowed = match size {
            Some(size) => limits.whole + limits.time_for(size),
            None => unknown,
        };
        Self {
            response,
            limits,
            credit: limits.window,
            end: Instant::now() + allowed,
            allowed,
            waited: Duration::ZERO,
            came: 0,
            silent: Duration::ZERO,
        }
    }

    /// The next bytes; `None` at the end.
    ///
    /// # Errors
    /// The connection broke, stalled or is too slow.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, Obstacle> {
        let began = Instant::now();
        let until = (began + self.credit).min(self.end);
        let next = timeout_at(until, self.response.chunk()).await;
        let spent = began.elapsed();
        self.waited += spent;
        self.silent += spent;
        match next {
            Ok(Ok(Some(bytes))) => {
                self.restore(spent, bytes.len() as u64);
                Ok(Some(bytes))
            }
            Ok(Ok(None)) => Ok(None),
            Ok(Err(error)) => Err(Obstacle::of(&error)),
            Err(_) => Err(self.too_slow()),
        }
    }

    fn restore(&mut self, spent: Duration, bytes: u64) {
        self.silent = Duration::ZERO;
        self.came += bytes;
        self.credit = self.credit.saturating_sub(spent) + self.limits.time_for(bytes);
        if self.credit >= self.limits.window {
            self.credit = self.limits.window;
            (self.waited, self.came) = (Duration::ZERO, 0);
        }
    }

    fn too_slow(&self) -> Obstacle {
        if Instant::now() >= self.end {
            return Obstacle::TooLong(self.allowed);
        }
        // Less than half of the wait was for bytes that came: what is slow, is not still.
        if self.silent * 2 > self.waited {
            return Obstacle::Stalled(self.silent);
        }
        #[allow(clippy::cast_precision_loss)] // a rate for people
        let rate = self.came as f64 / self.waited.as_secs_f64().max(0.001);
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // at least zero
        let rate = rate.round() as u64;
        Obstacle::TooSlow(rate, self.limits.floor)
    }
}
