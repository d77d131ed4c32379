//! Takes messages from Redis in the background, keeps those that are worked on from being given to others, and puts back what
//! a killed worker left and what was delayed.

use super::layout::{self, UNACKED, UNACKED_INDEX};
use super::{RedisQueue, delivery, now, scripts};
use crate::broker::{Delivery, Receipt};
use redis::AsyncCommands as _;
use redis::aio::MultiplexedConnection;
use std::collections::HashMap;
use std::sync::{Arc, Mutex as StdMutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::{Mutex, OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::task::JoinHandle;
use uuid::Uuid;
use wb_core::error::Error;

/// Shortest and longest pause after a look at empty lists.
const IDLE: (Duration, Duration) = (Duration::from_millis(2), Duration::from_millis(100));
/// Between two looks for delayed messages.
const DUE: Duration = Duration::from_millis(200);
/// How long the last look for a message may take.
const LAST: Duration = Duration::from_secs(3);
/// Abandoned messages that are looked at together.
const ABANDONED: isize = 100;

/// The tags of messages that are worked on, each with its place among the [`prefetch`](crate::QueueSettings::prefetch).
type HeldTags = Arc<StdMutex<HashMap<String, OwnedSemaphorePermit>>>;
/// What was taken and not yet handed on.
type Arrivals = Arc<Mutex<mpsc::Receiver<Result<Delivery, Error>>>>;

/// The background work of one worker.
pub struct Keeper {
    queue: Arc<RedisQueue>,
    held: HeldTags,
    arrivals: Arrivals,
    room: Arc<Semaphore>,
    tasks: Vec<JoinHandle<()>>,
}

impl Keeper {
    /// Begins to take.
    pub fn start(queue: Arc<RedisQueue>) -> Self {
        let held = HeldTags::default();
        let (send, arrivals) = mpsc::channel(usize::from(queue.settings.prefetch.max(1)));
        let room = Arc::new(Semaphore::new(usize::from(queue.settings.prefetch.max(1))));
        let tasks = vec![
            tokio::spawn(take(
                Arc::clone(&queue),
                Arc::clone(&held),
                Arc::clone(&room),
                send,
            )),
            tokio::spawn(keep(Arc::clone(&queue), Arc::clone(&held))),
        ];
        Self {
            queue,
            held,
            arrivals: Arc::new(Mutex::new(arrivals)),
            room,
            tasks,
        }
    }

    /// Where taken messages arrive.
    pub fn arrivals(&self) -> Arrivals {
        Arc::clone(&self.arrivals)
    }

    /// The message is no longer worked on.
    pub fn release(&self, tag: &str) {
        lock(&self.held).remove(tag);
    }

    /// Takes no more, and gives back what is unfinished.
    pub async fn stop(&mut self) {
        self.room.close();
        // A message that is on its way would wait for the visibility timeout.
        if let Some(take) = self.tasks.first_mut() {
            let _ = tokio::time::timeout(LAST, take).await;
        }
        for task in self.tasks.drain(..) {
            task.abort();
        }
        let tags: Vec<String> = lock(&self.held).drain().map(|(tag, _)| tag).collect();
        for tag in tags {
            let receipt = Receipt { session: 0, tag };
            if let Err(error) = self.queue.give_back(&receipt).await {
                tracing::warn!("{error}");
            }
        }
    }
}

fn lock(held: &HeldTags) -> std::sync::MutexGuard<'_, HashMap<String, OwnedSemaphorePermit>> {
    held.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Takes as many messages as there is room for, until the room is closed.
async fn take(
    queue: Arc<RedisQueue>,
    held: HeldTags,
    room: Arc<Semaphore>,
    send: mpsc::Sender<Result<Delivery, Error>>,
) {
    let (mut idle, mut looked) = (IDLE.0, None::<Instant>);
    while let Ok(permit) = Arc::clone(&room).acquire_owned().await {
        let tag = Uuid::new_v4().to_string();
        let taken = loop {
            if room.is_closed() {
                return;
            }
            if looked.is_none_or(|looked| looked.elapsed() > DUE) {
                looked = Some(Instant::now());
                if let Err(error) = queue.due().await {
                    break Err(error);
                }
            }
            match queue.take_from(&queue.lists, &tag).await {
                Ok(Some(raw)) => break Ok(raw),
                Ok(None) => {
                    tokio::time::sleep(idle).await;
                    idle = (idle * 2).min(IDLE.1);
                }
                Err(error) => break Err(error),
            }
        };
        idle = IDLE.0;
        let refused = taken.is_err();
        let arrival = taken.map(|raw| {
            lock(&held).insert(tag.clone(), permit);
            delivery(raw, tag)
        });
        if send.send(arrival).await.is_err() || refused {
            return;
        }
    }
}

/// Keeps what is worked on, and looks for what was abandoned.
async fn keep(queue: Arc<RedisQueue>, held: HeldTags) {
    let every = (queue.settings.visibility / 4).max(Duration::from_millis(50));
    loop {
        let tags: Vec<String> = lock(&held).keys().cloned().collect();
        let kept = queue.extend(&tags).await;
        let restored = queue.restore_abandoned().await;
        if let Err(error) = kept.and(restored) {
            tracing::warn!("{error}");
        }
        tokio::time::sleep(every).await;
    }
}

impl RedisQueue {
    /// Puts delayed messages whose time has come into their lists.
    async fn due(&self) -> Result<(), Error> {
        let due = |mut connection| async move {
            let mut script = scripts::DUE.prepare_invoke();
            script.key(&self.delayed);
            for list in &self.lists {
                script.key(list);
            }
            script.arg(now()).invoke_async::<u64>(&mut connection).await
        };
        self.link.run("delayed messages", due).await.map(drop)
    }

    /// These were taken just now, as far as others can see.
    async fn extend(&self, tags: &[String]) -> Result<(), Error> {
        if tags.is_empty() {
            return Ok(());
        }
        let extend = |mut connection: MultiplexedConnection| async move {
            let mut command = redis::cmd("ZADD");
            command.arg(UNACKED_INDEX).arg("XX");
            for tag in tags {
                command.arg(now()).arg(tag);
            }
            command.exec_async(&mut connection).await
        };
        self.link.run("the visibility timeout", extend).await
    }

    /// Puts back messages of this queue whose worker has not been heard of for the visibility timeout.
    async fn restore_abandoned(&self) -> Result<(), Error> {
        let until = now() - self.settings.visibility.as_secs_f64();
        let mut seen = 0;
        loop {
            let list = |mut connection: MultiplexedConnection| async move {
                connection
                    .zrangebyscore_limit::<_, _, _, Vec<String>>(
                        UNACKED_INDEX,
                        "-inf",
                        until,
                        seen,
                        ABANDONED,
                    )
                    .await
            };
            let tags = self.link.run("abandoned messages", list).await?;
            for tag in &tags {
                let receipt = Receipt {
                    session: 0,
                    tag: tag.clone(),
                };
                // Those of other queues stay, and are passed over the next time.
                seen += isize::from(!self.restore(&receipt).await?);
            }
            if tags.len() < ABANDONED as usize {
                return Ok(());
            }
        }
    }

    /// A message that was taken from this queue goes back to its front, marked as kombu marks it. False: it is not of this
    /// queue, or is no longer taken.
    async fn restore(&self, receipt: &Receipt) -> Result<bool, Error> {
        let entry = |mut connection: MultiplexedConnection| async move {
            let entry = connection.hget::<_, _, Option<Vec<u8>>>(UNACKED, &receipt.tag);
            entry.await
        };
        let entry = self.link.run("a taken message", entry).await?;
        let raw = entry
            .as_deref()
            .and_then(|entry| layout::taken_from(entry, self.name()));
        let Some(raw) = raw else {
            return Ok(false);
        };
        let list = layout::list(self.name(), layout::priority(raw));
        let marked = layout::marked_redelivered(raw);
        self.replace(receipt, &list, "RPUSH", &marked).await
    }

    /// Another worker may have it at once.
    pub(super) async fn give_back(&self, receipt: &Receipt) -> Result<(), Error> {
        self.restore(receipt).await.map(drop)
    }
}
