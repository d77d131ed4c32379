//! News of what is being loaded, and who waits for it.

use super::*;
use crate::loading::{Opening, without};
use std::path::PathBuf;

impl State {
    /// A job loads something; `None`: it has it.
    pub(super) fn job_loading(&mut self, job: JobId, name: Option<String>) {
        let now = self.now;
        let loading = |name| Loading { name, since: now };
        if let Some(step) = self.step.as_mut().filter(|s| s.job == Some(job)) {
            if let Some(before) = step.loading.take() {
                step.since = without(step.since, before.since, now);
            }
            step.loading = name.map(loading);
        } else if let Some(running) = self.watch.job_mut(job) {
            running.loading = name.map(loading);
        } else if let Some(run) = &mut self.run {
            run.job_loading(job, name, now);
        }
    }

    pub(super) fn time_loading(&mut self) {
        if let Some(run) = &mut self.run {
            run.time_loading(self.now);
        }
    }

    /// A new content of a library is being opened.
    pub(super) fn opens(&mut self, library: PathBuf, part: Opening) {
        match Loading::of(&library, part, self.now) {
            Some(loading) => drop(self.opening.insert(library, loading)),
            None => drop(self.opening.remove(&library)),
        }
    }

    /// What is being loaded for a task, wherever it runs.
    #[must_use]
    pub fn loading_of(&self, task: TaskId) -> Option<&Loading> {
        let step = self.step.as_ref().filter(|s| s.row.id == task);
        let watched = self.watch.task(task);
        let run = self.run.as_ref();
        (step.and_then(|s| s.loading.as_ref()))
            .or_else(|| watched.and_then(|watched| self.watch.loading(watched)))
            .or_else(|| run.and_then(|r| r.loading_of(task)))
    }

    /// The content of a library that has been opening for longest.
    #[must_use]
    pub fn opening(&self) -> Option<&Loading> {
        self.opening.values().min_by_key(|loading| loading.since)
    }
}
