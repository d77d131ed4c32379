//! Which host gets what: probes first, then jobs in the order they came, then warm hosts; and one
//! blank spare on its way, so that a reload or a crash does not wait for a process to start.

use crate::events::HostEvent;
use crate::jobs::JobResult;
use crate::link::{Chunk, NO_JOB};
use crate::pool::{Active, Core, HostId, Probe, Role, Slot, State, Work};
use crate::proto::{MAX_INPUT, ToHost, pack};
use crate::report::{self, Ending};
use crate::store::StagedCopy;
use agent_abi::table::flags;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};
use wb_core::error::{Error, ErrorKind};
use wb_core::ids::BuildId;

/// How far down the queue to look for work whose agent is not busy.
const LOOK_AHEAD: usize = 64;
/// Blank hosts in a row that may fail before nothing more is tried for the work at hand.
const FAILURES: u32 = 3;

/// Work that cannot be sent to any host, and why.
pub(crate) type Refused = Box<(Work, Error)>;

impl Core {
    /// Gives out what can be given out, and asks for the hosts that are missing.
    pub(crate) fn dispatch(core: &Arc<Self>) {
        let mut refused = Vec::new();
        {
            let mut state = core.lock();
            if state.closing {
                return;
            }
            let mut missing = core.give_probes(&mut state);
            missing += core.give_jobs(&mut state, &mut refused);
            core.line_up(&mut state, &mut refused);
            missing += core.give_warm(&mut state);
            let blank = state.blank_hosts();
            let spare = usize::from(core.wants_spare(&state));
            for _ in (blank + state.spawning)..(missing + spare) {
                state.spawning += 1;
                let _ = core.spawner.send(Arc::clone(core)); // the thread outlives us
            }
        }
        for (work, error) in refused.into_iter().map(|r| *r) {
            core.finish(work, JobResult::Failed(error, None), Duration::ZERO);
        }
    }

    /// Whether a host is to be started ahead of need: not after failures; and where reloads are rare, only
    /// the very first one, or when hosts are dying.
    fn wants_spare(&self, state: &State) -> bool {
        let worth_it = self.config.spare || state.hosts.is_empty() || state.deaths;
        worth_it && state.failures == 0
    }

    /// Probes wait for a blank host only. Returns how many still wait.
    fn give_probes(&self, state: &mut State) -> usize {
        while let Some(id) = state.spare().filter(|_| !state.probes.is_empty()) {
            let Some(probe) = state.probes.pop_front() else {
                break;
            };
            let limit = self.config.load_timeout;
            if let Some(slot) = state.hosts.get_mut(&id) {
                slot.open(&probe.copy, BuildId(0), limit);
                slot.role = Role::Probe(probe);
            }
        }
        state.probes.len()
    }

    /// Returns how many blank hosts would let more work begin.
    fn give_jobs(&self, state: &mut State, refused: &mut Vec<Refused>) -> usize {
        let (mut at, mut missing) = (0, 0);
        while at < state.pending.len().min(LOOK_AHEAD) {
            if state.busy() + missing >= state.concurrency {
                break;
            }
            let work = &state.pending[at].0;
            let build = work.build();
            if state.must_wait(work) {
                at += 1;
                continue;
            }
            let Some(host) = self.host_for(state, build) else {
                missing += usize::from(self.may_add(state, missing));
                at += 1;
                continue;
            };
            if let Some((work, tries)) = state.pending.remove(at)
                && let Err(refusal) = self.assign(state, host, work, tries)
            {
                refused.push(refusal);
            }
        }
        missing
    }

    /// A build with no host at all gets one. Returns how many still wait.
    fn give_warm(&self, state: &mut State) -> usize {
        let mut waiting = std::mem::take(&mut state.warm);
        waiting.retain(|build| {
            let wanted = state.builds.get(build).is_some_and(|b| !b.retired)
                && !state.hosts.values().any(|h| h.holds(*build));
            wanted && self.host_for(state, *build).is_none() && self.may_add(state, 0)
        });
        let missing = waiting.len();
        state.warm = waiting;
        missing
    }

