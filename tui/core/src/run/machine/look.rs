//! Looking at a run: where it is, who works, how fast. Nothing here changes it.

use super::Run;
use crate::ids::{BuildId, JobId, Millis, StageId};
use crate::loading::Loading;
use crate::work::{Inputs, TaskRow};
use std::sync::Arc;

/// A job that runs.
pub struct Worker<'a> {
    /// Title of its task.
    pub title: &'a str,
    /// Process id of its host.
    pub pid: u32,
    /// Milliseconds so far, without what it loaded.
    pub ms: u64,
    /// What it loads now.
    pub loading: Option<&'a Loading>,
}

impl Run {
    /// The stage being drained.
    #[must_use]
    pub fn stage(&self) -> Option<StageId> {
        self.stages.get(self.stage_at).copied()
    }

    /// Builds that it needs until it is over: a rebuild meanwhile changes nothing for it.
    pub fn pins(&self) -> impl Iterator<Item = BuildId> {
        let ahead = self.agents.iter().skip(self.stage_at);
        let needed = ahead.filter(|_| !self.is_over());
        needed.flatten().map(|(build, _, _)| *build)
    }

    /// Limit of one attempt in milliseconds, as it holds for the next one: a person's, the agent's
    /// own, or the one of the settings.
    #[must_use]
    pub fn limit_ms(&self) -> Option<u64> {
        self.typed_timeout_ms
            .or(self.own_limit_ms)
            .or(self.spec.timeout_ms)
    }

    /// Whether everything is final.
    #[must_use]
    pub const fn is_over(&self) -> bool {
        self.ended.is_some()
    }

    /// Jobs that were given out and have not ended.
    #[must_use]
    pub fn jobs_under_way(&self) -> usize {
        self.jobs.len()
    }

    /// Whether a job of it runs.
    #[must_use]
    pub fn works(&self) -> bool {
        self.jobs.values().any(|r| r.pid != 0)
    }

    /// Whether jobs were given out and no host has begun with one of them.
    #[must_use]
    pub fn waits(&self) -> bool {
        !self.jobs.is_empty() && !self.works()
    }

    /// The task of a job, and which attempt it is unless it is the first.
    #[must_use]
    pub fn name_of(&self, job: JobId) -> Option<String> {
        let running = self.jobs.get(&job)?;
        let batch = self.batches.iter().find(|b| b.id == running.batch)?;
        let work = batch.work.get(running.index)?;
        Some(match work.attempts {
            ..2 => work.row.title.to_string(),
            n => format!("{} · attempt {n}", work.row.title),
        })
    }

    /// Jobs that run now, by title.
    #[must_use]
    pub fn workers(&self, now: Millis) -> Vec<Worker<'_>> {
        let begun = self.jobs.values().filter(|r| r.pid != 0); // the others wait in a host
        let mut all: Vec<Worker<'_>> = begun
            .filter_map(|r| {
                let batch = self.batches.iter().find(|b| b.id == r.batch)?;
                Some(Worker {
                    title: &batch.work[r.index].row.title,
                    pid: r.pid,
                    ms: now.since(r.since),
                    loading: r.loading.as_ref(),
                })
            })
            .collect();
        all.sort_by_key(|worker| (worker.title, worker.pid));
        all
    }

    /// Tasks whose agents are done, written or not: what a progress bar shows. The counters grow
    /// only when a whole batch is final.
    #[must_use]
    pub fn decided(&self) -> u64 {
        let works = self.batches.iter().flat_map(|b| &b.work);
        self.totals.tasks + works.filter(|w| w.result.is_some()).count() as u64
    }

    /// Tasks with a result, those that were written included: the same as [`Run::decided`] while none is run again
    /// because of a conflict.
    pub(crate) const fn tasks_decided(&self) -> u64 {
        self.known.0
    }

    /// Whether a task was listed that is not yet final.
    #[must_use]
    pub fn has_work(&self) -> bool {
        !self.batches.is_empty() || !self.pending.is_empty()
    }

    /// Tasks listed and not yet final; `None` while more may be listed.
    #[must_use]
    pub fn waiting(&self) -> Option<u64> {
        let open: usize = self.batches.iter().map(|b| b.work.len()).sum();
        self.listed_all
            .then_some((open + self.pending.len()) as u64)
    }

    /// Tasks per second since the beginning, without the time in which all jobs were loading.
    #[must_use]
    #[allow(clippy::cast_precision_loss)] // a rate to be read by a person
    pub fn rate(&self, now: Millis) -> f64 {
        let ms = self.working_ms(now).max(1);
        self.decided() as f64 * 1000.0 / ms as f64
    }

    /// Whether a job belongs to this run.
    #[must_use]
    pub fn has_job(&self, job: JobId) -> bool {
        self.jobs.contains_key(&job)
    }

    /// The task a job works on.
    #[must_use]
    pub fn task_of(&self, job: JobId) -> Option<&TaskRow> {
        let running = self.jobs.get(&job)?;
        self.batches
            .iter()
            .find(|b| b.id == running.batch)
            .map(|b| &b.work[running.index].row)
    }

    /// What is known of a job under way.
    #[must_use]
    pub(crate) fn under_way(&self, job: JobId, now: Millis) -> Option<UnderWay> {
        let running = self.jobs.get(&job)?;
        let batch = self.batches.iter().find(|b| b.id == running.batch)?;
        let work = &batch.work[running.index];
        Some(UnderWay {
            stage: self.stage()?,
            row: work.row.clone(),
            inputs: work.inputs.clone()?,
            attempts: work.attempts,
            build: self.build,
            pid: (running.pid > 0).then_some(running.pid),
            since: running.since,
            ran_ms: now.since(running.since),
        })
    }

    /// A person has held a job for so many milliseconds, which are not its time.
    pub(crate) fn was_held(&mut self, job: JobId, ms: u64) {
        if let Some(running) = self.jobs.get_mut(&job) {
            running.since = Millis(running.since.0.saturating_add_unsigned(ms));
        }
    }
}

/// A job under way.
pub(crate) struct UnderWay {
    pub stage: StageId,
    pub row: TaskRow,
    pub inputs: Arc<Inputs>,
    pub attempts: u32,
    pub build: BuildId,
    pub pid: Option<u32>,
    pub since: Millis,
    pub ran_ms: u64,
}
