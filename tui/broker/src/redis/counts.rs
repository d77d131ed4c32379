//! What is in a queue on Redis, without taking anything.

use super::layout::{self, UNACKED};
use super::{RedisQueue, now};
use crate::broker::{Depth, QueuePart};
use crate::message::QueueMessage;
use redis::aio::MultiplexedConnection;
use redis::{AsyncCommands as _, RedisError};
use wb_core::error::Error;

/// A tag, and the message that was taken under it.
type TakenEntry = (Vec<u8>, Vec<u8>);

impl RedisQueue {
    fn lists_of(&self, part: QueuePart) -> &[String] {
        match part {
            QueuePart::Ready => &self.lists,
            QueuePart::Dead => std::slice::from_ref(&self.dead),
        }
    }

    /// How much is in the queue.
    pub(super) async fn depth(&self) -> Result<Depth, Error> {
        let count = |mut connection: MultiplexedConnection| async move {
            let mut commands = redis::pipe();
            for list in &self.lists {
                commands.llen(list);
            }
            commands.llen(&self.dead).zcard(&self.delayed);
            let lengths: Vec<u64> = commands.query_async(&mut connection).await?;
            let unacked = self.unacked(connection).await?;
            Ok((lengths, unacked))
        };
        let (lengths, unacked) = self.link.run("the depth of the queue", count).await?;
        let oldest = self.peek(QueuePart::Ready, 1).await?;
        let published = oldest.first().and_then(|message| message.timestamp);
        let lists = self.lists.len();
        Ok(Depth {
            ready: lengths.iter().take(lists).sum(),
            dead: lengths.get(lists).copied().unwrap_or(0),
            delayed: lengths.get(lists + 1).copied().unwrap_or(0),
            unacked: Some(unacked),
            consumers: None,
            oldest_s: published.map(|published| (now() as u64).saturating_sub(published)),
        })
    }

    /// Messages of this queue that workers have taken.
    async fn unacked(&self, mut connection: MultiplexedConnection) -> Result<u64, RedisError> {
        let (mut cursor, mut count) = (0_u64, 0);
        loop {
            let mut scan = redis::cmd("HSCAN");
            scan.arg(UNACKED).arg(cursor).arg("COUNT").arg(100);
            let (next, entries): (u64, Vec<TakenEntry>) = scan.query_async(&mut connection).await?;
            let ours = |(_, entry): &&TakenEntry| layout::taken_from(entry, self.name()).is_some();
            count += entries.iter().filter(ours).count() as u64;
            cursor = next;
            if cursor == 0 {
                return Ok(count);
            }
        }
    }

    /// The first messages of a part.
    pub(super) async fn peek(
        &self,
        part: QueuePart,
        most: usize,
    ) -> Result<Vec<QueueMessage>, Error> {
        let mut messages = Vec::new();
        for list in self.lists_of(part) {
            let left = (most - messages.len()) as isize; // a few thousand
            if left == 0 {
                break;
            }
            let look = |mut connection: MultiplexedConnection| async move {
                connection.lrange::<_, Vec<Vec<u8>>>(list, -left, -1).await
            };
            let found = self.link.run("a look at the queue", look).await?;
            // The first to be taken stands last.
            let found = found.into_iter().rev();
            messages.extend(found.map(|raw| super::delivery(raw, String::new()).message));
        }
        Ok(messages)
    }

    /// Removes all messages of a part.
    pub(super) async fn purge(&self, part: QueuePart) -> Result<u64, Error> {
        let purge = |mut connection: MultiplexedConnection| async move {
            let mut commands = redis::pipe();
            commands.atomic();
            let lists = self.lists_of(part);
            for list in lists {
                commands.llen(list);
            }
            if part == QueuePart::Ready {
                commands.zcard(&self.delayed).del(&self.delayed).ignore();
            }
            commands.del(lists).ignore();
            let counts: Vec<u64> = commands.query_async(&mut connection).await?;
            Ok(counts.iter().sum())
        };
        self.link.run("the removal of messages", purge).await
    }
}
