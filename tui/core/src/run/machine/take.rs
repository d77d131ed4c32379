//! Which tasks a run takes: listed page by page, filtered, and when there is a limit, in the order in
//! which they had their turn.

use super::Run;
use crate::event::{Effect, ListId};
use crate::filter::{Facts, Filter};
use crate::ids::Millis;
use crate::work::TaskRow;

impl Run {
    pub(super) fn list(&mut self, effects: &mut Vec<Effect>) {
        let enough = self.pending.len() >= self.spec.ahead.max(2 * self.spec.batch_size);
        if self.listing || self.listed_all || enough || self.paused {
            return;
        }
        let Some(stage) = self.stage() else { return };
        self.listing = true;
        effects.push(Effect::Page {
            list: ListId::Run(self.id),
            stage,
            token: self.token.clone(),
            only: (self.spec.filter.asks().any()).then(|| Box::new(self.spec.filter.clone())),
            earlier: self.spec.earlier.clone(),
        });
    }

    /// A page of tasks arrived.
    pub fn page(&mut self, rows: Vec<TaskRow>, next: Option<String>, now: Millis) {
        self.listing = false;
        self.listed_all = next.is_none();
        self.token = next;
        self.take_rows(rows, now);
    }

    /// A page could not be had: nothing more is taken, what runs finishes.
    pub fn page_failed(&mut self, error: crate::error::Error) {
        self.listing = false;
        self.fatal.get_or_insert(error);
    }

    /// Whether as many tasks of this stage were taken as there may be.
    fn full(&self) -> bool {
        let spent = self.stage().and_then(|stage| self.spec.spent.get(&stage));
        let taken = self.taken + spent.copied().unwrap_or(0);
        let chosen = self.spec.chosen.as_ref();
        self.spec.max_tasks.is_some_and(|max| taken >= max)
            || chosen.is_some_and(|chosen| self.taken >= chosen.len())
    }

    pub(super) fn take_rows(&mut self, rows: Vec<TaskRow>, now: Millis) {
        let filter = self.spec.filter.cheap();
        for row in rows {
            if self.full() {
                break;
            }
            if !self.wanted(&row, &filter, now) {
                continue;
            }
            match self.spec.tried.get(&row.id) {
                Some(at) if self.spec.max_tasks.is_some() => self.deferred.push((*at, row)),
                _ => self.take(row),
            }
        }
        if self.full() {
            self.listed_all = true;
            self.token = None;
            self.deferred.clear();
        }
        if self.listed_all {
            self.take_deferred();
            self.take_arrivals(&filter, now);
        }
    }

    /// What earlier stages of a run that writes nothing sent here.
    fn take_arrivals(&mut self, filter: &Filter, now: Millis) {
        for row in self.arrivals() {
            if !self.full() && self.wanted(&row, filter, now) {
                self.take(row);
            }
        }
    }

    fn wanted(&self, row: &TaskRow, filter: &Filter, now: Millis) -> bool {
        let facts = Facts {
            row,
            now,
            result: self.spec.earlier.get(&row.id),
            known: None,
        };
        let only = &self.spec.only;
        let named = only.is_empty()
            || only
                .iter()
                .any(|o| *o == *row.title || row.id.to_string().eq_ignore_ascii_case(o));
        let chosen = self.spec.chosen.as_ref();
        let chosen = chosen.is_none_or(|chosen| chosen.contains(&row.id));
        named && chosen && !self.spec.left_out.contains(&row.id) && filter.matches(&facts)
    }

    fn take(&mut self, row: TaskRow) {
        self.taken += 1;
        self.pending.push_back(row);
    }

    /// No others are left: those whose turn is longest ago come again.
    fn take_deferred(&mut self) {
        let mut deferred = std::mem::take(&mut self.deferred);
        deferred.sort_by_key(|(at, _)| *at);
        for (_, row) in deferred {
            if self.full() {
                return;
            }
            self.take(row);
        }
    }
}
