//! The client against the real local server: everything that reads and writes, with faults injected
//! by the server and other people acting through its own pages.
#![allow(clippy::unwrap_used)] // helpers of tests may panic

use serde_json::{Value, json};
use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use wb_client::{
    AssetCache, ClientError, Permission, Reader, Settings, TaskFilter, Writer, compare,
};
use wb_core::fault::FaultKind;
use wb_core::ids::{PathwayId, ProjectHash};
use wb_core::work::wire::{AssetDoc, InitialiseOptions};
use wb_core::work::{CommitItem, Committed, Inputs, Project, TaskRow, Wants, needs};
use wb_core::workflow::Stage;
use wb_local::{Scenario, ServeOptions, Served, serve};

struct World {
    served: Served,
    reader: Reader,
    project: Project,
    stage: Stage,
    cache: AssetCache,
    _dir: tempfile::TempDir,
}

async fn world(options: ServeOptions) -> World {
    let served = serve(options).await.unwrap();
    let mut settings = Settings::from_key_file(&served.domain, &served.ssh_key_file).unwrap();
    settings.timeout = std::time::Duration::from_secs(20);
    let reader = Reader::new(settings).unwrap();
    let project = reader
        .project(ProjectHash(served.project_hash))
        .await
        .unwrap();
    let stage = project.workflow.agent_stages().next().unwrap().clone();
    let dir = tempfile::tempdir().unwrap();
    let cache = AssetCache::new(dir.path().join("assets"), 1 << 30);
    World {
        served,
        reader,
        project,
        stage,
        cache,
        _dir: dir,
    }
}

async fn demo(tasks: usize) -> World {
    world(ServeOptions {
        tasks: Some(tasks),
        ..ServeOptions::default()
    })
    .await
}

impl World {
    fn writer(&self) -> Writer {
        self.reader.writer(Permission::Command("test")).unwrap()
    }

    async fn tasks(&self) -> Vec<TaskRow> {
        let mut rows = Vec::new();
        let mut token: Option<String> = None;
        loop {
            let filter = TaskFilter::default();
            let page =
                self.reader
                    .tasks_page(self.project.hash, &self.stage, &filter, token.as_deref());
            let page = page.await.unwrap();
            rows.extend(page.rows);
            token = page.next;
            if token.is_none() {
                return rows;
            }
        }
    }

    async fn inputs(&self, rows: &[TaskRow], needs: u64) -> Vec<Inputs> {
        let wants = Wants {
            needs,
            ..Wants::default()
        };
        let inputs = self
            .reader
            .inputs(&self.project, &self.stage, rows, &wants, &self.cache)
            .await;
        inputs.into_iter().map(|input| input.unwrap()).collect()
    }

    async fn local(&self, page: &str, body: &Value) -> Value {
        let url = format!("{}/local/{page}", self.served.domain);
        let client = reqwest::Client::new();
        let request = if body.is_null() {
            client.get(url)
        } else {
            client.post(url).json(body)
        };
        let response = request.send().await.unwrap();
        assert!(
            response.status().is_success(),
            "{page}: {}",
            response.text().await.unwrap()
        );
        response.json().await.unwrap()
    }

    async fn faults(&self, faults: &[&str]) {
        self.local("faults", &json!({"faults": faults})).await;
    }

    /// Each task's stage and priority, by data hash.
    async fn state(&self) -> BTreeMap<String, Value> {
        let state = self.local("state", &Value::Null).await;
        let tasks = state["tasks"].as_array().unwrap();
        tasks
            .iter()
            .map(|t| (t["data_hash"].as_str().unwrap().to_owned(), t.clone()))
            .collect()
    }

    fn count(&self, endpoint: &str) -> wb_local::EndpointCount {
        self.served
            .counters()
            .endpoints
            .get(endpoint)
            .copied()
            .unwrap_or_default()
    }
}

fn labels(inputs: &Inputs) -> Value {
    let row = inputs.labels.as_ref().unwrap();
    let document: Value = serde_json::from_str(&row.json).unwrap();
    document["labels"].clone()
}

/// The labels with one classification more, which every kind of data may have.
fn with_classification(mut labels: Value, project: &Project, hash: &str) -> Value {
    let class = &project.doc.ontology["classifications"][0];
    let attribute = &class["attributes"][0];
    let option = &attribute["options"][0];
    let answers = if option.is_null() {
        json!("a note")
    } else {
        json!([{"name": option["label"], "value": option["value"], "featureHash": option["featureNodeHash"]}])
    };
    labels["classification_answers"][hash] = json!({
        "classificationHash": hash, "featureHash": class["featureNodeHash"], "spaces": {},
        "classifications": [{
            "name": attribute["name"], "value": "x", "answers": answers,
            "featureHash": attribute["featureNodeHash"], "manualAnnotation": true,
        }],
        "range": [[0, 0]], "createdBy": null, "createdAt": "Sun, 22 Nov 2026 07:57:53 UTC",
        "lastEditedBy": null, "lastEditedAt": "Sun, 22 Nov 2026 07:57:53 UTC",
        "confidence": 1.0, "manualAnnotation": true,
    });
    labels
}

