//! The client where it hurts: a million tasks listed, a platform 200 ms away, label rows of five megabytes.
//! `cargo bench -p wb-client --bench large`. The server is another process, so that memory is the client's own.

#[path = "../tests/support/unjournaled.rs"]
mod unjournaled;

use serde_json::{Value, json};
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use unjournaled::Unjournaled;
use wb_client::{AssetCache, Permission, Reader, Settings, TaskFilter};
use wb_core::ids::ProjectHash;
use wb_core::work::{Change, Committed, FetchSpec, Inputs, LabelBlob, Project, TaskRow, needs};
use wb_core::workflow::Stage;
use wb_local::{Scenario, ServeOptions, serve};

const ROW_BYTES: usize = 5_000_000;

fn main() {
    let mut words = std::env::args().skip(1);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    match words.next().as_deref() {
        Some("serve") => {
            let mut number = || words.next().and_then(|w| w.parse().ok()).expect("a number");
            let (tasks, latency) = (number(), number());
            runtime.block_on(server(tasks, latency as u64));
        }
        // `cargo test --benches` must not run for minutes.
        _ if std::env::args().any(|word| word == "--bench") => runtime.block_on(async {
            many_tasks().await;
            near_and_far().await;
            large_rows().await;
        }),
        _ => {}
    }
}

async fn server(tasks: usize, latency_ms: u64) {
    let options = ServeOptions {
        scenario: if tasks > 10_000 {
            Scenario::Large
        } else {
            Scenario::Seed
        },
        tasks: Some(tasks),
        latency: Duration::from_millis(latency_ms),
        ..ServeOptions::default()
    };
    let served = serve(options).await.expect("a server");
    println!(
        "{} {} {}",
        served.domain,
        served.project_hash,
        served.ssh_key_file.display()
    );
    std::future::pending::<()>().await;
}

struct World {
    server: Child,
    reader: Reader,
    project: Project,
    stage: Stage,
}

impl Drop for World {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

async fn world(tasks: usize, latency_ms: u64) -> World {
    let mut server = Command::new(std::env::current_exe().expect("this program"))
        .args(["serve", &tasks.to_string(), &latency_ms.to_string()])
        .stdout(Stdio::piped())
        .spawn()
        .expect("a server");
    let mut line = String::new();
    let out = server.stdout.take().expect("its output");
    BufReader::new(out).read_line(&mut line).expect("a line");
    let mut words = line.trim().splitn(3, ' ');
    let mut word = || words.next().expect("a word").to_owned();
    let (domain, hash, key) = (word(), word(), word());
    let settings = Settings::from_key_file(&domain, key.as_ref()).expect("settings");
    let reader = Reader::new(settings).expect("a reader");
    let hash = ProjectHash(hash.parse().expect("a UUID"));
    let project = reader.project(hash).await.expect("a project");
    let stage = project
        .workflow
        .agent_stages()
        .next()
        .expect("an agent stage")
        .clone();
    World {
        server,
        reader,
        project,
        stage,
    }
}

impl World {
    async fn pages(&self, mut each: impl FnMut(Vec<TaskRow>)) {
        let (filter, mut token) = (TaskFilter::default(), None);
        loop {
            let page = self
                .reader
                .tasks_page(self.project.hash, &self.stage, &filter, token.as_deref())
                .await
                .expect("a page");
            each(page.rows);
            token = page.next;
            if token.is_none() {
                return;
            }
        }
    }

    async fn inputs(&self, rows: &[TaskRow]) -> Vec<Inputs> {
        let fetch = FetchSpec {
            needs: needs::LABEL_ROW_WRITE,
            ..FetchSpec::default()
        };
        let cache = AssetCache::new("/nonexistent", 0);
        let inputs = self
            .reader
            .inputs(&self.project, &self.stage, rows, &fetch, &cache)
            .await;
        inputs
            .into_iter()
            .map(|input| input.expect("inputs"))
            .collect()
    }

