//! Words for a call of an agent that came back without an outcome, cut to what a person may read.

use crate::page::FRAMES;
use crate::proto::Done;
use crate::report::{About, Death, Ending, LESS_MEMORY, SLOW_LOADING, bytes, detailed};
use agent_abi::table::status;
use agent_abi::wire::Failure;
use wb_core::error::{Error, ErrorKind, foreign};

/// A call that came back without an outcome.
pub(crate) fn failed(about: &About, done: &Done, written: &[u8]) -> (Error, Option<Box<Failure>>) {
    if let Some(defect) = &done.defect {
        let error = Error::new(
            ErrorKind::Agent,
            format!(
                "the agent's answer {} {defect}; the task stays where it is",
                about.on()
            ),
        )
        .hint("an agent writes a JSON outcome or a text, UTF-8, at most 64 MB");
        return (detailed(error, about, &[]), None);
    }
    let failure = read_failure(done, written);
    let message = failure.message.trim();
    let summary = match done.status {
        status::OK => format!(
            "the agent succeeded {} but wrote no outcome: {message}",
            about.on()
        ),
        status::ERROR => message.to_owned(),
        status::PANIC => {
            let whose = failure.dependency.as_ref();
            let whose = whose.map(|name| format!("dependency {name} "));
            let place = failure.location.as_ref();
            let place = place.map(|place| format!(" at {place}"));
            let (whose, place) = (whose.unwrap_or_default(), place.unwrap_or_default());
            format!("{whose}panicked{place}: {message}")
        }
        status::CANCELLED => "the agent stopped as if it had been asked to".to_owned(),
        status::DEPENDENCY => match &failure.dependency {
            Some(name) => format!("dependency {name} failed: {message}"),
            None => format!("a dependency failed: {message}"),
        },
        status::UNSUPPORTED => format!("asks for what this workbench cannot give: {message}"),
        other => format!("the agent returned the unknown status {other}: {message}"),
    };
    let mut error = detailed(Error::new(ErrorKind::Agent, summary), about, &[]);
    let cause = failure.chain.join("\n");
    error.cause = (!cause.is_empty()).then_some(cause);
    error.location.clone_from(&failure.location);
    error.unknown_name = failure.unknown_name;
    // A name that the project does not have stays unknown until the project is read again, and an answer that breaks the
    // ABI is broken code.
    let may_differ = matches!(
        done.status,
        status::ERROR | status::PANIC | status::DEPENDENCY | status::CANCELLED
    );
    error.retry = failure.retry && !failure.unknown_name && may_differ;
    (error.bounded(), Some(Box::new(failure)))
}

/// The process of a resource ended, while it was opened or answered.
pub(crate) fn resource_ended(about: &About, death: &Death, ending: Option<&Ending>) -> Error {
    let (mut hint, on) = (death.hint(), about.on());
    let summary = match ending {
        Some(Ending::LoadTimeout(limit)) => {
            hint = SLOW_LOADING;
            format!("opening it took longer than {limit:?}")
        }
        Some(Ending::Memory { used, limit }) => {
            hint = LESS_MEMORY;
            format!(
                "its process used {}, more than the {} it may use (`memory`)",
                bytes(*used),
                bytes(*limit)
            )
        }
        Some(Ending::Protocol(what)) => format!("its process sent {what}"),
        _ if !about.opened => format!("its process {} while it was opened", death.how()),
        _ => format!("its process {} {on}", death.how()),
    };
    let error = Error::new(ErrorKind::Host, summary);
    detailed(error.hint(hint), about, &death.tail)
}

/// Longest reason and longest value of a step that are kept of what an agent wrote, in bytes.
const TEXT: usize = 2 << 10;
/// Longest name, place and cause.
const NAME: usize = 400;
/// Most causes.
const CAUSES: usize = 32;
/// Most steps.
const STEPS: usize = 500;

