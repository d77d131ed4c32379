//! Task specs on a message broker: one trait for all brokers, the Celery message protocol on top of it, and the
//! brokers themselves, RabbitMQ and Redis.
//!
//! What a spec means, which agent runs on it and what is written is left to the binary; this crate moves messages and
//! keeps their promise: a message is gone only once its work is done, is waiting for a later attempt, or is among the
//! dead letters.

mod address;
mod backoff;
mod broker;
pub mod celery;
mod connect;
mod dead_letter;
mod message;
mod rabbit;
mod redis;

pub use address::{Address, BrokerKind};
pub use broker::{Broker, Delivery, Depth, QueuePart, QueueSettings, Receipt};
pub use connect::connect;
pub use dead_letter::DeadLetter;
pub use message::{History, QueueMessage};
pub use redis::results::RedisResults;
