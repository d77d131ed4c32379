//! One thread per host: reads what it sends and prints, watches the clock for it, sees it end.
//!
//! What the messages mean is left to `pool` and `supervise`.

use crate::events::HostEvent;
use crate::link::{Link, NO_JOB};
use crate::output::{Budget, Lines};
use crate::pool::{Core, HostId};
use crate::proto::{FromHost, Inbox, MAX_RESULT, Message};
use crate::report::{Death, Ending};
use crate::spawn::Started;
use crate::sys::exit::{Exit, ExitWatch};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::io::{ErrorKind, Read};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::process::{Child, ChildStderr, ChildStdout};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};
use wb_core::ids::{BuildId, JobId};

/// Longest sleep of a host's thread while its host has been busy lately.
const BUSY_CAP: Duration = Duration::from_secs(1);
/// A line so long that the host's news may be collected for a moment.
const LONG_LINE: usize = 8;
/// How long they are collected.
const PAUSE: Duration = Duration::from_micros(50);
/// How long a host that closed its socket may take to be gone.
const LEAVING: Duration = Duration::from_millis(200);
/// Most that is read of one stream before the others get their turn, and most that a pipe can
/// hold of a finished task.
const TURN: usize = 1 << 20;

pub(crate) struct HostThread {
    core: Arc<Core>,
    id: HostId,
    link: Arc<Link>,
    child: Child,
    socket: UnixStream,
    inbox: Inbox,
    prints: Prints,
    wake: OwnedFd,
    exit: ExitWatch,
    active: Instant,
    ending: Option<Ending>,
}

struct Prints {
    stdout: Option<ChildStdout>,
    stderr: Option<ChildStderr>,
    out_lines: Lines,
    err_lines: Lines,
    budget: Budget,
    chunk: Vec<u8>,
}

/// What poll said.
struct Ready {
    socket: bool,
    room: bool,
    stdout: bool,
    stderr: bool,
    wake: bool,
    ended: bool,
}

