//! Builds, hosts and jobs: what is there, and what the program may ask of it.
//!
//! The state is one struct behind one lock, held for microseconds; nothing waits while holding it.
//! Giving work to hosts is in `dispatch`, what hosts say and how they end in `supervise`.

use crate::config::{HostConfig, HostError};
use crate::events::{Events, HostEvent};
use crate::host::PREFLIGHTS;
use crate::jobs::{JobRequest, JobResult};
use crate::link::Link;
use crate::report::{self, About, Ending};
use crate::shelf::{Shelf, StagedCopy};
use crate::spawn::{self, SpawnRequest};
use crate::symbols::{self, Question};
use crate::watch::{self, Watcher};
use agent_abi::table::flags;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::path::PathBuf;
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::{Notify, oneshot};
use wb_core::build::{AgentDescriptor, Probed};
use wb_core::fault::{Fault, FaultKind};
use wb_core::ids::{BuildId, JobId, Millis};

/// Number of a host, never given twice.
pub(crate) type HostId = u64;

/// A build that new work may use, or that is being drained.
pub(crate) struct BuildState {
    pub copy: Arc<StagedCopy>,
    pub library: String,
    pub agents: Vec<AgentDescriptor>,
    pub preflight: bool,
    pub retired: bool,
}

/// A staged content that waits for a blank host, or is in one.
#[derive(Clone)]
pub(crate) struct Probe {
    pub library: PathBuf,
    pub copy: Arc<StagedCopy>,
    pub hash: String,
    pub size: u64,
    pub modified: Millis,
}

/// What a host is there for.
pub(crate) enum Role {
    /// Waiting for something to open.
    Blank,
    /// Opening a new content.
    Probe(Probe),
    /// Has opened a content that nobody has claimed yet.
    Probed(PathBuf),
    /// Holds a build.
    Build(BuildId),
    /// Told to go, or dead already.
    Leaving,
}

/// What an agent process can be asked to do.
pub(crate) enum Work {
    Job(JobRequest),
    Preflight {
        number: u64,
        build: BuildId,
        reply: oneshot::Sender<Result<(), Fault>>,
    },
}

impl Work {
    pub(crate) fn build(&self) -> BuildId {
        match self {
            Self::Job(job) => job.build,
            Self::Preflight { build, .. } => *build,
        }
    }

    pub(crate) fn number(&self) -> u64 {
        match self {
            Self::Job(job) => job.job.0,
            Self::Preflight { number, .. } => *number,
        }
    }
}

/// Why a running job is being stopped.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Stop {
    Asked,
    Deadline,
}

/// Work in a host.
pub(crate) struct Active {
    pub work: Work,
    /// `None` while the host still opens the build.
    pub started: Option<Instant>,
    pub deadline: Option<Instant>,
    pub stop: Option<Stop>,
    pub kill_at: Option<Instant>,
    /// How often a host died before it had begun with this.
    pub tries: u32,
}

/// One host.
pub(crate) struct Slot {
    pub link: Arc<Link>,
    pub role: Role,
    /// Its library is open.
    pub ready: bool,
    pub copy: Option<Arc<StagedCopy>>,
    pub base: u64,
    pub work: Option<Active>,
    pub load_until: Option<Instant>,
    pub leave_until: Option<Instant>,
    pub ending: Option<Ending>,
    pub tasks: u32,
    /// Which project document it has.
    pub project: u64,
    pub idle_since: Instant,
    /// It has said hello: the program that was started is a host.
    pub greeted: bool,
    /// Its process has ended: only its burial is left.
    pub gone: bool,
}

impl Slot {
    pub(crate) fn holds(&self, build: BuildId) -> bool {
        self.build() == Some(build)
    }

    /// Looks at its time limits at the earliest of them.
    pub(crate) fn set_alarm(&self) {
        let work = self.work.as_ref();
        let limits = [
            self.load_until,
            self.leave_until,
            work.and_then(|w| w.kill_at),
            work.and_then(|w| w.deadline.filter(|_| w.stop.is_none())),
        ];
        self.link.set_alarm(limits.into_iter().flatten().min());
    }
}

