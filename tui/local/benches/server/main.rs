//! Benchmarks of the server, printed and never asserted: how long a large scenario takes to create, how fast
//! tasks are listed, labelled and moved, and how much memory a million tasks need.
//!
//! `cargo bench -p wb-local --bench server`, or with fewer tasks `… -- 100000`. The server runs in a
//! process of its own, so that its memory is not mixed with the client's. Where a plain floor exists
//! (the same rows copied by SQLite alone, one row committed, a request that does nothing), it is
//! measured in the same run and the figure is given as its multiple.

#![allow(clippy::unwrap_used, reason = "a bench that cannot run has failed")]

#[path = "../../tests/common/mod.rs"]
mod common;
mod floor;
mod process;

use std::time::{Duration, Instant};

use common::{Client, with_box};
use futures_util::future::join_all;
use process::Server;
use serde_json::{Value, json};

/// Tasks per page, and label rows created or read per request.
const PAGE: usize = 1000;
/// Label rows that are created, saved and read.
const ROWS: usize = 10_000;
/// Actions that are sent one by one.
const SINGLE: usize = 1000;
/// Clients that act at the same time.
const CLIENTS: usize = 64;

/// Prints one line: how many per second, and how long a request took.
fn line(what: &str, count: usize, mut times: Vec<Duration>, wall: Duration, note: &str) {
    times.sort_unstable();
    let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize].as_secs_f64() * 1000.0;
    println!(
        "{what:<34}{:>9.0} /s   a request: median {:>7.2} ms, p99 {:>7.2} ms   {note}",
        count as f64 / wall.as_secs_f64(),
        at(0.5),
        at(0.99)
    );
}

/// Runs requests one after the other and prints their line. Returns what they gave.
async fn run<T>(
    what: &str,
    each: usize,
    jobs: impl IntoIterator<Item = impl Future<Output = T>>,
    note: &str,
) -> Vec<T> {
    let (mut out, mut times) = (Vec::new(), Vec::new());
    let began = Instant::now();
    for job in jobs {
        let at = Instant::now();
        out.push(job.await);
        times.push(at.elapsed());
    }
    line(what, each * times.len(), times, began.elapsed(), note);
    out
}

/// The first `count` tasks of a stage, page by page.
async fn list(client: &Client, path: &str, count: usize) -> Vec<Value> {
    let (mut tasks, mut times, mut query) = (Vec::new(), Vec::new(), String::new());
    while tasks.len() < count {
        let at = Instant::now();
        let request = client.signed("GET", &format!("/v2/public{path}/tasks{query}"), b"");
        let bytes = request.send().await.unwrap().bytes().await.unwrap();
        times.push(at.elapsed());
        if times.len() == 1 {
            println!(
                "first page of {PAGE}{:>27.2} ms",
                times[0].as_secs_f64() * 1000.0
            );
        }
        let page: Value = serde_json::from_slice(&bytes).unwrap();
        tasks.extend(page["results"].as_array().unwrap().iter().cloned());
        let Some(token) = page["nextPageToken"].as_str() else {
            break;
        };
        query = format!("?pageToken={token}");
    }
    let wall = times.iter().sum();
    line(
        "tasks listed",
        tasks.len(),
        times,
        wall,
        &format!("in pages of {PAGE}"),
    );
    tasks
}

async fn labels(client: &Client, tasks: &[Value]) {
    let calls = tasks.chunks(PAGE).map(|chunk| {
        let hashes: Vec<&Value> = chunk.iter().map(|t| &t["dataHash"]).collect();
        let payload = json!({"multi_request": true, "branch_name": "main"});
        client.legacy("labelrow", "PUT", json!(hashes), payload)
    });
    let made = run(
        "label rows created and read",
        PAGE,
        calls,
        &format!("in requests of {PAGE}"),
    )
    .await;
    let rows: Vec<Value> = made
        .into_iter()
        .flat_map(|answer| answer.unwrap().as_array().unwrap().clone())
        .enumerate()
        .map(|(n, row)| with_box(row, &format!("obj{n:05}")))
        .collect();
    for each in [100, 1] {
        let part = if each == 1 {
            &rows[..SINGLE]
        } else {
            &rows[..]
        };
        let chunks: Vec<Vec<&Value>> = part.chunks(each).map(|c| c.iter().collect()).collect();
        let calls = chunks.iter().map(|chunk| client.save(chunk));
        let saved = run(
            "label rows saved",
            each,
            calls,
            &format!("in requests of {each}"),
        )
        .await;
        assert!(saved.iter().all(Result::is_ok));
    }
    let calls = rows.chunks(PAGE).map(|chunk| {
        let hashes: Vec<&Value> = chunk.iter().map(|r| &r["label_hash"]).collect();
        client.legacy(
            "labelrow",
            "GET",
            json!(hashes),
            json!({"multi_request": true}),
        )
    });
    run(
        "label rows read",
        PAGE,
        calls,
        &format!("in requests of {PAGE}"),
    )
    .await;
}

