//! Figures of the server: how fast a world is made, how fast tasks are listed, moved and labelled,
//! and how much memory a million tasks take. Printed, never asserted:
//! `cargo bench -p wb-local`, or with fewer tasks `cargo bench -p wb-local -- 100000`.

#![allow(clippy::unwrap_used, reason = "a bench that cannot run has failed")]

#[path = "../tests/common/mod.rs"]
mod common;

use std::time::{Duration, Instant};

use common::{Client, with, with_box};
use serde_json::{Value, json};
use wb_local::{Scenario, ServeOptions};

const BATCH: usize = 1000;

fn per_second(n: usize, time: Duration) -> f64 {
    n as f64 / time.as_secs_f64()
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

/// A line of `/proc/self/status` or the load, where there is one.
fn system(file: &str, line: &str) -> String {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    text.lines()
        .find(|l| l.starts_with(line))
        .unwrap_or_default()
        .to_owned()
}

async fn pages(client: &Client, path: &str, count: usize) -> (Vec<Value>, Vec<Duration>) {
    let (mut tasks, mut times, mut query) = (Vec::new(), Vec::new(), String::new());
    for _ in 0..count {
        let began = Instant::now();
        let request = client.signed("GET", &format!("/v2/public{path}/tasks{query}"), b"");
        let bytes = request.send().await.unwrap().bytes().await.unwrap();
        times.push(began.elapsed());
        let page: Value = serde_json::from_slice(&bytes).unwrap();
        tasks.extend(page["results"].as_array().unwrap().iter().cloned());
        let Some(token) = page["nextPageToken"].as_str() else {
            break;
        };
        query = format!("?pageToken={token}");
    }
    (tasks, times)
}

async fn labels(client: &Client, tasks: &[Value]) {
    let hashes: Vec<&Value> = tasks.iter().map(|t| &t["dataHash"]).collect();
    let payload = json!({"multi_request": true, "branch_name": "main"});
    let began = Instant::now();
    let rows = client
        .legacy("labelrow", "PUT", json!(hashes), payload)
        .await
        .unwrap();
    println!(
        "label rows created   {:>10.0} /s",
        per_second(tasks.len(), began.elapsed())
    );
    let rows: Vec<Value> = rows
        .as_array()
        .unwrap()
        .iter()
        .enumerate()
        .map(|(n, r)| with_box(r.clone(), &format!("obj{n:05}")))
        .collect();
    let began = Instant::now();
    for chunk in rows.chunks(100) {
        client
            .save(&chunk.iter().collect::<Vec<_>>())
            .await
            .unwrap();
    }
    println!(
        "label rows saved     {:>10.0} /s   in requests of 100",
        per_second(tasks.len(), began.elapsed())
    );
    let hashes: Vec<&Value> = rows.iter().map(|r| &r["label_hash"]).collect();
    let began = Instant::now();
    client
        .legacy(
            "labelrow",
            "GET",
            json!(hashes),
            json!({"multi_request": true}),
        )
        .await
        .unwrap();
    println!(
        "label rows read      {:>10.0} /s   in one request",
        per_second(tasks.len(), began.elapsed())
    );
}

async fn actions(client: &Client, tasks: &[Value]) {
    let began = Instant::now();
    for chunk in tasks[BATCH..].chunks(BATCH) {
        let status = client
            .proceed("pre-label", &chunk.iter().collect::<Vec<_>>(), "annotate")
            .await
            .0;
        assert_eq!(status, 200);
    }
    println!(
        "actions              {:>10.0} /s   in requests of {BATCH}",
        per_second(tasks.len() - BATCH, began.elapsed())
    );
    let path = format!("{}/actions", client.stage_path("pre-label").await);
    let mut times = Vec::new();
    for task in &tasks[..BATCH / 2] {
        let began = Instant::now();
        let body = json!([{"taskUuid": task["uuid"], "action": "PATHWAY_ACTION", "pathwayName": "annotate"}]);
        assert_eq!(client.v2("POST", &path, Some(body)).await.0, 200);
        times.push(began.elapsed());
    }
    println!(
        "one action           {:>10.3} ms  median, acknowledged after fsync",
        median(times).as_secs_f64() * 1000.0
    );
}

#[tokio::main]
async fn main() {
    let tasks = std::env::args()
        .skip(1)
        .find_map(|a| a.parse().ok())
        .unwrap_or(1_000_000);
    let folder = tempfile::tempdir().unwrap();
    let options = ServeOptions {
        scenario: Scenario::Large,
        tasks: Some(tasks),
        page_size: BATCH,
        data: Some(folder.path().join("data")),
        ..ServeOptions::default()
    };
    println!(
        "{} {}",
        system("/proc/loadavg", ""),
        if cfg!(debug_assertions) {
            "(debug build)"
        } else {
            ""
        }
    );
    let began = Instant::now();
    let (served, client) = with(options).await;
    println!(
        "{tasks} tasks made   {:>10.2} s",
        began.elapsed().as_secs_f64()
    );
    let size = std::fs::metadata(folder.path().join("data/project.db"))
        .unwrap()
        .len();
    println!("database             {:>10.0} MB", size as f64 / 1e6);
    let path = client.stage_path("pre-label").await;
    let (first, times) = pages(&client, &path, 10).await;
    println!(
        "first page of {BATCH}   {:>10.2} ms",
        times[0].as_secs_f64() * 1000.0
    );
    println!(
        "a page of {BATCH}       {:>10.2} ms  median",
        median(times.clone()).as_secs_f64() * 1000.0
    );
    println!(
        "tasks listed         {:>10.0} /s",
        per_second(first.len(), times.iter().sum())
    );
    labels(&client, &first[..BATCH]).await;
    actions(&client, &first).await;
    let began = Instant::now();
    let found = client
        .get(&format!(
            "{path}/tasks?dataTitleContains=night_{:06}",
            tasks - 1
        ))
        .await;
    println!(
        "title search, all    {:>10.2} ms  {} found",
        began.elapsed().as_secs_f64() * 1000.0,
        found["results"].as_array().unwrap().len()
    );
    println!(
        "{} (client and server in one process), {}",
        system("/proc/self/status", "VmHWM"),
        system("/proc/self/status", "VmRSS")
    );
    println!("{}", system("/proc/loadavg", ""));
    served.shutdown().await.unwrap();
}
