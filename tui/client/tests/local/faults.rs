//! Faults injected by the server: lost answers, crashes, and every task committed exactly once.

use super::*;

#[tokio::test]
async fn lost_and_failed_answers_are_resolved_by_asking() {
    let w = demo(150).await;
    let rows = w.tasks().await;
    let inputs = w.inputs(&rows, needs::LABEL_ROW_WRITE).await;
    w.faults(&[
        "create_labels:lost@100%*1",
        "save_labels:lost@100%*1",
        "save_labels:500@50%*2",
        "actions:lost@100%*1",
        "priorities:drop@100%*1",
        "get_labels:truncate@100%*1",
        "get_tasks:429/0s@100%*1",
    ])
    .await;
    let mut items = classified(&w, &inputs);
    for item in &mut items {
        item.priority = Some(0.25);
    }
    all_done(&w.writer().commit(&w.project, items).await);
    let struck = w.local("faults", &Value::Null).await;
    for fault in struck["faults"].as_array().unwrap() {
        assert!(fault["struck"].as_u64().unwrap() > 0, "{fault}");
    }
    assert_eq!(
        w.count("actions").changed,
        rows.len() as u64,
        "each task moved once"
    );
    assert!(w.tasks().await.is_empty());
}

#[tokio::test]
async fn a_move_whose_answers_are_all_lost_is_never_sent_twice() {
    let w = world(ServeOptions {
        scenario: Scenario::Seed,
        tasks: Some(40),
        ..ServeOptions::default()
    })
    .await;
    let inputs = w.inputs(&w.tasks().await, 0).await;
    w.faults(&["actions:lost"]).await;
    let items = inputs.iter().map(|i| item(i, &w.stage, None)).collect();
    all_done(&w.writer().commit(&w.project, items).await);
    assert_eq!(w.count("actions").requests, 1);
}

#[tokio::test]
async fn a_commit_that_is_repeated_after_a_crash_writes_nothing_twice() {
    let w = demo(60).await;
    let rows: Vec<TaskRow> = w.tasks().await.into_iter().take(25).collect();
    let inputs = w.inputs(&rows, needs::LABEL_ROW_WRITE).await;
    let items = classified(&w, &inputs);
    // The crash: labels are saved, the moves are not.
    let half: Vec<Change> = items
        .iter()
        .map(|item| Change {
            pathway: None,
            ..item.clone()
        })
        .collect();
    all_done(&w.writer().commit(&w.project, half).await);
    let saved = w.count("save_labels").changed;
    assert_eq!(saved, 25);
    all_done(&w.writer().commit(&w.project, items.clone()).await);
    assert_eq!(w.count("save_labels").changed, saved);
    let third = w.writer().commit(&w.project, items).await;
    assert!(ends(&third).iter().all(|word| *word == "already moved"));
    assert_eq!(w.count("save_labels").changed, saved);
    assert_eq!(w.count("actions").changed, 25);
}

/// Commits all tasks of a stage in batches under faults; the server's own counters and a dump of its
/// state show what arrived.
async fn exactly_once(tasks: usize, batch: usize, faults: &[&str]) {
    let w = world(ServeOptions {
        scenario: Scenario::Seed,
        tasks: Some(tasks),
        ..ServeOptions::default()
    })
    .await;
    w.faults(faults).await;
    let began = std::time::Instant::now();
    let rows = w.tasks().await;
    assert_eq!(rows.len(), tasks);
    for batch in rows.chunks(batch) {
        let inputs = w.inputs(batch, needs::LABEL_ROW_WRITE).await;
        all_done(&w.writer().commit(&w.project, classified(&w, &inputs)).await);
    }
    println!(
        "{tasks} tasks in {:.1} s; {:?}",
        began.elapsed().as_secs_f64(),
        w.reader.stats()
    );
    println!("{}", w.local("faults", &Value::Null).await);
    assert_eq!(w.count("actions").changed, tasks as u64);
    let state = w.state().await;
    assert_eq!(state.len(), tasks);
    assert!(
        state
            .values()
            .all(|task| task["stage"] == "Complete" && !task["labels"].is_null())
    );
    w.faults(&[]).await;
    for input in w.inputs(&rows[..50], needs::LABEL_ROW).await {
        let answers = labels(&input)["classification_answers"]
            .as_object()
            .unwrap()
            .len();
        assert_eq!(answers, 1);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_tasks_under_heavy_faults_are_committed_exactly_once() {
    let faults = [
        "any:429/0.1s@2%",
        "actions:lost@30%",
        "save_labels:500@30%",
        "get:drop@3%",
        "save_labels:lost@20%",
        "create_labels:lost@20%",
        "get:truncate@2%",
    ];
    exactly_once(1000, 100, &faults).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "long: cargo test -p wb-client --test local -- --ignored --nocapture"]
async fn ten_thousand_tasks_under_faults_are_committed_exactly_once() {
    let faults = [
        "any:429/1s@1%",
        "actions:lost@1%",
        "save_labels:500@2%",
        "get:drop@1%",
    ];
    exactly_once(10_000, 300, &faults).await;
}
