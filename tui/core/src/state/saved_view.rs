//! What a person had set up: filters, marks and orders of queues, watched tasks, the open task. It is kept while the
//! screen is open and comes back at the next start, stage by stage as queues are listed.

use super::State;
use crate::command::Command;
use crate::event::Effect;
use crate::ids::{StageId, TaskId};
use crate::queue::{Queue, Sort};
use crate::saved_view::{SavedQueue, SavedView};
use crate::work::TaskRow;
use std::collections::{HashMap, HashSet};

/// What is kept of a queue.
fn saved_queue(queue: &Queue) -> SavedQueue {
    let mut marks: Vec<TaskId> = queue.marks.iter().copied().collect();
    marks.sort_unstable();
    let sort = match queue.sort {
        Sort::Listed => String::new(),
        other => other.word().to_owned(),
    };
    SavedQueue {
        filter: queue.filter_text.clone(),
        sort,
        reversed: queue.reversed,
        marks,
    }
}

/// The order of this word; the first one when there is none.
fn sort_of(word: &str) -> Sort {
    let first = Sort::default();
    std::iter::successors(Some(first.next()), |sort| Some(sort.next()))
        .take_while(|sort| *sort != first)
        .find(|sort| sort.word() == word)
        .unwrap_or(first)
}

impl State {
    /// The set-up now, with what has not come back yet.
    #[must_use]
    pub fn saved_view(&self) -> SavedView {
        let mut view = self.returning_view.clone();
        for (stage, queue) in &self.queues {
            let saved = saved_queue(queue);
            if !view.queues.contains_key(stage) && saved != SavedQueue::default() {
                view.queues.insert(*stage, saved);
            }
        }
        let returning: HashSet<(StageId, TaskId)> = view.watched.iter().copied().collect();
        let watched = self.watch.iter().map(|w| (w.stage, w.row.id));
        let watched = watched.filter(|one| !returning.contains(one));
        view.watched.extend(watched);
        let open = self.step.as_ref().map(|step| (step.stage, step.row.id));
        view.open = open.or(view.open);
        view
    }

    /// The set-up of an earlier screen.
    pub(super) fn view_before(&mut self, view: SavedView) -> Vec<Effect> {
        self.returning_view = view;
        self.return_view()
    }

    /// Brings back what is possible now.
    pub(super) fn return_view(&mut self) -> Vec<Effect> {
        if self.returning_view == SavedView::default() {
            return Vec::new();
        }
        let listed = |queue: &Queue| queue.loaded.is_some() && !queue.loading;
        let queues = self.queues.iter().filter(|(_, queue)| listed(queue));
        let ready: Vec<StageId> = queues.map(|(stage, _)| *stage).collect();
        let mut effects = Vec::new();
        for stage in ready {
            if let Some(saved) = self.returning_view.queues.remove(&stage) {
                effects.extend(self.return_queue(stage, &saved));
            }
            effects.extend(self.return_watched(stage));
            effects.extend(self.return_open(stage));
        }
        effects
    }

    fn return_queue(&mut self, stage: StageId, saved: &SavedQueue) -> Vec<Effect> {
        let Some(queue) = self.queues.get_mut(&stage) else {
            return Vec::new();
        };
        let rows: HashSet<TaskId> = match saved.marks.is_empty() {
            true => HashSet::new(),
            false => queue.rows.iter().map(|row| row.id).collect(),
        };
        let there = saved.marks.iter().filter(|task| rows.contains(*task));
        queue.marks.extend(there);
        (queue.sort, queue.reversed) = (sort_of(&saved.sort), saved.reversed);
        if saved.filter.is_empty() {
            queue.refresh_view(self.now, &self.results);
            return Vec::new();
        }
        let text = saved.filter.clone();
        self.input(Command::Filter { stage, text })
    }

    fn return_watched(&mut self, stage: StageId) -> Vec<Effect> {
        let all = &mut self.returning_view.watched;
        let (here, rest): (Vec<_>, Vec<_>) = all.drain(..).partition(|(at, _)| *at == stage);
        *all = rest;
        if here.is_empty() {
            return Vec::new();
        }
        let Some(queue) = self.queues.get(&stage) else {
            return Vec::new();
        };
        let rows: HashMap<TaskId, &TaskRow> = queue.rows.iter().map(|row| (row.id, row)).collect();
        let there = here.iter().filter_map(|(_, task)| rows.get(task));
        let rows: Vec<TaskRow> = there.map(|row| (*row).clone()).collect();
        match rows.is_empty() {
            true => Vec::new(),
            false => self.watch(stage, rows, true),
        }
    }

    /// Opens the task that was open, once its agent is there: without one it would only be queued.
    fn return_open(&mut self, stage: StageId) -> Vec<Effect> {
        let here = self.returning_view.open.filter(|(at, _)| *at == stage);
        let Some((_, task)) = here.filter(|_| !self.agent_coming(stage)) else {
            return Vec::new();
        };
        self.returning_view.open = None;
        let there = self
            .queues
            .get(&stage)
            .is_some_and(|q| q.task(task).is_some());
        match there && self.step.is_none() && self.agent(stage).is_some() {
            true => self.input(Command::Open { stage, task }),
            false => Vec::new(),
        }
    }
}
