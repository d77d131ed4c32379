//! Reading: projects, pages, inputs, downloads.

use super::*;

#[tokio::test]
async fn a_project_is_read_with_workflow_ontology_and_datasets() {
    let w = demo(20).await;
    assert!(w.project.workflow.agent_stages().count() >= 2);
    assert!(!w.stage.pathways.is_empty());
    assert!(w.project.workflow.stage(w.stage.pathways[0].to).is_some());
    assert!(
        !w.project.doc.ontology["objects"]
            .as_array()
            .unwrap()
            .is_empty()
    );
    assert_eq!(w.project.doc.datasets.len(), 1);
    let again: wb_core::work::wire::ProjectDoc = serde_json::from_str(&w.project.json).unwrap();
    assert_eq!(again, w.project.doc);
    let list = w.reader.projects().await.unwrap();
    assert!(
        list.iter()
            .any(|p| p.hash == w.project.hash && p.agent_stages >= 2),
        "{list:?}"
    );
}

#[tokio::test]
async fn pages_give_each_task_once_even_when_tasks_leave_meanwhile() {
    let w = world(ServeOptions {
        scenario: Scenario::Seed,
        tasks: Some(60),
        page_size: 7,
        ..ServeOptions::default()
    })
    .await;
    let writer = w.writer();
    let mut seen = HashSet::new();
    let mut token: Option<String> = None;
    loop {
        let filter = TaskFilter::default();
        let page = w
            .reader
            .tasks_page(w.project.hash, &w.stage, &filter, token.as_deref())
            .await
            .unwrap();
        let inputs = w.inputs(&page.rows, 0).await;
        let items = inputs.iter().map(|i| item(i, &w.stage, None)).collect();
        all_done(&writer.commit(&w.project, items).await);
        for row in page.rows {
            assert!(seen.insert(row.id));
        }
        token = page.next;
        if token.is_none() {
            break;
        }
    }
    assert_eq!(seen.len(), 60);
    assert!(w.tasks().await.is_empty());
}

#[tokio::test]
async fn an_agent_that_needs_only_the_task_costs_no_request() {
    let w = demo(30).await;
    let rows = w.tasks().await;
    let before = w.reader.stats().requests;
    let inputs = w.inputs(&rows, needs::PROJECT).await;
    assert_eq!(w.reader.stats().requests, before);
    let doc: Value = serde_json::from_str(&inputs[0].task_json).unwrap();
    assert_eq!(doc["data_title"], json!(&*rows[0].title));
}

#[tokio::test]
async fn a_dry_run_creates_no_label_row_and_its_blank_rows_are_what_the_platform_would_make() {
    let w = demo(40).await;
    let rows = w.tasks().await;
    let inputs = w.inputs(&rows, needs::LABEL_ROW_WRITE).await;
    assert_eq!(w.count("create_labels").requests, 0);
    assert_eq!(w.served.counters().writes, 0);
    let blank: Vec<&Inputs> = inputs
        .iter()
        .filter(|i| i.labels.as_ref().unwrap().label_hash.is_none())
        .collect();
    assert!(!blank.is_empty());
    // Now the platform makes them: somebody saves the blank ones with a classification.
    let items: Vec<Change> = blank
        .iter()
        .map(|i| Change {
            pathway: None,
            ..item(
                i,
                &w.stage,
                Some(with_classification(labels(i), &w.project, "abcdEFGH")),
            )
        })
        .collect();
    all_done(&w.writer().commit(&w.project, items).await);
    let blank_rows: Vec<TaskRow> = blank.iter().map(|i| i.row.clone()).collect();
    let kinds: HashSet<String> = blank
        .iter()
        .map(|i| labels(i)["data_type"].as_str().unwrap().to_owned())
        .collect();
    println!("kinds of blank rows: {kinds:?}");
    for (made, real) in blank
        .iter()
        .zip(w.inputs(&blank_rows, needs::LABEL_ROW).await)
    {
        assert!(real.labels.as_ref().unwrap().label_hash.is_some());
        let (made, real) = (labels(made), labels(&real));
        assert!(
            compare(
                &with_classification(made.clone(), &w.project, "abcdEFGH"),
                &{
                    let mut real = real.clone();
                    let answer = &mut real["classification_answers"]["abcdEFGH"];
                    for (key, value) in [("createdBy", Value::Null), ("lastEditedBy", Value::Null)]
                    {
                        answer[key] = value;
                    }
                    for key in ["createdAt", "lastEditedAt"] {
                        answer[key] = json!("Sun, 22 Nov 2026 07:57:53 UTC");
                    }
                    real
                }
            ),
            "{made}\n{real}"
        );
        for (hash, unit) in real["data_units"].as_object().unwrap() {
            let ours = &made["data_units"][hash];
            for key in [
                "data_hash",
                "data_title",
                "data_type",
                "data_sequence",
                "width",
                "height",
                "data_duration",
                "data_fps",
                "audio_sample_rate",
                "audio_num_channels",
            ] {
                assert_eq!(
                    ours.get(key),
                    unit.get(key),
                    "{key} of a {}",
                    real["data_type"]
                );
            }
        }
    }
}

