//! The newest attempts and the newest routes, in rings: what leaves a ring is taken off the sums again.

use crate::ids::{PathwayId, StageId};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, VecDeque};

/// Attempts and tasks that count as recent.
pub const RECENT: usize = 1_000;

/// How long the newest attempts took, in microseconds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AttemptTimes {
    ring: VecDeque<u64>,
    /// The same in order.
    sorted: Vec<u64>,
}

impl AttemptTimes {
    /// An attempt took so long.
    pub fn push(&mut self, us: u64) {
        if self.ring.len() >= RECENT
            && let Some(oldest) = self.ring.pop_front()
            && let Ok(at) = self.sorted.binary_search(&oldest)
        {
            self.sorted.remove(at);
        }
        self.ring.push_back(us);
        let at = self.sorted.partition_point(|known| *known < us);
        self.sorted.insert(at, us);
    }

    /// How many attempts are known, at most [`RECENT`].
    #[must_use]
    pub fn count(&self) -> usize {
        self.ring.len()
    }

    /// What `percent` of a hundred attempts do not exceed (nearest rank); `None` without attempts.
    #[must_use]
    pub fn percentile(&self, percent: usize) -> Option<u64> {
        let rank = (self.sorted.len() * percent).div_ceil(100).max(1);
        self.sorted.get(rank - 1).copied()
    }

    /// In the order they came.
    pub(super) fn iter(&self) -> impl Iterator<Item = u64> {
        self.ring.iter().copied()
    }
}

impl FromIterator<u64> for AttemptTimes {
    fn from_iter<T: IntoIterator<Item = u64>>(times: T) -> Self {
        let mut ring: VecDeque<u64> = times.into_iter().collect();
        ring.drain(..ring.len().saturating_sub(RECENT));
        let mut sorted: Vec<u64> = ring.iter().copied().collect();
        sorted.sort_unstable();
        Self { ring, sorted }
    }
}

/// Where a task of a run went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TakenRoute {
    /// Through a pathway.
    Pathway(PathwayId),
    /// To a stage by its identity.
    Stage(StageId),
    /// It stays on purpose.
    Stay,
    /// It failed.
    Failed,
    /// Somebody else had changed it.
    Conflict,
}

/// How often each route was taken: by the newest tasks, ever, and by the newest build.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RouteCounts {
    pub(super) ring: VecDeque<TakenRoute>,
    pub(super) recent: BTreeMap<TakenRoute, u64>,
    pub(super) ever: BTreeMap<TakenRoute, u64>,
    /// The content of the library that handled the newest task.
    pub(super) build: String,
    pub(super) of_build: BTreeMap<TakenRoute, u64>,
}

impl RouteCounts {
    /// A task took a route on a build.
    pub fn push(&mut self, route: TakenRoute, build: &str) {
        if self.build != build {
            build.clone_into(&mut self.build);
            self.of_build.clear();
        }
        *self.of_build.entry(route).or_default() += 1;
        *self.ever.entry(route).or_default() += 1;
        self.push_recent(route);
    }

    pub(super) fn push_recent(&mut self, route: TakenRoute) {
        if self.ring.len() >= RECENT
            && let Some(oldest) = self.ring.pop_front()
            && let Some(n) = self.recent.get_mut(&oldest)
        {
            *n -= 1;
            if *n == 0 {
                self.recent.remove(&oldest);
            }
        }
        self.ring.push_back(route);
        *self.recent.entry(route).or_default() += 1;
    }

    /// How many tasks count as recent, at most [`RECENT`].
    #[must_use]
    pub fn count(&self) -> usize {
        self.ring.len()
    }

    /// How many of the newest tasks took it.
    #[must_use]
    pub fn recent(&self, route: TakenRoute) -> u64 {
        self.recent.get(&route).copied().unwrap_or(0)
    }

    /// How many tasks ever took it.
    #[must_use]
    pub fn ever(&self, route: TakenRoute) -> u64 {
        self.ever.get(&route).copied().unwrap_or(0)
    }

    /// How many tasks took it on the build whose library has this hash, and how many that build handled; `None`: another
    /// build handled the newest task.
    #[must_use]
    pub fn of_build(&self, build: &str, route: TakenRoute) -> Option<(u64, u64)> {
        let taken = self.of_build.get(&route).copied().unwrap_or(0);
        (self.build == build && !build.is_empty()).then(|| (taken, self.of_build.values().sum()))
    }

    /// The part of the newest tasks that did not fail; `None` without tasks.
    #[must_use]
    #[allow(clippy::cast_precision_loss)] // a percentage
    pub fn succeeded(&self) -> Option<f64> {
        let all = self.ring.len() as u64;
        let failed = self.recent(TakenRoute::Failed);
        (all > 0).then(|| (all - failed) as f64 / all as f64)
    }
}
