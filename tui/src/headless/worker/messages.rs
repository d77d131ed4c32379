//! What a message asks for, and messages that are not run: for another task, too early, too late, or beyond reading.

use super::finish::now;
use super::{Taken, Worker};
use crate::headless::specs::{self, Line};
use serde_json::Value;
use std::time::Duration;
use wb_broker::Delivery;
use wb_broker::celery::{self, CallOutcome, TaskCall};
use wb_core::error::Error;

/// Times that a message may be taken by workers that end before they are done with it. One that ends them itself would
/// otherwise come back for ever.
const LOST: u64 = 50;
/// How long a message rests that was taken by a worker which ended.
const REST: Duration = Duration::from_millis(250);

impl Worker<'_> {
    /// Reads a message. `None`: it is not run, and has been ended.
    pub(super) async fn sort_in(&mut self, delivery: Delivery) -> Result<Option<Taken>, Error> {
        let Delivery {
            message,
            redelivered,
            receipt,
        } = delivery;
        let mut history = message.history();
        let call = match celery::read(&message) {
            Ok(call) => call,
            Err(unreadable) => {
                let (id, reply) = (unreadable.id.as_deref(), unreadable.reply_to.as_deref());
                let ended = self.refuse(&receipt, message, id, reply, unreadable.why);
                ended.await?.count(&mut self.counts);
                return Ok(None);
            }
        };
        if call.expired(now()) {
            self.answer(&call, CallOutcome::Expired).await?;
            self.broker.acknowledge(&receipt).await?;
            return Ok(None);
        }
        if let Some(wait) = call.early(now()) {
            self.broker.delay(&receipt, &message, wait).await?;
            return Ok(None);
        }
        let lines: Vec<Line> = call.arguments.iter().map(line).collect();
        if let Some(why) = self.unwanted(&call, &lines) {
            let (id, reply) = (Some(call.id.as_str()), call.reply_to.as_deref());
            let ended = self.refuse(&receipt, message, id, reply, why);
            ended.await?.count(&mut self.counts);
            return Ok(None);
        }
        if redelivered {
            history.lost += 1;
            if history.lost > LOST {
                let why = format!("taken {LOST} times by workers that ended before it was done");
                let (id, reply) = (Some(call.id.as_str()), call.reply_to.as_deref());
                let ended = self.refuse(&receipt, message, id, reply, why);
                ended.await?.count(&mut self.counts);
            } else {
                // The count is kept with the message itself.
                let message = message.with_history(history);
                self.broker.delay(&receipt, &message, REST).await?;
            }
            return Ok(None);
        }
        Ok(Some(Taken {
            before: history.lost > 0,
            receipt,
            message,
            history,
            call,
            lines,
        }))
    }

    /// Why the message is for nobody here.
    fn unwanted(&self, call: &TaskCall, lines: &[Line]) -> Option<String> {
        let carrier = call.task.starts_with("celery.");
        if let Some(name) = &self.args.task_name
            && !carrier
            && call.task != *name
        {
            return Some(format!(
                "it is for the task {:?}, not for {name:?}",
                call.task
            ));
        }
        let mut entries = lines.iter().flat_map(|line| &line.entries);
        let first = entries.clone().find_map(|entry| entry.error.clone());
        // One bad spec among others has its error in the result.
        first.filter(|_| entries.all(|entry| entry.error.is_some()))
    }
}

/// An argument as `exec` reads a line.
fn line(argument: &Value) -> Line {
    match argument {
        Value::String(text) => specs::parse_at(text.as_bytes(), "the argument"),
        other => specs::parse_at(other.to_string().as_bytes(), "the argument"),
    }
}