impl HostThread {
    pub(crate) fn start(core: Arc<Core>, id: HostId, host: Started) -> std::io::Result<()> {
        let thread = Self {
            core,
            id,
            link: host.link,
            child: host.child,
            socket: host.socket,
            inbox: Inbox::default(),
            prints: Prints {
                stdout: Some(host.stdout),
                stderr: Some(host.stderr),
                out_lines: Lines::default(),
                err_lines: Lines::default(),
                budget: Budget::default(),
                chunk: vec![0; 64 << 10],
            },
            wake: host.wake,
            exit: host.exit,
            active: Instant::now(),
            ending: None,
        };
        std::thread::Builder::new()
            .name(format!("wb-host-{id}"))
            .spawn(move || thread.run())
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
            if ready.stdout || ready.stderr {
                self.read_prints(ready.stdout, ready.stderr);
            }
            let open = !ready.socket || self.read_socket();
            if self.link.alarm_due() {
                self.core.alarm(self.id);
                Core::dispatch(&self.core);
            }
            if ready.ended || !open {
                break;
            }
            if self.link.lined.load(Ordering::Relaxed) >= LONG_LINE {
                // It has enough to do: what it says meanwhile is read at once.
                std::thread::sleep(PAUSE);
            }
            self.core.events.wait_for_room();
        }
        self.finish();
    }

    fn poll(&mut self) -> Ready {
        let cap =
            (self.active.elapsed() < BUSY_CAP || self.exit.fd().is_none()).then_some(BUSY_CAP);
        let timeout = self.link.may_sleep(cap);
        let timeout = timeout.and_then(|t| Timespec::try_from(t).ok());
        let socket = if self.link.has_more() {
            PollFlags::IN | PollFlags::OUT
        } else {
            PollFlags::IN
        };
        let mut fds = [const { None }; 5];
        fds[0] = Some((self.socket.as_fd(), socket));
        fds[1] = Some((self.wake.as_fd(), PollFlags::IN));
        fds[2] = self
            .prints
            .stdout
            .as_ref()
            .map(|f| (f.as_fd(), PollFlags::IN));
        fds[3] = self
            .prints
            .stderr
            .as_ref()
            .map(|f| (f.as_fd(), PollFlags::IN));
        fds[4] = self.exit.fd().map(|f| (f, PollFlags::IN));
        let said = poll_some(fds, timeout.as_ref());
        let any = |n: usize| !said[n].is_empty();
        Ready {
            socket: any(0) && said[0] != PollFlags::OUT,
            room: said[0].contains(PollFlags::OUT),
            wake: any(1),
            stdout: any(2),
            stderr: any(3),
            ended: any(4) || (self.exit.fd().is_none() && self.exit.peek().is_some()),
        }
    }

    /// Reads once and handles what is whole; false when the connection is over.
    fn read_socket(&mut self) -> bool {
        match self.inbox.fill(&self.socket) {
            Ok(0) => return false,
            Ok(_) => {}
            Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {
                return true;
            }
            Err(_) => return false,
        }
        self.active = Instant::now();
        loop {
            match self.inbox.next(MAX_RESULT) {
                Ok(None) => return true,
                Ok(Some(message)) => {
                    if let Err(what) = self.handle(message) {
                        return self.refuse(what);
                    }
                }
                Err(what) => return self.refuse(what),
            }
        }
    }

    fn refuse(&mut self, what: String) -> bool {
        self.ending = Some(Ending::Protocol(what));
        self.link.kill();
        false
    }

    fn handle(&mut self, message: Message) -> Result<(), String> {
        let header: FromHost = message
            .header()
            .map_err(|e| format!("a message that is none ({e})"))?;
        match header {
            FromHost::Hello { protocol, .. } => self.core.hello(self.id, protocol)?,
            FromHost::Loaded { descriptor, base } => {
                self.end_of_task();
                self.core.loaded(self.id, descriptor, base)?;
            }
            FromHost::LoadFailed { reason, hints } => {
                self.end_of_task();
                self.core.load_failed(self.id, reason, hints);
            }
            FromHost::Log { level, target } => self.log(level, target, message.parts()),
            FromHost::Progress { fraction } => {
                if let Some(job) = self.job() {
                    let fraction = fraction.clamp(0.0, 1.0);
                    self.core.events.push(HostEvent::Progress { job, fraction });
                }
            }
            FromHost::Call { job, call, name } => {
                let question = message.into_parts();
                self.core.called(self.id, job, call, name, question)?;
            }
            FromHost::Done(done) => {
                self.end_of_task();
                self.core.done(self.id, done, message.into_parts())?;
            }
        }
        Ok(())
    }

    fn job(&self) -> Option<JobId> {
        let job = self.link.job.load(Ordering::SeqCst);
        (job != NO_JOB && job < PREFLIGHTS).then_some(JobId(job))
    }

    fn log(&mut self, level: u8, target: usize, parts: &[u8]) {
        if !self.prints.budget.take(parts.len()) {
            return;
        }
        let (target, text) = parts.split_at(target.min(parts.len()));
        self.core.events.push(HostEvent::Log {
            job: self.job(),
            build: self.build(),
            level: level.clamp(1, 5),
            target: String::from_utf8_lossy(target).into_owned(),
            text: String::from_utf8_lossy(text).into_owned(),
        });
    }

    fn build(&self) -> BuildId {
        BuildId(self.link.build.load(Ordering::SeqCst))
    }

    /// Everything printed so far belongs to the task that just ended.
    fn end_of_task(&mut self) {
        self.read_prints(true, true);
        self.flush_prints();
        self.prints.out_lines.forget();
        self.prints.err_lines.forget();
    }

    fn flush_prints(&mut self) {
        let (job, build) = (self.job(), self.build());
        let events = &self.core.events;
        let prints = &mut self.prints;
        let mut out = |text| events.push(line(job, build, STDOUT, text));
        prints.out_lines.flush(&mut prints.budget, &mut out);
        let mut err = |text| events.push(line(job, build, STDERR, text));
        prints.err_lines.flush(&mut prints.budget, &mut err);
        if let Some(text) = prints.budget.renew() {
            events.push(line(job, build, STDOUT, text));
        }
    }

    fn read_prints(&mut self, stdout: bool, stderr: bool) {
        let (job, build) = (self.job(), self.build());
        let events = &self.core.events;
        let prints = &mut self.prints;
        if stdout {
            let mut sink = |text| events.push(line(job, build, STDOUT, text));
            let (lines, budget) = (&mut prints.out_lines, &mut prints.budget);
            read_stream(
                &mut prints.stdout,
                &mut prints.chunk,
                lines,
                budget,
                &mut sink,
            );
        }
        if stderr {
            let mut sink = |text| events.push(line(job, build, STDERR, text));
            let (lines, budget) = (&mut prints.err_lines, &mut prints.budget);
            read_stream(
                &mut prints.stderr,
                &mut prints.chunk,
                lines,
                budget,
                &mut sink,
            );
        }
    }

    /// The process has ended, or has closed its socket and is made to end.
    fn finish(mut self) {
        self.core.gone(self.id); // no new work for it, whatever its last messages say
        let mut exit = self.exit.wait(LEAVING);
        if exit.is_none() {
            self.ending.get_or_insert_with(|| {
                Ending::Protocol("nothing more: it closed its connection and stayed".into())
            });
            self.link.kill();
            exit = self.exit.wait(Duration::from_secs(10));
        }
        // What it sent and printed before its end still counts.
        let mut turns = 0;
        while turns < 4096 && self.ending.is_none() {
            turns += 1;
            match self.inbox.fill(&self.socket) {
                Ok(0) => break,
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Err(_) => break,
                Ok(_) => {
                    while let Ok(Some(message)) = self.inbox.next(MAX_RESULT) {
                        if let Err(what) = self.handle(message) {
                            self.ending = Some(Ending::Protocol(what));
                        }
                    }
                }
            }
        }
        self.read_prints(true, true);
        self.flush_prints();
        let death = Death {
            exit: exit.unwrap_or(Exit::Unknown),
            words: self.link.page.last_words(),
            tail: self.prints.err_lines.tail(),
        };
        let child = &mut self.child;
        self.link.reap(|| drop(child.wait()));
        Core::died(&self.core, self.id, death, self.ending);
    }
}

