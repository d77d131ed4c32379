//! The queue of one stage: every task listed so far, the view that filter and sort make of it,
//! the marks. Built to stay instant at a hundred thousand rows and bearable at a million.

mod groups;
mod order;

use crate::filter::{Asks, Facts, Filter, Known};
use crate::ids::{Millis, TaskId};
pub use crate::work::LastResult;
use crate::work::TaskRow;
use crate::workflow::Stage;
pub use groups::{GroupBy, TaskGroup};
pub use order::Sort;
use std::collections::{HashMap, HashSet};
use std::ops::Range;

/// The queue of one stage.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Queue {
    /// Every task listed so far, in the platform's order.
    pub rows: Vec<TaskRow>,
    /// Indices into `rows`: what matches, in the order shown.
    pub view: Vec<u32>,
    /// The filter in force.
    pub filter: Filter,
    /// The text it was made of.
    pub filter_text: String,
    /// Why the text is not a filter.
    pub filter_error: Option<String>,
    /// Order.
    pub sort: Sort,
    /// Whether it is the other way round.
    pub reversed: bool,
    /// Marked tasks.
    pub marks: HashSet<TaskId>,
    /// Whether a listing is under way.
    pub loading: bool,
    /// When the newest full listing ended.
    pub loaded: Option<Millis>,
    /// Number of the newest listing; pages of older ones are dropped.
    pub listing: u64,
    /// What stands in the label rows, as far as a filter asked for it.
    pub known: HashMap<TaskId, Known>,
    /// Whether label rows are being read for the filter.
    pub asking: bool,
    /// Rows of a listing that replaces a shown one, until it is complete.
    pub incoming: Option<Vec<TaskRow>>,
    /// When the newest listing began.
    began: Millis,
    /// How long the newest full listing took, in milliseconds.
    took_ms: u64,
    /// Listings in a row that found nothing new.
    unchanged: u32,
    /// Tasks have arrived since the newest listing.
    pub stale: bool,
}

/// A queue is listed again this often while it changes, in milliseconds.
const REFRESH_MS: u64 = 30_000;
/// How often the time between two listings is doubled at most, because nothing changes.
const DOUBLED: u32 = 4;
/// Listing takes at most one part in so many of the time.
const SHARE: u64 = 20;

impl Queue {
    /// The row shown at a place of the view.
    #[must_use]
    pub fn at(&self, place: usize) -> Option<&TaskRow> {
        self.view
            .get(place)
            .and_then(|i| self.rows.get(*i as usize))
    }

    /// The place of a task in the view.
    #[must_use]
    pub fn place_of(&self, task: TaskId) -> Option<usize> {
        self.view
            .iter()
            .position(|i| self.rows.get(*i as usize).is_some_and(|r| r.id == task))
    }

    /// A task by its id.
    #[must_use]
    pub fn task(&self, task: TaskId) -> Option<&TaskRow> {
        self.rows.iter().find(|r| r.id == task)
    }

    /// Whether it is time to list it again: seldom where that takes long, or found nothing new.
    #[must_use]
    pub fn is_due(&self, now: Millis) -> bool {
        let wait = match self.stale {
            true => 0,
            false => REFRESH_MS << self.unchanged.min(DOUBLED),
        };
        let wait = wait.max(self.took_ms * SHARE);
        !self.loading && self.loaded.is_some_and(|at| now.since(at) >= wait)
    }

    /// The queue that is due first: one that changes before one that does not, then the one listed longest ago.
    #[must_use]
    pub const fn due_order(&self) -> (bool, u32, Option<Millis>) {
        (!self.stale, self.unchanged, self.loaded)
    }

    /// A listing begins. Rows that are shown stay until it is complete.
    pub fn begin(&mut self, listing: u64, now: Millis) {
        self.listing = listing;
        self.began = now;
        self.stale = false;
        self.loading = true;
        self.incoming = (!self.rows.is_empty()).then(Vec::new);
    }

    /// A page arrives; `last` ends the listing.
    pub fn page(
        &mut self,
        rows: Vec<TaskRow>,
        last: bool,
        now: Millis,
        results: &HashMap<TaskId, LastResult>,
    ) {
        match &mut self.incoming {
            Some(incoming) => {
                incoming.extend(rows);
                if last {
                    self.replace(now, results);
                }
            }
            None => {
                let first = self.rows.len();
                self.rows.extend(rows);
                if last && self.loaded.is_some() {
                    self.found(!self.rows.is_empty());
                }
                self.extend_view(first, now, results);
            }
        }
        if last {
            self.loading = false;
            self.loaded = Some(now);
            self.took_ms = now.since(self.began);
            if self.sort != Sort::Listed || self.reversed {
                self.refresh_view(now, results);
            }
            if !self.marks.is_empty() {
                let here: HashSet<TaskId> = self.rows.iter().map(|r| r.id).collect();
                self.marks.retain(|m| here.contains(m));
            }
        }
    }

