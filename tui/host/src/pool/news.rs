//! What comes into the pool and what it has done: [`News`] and [`Effect`].

use super::builds::Probe;
use super::host::{HostId, Status};
use super::work::{ResourceQuestion, Work};
use crate::events::HostEvent;
use crate::jobs::{JobRequest, JobResult};
use crate::page::LastWords;
use crate::proto::Done;
use crate::report::Death;
use crate::store::StagedCopy;
use std::sync::Arc;
use wb_core::build::{Descriptor, Probed};
use wb_core::error::Error;
use wb_core::ids::{BuildId, JobId, ProbeId};
use wb_core::pause::PausePlace;

/// Something that happened outside of the pool, or a request of the program.
#[derive(Debug)]
pub(crate) enum News {
    Run(Vec<JobRequest>),
    /// The number is at least [`super::PREFLIGHTS`] and used once.
    Preflight {
        number: u64,
        build: BuildId,
    },
    /// A question to the resource of an adopted build.
    Ask(ResourceQuestion),
    Stop {
        job: JobId,
        kill: bool,
    },
    Concurrency(usize),
    Project(Arc<str>),
    Activate {
        build: BuildId,
        probed: Box<Probed>,
    },
    /// A build whose hosts open one resource of it and answer questions, and do nothing else.
    Adopt {
        build: BuildId,
        copy: Arc<StagedCopy>,
        resource: String,
    },
    Discard(ProbeId),
    /// A content could be opened, but not what its agents need.
    Refuse {
        probed: Box<Probed>,
        reason: String,
        hints: Vec<String>,
    },
    /// A job waits for a resource that is being opened, or (`None`) has its answer. Unlike
    /// [`HostNews::Loading`] it may come too late.
    Waits {
        host: HostId,
        job: JobId,
        resource: Option<String>,
    },
    /// Lets a job that has reached a place go on, perhaps with what its value was edited to.
    GoOn {
        job: JobId,
        edited: Option<Arc<str>>,
    },
    /// A debugger is about to be attached to the process of a job (or no longer): its limits stand still meanwhile.
    Attach {
        job: JobId,
        on: bool,
    },
    Retire {
        build: BuildId,
    },
    /// No host stays without work for this build; it can still be given some.
    Rest {
        build: BuildId,
    },
    Close {
        at_once: bool,
    },
    /// The watcher has copied a new content of a library.
    Probe(Probe),
    /// Answers [`Effect::Spawn`]. The process is the host's supervisor.
    Spawned {
        host: HostId,
        pid: u32,
    },
    /// Answers [`Effect::Spawn`].
    SpawnFailed(String),
    /// Answers [`Effect::Explain`], with one line per frame.
    Explained {
        number: u64,
        frames: Vec<String>,
    },
    Host(HostId, HostNews),
}

/// News from a host process, its thread or its control page.
#[derive(Debug)]
pub(crate) enum HostNews {
    Hello {
        protocol: u32,
        pid: u32,
        /// As the host claims before it opens a library.
        stack_low: u64,
    },
    Loaded {
        descriptor: Box<Descriptor>,
        base: u64,
    },
    LoadFailed {
        reason: String,
        hints: Vec<String>,
    },
    /// Work has ended; `claims` is what the control page claims right after.
    Done {
        done: Done,
        written: Vec<u8>,
        claims: LastWords,
    },
    /// The host did not begin the work of this ticket, because it had been recalled.
    TakenBack {
        ticket: u64,
    },
    /// Answers [`Effect::Recall`]: the last ticket that the host claims to have begun.
    Recalled {
        begun: u64,
    },
    /// A job begins to load a dependency into its host, or (`None`) has loaded it.
    Loading {
        job: u64,
        name: Option<String>,
    },
    Call {
        job: u64,
        call: u64,
        name: String,
        question: Vec<u8>,
    },
    /// A job has reached a place and waits there.
    Paused {
        job: u64,
        call: u64,
        at: PausePlace,
    },
    /// Bytes of memory that the host and its processes use.
    Memory {
        used: u64,
    },
    /// It sent what no host sends.
    Invalid(String),
    /// The time of [`Status::alarm`] has come.
    Alarm,
    /// The process has ended or is about to.
    Gone,
    /// The process has been reaped.
    Died(Box<Death>),
}

/// Something that is to be done for the pool.
#[derive(Debug)]
pub(crate) enum Effect {
    /// Start a blank host.
    Spawn,
    /// Publish this status to the thread and the control page of a host.
    Status {
        host: HostId,
        status: Status,
    },
    /// Let a blank host open a library.
    Open {
        host: HostId,
        copy: Arc<StagedCopy>,
        build: BuildId,
        resource: Option<String>,
    },
    Send {
        host: HostId,
        batch: Batch,
    },
    /// Take back all work up to this ticket that the host has not begun; answered by
    /// [`HostNews::Recalled`].
    Recall {
        host: HostId,
        up_to: u64,
    },
    /// Ask a host to call its library's `shutdown` and to leave.
    Leave {
        host: HostId,
    },
    Kill {
        host: HostId,
    },
    /// The host is gone: forget how to reach it.
    Remove {
        host: HostId,
    },
    /// Drop this handle, and perhaps with it the copy.
    Release(Arc<StagedCopy>),
    Emit(HostEvent),
    /// Emit a call of a running job, with the means to answer it.
    Call {
        host: HostId,
        job: JobId,
        build: BuildId,
        call: u64,
        name: String,
        question: Vec<u8>,
    },
    /// Let a job go on that waits with this call.
    GoOn {
        host: HostId,
        call: u64,
        edited: Option<Arc<str>>,
    },
    /// Answer a call with an error.
    RefuseCall {
        host: HostId,
        call: u64,
        why: &'static str,
    },
    /// A retired build has no host and no work any more.
    Gone {
        build: BuildId,
    },
    Asked {
        number: u64,
        result: JobResult,
    },
    PreflightEnded {
        number: u64,
        result: Result<(), Error>,
    },
    Explain(Explain),
}

/// Work for a host, sent as one.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    /// The project document, where the host has another one.
    pub project: Option<Arc<str>>,
    /// Tickets and work.
    pub work: Vec<(u64, Work)>,
}

/// Addresses of a stack that are to become functions and lines; answered by [`News::Explained`].
#[derive(Debug)]
pub(crate) struct Explain {
    pub number: u64,
    pub copy: Arc<StagedCopy>,
    /// Where the library was loaded; 0 when the addresses are relative already.
    pub base: u64,
    /// The instruction that crashed; 0 where it is not known.
    pub pc: u64,
    /// Return addresses, innermost first.
    pub frames: Vec<u64>,
}
