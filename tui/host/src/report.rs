//! Words for what happened to a host or a job: every way to fail becomes one [`Fault`].
//!
//! What happened, what it means for the task, what to do next; frames are added by `symbols`.

use crate::page::{LastWords, Phase};
use crate::proto::Done;
use crate::sys::exit::Exit;
use agent_abi::table::status;
use agent_abi::wire::Failure;
use std::time::Duration;
use wb_core::fault::{Fault, FaultKind};
use wb_core::ids::BuildId;

/// What a fault is about.
#[derive(Clone, Debug, Default)]
pub(crate) struct About {
    /// Title of the data unit; empty for a preflight.
    pub label: String,
    pub build: BuildId,
    /// File name of the library.
    pub library: String,
    /// Function and place of the agent, as it declares them.
    pub agent: String,
    pub pid: u32,
    /// The agent says it may run again after it was killed half-way.
    pub idempotent: bool,
}

impl About {
    fn on(&self) -> String {
        if self.label.is_empty() {
            "in the preflight".into()
        } else {
            format!("on \"{}\"", self.label)
        }
    }
}

/// Why the workbench itself ended a host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// It took too long to open its library.
    LoadTimeout(Duration),
    /// It sent what no host sends.
    Protocol(String),
    /// It was told to go, or its job was to be stopped.
    Wanted,
}

/// All there is to know about a dead host.
#[derive(Clone, Debug)]
pub(crate) struct Death {
    pub exit: Exit,
    pub words: LastWords,
    /// Last lines of stderr.
    pub tail: Vec<String>,
}

impl Death {
    /// One line: how the process ended.
    pub(crate) fn how(&self) -> String {
        let overflow = self.is_stack_overflow();
        let signal = match self.exit {
            Exit::Signal(libc::SIGALRM) if self.words.signal != 0 => self.words.signal,
            Exit::Signal(signal) => signal,
            Exit::Code(code) => return format!("called exit({code})"),
            Exit::Unknown if self.words.signal != 0 => self.words.signal,
            Exit::Unknown => return "ended in an unknown way".into(),
        };
        let (name, meaning) = signal_words(signal);
        let fault = matches!(signal, libc::SIGSEGV | libc::SIGBUS) && self.words.signal == signal;
        if overflow {
            format!("overflowed its stack ({name})")
        } else if self.out_of_memory() {
            format!("ran out of memory ({name})")
        } else if fault {
            format!(
                "crashed: {meaning} ({name}) at address {:#x}",
                self.words.address
            )
        } else {
            format!("crashed: {meaning} ({name})")
        }
    }

    fn is_stack_overflow(&self) -> bool {
        let (address, low) = (self.words.address, self.words.stack_low);
        let near = low.saturating_sub(1 << 20)..low.saturating_add(64 << 10);
        matches!(self.words.signal, libc::SIGSEGV | libc::SIGBUS)
            && low != 0
            && near.contains(&address)
    }

    fn out_of_memory(&self) -> bool {
        let said = |line: &String| {
            line.starts_with("memory allocation of") || line.contains("std::bad_alloc")
        };
        self.words.signal == libc::SIGABRT && self.tail.iter().any(said)
    }

    fn hint(&self) -> &'static str {
        match self.exit {
            Exit::Code(_) => "an agent must return, not leave: find the call of exit() in it",
            Exit::Signal(libc::SIGKILL) => {
                "somebody else killed the process, often the system for want of memory: see dmesg"
            }
            _ if self.is_stack_overflow() => {
                "look for a recursion without an end in the frames below"
            }
            _ if self.out_of_memory() => "give the hosts more memory, or let the agent use less",
            _ => "the frames below say where; the next task runs in a fresh process",
        }
    }
}

/// A job whose process died of it.
pub(crate) fn crashed(about: &About, death: &Death, ending: Option<&Ending>) -> Fault {
    let on = about.on();
    let opening = matches!(
        death.words.phase,
        Phase::Blank | Phase::Loading | Phase::Init
    );
    let summary = match ending {
        Some(Ending::Protocol(what)) => format!(
            "the host of build {} sent {what} while it worked {on}; the task stays where it is",
            about.build
        ),
        Some(Ending::LoadTimeout(limit)) => format!(
            "build {} could not be opened again {on} within {limit:?}; the task stays where it is",
            about.build
        ),
        _ if opening => format!(
            "build {} {} while it was opened again {on}; the task stays where it is",
            about.build,
            death.how()
        ),
        _ => format!("the agent {} {on}; the task stays where it is", death.how()),
    };
    let mut fault = Fault::new(FaultKind::Host, summary)
        .hint(death.hint())
        .because(details(about, &death.tail));
    fault.retry = about.idempotent;
    fault
}

/// A job that took longer than its deadline.
pub(crate) fn timed_out(about: &About, limit: Duration, killed: bool) -> Fault {
    let end = if killed {
        "its process was ended"
    } else {
        "it stopped when asked"
    };
    let mut fault = Fault::new(
        FaultKind::Host,
        format!(
            "the agent took longer than {limit:?} {}; {end}, the task stays where it is",
            about.on()
        ),
    )
    .hint("raise `--timeout` or the agent's own `timeout`, or look for an endless loop")
    .because(details(about, &[]));
    fault.retry = about.idempotent;
    fault
}