    /// An idle host of the build, one that is still opening it and has no work yet, or a spare
    /// that opens it now.
    fn host_for(&self, state: &mut State, build: BuildId) -> Option<HostId> {
        let free = |slot: &&Slot| slot.holds(build) && slot.is_free();
        let best = |(_, slot): &(&HostId, &Slot)| (!slot.ready, slot.idle_since);
        let idle = state
            .hosts
            .iter()
            .filter(|(_, slot)| free(slot))
            .min_by_key(best);
        if let Some((id, _)) = idle {
            return Some(*id);
        }
        if !self.may_add(state, 0) {
            return None;
        }
        let spare = state.spare()?;
        if state.build_hosts() >= self.most_hosts(state) {
            self.evict(state);
        }
        let copy = Arc::clone(&state.builds.get(&build)?.copy);
        let slot = state.hosts.get_mut(&spare)?;
        slot.role = Role::Build(build);
        slot.open(&copy, build, self.config.load_timeout);
        Some(spare)
    }

    /// Whether one more host may hold a build, when `more` are on their way.
    fn may_add(&self, state: &State, more: usize) -> bool {
        let idle = state.hosts.values().filter(|h| h.is_idle()).count();
        state.build_hosts() + more < self.most_hosts(state) + idle
    }

    /// Hosts that may hold a build. Quick agents keep the cores busy with as many as there are
    /// cores; slow ones may be waiting for somebody else, and get a host for each wanted job.
    fn most_hosts(&self, state: &State) -> usize {
        let usual = self.config.max_hosts.max(1);
        if state.builds.values().any(|b| b.slow) {
            usual.max(state.concurrency)
        } else {
            usual
        }
    }

    /// The host that has been idle for longest makes room.
    fn evict(&self, state: &mut State) {
        let idle = state.hosts.iter().filter(|(_, slot)| slot.is_idle());
        let oldest = idle.min_by_key(|(_, s)| s.idle_since).map(|(id, _)| *id);
        if let Some(slot) = oldest.and_then(|id| state.hosts.get_mut(&id)) {
            slot.leave(self.config.shutdown_timeout);
        }
    }

    fn assign(
        &self,
        state: &mut State,
        host: HostId,
        work: Work,
        tries: u32,
    ) -> Result<(), Refused> {
        let Some(slot) = state.hosts.get_mut(&host) else {
            return Err(Box::new((work, report::no_host("it vanished"))));
        };
        slot.work = Some(Active::new(work, tries, 0));
        if slot.ready {
            self.begin(state, host)
        } else {
            Ok(())
        }
    }

    /// Sends the work of a ready host to it.
    pub(crate) fn begin(&self, state: &mut State, host: HostId) -> Result<(), Refused> {
        let project = (state.project_number, state.project.clone());
        let Some(slot) = state.hosts.get_mut(&host) else {
            return Ok(());
        };
        let Some(mut active) = slot.work.take() else {
            return Ok(());
        };
        let chunks = match message(&active.work, slot.ticket + 1) {
            Ok(chunks) => chunks,
            Err(error) => return Err(Box::new((active.work, error))),
        };
        slot.ticket += 1;
        active.ticket = slot.ticket;
        let mut letter = slot.bring(project);
        letter.extend(chunks);
        slot.link
            .page
            .requests
            .cancel
            .store(NO_JOB, Ordering::SeqCst);
        self.begun(slot, active);
        slot.link.send(letter);
        Ok(())
    }

    /// No host can be had: what waits for one is told so.
    pub(crate) fn give_up(&self, state: &mut State, why: &str) -> Vec<(Work, JobResult)> {
        if state.failures < FAILURES {
            return Vec::new();
        }
        for probe in state.probes.drain(..) {
            self.events.push(HostEvent::Rejected {
                library: probe.library,
                hash: probe.hash,
                reason: format!("no process could be started to open it ({why})"),
                hints: vec!["check limits on processes and memory (`ulimit -a`)".into()],
            });
        }
        state.warm.clear();
        let served: Vec<_> = state.hosts.values().filter_map(Slot::build).collect();
        let (keep, lost): (Vec<_>, Vec<_>) = state
            .pending
            .drain(..)
            .partition(|(work, _)| served.contains(&work.build()));
        state.pending = keep.into();
        let error = report::no_host(why);
        lost.into_iter()
            .map(|(work, _)| (work, JobResult::Failed(error.clone(), None)))
            .collect()
    }
}

impl State {
    /// A host that has yet to confirm what was taken back counts: it is soon free, and has loaded what
    /// its agents need.
    fn busy(&self) -> usize {
        self.hosts.values().filter(|h| !h.is_free()).count()
    }

    fn blank_hosts(&self) -> usize {
        let blank = |h: &&Slot| matches!(h.role, Role::Blank) && !h.gone;
        self.hosts.values().filter(blank).count()
    }

    fn build_hosts(&self) -> usize {
        self.hosts.values().filter(|h| h.build().is_some()).count()
    }

