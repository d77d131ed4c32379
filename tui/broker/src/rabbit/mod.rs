//! RabbitMQ: classic durable queues, declared as Celery declares them.
//!
//! Classic, because acknowledgements of quorum queues were seen to be lost when a connection closes (RabbitMQ 3.10), and because
//! Celery makes classic ones. A queue that exists already is used as it is. RabbitMQ ends a connection when a message is not
//! acknowledged for `consumer_timeout`, 30 minutes by default: it is given out again then.

mod session;
mod table;
mod topology;

use crate::address::Address;
use crate::backoff::{Backoff, step};
use crate::broker::{Broker, Delivery, Depth, QueuePart, QueueSettings, Receipt};
use crate::message::QueueMessage;
use async_trait::async_trait;
use futures_util::StreamExt as _;
use lapin::Consumer;
use lapin::options::{BasicAckOptions, BasicConsumeOptions, BasicGetOptions, BasicNackOptions};
use lapin::types::FieldTable;
use session::{Obstacle, RabbitSession, obstacle};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime};
use tokio::sync::Mutex;
use topology::QueueNames;
use wb_core::error::Error;

/// Messages that are published before their confirmations are waited for.
const IN_FLIGHT: usize = 1_000;

/// A queue on RabbitMQ.
pub struct Rabbit {
    address: Address,
    settings: QueueSettings,
    names: QueueNames,
    session: Mutex<Option<Arc<RabbitSession>>>,
    consuming: Mutex<Option<(u64, Consumer)>>,
    sessions: AtomicU64,
    away: AtomicBool,
}

impl Rabbit {
    /// Connects, and makes the queue where it is missing.
    pub async fn connect(address: Address, settings: QueueSettings) -> Result<Self, Error> {
        let rabbit = Self {
            names: QueueNames::of(&settings.queue)?,
            address,
            settings,
            session: Mutex::new(None),
            consuming: Mutex::new(None),
            sessions: AtomicU64::new(0),
            away: AtomicBool::new(false),
        };
        let (start, mut backoff) = (Instant::now(), Backoff::default());
        loop {
            match rabbit.open().await {
                Ok(session) => {
                    let name = &rabbit.settings.queue;
                    // A connection that is lost just now is noticed by the first request.
                    if !rabbit.settings.create && matches!(session.existing(name).await, Ok(None)) {
                        session.abandon();
                        return Err(rabbit.address.no_queue(name));
                    }
                    rabbit.away.store(false, Ordering::Relaxed);
                    *rabbit.session.lock().await = Some(session);
                    return Ok(rabbit);
                }
                Err(Obstacle::Away(why)) => {
                    let wait = backoff.next();
                    let patience = rabbit.settings.patience;
                    if start.elapsed() + wait > patience {
                        return Err(rabbit.address.away(&why));
                    }
                    if !rabbit.away.swap(true, Ordering::Relaxed) {
                        (rabbit.settings.notify)(&rabbit.address.waiting(patience, &why));
                    }
                    tokio::time::sleep(wait).await;
                }
                Err(Obstacle::Login(why)) => return Err(rabbit.address.not_allowed(&why)),
                Err(Obstacle::Refused(why)) => {
                    return Err(rabbit.address.refused("the queue", &why));
                }
            }
        }
    }

    async fn open(&self) -> Result<Arc<RabbitSession>, Obstacle> {
        let number = self.sessions.fetch_add(1, Ordering::Relaxed);
        let session = RabbitSession::open(&self.address, &self.names, &self.settings, number);
        let session = session.await?;
        Ok(Arc::new(session))
    }

