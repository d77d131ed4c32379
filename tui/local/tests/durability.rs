//! What was acknowledged survives `kill -9`: a real process is killed under write load, again and
//! again, and its database is opened again.
//!
//! `WORKBENCH_KILLS` sets how often (default 6).

#![allow(clippy::unwrap_used, reason = "in tests a panic is the failure")]

mod common;

use std::collections::HashMap;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use common::{Client, with_box};
use serde_json::{Value, json};
use tokio::sync::mpsc;
use wb_local::{Scenario, ServeOptions, serve};

const FOLDER: &str = "WORKBENCH_TEST_DATA";
const TASKS: usize = 400;

/// Not a test of its own: the server process that `nothing_acknowledged_is_lost` starts and kills.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "started by another test as a process"]
async fn server_process() {
    let Ok(folder) = std::env::var(FOLDER) else {
        return;
    };
    let options = ServeOptions {
        scenario: Scenario::Seed,
        tasks: Some(TASKS),
        data: (!folder.is_empty()).then(|| folder.into()),
        ..ServeOptions::default()
    };
    let served = serve(options).await.unwrap();
    println!("\nREADY {}", served.ready_line());
    std::future::pending::<()>().await;
}

/// A server process; killed when dropped, so that a failing test leaves nothing behind.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A server process on this folder; on an empty name, one whose data go with it.
fn launch(folder: &Path) -> (Process, Client) {
    launch_with(Command::new(std::env::current_exe().unwrap()).env(FOLDER, folder))
}

