//! Messages for what happened to a host or a job: every way to fail becomes one [`Error`].
//!
//! What happened, what it means for the task, what to do next; frames are added by `symbols`.

use crate::jobs::JobRequest;
use crate::page::{LastWords, Phase};
use crate::place::as_declared;
use crate::proto::MAX_INPUT;
use crate::sys::exit::{self, Exit};
use std::time::Duration;
use wb_core::error::{Error, ErrorKind};
use wb_core::ids::BuildId;

/// What an error is about.
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
    /// The agent declares that it may run again after it was killed half-way.
    pub idempotent: bool,
    /// The dependency that was being loaded into the host.
    pub loading: Option<String>,
    /// The place that a person held it at.
    pub held: Option<String>,
    /// The process answers questions to this resource.
    pub resource: Option<String>,
    /// The library was open.
    pub opened: bool,
}

impl About {
    pub(crate) fn on(&self) -> String {
        if self.resource.is_some() {
            "while it answered".into()
        } else if self.label.is_empty() {
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
    /// Something in it wrote over the page that it shares with the workbench; `blamed` when that was
    /// the work that it ran at its end.
    Scribbled { blamed: bool },
    /// It used more memory than it may, in bytes.
    Memory { used: u64, limit: u64 },
    /// It was asked to leave, or its job was to be stopped.
    Wanted,
}

/// All there is to know about a dead host.
#[derive(Clone, Debug)]
pub(crate) struct Death {
    pub exit: Exit,
    pub words: LastWords,
    /// Bytes of memory it used when that was last looked at; 0 where it was not.
    pub used: u64,
    /// The system has ended a process for lack of memory during its life.
    pub by_system: bool,
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
        let (name, meaning) = exit::signal_words(signal);
        let error = matches!(signal, libc::SIGSEGV | libc::SIGBUS) && self.words.signal == signal;
        if self.ended_for_memory() {
            let used = match self.used {
                0 => String::new(),
                used => format!("; it used {} when last looked at", bytes(used)),
            };
            format!("was ended by the system for lack of memory ({name}{used})")
        } else if overflow {
            format!("overflowed its stack ({name})")
        } else if self.out_of_memory() {
            format!("ran out of memory ({name})")
        } else if error {
            format!(
                "crashed: {meaning} ({name}) at address {:#x}",
                self.words.address
            )
        } else {
            format!("crashed: {meaning} ({name})")
        }
    }

    /// Whether another attempt may end otherwise: not when the agent crashed, aborted or called `exit` by itself.
    fn may_differ(&self, ending: Option<&Ending>) -> bool {
        match ending {
            Some(Ending::Scribbled { .. } | Ending::Protocol(_)) => false,
            Some(Ending::Memory { .. } | Ending::LoadTimeout(_)) => true,
            _ => {
                matches!(
                    self.exit,
                    Exit::Signal(libc::SIGKILL | libc::SIGTERM) | Exit::Unknown
                ) && self.words.signal == 0
            }
        }
    }

    fn is_stack_overflow(&self) -> bool {
        let (address, low) = (self.words.address, self.words.stack_low);
        let near = low.saturating_sub(1 << 20)..low.saturating_add(64 << 10);
        matches!(self.words.signal, libc::SIGSEGV | libc::SIGBUS)
            && low != 0
            && near.contains(&address)
    }

    fn ended_for_memory(&self) -> bool {
        self.exit == Exit::Signal(libc::SIGKILL) && self.by_system
    }

    fn out_of_memory(&self) -> bool {
        let reported = |line: &String| {
            line.starts_with("memory allocation of") || line.contains("std::bad_alloc")
        };
        self.words.signal == libc::SIGABRT && self.tail.iter().any(reported)
    }

    pub(crate) fn hint(&self) -> &'static str {
        match self.exit {
            Exit::Code(_) => "an agent must return, not leave: find the call of exit() in it",
            _ if self.ended_for_memory() => LESS_MEMORY,
            Exit::Signal(libc::SIGKILL) => {
                "somebody else killed the process, often the system for lack of memory: see dmesg"
            }
            _ if self.is_stack_overflow() => {
                "look for a recursion without an end in the frames below"
            }
            _ if self.out_of_memory() => LESS_MEMORY,
            _ => "the frames below show where; the next task runs in a fresh process",
        }
    }
}

/// What to do about agents that need much memory.
pub(crate) const LESS_MEMORY: &str =
    "let the agent use less memory, run fewer at a time (`-j`), or raise `memory` (`--memory`)";
pub(crate) const SLOW_LOADING: &str =
    "raise `load_timeout` (`--load-timeout`) if it needs the time";

/// Bytes for people: 1.5 GB.
#[must_use]
pub fn bytes(n: u64) -> String {
    let (unit, name) = match n {
        0..1_000_000 => (1_000, "kB"),
        1_000_000..1_000_000_000 => (1_000_000, "MB"),
        _ => (1_000_000_000, "GB"),
    };
    let tenths = n.saturating_mul(10) / unit;
    match (tenths / 10, tenths % 10) {
        (whole, tenth) if whole < 10 && tenth > 0 => format!("{whole}.{tenth} {name}"),
        (whole, _) => format!("{whole} {name}"),
    }
}

/// A host that ended between tasks, in one line.
pub(crate) fn host_died(death: &Death, ending: Option<&Ending>) -> String {
    match ending {
        Some(Ending::Scribbled { .. }) => {
            "an agent wrote over the control page that its host shares with the workbench; \
             the host was replaced"
                .into()
        }
        Some(Ending::Memory { used, limit }) => format!(
            "the host used {} of memory with no task in it, more than the {} it may use (`memory`)",
            bytes(*used),
            bytes(*limit)
        ),
        Some(Ending::Protocol(what)) => format!("the host sent {what}"),
        _ => format!("the host {}", death.how()),
    }
}