    /// The session in use; a new one where it was lost.
    async fn session(&self) -> Result<Arc<RabbitSession>, Error> {
        let mut held = self.session.lock().await;
        if let Some(session) = held.as_ref().filter(|session| session.usable()) {
            return Ok(Arc::clone(session));
        }
        if let Some(lost) = held.take() {
            lost.abandon();
        }
        let mut backoff = Backoff::default();
        loop {
            // The login was right once: a broker that starts may refuse it for a moment.
            let why = match self.open().await {
                Ok(session) => {
                    if self.away.swap(false, Ordering::Relaxed) {
                        (self.settings.notify)(&format!("{} is back", self.address));
                    }
                    *held = Some(Arc::clone(&session));
                    return Ok(session);
                }
                Err(Obstacle::Refused(why)) => return Err(self.address.refused("the queue", &why)),
                Err(Obstacle::Away(why) | Obstacle::Login(why)) => self.address.clean(&why),
            };
            if !self.away.swap(true, Ordering::Relaxed) {
                (self.settings.notify)(&format!(
                    "{} is away; waiting for it ({why})",
                    self.address
                ));
            }
            tracing::debug!("{}: {why}", self.address);
            tokio::time::sleep(backoff.next()).await;
        }
    }

    /// Performs work on a session, and again on a new one whenever the connection is lost meanwhile.
    async fn on_session<T, F>(
        &self,
        what: &str,
        work: impl Fn(Arc<RabbitSession>) -> F,
    ) -> Result<T, Error>
    where
        F: Future<Output = Result<T, lapin::Error>> + Send,
    {
        loop {
            let session = self.session().await?;
            match work(Arc::clone(&session)).await {
                Ok(done) => return Ok(done),
                Err(error) => {
                    session.mark_lost();
                    match obstacle(&error) {
                        Obstacle::Away(why) => {
                            let why = self.address.clean(&why);
                            tracing::warn!("{}: {what}: {why}", self.address);
                        }
                        Obstacle::Login(why) | Obstacle::Refused(why) => {
                            return Err(self.address.refused(what, &why));
                        }
                    }
                }
            }
        }
    }

    /// The session that a message came by, unless it was lost.
    async fn session_of(&self, receipt: &Receipt) -> Option<(Arc<RabbitSession>, u64)> {
        let held = self.session.lock().await;
        let session = held.as_ref()?;
        let same = session.number == receipt.session && session.usable();
        Some((Arc::clone(session), receipt.tag.parse().ok()?)).filter(|_| same)
    }

    /// Publishes to a queue, confirmed; what was not confirmed when the connection was lost is published again.
    async fn publish_to(&self, queue: &str, messages: &[QueueMessage]) -> Result<(), Error> {
        for part in messages.chunks(IN_FLIGHT) {
            let confirmed = AtomicU64::new(0);
            let confirmed = &confirmed;
            self.on_session("a message", |session| async move {
                let from = confirmed.load(Ordering::Relaxed) as usize; // at most IN_FLIGHT
                session.publish(queue, &part[from..], confirmed).await
            })
            .await?;
        }
        Ok(())
    }

    /// Consumes on this session from now on.
    async fn consumer(&self, session: &RabbitSession) -> Result<Consumer, lapin::Error> {
        // A consumer that nobody reads would keep its messages: a session is given up where this is dropped half way.
        let unfinished = session.unless_finished();
        let started = session.consume.basic_consume(
            self.names.main.clone(),
            "".into(),
            BasicConsumeOptions::default(),
            FieldTable::default(),
        );
        let consumer = started.await?;
        unfinished.finished();
        Ok(consumer)
    }
}

#[async_trait]
impl Broker for Rabbit {
    async fn take(&self) -> Result<Delivery, Error> {
        let mut consuming = self.consuming.lock().await;
        loop {
            let session = self.session().await?;
            let consumer = match &mut *consuming {
                Some((number, consumer)) if *number == session.number => consumer,
                other => match self.consumer(&session).await {
                    Ok(consumer) => &mut other.insert((session.number, consumer)).1,
                    Err(error) => {
                        session.mark_lost();
                        match obstacle(&error) {
                            Obstacle::Away(_) => continue,
                            Obstacle::Login(why) | Obstacle::Refused(why) => {
                                return Err(self.address.refused("a consumer", &why));
                            }
                        }
                    }
                },
            };
            match consumer.next().await {
                Some(Ok(delivery)) => {
                    return Ok(Delivery {
                        message: table::message(delivery.properties, delivery.data),
                        redelivered: delivery.redelivered,
                        receipt: Receipt::of(session.number, delivery.delivery_tag),
                    });
                }
                ended => {
                    tracing::warn!("{}: the consumer has ended: {ended:?}", self.address);
                    session.mark_lost();
                }
            }
        }
    }