#[tokio::test]
async fn assets_of_every_kind_are_downloaded_once() {
    let w = demo(24).await;
    let rows = w.tasks().await;
    let inputs = w.inputs(&rows, needs::ASSET).await;
    let mut kinds = HashSet::new();
    for input in &inputs {
        let asset: AssetDoc = serde_json::from_str(input.asset_json.as_ref().unwrap()).unwrap();
        assert!(std::fs::metadata(&asset.path).unwrap().len() > 0);
        assert_eq!(asset.item_type == "imageGroup", !asset.children.is_empty());
        assert!(
            asset
                .children
                .iter()
                .all(|child| std::path::Path::new(&child.path).is_file())
        );
        kinds.insert(asset.item_type);
    }
    println!("{kinds:?}");
    assert!(kinds.contains("image"));
    let loaded = w.count("download").requests;
    let again = w.inputs(&rows, needs::ASSET).await;
    assert_eq!(w.count("download").requests, loaded);
    assert!(
        again
            .iter()
            .all(|i| i.timings.last().unwrap().note.contains("cached"))
    );
}

#[tokio::test]
async fn broken_downloads_are_resumed_and_expired_urls_signed_again() {
    let w = demo(12).await;
    let rows: Vec<TaskRow> = w.tasks().await.into_iter().take(4).collect();
    w.faults(&[
        "storage:truncate@100%*2",
        "get_items:expire@100%*1",
        "storage:500@100%*1",
    ])
    .await;
    let inputs = w.inputs(&rows, needs::ASSET).await;
    for input in inputs {
        let asset: AssetDoc = serde_json::from_str(input.asset_json.as_ref().unwrap()).unwrap();
        let item: Value = serde_json::from_str(input.item_json.as_ref().unwrap()).unwrap();
        if asset.children.is_empty() {
            assert_eq!(
                std::fs::metadata(&asset.path).unwrap().len(),
                item["fileSize"].as_u64().unwrap()
            );
        }
    }
}

#[tokio::test]
async fn the_errors_of_a_wrong_key_and_a_wrong_project_have_hints() {
    let w = demo(12).await;
    let wrong = Settings::new(&w.served.domain, wb_client::Key::from_seed(&[9; 32])).unwrap();
    let error = Reader::new(wrong)
        .unwrap()
        .project(w.project.hash)
        .await
        .unwrap_err();
    assert!(
        matches!(error, ClientError::Unauthenticated { .. }),
        "{error:?}"
    );
    let error = wb_core::error::Error::from(error);
    assert_eq!(error.kind.exit_code(), 6);
    assert!(
        error
            .hints
            .iter()
            .any(|hint| hint.contains("ENCORD_SSH_KEY_FILE")),
        "{error:?}"
    );
    let nowhere = ProjectHash(uuid::Uuid::from_u128(1));
    let error = w.reader.project(nowhere).await.unwrap_err();
    assert!(
        matches!(
            error,
            ClientError::Forbidden { .. } | ClientError::NotFound { .. }
        ),
        "{error:?}"
    );
}
