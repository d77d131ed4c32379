//! Work: a job or a preflight, waiting, queued in a host or active.

use crate::jobs::JobRequest;
use std::sync::Arc;
use std::time::{Duration, Instant};
use wb_core::event::Priority;
use wb_core::ids::BuildId;

/// Numbers from here on are preflights and questions, not jobs.
pub(crate) const PREFLIGHTS: u64 = 1 << 63;

/// What an agent process can be asked to do.
#[derive(Clone, Debug)]
pub(crate) enum Work {
    Job(Arc<JobRequest>),
    Preflight { number: u64, build: BuildId },
    Ask(Arc<ResourceQuestion>),
}

/// A question to a resource; an empty one ends as soon as the resource is open.
#[derive(Debug)]
pub(crate) struct ResourceQuestion {
    /// At least [`PREFLIGHTS`].
    pub number: u64,
    pub build: BuildId,
    pub bytes: Vec<u8>,
}

impl Work {
    pub(super) fn job(&self) -> Option<&JobRequest> {
        match self {
            Self::Job(job) => Some(job),
            Self::Preflight { .. } | Self::Ask(_) => None,
        }
    }

    pub(super) fn build(&self) -> BuildId {
        match self {
            Self::Job(job) => job.build,
            Self::Preflight { build, .. } => *build,
            Self::Ask(question) => question.build,
        }
    }

    /// A preflight keeps all other work of its library waiting, so it has the highest priority.
    pub(super) fn priority(&self) -> Priority {
        self.job().map_or(Priority::Person, |job| job.priority)
    }

    /// Whether its result may be of this kind beside an outcome.
    pub(super) fn takes(&self, kind: u32) -> bool {
        matches!(self, Self::Ask(_)) && kind == agent_abi::table::ANSWER
    }

    pub(super) fn number(&self) -> u64 {
        match self {
            Self::Job(job) => job.job.0,
            Self::Preflight { number, .. } => *number,
            Self::Ask(question) => question.number,
        }
    }
}

/// Work that a busy host was sent ahead of its turn.
pub(super) struct Queued {
    pub work: Work,
    /// How often a host died before it had begun with this.
    pub tries: u32,
    /// Its place in everything that this host was ever sent.
    pub ticket: u64,
    /// To be stopped once it is known not to have begun, or as soon as it begins.
    pub stop: bool,
}

/// Why active work is being stopped.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Stop {
    Requested,
    Deadline,
}

/// The work that a host runs, or that it will run once it has opened its library.
pub(super) struct Active {
    pub work: Work,
    /// `None` while the host still opens the build.
    pub started: Option<Instant>,
    pub deadline: Option<Instant>,
    pub stop: Option<Stop>,
    pub kill_at: Option<Instant>,
    /// How often a host died before it had begun with this.
    pub tries: u32,
    /// See [`Queued::ticket`]; 0 before it is sent.
    pub ticket: u64,
    /// Dependencies that it is loading into the host, outermost first.
    pub loads: Vec<String>,
    /// When the outermost of them began to load, and what was left of the deadline then.
    pub loading: Option<(Instant, Option<Duration>)>,
    /// How long it may still spend on loading.
    pub load_left: Duration,
    /// How long it has spent on loading, or was held: not part of the agent's time.
    pub loaded: Duration,
    /// Why its clock stands still.
    pub held: HeldWork,
}

/// What a person holds work with.
#[derive(Default)]
pub(super) struct HeldWork {
    /// The call that it waits with, and the place that it has reached.
    pub call: Option<(u64, String)>,
    /// A debugger is about to be attached, or is.
    pub attached: bool,
    /// Since when, and what was left of the limits for the attempt and for loading.
    pub clock: Option<(Instant, Option<Duration>, Option<Duration>)>,
}

impl Active {
    /// Work that has not begun.
    pub(super) fn new(work: Work, tries: u32, ticket: u64) -> Self {
        Self {
            work,
            started: None,
            deadline: None,
            stop: None,
            kill_at: None,
            tries,
            ticket,
            loads: Vec::new(),
            loading: None,
            load_left: Duration::MAX,
            loaded: Duration::ZERO,
            held: HeldWork::default(),
        }
    }

    /// Whether it runs, and has this number.
    pub(super) fn is_running(&self, number: u64) -> bool {
        self.started.is_some() && self.work.number() == number
    }

    /// How long it has run until now, without what it loaded.
    pub(super) fn ran(&self, now: Instant) -> Duration {
        let since = |at: Instant| now.saturating_duration_since(at);
        let loading = self.loading.map_or(Duration::ZERO, |(at, _)| since(at));
        let ran = self.started.map_or(Duration::ZERO, since);
        let held = (self.held.clock.as_ref()).map_or(Duration::ZERO, |(at, ..)| since(*at));
        let idle = self.loaded + loading.max(held);
        ran.saturating_sub(idle)
    }
}
