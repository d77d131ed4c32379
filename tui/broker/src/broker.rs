//! What every broker can do, in one trait.
//!
//! A third broker (SQS, NATS) is one file, or one folder, beside `rabbit` and `redis`: a type that implements [`Broker`], a
//! kind in [`BrokerKind`](crate::BrokerKind) with the prefixes of its addresses, and an arm in [`connect`](crate::connect()). Everything else, from the Celery
//! messages to the commands, uses this trait alone. `tests/brokers` holds every broker to the same promises.

use crate::message::QueueMessage;
use async_trait::async_trait;
use std::time::Duration;
use wb_core::error::Error;

/// How a broker is used.
#[derive(Clone, Debug)]
pub struct QueueSettings {
    /// Name of the queue; its dead letters and delayed messages are in queues beside it.
    pub queue: String,
    /// Messages that are taken and not yet finished, at most.
    pub prefetch: u16,
    /// Whether a queue that is missing is made; else it is an error to connect.
    pub create: bool,
    /// How long the first connection may take. Later a broker that is away is waited for.
    pub patience: Duration,
    /// Redis alone: how long a taken message stays with its worker when nothing more is heard of it.
    pub visibility: Duration,
    /// A line for a person: the broker is away, or is back.
    pub notify: fn(&str),
}

/// A message that was taken, and must be acknowledged, given back, delayed or put to the dead letters.
#[derive(Debug)]
pub struct Delivery {
    /// The message.
    pub message: QueueMessage,
    /// It was given out before: by a worker that did not finish it.
    pub redelivered: bool,
    /// Which delivery it is.
    pub receipt: Receipt,
}

/// Names one delivery to its broker.
#[derive(Clone, Debug)]
pub struct Receipt {
    /// Connection that it came by: the broker gives a message again when its connection has ended.
    pub(crate) session: u64,
    /// The broker's own name of it.
    pub(crate) tag: String,
}

/// A part of a queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QueuePart {
    /// What waits for a worker.
    Ready,
    /// What was given up.
    Dead,
}

/// How much is in a queue.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Depth {
    /// Messages that wait for a worker.
    pub ready: u64,
    /// Messages that wait for a later attempt, or for their time.
    pub delayed: u64,
    /// Messages that workers have taken, where the broker counts them.
    pub unacked: Option<u64>,
    /// Workers, where the broker counts them.
    pub consumers: Option<u64>,
    /// Seconds since the oldest message that waits was published, where it has a time.
    pub oldest_s: Option<u64>,
    /// Dead letters.
    pub dead: u64,
}

/// A queue on a broker. Every method waits for a broker that is away and goes on when it is back; drop the future to stop
/// waiting. An error is final: the broker refuses.
///
/// The promise is at least once: a message leaves the broker by [`acknowledge`](Self::acknowledge), or after it was
/// published elsewhere by `delay` and `dead_letter`. What is done twice is recognised by whoever does it.
#[async_trait]
pub trait Broker: Send + Sync {
    /// The next message. Waits for one, and while [`QueueSettings::prefetch`] messages are unfinished. Safe to drop and call again.
    async fn take(&self) -> Result<Delivery, Error>;

    /// It is done. False: its connection was lost meanwhile, and the message is given again.
    async fn acknowledge(&self, receipt: &Receipt) -> Result<bool, Error>;

    /// Not begun: another worker may have it at once.
    async fn give_back(&self, receipt: &Receipt) -> Result<(), Error>;

    /// `message` takes the place of the one that was taken, to be given out after about `wait`, never much later.
    async fn delay(
        &self,
        receipt: &Receipt,
        message: &QueueMessage,
        wait: Duration,
    ) -> Result<(), Error>;

    /// `message` takes the place of the one that was taken, among the dead letters.
    async fn dead_letter(&self, receipt: &Receipt, message: &QueueMessage) -> Result<(), Error>;

    /// Puts messages at the end of the queue; they are on the broker's disk when this returns.
    async fn publish(&self, messages: &[QueueMessage]) -> Result<(), Error>;

    /// Sends a result to the queue that its producer listens to. A producer that has gone is not an error.
    async fn reply(&self, queue: &str, message: &QueueMessage) -> Result<(), Error>;

    /// How much is in the queue.
    async fn depth(&self) -> Result<Depth, Error>;

    /// The first messages of a part; they stay where they are.
    async fn peek(&self, part: QueuePart, most: usize) -> Result<Vec<QueueMessage>, Error>;

    /// Removes all messages of a part, and gives their number.
    async fn purge(&self, part: QueuePart) -> Result<u64, Error>;

    /// Takes the first dead letter, to be published again and then acknowledged.
    async fn take_dead(&self) -> Result<Option<Delivery>, Error>;

    /// Takes no more, and ends the connection; what was taken and is unfinished is given to others.
    async fn close(&self);
}
