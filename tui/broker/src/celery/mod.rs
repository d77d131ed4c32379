//! The Celery message protocol, version 2, as Celery 5 sends and takes it: `docs.celeryq.dev/en/stable/internals/protocol.html`.
//! Pure: messages in, calls out, and the other way round. Which broker carries them is left to the brokers.
//!
//! A task's first argument, or its keyword `task_spec`, is what encord-agents' `QueueRunner` takes: the text of one spec, a
//! list of them, or a spec as an object. `celery.map`, `celery.starmap` and `celery.chunks` carry many such arguments.

mod body;
mod producer;
mod result;

pub use producer::{DEFAULT_TASK, NewTask};
pub use result::{CallOutcome, document, reply};

use crate::message::QueueMessage;
use serde_json::{Map, Value};
use std::time::Duration;

/// Arguments that one message may hold.
const ARGUMENTS: usize = 20_000;

/// What a message asks for.
#[derive(Clone, Debug, PartialEq)]
pub struct TaskCall {
    /// Its id; the result is stored under it.
    pub id: String,
    /// Name of the task.
    pub task: String,
    /// One argument for each result.
    pub arguments: Vec<Value>,
    /// How the results are put together.
    shape: ResultShape,
    /// Where the result goes, with `rpc://` as result back end.
    pub reply_to: Option<String>,
    /// Nobody reads the result.
    pub ignore_result: bool,
    /// Not before this time, RFC 3339.
    pub eta: Option<String>,
    /// Not after this time, RFC 3339.
    pub expires: Option<String>,
}

/// How the results of the arguments make the result of the message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ResultShape {
    /// The only one.
    One,
    /// A list.
    List,
    /// A list of lists of this length.
    Chunks(usize),
}

/// A message that cannot be worked on, whoever takes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreadable {
    /// Its id, where it has one.
    pub id: Option<String>,
    /// Where the result goes.
    pub reply_to: Option<String>,
    /// Why.
    pub why: String,
}

/// Reads a message.
///
/// # Errors
/// It is not a task that can be worked on here.
pub fn read(message: &QueueMessage) -> Result<TaskCall, Unreadable> {
    let id = text(&message.headers, "id").or_else(|| message.correlation_id.clone());
    let unreadable = |why: String| Unreadable {
        id: id.clone(),
        reply_to: message.reply_to.clone(),
        why,
    };
    let Some(task) = text(&message.headers, "task") else {
        let why = "it has no header `task`: it is not a message of the Celery protocol 2";
        return Err(unreadable(why.to_owned()));
    };
    let Some(known) = id.clone() else {
        return Err(unreadable("it has no header `id`".to_owned()));
    };
    let (arguments, shape) = body::read(message, &task).map_err(unreadable)?;
    if arguments.is_empty() || arguments.len() > ARGUMENTS {
        return Err(unreadable(format!(
            "it has {} arguments; between 1 and {ARGUMENTS} can be worked on",
            arguments.len()
        )));
    }
    Ok(TaskCall {
        id: known,
        task,
        arguments,
        shape,
        reply_to: message.reply_to.clone(),
        ignore_result: message.headers.get("ignore_result") == Some(&Value::Bool(true)),
        eta: text(&message.headers, "eta"),
        expires: text(&message.headers, "expires"),
    })
}

fn text(headers: &Map<String, Value>, name: &str) -> Option<String> {
    let value = headers.get(name).and_then(Value::as_str)?;
    (!value.is_empty()).then(|| value.to_owned())
}

impl TaskCall {
    /// The specs of all arguments, parsed; an argument that is not a spec stays as it is.
    #[must_use]
    pub fn specs(&self) -> Vec<Value> {
        let parsed = |value: &Value| match value {
            Value::String(text) => serde_json::from_str(text).unwrap_or_else(|_| value.clone()),
            other => other.clone(),
        };
        let mut specs = Vec::new();
        for argument in &self.arguments {
            match argument {
                Value::Array(several) => specs.extend(several.iter().map(parsed)),
                one => specs.push(parsed(one)),
            }
        }
        specs
    }

    /// The result of the message, of the texts for its arguments in their order.
    #[must_use]
    pub fn result(&self, texts: Vec<String>) -> Value {
        let mut values: Vec<Value> = texts.into_iter().map(Value::String).collect();
        match self.shape {
            ResultShape::One => values.pop().unwrap_or_default(),
            ResultShape::List => Value::Array(values),
            ResultShape::Chunks(n) => values.chunks(n.max(1)).map(<[Value]>::to_vec).collect(),
        }
    }

    /// How long it has to wait for its time.
    #[must_use]
    pub fn early(&self, now: jiff::Timestamp) -> Option<Duration> {
        let eta: jiff::Timestamp = self.eta.as_ref()?.parse().ok()?;
        Duration::try_from(eta.duration_since(now))
            .ok()
            .filter(|wait| !wait.is_zero())
    }

    /// Whether it comes too late.
    #[must_use]
    pub fn expired(&self, now: jiff::Timestamp) -> bool {
        let expires = self.expires.as_ref().and_then(|text| text.parse().ok());
        expires.is_some_and(|expires: jiff::Timestamp| expires < now)
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
