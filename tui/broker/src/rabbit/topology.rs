//! QueueNames and arguments of the queues that belong to one queue.

use crate::broker::QueuePart;
use lapin::types::{AMQPValue, FieldTable, LongString, ShortString};
use std::time::Duration;
use wb_core::error::{Error, ErrorKind};

/// How long a queue of delayed messages outlives its last message.
const UNUSED: Duration = Duration::from_secs(3_600);
/// Longest name of a queue, in bytes: RabbitMQ takes 255, and the names beside it are longer.
const LONGEST: usize = 200;

/// The queues.
pub struct QueueNames {
    /// What Celery's producers publish to.
    pub main: ShortString,
    /// The dead letters.
    pub dead: String,
    text: String,
}

impl QueueNames {
    /// The queues that belong to this one.
    ///
    /// # Errors
    /// A name that RabbitMQ does not take.
    pub fn of(queue: &str) -> Result<Self, Error> {
        let wrong = |why: &str| Error::new(ErrorKind::Usage, format!("--queue: {why}"));
        if queue.is_empty() || queue.len() > LONGEST {
            return Err(wrong(&format!("a name has 1 to {LONGEST} bytes")));
        }
        if queue.starts_with("amq.") {
            return Err(wrong("names that begin with amq. are RabbitMQ's own"));
        }
        let main = ShortString::try_new(queue).map_err(|_| wrong("the name is too long"))?;
        Ok(Self {
            main,
            dead: format!("{queue}.dead"),
            text: queue.to_owned(),
        })
    }

    /// The queue of a part.
    pub fn of_part(&self, part: QueuePart) -> &str {
        match part {
            QueuePart::Ready => &self.text,
            QueuePart::Dead => &self.dead,
        }
    }

    /// The queue of messages that are delayed this long: they expire there, and RabbitMQ puts what expires back into the
    /// main queue.
    pub fn delay(&self, wait: Duration) -> (String, FieldTable) {
        let wait = wait.as_millis() as i64; // two hours at most
        let expires = wait + UNUSED.as_millis() as i64; // the same
        let mut arguments = FieldTable::default();
        let main = LongString::from(self.text.as_str());
        for (name, value) in [
            ("x-message-ttl", AMQPValue::LongLongInt(wait)),
            ("x-expires", AMQPValue::LongLongInt(expires)),
            (
                "x-dead-letter-exchange",
                AMQPValue::LongString(LongString::from("")),
            ),
            ("x-dead-letter-routing-key", AMQPValue::LongString(main)),
        ] {
            arguments.insert(name.into(), value);
        }
        (format!("{}.delay.{wait}", self.text), arguments)
    }

    /// The names of all queues of delayed messages.
    pub fn delays(&self) -> impl Iterator<Item = String> {
        let delays = crate::backoff::steps();
        delays.map(|wait| format!("{}.delay.{}", self.text, wait.as_millis()))
    }
}

/// A name for AMQP.
///
/// # Errors
/// It is longer than 255 bytes.
pub fn short(name: &str) -> Result<ShortString, lapin::Error> {
    ShortString::try_new(name).map_err(|error| {
        let error = std::io::Error::new(std::io::ErrorKind::InvalidInput, error.to_string());
        lapin::Error::from(error)
    })
}