/// What an agent wrote, cut to what a person may read.
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
    failure.message = foreign(failure.message, TEXT);
    failure.location = failure.location.map(|place| foreign(place, NAME));
    failure.dependency = failure.dependency.map(|name| foreign(name, NAME));
    failure.chain.truncate(CAUSES);
    for cause in &mut failure.chain {
        *cause = foreign(std::mem::take(cause), NAME);
    }
    failure.frames.truncate(FRAMES);
    failure.steps.truncate(STEPS);
    for step in &mut failure.steps {
        for text in [&mut step.kind, &mut step.name, &mut step.value] {
            *text = foreign(std::mem::take(text), TEXT);
        }
    }
    failure
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::page::{ControlPage, LastWords};
    use crate::report::{crashed, timed_out};
    use crate::sys::exit::Exit;
    use std::time::Duration;

    const LIMIT: Duration = Duration::from_secs(1);

    fn about(idempotent: bool) -> About {
        About {
            idempotent,
            opened: true,
            ..About::default()
        }
    }

    /// Whether another attempt is made after an agent came back like this.
    fn after_answer(status: i32, kind: u32, written: &str, defect: Option<&str>) -> bool {
        let done = Done {
            job: 1,
            status,
            kind,
            run_ns: 1,
            defect: defect.map(str::to_owned),
            printed: None,
        };
        failed(&about(true), &done, written.as_bytes()).0.retry
    }

    const JSON: u32 = 3;
    const BUSY: &str = r#"{"message": "503 Service Unavailable", "retry": true}"#;
    const PERMANENT: &str = r#"{"message": "no such file", "retry": false}"#;
    const WRONG_NAME: &str =
        r#"{"message": "no object \"Cra\"", "retry": true, "unknown_name": true}"#;

    /// Whether another attempt is made, after which status, kind and text; and what it is.
    const ANSWERS: [(bool, i32, u32, &str, &str); 10] = [
        (true, status::ERROR, JSON, BUSY, "a server that is busy"),
        (true, status::ERROR, 2, "timed out", "a reason as text"),
        (true, status::PANIC, JSON, BUSY, "a panic"),
        (
            true,
            status::DEPENDENCY,
            JSON,
            BUSY,
            "a dependency or resource that may come back",
        ),
        (
            false,
            status::ERROR,
            JSON,
            PERMANENT,
            "an error that is marked as permanent",
        ),
        (
            false,
            status::DEPENDENCY,
            JSON,
            PERMANENT,
            "a dependency that cannot be made",
        ),
        (
            false,
            status::ERROR,
            JSON,
            WRONG_NAME,
            "a name that the project does not have",
        ),
        (
            false,
            status::UNSUPPORTED,
            JSON,
            BUSY,
            "a function that is missing",
        ),
        (
            false,
            status::OK,
            2,
            "no outcome",
            "success without an outcome",
        ),
        (false, 99, 2, "", "a status that does not exist"),
    ];

    #[test]
    fn another_attempt_is_made_after_answers_that_may_differ_and_no_others() {
        for (again, status, kind, written, what) in ANSWERS {
            assert_eq!(after_answer(status, kind, written, None), again, "{what}");
        }
        let defect = Some("is not UTF-8");
        assert!(
            !after_answer(status::OK, 1, "", defect),
            "an answer that is none"
        );
    }

    /// Whether another attempt is made after the process ended like this, if the agent may run twice and if not.
    fn after_end(exit: Exit, caught: i32, ending: Option<&Ending>) -> [bool; 2] {
        let words = LastWords {
            signal: caught,
            ..ControlPage::create().unwrap().0.claims.last_words()
        };
        let death = Death {
            exit,
            words,
            used: 0,
            by_system: false,
            tail: Vec::new(),
        };
        [true, false].map(|twice| crashed(&about(twice), &death, ending).retry)
    }

    #[test]
    fn another_attempt_is_made_after_ends_from_outside_and_after_none_of_the_agents_own() {
        let (twice_only, never) = ([true, false], [false, false]);
        let (segv, abrt, kill) = (libc::SIGSEGV, libc::SIGABRT, libc::SIGKILL);
        for (expected, exit, caught, what) in [
            (never, Exit::Signal(segv), segv, "a segmentation fault"),
            (never, Exit::Signal(abrt), abrt, "an abort"),
            (never, Exit::Signal(libc::SIGALRM), segv, "a stack overflow"),
            (
                never,
                Exit::Signal(libc::SIGILL),
                0,
                "a trap that was not caught",
            ),
            (never, Exit::Code(0), 0, "exit(0)"),
            (never, Exit::Code(3), 0, "exit(3)"),
            (
                twice_only,
                Exit::Signal(kill),
                0,
                "killed from outside or for lack of memory",
            ),
            (
                twice_only,
                Exit::Signal(libc::SIGTERM),
                0,
                "terminated from outside",
            ),
        ] {
            assert_eq!(after_end(exit, caught, None), expected, "{what}");
        }
        let killed = |ending| after_end(Exit::Signal(kill), 0, Some(&ending));
        let over = Ending::Memory { used: 2, limit: 1 };
        assert_eq!(killed(over), twice_only, "more memory than it may use");
        assert_eq!(
            killed(Ending::LoadTimeout(LIMIT)),
            twice_only,
            "slow to load"
        );
        let page = Ending::Scribbled { blamed: true };
        assert_eq!(killed(page), never, "the control page overwritten");
        let nonsense = Ending::Protocol("nonsense".into());
        assert_eq!(killed(nonsense), never, "nonsense on the socket");
        let late = [true, false].map(|twice| timed_out(&about(twice), LIMIT, true).retry);
        assert_eq!(late, twice_only, "the time limit");
    }
}
