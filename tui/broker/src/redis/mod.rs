//! Redis in the layout of kombu's transport, so that Celery's producers and workers use the same queues.
//!
//! Its promises are weaker than RabbitMQ's:
//! - Redis writes to disk every second at best (`appendfsync everysec`), never by default: a crash of Redis loses messages.
//!   Redis 7.0 also forgets, at every restart, all that transactions and scripts wrote to that file when its default user has
//!   no rights (`user default off`): give it rights and leave it off (`user default off ~* &* +@all`).
//! - A worker that was killed keeps its messages until the visibility timeout is over. A worker that lives extends it, so that
//!   a long task is not given out twice; Celery's own workers do not.
//! - Delayed messages come back only while one of our workers runs: Celery's do not look at them.

mod counts;
mod keeper;
pub mod layout;
mod link;
pub mod results;
mod scripts;

use crate::address::Address;
use crate::broker::{Broker, Delivery, Depth, QueuePart, QueueSettings, Receipt};
use crate::message::QueueMessage;
use async_trait::async_trait;
use keeper::Keeper;
use layout::{UNACKED, UNACKED_INDEX};
use link::Link;
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tokio::sync::{Mutex, OnceCell};
use uuid::Uuid;
use wb_core::error::Error;

/// Messages of one request when many are published.
const TOGETHER: usize = 500;

/// A queue on Redis.
pub struct Redis {
    queue: Arc<RedisQueue>,
    /// Takes messages once somebody asks for one.
    keeper: OnceCell<Mutex<Keeper>>,
}

/// The connection and the names of a queue.
struct RedisQueue {
    link: Link,
    settings: QueueSettings,
    lists: [String; 4],
    dead: String,
    delayed: String,
}

/// Seconds since 1970, as kombu counts them.
fn now() -> f64 {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    now.map_or(0.0, |now| now.as_secs_f64())
}

impl Redis {
    /// Connects, and makes the queue known where it is not.
    pub async fn connect(address: Address, settings: QueueSettings) -> Result<Self, Error> {
        let link = Link::connect(address, settings.patience, settings.notify).await?;
        let name = &settings.queue;
        let (keys, member) = layout::binding(name);
        let (keys, member) = (&keys, &member);
        if !settings.create {
            let found = link.run("the queue", |mut connection| async move {
                let mut exists = redis::cmd("EXISTS");
                exists.arg(keys).arg(&layout::lists(name));
                exists.query_async::<u64>(&mut connection).await
            });
            if found.await? == 0 {
                return Err(link.no_queue(name));
            }
        }
        link.run("the queue", |mut connection| async move {
            let mut commands = redis::pipe();
            for key in keys {
                commands.sadd(key, member).ignore();
            }
            commands.exec_async(&mut connection).await
        })
        .await?;
        let queue = RedisQueue {
            lists: layout::lists(name),
            dead: format!("{name}.dead"),
            delayed: format!("{name}.delay"),
            link,
            settings,
        };
        Ok(Self {
            queue: Arc::new(queue),
            keeper: OnceCell::new(),
        })
    }

    /// The message was ended with; another may be taken in its place.
    async fn ended(&self, receipt: &Receipt) {
        if let Some(keeper) = self.keeper.get() {
            keeper.lock().await.release(&receipt.tag);
        }
    }
}

impl RedisQueue {
    fn name(&self) -> &str {
        &self.settings.queue
    }

    /// A taken message is replaced by one in a list. True if it was still taken.
    async fn replace(
        &self,
        receipt: &Receipt,
        list: &str,
        command: &str,
        raw: &[u8],
    ) -> Result<bool, Error> {
        let replace = |mut connection| async move {
            let mut script = scripts::REPLACE.prepare_invoke();
            script.key(UNACKED).key(UNACKED_INDEX).key(list);
            script.arg(&receipt.tag).arg(command).arg(raw);
            script.invoke_async::<bool>(&mut connection).await
        };
        self.link.run("a message", replace).await
    }

    /// Takes from these lists.
    async fn take_from(&self, lists: &[String], tag: &str) -> Result<Option<Vec<u8>>, Error> {
        let end = layout::origin(self.name());
        let end = &end;
        let take = |mut connection| async move {
            let mut script = scripts::TAKE.prepare_invoke();
            for list in lists {
                script.key(list);
            }
            script.key(UNACKED).key(UNACKED_INDEX);
            script.arg(now()).arg(tag).arg(end);
            script.invoke_async(&mut connection).await
        };
        self.link.run("a message", take).await
    }
}

fn delivery(raw: Vec<u8>, tag: String) -> Delivery {
    let message = match layout::read(&raw) {
        Some((message, _)) => message,
        None => QueueMessage {
            body: raw.clone(),
            ..QueueMessage::default()
        },
    };
    Delivery {
        message,
        redelivered: layout::redelivered(&raw),
        receipt: Receipt { session: 0, tag },
    }
}

