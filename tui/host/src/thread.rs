//! One thread per host: turns what the host sends and writes, its time limits, its memory and its end into
//! news for the pool. What follows from them is left to `pool`.

use crate::calls;
use crate::captured::{Captured, Owner};
use crate::core::Core;
use crate::events::HostEvent;
use crate::link::{Link, NO_JOB};
use crate::output::LINE;
use crate::pool::{HostId, HostNews, PREFLIGHTS};
use crate::proto::{FromHost, Inbox, MAX_RESULT, Message, Printed};
use crate::ready::Ready;
use crate::report::Death;
use crate::spawn::Started;
use crate::sys::exit::{Exit, ExitWatch};
use crate::sys::{adopted, usage};
use agent_abi::wire::Pause;
use rustix::event::{PollFlags, Timespec};
use std::io::ErrorKind;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::process::Child;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};
use wb_core::error::foreign;
use wb_core::ids::{BuildId, JobId};
use wb_core::pause::{PausePlace, PlaceKind};

/// Longest sleep of a host's thread while its host has been busy lately.
const BUSY_CAP: Duration = Duration::from_secs(1);
/// A queue so long that the host's messages may be collected for a moment.
const LONG_QUEUE: usize = 8;
/// How long they are collected.
const PAUSE: Duration = Duration::from_micros(50);
/// How long a host that closed its socket may take to be gone.
const LEAVING: Duration = Duration::from_millis(200);
/// How long a host may take to be gone after it was killed.
const ENDING: Duration = Duration::from_secs(5);
/// Time between two measurements of the memory of a busy host.
const MEMORY_PAUSE: Duration = Duration::from_millis(100);
/// Chunks read of the socket before the others get their turn.
const TURN: usize = 16;
/// Longest name of the place in an agent that a line comes from, in bytes.
const TARGET: usize = 200;
/// Longest value of a place that is kept, in bytes; a longer one can be looked at and not edited.
const VALUE: usize = 4 << 20;
/// Turns that the socket of a process that is gone may still take.
const LAST_TURNS: usize = 256;

pub(crate) struct HostThread {
    core: Arc<Core>,
    id: HostId,
    link: Arc<Link>,
    child: Child,
    socket: UnixStream,
    inbox: Inbox,
    captured: Captured,
    wake: OwnedFd,
    exit: ExitWatch,
    active: Instant,
    memory: Memory,
}

/// Memory use of a host.
struct Memory {
    /// When to measure again.
    next: Instant,
    /// Bytes at the last measurement, 0 before the first.
    used: u64,
    /// Processes that the system had ended for lack of memory before this host began.
    kills: u64,
}

/// What reading the socket came to.
#[derive(PartialEq, Eq)]
enum Socket {
    /// Nothing is left for now.
    Drained,
    /// There may be more.
    More,
    /// The connection is over.
    Closed,
}

impl HostThread {
    pub(crate) fn new(core: Arc<Core>, id: HostId, host: Started) -> Self {
        Self {
            core,
            id,
            link: host.link,
            child: host.child,
            socket: host.socket,
            inbox: Inbox::default(),
            captured: Captured::new(host.stdout, host.stderr),
            wake: host.wake,
            exit: host.exit,
            active: Instant::now(),
            memory: Memory {
                next: Instant::now(),
                used: 0,
                kills: usage::kills_for_memory(),
            },
        }
    }

    pub(crate) fn start(self) -> std::io::Result<()> {
        std::thread::Builder::new()
            .name(format!("wb-host-{}", self.id))
            .spawn(move || self.run())
            .map(drop)
    }

    fn run(mut self) {
        loop {
            let ready = self.poll();
            if ready.wake {
                let mut sink = [0; 64];
                while rustix::io::read(&self.wake, &mut sink).is_ok_and(|n| n == sink.len()) {}
            }
            if ready.room {
                self.link.flush();
            }
            self.captured
                .fill(&self.link.page, ready.stdout, ready.stderr);
            let mut socket = Socket::Drained;
            if ready.socket || self.captured.holds() {
                socket = self.read_socket();
            }
            if socket == Socket::Drained && self.captured.holds() {
                self.captured(|captured, _, owner| captured.give(owner));
            }
            if self.link.alarm_due() {
                self.report(HostNews::Alarm);
            }
            self.measure_memory();
            if ready.ended || socket == Socket::Closed {
                break;
            }
            if self.link.queued.load(Ordering::Relaxed) >= LONG_QUEUE {
                // It has enough to do: what it sends meanwhile is read at once.
                std::thread::sleep(PAUSE);
            }
            self.core.events.wait_for_room();
        }
        self.finish();
    }