    fn spare(&self) -> Option<HostId> {
        let blank = |slot: &Slot| matches!(slot.role, Role::Blank) && !slot.gone;
        self.hosts
            .iter()
            .find(|(_, slot)| blank(slot))
            .map(|(id, _)| *id)
    }

    /// An agent that runs one at a time is running already.
    fn must_wait(&self, work: &Work) -> bool {
        let Work::Job(job) = work else {
            return false;
        };
        self.agent_flags(work) & flags::NO_PARALLEL != 0
            && self.hosts.values().any(|slot| {
                slot.work.as_ref().is_some_and(|active| {
                    matches!(&active.work, Work::Job(other)
                        if other.build == job.build && other.agent == job.agent)
                })
            })
    }

    /// The newest content wins: an older probe of the same library is of no interest any more.
    pub(crate) fn supersede(&mut self, probe: &Probe) {
        self.probes.retain(|p| p.library != probe.library);
        for slot in self.hosts.values_mut() {
            if matches!(&slot.role, Role::Probe(p) if p.library == probe.library) {
                slot.role = Role::Leaving;
                slot.ending = Some(Ending::Wanted);
                slot.link.kill();
            }
        }
    }
}

impl Slot {
    pub(crate) fn build(&self) -> Option<BuildId> {
        match self.role {
            Role::Build(build) if !self.gone => Some(build),
            _ => None,
        }
    }

    fn is_idle(&self) -> bool {
        self.build().is_some() && self.ready && self.is_free()
    }

    fn is_free(&self) -> bool {
        self.work.is_none() && self.unconfirmed.is_none()
    }

    fn open(&mut self, copy: &Arc<StagedCopy>, build: BuildId, limit: Duration) {
        let load = ToHost::Load {
            path: copy.path().to_owned(),
            build: build.0,
        };
        self.copy = Some(Arc::clone(copy));
        self.link.idle.store(false, Ordering::Relaxed);
        self.load_until = Instant::now().checked_add(limit);
        self.link.build.store(build.0, Ordering::SeqCst);
        if let Ok(head) = pack(&load, 0) {
            self.link.send([Chunk::Own(head)]);
        }
        self.set_alarm();
    }

    /// Says goodbye: `shutdown` of the library, then the end, forced after `limit`.
    pub(crate) fn leave(&mut self, limit: Duration) {
        self.role = Role::Leaving;
        self.ending = Some(Ending::Wanted);
        self.leave_until = Instant::now().checked_add(limit);
        if let Ok(head) = pack(&ToHost::Retire, 0) {
            self.link.send([Chunk::Own(head)]);
        }
        self.set_alarm();
    }
}

/// The message that starts some work.
pub(crate) fn message(work: &Work, ticket: u64) -> Result<Vec<Chunk>, Error> {
    let job = match work {
        Work::Preflight { number, .. } => {
            let head = ToHost::Preflight {
                job: *number,
                ticket,
            };
            let head = pack(&head, 0).map_err(|e| too_large(&e))?;
            return Ok(vec![Chunk::Own(head)]);
        }
        Work::Job(job) => job,
    };
    let fixed = [
        ("stage", &job.stage_json),
        ("task", &job.task_json),
        ("params", &job.params),
    ];
    let named = job.inputs.iter().map(|(name, json)| (&**name, json));
    let all: Vec<_> = fixed.into_iter().chain(named).collect();
    let total: usize = all.iter().map(|(_, json)| json.len()).sum();
    if total > MAX_INPUT {
        return Err(Error::new(
            ErrorKind::Host,
            format!(
                "the inputs of \"{}\" are {total} bytes, more than a host takes ({MAX_INPUT}); the task stays where it is",
                job.label
            ),
        )
        .hint("ask for less: `initialise(include_object_feature_hashes = …)` on the agent"));
    }
    let header = ToHost::Run {
        job: job.job.0,
        ticket,
        agent: job.agent,
        attempt: job.attempt,
        build: job.build.0,
        parts: all
            .iter()
            .map(|(name, json)| ((*name).to_owned(), json.len()))
            .collect(),
    };
    let head = pack(&header, total).map_err(|e| too_large(&e))?;
    let texts = all.into_iter().filter(|(_, json)| !json.is_empty());
    Ok(std::iter::once(Chunk::Own(head))
        .chain(texts.map(|(_, json)| Chunk::Text(Arc::clone(json))))
        .collect())
}

fn too_large(error: &std::io::Error) -> Error {
    Error::new(
        ErrorKind::Host,
        format!("the inputs cannot be sent to a host ({error}); the task stays where it is"),
    )
}
