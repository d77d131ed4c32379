//! Other people act meanwhile: conflicts, tasks that have moved.

use super::*;

#[tokio::test]
async fn somebody_who_acts_between_our_look_and_our_move_is_seen() {
    let w = demo(40).await;
    let rows = w.tasks().await;
    let inputs = w.inputs(&rows, 0).await;
    w.faults(&["actions:conflict@100%*1"]).await;
    let items = inputs.iter().map(|i| item(i, &w.stage, None)).collect();
    let words = ends(&w.writer().commit(&w.project, items).await);
    assert!(words.contains(&"already moved"), "{words:?}");
    assert!(!words.contains(&"refused"), "{words:?}");
    assert_eq!(w.count("actions").requests, 2);
}

#[tokio::test]
async fn tasks_that_somebody_else_moved_are_recognised_and_cost_nobody() {
    let w = demo(100).await;
    let rows = w.tasks().await;
    let inputs = w.inputs(&rows, 0).await;
    let gone: Vec<_> = rows.iter().step_by(5).map(|row| row.id).collect();
    w.local("move", &json!({"tasks": gone, "stage": "Archive"}))
        .await;
    let items = inputs.iter().map(|i| item(i, &w.stage, None)).collect();
    let results = w.writer().commit(&w.project, items).await;
    for (n, word) in ends(&results).into_iter().enumerate() {
        assert_eq!(
            word,
            if n % 5 == 0 { "already moved" } else { "done" },
            "{n}"
        );
    }
    let state = w.state().await;
    for (n, row) in rows.iter().enumerate() {
        assert_eq!(
            state[&row.data.to_string()]["stage"] == "Archive",
            n % 5 == 0,
            "{n}"
        );
    }
    let archive = w.project.workflow.find("Archive").unwrap();
    let data: Vec<_> = rows.iter().map(|row| row.data).collect();
    let there = w
        .reader
        .tasks_of(w.project.hash, archive, &data)
        .await
        .unwrap();
    assert_eq!(there.len(), gone.len());
}

#[tokio::test]
async fn a_row_that_somebody_else_changed_is_a_conflict_and_nothing_of_its_task_is_written() {
    let w = demo(60).await;
    let rows: Vec<TaskRow> = w.tasks().await.into_iter().take(30).collect();
    let inputs = w.inputs(&rows, needs::LABEL_ROW_WRITE).await;
    for n in [3, 17] {
        let edit = json!({"data_hash": rows[n].data, "by": "qa@example.test"});
        w.local("edit", &edit).await;
    }
    let before = w.state().await;
    let mut items = classified(&w, &inputs);
    for item in &mut items {
        item.priority = Some(0.9);
    }
    let results = w.writer().commit(&w.project, items).await;
    let after = w.state().await;
    for (n, word) in ends(&results).into_iter().enumerate() {
        let data = rows[n].data.to_string();
        let conflict = n == 3 || n == 17;
        assert_eq!(word, if conflict { "conflict" } else { "done" }, "{n}");
        assert_eq!(before[&data] == after[&data], conflict, "{n}");
    }
    let Committed::Conflict { by } = &results[3].1 else {
        unreachable!()
    };
    assert!(by.contains("qa@example.test"), "{by}");
}

#[tokio::test]
async fn labels_of_a_task_that_has_left_are_not_written_though_the_row_is_as_the_agent_saw_it() {
    let w = demo(60).await;
    let rows: Vec<TaskRow> = w.tasks().await.into_iter().take(20).collect();
    // Somebody saved these rows before we read them, and moves their tasks on only now.
    let edit = json!({"data_hash": rows[4].data, "by": "qa@example.test"});
    w.local("edit", &edit).await;
    let inputs = w.inputs(&rows, needs::LABEL_ROW_WRITE).await;
    let gone = [rows[4].id, rows[11].id];
    w.local("move", &json!({"tasks": gone, "stage": "Archive"}))
        .await;
    let before = w.state().await;
    let mut items = classified(&w, &inputs);
    for item in &mut items {
        item.priority = Some(0.9);
    }
    let saved = w.count("save_labels").changed;
    let results = w.writer().commit(&w.project, items).await;
    let after = w.state().await;
    for (n, word) in ends(&results).into_iter().enumerate() {
        let (data, left) = (rows[n].data.to_string(), n == 4 || n == 11);
        assert_eq!(word, if left { "conflict" } else { "done" }, "{n}");
        assert_eq!(before[&data] == after[&data], left, "{n}");
    }
    assert_eq!(w.count("save_labels").changed - saved, 18);
}