#[async_trait]
impl Broker for Redis {
    async fn take(&self) -> Result<Delivery, Error> {
        let start = || async { Mutex::new(Keeper::start(Arc::clone(&self.queue))) };
        let keeper = self.keeper.get_or_init(start).await;
        let arrivals = keeper.lock().await.arrivals();
        let mut arrivals = arrivals.lock().await;
        match arrivals.recv().await {
            Some(arrival) => arrival,
            // Closed: nothing comes any more.
            None => std::future::pending().await,
        }
    }

    async fn acknowledge(&self, receipt: &Receipt) -> Result<bool, Error> {
        let finish = |mut connection| async move {
            let mut script = scripts::FINISH.prepare_invoke();
            script.key(UNACKED).key(UNACKED_INDEX).arg(&receipt.tag);
            script.invoke_async::<bool>(&mut connection).await
        };
        let was_ours = self.queue.link.run("an acknowledgement", finish).await?;
        self.ended(receipt).await;
        Ok(was_ours)
    }

    async fn give_back(&self, receipt: &Receipt) -> Result<(), Error> {
        self.queue.give_back(receipt).await?;
        self.ended(receipt).await;
        Ok(())
    }

    async fn delay(
        &self,
        receipt: &Receipt,
        message: &QueueMessage,
        wait: Duration,
    ) -> Result<(), Error> {
        let queue = &self.queue;
        let tag = Uuid::new_v4().to_string();
        let raw = layout::write(message, queue.name(), &tag);
        let wanted = layout::list(queue.name(), message.priority.unwrap_or(0));
        let place = queue.lists.iter().position(|list| *list == wanted);
        let mut member = format!("{}:", place.unwrap_or(0) + 1).into_bytes();
        member.extend(raw);
        let (member, due) = (&member, now() + wait.as_secs_f64());
        let delay = |mut connection| async move {
            let mut script = scripts::DELAY.prepare_invoke();
            script.key(UNACKED).key(UNACKED_INDEX).key(&queue.delayed);
            script.arg(&receipt.tag).arg(due).arg(member);
            script.invoke_async::<bool>(&mut connection).await
        };
        queue.link.run("a delayed message", delay).await?;
        self.ended(receipt).await;
        Ok(())
    }

    async fn dead_letter(&self, receipt: &Receipt, message: &QueueMessage) -> Result<(), Error> {
        let tag = Uuid::new_v4().to_string();
        let raw = layout::write(message, &self.queue.dead, &tag);
        let list = &self.queue.dead;
        self.queue.replace(receipt, list, "LPUSH", &raw).await?;
        self.ended(receipt).await;
        Ok(())
    }

    async fn publish(&self, messages: &[QueueMessage]) -> Result<(), Error> {
        let name = self.queue.name();
        for part in messages.chunks(TOGETHER) {
            let publish = |mut connection| async move {
                let mut commands = redis::pipe();
                commands.atomic();
                for message in part {
                    let list = layout::list(name, message.priority.unwrap_or(0));
                    let raw = layout::write(message, name, &Uuid::new_v4().to_string());
                    commands.lpush(list, raw).ignore();
                }
                commands.exec_async(&mut connection).await
            };
            self.queue.link.run("a message", publish).await?;
        }
        Ok(())
    }

    async fn reply(&self, queue: &str, message: &QueueMessage) -> Result<(), Error> {
        let raw = &layout::write(message, queue, &Uuid::new_v4().to_string());
        let reply = |mut connection| async move {
            let mut commands = redis::pipe();
            commands.atomic().lpush(queue, raw).ignore();
            // Nobody may read it.
            commands.expire(queue, 86_400).ignore();
            commands.exec_async(&mut connection).await
        };
        self.queue.link.run("a result", reply).await
    }

    async fn depth(&self) -> Result<Depth, Error> {
        self.queue.depth().await
    }

    async fn peek(&self, part: QueuePart, most: usize) -> Result<Vec<QueueMessage>, Error> {
        self.queue.peek(part, most).await
    }

    async fn purge(&self, part: QueuePart) -> Result<u64, Error> {
        self.queue.purge(part).await
    }

    async fn take_dead(&self) -> Result<Option<Delivery>, Error> {
        let tag = Uuid::new_v4().to_string();
        let lists = std::slice::from_ref(&self.queue.dead);
        let taken = self.queue.take_from(lists, &tag).await?;
        Ok(taken.map(|raw| delivery(raw, tag)))
    }

    async fn close(&self) {
        if let Some(keeper) = self.keeper.get() {
            keeper.lock().await.stop().await;
        }
    }
}
