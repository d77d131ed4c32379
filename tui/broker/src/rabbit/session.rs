//! One connection to RabbitMQ, with a channel that takes and one that publishes. What happens when it is lost is decided
//! above.

use super::table;
use super::topology::{QueueNames, short};
use crate::address::Address;
use crate::broker::{Depth, QueuePart, QueueSettings};
use crate::message::QueueMessage;
use lapin::options::{
    BasicGetOptions, BasicPublishOptions, BasicQosOptions, ConfirmSelectOptions,
    ExchangeDeclareOptions, QueueBindOptions, QueueDeclareOptions, QueuePurgeOptions,
};
use lapin::protocol::{AMQPErrorKind, AMQPHardError, AMQPSoftError};
use lapin::types::FieldTable;
use lapin::uri::{AMQPAuthority, AMQPQueryString, AMQPScheme, AMQPUri, AMQPUserInfo};
use lapin::{
    Channel, Confirmation, Connection, ConnectionProperties, ErrorKind, ExchangeKind, Queue,
};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;
use tokio::time::timeout;

/// Seconds between signs of life: a connection that was cut is noticed after two of them.
const HEARTBEAT: u16 = 15;
/// How long connecting, or an answer, may take.
const ANSWER: Duration = Duration::from_secs(30);

/// Why something was not done.
pub enum Obstacle {
    /// The connection was lost, or never came about: it may work later.
    Away(String),
    /// The broker does not let this user in.
    Login(String),
    /// The broker refuses what was requested, and will again.
    Refused(String),
}

/// What an error of the library means.
pub fn obstacle(error: &lapin::Error) -> Obstacle {
    let text = error.to_string();
    let ErrorKind::ProtocolError(reason) = error.kind() else {
        return Obstacle::Away(text);
    };
    match reason.kind() {
        AMQPErrorKind::Soft(AMQPSoftError::ACCESSREFUSED) => Obstacle::Login(text),
        // A queue or exchange that is missing is made again with the next session.
        AMQPErrorKind::Soft(AMQPSoftError::NOTFOUND) => Obstacle::Away(text),
        AMQPErrorKind::Soft(_) => Obstacle::Refused(text),
        AMQPErrorKind::Hard(AMQPHardError::NOTALLOWED) => Obstacle::Login(text),
        AMQPErrorKind::Hard(_) => Obstacle::Away(text),
    }
}

fn lost(why: &str) -> lapin::Error {
    std::io::Error::new(std::io::ErrorKind::TimedOut, why).into()
}

/// An answer, or an error of a broker that gives none.
async fn in_time<T>(
    work: impl Future<Output = Result<T, lapin::Error>>,
) -> Result<T, lapin::Error> {
    match timeout(ANSWER, work).await {
        Ok(done) => done,
        Err(_) => Err(lost("no answer for 30 s")),
    }
}

/// A connection.
pub struct RabbitSession {
    /// Counts connections of this process.
    pub number: u64,
    /// Takes and acknowledges.
    pub consume: Channel,
    publish: Channel,
    connection: Connection,
    lost: AtomicBool,
}

/// Gives the session up when it is dropped before its work was finished.
pub struct Unfinished<'s>(Option<&'s RabbitSession>);

impl Unfinished<'_> {
    /// It was finished.
    pub fn finished(mut self) {
        self.0 = None;
    }
}

impl Drop for Unfinished<'_> {
    fn drop(&mut self) {
        if let Some(session) = self.0 {
            session.mark_lost();
        }
    }
}

impl RabbitSession {
    /// Connects, and makes the queue where it is missing and wanted.
    pub async fn open(
        address: &Address,
        names: &QueueNames,
        settings: &QueueSettings,
        number: u64,
    ) -> Result<Self, Obstacle> {
        let opened = in_time(Self::open_now(address, names, settings, number));
        opened.await.map_err(|error| obstacle(&error))
    }