/// A job whose process died of it.
pub(crate) fn crashed(about: &About, death: &Death, ending: Option<&Ending>) -> Error {
    let on = about.on();
    let mut hint = death.hint();
    let summary = match ending {
        Some(Ending::Scribbled { .. }) => {
            hint = "look for a pointer that leads astray, or an index out of bounds";
            format!(
                "the agent wrote over the control page that its host shares with the workbench \
                 {on}; the task stays where it is"
            )
        }
        Some(Ending::Memory { used, limit }) => {
            hint = LESS_MEMORY;
            format!(
                "the agent ran out of memory {on}: its process used {}, more than the {} it may \
                 use (`memory`); the task stays where it is",
                bytes(*used),
                bytes(*limit)
            )
        }
        Some(Ending::LoadTimeout(limit)) if about.loading.is_some() => {
            hint = SLOW_LOADING;
            format!(
                "dependency {} took longer than {limit:?} to load {on}; the task stays where it is",
                about.loading.as_deref().unwrap_or_default()
            )
        }
        Some(Ending::Protocol(what)) => format!(
            "the host of build {} sent {what} while it worked {on}; the task stays where it is",
            about.build
        ),
        Some(Ending::LoadTimeout(limit)) => format!(
            "build {} could not be opened again {on} within {limit:?}; the task stays where it is",
            about.build
        ),
        _ if !about.opened => format!(
            "build {} {} while it was opened again {on}; the task stays where it is",
            about.build,
            death.how()
        ),
        _ => {
            let loading = about.loading.as_ref();
            let loading = loading.map(|name| format!("while dependency {name} was loaded "));
            let held = about.held.as_ref();
            let held = held.map(|at| format!("while it was held at {at} "));
            format!(
                "the agent {} {}{on}; the task stays where it is",
                death.how(),
                held.or(loading).unwrap_or_default()
            )
        }
    };
    let mut error = Error::new(ErrorKind::Host, summary).hint(hint);
    error = detailed(error, about, &death.tail);
    error.retry = about.idempotent && death.may_differ(ending);
    error
}

/// A job that took longer than its deadline.
pub(crate) fn timed_out(about: &About, limit: Duration, killed: bool) -> Error {
    let end = if killed {
        "its process was ended"
    } else {
        "it stopped when asked"
    };
    let mut error = Error::new(
        ErrorKind::Host,
        format!(
            "the agent took longer than {limit:?} {}; {end}, the task stays where it is",
            about.on()
        ),
    )
    .hint("raise `--timeout` or the agent's own `timeout`, or look for an endless loop");
    error = detailed(error, about, &[]);
    error.retry = about.idempotent;
    error
}

/// The error with where it ran, and the last lines that it printed there.
pub(crate) fn detailed(mut error: Error, about: &About, tail: &[String]) -> Error {
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
    error.details = Some(text);
    error
}

/// Adds symbolised frames to an error. The first of the agent's is its place, if no other one is known.
pub(crate) fn add_frames(error: &mut Error, lines: &[String]) {
    let Some(first) = lines.first() else {
        return;
    };
    if error.location.is_none()
        && let Some((_, place)) = first.rsplit_once(" at ")
        && !place.ends_with(":0")
    {
        let agent = (error.details.as_deref()).and_then(|text| text.lines().next());
        let declared = agent.and_then(|line| line.rsplit(' ').next());
        error.location = Some(as_declared(place, declared.unwrap_or_default()));
    }
    let mut details = error.details.take().unwrap_or_default();
    details.push_str("\nframes:");
    for line in lines {
        details.push_str("\n  ");
        details.push_str(line);
    }
    error.details = Some(details);
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
        Some(Ending::LoadTimeout(limit)) => {
            hints = vec![SLOW_LOADING.to_owned()];
            format!("{place} took longer than {limit:?}")
        }
        Some(Ending::Memory { used, limit }) => {
            hints = vec![LESS_MEMORY.to_owned()];
            format!(
                "{place} used {} of memory, more than the {} a host may use (`memory`)",
                bytes(*used),
                bytes(*limit)
            )
        }
        Some(Ending::Scribbled { .. }) => {
            format!("{place} wrote over the control page of its host")
        }
        Some(Ending::Protocol(what)) => format!("its host sent {what}"),
        _ => format!("{place} failed: the probe {}", death.how()),
    };
    if let Some(line) = death.tail.last() {
        hints.push(format!("the last it printed: {line}"));
    }
    (reason, hints)
}

/// No host process can be started.
pub(crate) fn no_host(why: &str) -> Error {
    // Where a limit is reached, no further task can be run either.
    Error::new(
        wb_core::limits::kind_of(why, ErrorKind::Host),
        format!("no host process can be started ({why}); the task stays where it is"),
    )
    .hint(
        "check limits on processes and memory (`ulimit -a`), and that the program's file is intact",
    )
}

/// The documents of a job are larger than a message to a host may be.
pub(crate) fn too_large(job: &JobRequest) -> Option<Error> {
    let total = job.size();
    (total > MAX_INPUT).then(|| {
        Error::new(
            ErrorKind::Host,
            format!(
                "the inputs of \"{}\" are {total} bytes, more than a host takes ({MAX_INPUT}); the task stays where it is",
                job.label
            ),
        )
        .hint("ask for less: `initialise(include_object_feature_hashes = …)` on the agent")
    })
}

/// A job for a build that is not active.
pub(crate) fn unknown_build(build: BuildId) -> Error {
    Error::new(
        ErrorKind::Host,
        format!("build {build} is not loaded any more; the task stays where it is"),
    )
    .hint("run it again on the active build")
    .retryable()
}