    fn poll(&mut self) -> Ready {
        let cap =
            (self.active.elapsed() < BUSY_CAP || self.exit.fd().is_none()).then_some(BUSY_CAP);
        let cap = if self.captured.holds() {
            Some(Duration::ZERO)
        } else {
            cap.into_iter().chain(self.memory_pause()).min()
        };
        let timeout = self.link.may_sleep(cap);
        let timeout = timeout.and_then(|t| Timespec::try_from(t).ok());
        let socket = if self.link.has_more() {
            PollFlags::IN | PollFlags::OUT
        } else {
            PollFlags::IN
        };
        let [stdout, stderr] = self.captured.fds();
        let exit = self.exit.fd();
        let watched = [
            Some((self.socket.as_fd(), socket)),
            Some((self.wake.as_fd(), PollFlags::IN)),
            stdout.map(|fd| (fd, PollFlags::IN)),
            stderr.map(|fd| (fd, PollFlags::IN)),
            exit.map(|fd| (fd, PollFlags::IN)),
        ];
        let mut ready = Ready::wait(watched, timeout.as_ref());
        ready.ended |= exit.is_none() && self.exit.peek().is_some();
        ready
    }

    /// Time between two measurements of memory: long where nothing runs, `None` before there was
    /// anything to open.
    fn memory_pause(&self) -> Option<Duration> {
        let watched = self.core.config.memory_limit.is_some();
        match self.link.busy.load(Ordering::Relaxed) {
            true if watched => Some(MEMORY_PAUSE),
            false if watched && self.memory.used > 0 => Some(BUSY_CAP),
            _ => None,
        }
    }

    /// Reports how much memory the host uses, when it is time to.
    fn measure_memory(&mut self) {
        let Some(pause) = self.memory_pause() else {
            return;
        };
        let greeted = self.link.host.load(Ordering::Relaxed) != 0;
        if Instant::now() < self.memory.next || !greeted {
            return;
        }
        // From the supervisor down: it adopts what has left the host's own family.
        let used = usage::of_family(self.child.id());
        self.memory.used = used.unwrap_or(self.memory.used);
        self.memory.next = Instant::now() + pause;
        let used = self.memory.used;
        self.report(HostNews::Memory { used });
    }

    fn report(&self, news: HostNews) {
        self.core.on_host(self.id, news);
    }

    /// Reads and handles what is whole, for a turn.
    fn read_socket(&mut self) -> Socket {
        for _ in 0..TURN {
            match self.inbox.fill(&self.socket) {
                Ok(0) => return Socket::Closed,
                Ok(_) => {}
                Err(e) if e.kind() == ErrorKind::WouldBlock => return Socket::Drained,
                Err(e) if e.kind() == ErrorKind::Interrupted => continue,
                Err(_) => return Socket::Closed,
            }
            self.active = Instant::now();
            if let Err(what) = self.handle_all() {
                self.report(HostNews::Invalid(what));
            }
            if self.link.cut_off.load(Ordering::Relaxed) {
                return Socket::Closed;
            }
        }
        Socket::More
    }

    fn handle_all(&mut self) -> Result<(), String> {
        while !self.link.cut_off.load(Ordering::Relaxed)
            && let Some(message) = self.inbox.next(MAX_RESULT)?
        {
            self.handle(message)?;
        }
        Ok(())
    }

