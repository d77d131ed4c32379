//! Commits: everything arrives, and only the culprits of a bundle fail.

use super::*;

#[tokio::test]
async fn labels_priority_metadata_and_move_all_arrive() {
    let w = demo(40).await;
    let rows: Vec<TaskRow> = w.tasks().await.into_iter().take(20).collect();
    let inputs = w
        .inputs(&rows, needs::LABEL_ROW_WRITE | needs::CLIENT_METADATA)
        .await;
    let mut items = classified(&w, &inputs);
    for (n, item) in items.iter_mut().enumerate() {
        item.priority = Some(if n == 0 { 0.0 } else { 0.1337 });
        let mut metadata = serde_json::Map::new();
        metadata.insert("seen".to_owned(), json!(n));
        item.metadata = Some(metadata);
        if n % 2 == 0 {
            // The client finds the storage item by itself.
            item.item = None;
            item.before.as_mut().unwrap().item = None;
        }
    }
    let before = w.reader.stats();
    all_done(&w.writer().commit(&w.project, items).await);
    let cost = w.reader.stats();
    assert!(
        cost.requests - before.requests <= 9,
        "{}",
        cost.requests - before.requests
    );
    let left = w.tasks().await;
    assert!(rows.iter().all(|row| left.iter().all(|l| l.id != row.id)));
    let state = w.state().await;
    let to = w.project.workflow.stage(w.stage.pathways[0].to).unwrap();
    for (n, input) in w
        .inputs(&rows, needs::LABEL_ROW | needs::STORAGE_ITEM)
        .await
        .iter()
        .enumerate()
    {
        let task = &state[&input.row.data.to_string()];
        assert_eq!(task["stage"], json!(to.title));
        assert_eq!(task["priority"], json!(if n == 0 { 0.0 } else { 0.1337 }));
        assert!(!labels(input)["classification_answers"]["abcdEFGH"].is_null());
        let item: Value = serde_json::from_str(input.item_json.as_ref().unwrap()).unwrap();
        let metadata: Value =
            serde_json::from_str(item["clientMetadata"].as_str().unwrap()).unwrap();
        assert_eq!(metadata, json!({"seen": n}));
    }
}

#[tokio::test]
async fn only_the_culprits_of_a_bundle_fail() {
    let w = demo(150).await;
    let rows = w.tasks().await;
    let inputs = w.inputs(&rows, 0).await;
    let mut items: Vec<Change> = inputs.iter().map(|i| item(i, &w.stage, None)).collect();
    let (wrong, senseless) = (items.len() / 3, items.len() / 2);
    items[wrong].pathway = Some(PathwayId(uuid::Uuid::from_u128(7)));
    items[senseless].priority = Some(1.5);
    let before = w.reader.stats().requests;
    let results = w.writer().commit(&w.project, items).await;
    for (n, word) in ends(&results).into_iter().enumerate() {
        assert_eq!(
            word,
            if n == wrong || n == senseless {
                "refused"
            } else {
                "done"
            },
            "{n}"
        );
    }
    let Committed::Refused(error) = &results[wrong].1 else {
        unreachable!()
    };
    assert!(
        error
            .summary
            .starts_with("the task was not moved: refused as invalid"),
        "{error:?}"
    );
    let Committed::Refused(error) = &results[senseless].1 else {
        unreachable!()
    };
    assert_eq!(error.kind, ErrorKind::Agent);
    println!(
        "{} tasks, one culprit: {} requests",
        rows.len(),
        w.reader.stats().requests - before
    );
    assert!(w.reader.stats().requests - before < 30);
}