    /// Commits these tasks with a text of `bytes` in their labels; `moves`: they leave the stage.
    async fn commit(&self, inputs: &[Inputs], bytes: usize, moves: bool) {
        let items = inputs
            .iter()
            .map(|input| item(input, &self.stage, bytes, moves))
            .collect();
        let writer = self
            .reader
            .writer(Permission::Command("bench"))
            .expect("a writer");
        for (task, end) in writer.commit(&self.project, items).await {
            assert_eq!(end, Committed::Done, "{task}");
        }
    }
}

fn item(input: &Inputs, stage: &Stage, bytes: usize, moves: bool) -> Change {
    let before = input.labels.clone().expect("a row");
    let document: Value = serde_json::from_str(&before.json).expect("JSON");
    let mut labels = document["labels"].clone();
    labels["classification_answers"]["abcdEFGH"] = json!({
        "classificationHash": "abcdEFGH", "featureHash": "WeathCl1", "spaces": {},
        "classifications": [{"name": "Note", "value": "note", "answers": "x".repeat(bytes),
            "featureHash": "WeathAt1", "manualAnnotation": true}],
        "range": [[0, 0]], "createdBy": null, "createdAt": "Sun, 22 Nov 2026 07:57:53 UTC",
        "lastEditedBy": null, "lastEditedAt": "Sun, 22 Nov 2026 07:57:53 UTC",
        "confidence": 1.0, "manualAnnotation": true,
    });
    Change {
        before: Some(before),
        labels_after: Some(LabelBlob::new(&labels)),
        pathway: moves.then(|| stage.pathways[0].id),
        ..Change::nothing(&input.row, stage.id)
    }
}

/// Three batches of 300 tasks, read and committed, with the platform next door and 200 ms away.
async fn near_and_far() {
    for latency in [0, 200] {
        let w = world(900, latency).await;
        let mut rows = Vec::new();
        measure(
            &format!("list 900, {latency} ms"),
            &w,
            900,
            w.pages(|page| rows.extend(page)),
        )
        .await;
        for (n, batch) in rows.chunks(300).enumerate() {
            let mut read = Vec::new();
            measure(&format!("read 300 (batch {n})"), &w, 300, async {
                read = w.inputs(batch).await;
            })
            .await;
            measure(
                &format!("commit 300 (batch {n})"),
                &w,
                300,
                w.commit(&read, 100, true),
            )
            .await;
        }
    }
}

async fn large_rows() {
    let w = world(60, 0).await;
    let mut rows = Vec::new();
    w.pages(|page| rows.extend(page)).await;
    for batch in rows.chunks(20) {
        let inputs = w.inputs(batch).await;
        w.commit(&inputs, ROW_BYTES, false).await;
    }
    reset_peak();
    let mut inputs = Vec::new();
    measure("read 60 rows of 5 MB", &w, 60, async {
        inputs = w.inputs(&rows).await;
    })
    .await;
    // The agents' own copies are made beforehand, as an engine holds them.
    reset_peak();
    measure(
        "commit them",
        &w,
        60,
        w.commit(&inputs, ROW_BYTES + 1, true),
    )
    .await;
}

async fn many_tasks() {
    let mut w = world(1_000_000, 0).await;
    // The scenario has two agent stages, and its tasks lie at both.
    let stages: Vec<Stage> = w.project.workflow.agent_stages().cloned().collect();
    let mut all = 0;
    for stage in stages {
        w.stage = stage;
        let mut count = 0;
        let pages = w.pages(|page| count += page.len());
        measure("list of a million", &w, 1_000_000, pages).await;
        all += count;
    }
    println!("{all} tasks in all");
}

async fn measure(what: &str, w: &World, tasks: usize, work: impl Future<Output = ()>) {
    let (before, began) = (w.reader.stats(), Instant::now());
    work.await;
    let (after, took) = (w.reader.stats(), began.elapsed().as_secs_f64());
    println!(
        "{what:<24} {took:>7.2} s  {:>8.0} tasks/s  {:>6} requests  {:>7.1} MB read  peak {:>6} MB, now {:>6} MB  load {}",
        tasks as f64 / took,
        after.requests - before.requests,
        (after.bytes - before.bytes) as f64 / 1e6,
        memory("VmHWM"),
        memory("VmRSS"),
        load(),
    );
}

/// Megabytes of this process, from its own status.
fn memory(what: &str) -> u64 {
    let text = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix(what));
    let kilobytes = line.and_then(|l| {
        l.trim_matches([':', ' ', '\t'])
            .split(' ')
            .next()?
            .parse::<u64>()
            .ok()
    });
    kilobytes.unwrap_or_default() / 1000
}

/// The peak counts from here on.
fn reset_peak() {
    let _ = std::fs::write("/proc/self/clear_refs", "5");
}

fn load() -> String {
    let text = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').next().unwrap_or_default().to_owned()
}