fn item(inputs: &Inputs, stage: &Stage, after: Option<Value>) -> CommitItem {
    CommitItem {
        task: inputs.row.id,
        stage: stage.id,
        data: inputs.row.data,
        title: inputs.row.title.clone(),
        branch: Arc::clone(&inputs.row.branch),
        before: inputs.labels.clone(),
        labels_after: after.map(Arc::new),
        priority: None,
        metadata: None,
        metadata_before: None,
        item: inputs.labels.as_ref().and_then(|row| row.item),
        pathway: Some(stage.pathways[0].id),
    }
}

fn classified(w: &World, inputs: &[Inputs]) -> Vec<CommitItem> {
    let after = |i: &Inputs| with_classification(labels(i), &w.project, "abcdEFGH");
    inputs
        .iter()
        .map(|i| item(i, &w.stage, Some(after(i))))
        .collect()
}

fn ends(results: &[(wb_core::ids::TaskId, Committed)]) -> Vec<&'static str> {
    let word = |end: &Committed| match end {
        Committed::Done => "done",
        Committed::AlreadyMoved => "already moved",
        Committed::Conflict { .. } => "conflict",
        Committed::Refused(_) => "refused",
    };
    results.iter().map(|(_, end)| word(end)).collect()
}

fn all_done(results: &[(wb_core::ids::TaskId, Committed)]) {
    for (task, end) in results {
        assert_eq!(*end, Committed::Done, "{task}");
    }
}

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
async fn an_agent_that_wants_only_the_task_costs_no_request() {
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
    let items: Vec<CommitItem> = blank
        .iter()
        .map(|i| CommitItem {
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
    let mut items: Vec<CommitItem> = inputs.iter().map(|i| item(i, &w.stage, None)).collect();
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
    let Committed::Refused(fault) = &results[wrong].1 else {
        unreachable!()
    };
    assert!(
        fault
            .summary
            .starts_with("the task was not moved: refused as invalid"),
        "{fault:?}"
    );
    let Committed::Refused(fault) = &results[senseless].1 else {
        unreachable!()
    };
    assert_eq!(fault.kind, FaultKind::Agent);
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
    items[culprit].labels_after = Some(Arc::new(wrong));
    let results = w.writer().commit(&w.project, items).await;
    for (n, word) in ends(&results).into_iter().enumerate() {
        assert_eq!(word, if n == culprit { "refused" } else { "done" }, "{n}");
    }
    let Committed::Refused(fault) = &results[culprit].1 else {
        unreachable!()
    };
    println!("{fault:?}");
    assert!(
        fault.summary.starts_with("the labels were not saved"),
        "{fault:?}"
    );
    assert_eq!(w.tasks().await.len(), 1, "the culprit stays where it is");
}

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
async fn tasks_that_somebody_else_moved_are_told_apart_and_cost_nobody() {
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
    let half: Vec<CommitItem> = items
        .iter()
        .map(|item| CommitItem {
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

#[tokio::test]
async fn labels_that_an_agent_was_not_given_survive_its_save() {
    let w = demo(40).await;
    let rows: Vec<TaskRow> = w.tasks().await.into_iter().take(6).collect();
    let inputs = w.inputs(&rows, needs::LABEL_ROW_WRITE).await;
    let stay: Vec<CommitItem> = classified(&w, &inputs)
        .into_iter()
        .map(|item| CommitItem {
            pathway: None,
            ..item
        })
        .collect();
    all_done(&w.writer().commit(&w.project, stay).await);
    let second = &w.project.doc.ontology["classifications"][1]["featureNodeHash"];
    let wants = Wants {
        needs: needs::LABEL_ROW_WRITE,
        initialise: InitialiseOptions {
            include_object_feature_hashes: Some(Vec::new()),
            include_classification_feature_hashes: Some(vec![second.as_str().unwrap().to_owned()]),
            ..InitialiseOptions::default()
        },
        ..Wants::default()
    };
    let inputs = w
        .reader
        .inputs(&w.project, &w.stage, &rows, &wants, &w.cache)
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
async fn a_wrong_key_and_a_wrong_project_say_what_to_do() {
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
    let fault = wb_core::fault::Fault::from(error);
    assert_eq!(fault.kind.exit_code(), 6);
    assert!(
        fault
            .hints
            .iter()
            .any(|hint| hint.contains("ENCORD_DOMAIN")),
        "{fault:?}"
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

#[tokio::test]
async fn moves_go_from_any_stage_to_any_other_and_back() {
    let w = demo(40).await;
    let rows = w.tasks().await;
    let archive = w.project.workflow.find("Archive").unwrap().clone();
    let tasks: Vec<_> = rows.iter().map(|row| (row.id, row.data)).collect();
    let writer = w.writer();
    all_done(
        &writer
            .move_tasks(w.project.hash, w.stage.id, archive.id, &tasks)
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
            .move_tasks(w.project.hash, archive.id, w.stage.id, &back)
            .await,
    );
    let again = writer
        .move_tasks(w.project.hash, archive.id, w.stage.id, &back)
        .await;
    assert!(ends(&again).iter().all(|word| *word == "already moved"));
    assert_eq!(w.tasks().await.len(), tasks.len());
}

/// Commits all tasks of a stage in batches under faults; the server's own counters and a dump of its
/// state tell what arrived.
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
#[ignore = "long: cargo test -p wb-client --test against_local -- --ignored --nocapture"]
async fn ten_thousand_tasks_under_faults_are_committed_exactly_once() {
    let faults = [
        "any:429/1s@1%",
        "actions:lost@1%",
        "save_labels:500@2%",
        "get:drop@1%",
    ];
    exactly_once(10_000, 300, &faults).await;
}
