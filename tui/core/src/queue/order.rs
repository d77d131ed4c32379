//! The order of a queue's rows on screen, and which way round. What a row holds is left to the queue.

use super::Queue;
use crate::work::LastResult;
use serde::{Deserialize, Serialize};
use std::cmp::{Ordering, Reverse};
use std::collections::HashMap;

use crate::ids::TaskId;

/// What the rows on screen are sorted by.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub enum Sort {
    /// As the platform lists them.
    #[default]
    Listed,
    /// By title.
    Title,
    /// By priority, the highest first.
    Priority,
    /// The oldest change first.
    Age,
    /// Failed first, then those with an outcome.
    Result,
}

impl Sort {
    /// One word for the heading.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Listed => "as listed",
            Self::Title => "title",
            Self::Priority => "priority",
            Self::Age => "age",
            Self::Result => "result",
        }
    }

    /// The way round: `↑` from the least on, `↓` from the most on.
    #[must_use]
    pub const fn arrow(self, reversed: bool) -> &'static str {
        match (matches!(self, Self::Listed | Self::Title), reversed) {
            (true, false) | (false, true) => "↑",
            (true, true) | (false, false) => "↓",
        }
    }

    /// The next order.
    #[must_use]
    pub const fn next(self) -> Self {
        match self {
            Self::Listed => Self::Title,
            Self::Title => Self::Priority,
            Self::Priority => Self::Age,
            Self::Age => Self::Result,
            Self::Result => Self::Listed,
        }
    }
}

impl Queue {
    /// Sorts the view, which is in the order of the listing.
    pub(super) fn sort_view(&mut self, results: &HashMap<TaskId, LastResult>) {
        let (rows, known) = (&self.rows, &self.known);
        let row = |at: &u32| &rows[*at as usize];
        let way = |order: Ordering| {
            if self.reversed {
                order.reverse()
            } else {
                order
            }
        };
        match self.sort {
            Sort::Listed if self.reversed => self.view.reverse(),
            Sort::Listed => {}
            Sort::Title => (self.view).sort_by(|a, b| way(row(a).title.cmp(&row(b).title))),
            Sort::Age => (self.view).sort_by(|a, b| way(row(a).updated.cmp(&row(b).updated))),
            Sort::Priority => {
                let priority = |at: &u32| known.get(&row(at).id).and_then(|known| known.priority);
                // What has none, or was not read yet, comes last either way round.
                self.view.sort_by(|a, b| match (priority(a), priority(b)) {
                    (Some(a), Some(b)) => way(b.total_cmp(&a)),
                    (a, b) => Reverse(a.is_some()).cmp(&Reverse(b.is_some())),
                });
            }
            Sort::Result => {
                let rank = |at: &u32| match results.get(&row(at).id) {
                    Some(result) if result.failed => 0,
                    Some(_) => 1,
                    None => 2,
                };
                self.view.sort_by(|a, b| way(rank(a).cmp(&rank(b))));
            }
        }
    }
}
