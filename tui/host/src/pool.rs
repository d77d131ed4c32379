//! Builds, hosts and jobs: what is there.
//!
//! The state is one struct behind one lock, held for microseconds; nothing waits while holding it.
//! What the program may ask is in `hosts`; giving work out in `dispatch`; what hosts say in
//! `supervise`; how they end in `burial`; builds in `builds`.

use crate::config::HostConfig;
use crate::events::{Events, HostEvent};
use crate::jobs::{JobRequest, JobResult};
use crate::line::Lined;
use crate::link::{Chunk, Link};
use crate::proto::{ToHost, pack};
use crate::report::{About, Ending};
use crate::spawn::SpawnRequest;
use crate::store::{LibraryStore, StagedCopy};
use crate::symbols::Question;
use agent_abi::table::flags;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::path::PathBuf;
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::{Notify, oneshot};
use wb_core::build::AgentDescriptor;
use wb_core::error::{Error, ErrorKind};
use wb_core::event::Priority;
use wb_core::ids::{BuildId, Millis};

/// Number of a host, never given twice.
pub(crate) type HostId = u64;

/// A build that new work may use, or that is being drained.
pub(crate) struct BuildState {
    pub copy: Arc<StagedCopy>,
    pub library: String,
    pub agents: Vec<AgentDescriptor>,
    pub preflight: bool,
    /// Some of its jobs take long: they may have as many hosts as jobs are wanted at a time.
    pub slow: bool,
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
        reply: oneshot::Sender<Result<(), Error>>,
    },
}

impl Work {
    pub(crate) fn build(&self) -> BuildId {
        match self {
            Self::Job(job) => job.build,
            Self::Preflight { build, .. } => *build,
        }
    }

    /// Whose turn comes first; a preflight keeps everything else of its library waiting.
    fn priority(&self) -> Priority {
        match self {
            Self::Job(job) => job.priority,
            Self::Preflight { .. } => Priority::Person,
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
    /// Its open calls: dropped when their answers are not wanted any more.
    pub calls: Vec<oneshot::Sender<()>>,
    /// How often a host died before it had begun with this.
    pub tries: u32,
    /// See [`Lined::ticket`]; 0 before it is sent.
    pub ticket: u64,
    /// Dependencies that it is loading into the host, outermost first.
    pub loads: Vec<String>,
    /// When the outermost of them began, and what of the deadline was left then.
    pub loading: Option<(Instant, Option<Duration>)>,
    /// What it may still take for loading.
    pub load_left: Duration,
}

impl Active {
    /// Work that has not begun.
    pub(crate) fn new(work: Work, tries: u32, ticket: u64) -> Self {
        Self {
            work,
            ticket,
            loads: Vec::new(),
            loading: None,
            load_left: Duration::MAX,
            started: None,
            deadline: None,
            stop: None,
            kill_at: None,
            calls: Vec::new(),
            tries,
        }
    }
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
    /// What it does next, sent already. Empty when there is no work.
    pub line: VecDeque<Lined>,
    /// How many times it was sent work.
    pub ticket: u64,
    /// Ticket of the work that it ended last.
    pub done: u64,
    /// Ticket up to which work was taken back from it.
    pub taken: u64,
    /// Where its main thread's stack ends, as it said itself before it opened anything.
    pub stack_low: u64,
    /// Its last job was quick.
    pub quick: bool,
    /// When to see whether its work is slow.
    pub look_at: Option<Instant>,
    /// Ticket of work that was taken back although it was the host's turn to do it: until the host
    /// confirms that, it gets nothing else.
    pub unconfirmed: Option<u64>,
    /// Ticket of the work that ran when the host claimed to have begun what comes after it.
    pub doubt: Option<u64>,
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

    /// The message with the project, when the host has another one.
    pub(crate) fn bring(&mut self, (number, json): (u64, Option<Arc<str>>)) -> Vec<Chunk> {
        let Some(json) = json.filter(|_| self.project != number) else {
            return Vec::new();
        };
        let Ok(head) = pack(&ToHost::Project, json.len()) else {
            return Vec::new();
        };
        self.project = number;
        vec![Chunk::Own(head), Chunk::Text(json)]
    }

    /// Looks at its time limits at the earliest of them.
    pub(crate) fn set_alarm(&self) {
        let work = self.work.as_ref();
        let limits = [
            self.load_until,
            self.leave_until,
            (self.look_at).filter(|_| work.is_some() || self.unconfirmed.is_some()),
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
    /// Work that waits for a host, and how often one died before it had begun with it; by priority. Add with
    /// [`State::queue`] and [`State::queue_again`].
    pub pending: VecDeque<(Work, u32)>,
    pub probes: VecDeque<Probe>,
    /// Builds that want a host before there is work for one.
    pub warm: VecDeque<BuildId>,
    /// Probed contents that nobody has claimed or discarded.
    pub unclaimed: Vec<Arc<StagedCopy>>,
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
    /// Whether a host has ever died that was not sent away.
    pub deaths: bool,
    pub next_host: HostId,
    pub next_preflight: u64,
    pub closing: bool,
}

impl State {
    /// New work goes behind all that is as urgent.
    pub(crate) fn queue(&mut self, work: Work) {
        let before = |(other, _): &(Work, u32)| other.priority() <= work.priority();
        let at = self.pending.partition_point(before);
        self.pending.insert(at, (work, 0));
    }

    /// Work that had its turn already goes before all that is as urgent.
    pub(crate) fn queue_again(&mut self, work: Work, tries: u32) {
        let before = |(other, _): &(Work, u32)| other.priority() < work.priority();
        let at = self.pending.partition_point(before);
        self.pending.insert(at, (work, tries));
    }
}

/// Everything behind [`Hosts`](crate::Hosts); the threads share it.
pub(crate) struct Core {
    pub config: HostConfig,
    pub events: Events,
    pub store: LibraryStore,
    pub spawner: Sender<SpawnRequest>,
    pub symbols: Sender<Question>,
    pub quiet: Notify,
    pub state: Mutex<State>,
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
                    JobResult::Failed(error, _)
                    | JobResult::Crashed(error)
                    | JobResult::TimedOut(error) => Err(error),
                    JobResult::Cancelled => Err(Error::new(
                        ErrorKind::Host,
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
    /// What an error about this work says.
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
            loading: None,
            opened: true,
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