#[derive(Default)]
pub(crate) struct State {
    pub builds: BTreeMap<BuildId, BuildState>,
    pub hosts: BTreeMap<HostId, Slot>,
    pub pending: VecDeque<(Work, u32)>,
    pub probes: VecDeque<Probe>,
    /// Builds that want a host before there is work for one.
    pub warm: VecDeque<BuildId>,
    /// Probed contents that nobody has claimed or discarded.
    pub unclaimed: VecDeque<Arc<StagedCopy>>,
    /// Contents that were refused last, so that the same file is not tried for ever.
    pub refused: HashMap<PathBuf, String>,
    pub concurrency: usize,
    pub project: Option<Arc<str>>,
    pub project_number: u64,
    /// Hosts asked for and not there yet.
    pub spawning: usize,
    /// Blank hosts in a row that could not be started or died unused.
    pub failures: u32,
    /// Jobs that have had no `Done` yet.
    pub open: usize,
    /// Dead hosts whose jobs are being reported.
    pub burials: usize,
    pub next_host: HostId,
    pub next_preflight: u64,
    pub closing: bool,
}

/// Everything behind [`Hosts`]; the threads share it.
pub(crate) struct Core {
    pub config: HostConfig,
    pub events: Events,
    pub shelf: Shelf,
    pub spawner: Sender<SpawnRequest>,
    pub symbols: Sender<Question>,
    pub quiet: Notify,
    state: Mutex<State>,
}

impl Core {
    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        // A panic while the lock is held is a bug; the state is still the best there is.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reports the end of work: the only place that does.
    pub(crate) fn finish(&self, work: Work, result: JobResult, run: Duration) {
        match work {
            Work::Job(job) => {
                self.events.push(HostEvent::Done {
                    job: job.job,
                    result,
                    run,
                });
                let mut state = self.lock();
                state.open = state.open.saturating_sub(1);
            }
            Work::Preflight { reply, .. } => {
                let answer = match result {
                    JobResult::Outcome(_) => Ok(()),
                    JobResult::Failed(fault, _)
                    | JobResult::Crashed(fault)
                    | JobResult::TimedOut(fault) => Err(fault),
                    JobResult::Cancelled => Err(Fault::new(
                        FaultKind::Host,
                        "the preflight was stopped because the workbench is ending",
                    )),
                };
                let _ = reply.send(answer); // nobody waits any more: fine
            }
        }
        self.quiet.notify_waiters();
    }
}

impl State {
    /// What a fault about this work says.
    pub(crate) fn about(&self, work: &Work, pid: u32) -> About {
        let build = work.build();
        let known = self.builds.get(&build);
        let agent = match work {
            Work::Job(job) => known.and_then(|b| b.agents.get(job.agent)),
            Work::Preflight { .. } => None,
        };
        About {
            label: match work {
                Work::Job(job) => job.label.clone(),
                Work::Preflight { .. } => String::new(),
            },
            build,
            library: known.map_or_else(String::new, |b| b.library.clone()),
            agent: agent.map_or_else(String::new, |a| {
                let spec = &a.spec;
                format!(
                    "agent {} for stage \"{}\" {}",
                    spec.function, a.stage, spec.location
                )
                .trim_end()
                .replace("  ", " ")
            }),
            pid,
            idempotent: agent.is_some_and(|a| a.flags & flags::IDEMPOTENT != 0),
        }
    }

    pub(crate) fn agent_flags(&self, work: &Work) -> u32 {
        match work {
            Work::Job(job) => self
                .builds
                .get(&job.build)
                .and_then(|b| b.agents.get(job.agent))
                .map_or(0, |a| a.flags),
            Work::Preflight { .. } => 0,
        }
    }
}

/// Runs agents in processes of their own; cheap to clone. When the last clone is gone, so are the
/// hosts.
#[derive(Clone)]
pub struct Hosts(Arc<Handle>);

struct Handle {
    core: Arc<Core>,
    watcher: Watcher,
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.core.close(true);
    }
}

impl Hosts {
    /// Opens the shelf and starts the threads that spawn, watch and symbolise. News goes to
    /// `events`; a slow receiver slows agents down, it never loses anything.
    ///
    /// # Errors
    /// The shelf cannot be used, or the system gives no threads.
    pub fn start(
        config: HostConfig,
        events: tokio::sync::mpsc::Sender<HostEvent>,
    ) -> Result<Self, HostError> {
        let shelf = Shelf::open(&config.shelf).map_err(|source| HostError::Shelf {
            path: config.shelf.clone(),
            source,
        })?;
        let state = State {
            concurrency: config.concurrency.max(1),
            ..State::default()
        };
        let core = Arc::new(Core {
            events: Events::new(events),
            shelf,
            spawner: spawn::start().map_err(HostError::Thread)?,
            symbols: symbols::start().map_err(HostError::Thread)?,
            quiet: Notify::new(),
            state: Mutex::new(state),
            config,
        });
        let watcher = watch::start(&core).map_err(HostError::Thread)?;
        Core::dispatch(&core); // the first spare
        Ok(Self(Arc::new(Handle { core, watcher })))
    }

