//! The workbench's end of one host: sending without ever blocking, waking its thread, killing it.
//!
//! Reading is left to the host's own thread in `host`.

use crate::page::ControlPage;
use crate::pool::ResourceQuestion;
use crate::pool::Status;
use crate::proto::{ToHost, pack};
use crate::sys::exit::{kill_family, kill_group, kill_now};
use rustix::process::Pid;
use std::collections::VecDeque;
use std::io::{ErrorKind, IoSlice, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::oneshot;

/// Bytes on their way to a host; documents are shared, not copied.
pub(crate) enum Chunk {
    /// Made for this message.
    Own(Vec<u8>),
    /// A document that several messages may hold.
    Text(Arc<str>),
    Question(Arc<ResourceQuestion>),
}

impl Chunk {
    fn bytes(&self) -> &[u8] {
        match self {
            Self::Own(bytes) => bytes,
            Self::Text(text) => text.as_bytes(),
            Self::Question(question) => &question.bytes,
        }
    }
}

#[derive(Default)]
struct Outbox {
    chunks: VecDeque<Chunk>,
    /// How much of the first chunk is gone.
    sent: usize,
}

const NEVER: u64 = u64::MAX;
/// Pieces of one system call.
const SLICES: usize = 256;
/// No job runs in the host.
pub(crate) const NO_JOB: u64 = u64::MAX;

/// One host as the rest of the workbench sees it.
pub(crate) struct Link {
    /// The process that was started: the host's supervisor, or the host itself.
    child: Pid,
    /// The host's own process, as it reported before it opened anything; 0 before.
    pub host: AtomicU32,
    /// The control page.
    pub page: ControlPage,
    /// Number of the job that the captured output belongs to, or [`NO_JOB`].
    pub job: AtomicU64,
    /// Number of the build, 0 for none yet.
    pub build: AtomicU32,
    /// Whether it runs or opens something.
    pub busy: AtomicBool,
    /// Jobs that wait in the host.
    pub queued: AtomicUsize,
    /// Whether nothing more is to be read from it.
    pub cut_off: AtomicBool,
    /// Open calls of the running job.
    calls: Mutex<Vec<oneshot::Sender<()>>>,
    socket: UnixStream,
    outbox: Mutex<Outbox>,
    wake: OwnedFd,
    /// False once the process is reaped: its number may belong to somebody else.
    alive: Mutex<bool>,
    epoch: Instant,
    alarm: AtomicU64,
    asleep_until: AtomicU64,
}

impl Link {
    /// `socket` must be non-blocking; a byte in `wake` wakes the host's thread.
    pub(crate) fn new(child: Pid, page: ControlPage, socket: UnixStream, wake: OwnedFd) -> Self {
        Self {
            child,
            host: AtomicU32::new(0),
            page,
            job: AtomicU64::new(NO_JOB),
            build: AtomicU32::new(0),
            busy: AtomicBool::new(false),
            queued: AtomicUsize::new(0),
            cut_off: AtomicBool::new(false),
            calls: Mutex::default(),
            socket,
            outbox: Mutex::default(),
            wake,
            alive: Mutex::new(true),
            epoch: Instant::now(),
            alarm: AtomicU64::new(NEVER),
            asleep_until: AtomicU64::new(0),
        }
    }

    /// The number of the host's process.
    pub(crate) fn pid_number(&self) -> u32 {
        match self.host.load(Ordering::Relaxed) {
            0 => self.child.as_raw_nonzero().get().unsigned_abs(),
            host => host,
        }
    }

    /// Publishes the status to the host's thread and to the control page.
    pub(crate) fn publish(&self, status: &Status) {
        let job = status.job.unwrap_or(NO_JOB);
        if self.job.swap(job, Ordering::SeqCst) != job || status.stopping {
            self.end_calls();
        }
        let cancel = if status.stopping { job } else { NO_JOB };
        self.page.requests.cancel.store(cancel, Ordering::SeqCst);
        self.host.store(status.pid, Ordering::Relaxed);
        self.build.store(status.build.0, Ordering::SeqCst);
        self.busy.store(status.busy, Ordering::Relaxed);
        self.queued.store(status.queued, Ordering::Relaxed);
        self.cut_off.store(status.cut_off, Ordering::Relaxed);
        self.set_alarm(status.alarm);
    }

    /// Counts a call until its answer is dropped; the receiver fires when the job ends or is to stop.
    pub(crate) fn open_call(&self) -> oneshot::Receiver<()> {
        let (ends, over) = oneshot::channel();
        lock(&self.calls).push(ends);
        over
    }

    /// How many calls of the running job have no answer yet.
    pub(crate) fn open_calls(&self) -> usize {
        let mut calls = lock(&self.calls);
        calls.retain(|call| !call.is_closed());
        calls.len()
    }

    pub(crate) fn end_calls(&self) {
        lock(&self.calls).clear();
    }

    /// Sends a message without documents.
    pub(crate) fn order(&self, message: &ToHost) {
        if let Ok(head) = pack(message, 0) {
            self.send([Chunk::Own(head)]);
        }
    }

    /// Sends at once what fits into the socket; the host's thread sends the rest.
    pub(crate) fn send(&self, chunks: impl IntoIterator<Item = Chunk>) {
        let mut outbox = lock(&self.outbox);
        let was_empty = outbox.chunks.is_empty();
        outbox.chunks.extend(chunks);
        if was_empty {
            self.write(&mut outbox);
        }
        let left = !outbox.chunks.is_empty();
        drop(outbox);
        if was_empty && left {
            self.wake();
        }
    }

    /// Sends more of what is waiting.
    pub(crate) fn flush(&self) {
        self.write(&mut lock(&self.outbox));
    }

    /// Whether something is waiting for room in the socket.
    pub(crate) fn has_more(&self) -> bool {
        !lock(&self.outbox).chunks.is_empty()
    }

    fn write(&self, outbox: &mut Outbox) {
        while !outbox.chunks.is_empty() {
            let slices: Vec<IoSlice<'_>> = outbox
                .chunks
                .iter()
                .take(SLICES)
                .enumerate()
                .map(|(n, c)| IoSlice::new(&c.bytes()[if n == 0 { outbox.sent } else { 0 }..]))
                .collect();
            match (&self.socket).write_vectored(&slices) {
                Ok(n) => advance(outbox, n),
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Err(e) if e.kind() == ErrorKind::WouldBlock => return,
                // The host is gone: its thread finds out and reports it.
                Err(_) => outbox.chunks.clear(),
            }
        }
    }

    /// Ends the host and everything it started.
    pub(crate) fn kill(&self) {
        let alive = lock(&self.alive);
        if *alive {
            kill_family(self.child);
        }
    }

    /// The same for one that did not end.
    pub(crate) fn kill_now(&self) {
        let alive = lock(&self.alive);
        if *alive {
            kill_now(self.child);
        }
    }

    /// Runs `reap` while nobody can kill, and never kills afterwards.
    pub(crate) fn reap(&self, reap: impl FnOnce()) {
        let mut alive = lock(&self.alive);
        if *alive {
            // What the agent left running in the group goes with it, even where nobody else ended it.
            let host = i32::try_from(self.pid_number()).ok();
            if let Some(group) = host.and_then(Pid::from_raw) {
                kill_group(group);
            }
            reap();
            *alive = false;
        }
    }

    /// Wakes the host's thread.
    fn wake(&self) {
        let _ = rustix::io::write(&self.wake, &[1]);
    }

    /// When the host's thread must report that a time limit has passed; `None` for no limit.
    fn set_alarm(&self, at: Option<Instant>) {
        let at = at.map_or(NEVER, |at| self.ticks(at));
        self.alarm.store(at, Ordering::SeqCst);
        if at < self.asleep_until.load(Ordering::SeqCst) {
            self.wake();
        }
    }

    /// Whether the time set by `set_alarm` has come.
    pub(crate) fn alarm_due(&self) -> bool {
        let alarm = self.alarm.load(Ordering::SeqCst);
        alarm != NEVER && alarm <= self.ticks(Instant::now())
    }

    /// How long the host's thread may sleep, at most `cap`; to be asked just before sleeping.
    ///
    /// A thread that sleeps shorter than the next alarm needs no waking for it, so that a job with
    /// an ordinary time limit costs no system call.
    pub(crate) fn may_sleep(&self, cap: Option<Duration>) -> Option<Duration> {
        let now = self.ticks(Instant::now());
        let cap = cap.map_or(NEVER, |cap| {
            now.saturating_add(u64::try_from(cap.as_micros()).unwrap_or(NEVER))
        });
        loop {
            let alarm = self.alarm.load(Ordering::SeqCst);
            let until = alarm.min(cap);
            self.asleep_until.store(until, Ordering::SeqCst);
            if self.alarm.load(Ordering::SeqCst) == alarm {
                return (until != NEVER).then(|| Duration::from_micros(until.saturating_sub(now)));
            }
        }
    }

    fn ticks(&self, at: Instant) -> u64 {
        let micros = at.saturating_duration_since(self.epoch).as_micros();
        u64::try_from(micros).unwrap_or(NEVER - 1)
    }
}

fn advance(outbox: &mut Outbox, mut n: usize) {
    while let Some(first) = outbox.chunks.front() {
        let left = first.bytes().len() - outbox.sent;
        if n < left {
            outbox.sent += n;
            return;
        }
        n -= left;
        outbox.sent = 0;
        outbox.chunks.pop_front();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