/// Sends tasks along a pathway in one request.
async fn proceed(client: &Client, path: &str, tasks: &[Value]) {
    let actions: Vec<Value> = tasks
        .iter()
        .map(|t| json!({"taskUuid": t["uuid"], "action": "PATHWAY_ACTION", "pathwayName": "annotate"}))
        .collect();
    let (status, answer) = client
        .v2("POST", &format!("{path}/actions"), Some(json!(actions)))
        .await;
    assert_eq!(status, 200, "{answer}");
}

async fn actions(client: &Client, path: &str, mut tasks: &[Value], commit: Duration) {
    for (each, requests) in [(300, 30), (100, 90)] {
        let part;
        (part, tasks) = tasks.split_at(each * requests);
        let calls = part.chunks(each).map(|chunk| proceed(client, path, chunk));
        run("actions", each, calls, &format!("in requests of {each}")).await;
    }
    let part;
    (part, tasks) = tasks.split_at(SINGLE);
    let began = Instant::now();
    let calls = part.chunks(1).map(|one| proceed(client, path, one));
    let times = floor::times_of(calls).await;
    let wall = began.elapsed();
    let note = floor::ratio(
        "one row committed by SQLite alone",
        wall / SINGLE as u32,
        commit,
    );
    line(
        "actions",
        SINGLE,
        times,
        wall,
        &format!("one by one; {note}"),
    );
    let (part, _) = tasks.split_at(CLIENTS * 50);
    let began = Instant::now();
    let clients = part
        .chunks(50)
        .map(|mine| floor::times_of(mine.chunks(1).map(|one| proceed(client, path, one))));
    let times = join_all(clients).await.concat();
    line(
        "actions",
        part.len(),
        times,
        began.elapsed(),
        &format!("one by one, {CLIENTS} clients at once"),
    );
}

#[tokio::main]
async fn main() {
    let tasks: usize = std::env::args()
        .skip(1)
        .find_map(|a| a.parse().ok())
        .unwrap_or(1_000_000);
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let debug = if cfg!(debug_assertions) {
        ", debug build"
    } else {
        ""
    };
    println!("load before: {}{debug}", process::load());
    let began = Instant::now();
    let (server, client) = Server::start(&data, tasks, PAGE);
    let ready = began.elapsed();
    let copied = floor::copy_of_the_rows(&data.join("project.db"), &folder.path().join("copy.db"));
    println!(
        "{tasks} tasks ready{:>24.2} s    {:.2} CPU s; {}",
        ready.as_secs_f64(),
        server.cpu(),
        floor::ratio(
            "the same rows and indexes copied by SQLite alone",
            ready,
            copied
        )
    );
    let size = std::fs::metadata(data.join("project.db")).unwrap().len();
    println!("database{:>33.0} MB", size as f64 / 1e6);
    println!(
        "server's memory when ready{:>15.0} MB   peak while making {:.0} MB",
        server.memory("VmRSS"),
        server.memory("VmHWM")
    );
    let nothing = floor::request_that_does_nothing(&client).await;
    let commit = floor::one_committed_row(&folder.path().join("floor.db"));
    println!(
        "a request that does nothing{:>14.2} ms   one row committed by SQLite alone: {:.2} ms",
        ms(nothing),
        ms(commit)
    );
    let path = client.stage_path("pre-label").await;
    let first = list(&client, &path, 40_000).await;
    labels(&client, &first[..ROWS.min(first.len())]).await;
    actions(&client, &path, &first, commit).await;
    let search = format!("{path}/tasks?dataTitleContains=night_{:06}", tasks / 2);
    run(
        "title searched in all tasks",
        tasks,
        [client.get(&search)],
        "",
    )
    .await;
    println!(
        "server's memory at the end{:>15.0} MB   peak {:.0} MB",
        server.memory("VmRSS"),
        server.memory("VmHWM")
    );
    println!("load after: {}", process::load());
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}
