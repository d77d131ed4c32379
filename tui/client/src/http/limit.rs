//! How fast requests may leave: a rate that people set, and a pause that the platform asks for.
//!
//! A limited answer pauses every request of this process, not only the one that was refused: its
//! neighbours would be refused too.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

pub(crate) struct Limiter {
    state: Mutex<State>,
}

struct State {
    /// Time between two requests; `None` is unlimited.
    gap: Option<Duration>,
    /// The next request may leave now or then.
    next: Option<Instant>,
}

impl Limiter {
    pub fn new(rate: Option<f64>) -> Self {
        Self {
            state: Mutex::new(State {
                gap: rate.map(gap),
                next: None,
            }),
        }
    }

    /// Requests per second from now on.
    pub fn set_rate(&self, rate: Option<f64>) {
        self.lock().gap = rate.map(gap);
    }

    /// No request leaves for this long.
    pub fn pause(&self, time: Duration) {
        let until = Instant::now() + time;
        let mut state = self.lock();
        state.next = Some(state.next.map_or(until, |next| next.max(until)));
    }

    /// Takes the next free moment and says how long it is until then.
    pub fn reserve(&self) -> Duration {
        let now = Instant::now();
        let mut state = self.lock();
        let at = state.next.map_or(now, |next| next.max(now));
        if let Some(gap) = state.gap {
            state.next = Some(at + gap);
        }
        at - now
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn gap(rate: f64) -> Duration {
    // A rate so small that its gap overflows means "practically never": a day.
    Duration::try_from_secs_f64(1.0 / rate).unwrap_or(Duration::from_secs(86_400))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn requests_leave_at_the_set_rate() {
        let limiter = Limiter::new(Some(10.0));
        let waits: Vec<u128> = (0..4).map(|_| limiter.reserve().as_millis()).collect();
        assert_eq!(waits, [0, 100, 200, 300]);
        limiter.set_rate(None);
        assert_eq!(limiter.reserve().as_millis(), 400);
        assert_eq!(limiter.reserve().as_millis(), 400);
    }

    #[tokio::test(start_paused = true)]
    async fn a_pause_holds_everybody() {
        let limiter = Limiter::new(None);
        assert_eq!(limiter.reserve(), Duration::ZERO);
        limiter.pause(Duration::from_secs(3));
        limiter.pause(Duration::from_secs(1));
        assert_eq!(limiter.reserve(), Duration::from_secs(3));
        tokio::time::advance(Duration::from_secs(4)).await;
        assert_eq!(limiter.reserve(), Duration::ZERO);
    }
}