#[tokio::test]
async fn labels_that_the_platform_refuses_cost_only_their_task() {
    let w = demo(60).await;
    let rows = w.tasks().await;
    let inputs = w.inputs(&rows, needs::LABEL_ROW_WRITE).await;
    let still = |i: &Inputs| labels(i)["data_type"] == "image";
    let culprit = inputs.iter().rposition(still).unwrap();
    let mut items = classified(&w, &inputs);
    let mut wrong = labels(&inputs[culprit]);
    let unit = wrong["data_units"]
        .as_object_mut()
        .unwrap()
        .values_mut()
        .next()
        .unwrap();
    // An object without its answers, which the platform does not take.
    unit["labels"]["objects"] = json!([{
        "objectHash": "zzzzZZZZ", "featureHash": "nothing1", "name": "?", "shape": "bounding_box",
        "boundingBox": {"x": 0.1, "y": 0.1, "w": 0.1, "h": 0.1},
    }]);
    items[culprit].labels_after = Some(LabelBlob::new(&wrong));
    let results = w.writer().commit(&w.project, items).await;
    for (n, word) in ends(&results).into_iter().enumerate() {
        assert_eq!(word, if n == culprit { "refused" } else { "done" }, "{n}");
    }
    let Committed::Refused(error) = &results[culprit].1 else {
        unreachable!()
    };
    println!("{error:?}");
    assert!(
        error.summary.starts_with("the labels were not saved"),
        "{error:?}"
    );
    assert_eq!(w.tasks().await.len(), 1, "the culprit stays where it is");
}

#[tokio::test]
async fn labels_that_an_agent_was_not_given_survive_its_save() {
    let w = demo(40).await;
    let rows: Vec<TaskRow> = w.tasks().await.into_iter().take(6).collect();
    let inputs = w.inputs(&rows, needs::LABEL_ROW_WRITE).await;
    let stay: Vec<Change> = classified(&w, &inputs)
        .into_iter()
        .map(|item| Change {
            pathway: None,
            ..item
        })
        .collect();
    all_done(&w.writer().commit(&w.project, stay).await);
    let second = &w.project.doc.ontology["classifications"][1]["featureNodeHash"];
    let fetch = FetchSpec {
        needs: needs::LABEL_ROW_WRITE,
        initialise: InitialiseOptions {
            include_object_feature_hashes: Some(Vec::new()),
            include_classification_feature_hashes: Some(vec![second.as_str().unwrap().to_owned()]),
            ..InitialiseOptions::default()
        },
        ..FetchSpec::default()
    };
    let inputs = w
        .reader
        .inputs(&w.project, &w.stage, &rows, &fetch, &w.cache)
        .await;
    let inputs: Vec<Inputs> = inputs.into_iter().map(|input| input.unwrap()).collect();
    assert!(
        labels(&inputs[0])["classification_answers"]["abcdEFGH"].is_null(),
        "it was filtered"
    );
    let after = |i: &Inputs| with_classification(labels(i), &w.project, "newNEWne");
    let items = inputs
        .iter()
        .map(|i| item(i, &w.stage, Some(after(i))))
        .collect();
    all_done(&w.writer().commit(&w.project, items).await);
    for input in w.inputs(&rows, needs::LABEL_ROW).await {
        let answers = &labels(&input)["classification_answers"];
        assert!(
            !answers["abcdEFGH"].is_null() && !answers["newNEWne"].is_null(),
            "{answers}"
        );
    }
}

#[tokio::test]
async fn moves_go_from_any_stage_to_any_other_and_back() {
    let w = demo(40).await;
    let rows = w.tasks().await;
    let archive = w.project.workflow.find("Archive").unwrap().clone();
    let tasks: Vec<_> = rows.iter().map(|row| (row.id, row.data)).collect();
    let writer = w.writer();
    all_done(
        &writer
            .move_tasks(&w.project, w.stage.id, archive.id, &tasks)
            .await,
    );
    let filter = TaskFilter {
        data: tasks.iter().map(|t| t.1).collect(),
        ..TaskFilter::default()
    };
    let there = w
        .reader
        .tasks_page(w.project.hash, &archive, &filter, None)
        .await
        .unwrap();
    assert_eq!(there.rows.len(), tasks.len());
    let back: Vec<_> = there.rows.iter().map(|row| (row.id, row.data)).collect();
    all_done(
        &writer
            .move_tasks(&w.project, archive.id, w.stage.id, &back)
            .await,
    );
    let again = writer
        .move_tasks(&w.project, archive.id, w.stage.id, &back)
        .await;
    assert!(ends(&again).iter().all(|word| *word == "already moved"));
    assert_eq!(w.tasks().await.len(), tasks.len());
}
