//! What is promised of a message, from the time it is published to the time it is gone.

use super::*;
use std::collections::BTreeSet;
use std::process::{Child, Command, Stdio};
use std::time::Instant;
use wb_broker::{DeadLetter, History, QueuePart};

for_each_broker! {
    a_message_is_gone_once_it_is_acknowledged_and_not_before
    no_more_are_given_out_than_the_prefetch
    what_is_given_back_comes_again_and_is_marked
    a_delayed_message_comes_back_with_its_history_and_not_too_early
    dead_letters_are_kept_with_their_reason_and_sent_again
    a_look_takes_nothing_and_a_purge_everything
    a_queue_that_is_missing_is_made_by_those_alone_who_want_it
    bytes_of_any_kind_come_as_a_message_and_hold_up_nobody
    a_worker_that_was_killed_loses_nothing
    a_broker_that_was_killed_loses_nothing_that_was_confirmed
}

async fn a_message_is_gone_once_it_is_acknowledged_and_not_before(kind: Kind) {
    let Some(address) = shared(kind) else { return };
    let settings = settings(10);
    let broker = connect(&address, &settings).await;
    broker.publish(&messages(3)).await.unwrap();
    for n in 0..3 {
        let delivery = take(&*broker).await;
        assert_eq!(id(&delivery.message), n.to_string(), "the oldest first");
        assert!(!delivery.redelivered);
        assert_eq!(delivery.message, messages(3)[n]);
        if n != 1 {
            assert!(broker.acknowledge(&delivery.receipt).await.unwrap());
        }
    }
    broker.close().await;
    let broker = connect(&address, &settings).await;
    let again = take(&*broker).await;
    assert!(id(&again.message) == "1" && again.redelivered);
    assert!(broker.acknowledge(&again.receipt).await.unwrap());
    broker.close().await;
    let broker = connect(&address, &settings).await;
    let depth = broker.depth().await.unwrap();
    assert_eq!((depth.ready, depth.dead), (0, 0));
    broker.close().await;
}

async fn no_more_are_given_out_than_the_prefetch(kind: Kind) {
    let Some(address) = shared(kind) else { return };
    let settings = settings(2);
    let (one, two) = (
        connect(&address, &settings).await,
        connect(&address, &settings).await,
    );
    one.publish(&messages(4)).await.unwrap();
    let first = take(&*one).await;
    let _second = take(&*one).await;
    // The others are free for another worker, although this one has asked for more.
    let (third, fourth) = tokio::select! {
        more = one.take() => panic!("a third message: {more:?}"),
        both = async { (take(&*two).await, take(&*two).await) } => both,
    };
    let ids: BTreeSet<String> = [&third, &fourth].map(|d| id(&d.message)).into();
    assert_eq!(ids, BTreeSet::from(["2".to_owned(), "3".to_owned()]));
    one.publish(&[message("4")]).await.unwrap();
    one.acknowledge(&first.receipt).await.unwrap();
    assert_eq!(id(&take(&*one).await.message), "4");
    one.close().await;
    two.close().await;
}

async fn what_is_given_back_comes_again_and_is_marked(kind: Kind) {
    let Some(address) = shared(kind) else { return };
    let broker = connect(&address, &settings(1)).await;
    broker.publish(&messages(1)).await.unwrap();
    let first = take(&*broker).await;
    broker.give_back(&first.receipt).await.unwrap();
    let again = take(&*broker).await;
    assert!(again.redelivered);
    assert_eq!(again.message, first.message);
    broker.close().await;
}

async fn a_delayed_message_comes_back_with_its_history_and_not_too_early(kind: Kind) {
    let Some(address) = shared(kind) else { return };
    let broker = connect(&address, &settings(1)).await;
    broker.publish(&messages(1)).await.unwrap();
    let first = take(&*broker).await;
    let history = History {
        attempts: 1,
        reason: Some("the agent failed".into()),
        ..History::default()
    };
    let message = first.message.clone().with_history(history.clone());
    let wait = Duration::from_secs(5);
    let start = Instant::now();
    broker.delay(&first.receipt, &message, wait).await.unwrap();
    let depth = broker.depth().await.unwrap();
    assert_eq!((depth.ready, depth.delayed), (0, 1));
    let again = take(&*broker).await;
    assert!(start.elapsed() >= wait.mul_f64(0.9));
    assert_eq!(again.message.history(), history);
    let plain = again.message.clone().with_history(History::default());
    assert_eq!(plain, first.message);
    broker.acknowledge(&again.receipt).await.unwrap();
    let depth = broker.depth().await.unwrap();
    assert_eq!((depth.ready, depth.delayed, depth.dead), (0, 0, 0));
    broker.close().await;
}

