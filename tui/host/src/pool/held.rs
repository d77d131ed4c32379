//! Jobs that a person holds: at a place that they have reached, or for a debugger. The limits of time stand still
//! meanwhile, and what is held is not part of the agent's time.

use super::Pool;
use super::host::{Host, HostId};
use super::news::Effect;
use super::queue::SLOW;
use super::work::Active;
use crate::events::HostEvent;
use std::sync::Arc;
use std::time::Instant;
use wb_core::ids::JobId;
use wb_core::pause::PausePlace;

impl Pool {
    /// A job has reached a place, and waits there.
    ///
    /// # Errors
    /// It is not the job that the host was given, nobody looks at it, or it waits at another place already.
    pub(super) fn paused(
        &mut self,
        id: HostId,
        (job, call): (u64, u64),
        at: PausePlace,
    ) -> Result<(), String> {
        let now = self.now;
        let Some(host) = self.hosts.get_mut(&id) else {
            return Ok(());
        };
        let running = host.work.as_mut().filter(|active| active.is_running(job));
        let looked_at = |active: &&mut Active| active.work.job().is_some_and(|job| job.pauses);
        let Some(active) = running.filter(looked_at) else {
            return Err(format!("a place of job {job}, which it was not asked for"));
        };
        if active.stop.is_some() {
            let why = "the attempt is to stop";
            self.effects.push(Effect::RefuseCall {
                host: id,
                call,
                why,
            });
            return Ok(());
        }
        if active.held.call.is_some() {
            return Err(format!("a place of job {job}, which waits at another one"));
        }
        active.held.call = Some((call, at.words()));
        host.hold_clock(now);
        // A person is not a slow agent.
        host.check_at = None;
        // What the host was sent ahead must not wait for a person.
        self.recall(id);
        let job = JobId(job);
        self.effects
            .push(Effect::Emit(HostEvent::Paused { job, at }));
        Ok(())
    }

    /// Lets a job go on. One that does not wait, or no longer, is left alone.
    pub(super) fn go_on(&mut self, job: JobId, edited: Option<Arc<str>>) {
        let Some(id) = self.host_of(job) else { return };
        let now = self.now;
        let Some(host) = self.hosts.get_mut(&id) else {
            return;
        };
        let held = host.work.as_mut().map(|active| &mut active.held);
        if let Some((call, _)) = held.and_then(|held| held.call.take()) {
            host.hold_clock(now);
            host.check_at = now.checked_add(SLOW);
            self.effects.push(Effect::GoOn {
                host: id,
                call,
                edited,
            });
        }
    }

    /// A debugger is about to be attached to the process of a job, or no longer.
    pub(super) fn attach(&mut self, job: JobId, on: bool) {
        let now = self.now;
        let host = (self.host_of(job)).and_then(|id| self.hosts.get_mut(&id));
        if let Some(host) = host
            && let Some(active) = &mut host.work
        {
            active.held.attached = on;
            host.hold_clock(now);
        }
    }

    /// Hosts whose work waits for a person and that are kept beside the others: they take nobody's turn. At most as
    /// many as jobs run at a time; the work of any further ones keeps its turn, so that a pause point that every task
    /// meets cannot start hosts without end.
    pub(super) fn beside(&self) -> usize {
        let waiting = self.hosts.values().filter(|host| host.waits_for_person());
        waiting.count().min(self.concurrency)
    }

    /// The host that has begun a job.
    fn host_of(&self, job: JobId) -> Option<HostId> {
        let has = |host: &Host| host.work.as_ref().is_some_and(|a| a.is_running(job.0));
        let found = self.hosts.iter().find(|(_, host)| has(host));
        found.map(|(id, _)| *id)
    }
}

impl Host {
    /// Whether its work is at a place where a person holds it.
    pub(super) fn waits_for_person(&self) -> bool {
        let held = |active: &Active| active.held.call.is_some() && active.stop.is_none();
        !self.gone && self.work.as_ref().is_some_and(held)
    }

    /// Stops the clock of its work, or lets it go on, as far as it is held.
    fn hold_clock(&mut self, now: Instant) {
        let left = |at: Instant| at.saturating_duration_since(now);
        let Some(active) = &mut self.work else { return };
        let held = active.held.call.is_some() || active.held.attached;
        match active.held.clock.take() {
            None if held => {
                let limits = (active.deadline.take(), self.load_until.take());
                active.held.clock = Some((now, limits.0.map(left), limits.1.map(left)));
            }
            Some((since, attempt, loading)) if !held => {
                let took = now.saturating_duration_since(since);
                self.load_until = loading.and_then(|left| now.checked_add(left));
                let deadline = attempt.and_then(|left| now.checked_add(left));
                match &mut active.loading {
                    // Loading takes its own time off; what was held meanwhile is not part of it.
                    Some((began, left)) => {
                        *began += took;
                        *left = left.take().or(attempt);
                        active.loaded += took;
                    }
                    None => {
                        active.deadline = deadline;
                        active.loaded += took;
                    }
                }
            }
            clock => active.held.clock = clock,
        }
    }
}
