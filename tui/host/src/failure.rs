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
    error.location = failure.location.as_deref().map(Into::into);
    error.unknown_name = failure.unknown_name;
    // A name that the project does not have stays unknown until the project is read again.
    error.retry = failure.retry && !failure.unknown_name && done.status != status::UNSUPPORTED;
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
