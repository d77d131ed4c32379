//! The pool's record of one host, and the part of it that its thread and its control page need.

use super::builds::Probe;
use super::work::{Active, Queued};
use crate::report::Ending;
use crate::store::StagedCopy;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Instant;
use wb_core::ids::{BuildId, ProbeId};

/// Number of a host, used once.
pub(crate) type HostId = u64;

/// What a host is there for.
pub(super) enum Role {
    /// Waiting for a library to open.
    Blank,
    /// Opening a new content.
    Probe(Probe),
    /// Has opened a content that nobody has claimed yet.
    Probed(ProbeId),
    /// Holds a build.
    Build(BuildId),
    /// Asked to leave, or dead already.
    Leaving,
}

/// One host.
pub(super) struct Host {
    pub role: Role,
    /// The supervisor's process until the host has greeted, then its own.
    pub pid: u32,
    /// Its library is open.
    pub ready: bool,
    pub copy: Option<Arc<StagedCopy>>,
    /// The build whose name is on what it logs; 0 while there is none.
    pub logs_as: BuildId,
    /// Where its library was loaded.
    pub base: u64,
    pub work: Option<Active>,
    /// What it does next, sent already. Empty when there is no active work.
    pub queue: VecDeque<Queued>,
    /// How many times it was sent work.
    pub ticket: u64,
    /// Ticket of the work that it ended last.
    pub done: u64,
    /// Ticket up to which work was recalled.
    pub taken: u64,
    /// Where its main thread's stack ends, as it claimed before it opened anything.
    pub stack_low: u64,
    /// Its last job was quick.
    pub quick: bool,
    /// When to check whether its work is slow.
    pub check_at: Option<Instant>,
    /// Ticket of active work that was recalled: until the host confirms that it has not begun it, it
    /// gets nothing else.
    pub unconfirmed: Option<u64>,
    /// Ticket of the work that was active when the host claimed to have begun the next one.
    pub doubt: Option<u64>,
    pub load_until: Option<Instant>,
    pub leave_until: Option<Instant>,
    pub ending: Option<Ending>,
    /// Tasks that it has run.
    pub tasks: u32,
    /// Number of the project document that it has.
    pub project: u64,
    pub idle_since: Instant,
    /// It has greeted: the program that was started is a host.
    pub greeted: bool,
    /// It gets no more work: the process has ended or is being killed.
    pub gone: bool,
    /// It broke the protocol: what it sends is not read any more.
    pub cut_off: bool,
    /// What was published last.
    published: Status,
}

/// What the host's thread and its control page have to know.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Status {
    /// The host's own process; 0 until it has greeted.
    pub pid: u32,
    /// Number of the work that runs.
    pub job: Option<u64>,
    /// It is asked to stop.
    pub stopping: bool,
    pub build: BuildId,
    /// Whether it runs or opens something.
    pub busy: bool,
    /// Jobs that wait in the host.
    pub queued: usize,
    /// When the thread has to report [`super::HostNews::Alarm`].
    pub alarm: Option<Instant>,
    /// The thread is to stop reading.
    pub cut_off: bool,
}

impl Host {
    pub(super) fn new(pid: u32, now: Instant) -> Self {
        Self {
            role: Role::Blank,
            pid,
            ready: false,
            copy: None,
            logs_as: BuildId(0),
            base: 0,
            work: None,
            queue: VecDeque::new(),
            ticket: 0,
            done: 0,
            taken: 0,
            stack_low: 0,
            quick: false,
            check_at: None,
            unconfirmed: None,
            doubt: None,
            load_until: None,
            leave_until: None,
            ending: None,
            tasks: 0,
            project: 0,
            idle_since: now,
            greeted: false,
            gone: false,
            cut_off: false,
            published: Status::default(),
        }
    }

    pub(super) fn build(&self) -> Option<BuildId> {
        match self.role {
            Role::Build(build) if !self.gone => Some(build),
            _ => None,
        }
    }

    pub(super) fn holds(&self, build: BuildId) -> bool {
        self.build() == Some(build)
    }

    pub(super) fn is_blank(&self) -> bool {
        matches!(self.role, Role::Blank) && !self.gone
    }

    /// Without work, although its library may still be opening.
    pub(super) fn is_free(&self) -> bool {
        self.work.is_none() && self.unconfirmed.is_none()
    }

    pub(super) fn is_idle(&self) -> bool {
        self.build().is_some() && self.ready && self.is_free()
    }

    /// The project document, when the host has another one.
    pub(super) fn bring(&mut self, (number, json): (u64, Option<Arc<str>>)) -> Option<Arc<str>> {
        let json = json.filter(|_| self.project != number)?;
        self.project = number;
        Some(json)
    }

    fn status(&self) -> Status {
        let work = self.work.as_ref();
        let running = work.filter(|w| w.started.is_some());
        let limits = [
            self.load_until,
            self.leave_until,
            (self.check_at).filter(|_| work.is_some() || self.unconfirmed.is_some()),
            work.and_then(|w| w.kill_at),
            work.and_then(|w| w.deadline.filter(|_| w.stop.is_none())),
        ];
        Status {
            pid: if self.greeted { self.pid } else { 0 },
            job: running.map(|w| w.work.number()),
            stopping: work.is_some_and(|w| w.stop.is_some()),
            build: self.logs_as,
            busy: running.is_some()
                || self.unconfirmed.is_some()
                || (self.copy.is_some() && !self.ready),
            queued: self.queue.len(),
            alarm: limits.into_iter().flatten().min().filter(|_| !self.cut_off),
            cut_off: self.cut_off,
        }
    }

    /// The status, when it has changed since it was published.
    pub(super) fn new_status(&mut self) -> Option<Status> {
        let status = self.status();
        let changed = status != self.published;
        self.published = status;
        changed.then_some(status)
    }
}