/// Numbers from here on are preflights, not jobs.
pub(crate) const PREFLIGHTS: u64 = 1 << 63;

type Stream = (u8, &'static str);
const STDOUT: Stream = (3, "stdout");
const STDERR: Stream = (2, "stderr");

fn line(job: Option<JobId>, build: BuildId, (level, target): Stream, text: String) -> HostEvent {
    HostEvent::Log {
        job,
        build,
        level,
        target: target.into(),
        text,
    }
}

fn read_stream(
    stream: &mut Option<impl Read>,
    chunk: &mut [u8],
    lines: &mut Lines,
    budget: &mut Budget,
    sink: &mut dyn FnMut(String),
) {
    let mut total = 0;
    while let Some(from) = stream
        && total < TURN
    {
        match from.read(chunk) {
            Ok(0) => *stream = None,
            Ok(n) => {
                total += n;
                lines.push(&chunk[..n], budget, sink);
            }
            Err(e) if e.kind() == ErrorKind::Interrupted => {}
            Err(e) if e.kind() == ErrorKind::WouldBlock => return,
            Err(_) => *stream = None,
        }
    }
}

/// Polls those that are there; what each of the five said, empty for those that are not.
fn poll_some(
    fds: [Option<(BorrowedFd<'_>, PollFlags)>; 5],
    timeout: Option<&Timespec>,
) -> [PollFlags; 5] {
    let mut asked = Vec::with_capacity(5);
    for (fd, flags) in fds.iter().flatten() {
        asked.push(PollFd::from_borrowed_fd(*fd, *flags));
    }
    let mut said = [PollFlags::empty(); 5];
    if poll(&mut asked, timeout).is_err() {
        return said; // interrupted: the caller comes back
    }
    let mut answers = asked.iter().map(PollFd::revents);
    for (n, fd) in fds.iter().enumerate() {
        if fd.is_some() {
            said[n] = answers.next().unwrap_or(PollFlags::empty());
        }
    }
    said
}
