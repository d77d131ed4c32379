//! The end of a host: what it died of, what becomes of its job, and who gets its work.

use crate::events::HostEvent;
use crate::jobs::JobResult;
use crate::pool::{Active, Core, HostId, Role, Slot, State, Stop, Work};
use crate::recall::TRIES;
use crate::report::{self, About, Death, Ending};
use std::sync::Arc;
use std::time::Duration;

impl Core {
    /// The process has ended or is about to: it gets nothing new.
    pub(crate) fn gone(&self, id: HostId) {
        if let Some(slot) = self.lock().hosts.get_mut(&id) {
            slot.gone = true;
        }
    }

    /// The process has been reaped.
    pub(crate) fn died(core: &Arc<Self>, id: HostId, death: Death, ending: Option<Ending>) {
        let mut state = core.lock();
        let Some(mut slot) = state.hosts.remove(&id) else {
            return;
        };
        let ending = slot.ending.take().or(ending);
        let pid = slot.link.pid_number();
        let unexpected = slot.unexpected(ending.as_ref());
        state.burials += 1;
        state.deaths |= ending != Some(Ending::Wanted);
        // What it had not even begun with never was its own.
        let stopped = state.hand_back(&mut slot);
        let mut lost = core.hand_on(&mut state, &mut slot, &death, ending.as_ref());
        if state.closing {
            let waiting = std::mem::take(&mut state.pending);
            lost.extend(
                waiting
                    .into_iter()
                    .map(|(work, _)| (work, JobResult::Cancelled)),
            );
        }
        let work = slot.work.take();
        let about = work.as_ref().map(|active| About {
            loading: active.loads.last().cloned(),
            opened: slot.base != 0,
            ..state.about(&active.work, pid)
        });
        if let Role::Build(build) = &slot.role {
            // A death that ends a job is told by that job's result.
            if unexpected && work.is_none() {
                core.events.push(HostEvent::HostDied {
                    build: *build,
                    pid,
                    reason: report::host_died(&death, ending.as_ref()),
                });
            }
            core.drain(&mut state, *build);
        }
        drop(state);
        core.finish_all(lost);
        core.cancelled(stopped);
        if let Role::Probe(probe) = &slot.role {
            let (reason, hints) = report::unopened(&death, ending.as_ref());
            core.reject(probe, reason, hints);
        }
        if let (Some(active), Some(about)) = (work, about) {
            core.bury(active, &about, &slot, &death, ending.as_ref());
        }
        drop(slot); // and with it, perhaps, the copy
        core.lock().burials -= 1;
        core.quiet.notify_waiters();
        Self::dispatch(core);
    }

    /// What the host had been given and not begun with goes to another one, a few times.
    /// Returns what cannot be had at all any more.
    fn hand_on(
        &self,
        state: &mut State,
        slot: &mut Slot,
        death: &Death,
        ending: Option<&Ending>,
    ) -> Vec<(Work, JobResult)> {
        if !slot.unexpected(ending) {
            return Vec::new();
        }
        if slot.greeted {
            // The page may be wrong, but not in every word.
            let words = &death.words;
            let begun = |a: &mut Active| {
                a.work.number() == words.job || words.begun >= a.ticket || words.begun < slot.done
            };
            let sent = slot.base != 0;
            let innocent = |a: &mut Active| match ending {
                Some(Ending::Scribbled { blamed }) => !blamed,
                _ => !begun(a),
            };
            let retry =
                |a: &mut Active| sent && a.started.is_some() && a.tries < TRIES && innocent(a);
            if let Some(active) = slot.work.take_if(retry) {
                self.events.job_waits(&active.work);
                state.queue_again(active.work, active.tries + 1);
            }
            return Vec::new();
        }
        // It never was a host: not the error of anything it was given.
        state.failures += 1;
        if let Role::Probe(_) = &slot.role
            && let Role::Probe(probe) = std::mem::replace(&mut slot.role, Role::Leaving)
        {
            state.probes.push_front(probe);
        }
        if let Some(active) = slot.work.take() {
            state.queue_again(active.work, active.tries);
        }
        self.give_up(state, &format!("it {}", death.how()))
    }

    /// Ends the job that a host died with.
    fn bury(
        self: &Arc<Self>,
        active: Active,
        about: &About,
        slot: &Slot,
        death: &Death,
        ending: Option<&Ending>,
    ) {
        let run = active.started.map_or(Duration::ZERO, |at| at.elapsed());
        let result = match active.stop {
            Some(Stop::Asked) => JobResult::Cancelled,
            Some(Stop::Deadline) => {
                let limit = self.limit_of(&active.work).unwrap_or_default();
                JobResult::TimedOut(report::timed_out(about, limit, true))
            }
            None if ending == Some(&Ending::Wanted) => JobResult::Cancelled,
            None => {
                let error = report::crashed(about, death, ending);
                let words = &death.words;
                if let Some(copy) = slot.copy.clone().filter(|_| !words.frames.is_empty()) {
                    let place = (copy, slot.base, words.pc, words.frames.clone());
                    return self.with_frames(active.work, error, place, JobResult::Crashed, run);
                }
                JobResult::Crashed(error)
            }
        };
        self.finish(active.work, result, run);
    }

    /// Nothing new from now on; what runs is ended, at once or (idle hosts) politely.
    pub(crate) fn close(&self, at_once: bool) {
        let (waiting, stopped) = {
            let mut state = self.lock();
            let hosts: Vec<HostId> = state.hosts.keys().copied().collect();
            let mut stopped = Vec::new();
            for id in hosts {
                stopped.extend(state.recall(id, &self.events));
            }
            state.closing = true;
            state.probes.clear();
            state.warm.clear();
            for slot in state.hosts.values_mut() {
                let polite = !at_once && slot.ready && slot.work.is_none();
                if polite && !matches!(slot.role, Role::Leaving) {
                    slot.leave(self.config.shutdown_timeout);
                } else if !polite {
                    slot.ending = Some(Ending::Wanted);
                    slot.link.kill();
                }
            }
            state.builds.clear();
            state.unclaimed.clear();
            (std::mem::take(&mut state.pending), stopped)
        };
        self.cancelled(stopped);
        let cancelled = |(work, _)| (work, JobResult::Cancelled);
        self.finish_all(waiting.into_iter().map(cancelled).collect());
    }
}

impl Slot {
    fn unexpected(&self, ending: Option<&Ending>) -> bool {
        ending != Some(&Ending::Wanted) && self.work.as_ref().is_none_or(|a| a.stop.is_none())
    }
}
