//! Jobs that wait for a host: what the hosts are busy with, and when one has begun.

use super::*;

impl State {
    /// A host has begun with a job; `None`: it waits for one again.
    pub(super) fn job_in_host(&mut self, job: JobId, pid: Option<u32>) {
        let now = self.now;
        if let Some(step) = self.step.as_mut().filter(|s| s.job == Some(job)) {
            step.pid = pid;
            step.since = now;
            step.loading = None;
        } else if let Some(running) = self.watch.job_mut(job) {
            running.pid = pid;
            running.loading = None;
        } else if let Some(run) = &mut self.run {
            match pid {
                Some(pid) => run.job_started(job, pid, now),
                None => run.job_waits(job),
            }
        }
    }

    /// What the open task waits for, while its agent was called and no host has begun with it.
    #[must_use]
    pub fn step_waits_for(&self) -> Option<String> {
        let step = self.step.as_ref().filter(|s| s.waits())?;
        Some(self.waits_for(step.build, Priority::Person))
    }

    /// What a job of a build waits for: what is in the hosts now.
    #[must_use]
    pub fn waits_for(&self, build: BuildId, priority: Priority) -> String {
        let step = self
            .step
            .as_ref()
            .filter(|s| s.pid.is_some() && s.job.is_some());
        let step = step.filter(|_| priority != Priority::Person);
        let watched = self.watch.jobs().values().filter(|job| job.pid.is_some());
        let watched = watched.map(|job| job.build).max();
        let watched = watched.filter(|_| priority != Priority::Watch);
        let run = self.run.as_ref().filter(|r| r.works());
        let inside = match (step, watched, run) {
            (Some(step), _, _) => format!("the stepped task on build {} in it", step.build),
            (_, Some(build), _) => format!("watch run on build {build} in it"),
            (_, _, Some(run)) => format!("run {} on build {} in it", run.id, run.build),
            _ => return format!("waiting for a host that opens build {build}"),
        };
        format!("waiting for a free host · {inside}")
    }
}
