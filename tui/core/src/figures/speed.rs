//! How fast tasks of a run are decided now, not since it began.

use crate::ids::Millis;
use std::collections::VecDeque;

/// The time that counts as now, in milliseconds.
pub const SPEED_WINDOW_MS: u64 = 30_000;
/// Tasks are counted by slices of this many milliseconds.
const SLICE_MS: i64 = 1_000;

/// Tasks decided within the last [`SPEED_WINDOW_MS`], counted second by second.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RecentSpeed {
    began: Millis,
    slices: VecDeque<(i64, u64)>,
}

impl RecentSpeed {
    /// Nothing was decided yet.
    #[must_use]
    pub const fn new(began: Millis) -> Self {
        Self {
            began,
            slices: VecDeque::new(),
        }
    }

    /// This many tasks were decided.
    pub fn add(&mut self, now: Millis, tasks: u64) {
        let slice = now.0.div_euclid(SLICE_MS);
        match self.slices.back_mut() {
            Some((last, n)) if *last >= slice => *n += tasks,
            _ => self.slices.push_back((slice, tasks)),
        }
        let first = Self::first_slice(now);
        while self.slices.front().is_some_and(|(at, _)| *at < first) {
            self.slices.pop_front();
        }
    }

    fn first_slice(now: Millis) -> i64 {
        let window = i64::try_from(SPEED_WINDOW_MS).unwrap_or(i64::MAX);
        (now.0 - window).div_euclid(SLICE_MS) + 1
    }

    /// Tasks a second; 0 when nothing was decided lately.
    #[must_use]
    #[allow(clippy::cast_precision_loss)] // a rate to be read by a person
    pub fn per_second(&self, now: Millis) -> f64 {
        let first = Self::first_slice(now);
        let in_window = self.slices.iter().filter(|(at, _)| *at >= first);
        let tasks: u64 = in_window.map(|(_, n)| n).sum();
        let ms = now.since(self.began).clamp(1_000, SPEED_WINDOW_MS);
        tasks as f64 * 1000.0 / ms as f64
    }
}