fn details(about: &About, tail: &[String]) -> String {
    let mut text = format!(
        "{} build {} in process {}",
        about.library, about.build, about.pid
    );
    if !about.agent.is_empty() {
        text.push_str(&format!(", {}", about.agent));
    }
    if !tail.is_empty() {
        text.push_str("\nlast lines of stderr:");
        for line in tail {
            text.push_str("\n  ");
            text.push_str(line);
        }
    }
    text
}

/// Adds symbolised frames to a fault.
pub(crate) fn add_frames(fault: &mut Fault, lines: &[String]) {
    if lines.is_empty() {
        return;
    }
    let cause = fault.cause.get_or_insert_default();
    cause.push_str("\nframes:");
    for line in lines {
        cause.push_str("\n  ");
        cause.push_str(line);
    }
}

/// A call that came back without an outcome.
pub(crate) fn failed(about: &About, done: &Done, written: &[u8]) -> (Fault, Option<Box<Failure>>) {
    if let Some(defect) = &done.defect {
        let fault = Fault::new(
            FaultKind::Agent,
            format!(
                "the agent's answer {} {defect}; the task stays where it is",
                about.on()
            ),
        )
        .hint("an agent writes a JSON outcome or a text, UTF-8, at most 64 MB");
        return (fault.because(details(about, &[])), None);
    }
    let failure = read_failure(done, written);
    let message = failure.message.trim();
    let summary = match done.status {
        status::OK => format!(
            "the agent succeeded {} but wrote no outcome: {message}",
            about.on()
        ),
        status::ERROR => message.to_owned(),
        status::PANIC => match &failure.location {
            Some(place) => format!("panicked at {place}: {message}"),
            None => format!("panicked: {message}"),
        },
        status::CANCELLED => "the agent stopped as if it had been asked to".to_owned(),
        status::DEPENDENCY => match &failure.dependency {
            Some(name) => format!("dependency {name} failed: {message}"),
            None => format!("a dependency failed: {message}"),
        },
        status::UNSUPPORTED => format!("asks for what this workbench cannot give: {message}"),
        other => format!("the agent returned the unknown status {other}: {message}"),
    };
    let mut fault = Fault::new(FaultKind::Agent, summary);
    let mut cause = failure.chain.join("\n");
    if !cause.is_empty() {
        cause.push('\n');
    }
    cause.push_str(&details(about, &[]));
    fault = fault.because(cause);
    fault.retry = failure.retry && done.status != status::UNSUPPORTED;
    (fault, Some(Box::new(failure)))
}

fn read_failure(done: &Done, written: &[u8]) -> Failure {
    let text = String::from_utf8_lossy(written);
    let structured = (done.kind == 3)
        .then(|| serde_json::from_str::<Failure>(&text).ok())
        .flatten();
    let mut failure = structured.unwrap_or_else(|| Failure {
        message: text.into_owned(),
        retry: true,
        ..Failure::default()
    });
    if failure.message.trim().is_empty() {
        failure.message = "it gave no reason".into();
    }
    failure
}

/// Why a library could not be probed: one line, and what to do.
pub(crate) fn unopened(death: &Death, ending: Option<&Ending>) -> (String, Vec<String>) {
    let init = death.words.phase == Phase::Init;
    let place = if init { "its `init`" } else { "opening it" };
    let mut hints = vec![if init {
        "run the library's `init` in a test of its own".to_owned()
    } else {
        "a damaged file, or code that runs when a library is opened; build it again".to_owned()
    }];
    let reason = match ending {
        Some(Ending::LoadTimeout(limit)) => format!("{place} took longer than {limit:?}"),
        Some(Ending::Protocol(what)) => format!("its host sent {what}"),
        _ => format!("{place} failed: the probe {}", death.how()),
    };
    if let Some(line) = death.tail.last() {
        hints.push(format!("the last it printed: {line}"));
    }
    (reason, hints)
}

/// No host process can be started.
pub(crate) fn no_host(why: &str) -> Fault {
    // Where a limit is reached, no further task can be run either.
    Fault::new(
        wb_core::limits::kind_of(why, FaultKind::Host),
        format!("no host process can be started ({why}); the task stays where it is"),
    )
    .hint(
        "check limits on processes and memory (`ulimit -a`), and that the program's file is intact",
    )
}

/// A job for a build that is not in charge of anything.
pub(crate) fn unknown_build(build: BuildId) -> Fault {
    Fault::new(
        FaultKind::Host,
        format!("build {build} is not loaded any more; the task stays where it is"),
    )
    .hint("run it again on the build in charge")
    .retryable()
}

fn signal_words(signal: i32) -> (String, &'static str) {
    let (name, meaning) = match signal {
        libc::SIGSEGV => ("SIGSEGV", "segmentation fault"),
        libc::SIGBUS => ("SIGBUS", "bus error"),
        libc::SIGILL => ("SIGILL", "illegal instruction"),
        libc::SIGFPE => ("SIGFPE", "arithmetic error"),
        libc::SIGABRT => ("SIGABRT", "abort"),
        libc::SIGTRAP => ("SIGTRAP", "trap"),
        libc::SIGSYS => ("SIGSYS", "forbidden system call"),
        libc::SIGKILL => ("SIGKILL", "killed from outside"),
        libc::SIGTERM => ("SIGTERM", "terminated from outside"),
        libc::SIGALRM => ("SIGALRM", "its alarm went off"),
        libc::SIGPIPE => ("SIGPIPE", "wrote to a closed pipe"),
        libc::SIGXCPU => ("SIGXCPU", "processor time used up"),
        other => return (format!("signal {other}"), "ended by a signal"),
    };
    (name.to_owned(), meaning)
}
