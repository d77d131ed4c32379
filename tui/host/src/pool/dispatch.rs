//! Which host gets what: probes first, then work by its priority, then builds without a host; and one blank
//! spare, so that a reload or a crash does not wait for a process to start.

use super::Pool;
use super::builds::Probe;
use super::host::{Host, HostId, Role};
use super::news::{Batch, Effect};
use super::work::{Active, Work};
use crate::events::HostEvent;
use crate::jobs::JobResult;
use crate::report::{self, Ending};
use crate::store::StagedCopy;
use agent_abi::table::flags;
use std::sync::Arc;
use std::time::Duration;
use wb_core::ids::BuildId;
use wb_core::loading::Opening;

/// How far down the pending work to search for some whose agent is not busy.
const LOOK_AHEAD: usize = 64;
/// Blank hosts in a row that may fail before the pending work is given up.
const FAILURES: u32 = 3;

impl Pool {
    /// Gives out what can be given out, and requests the hosts that are missing.
    pub(super) fn dispatch(&mut self) {
        let mut missing = self.give_probes();
        missing += self.give_work();
        self.queue_ahead();
        self.dismiss_surplus();
        missing += self.give_warm();
        let blank = self.hosts.values().filter(|h| h.is_blank()).count();
        let spare = usize::from(self.needs_spare());
        for _ in (blank + self.spawning)..(missing + spare) {
            self.spawning += 1;
            self.effects.push(Effect::Spawn);
        }
    }

    /// Whether to start a host ahead of need: not after failures; and where reloads are rare, only the very
    /// first one, or when hosts are dying.
    fn needs_spare(&self) -> bool {
        let worth_it = self.config.spare || self.hosts.is_empty() || self.deaths;
        worth_it && self.failures == 0
    }

    /// Returns how many probes still wait for a blank host.
    fn give_probes(&mut self) -> usize {
        while let Some(id) = self.spare().filter(|_| !self.probes.is_empty())
            && let Some(probe) = self.probes.pop_front()
        {
            self.open(id, &probe.copy, BuildId(0));
            self.effects.push(Effect::Emit(HostEvent::Opening {
                library: probe.library.clone(),
                part: Opening::Library,
            }));
            if let Some(host) = self.hosts.get_mut(&id) {
                host.role = Role::Probe(probe);
            }
        }
        self.probes.len()
    }

    /// Returns how many blank hosts would let more work begin.
    fn give_work(&mut self) -> usize {
        let (mut at, mut missing) = (0, 0);
        while at < self.pending.len().min(LOOK_AHEAD) {
            if self.busy_hosts() + missing >= self.concurrency {
                break;
            }
            let work = &self.pending[at].0;
            let build = work.build();
            if self.must_wait(work) {
                at += 1;
                continue;
            }
            let Some(host) = self.host_for(build) else {
                missing += usize::from(self.may_add(missing));
                at += 1;
                continue;
            };
            if let Some((work, tries)) = self.pending.remove(at) {
                self.assign(host, work, tries);
            }
        }
        missing
    }

    /// A build with no host at all gets one. Returns how many still wait.
    fn give_warm(&mut self) -> usize {
        let mut waiting = std::mem::take(&mut self.warm);
        waiting.retain(|build| {
            let wanted = self
                .builds
                .get(build)
                .is_some_and(|b| !b.retired && !b.resting)
                && !self.hosts.values().any(|h| h.holds(*build));
            wanted && self.host_for(*build).is_none() && self.may_add(0)
        });
        self.warm = waiting;
        self.warm.len()
    }

    /// An idle host of the build, one that is still opening it and has no work yet, or a spare
    /// that opens it now.
    fn host_for(&mut self, build: BuildId) -> Option<HostId> {
        let free = |(_, host): &(&HostId, &Host)| host.holds(build) && host.is_free();
        let best = |(_, host): &(&HostId, &Host)| (!host.ready, host.idle_since);
        if let Some((id, _)) = self.hosts.iter().filter(free).min_by_key(best) {
            return Some(*id);
        }
        if !self.may_add(0) {
            return None;
        }
        let spare = self.spare()?;
        let copy = Arc::clone(&self.builds.get(&build)?.copy);
        if self.build_hosts() >= self.most_hosts() {
            self.evict();
        }
        self.hosts.get_mut(&spare)?.role = Role::Build(build);
        self.open(spare, &copy, build);
        Some(spare)
    }

    /// Whether one more host may hold a build, when `more` are on their way.
    fn may_add(&self, more: usize) -> bool {
        let idle = self.hosts.values().filter(|h| h.is_idle()).count();
        self.build_hosts() + more < self.most_hosts() + idle
    }

    /// Hosts that may hold a build. Quick agents keep the cores busy with as many as there are
    /// cores; slow ones may be waiting for somebody else, and get a host for each wanted job. Those whose work waits
    /// for a person come on top.
    fn most_hosts(&self) -> usize {
        let usual = self.config.max_hosts.max(1);
        let most = if self.builds.values().any(|b| b.slow) {
            usual.max(self.concurrency)
        } else {
            usual
        };
        most + self.beside()
    }

    /// Once a task that waited for a person has gone on, there may be a host too many.
    fn dismiss_surplus(&mut self) {
        for _ in self.most_hosts()..self.build_hosts() {
            self.evict();
        }
    }

