//! Stopping: jobs that are not wanted any more, and limits of time that have passed.

use crate::pool::{Active, Core, HostId, Slot, State, Stop, Work};
use crate::report::Ending;
use agent_abi::table::flags;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};
use wb_core::ids::JobId;

impl Core {
    pub(crate) fn stop(&self, job: JobId, now: bool) {
        let stopped = {
            let mut state = self.lock();
            let at = state.pending.iter().position(|(w, _)| w.number() == job.0);
            let waiting = at.and_then(|at| state.pending.remove(at));
            let stopped = match waiting {
                Some((work, _)) => vec![work],
                None => self.stop_in_host(&mut state, job, now),
            };
            for work in &stopped {
                self.drain(&mut state, work.build());
            }
            stopped
        };
        self.cancelled(stopped);
    }

    /// Stops a job that a host has; gives back what need not run, because the host has not begun it.
    fn stop_in_host(&self, state: &mut State, job: JobId, now: bool) -> Vec<Work> {
        let has = |slot: &Slot| {
            let works = slot.work.as_ref().map(|a| a.work.number());
            let waits = slot.line.iter().map(|l| l.work.number());
            works.into_iter().chain(waits).any(|number| number == job.0)
        };
        let Some(id) = state.hosts.iter().find(|(_, s)| has(s)).map(|(id, _)| *id) else {
            return Vec::new();
        };
        let grace = self.grace(state, id);
        let mut stopped = state.recall(id, &self.events);
        let at = state.pending.iter().position(|(w, _)| w.number() == job.0);
        if let Some((work, _)) = at.and_then(|at| state.pending.remove(at)) {
            stopped.push(work);
            return stopped;
        }
        let Some(slot) = state.hosts.get_mut(&id) else {
            return stopped;
        };
        if let Some(lined) = slot.line.iter_mut().find(|l| l.work.number() == job.0) {
            lined.stop = true; // its host is beginning with it right now
        } else if slot.work.as_ref().is_some_and(|a| a.started.is_none()) {
            stopped.extend(slot.work.take().map(|a| a.work));
        } else {
            self.ask_to_stop(slot, Stop::Asked, grace);
            if now {
                slot.link.kill();
            }
        }
        stopped
    }

    fn grace(&self, state: &State, host: HostId) -> Duration {
        let work = state.hosts.get(&host).and_then(|slot| slot.work.as_ref());
        let flags = work.map_or(0, |active| state.agent_flags(&active.work));
        if flags & flags::CANCEL_AWARE != 0 {
            self.config.grace
        } else {
            self.config.short_grace
        }
    }

    /// A time limit of this host may have passed.
    pub(crate) fn alarm(&self, id: HostId) {
        let mut state = self.lock();
        let grace = self.grace(&state, id);
        let now = Instant::now();
        let stopped = self.see_whether_slow(&mut state, id, now);
        self.see_limits(&mut state, id, now, grace);
        drop(state);
        self.cancelled(stopped);
    }

    fn see_limits(&self, state: &mut State, id: HostId, now: Instant, grace: Duration) {
        let passed = |limit: Option<Instant>| limit.is_some_and(|limit| limit <= now);
        let Some(slot) = state.hosts.get_mut(&id) else {
            return;
        };
        if passed(slot.load_until) {
            slot.load_until = None;
            let limit = self.config.load_timeout;
            slot.ending.get_or_insert(Ending::LoadTimeout(limit));
            slot.link.kill();
        }
        if passed(slot.leave_until) {
            slot.leave_until = None;
            slot.link.kill();
        }
        let late = |a: &Active| passed(a.deadline) && a.stop.is_none();
        if slot.work.as_ref().is_some_and(late) {
            self.ask_to_stop(slot, Stop::Deadline, grace);
        }
        if let Some(active) = slot.work.as_mut().filter(|a| passed(a.kill_at)) {
            active.kill_at = None;
            slot.link.kill();
        }
        slot.set_alarm();
    }

    /// Work that is slow, or out of time, keeps nobody waiting behind it. Returns what was to be
    /// stopped and need not run.
    fn see_whether_slow(&self, state: &mut State, id: HostId, now: Instant) -> Vec<Work> {
        let passed = |limit: Option<Instant>| limit.is_some_and(|limit| limit <= now);
        let Some(slot) = state.hosts.get_mut(&id) else {
            return Vec::new();
        };
        let slow = passed(slot.look_at);
        let late = slot.work.as_ref().is_some_and(|a| passed(a.deadline));
        if !slow && !late {
            return Vec::new();
        }
        slot.look_at = None;
        let build = slot.build();
        if let Some(known) = build.and_then(|build| state.builds.get_mut(&build)) {
            known.slow |= slow;
        }
        if state.contradicts_itself(id) {
            return state.distrust(id);
        }
        state.recall(id, &self.events)
    }

    /// Asks work that runs in a host to stop, and ends it with its host after `grace`.
    pub(crate) fn ask_to_stop(&self, slot: &mut Slot, why: Stop, grace: Duration) {
        if let Some(active) = &mut slot.work {
            active.stop = Some(why);
            active.calls.clear();
            active.kill_at.get_or_insert(Instant::now() + grace);
            let number = active.work.number();
            slot.link
                .page
                .requests
                .cancel
                .store(number, Ordering::SeqCst);
        }
        slot.set_alarm();
    }
}
