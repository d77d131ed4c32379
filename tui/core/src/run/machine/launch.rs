//! Jobs of a run: which task is next, what a finished job means, when hosts die in a row.

use super::{AHEAD, Around, Beside, CRASHES_IN_A_ROW, QUICK_US};
use super::{Batch, BatchPhase, Run, Running};
use crate::error::{Error, ErrorKind};
use crate::event::{Effect, Launch, Priority};
use crate::ids::{BatchId, JobId, Millis};
use crate::work::Outcome;
use std::sync::Arc;

impl Run {
    pub(super) fn launch(&mut self, around: &mut Around<'_>, effects: &mut Vec<Effect>) {
        let limit = self.most_jobs();
        let Some(stage) = self.stage() else { return };
        while self.jobs.len() < limit && !self.paused && !self.congested() {
            let Some((id, index)) = self.next_work() else {
                break;
            };
            let Some(batch) = self.batches.iter_mut().find(|b| b.id == id) else {
                break;
            };
            let work = &mut batch.work[index];
            let Some(inputs) = work.inputs.clone() else {
                break;
            };
            work.attempts += 1;
            *around.next_job += 1;
            let job = JobId(*around.next_job);
            self.jobs.insert(
                job,
                Running {
                    batch: id,
                    index,
                    since: around.now,
                    pid: 0,
                    loading: None,
                    stopped: false,
                    beside: None,
                },
            );
            effects.push(Effect::Launch(Launch {
                job,
                build: self.build,
                agent: self.agent,
                attempt: work.attempts,
                stage,
                inputs,
                deadline_ms: self.limit_ms(),
                priority: Priority::Bulk,
                pauses: false,
                given: Arc::default(),
            }));
        }
        if self.stopping() && self.jobs.is_empty() {
            self.leave_the_rest();
        }
    }

    /// Jobs that may be under way, those that wait for a person with them. Of these each has a task in its place; those
    /// that keep a host only as far as there are hosts beside the others.
    fn most_jobs(&self) -> usize {
        let beside = |of: Beside| self.jobs.values().filter(|j| j.beside == Some(of)).count();
        let outside = beside(Beside::Outside);
        if self.serial {
            return 1 + outside;
        }
        let jobs = self.spec.concurrency.max(1);
        jobs + self.ahead() + outside + beside(Beside::InHost).min(jobs)
    }

    /// A job waits for a person, or no longer.
    pub(crate) fn waits_beside(&mut self, job: JobId, beside: Option<Beside>) {
        if let Some(running) = self.jobs.get_mut(&job) {
            running.beside = beside;
        }
    }

    /// Jobs to give out beyond those that run: handing a quick job over costs more than running it.
    /// They are begun in order all the same, and a run that must stop at a certain failure gives
    /// out none.
    fn ahead(&self) -> usize {
        if self.spec.max_failures.is_some() {
            0
        } else {
            self.quick.min(AHEAD)
        }
    }

    /// The next task to run: a retry first, then in order.
    fn next_work(&mut self) -> Option<(BatchId, usize)> {
        let stopping = self.stopping();
        let in_order = self.spec.concurrency <= 1;
        for batch in &mut self.batches {
            match batch.phase {
                BatchPhase::Running => {}
                // One job at a time means in the order of the tasks, whichever inputs came first.
                BatchPhase::Fetching if in_order => return None,
                BatchPhase::Fetching | BatchPhase::Committing => continue,
            }
            if let Some(index) = batch.again.pop_front() {
                return Some((batch.id, index));
            }
            if stopping {
                continue;
            }
            while batch.next < batch.work.len() {
                let index = batch.next;
                batch.next += 1;
                if batch.work[index].result.is_none() {
                    return Some((batch.id, index));
                }
            }
        }
        None
    }

    /// Stopping: what was not begun is left where it is, without a report of failure.
    fn leave_the_rest(&mut self) {
        for batch in &mut self.batches {
            if batch.phase == BatchPhase::Committing {
                continue;
            }
            batch.work.retain(|w| w.result.is_some());
            batch.open = 0;
            batch.next = batch.work.len();
            batch.phase = BatchPhase::Running;
        }
        self.batches.retain(|b| !b.work.is_empty());
    }