    async fn open_now(
        address: &Address,
        names: &QueueNames,
        settings: &QueueSettings,
        number: u64,
    ) -> Result<Self, lapin::Error> {
        let properties = ConnectionProperties::default()
            .with_connection_name(format!("workbench {}", std::process::id()).into());
        let connection = match address.parameter("cacertfile") {
            None => Connection::connect_uri(uri(address), properties).await?,
            Some(file) => {
                let config = lapin::tcp::OwnedTLSConfig {
                    cert_chain: Some(tokio::fs::read_to_string(&file).await?),
                    identity: None,
                };
                let runtime = lapin::runtime::default_runtime()?;
                Connection::connect_uri_with_config(uri(address), properties, config, runtime)
                    .await?
            }
        };
        let publish = connection.create_channel().await?;
        publish
            .confirm_select(ConfirmSelectOptions::default())
            .await?;
        let consume = connection.create_channel().await?;
        consume
            .basic_qos(settings.prefetch, BasicQosOptions::default())
            .await?;
        let session = Self {
            number,
            consume,
            publish,
            connection,
            lost: AtomicBool::new(false),
        };
        if settings.create {
            session.make_queue(names).await?;
        }
        Ok(session)
    }

    /// The main queue, as Celery makes it; one that exists is used whatever its arguments are.
    async fn make_queue(&self, names: &QueueNames) -> Result<(), lapin::Error> {
        if self.existing(names.main.as_str()).await?.is_some() {
            return Ok(());
        }
        let channel = self.connection.create_channel().await?;
        let durable = QueueDeclareOptions {
            durable: true,
            ..QueueDeclareOptions::default()
        };
        let exchange = ExchangeDeclareOptions {
            durable: true,
            ..ExchangeDeclareOptions::default()
        };
        let (name, none) = (&names.main, FieldTable::default);
        channel
            .exchange_declare(name.clone(), ExchangeKind::Direct, exchange, none())
            .await?;
        channel.queue_declare(name.clone(), durable, none()).await?;
        let bind = QueueBindOptions::default();
        channel
            .queue_bind(name.clone(), name.clone(), name.clone(), bind, none())
            .await?;
        close(&channel).await;
        Ok(())
    }