    /// Watches a library file, which need not exist yet, or a folder for every library directly in
    /// it. Each new content gives one [`HostEvent::Probed`] or [`HostEvent::Rejected`].
    pub fn watch(&self, path: PathBuf) {
        self.0.watcher.add(path);
    }

    /// New work may use this build; a host is kept warm for it. Deleting the watched file does not
    /// touch it.
    pub fn activate(&self, build: BuildId, probed: &Probed) {
        let core = &self.0.core;
        core.activate(build, probed);
        Core::dispatch(core);
    }

    /// Nobody will claim this probed content: its host leaves and its copy is deleted.
    pub fn discard(&self, probed: &Probed) {
        self.0.core.discard(probed);
    }

    /// No new work for this build: what was given to it is finished, then its hosts leave and its
    /// copy is deleted.
    pub fn retire(&self, build: BuildId) {
        self.0.core.retire(build);
    }

    /// The project document (JSON of `wire::ProjectDoc`) for all jobs from now on.
    pub fn set_project(&self, json: Arc<str>) {
        let mut state = self.0.core.lock();
        state.project = Some(json);
        state.project_number += 1;
    }

    /// Takes a job; never blocks. It ends with exactly one [`HostEvent::Done`].
    pub fn run(&self, job: JobRequest) {
        let core = &self.0.core;
        let refused = {
            let mut state = core.lock();
            state.open += 1;
            match state.refusal(&job) {
                Some(refusal) => Some((Work::Job(job), refusal)),
                None => {
                    state.pending.push_back((Work::Job(job), 0));
                    None
                }
            }
        };
        match refused {
            Some((work, refusal)) => core.finish(work, refusal, Duration::ZERO),
            None => Core::dispatch(core),
        }
    }

    /// Asks a job to stop: one that waits ends at once; one that runs is asked through its host's
    /// `is_cancelled` and killed when it does not listen.
    pub fn cancel(&self, job: JobId) {
        self.0.core.stop(job, false);
        Core::dispatch(&self.0.core);
    }

    /// Ends a job now, with its process.
    pub fn kill(&self, job: JobId) {
        self.0.core.stop(job, true);
        Core::dispatch(&self.0.core);
    }

    /// How many jobs may run at the same time, at least 1; also bounded by the number of hosts.
    pub fn set_concurrency(&self, n: usize) {
        self.0.core.lock().concurrency = n.max(1);
        Core::dispatch(&self.0.core);
    }

    /// Calls the library's preflight with the project set before.
    ///
    /// # Errors
    /// The library refused the project, crashed, or took too long. A library without a preflight
    /// has nothing against it.
    pub async fn preflight(&self, build: BuildId) -> Result<(), Fault> {
        let (reply, answer) = oneshot::channel();
        {
            let mut state = self.0.core.lock();
            let Some(known) = state.builds.get(&build).filter(|b| !b.retired) else {
                return Err(report::unknown_build(build));
            };
            if !known.preflight {
                return Ok(());
            }
            state.next_preflight += 1;
            let work = Work::Preflight {
                number: PREFLIGHTS + state.next_preflight,
                build,
                reply,
            };
            state.pending.push_front((work, 0));
        }
        Core::dispatch(&self.0.core);
        answer.await.unwrap_or_else(|_| {
            Err(Fault::new(
                FaultKind::Host,
                "the workbench ended before the preflight had answered",
            ))
        })
    }

    /// Cancels what waits and runs, lets idle hosts say goodbye, and returns when every host is
    /// gone and every job has had its `Done`.
    pub async fn shutdown(&self) {
        let core = &self.0.core;
        self.0.watcher.stop();
        core.close(false);
        loop {
            let mut change = std::pin::pin!(core.quiet.notified());
            change.as_mut().enable();
            if core.lock().is_quiet() {
                return;
            }
            change.await;
        }
    }
}

impl State {
    fn is_quiet(&self) -> bool {
        self.hosts.is_empty() && self.spawning == 0 && self.burials == 0 && self.open == 0
    }

    fn refusal(&self, job: &JobRequest) -> Option<JobResult> {
        if self.closing {
            return Some(JobResult::Cancelled);
        }
        let fault = match self.builds.get(&job.build) {
            Some(build) if build.retired => report::unknown_build(job.build),
            None => report::unknown_build(job.build),
            Some(build) if job.agent >= build.agents.len() => Fault::new(
                FaultKind::Bug,
                format!("build {} has no agent number {}", job.build, job.agent),
            ),
            Some(_) => return None,
        };
        Some(JobResult::Failed(fault, None))
    }
}