    fn handle(&mut self, message: Message) -> Result<(), String> {
        let header: FromHost = message
            .header()
            .map_err(|e| format!("an invalid message ({e})"))?;
        let news = match header {
            FromHost::Log { level, job, target } => {
                // A thread that outlived its task may send while another one runs.
                let job = self.job().filter(|running| job == Some(running.0));
                self.log(job, level, target, message.parts());
                return Ok(());
            }
            FromHost::Progress { fraction } => {
                if let Some(job) = self.job() {
                    let fraction = fraction.clamp(0.0, 1.0);
                    self.core.events.push(HostEvent::Progress { job, fraction });
                }
                return Ok(());
            }
            FromHost::Hello { protocol, pid } => self.hello(protocol, pid),
            FromHost::Loaded { descriptor, base } => {
                self.end_of_task(None);
                let descriptor = Box::new(descriptor);
                HostNews::Loaded { descriptor, base }
            }
            FromHost::LoadFailed { reason, hints } => {
                self.end_of_task(None);
                HostNews::LoadFailed { reason, hints }
            }
            FromHost::Call { job, call, name } => {
                calls::check(&self.link, &name)?;
                let question = message.into_parts();
                HostNews::Call {
                    job,
                    call,
                    name,
                    question,
                }
            }
            FromHost::Paused { job, call, at } => HostNews::Paused {
                job,
                call,
                at: place(&at, message.parts()),
            },
            FromHost::TakenBack { ticket } => HostNews::TakenBack { ticket },
            FromHost::Loading { job, name } => HostNews::Loading { job, name },
            FromHost::Done(done) => {
                self.end_of_task(done.printed);
                HostNews::Done {
                    done,
                    written: message.into_parts(),
                    claims: self.link.page.claims.last_words(),
                }
            }
        };
        self.report(news);
        Ok(())
    }

    fn hello(&self, protocol: u32, pid: u32) -> HostNews {
        let stack_low = self.link.page.claims.stack_low.load(Ordering::SeqCst);
        HostNews::Hello {
            protocol,
            pid,
            stack_low,
        }
    }

    fn job(&self) -> Option<JobId> {
        let job = self.link.job.load(Ordering::SeqCst);
        (job != NO_JOB && job < PREFLIGHTS).then_some(JobId(job))
    }

    fn log(&mut self, job: Option<JobId>, level: u8, target: usize, parts: &[u8]) {
        if !self.captured.room_for(parts.len()) {
            return;
        }
        let (target, line) = parts.split_at(target.min(parts.len()));
        let text = |bytes, most| foreign(String::from_utf8_lossy(bytes).into_owned(), most);
        self.core.events.push(HostEvent::Log {
            job,
            build: self.build(),
            level: level.clamp(1, 5),
            target: text(target, TARGET),
            text: text(line, LINE),
        });
    }

    fn build(&self) -> BuildId {
        BuildId(self.link.build.load(Ordering::SeqCst))
    }

    /// The task has ended; what was printed from here on belongs to the next one.
    fn end_of_task(&mut self, printed: Option<Printed>) {
        self.captured(|captured, link, owner| {
            captured.end(&link.page, printed, owner);
            captured.forget();
        });
    }

    /// Acts on the captured output on behalf of the running task.
    fn captured(&mut self, act: impl FnOnce(&mut Captured, &Link, &Owner<'_>)) {
        let owner = Owner {
            job: self.job(),
            build: self.build(),
            send: &|event| self.core.events.push(event),
        };
        act(&mut self.captured, &self.link, &owner);
    }

    /// The process has ended, or has closed its socket and is made to end.
    fn finish(mut self) {
        self.report(HostNews::Gone); // no new work for it, whatever its last messages report
        let mut exit = self.exit.wait(LEAVING);
        if exit.is_none() {
            let what = "nothing more: it closed its connection and stayed".into();
            self.report(HostNews::Invalid(what));
            exit = self.exit.wait(ENDING);
        }
        if exit.is_none() {
            self.link.kill_now();
            exit = self.exit.wait(ENDING);
        }
        // What it sent and printed before its end still counts.
        for _ in 0..LAST_TURNS {
            let cut_off = self.link.cut_off.load(Ordering::Relaxed);
            if cut_off || self.read_socket() != Socket::More {
                break;
            }
        }
        self.captured(|captured, link, owner| captured.end(&link.page, None, owner));
        let death = Death {
            exit: exit.unwrap_or(Exit::Unknown),
            used: self.memory.used,
            by_system: usage::kills_for_memory() > self.memory.kills,
            words: self.link.page.claims.last_words(),
            tail: self.captured.last_words(),
        };
        let child = &mut self.child;
        self.link.reap(|| drop(child.wait()));
        // Its supervisor has ended them already, unless that was killed itself.
        adopted::end_adopted();
        self.report(HostNews::Died(Box::new(death)));
    }
}

/// A place that a job has reached. Its value is kept as it may be shown.
fn place(at: &Pause, value: &[u8]) -> PausePlace {
    let value = String::from_utf8_lossy(value);
    let shown = foreign(value.clone().into_owned(), VALUE);
    PausePlace {
        kind: PlaceKind::of(&at.kind),
        name: foreign(at.name.clone(), TARGET),
        editable: shown == value,
        value: shown.into(),
    }
}