    /// The host that has been idle for longest makes room.
    fn evict(&mut self) {
        let idle = self.hosts.iter().filter(|(_, host)| host.is_idle());
        let oldest = idle.min_by_key(|(_, h)| h.idle_since).map(|(id, _)| *id);
        if let Some(id) = oldest {
            self.leave(id);
        }
    }

    /// Counts a host that has yet to confirm what was recalled: it is soon free, and has loaded what its
    /// agents need. Those beside are not counted.
    fn busy_hosts(&self) -> usize {
        let busy = self.hosts.values().filter(|h| !h.is_free()).count();
        busy - self.beside()
    }

    fn build_hosts(&self) -> usize {
        self.hosts.values().filter(|h| h.build().is_some()).count()
    }

    fn spare(&self) -> Option<HostId> {
        let mut hosts = self.hosts.iter();
        hosts.find(|(_, host)| host.is_blank()).map(|(id, _)| *id)
    }

    /// The agent runs one task at a time, and one is running.
    fn must_wait(&self, work: &Work) -> bool {
        let Some(job) = work.job() else {
            return false;
        };
        let same = |host: &Host| {
            let active = host.work.as_ref().and_then(|active| active.work.job());
            active.is_some_and(|other| (other.build, other.agent) == (job.build, job.agent))
        };
        self.agent_flags(work) & flags::NO_PARALLEL != 0 && self.hosts.values().any(same)
    }

    fn assign(&mut self, id: HostId, work: Work, tries: u32) {
        if let Some(host) = self.hosts.get_mut(&id) {
            host.work = Some(Active::new(work, tries, 0));
            if host.ready {
                self.send(id);
            }
        }
    }

    /// Sends the assigned work of a ready host to it.
    pub(super) fn send(&mut self, id: HostId) {
        let project = (self.project_number, self.project.clone());
        let Some(host) = self.hosts.get_mut(&id) else {
            return;
        };
        let Some(mut active) = host.work.take() else {
            return;
        };
        host.ticket += 1;
        active.ticket = host.ticket;
        let batch = Batch {
            project: host.bring(project),
            work: vec![(host.ticket, active.work.clone())],
        };
        self.begun(id, active);
        self.effects.push(Effect::Send { host: id, batch });
    }

    fn open(&mut self, id: HostId, copy: &Arc<StagedCopy>, build: BuildId) {
        if let Some(host) = self.hosts.get_mut(&id) {
            host.copy = Some(Arc::clone(copy));
            host.logs_as = build;
            host.load_until = self.now.checked_add(self.config.load_timeout);
            let copy = Arc::clone(copy);
            let resource = (self.builds.get(&build)).and_then(|b| b.resource.clone());
            self.effects.push(Effect::Open {
                host: id,
                copy,
                build,
                resource,
            });
        }
    }

    /// Asks a host to call its library's `shutdown` and to end; it is killed when it takes too long.
    pub(super) fn leave(&mut self, id: HostId) {
        if let Some(host) = self.hosts.get_mut(&id) {
            host.role = Role::Leaving;
            host.ending = Some(Ending::Wanted);
            host.leave_until = self.now.checked_add(self.config.shutdown_timeout);
            self.effects.push(Effect::Leave { host: id });
        }
    }

    /// The newest content wins: an older probe of the same library is not needed any more.
    pub(super) fn supersede(&mut self, probe: &Probe) {
        self.probes.retain(|p| p.library != probe.library);
        for (id, host) in &mut self.hosts {
            if matches!(&host.role, Role::Probe(p) if p.library == probe.library) {
                host.role = Role::Leaving;
                host.ending = Some(Ending::Wanted);
                self.effects.push(Effect::Kill { host: *id });
            }
        }
    }

    pub(super) fn spawned(&mut self, id: HostId, pid: u32) {
        self.spawning -= 1;
        let mut host = Host::new(pid, self.now);
        if self.closing {
            host.role = Role::Leaving;
            host.ending = Some(Ending::Wanted);
            self.effects.push(Effect::Kill { host: id });
        }
        self.hosts.insert(id, host);
    }

    pub(super) fn spawn_failed(&mut self, why: &str) {
        self.spawning -= 1;
        self.failures += 1;
        self.give_up(why);
    }

    /// After several failures in a row, everything that waits for a new host fails.
    pub(super) fn give_up(&mut self, why: &str) {
        if self.failures < FAILURES {
            return;
        }
        for probe in self.probes.drain(..) {
            self.effects.push(Effect::Emit(HostEvent::Rejected {
                library: probe.library,
                hash: probe.hash,
                reason: format!("no process could be started to open it ({why})"),
                hints: vec!["check limits on processes and memory (`ulimit -a`)".into()],
            }));
        }
        self.warm.clear();
        let served: Vec<_> = self.hosts.values().filter_map(Host::build).collect();
        let pending = std::mem::take(&mut self.pending).into_iter();
        let (keep, lost): (Vec<_>, Vec<_>) =
            pending.partition(|(work, _)| served.contains(&work.build()));
        self.pending = keep.into();
        let error = report::no_host(why);
        for (work, _) in lost {
            self.end(work, JobResult::Failed(error.clone(), None), Duration::ZERO);
        }
    }
}