    const fn found(&mut self, changes: bool) {
        self.unchanged = if changes { 0 } else { self.unchanged + 1 };
    }

    /// The listing that replaces the shown one is complete.
    fn replace(&mut self, now: Millis, results: &HashMap<TaskId, LastResult>) {
        let rows = self.incoming.take().unwrap_or_default();
        self.found(rows != self.rows);
        self.rows = rows;
        // What was read belongs to the listing before; it is read again when asked for.
        self.known.clear();
        self.refresh_view(now, results);
    }

    /// Takes tasks out that have left the stage.
    pub fn remove(
        &mut self,
        gone: &HashSet<TaskId>,
        now: Millis,
        results: &HashMap<TaskId, LastResult>,
    ) {
        self.unchanged = 0;
        self.rows.retain(|r| !gone.contains(&r.id));
        if let Some(incoming) = &mut self.incoming {
            incoming.retain(|r| !gone.contains(&r.id));
        }
        self.marks.retain(|m| !gone.contains(m));
        self.refresh_view(now, results);
    }

    /// What filter and order look at beside the tasks as listed.
    #[must_use]
    pub fn asks(&self) -> Asks {
        let mut asks = self.filter.asks();
        asks.row |= self.sort == Sort::Priority;
        asks
    }

    /// The tasks of the view whose label rows are not known yet, among these places.
    pub fn unread(&self, places: Range<usize>) -> impl Iterator<Item = &TaskRow> {
        let rows = places.map_while(|place| self.at(place));
        rows.filter(|row| !self.known.contains_key(&row.id))
    }

    /// The next tasks whose label rows filter and order must know before they can decide; at most `n`.
    #[must_use]
    pub fn unknown(
        &self,
        n: usize,
        now: Millis,
        results: &HashMap<TaskId, LastResult>,
    ) -> Vec<TaskRow> {
        let asks = self.asks();
        if !asks.any() {
            return Vec::new();
        }
        let cheap = self.filter.cheap();
        let open = self.rows.iter().filter(|row| {
            !self.known.get(&row.id).is_some_and(|k| asks.answered_by(k))
                && cheap.matches(&Facts {
                    row,
                    now,
                    result: results.get(&row.id),
                    known: None,
                })
        });
        open.take(n).cloned().collect()
    }

    /// Sets the filter from its text; a text that is not a filter leaves the old one in force.
    pub fn set_filter(
        &mut self,
        text: &str,
        stages: &[Stage],
        now: Millis,
        results: &HashMap<TaskId, LastResult>,
    ) {
        text.clone_into(&mut self.filter_text);
        let clear = |filter: Filter| filter.is_clear_in(stages).map(|()| filter);
        match Filter::parse(text).and_then(clear) {
            Ok(filter) => {
                self.filter = filter;
                self.filter_error = None;
                self.refresh_view(now, results);
            }
            Err(error) => self.filter_error = Some(error),
        }
    }

    /// Rebuilds the view.
    pub fn refresh_view(&mut self, now: Millis, results: &HashMap<TaskId, LastResult>) {
        self.view.clear();
        self.extend_view(0, now, results);
        self.sort_view(results);
    }

    fn extend_view(&mut self, first: usize, now: Millis, results: &HashMap<TaskId, LastResult>) {
        let all = self.filter.is_empty();
        for (i, row) in self.rows.iter().enumerate().skip(first) {
            let facts = Facts {
                row,
                now,
                result: if all { None } else { results.get(&row.id) },
                known: if all { None } else { self.known.get(&row.id) },
            };
            if all || self.filter.matches(&facts) {
                self.view.push(u32::try_from(i).unwrap_or(u32::MAX));
            }
        }
    }

    /// Tasks to run: the marked ones in the order shown, or else the first `n` of the view.
    #[must_use]
    pub fn chosen(&self, n: usize) -> Vec<TaskRow> {
        let shown = self.view.iter().filter_map(|i| self.rows.get(*i as usize));
        if self.marks.is_empty() {
            return shown.take(n).cloned().collect();
        }
        self.rows
            .iter()
            .filter(|r| self.marks.contains(&r.id))
            .cloned()
            .collect()
    }
}
