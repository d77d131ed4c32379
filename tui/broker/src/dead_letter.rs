//! A message that was given up, as a person reads it.

use crate::celery;
use crate::message::QueueMessage;
use serde_json::Value;

/// A message among the dead letters, for a person: one line of `queue dead`.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct DeadLetter {
    /// The task, or the tasks of a message with several; null where the message cannot be read.
    pub task_uuid: Value,
    /// The stage of the worker that gave it up.
    pub stage: Option<String>,
    /// Why.
    pub reason: Option<String>,
    /// Attempts that ended with an error.
    pub attempts: u64,
    /// When the first of them ended.
    pub first_at: Option<String>,
    /// When the last of them ended.
    pub last_at: Option<String>,
    /// What the message asked for; null where it cannot be read.
    pub spec: Value,
}

impl DeadLetter {
    /// Reads a message from the dead letters.
    #[must_use]
    pub fn of(message: &QueueMessage) -> Self {
        let history = message.history();
        let mut specs = match celery::read(message) {
            Ok(call) => call.specs(),
            Err(_) => Vec::new(),
        };
        let mut tasks: Vec<Value> = specs.iter().map(|spec| spec["uuid"].clone()).collect();
        let one = |list: &mut Vec<Value>| match list.len() {
            0 => Value::Null,
            1 => list.remove(0),
            _ => Value::Array(std::mem::take(list)),
        };
        Self {
            task_uuid: one(&mut tasks),
            spec: one(&mut specs),
            stage: history.stage,
            reason: history.reason,
            attempts: history.attempts,
            first_at: history.first_at,
            last_at: history.last_at,
        }
    }
}
