//! Stopping: jobs that are not wanted any more, limits of time and memory, and the end of the program.

use super::Pool;
use super::host::{Host, HostId, Role};
use super::news::Effect;
use super::work::Stop;
use crate::report::Ending;
use agent_abi::table::flags;
use std::time::{Duration, Instant};
use wb_core::ids::JobId;

impl Pool {
    /// Ends a job that waits; asks one that runs to stop, and kills its host after a grace period or, with
    /// `kill`, at once.
    pub(super) fn stop(&mut self, job: JobId, kill: bool) {
        let number = job.0;
        let at = (self.pending.iter()).position(|(work, _)| work.number() == number);
        if let Some((work, _)) = at.and_then(|at| self.pending.remove(at)) {
            return self.cancelled(work);
        }
        let has = |host: &Host| {
            let active = host.work.as_ref().map(|a| a.work.number());
            let queued = host.queue.iter().map(|q| q.work.number());
            active.into_iter().chain(queued).any(|n| n == number)
        };
        let Some(id) = self.hosts.iter().find(|(_, h)| has(h)).map(|(id, _)| *id) else {
            return;
        };
        let grace = if kill { Duration::ZERO } else { self.grace(id) };
        let Some(host) = self.hosts.get_mut(&id) else {
            return;
        };
        if let Some(queued) = host.queue.iter_mut().find(|q| q.work.number() == number) {
            queued.stop = true;
        } else if let Some(active) = host.work.take_if(|a| a.started.is_none()) {
            return self.cancelled(active.work);
        } else {
            self.ask_to_stop(id, Stop::Requested, grace);
        }
        // Nobody waits behind work that is stopping, and it may not even have begun.
        if !self.recall(id) {
            self.check_limits(id);
        }
    }

    fn grace(&self, id: HostId) -> Duration {
        let work = self.hosts.get(&id).and_then(|host| host.work.as_ref());
        let flags = work.map_or(0, |active| self.agent_flags(&active.work));
        if flags & flags::CANCEL_AWARE != 0 {
            self.config.grace
        } else {
            self.config.short_grace
        }
    }

    /// Asks the active work of a host to stop; after `grace` it ends with its host.
    pub(super) fn ask_to_stop(&mut self, id: HostId, why: Stop, grace: Duration) {
        let host = self.hosts.get_mut(&id);
        if let Some(active) = host.and_then(|host| host.work.as_mut()) {
            let kill_at = self.now + grace;
            active.stop = Some(why);
            active.kill_at = Some(active.kill_at.map_or(kill_at, |at| at.min(kill_at)));
        }
    }

    /// A time limit of this host may have passed.
    pub(super) fn alarm(&mut self, id: HostId) {
        let Some(host) = self.hosts.get_mut(&id) else {
            return;
        };
        let passed = |limit: Option<Instant>| limit.is_some_and(|limit| limit <= self.now);
        let slow = passed(host.check_at);
        let late = host.work.as_ref().is_some_and(|a| passed(a.deadline));
        if slow || late {
            (host.check_at, host.quick) = (None, false);
            let contradiction = host.contradiction();
            let build = host.build().and_then(|build| self.builds.get_mut(&build));
            if let Some(build) = build {
                build.slow |= slow;
            }
            if let Some(why) = contradiction {
                self.distrust(id, why);
            } else if self.recall(id) {
                return; // the limits are checked once it is known what has begun
            }
        }
        self.check_limits(id);
    }

    pub(super) fn check_limits(&mut self, id: HostId) {
        let grace = self.grace(id);
        let now = self.now;
        let passed = |limit: &mut Instant| *limit <= now;
        let Some(host) = self.hosts.get_mut(&id) else {
            return;
        };
        let mut kill = host.leave_until.take_if(passed).is_some();
        if host.load_until.take_if(passed).is_some() {
            let limit = self.config.load_timeout;
            host.ending.get_or_insert(Ending::LoadTimeout(limit));
            kill = true;
        }
        let mut late = false;
        if let Some(active) = &mut host.work {
            kill |= active.kill_at.take_if(passed).is_some();
            late = active.stop.is_none() && active.deadline.is_some_and(|at| at <= now);
        }
        if kill {
            self.effects.push(Effect::Kill { host: id });
        }
        if late {
            self.ask_to_stop(id, Stop::Deadline, grace);
        }
    }

    /// Kills a host that uses more memory than it may.
    pub(super) fn memory(&mut self, id: HostId, used: u64) {
        let limit = self.config.memory_limit.filter(|limit| used > *limit);
        if let (Some(limit), Some(host)) = (limit, self.hosts.get_mut(&id))
            && host.ending.is_none()
        {
            host.ending = Some(Ending::Memory { used, limit });
            self.effects.push(Effect::Kill { host: id });
        }
    }

    /// Nothing new from now on. What runs is killed; idle hosts may leave by themselves, unless it has to
    /// be `at_once`.
    pub(super) fn close(&mut self, at_once: bool) {
        self.closing = true;
        self.probes.clear();
        self.warm.clear();
        self.builds.clear();
        self.unclaimed.clear();
        let hosts: Vec<HostId> = self.hosts.keys().copied().collect();
        for id in hosts {
            let Some(host) = self.hosts.get_mut(&id) else {
                continue;
            };
            if at_once || !host.ready || host.work.is_some() {
                host.ending = Some(Ending::Wanted);
                self.effects.push(Effect::Kill { host: id });
            } else if !matches!(host.role, Role::Leaving) {
                self.leave(id);
            }
        }
    }
}
