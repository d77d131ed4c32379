//! CPU per task of the client alone, against the local server in a process of its own thread pool:
//! `cargo bench -p wb-client`. Prints CPU of this thread, which runs the client and nothing else.

#[path = "../tests/support/unjournaled.rs"]
mod unjournaled;

use std::time::Instant;
use unjournaled::Unjournaled;
use wb_client::{AssetCache, Permission, Reader, Settings, TaskFilter};
use wb_core::ids::{ProjectHash, TaskId};
use wb_core::work::{Change, Committed, FetchSpec, Inputs, LabelBlob, Project, TaskRow, needs};
use wb_core::workflow::Stage;
use wb_local::{Scenario, ServeOptions, serve};

const TASKS: usize = 10_000;

fn main() {
    // `cargo test --benches` and `cargo bench -- --list` must not run for seconds.
    if !std::env::args().any(|word| word == "--bench") {
        return;
    }
    let (send, receive) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build();
        runtime.expect("a runtime").block_on(async {
            let options = ServeOptions {
                scenario: Scenario::Seed,
                tasks: Some(TASKS),
                ..ServeOptions::default()
            };
            let served = serve(options).await.expect("a server");
            send.send((
                served.domain.clone(),
                served.project_hash,
                served.ssh_key_file.clone(),
            ))
            .ok();
            std::future::pending::<()>().await;
        });
    });
    let (domain, hash, key) = receive.recv().expect("a server");
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let settings = Settings::from_key_file(&domain, &key).expect("settings");
        let reader = Reader::new(settings).expect("a reader");
        let project = reader.project(ProjectHash(hash)).await.expect("a project");
        let stage = project
            .workflow
            .agent_stages()
            .next()
            .expect("an agent stage")
            .clone();
        let rows = measure("list, 100 a page", &reader, || {
            list(&reader, &project, &stage)
        })
        .await;
        let plain = FetchSpec::default();
        let labels = FetchSpec {
            needs: needs::LABEL_ROW_WRITE,
            ..FetchSpec::default()
        };
        measure("inputs, task only", &reader, || {
            inputs(&reader, &project, &stage, &rows, &plain)
        })
        .await;
        let made = measure("inputs, blank rows", &reader, || {
            inputs(&reader, &project, &stage, &rows, &labels)
        })
        .await;
        measure("commit, new rows", &reader, || {
            save(&reader, &project, &stage, &made)
        })
        .await;
        measure("inputs, label rows", &reader, || {
            inputs(&reader, &project, &stage, &rows, &labels)
        })
        .await;
        measure("commit, move only", &reader, || {
            commit(&reader, &project, &stage, &rows)
        })
        .await;
    });
}

async fn list(reader: &Reader, project: &Project, stage: &Stage) -> Vec<TaskRow> {
    let (mut rows, mut token) = (Vec::new(), None);
    loop {
        let filter = TaskFilter::default();
        let page = reader
            .tasks_page(project.hash, stage, &filter, token.as_deref())
            .await
            .expect("a page");
        rows.extend(page.rows);
        token = page.next;
        if token.is_none() {
            return rows;
        }
    }
}

async fn inputs(
    reader: &Reader,
    project: &Project,
    stage: &Stage,
    rows: &[TaskRow],
    fetch: &FetchSpec,
) -> Vec<Inputs> {
    let cache = AssetCache::new("/nonexistent", 0);
    let mut all = Vec::with_capacity(rows.len());
    for batch in rows.chunks(300) {
        for input in reader.inputs(project, stage, batch, fetch, &cache).await {
            all.push(input.expect("inputs"));
        }
    }
    all
}

/// Saves each row as it is, with one priority, and leaves the task where it is.
async fn save(reader: &Reader, project: &Project, stage: &Stage, inputs: &[Inputs]) {
    let writer = reader
        .writer(Permission::Command("bench"))
        .expect("a writer");
    for batch in inputs.chunks(300) {
        let items = batch.iter().map(|input| {
            let before = input.labels.clone().expect("a row");
            let document: serde_json::Value = serde_json::from_str(&before.json).expect("JSON");
            let labels = document["labels"].clone();
            Change {
                before: Some(before),
                labels_after: Some(LabelBlob::new(&labels)),
                pathway: None,
                ..item(&input.row, stage)
            }
        });
        all_done(writer.commit(project, items.collect()).await);
    }
}

async fn commit(reader: &Reader, project: &Project, stage: &Stage, rows: &[TaskRow]) {
    let writer = reader
        .writer(Permission::Command("bench"))
        .expect("a writer");
    for batch in rows.chunks(300) {
        let items = batch.iter().map(|row| item(row, stage)).collect();
        all_done(writer.commit(project, items).await);
    }
}

fn all_done(results: Vec<(TaskId, Committed)>) {
    assert!(results.iter().all(|(_, end)| *end == Committed::Done));
}

fn item(row: &TaskRow, stage: &Stage) -> Change {
    Change {
        pathway: Some(stage.pathways[0].id),
        ..Change::nothing(row, stage.id)
    }
}

async fn measure<T, F: Future<Output = T>>(
    what: &str,
    reader: &Reader,
    work: impl FnOnce() -> F,
) -> T {
    let (before, cpu, wall) = (reader.stats(), thread_cpu(), Instant::now());
    let result = work().await;
    let (after, took) = (reader.stats(), wall.elapsed());
    let cpu = (thread_cpu() - cpu) / TASKS as f64 * 1e6;
    println!(
        "{what:<20} {cpu:>6.1} µs CPU a task   {:>7.0} tasks/s   {:>4} requests   load {}",
        TASKS as f64 / took.as_secs_f64(),
        after.requests - before.requests,
        std::fs::read_to_string("/proc/loadavg")
            .unwrap_or_default()
            .split(' ')
            .next()
            .unwrap_or_default(),
    );
    result
}

/// CPU seconds of this thread, from the scheduler's own account in nanoseconds.
fn thread_cpu() -> f64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    text.split(' ')
        .next()
        .and_then(|ns| ns.parse::<f64>().ok())
        .unwrap_or_default()
        / 1e9
}
