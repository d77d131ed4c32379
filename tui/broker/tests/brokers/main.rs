//! The promises of a broker, held by real ones: RabbitMQ and Redis from the system's packages.

#![allow(clippy::unwrap_used)] // helpers of tests

mod promises;
#[path = "../../../../tests/support/brokers.rs"]
mod servers;
mod tls;
mod trials;

use servers::{BrokerServer, Kind};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use wb_broker::celery::NewTask;
use wb_broker::{Address, Broker, Delivery, QueueMessage, QueueSettings};

/// Longest wait for anything; a failure, not a delay.
const DEADLINE: Duration = Duration::from_secs(120);

/// A broker that all tests share; those that end it start one of their own.
fn shared(kind: Kind) -> Option<String> {
    static SERVERS: [OnceLock<Option<BrokerServer>>; 2] = [OnceLock::new(), OnceLock::new()];
    let server = SERVERS[kind as usize].get_or_init(|| BrokerServer::start(kind));
    server.as_ref().map(BrokerServer::address)
}

/// A queue of the test's own.
fn settings(prefetch: u16) -> QueueSettings {
    static QUEUES: AtomicU64 = AtomicU64::new(0);
    let number = QUEUES.fetch_add(1, Ordering::Relaxed);
    QueueSettings {
        queue: format!("tests-{}-{number}", std::process::id()),
        prefetch,
        create: true,
        patience: DEADLINE,
        visibility: Duration::from_secs(60),
        notify: |line| tracing::info!("{line}"),
    }
}

async fn connect(address: &str, settings: &QueueSettings) -> Box<dyn Broker> {
    let address = Address::parse(address).unwrap();
    wb_broker::connect(address, settings.clone()).await.unwrap()
}

/// Messages whose id is their number.
fn messages(count: usize) -> Vec<QueueMessage> {
    (0..count).map(|n| message(&n.to_string())).collect()
}

fn message(id: &str) -> QueueMessage {
    NewTask {
        name: "celery_function",
        id,
        spec: "{}",
        origin: "tests@here",
        now: 7,
    }
    .message()
}

fn id(message: &QueueMessage) -> String {
    message.correlation_id.clone().unwrap()
}

async fn take(broker: &dyn Broker) -> Delivery {
    tokio::time::timeout(DEADLINE, broker.take())
        .await
        .unwrap()
        .unwrap()
}

/// Waits until something holds.
async fn until<T, F: Future<Output = Option<T>>>(what: &str, mut holds: impl FnMut() -> F) -> T {
    let start = std::time::Instant::now();
    loop {
        if let Some(value) = holds().await {
            return value;
        }
        assert!(start.elapsed() < DEADLINE, "never: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// The same test for each broker.
macro_rules! for_each_broker {
    ($($name:ident)*) => {
        mod rabbitmq {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                super::$name(crate::servers::Kind::RabbitMq).await;
            })*
        }
        mod redis {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                super::$name(crate::servers::Kind::Redis).await;
            })*
        }
    };
}
pub(crate) use for_each_broker;
