//! Jobs of a run that load something: what they wait for, and the time in which nothing else could be done. A
//! rate and the time left are made without that time.

use super::Run;
use crate::ids::{JobId, Millis, TaskId};
use crate::loading::{Loading, without};

/// The time of a run in which every job that had begun was loading.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct LoadingTime {
    /// Jobs that load something now.
    pub(super) jobs: usize,
    /// Since when all that have begun do.
    since: Option<Millis>,
    /// Milliseconds of earlier times.
    before: u64,
}

impl Run {
    /// A job loads something; `None`: no longer.
    pub fn job_loading(&mut self, job: JobId, name: Option<String>, now: Millis) {
        let Some(running) = self.jobs.get_mut(&job) else {
            return;
        };
        if let Some(before) = running.loading.take() {
            running.since = without(running.since, before.since, now);
            self.loads.jobs -= 1;
        }
        if let Some(name) = name {
            running.loading = Some(Loading { name, since: now });
            self.loads.jobs += 1;
        }
    }

    /// To be called after each news of a job: measures the time in which all jobs load.
    pub fn time_loading(&mut self, now: Millis) {
        let begun = |job: &&super::Running| job.pid != 0;
        let all = self.loads.jobs > 0
            && (self.jobs.values().filter(begun)).all(|job| job.loading.is_some());
        match self.loads.since {
            None if all => self.loads.since = Some(now),
            Some(since) if !all => {
                self.loads.before += now.since(since);
                self.loads.since = None;
            }
            _ => {}
        }
    }

    /// What all jobs that have begun wait for: the one that has been loading for longest.
    #[must_use]
    pub fn loading(&self) -> Option<&Loading> {
        self.loads.since?;
        let all = self.jobs.values().filter_map(|job| job.loading.as_ref());
        all.min_by_key(|loading| loading.since)
    }

    /// What is being loaded for a task.
    #[must_use]
    pub fn loading_of(&self, task: TaskId) -> Option<&Loading> {
        let loads = |id: &&JobId| self.jobs[*id].loading.is_some();
        let mut jobs = self
            .jobs
            .keys()
            .filter(|_| self.loads.jobs > 0)
            .filter(loads);
        let job = jobs.find(|job| self.task_of(**job).is_some_and(|row| row.id == task))?;
        self.jobs[job].loading.as_ref()
    }

    /// Milliseconds since the beginning in which work could be done.
    pub(super) fn working_ms(&self, now: Millis) -> u64 {
        let end = self.ended.unwrap_or(now);
        let loading = self.loads.since.map_or(0, |since| end.since(since));
        let all = end.since(self.started);
        all.saturating_sub(self.loads.before)
            .saturating_sub(loading)
    }
}
