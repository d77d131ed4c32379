//! The client against the real local server: everything that reads and writes, with faults injected
//! by the server and other people acting through its own pages.
#![allow(clippy::unwrap_used)] // helpers of tests may panic

mod commits;
mod faults;
mod others;
mod reading;
#[path = "../support/unjournaled.rs"]
mod unjournaled;

use serde_json::{Value, json};
use std::collections::{BTreeMap, HashSet};
use unjournaled::Unjournaled;
use wb_client::{
    AssetCache, ClientError, Permission, Reader, Settings, TaskFilter, Writer, compare,
};
use wb_core::error::ErrorKind;
use wb_core::ids::{PathwayId, ProjectHash};
use wb_core::work::wire::{AssetDoc, InitialiseOptions};
use wb_core::work::{Change, Committed, FetchSpec, Inputs, LabelBlob, Project, TaskRow, needs};
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
        let fetch = FetchSpec {
            needs,
            ..FetchSpec::default()
        };
        let inputs = self
            .reader
            .inputs(&self.project, &self.stage, rows, &fetch, &self.cache)
            .await;
        inputs.into_iter().map(|input| input.unwrap()).collect()
    }

    /// Sets a priority on the successors of tasks that have taken the first pathway of the stage.
    async fn set_priorities_at_the_next_stage(&self, rows: &[TaskRow], priority: f64) {
        let next = self.stage.pathways[0].to;
        let next = self.project.workflow.stage(next).unwrap();
        let data: Vec<_> = rows.iter().map(|row| row.data).collect();
        let rows = self.reader.tasks_of(self.project.hash, next, &data).await;
        let items = rows.unwrap().into_iter().map(|row| Change {
            priority: Some(priority),
            ..Change::nothing(&row, next.id)
        });
        all_done(&self.writer().commit(&self.project, items.collect()).await);
    }

    async fn local(&self, page: &str, body: &Value) -> Value {
        let url = format!("{}/local/{page}", self.served.domain);
        let client = reqwest::Client::new();
        let request = if body.is_null() {
            client.get(url)
        } else {
            client.post(url).json(body)
        };
        let request = request.bearer_auth(&self.served.local_token);
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

fn item(inputs: &Inputs, stage: &Stage, after: Option<Value>) -> Change {
    Change {
        before: inputs.labels.clone(),
        labels_after: after.as_ref().map(LabelBlob::new),
        item: inputs.labels.as_ref().and_then(|row| row.item),
        pathway: Some(stage.pathways[0].id),
        ..Change::nothing(&inputs.row, stage.id)
    }
}

fn classified(w: &World, inputs: &[Inputs]) -> Vec<Change> {
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
        Committed::Partial { .. } => "partial",
    };
    results.iter().map(|(_, end)| word(end)).collect()
}

fn all_done(results: &[(wb_core::ids::TaskId, Committed)]) {
    for (task, end) in results {
        assert_eq!(*end, Committed::Done, "{task}");
    }
}
