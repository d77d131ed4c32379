//! How fast requests may leave: a rate that people set, and a pause that the platform asks for.
//!
//! A limited answer pauses every request of this process, not only the one that was refused: its
//! neighbours would be refused too. Whoever waits stands in a queue; one that is given up leaves it
//! without a gap, and a new rate holds for those that wait already.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::Instant;

pub(crate) struct Limiter {
    state: Mutex<State>,
    /// Held by the first of those that wait.
    queue: tokio::sync::Mutex<()>,
    /// The rate or the pause is another.
    changed: Notify,
}

#[derive(Default)]
struct State {
    /// Time between two requests; `None` is unlimited.
    gap: Option<Duration>,
    /// When the last request left.
    last: Option<Instant>,
    /// No request leaves before.
    paused: Option<Instant>,
}

/// How long a request has waited for its turn.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Waited {
    /// In all.
    pub time: Duration,
    /// The part of it that the platform asked for.
    pub paused: Duration,
}

impl Limiter {
    pub fn new(rate: Option<f64>) -> Self {
        Self {
            state: Mutex::new(State {
                gap: rate.map(gap),
                ..State::default()
            }),
            queue: tokio::sync::Mutex::new(()),
            changed: Notify::new(),
        }
    }

    /// Requests per second from now on, also for those that wait already.
    pub fn set_rate(&self, rate: Option<f64>) {
        self.lock().gap = rate.map(gap);
        self.changed.notify_waiters();
    }

    /// No request leaves for this long.
    pub fn pause(&self, time: Duration) {
        let until = Instant::now() + time;
        let mut state = self.lock();
        state.paused = Some(state.paused.map_or(until, |paused| paused.max(until)));
        drop(state);
        self.changed.notify_waiters();
    }

    /// Waits until a request may leave. Given up, it leaves its place to the next.
    pub async fn turn(&self) -> Waited {
        let began = Instant::now();
        let mut waited = Waited::default();
        let _first = self.queue.lock().await;
        loop {
            let changed = self.changed.notified();
            let Some((until, paused)) = self.try_leave() else {
                waited.time = began.elapsed();
                return waited;
            };
            let from = Instant::now();
            tokio::select! {
                () = tokio::time::sleep_until(until) => {}
                () = changed => {}
            }
            if paused {
                waited.paused += from.elapsed();
            }
        }
    }

    /// Leaves, or returns until when to wait and whether the platform asked for it.
    fn try_leave(&self) -> Option<(Instant, bool)> {
        let now = Instant::now();
        let mut state = self.lock();
        let paused = state.paused.filter(|paused| *paused > now);
        let spaced = state.last.zip(state.gap).map(|(last, gap)| last + gap);
        match (paused, spaced.filter(|spaced| *spaced > now)) {
            (None, None) => {
                state.last = Some(now);
                state.paused = None;
                None
            }
            (Some(paused), spaced) => Some((spaced.map_or(paused, |s| s.max(paused)), true)),
            (None, Some(spaced)) => Some((spaced, false)),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn gap(rate: f64) -> Duration {
    // A rate so small that its gap overflows means "practically never": a day.
    const NEVER: Duration = Duration::from_secs(86_400);
    Duration::try_from_secs_f64(1.0 / rate).map_or(NEVER, |gap| gap.min(NEVER))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    /// Milliseconds until each of `count` simultaneous requests has left.
    async fn leave(limiter: &Limiter, count: usize) -> Vec<u128> {
        let began = Instant::now();
        let turns = (0..count).map(|_| async {
            limiter.turn().await;
            began.elapsed().as_millis()
        });
        futures_util::future::join_all(turns).await
    }

    #[tokio::test(start_paused = true)]
    async fn requests_leave_at_the_set_rate_in_the_order_they_came() {
        let limiter = Limiter::new(Some(10.0));
        assert_eq!(leave(&limiter, 4).await, [0, 100, 200, 300]);
        limiter.set_rate(None);
        assert_eq!(leave(&limiter, 3).await, [0, 0, 0]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_new_rate_holds_for_those_that_wait_already() {
        let limiter = Arc::new(Limiter::new(Some(0.001)));
        limiter.turn().await;
        let began = Instant::now();
        let other = Arc::clone(&limiter);
        let waiting = tokio::spawn(async move { leave(&other, 3).await });
        tokio::task::yield_now().await;
        limiter.set_rate(Some(10.0));
        waiting.await.unwrap();
        assert_eq!(began.elapsed().as_millis(), 300);
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_that_is_given_up_leaves_no_gap() {
        let limiter = Limiter::new(Some(1.0));
        limiter.turn().await;
        let given_up = tokio::time::timeout(Duration::from_millis(500), leave(&limiter, 50));
        assert!(given_up.await.is_err());
        assert_eq!(leave(&limiter, 1).await, [500]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_pause_holds_everybody_and_is_distinct_from_the_rate() {
        let limiter = Limiter::new(None);
        assert_eq!(limiter.turn().await, Waited::default());
        limiter.pause(Duration::from_secs(3));
        limiter.pause(Duration::from_secs(1));
        let waited = limiter.turn().await;
        assert_eq!(waited.time, Duration::from_secs(3));
        assert_eq!(waited.paused, waited.time);
        limiter.set_rate(Some(1.0));
        assert_eq!(limiter.turn().await.paused, Duration::ZERO);
        assert_eq!(limiter.turn().await.time, Duration::from_secs(1));
    }
}