async fn dead_letters_are_kept_with_their_reason_and_sent_again(kind: Kind) {
    let Some(address) = shared(kind) else { return };
    let broker = connect(&address, &settings(5)).await;
    broker.publish(&messages(2)).await.unwrap();
    for _ in 0..2 {
        let taken = take(&*broker).await;
        let history = History {
            attempts: 3,
            reason: Some("too dark".into()),
            stage: Some("Agent 1".into()),
            ..History::default()
        };
        let message = taken.message.with_history(history);
        broker.dead_letter(&taken.receipt, &message).await.unwrap();
    }
    let depth = broker.depth().await.unwrap();
    assert_eq!((depth.ready, depth.dead), (0, 2));
    let dead = broker.peek(QueuePart::Dead, 10).await.unwrap();
    let letter = DeadLetter::of(&dead[0]);
    assert_eq!(
        (letter.attempts, letter.reason.as_deref(), letter.stage),
        (3, Some("too dark"), Some("Agent 1".to_owned()))
    );
    while let Some(letter) = broker.take_dead().await.unwrap() {
        let message = letter.message.with_history(History::default());
        broker.publish(&[message]).await.unwrap();
        assert!(broker.acknowledge(&letter.receipt).await.unwrap());
    }
    assert_eq!(broker.depth().await.unwrap().dead, 0);
    let ids = [take(&*broker).await, take(&*broker).await].map(|d| id(&d.message));
    assert_eq!(ids, ["0", "1"]);
    broker.close().await;
}

async fn a_look_takes_nothing_and_a_purge_everything(kind: Kind) {
    let Some(address) = shared(kind) else { return };
    let broker = connect(&address, &settings(1)).await;
    broker.publish(&messages(5)).await.unwrap();
    for _ in 0..2 {
        let seen = broker.peek(QueuePart::Ready, 3).await.unwrap();
        let ids: Vec<String> = seen.iter().map(id).collect();
        assert_eq!(ids, ["0", "1", "2"]);
    }
    let depth = broker.depth().await.unwrap();
    assert_eq!((depth.ready, depth.dead), (5, 0));
    assert!(depth.oldest_s.unwrap() > 1_000_000, "published in 1970");
    assert_eq!(broker.purge(QueuePart::Dead).await.unwrap(), 0);
    assert_eq!(broker.purge(QueuePart::Ready).await.unwrap(), 5);
    assert_eq!(broker.depth().await.unwrap().ready, 0);
    broker.close().await;
}

async fn a_queue_that_is_missing_is_made_by_those_alone_who_want_it(kind: Kind) {
    let Some(address) = shared(kind) else { return };
    let looks = QueueSettings {
        create: false,
        ..settings(1)
    };
    // The first look has not made it either.
    for _ in 0..2 {
        let address = Address::parse(&address).unwrap();
        let missing = wb_broker::connect(address, looks.clone()).await;
        let error = missing.err().unwrap();
        assert_eq!(error.kind.exit_code(), 3, "{error:?}");
        assert!(error.summary.contains(&looks.queue), "{error:?}");
    }
    let makes = QueueSettings {
        create: true,
        ..looks.clone()
    };
    connect(&address, &makes).await.close().await;
    let broker = connect(&address, &looks).await;
    assert_eq!(broker.depth().await.unwrap().ready, 0);
    broker.close().await;
}