    async fn acknowledge(&self, receipt: &Receipt) -> Result<bool, Error> {
        let Some((session, tag)) = self.session_of(receipt).await else {
            return Ok(false);
        };
        let done = session.consume.basic_ack(tag, BasicAckOptions::default());
        Ok(session.kept(done.await).is_some())
    }

    async fn give_back(&self, receipt: &Receipt) -> Result<(), Error> {
        if let Some((session, tag)) = self.session_of(receipt).await {
            let options = BasicNackOptions {
                requeue: true,
                ..BasicNackOptions::default()
            };
            session.kept(session.consume.basic_nack(tag, options).await);
        }
        Ok(())
    }

    async fn delay(
        &self,
        receipt: &Receipt,
        message: &QueueMessage,
        wait: Duration,
    ) -> Result<(), Error> {
        let (queue, arguments) = self.names.delay(step(wait));
        let (name, arguments) = (&queue, &arguments);
        // Declared each time: it goes away when it was not used for long.
        self.on_session("the queue of delayed messages", |session| async move {
            session.declare(name, arguments.clone()).await
        })
        .await?;
        self.publish_to(&queue, std::slice::from_ref(message))
            .await?;
        self.acknowledge(receipt).await.map(drop)
    }

    async fn dead_letter(&self, receipt: &Receipt, message: &QueueMessage) -> Result<(), Error> {
        let name = &self.names.dead;
        self.on_session("the queue of dead letters", |session| async move {
            session.declare(name, FieldTable::default()).await
        })
        .await?;
        self.publish_to(name, std::slice::from_ref(message)).await?;
        self.acknowledge(receipt).await.map(drop)
    }

    async fn publish(&self, messages: &[QueueMessage]) -> Result<(), Error> {
        self.publish_to(&self.settings.queue, messages).await
    }

    async fn reply(&self, queue: &str, message: &QueueMessage) -> Result<(), Error> {
        self.on_session("a result", |session| async move {
            session.reply(queue, message).await
        })
        .await
    }

    async fn depth(&self) -> Result<Depth, Error> {
        let names = &self.names;
        let mut depth = self
            .on_session("the depth of the queue", |session| async move {
                session.depth(names).await
            })
            .await?;
        let first = self.peek(QueuePart::Ready, 1).await?;
        let published = first.first().and_then(|message| message.timestamp);
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        let now = now.map_or(0, |now| now.as_secs());
        depth.oldest_s = published.map(|published| now.saturating_sub(published));
        Ok(depth)
    }

    async fn peek(&self, part: QueuePart, most: usize) -> Result<Vec<QueueMessage>, Error> {
        let names = &self.names;
        self.on_session("a look at the queue", |session| async move {
            session.peek(names.of_part(part), most).await
        })
        .await
    }

    async fn purge(&self, part: QueuePart) -> Result<u64, Error> {
        let names = &self.names;
        self.on_session("the removal of messages", |session| async move {
            session.purge(names, part).await
        })
        .await
    }

    async fn take_dead(&self) -> Result<Option<Delivery>, Error> {
        let name = &self.names.dead;
        let (number, got) = self
            .on_session("a dead letter", |session| async move {
                session.declare(name, FieldTable::default()).await?;
                let options = BasicGetOptions::default();
                let name = topology::short(name)?;
                Ok((
                    session.number,
                    session.consume.basic_get(name, options).await?,
                ))
            })
            .await?;
        Ok(got.map(|got| Delivery {
            redelivered: got.delivery.redelivered,
            receipt: Receipt::of(number, got.delivery.delivery_tag),
            message: table::message(got.delivery.properties, got.delivery.data),
        }))
    }

    async fn close(&self) {
        if let Some(session) = self.session.lock().await.take() {
            session.close().await;
        }
    }
}

impl Receipt {
    fn of(session: u64, tag: u64) -> Self {
        Self {
            session,
            tag: tag.to_string(),
        }
    }
}
