//! Trials of many messages: acknowledgements that are lost when a connection closes, and how fast it is.

use super::*;
use std::time::Instant;

/// Quorum queues of RabbitMQ 3.10 gave acknowledged messages again after a connection that closed at once, in 3 of 9 trials of
/// 10,000 messages. Classic queues, which we and Celery declare, must not. `TRIALS=N` repeats it.
#[tokio::test(flavor = "multi_thread")]
async fn no_acknowledgement_is_lost_when_a_connection_closes_at_once() {
    let Some(address) = shared(Kind::RabbitMq) else {
        return;
    };
    let set = |name: &str| std::env::var(name).ok()?.parse().ok();
    let (trials, count): (usize, usize) =
        (set("TRIALS").unwrap_or(2), set("MESSAGES").unwrap_or(2_000));
    for trial in 0..trials {
        let settings = settings(300);
        let broker = connect(&address, &settings).await;
        let start = Instant::now();
        broker.publish(&messages(count)).await.unwrap();
        let published = start.elapsed();
        let start = Instant::now();
        for _ in 0..count {
            let taken = take(&*broker).await;
            assert!(broker.acknowledge(&taken.receipt).await.unwrap());
        }
        let taken = start.elapsed();
        broker.close().await;
        let broker = connect(&address, &settings).await;
        let depth = broker.depth().await.unwrap();
        assert_eq!(depth.ready, 0, "trial {trial}");
        broker.close().await;
        eprintln!(
            "trial {trial}: {count} published in {published:?}, taken and acknowledged in {taken:?}"
        );
    }
}