fn launch_with(command: &mut Command) -> (Process, Client) {
    let mut child = command
        .args(["--exact", "server_process", "--ignored", "--nocapture"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap())
        .lines()
        .map_while(Result::ok);
    let ready = lines
        .into_iter()
        .find_map(|l| l.split_once("READY ").map(|(_, json)| json.to_owned()));
    let ready: Value =
        serde_json::from_str(&ready.expect("the server process prints its ready line")).unwrap();
    let text = |key: &str| ready[key].as_str().unwrap().to_owned();
    let client = Client::new(
        &text("domain"),
        text("project_hash").parse().unwrap(),
        Path::new(&text("ssh_key_file")),
    );
    (Process(child), client)
}

/// What the server has acknowledged, per data hash.
#[derive(Default)]
struct Acknowledged {
    priority: HashMap<String, f64>,
    label: HashMap<String, String>,
    moved: Vec<String>,
}

/// Writes to its own share of the tasks until the server is gone.
async fn write(
    client: Client,
    share: Vec<Value>,
    round: usize,
    acks: mpsc::Sender<()>,
    known: Arc<Mutex<Acknowledged>>,
) {
    let path = client.stage_path("Agent 1").await;
    for n in 0.. {
        // Every round begins elsewhere, so that tasks of all ages are written to.
        let task = &share[(n + round * 17) % share.len()];
        let hash = task["data_hash"].as_str().unwrap();
        // Grows with time: what is read back can be newer than what was acknowledged, never older.
        let priority = (round * 1000 + n) as f64 / 1_000_000.0;
        let body = json!({"priorities": [[hash, priority]]});
        let result = client
            .try_v2(
                "POST",
                &format!("/projects/{}/priorities", client.project),
                Some(body),
            )
            .await;
        let Ok((200, _)) = result else { return };
        known
            .lock()
            .unwrap()
            .priority
            .insert(hash.to_owned(), priority);
        if acks.send(()).await.is_err() {
            return;
        }
        if n % 3 == 0 {
            let payload = json!({"multi_request": true, "branch_name": "main"});
            let Ok(mut rows) = client
                .legacy("labelrow", "PUT", json!([hash]), payload)
                .await
            else {
                return;
            };
            let object = format!("obj{round:02}{n:03}");
            if client
                .save(&[&with_box(rows[0].take(), &object)])
                .await
                .is_err()
            {
                return;
            }
            known.lock().unwrap().label.insert(hash.to_owned(), object);
        }
        if n % 7 == 6 && task["stage"] == "Agent 1" {
            let body = json!([{"taskUuid": task["uuid"], "action": "PATHWAY_ACTION", "pathwayName": "complete"}]);
            match client
                .try_v2("POST", &format!("{path}/actions"), Some(body))
                .await
            {
                Ok((200, _)) => known.lock().unwrap().moved.push(hash.to_owned()),
                Ok(_) => {}
                Err(_) => return,
            }
        }
    }
}

async fn verify(client: &Client, known: &Mutex<Acknowledged>, round: usize) {
    let state = client.local("state").await;
    let tasks: HashMap<&str, &Value> = state["tasks"]
        .as_array()
        .unwrap()
        .iter()
        .map(|t| (t["data_hash"].as_str().unwrap(), t))
        .collect();
    assert_eq!(tasks.len(), TASKS);
    let (priorities, labels, moved) = {
        let known = known.lock().unwrap();
        (
            known.priority.clone(),
            known.label.clone(),
            known.moved.clone(),
        )
    };
    for (hash, priority) in priorities {
        let now = tasks[hash.as_str()]["priority"].as_f64().unwrap();
        // Nothing was written to 0.5, where every task begins.
        assert!(
            now >= priority && now != 0.5,
            "round {round}: priority {now} is older than {priority}"
        );
    }
    for hash in &moved {
        assert_eq!(
            tasks[hash.as_str()]["stage"],
            "Complete",
            "round {round}: an acknowledged move is lost"
        );
    }
    for (hash, object) in labels {
        let row = client.label_row(&json!(hash)).await;
        // A later save may have been applied without its answer arriving.
        let object_now = row["object_answers"]
            .as_object()
            .unwrap()
            .keys()
            .next()
            .cloned();
        let object_now = object_now
            .unwrap_or_else(|| panic!("round {round}: acknowledged labels of {hash} are lost"));
        assert!(
            object_now >= object,
            "round {round}: {object_now} is older than the acknowledged {object}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_acknowledged_is_lost_when_the_server_is_killed() {
    let kills: usize = std::env::var("WORKBENCH_KILLS")
        .ok()
        .and_then(|n| n.parse().ok())
        .unwrap_or(6);
    let folder = tempfile::tempdir().unwrap();
    let known = Arc::new(Mutex::new(Acknowledged::default()));
    let mut acknowledged = 0;
    for round in 0..kills {
        let (mut process, client) = launch(folder.path());
        verify(&client, &known, round).await;
        let state = client.local("state").await;
        let tasks = state["tasks"].as_array().unwrap();
        let (acks, mut acked) = mpsc::channel(1024);
        let writers: Vec<_> = (0..4)
            .map(|w| {
                let share: Vec<Value> = tasks.iter().skip(w).step_by(4).cloned().collect();
                tokio::spawn(write(
                    client.clone(),
                    share,
                    round,
                    acks.clone(),
                    Arc::clone(&known),
                ))
            })
            .collect();
        drop(acks);
        let enough = 25 + round * 13 % 60;
        for _ in 0..enough {
            let ack = tokio::time::timeout(Duration::from_secs(60), acked.recv()).await;
            ack.expect("the server acknowledges writes")
                .expect("the writers are at work");
            acknowledged += 1;
        }
        process.0.kill().unwrap();
        process.0.wait().unwrap();
        drop(acked);
        for writer in writers {
            tokio::time::timeout(Duration::from_secs(60), writer)
                .await
                .expect("writers end")
                .unwrap();
        }
    }
    let (_process, client) = launch(folder.path());
    verify(&client, &known, kills).await;
    let known = known.lock().unwrap();
    println!(
        "{kills} kills, {acknowledged} priorities, {} label rows, {} moves acknowledged, none lost",
        known.label.len(),
        known.moved.len()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_killed_server_leaves_behind_is_removed_by_the_next_and_a_living_one_keeps_its_own()
{
    let base = tempfile::tempdir().unwrap();
    let temporary = || {
        let mut command = Command::new(std::env::current_exe().unwrap());
        launch_with(command.env(FOLDER, "").env("TMPDIR", base.path()))
    };
    let folders = || std::fs::read_dir(base.path()).unwrap().count();
    let (_living, client) = temporary();
    let (mut killed, _) = temporary();
    assert_eq!(folders(), 2);
    killed.0.kill().unwrap();
    killed.0.wait().unwrap();
    assert_eq!(folders(), 2, "nobody could clean up after kill -9");
    let (_next, _) = temporary();
    assert_eq!(folders(), 2, "the next server has removed it");
    let row = client.rows(json!({})).await[0].clone();
    client.label_row(&row["data_hash"]).await;
}
