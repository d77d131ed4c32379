//! From an address to its broker.

use crate::address::{Address, BrokerKind};
use crate::broker::{Broker, QueueSettings};
use crate::rabbit::Rabbit;
use crate::redis::Redis;
use wb_core::error::Error;

/// Connects to a broker, and makes its queue as Celery makes it.
///
/// # Errors
/// It cannot be reached within [`QueueSettings::patience`], refuses the login, or has a queue of this name of another kind.
pub async fn connect(address: Address, settings: QueueSettings) -> Result<Box<dyn Broker>, Error> {
    Ok(match address.kind() {
        BrokerKind::RabbitMq => Box::new(Rabbit::connect(address, settings).await?),
        BrokerKind::Redis => Box::new(Redis::connect(address, settings).await?),
    })
}
