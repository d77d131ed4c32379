//! The end of a host: what it died of, how its work ends, and who gets the work that it had not
//! begun.

use super::Pool;
use super::host::{Host, HostId, Role};
use super::news::Effect;
use super::recall::TRIES;
use super::work::{Active, Stop};
use crate::events::HostEvent;
use crate::failure;
use crate::jobs::JobResult;
use crate::report::{self, About, Death, Ending};

impl Pool {
    /// The process has been reaped.
    pub(super) fn died(&mut self, id: HostId, death: &Death) {
        let Some(mut host) = self.hosts.remove(&id) else {
            return;
        };
        self.effects.push(Effect::Remove { host: id });
        let ending = host.ending.take();
        let ending = ending.as_ref();
        let stopping = host.work.as_ref().is_some_and(|a| a.stop.is_some());
        let unexpected = ending != Some(&Ending::Wanted) && !stopping;
        self.deaths |= ending != Some(&Ending::Wanted);
        // What it had not even begun has nothing to do with its death.
        self.hand_back(host.queue.drain(..).collect());
        if unexpected && host.greeted {
            self.retry_elsewhere(&mut host, death, ending);
        } else if unexpected {
            self.never_was_a_host(&mut host, death);
        }
        if let Some(active) = host.work.take() {
            self.end_with_host(active, &host, death, ending);
        } else if let Role::Build(build) = host.role
            && unexpected
        {
            self.effects.push(Effect::Emit(HostEvent::HostDied {
                build,
                pid: host.pid,
                reason: report::host_died(death, ending),
            }));
        }
        match host.role {
            Role::Build(build) => self.drain(build),
            Role::Probe(probe) => {
                let (reason, hints) = report::unopened(death, ending);
                self.reject(probe, reason, hints);
            }
            _ => {}
        }
        self.effects.extend(host.copy.map(Effect::Release));
    }

    /// What the host had been sent and not begun goes to another one, a few times.
    fn retry_elsewhere(&mut self, host: &mut Host, death: &Death, ending: Option<&Ending>) {
        // The page may be wrong, but not in every word.
        let words = &death.words;
        let (done, sent) = (host.done, host.base != 0);
        let innocent = |a: &Active| match ending {
            Some(Ending::Scribbled { blamed }) => !blamed,
            _ => {
                let begun = words.begun >= a.ticket || words.begun < done;
                !begun && a.work.number() != words.job
            }
        };
        let retry = |a: &mut Active| sent && a.started.is_some() && a.tries < TRIES && innocent(a);
        if let Some(active) = host.work.take_if(retry) {
            if let Some(job) = active.work.job() {
                self.effects
                    .push(Effect::Emit(HostEvent::Waits { job: job.job }));
            }
            self.wait_again(active.work, active.tries + 1);
        }
    }

    /// A process that ended before it had greeted: nothing that it was given is to blame.
    fn never_was_a_host(&mut self, host: &mut Host, death: &Death) {
        self.failures += 1;
        if let Role::Probe(probe) = &host.role {
            self.probes.push_front(probe.clone());
            host.role = Role::Leaving;
        }
        if let Some(active) = host.work.take() {
            self.wait_again(active.work, active.tries);
        }
        self.give_up(&format!("it {}", death.how()));
    }

    /// Ends the work that a host died with.
    fn end_with_host(
        &mut self,
        active: Active,
        host: &Host,
        death: &Death,
        ending: Option<&Ending>,
    ) {
        let run = active.ran(self.now);
        let about = About {
            loading: active.loads.last().cloned(),
            held: active.held.call.as_ref().map(|(_, at)| at.clone()),
            opened: host.base != 0,
            ..self.about(&active.work, host.pid)
        };
        let result = match active.stop {
            Some(Stop::Requested) => JobResult::Cancelled,
            Some(Stop::Deadline) => {
                let limit = self.limit_of(&active.work).unwrap_or_default();
                JobResult::TimedOut(report::timed_out(&about, limit, true))
            }
            None if ending == Some(&Ending::Wanted) => JobResult::Cancelled,
            None => {
                let error = match about.resource {
                    Some(_) => failure::resource_ended(&about, death, ending),
                    None => report::crashed(&about, death, ending),
                };
                let words = &death.words;
                let ended = (active.work, JobResult::Crashed(error), run);
                let place = (host.base, words.pc, words.frames.clone());
                return self.end_explained(ended, host.copy.clone(), place);
            }
        };
        self.end(active.work, result, run);
    }
}
