//! A platform that fails, refuses, forgets or is changed by others meanwhile.

use super::{BOX, calls, counted, poll, struck, summary, world};
use crate::support::{DEADLINE, c_agent, command, run, stderr, workbench};
use serde_json::json;
use std::io::{BufRead, BufReader};
use std::process::Stdio;
use std::time::Instant;

#[test]
fn w14_a_failing_endpoint_is_not_replayed_task_by_task() {
    let (dir, server) = world(60, &["--fault", "actions:500"]);
    let began = Instant::now();
    let output = run(dir.path(), &server, &c_agent(dir.path(), "noop", &[]), &[]);
    assert_eq!(output.status.code(), Some(7), "{}", stderr(&output));
    assert!(server.tasks().iter().all(|t| t["stage"] == "Agent 1"));
    let requests = server.admin("/local/counters")["endpoints"]["actions"]["requests"]
        .as_u64()
        .unwrap();
    assert!(requests < 60, "{requests} requests for 60 tasks");
    assert!(began.elapsed() < DEADLINE);
}

#[test]
fn w15_a_poller_survives_a_refusal() {
    let (dir, server) = world(3, &["--fault", "get_tasks:403*1"]);
    let library = counted(dir.path(), r#"{"route":"complete"}"#, &[]);
    assert_eq!(poll(dir.path(), &server, &library, &[], 3), Some(130));
    assert_eq!((server.changed("actions"), struck(&server)), (3, vec![1]));
}

#[test]
fn a_poller_finishes_what_had_no_answer_before_it_runs_the_tasks_again() {
    let (dir, server) = world(3, &["--fault", "priorities:drop*5"]);
    let outcome = r#"{"route":"complete","priority":0.25}"#;
    let library = counted(dir.path(), outcome, &[]);
    let mut child = command(dir.path())
        .args([
            "run",
            "--refresh-every",
            "1",
            "--max-time",
            "60s",
            "--progress",
            "none",
            "--agents",
        ])
        .arg(&library)
        .args(["--project-hash", &server.project()])
        .envs(server.env())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut errors = BufReader::new(child.stderr.take().unwrap()).lines();
    let finished = errors.find(|l| l.as_ref().unwrap().contains("3 are finished"));
    assert!(finished.is_some(), "the poller ended");
    let pid = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
    errors.for_each(drop);
    child.wait().unwrap();
    assert_eq!((server.changed("actions"), struck(&server)), (3, vec![5]));
    assert_eq!(calls(dir.path()).len(), 3, "no task ran twice");
    let listed = workbench(dir.path(), &server, &["journal", "--json"]);
    let op: serde_json::Value = serde_json::from_slice(&listed.stdout).unwrap();
    assert_eq!(
        (&op["tasks"], &op["done"], &op["open"]),
        (&json!(3), &json!(3), &json!(0))
    );
}

#[test]
fn w18_nobodys_update_is_lost() {
    for (answer, code, moved) in [("skip", 5, 3), ("rerun", 0, 4), ("overwrite", 0, 4)] {
        let (dir, server) = world(4, &["--fault", "get_labels:conflict*1"]);
        let tasks = server.tasks();
        // Rows that exist: their labels are read, and somebody edits one right after.
        for task in &tasks {
            server.post(
                "/local/edit",
                &json!({"data_hash": task["data_hash"], "by": "ann@example.com"}),
            );
        }
        let library = counted(
            dir.path(),
            &format!("{{\"route\":\"complete\",{BOX}}}"),
            &["NEEDS=2"],
        );
        let output = run(dir.path(), &server, &library, &["--on-conflict", answer]);
        assert_eq!(
            (output.status.code(), &summary(&output)["moved"]),
            (Some(code), &json!(moved)),
            "{answer}: {}",
            stderr(&output)
        );
        assert_eq!(
            calls(dir.path()).len(),
            if answer == "rerun" { 5 } else { 4 },
            "{answer}"
        );
        assert_eq!(server.changed("actions"), moved, "{answer}");
    }
}

#[test]
fn w25_connections_are_used_again() {
    let (dir, server) = world(300, &["--page-size", "10"]);
    let output = run(
        dir.path(),
        &server,
        &c_agent(dir.path(), "noop", &[]),
        &["--task-batch-size", "20"],
    );
    let requests = summary(&output)["requests"].as_u64().unwrap();
    let connections = server.admin("/local/counters")["connections"]
        .as_u64()
        .unwrap();
    assert!(
        requests > 40 && connections * 4 < requests,
        "{connections} connections for {requests} requests"
    );
}
