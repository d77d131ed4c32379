//! Finishing what a dead process had begun, where others have acted since.

use super::*;
use crate::config::Config;
use crate::flags::Flags;
use crate::journal::{Change, Journal, before_images, settle, write};
use serde_json::{Map, Value, json};
use std::sync::Arc;
use wb_client::{Settings, TaskFilter, Writer};
use wb_core::ids::{Millis, ProjectHash};
use wb_core::work::{CommitItem, Project, TaskRow};
use wb_core::workflow::Stage;

fn map(value: Value) -> Map<String, Value> {
    value.as_object().cloned().unwrap()
}

fn item(row: &TaskRow, stage: &Stage) -> CommitItem {
    CommitItem {
        task: row.id,
        stage: stage.id,
        data: row.data,
        title: row.title.clone(),
        branch: Arc::clone(&row.branch),
        before: None,
        labels_after: None,
        priority: None,
        metadata: None,
        metadata_before: None,
        item: None,
        pathway: None,
    }
}

/// Begins to write for each task and gets no answer.
async fn begun(writer: &Writer, journal: &Journal, project: &Project, items: Vec<CommitItem>) {
    let changes = items.into_iter().map(|item| Change::new(item, project));
    let mut changes: Vec<Change> = changes.collect();
    before_images(writer, project, &mut changes).await;
    journal.record(project.hash, &changes, Millis(1)).unwrap();
}

#[tokio::test]
async fn priorities_and_metadata_that_others_set_after_a_crash_stay() {
    let options = wb_local::ServeOptions {
        tasks: Some(40),
        ..wb_local::ServeOptions::default()
    };
    let served = wb_local::serve(options).await.unwrap();
    let settings = Settings::from_key_file(&served.domain, &served.ssh_key_file).unwrap();
    let flags = Flags::default();
    let config = Config::load(&flags).unwrap();
    let upstream = crate::upstream::demo(&flags, &config, settings).unwrap();
    let (reader, writer) = (upstream.reader, upstream.writer.unwrap());
    let hash = ProjectHash(served.project_hash);
    let project = reader.project(hash).await.unwrap();
    let stage = project.workflow.agent_stages().next().unwrap().clone();
    let filter = TaskFilter::default();
    let page = reader.tasks_page(hash, &stage, &filter, None).await;
    let rows: Vec<TaskRow> = page.unwrap().rows.into_iter().take(6).collect();
    let dir = tempfile::tempdir().unwrap();
    let journal = Journal::open(dir.path()).unwrap();
    let ours = (rows.iter().enumerate()).map(|(n, row)| CommitItem {
        priority: (n < 3).then_some(0.25),
        metadata: (n >= 3).then(|| map(json!({"by": "us"}))),
        ..item(row, &stage)
    });
    begun(&writer, &journal, &project, ours.collect()).await;
    drop(journal);
    let journal = Journal::open(dir.path()).unwrap();
    // Meanwhile somebody sets their own on one of each, and on another just what was wished.
    let theirs = |n: usize, priority: Option<f64>, metadata: Option<Value>| CommitItem {
        priority,
        metadata: metadata.map(map),
        ..item(&rows[n], &stage)
    };
    let theirs = vec![
        theirs(1, Some(0.75), None),
        theirs(2, Some(0.25), None),
        theirs(4, None, Some(json!({"by": "them"}))),
        theirs(5, None, Some(json!({"by": "us"}))),
    ];
    let elsewhere = tempfile::tempdir().unwrap();
    let other = Journal::open(elsewhere.path()).unwrap();
    let ends = write(&writer, &other, &project, theirs, false).await;
    for (_, end) in ends.unwrap() {
        assert_eq!(end, Committed::Done);
    }
    let settled = settle(&writer, &journal, &project, Scope::All)
        .await
        .unwrap();
    assert_eq!((settled.found, settled.finished, settled.left), (6, 4, 2));
    let units: Vec<_> = rows.iter().map(|r| (r.data, r.branch.clone())).collect();
    let now = reader.row_metadata(hash, &units).await;
    let now: Vec<_> = now.into_iter().map(Result::unwrap).collect();
    let priorities: Vec<_> = now[..3].iter().map(|row| row.priority).collect();
    assert_eq!(priorities, [Some(0.25), Some(0.75), Some(0.25)]);
    for (row, by) in now[3..].iter().zip(["us", "them", "us"]) {
        assert_eq!(row.client_metadata, Some(map(json!({"by": by}))));
    }
}