    /// No further tasks are taken; what runs finishes.
    pub fn cancel(&mut self) {
        self.cancelled = true;
        self.paused = false;
    }

    /// Time is up: nothing more is begun or tried again, and what is decided goes to its commit at once. Tasks whose
    /// agents still run become a batch of their own; the others are left where they are.
    pub fn wind_up(&mut self) {
        self.cancel();
        self.winding_up = true;
        self.listing = false;
        for batch in std::mem::take(&mut self.batches) {
            match batch.phase {
                BatchPhase::Committing => self.batches.push(batch),
                BatchPhase::Fetching => {}
                BatchPhase::Running => self.split(batch),
            }
        }
    }

    /// Parts what is decided from what runs.
    fn split(&mut self, batch: Batch) {
        let rest = self.new_batch();
        let (mut decided, mut running) = (Vec::new(), Vec::new());
        for (index, work) in batch.work.into_iter().enumerate() {
            let here = |job: &&mut Running| job.batch == batch.id && job.index == index;
            if let Some(job) = self.jobs.values_mut().find(here) {
                (job.batch, job.index) = (rest, running.len());
                running.push(work);
            } else if work.result.is_some() {
                decided.push(work);
            }
        }
        for (id, work) in [(batch.id, decided), (rest, running)] {
            let mut part = Batch::of(id, BatchPhase::Running, work);
            part.next = part.work.len();
            if part.next > 0 {
                self.batches.push(part);
            }
        }
    }

    /// Agents that still run are asked to stop; those that do not listen are ended with their process.
    pub fn stop_agents(&mut self) -> Vec<Effect> {
        let stop = |(job, running): (&JobId, &mut Running)| {
            running.stopped = true;
            Effect::Cancel(*job)
        };
        self.jobs.iter_mut().map(stop).collect()
    }

    /// Whether a job is of this run.
    #[must_use]
    pub fn has(&self, job: JobId) -> bool {
        self.jobs.contains_key(&job)
    }

    /// A host began a job.
    pub fn job_started(&mut self, job: JobId, pid: u32, now: Millis) {
        if let Some(running) = self.jobs.get_mut(&job) {
            running.pid = pid;
            running.since = now;
        }
    }

    /// A job waits for another host.
    pub fn job_waits(&mut self, job: JobId) {
        if let Some(running) = self.jobs.get_mut(&job) {
            running.pid = 0;
            self.loads.jobs -= usize::from(running.loading.take().is_some());
        }
    }

    /// A job ended.
    pub fn job_done(
        &mut self,
        job: JobId,
        result: Result<Arc<Outcome>, Error>,
        crashed: bool,
        run_us: u64,
    ) {
        let Some(running) = self.jobs.remove(&job) else {
            return;
        };
        self.loads.jobs -= usize::from(running.loading.is_some());
        self.crashes = if crashed { self.crashes + 1 } else { 0 };
        let quick = result.is_ok() && run_us <= QUICK_US;
        self.quick = if quick { self.quick + 1 } else { 0 };
        let Some(batch) = self.batches.iter_mut().find(|b| b.id == running.batch) else {
            return;
        };
        let work = &mut batch.work[running.index];
        work.run_us = run_us;
        let again = match &result {
            Ok(_) => false,
            Err(error) => error.retry && work.attempts <= self.spec.retries,
        };
        if self.winding_up && (again || running.stopped && result.is_err()) {
            batch.open -= 1; // without a result there is no report
            return;
        }
        if again {
            batch.again.push_back(running.index);
            return;
        }
        self.known.0 += 1;
        self.known.1 += u64::from(result.is_err());
        if let Ok(outcome) = &result
            && let Some(after) = &outcome.labels_after
        {
            batch.gathered += after.as_str().len() as u64;
        }
        work.result = Some(result);
        batch.open -= 1;
        if self.crashes >= CRASHES_IN_A_ROW && self.fatal.is_none() {
            self.fatal = Some(
                Error::new(
                    ErrorKind::Host,
                    format!("{CRASHES_IN_A_ROW} hosts of build {} died one after the other; the run stops, the tasks stay where they are", self.build),
                )
                .hint("look at the last error, mend the agent and run again"),
            );
        }
    }
}