async fn bytes_of_any_kind_come_as_a_message_and_hold_up_nobody(kind: Kind) {
    let Some(address) = shared(kind) else { return };
    let broker = connect(&address, &settings(1)).await;
    let poison = QueueMessage {
        body: vec![0, 255, b'{'],
        ..QueueMessage::default()
    };
    broker.publish(&[poison, message("good")]).await.unwrap();
    let taken = take(&*broker).await;
    let error = wb_broker::celery::read(&taken.message).unwrap_err();
    assert!(error.why.contains("header"), "{error:?}");
    broker
        .dead_letter(&taken.receipt, &taken.message)
        .await
        .unwrap();
    let good = take(&*broker).await;
    assert_eq!(id(&good.message), "good");
    let dead = broker.peek(QueuePart::Dead, 10).await.unwrap();
    assert_eq!(dead[0].body, [0, 255, b'{']);
    broker.close().await;
}

/// Not a test: the worker that is killed. It takes all that it may and finishes every second message.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "started by another test"]
async fn worker_that_is_killed() {
    let address = std::env::var("TESTS_BROKER").unwrap();
    let mut settings = settings(6);
    settings.queue = std::env::var("TESTS_QUEUE").unwrap();
    settings.visibility = Duration::from_secs(2);
    let broker = connect(&address, &settings).await;
    for n in 0..6 {
        let taken = take(&*broker).await;
        if n % 2 == 0 {
            broker.acknowledge(&taken.receipt).await.unwrap();
        }
    }
    // Elsewhere: this worker has room for what is published to its own queue.
    settings.queue.push_str("-taken");
    let other = connect(&address, &settings).await;
    other.publish(&[message("taken")]).await.unwrap();
    std::future::pending::<()>().await;
}

/// A process that is killed, at the latest with its owner.
struct Killed(Child);

impl Killed {
    fn now(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Drop for Killed {
    fn drop(&mut self) {
        self.now();
    }
}

async fn a_worker_that_was_killed_loses_nothing(kind: Kind) {
    let Some(address) = shared(kind) else { return };
    let mut settings = settings(20);
    settings.visibility = Duration::from_secs(2);
    let broker = connect(&address, &settings).await;
    broker.publish(&messages(6)).await.unwrap();
    let mut worker = Killed(
        Command::new(std::env::current_exe().unwrap())
            .args(["--ignored", "--exact", "promises::worker_that_is_killed"])
            .env("TESTS_BROKER", &address)
            .env("TESTS_QUEUE", &settings.queue)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap(),
    );
    let mut elsewhere = settings.clone();
    elsewhere.queue.push_str("-taken");
    let other = connect(&address, &elsewhere).await;
    until("the worker has taken all", || async {
        let seen = other.peek(QueuePart::Ready, 9).await.unwrap();
        (!seen.is_empty()).then_some(())
    })
    .await;
    worker.now();
    let mut left = BTreeSet::new();
    while left.len() < 3 {
        let again = take(&*broker).await;
        assert!(again.redelivered);
        assert!(left.insert(id(&again.message)), "each once");
        broker.acknowledge(&again.receipt).await.unwrap();
    }
    let wanted = ["1", "3", "5"].map(str::to_owned);
    assert_eq!(left, BTreeSet::from(wanted));
    let depth = broker.depth().await.unwrap();
    assert_eq!((depth.ready, depth.delayed, depth.dead), (0, 0, 0));
    broker.close().await;
}

async fn a_broker_that_was_killed_loses_nothing_that_was_confirmed(kind: Kind) {
    let Some(mut server) = BrokerServer::start(kind) else {
        return;
    };
    let mut settings = settings(4);
    settings.visibility = Duration::from_secs(2);
    let broker = connect(&server.address(), &settings).await;
    broker.publish(&messages(50)).await.unwrap();
    let held = take(&*broker).await;
    server.kill();
    // Waits for the broker, as a worker does.
    let (next, ()) = tokio::join!(take(&*broker), async {
        tokio::task::block_in_place(|| server.start_again());
    });
    let of_old_connection = broker.acknowledge(&held.receipt).await.unwrap();
    // RabbitMQ gives again what it gave before it was killed; Redis remembers who has it.
    assert_eq!(of_old_connection, kind == Kind::Redis);
    let mut seen = BTreeSet::from([id(&next.message)]);
    broker.acknowledge(&next.receipt).await.unwrap();
    if of_old_connection {
        seen.insert(id(&held.message));
    }
    while seen.len() < 50 {
        let taken = take(&*broker).await;
        broker.acknowledge(&taken.receipt).await.unwrap();
        seen.insert(id(&taken.message));
    }
    broker.close().await;
}