#[tokio::test]
async fn metadata_that_somebody_else_changed_are_a_conflict_and_nothing_of_the_task_is_written() {
    let w = demo(40).await;
    let rows: Vec<TaskRow> = w.tasks().await.into_iter().take(6).collect();
    let inputs = w
        .inputs(&rows, needs::LABEL_ROW_WRITE | needs::STORAGE_ITEM)
        .await;
    let map = |value: Value| value.as_object().cloned().unwrap();
    let seen = |i: &Inputs| {
        let item: Value = serde_json::from_str(i.item_json.as_ref().unwrap()).unwrap();
        item["clientMetadata"]
            .as_str()
            .map_or_else(serde_json::Map::new, |text| {
                serde_json::from_str(text).unwrap()
            })
    };
    let mut items = classified(&w, &inputs);
    for (item, input) in items.iter_mut().zip(&inputs) {
        item.metadata = Some(map(json!({"checked": true})));
        item.metadata_before = Some(seen(input));
    }
    // Somebody else writes first, and writes the same values to another.
    let by_hand = |n: usize, metadata: Value| Change {
        labels_after: None,
        metadata: Some(map(metadata)),
        metadata_before: None,
        pathway: None,
        ..items[n].clone()
    };
    let theirs = vec![
        by_hand(1, json!({"site": "elsewhere"})),
        by_hand(2, json!({"checked": true})),
    ];
    all_done(&w.writer().commit(&w.project, theirs).await);
    let before = w.state().await;
    let results = w.writer().commit(&w.project, items).await;
    let after = w.state().await;
    for (n, word) in ends(&results).into_iter().enumerate() {
        let data = rows[n].data.to_string();
        assert_eq!(word, if n == 1 { "conflict" } else { "done" }, "{n}");
        assert_eq!(before[&data] == after[&data], n == 1, "{n}");
    }
    let Committed::Conflict { by } = &results[1].1 else {
        unreachable!()
    };
    assert!(by.contains("client metadata"), "{by}");
}

#[tokio::test]
async fn priorities_and_metadata_of_a_task_that_has_left_are_not_set_though_no_labels_change() {
    let w = demo(60).await;
    let rows: Vec<TaskRow> = w.tasks().await.into_iter().take(20).collect();
    let inputs = w.inputs(&rows, 0).await;
    let gone = [rows[4].id, rows[11].id];
    w.local("move", &json!({"tasks": gone, "stage": "Archive"}))
        .await;
    let before = w.state().await;
    for stays in [true, false] {
        let items = inputs.iter().enumerate().map(|(n, input)| Change {
            priority: (n < 10).then_some(0.9),
            metadata: (n >= 10).then(|| json!({"seen": n}).as_object().cloned().unwrap()),
            pathway: (!stays).then(|| w.stage.pathways[0].id),
            ..item(input, &w.stage, None)
        });
        let results = w.writer().commit(&w.project, items.collect()).await;
        let after = w.state().await;
        for (n, word) in ends(&results).into_iter().enumerate() {
            let (data, left) = (rows[n].data.to_string(), n == 4 || n == 11);
            assert_eq!(word, if left { "conflict" } else { "done" }, "{n}");
            assert!(!left || before[&data] == after[&data], "{n}");
        }
    }
}

#[tokio::test]
async fn a_commit_that_was_whole_is_known_again_after_the_task_has_left() {
    let w = demo(60).await;
    let rows: Vec<TaskRow> = w.tasks().await.into_iter().take(6).collect();
    let inputs = w.inputs(&rows, needs::LABEL_ROW_WRITE).await;
    let mut items = classified(&w, &inputs);
    for (n, item) in items.iter_mut().enumerate() {
        item.priority = Some(0.25);
        item.metadata = json!({"seen": n}).as_object().cloned();
        item.labels_after = item.labels_after.take().filter(|_| n % 2 == 0);
    }
    all_done(&w.writer().commit(&w.project, items.clone()).await);
    let before = w.reader.stats().writes;
    let again = w.writer().commit(&w.project, items.clone()).await;
    assert_eq!(ends(&again), ["already moved"; 6]);
    // Only the moves were sent, and refused.
    assert!(w.reader.stats().writes - before <= 3);
    // What a successor sets on data whose labels look the same stays.
    w.set_priorities_at_the_next_stage(&rows, 0.75).await;
    let again = w.writer().commit(&w.project, items).await;
    assert_eq!(ends(&again), ["conflict"; 6]);
    let state = w.state().await;
    assert!(
        rows.iter()
            .all(|row| state[&row.data.to_string()]["priority"] == json!(0.75))
    );
}