    /// A queue, if it exists.
    pub async fn existing(&self, name: &str) -> Result<Option<Queue>, lapin::Error> {
        let options = QueueDeclareOptions {
            passive: true,
            ..QueueDeclareOptions::default()
        };
        // A queue that is missing ends the channel.
        let channel = self.connection.create_channel().await?;
        let found = channel.queue_declare(short(name)?, options, FieldTable::default());
        match in_time(found).await {
            Ok(queue) => {
                close(&channel).await;
                Ok(Some(queue))
            }
            Err(error) if missing(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// A durable queue beside the main one.
    pub async fn declare(&self, name: &str, arguments: FieldTable) -> Result<(), lapin::Error> {
        let options = QueueDeclareOptions {
            durable: true,
            ..QueueDeclareOptions::default()
        };
        let declared = self.publish.queue_declare(short(name)?, options, arguments);
        in_time(declared).await.map(drop)
    }

    /// Publishes, and counts what was confirmed.
    pub async fn publish(
        &self,
        queue: &str,
        messages: &[QueueMessage],
        confirmed: &AtomicU64,
    ) -> Result<(), lapin::Error> {
        let mut confirms = Vec::with_capacity(messages.len());
        for message in messages {
            confirms.push(self.send(queue, message, true).await?);
        }
        for confirm in confirms {
            match in_time(confirm).await? {
                Confirmation::Ack(None) => confirmed.fetch_add(1, Ordering::Relaxed),
                Confirmation::Ack(Some(_)) => return Err(lost("the queue was deleted")),
                Confirmation::Nack(_) | Confirmation::NotRequested => {
                    return Err(lost("a message was not confirmed"));
                }
            };
        }
        Ok(())
    }

    /// A result; a queue that has gone swallows it.
    pub async fn reply(&self, queue: &str, message: &QueueMessage) -> Result<(), lapin::Error> {
        let sent = self.send(queue, message, false).await?;
        in_time(sent).await.map(drop)
    }

    async fn send(
        &self,
        queue: &str,
        message: &QueueMessage,
        mandatory: bool,
    ) -> Result<lapin::PublisherConfirm, lapin::Error> {
        let options = BasicPublishOptions {
            mandatory,
            ..BasicPublishOptions::default()
        };
        let properties = table::properties(message);
        let sent = self.publish.basic_publish(
            "".into(),
            short(queue)?,
            options,
            &message.body,
            properties,
        );
        in_time(sent).await
    }

    /// Counts messages and workers.
    pub async fn depth(&self, names: &QueueNames) -> Result<Depth, lapin::Error> {
        let count = |queue: Option<Queue>| queue.map_or(0, |q| u64::from(q.message_count()));
        let main = self.existing(names.main.as_str()).await?;
        let consumers = main.as_ref().map(|q| u64::from(q.consumer_count()));
        let mut delayed = 0;
        for name in names.delays() {
            delayed += count(self.existing(&name).await?);
        }
        Ok(Depth {
            ready: count(main),
            delayed,
            unacked: None,
            consumers,
            oldest_s: None,
            dead: count(self.existing(&names.dead).await?),
        })
    }

    /// The first messages of a queue: taken on a channel of their own and given back as it closes.
    pub async fn peek(&self, queue: &str, most: usize) -> Result<Vec<QueueMessage>, lapin::Error> {
        let mut messages = Vec::new();
        if self.existing(queue).await?.is_none() {
            return Ok(messages);
        }
        let channel = self.connection.create_channel().await?;
        while messages.len() < most {
            let got = channel.basic_get(short(queue)?, BasicGetOptions::default());
            let Some(got) = in_time(got).await? else {
                break;
            };
            messages.push(table::message(got.delivery.properties, got.delivery.data));
        }
        close(&channel).await;
        Ok(messages)
    }

    /// Removes messages; those that are delayed wait for workers too.
    pub async fn purge(&self, names: &QueueNames, part: QueuePart) -> Result<u64, lapin::Error> {
        let mut queues = vec![names.of_part(part).to_owned()];
        if part == QueuePart::Ready {
            queues.extend(names.delays());
        }
        let mut removed = 0;
        for queue in queues {
            if self.existing(&queue).await?.is_none() {
                continue;
            }
            let channel = self.connection.create_channel().await?;
            let purged = channel.queue_purge(short(&queue)?, QueuePurgeOptions::default());
            removed += u64::from(in_time(purged).await?);
            close(&channel).await;
        }
        Ok(removed)
    }

    /// The value, unless the session was lost by it.
    pub fn kept<T>(&self, result: Result<T, lapin::Error>) -> Option<T> {
        result
            .inspect_err(|error| {
                tracing::warn!("{error}");
                self.mark_lost();
            })
            .ok()
    }

    /// Whether it still works.
    pub fn usable(&self) -> bool {
        !self.lost.load(Ordering::Relaxed)
            && self.connection.status().connected()
            && self.consume.status().connected()
            && self.publish.status().connected()
    }

    /// It is replaced by the next that needs one.
    pub fn mark_lost(&self) {
        self.lost.store(true, Ordering::Relaxed);
    }

    /// Marks it as lost when what is returned is dropped before its work was finished.
    pub fn unless_finished(&self) -> Unfinished<'_> {
        Unfinished(Some(self))
    }

    /// Closes a session that is no longer used, in the background: the other side may be gone.
    pub fn abandon(self: std::sync::Arc<Self>) {
        self.mark_lost();
        tokio::spawn(async move {
            let _ = timeout(ANSWER, self.connection.close(200, "".into())).await;
        });
    }

    /// Closes it. The channel is closed first: RabbitMQ answers that when it has worked through the acknowledgements
    /// before it.
    pub async fn close(&self) {
        self.mark_lost();
        close(&self.consume).await;
        close(&self.publish).await;
        let _ = in_time(self.connection.close(200, "".into())).await;
    }
}

async fn close(channel: &Channel) {
    let _ = in_time(channel.close(200, "".into())).await;
}

fn missing(error: &lapin::Error) -> bool {
    match error.kind() {
        ErrorKind::ProtocolError(reason) => {
            *reason.kind() == AMQPErrorKind::Soft(AMQPSoftError::NOTFOUND)
        }
        _ => false,
    }
}

fn uri(address: &Address) -> AMQPUri {
    let (username, password) = address.login();
    let host = address.url().host_str().unwrap_or_default();
    let parsed = |name: &str| address.parameter(name).and_then(|text| text.parse().ok());
    AMQPUri {
        scheme: match address.tls() {
            true => AMQPScheme::AMQPS,
            false => AMQPScheme::AMQP,
        },
        authority: AMQPAuthority {
            userinfo: AMQPUserInfo { username, password },
            host: host.trim_matches(['[', ']']).to_owned(),
            port: address
                .url()
                .port()
                .unwrap_or(if address.tls() { 5671 } else { 5672 }),
        },
        vhost: address.virtual_host(),
        query: AMQPQueryString {
            heartbeat: parsed("heartbeat").or(Some(HEARTBEAT)),
            connection_timeout: Some(ANSWER.as_millis() as u64), // 30 s
            ..AMQPQueryString::default()
        },
    }
}
