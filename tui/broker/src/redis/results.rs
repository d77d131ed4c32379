//! Celery's Redis result back end.

use super::link::Link;
use crate::address::{Address, BrokerKind};
use serde_json::Value;
use std::time::Duration;
use wb_core::error::{Error, ErrorKind};

/// How long Celery keeps a result, in seconds.
const KEPT: u64 = 86_400;

/// Where results are stored.
pub struct RedisResults(Link);

impl RedisResults {
    /// Connects.
    ///
    /// # Errors
    /// Not Redis, or it cannot be reached in time.
    pub async fn connect(
        address: Address,
        patience: Duration,
        notify: fn(&str),
    ) -> Result<Self, Error> {
        if address.kind() != BrokerKind::Redis {
            let text = "--result-backend takes redis:// and rediss://";
            return Err(Error::new(ErrorKind::Usage, text)
                .hint("results for rpc:// go back by the broker; they need no back end"));
        }
        Ok(Self(Link::connect(address, patience, notify).await?))
    }

    /// Stores the result of a message, and announces it to whoever waits for it.
    ///
    /// # Errors
    /// It was refused.
    pub async fn store(&self, id: &str, document: &Value) -> Result<(), Error> {
        let key = format!("celery-task-meta-{id}");
        let (key, text) = (&key, &document.to_string());
        let store = |mut connection| async move {
            let mut commands = redis::pipe();
            commands.atomic().set_ex(key, text, KEPT).ignore();
            commands.publish(key, text).ignore();
            commands.exec_async(&mut connection).await
        };
        self.0.run("a result", store).await
    }
}
