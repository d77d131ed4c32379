//! `workbench exec`: the queue is somebody else's.

use crate::support::{DEADLINE, Fed, Server, c_agent, c_text, command, fed, stderr};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use std::path::Path;
use std::process::{Command, Output};
use std::time::Instant;

/// Specs of all tasks of the first agent stage, as `task.model_dump_json()` writes them.
fn specs(dir: &Path, server: &Server) -> Vec<Value> {
    let output = command(dir)
        .args([
            "tasks",
            "--json",
            "--limit",
            "1000",
            "--project-hash",
            &server.project(),
        ])
        .envs(server.env())
        .output()
        .unwrap();
    String::from_utf8_lossy(&output.stdout)
        .lines()
        .map(|l| serde_json::from_str(l).unwrap())
        .collect()
}

fn exec_command(dir: &Path, server: &Server, library: &Path) -> Command {
    let mut command = command(dir);
    command
        .args(["exec", "--stage", "Agent 1"])
        .args(["--project-hash", &server.project(), "--agents"])
        .arg(library)
        .envs(server.env());
    command
}

fn exec(dir: &Path, server: &Server, library: &Path, input: &str) -> (Vec<Value>, Output) {
    let output = fed(&mut exec_command(dir, server, library), input);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    (
        text.lines()
            .map(|l| serde_json::from_str(l).unwrap())
            .collect(),
        output,
    )
}

#[test]
fn results_come_in_the_order_of_the_specs_single_and_batch() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(&["--scenario", "seed", "--tasks", "30"]);
    let library = c_agent(dir.path(), "noop", &[]);
    let specs = specs(dir.path(), &server);
    let mut input = String::new();
    for spec in specs[..10].iter().rev() {
        input.push_str(&format!("{spec}\n"));
    }
    input.push_str(&format!("{}\n", json!(specs[10..])));
    let (results, output) = exec(dir.path(), &server, &library, &input);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert_eq!(results.len(), 11);
    let pathway = "49a786f3-5edf-4b94-aff0-3da9042d3bf0";
    for (result, spec) in results.iter().zip(specs[..10].iter().rev()) {
        let wanted = json!({"task_uuid": spec["uuid"], "stage_uuid": "6011c844-fb26-438b-b465-0b0825951015",
            "success": true, "pathway": pathway, "error": null});
        assert_eq!(*result, wanted);
    }
    let ids: Vec<&Value> = specs[10..].iter().map(|s| &s["uuid"]).collect();
    assert_eq!(
        (&results[10]["task_uuid"], &results[10]["success"]),
        (&json!(ids), &json!(ids))
    );
    assert_eq!(results[10]["pathway"], json!(vec![pathway; 20]));
    assert_eq!(server.changed("actions"), 30);
}

#[test]
fn one_bad_entry_never_fails_the_others() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(&["--scenario", "seed", "--tasks", "6"]);
    let specs = specs(dir.path(), &server);
    let victim = specs[1]["uuid"].as_str().unwrap();
    let library = c_agent(dir.path(), "picky", &[&format!("WORD=\"{victim}\"")]);
    let input = format!(
        "{}\nnot json\n[{},7,{}]\n",
        json!(specs[..3]),
        specs[3],
        specs[4]
    );
    let (results, output) = exec(dir.path(), &server, &library, &input);
    assert_eq!(
        (output.status.code(), results.len()),
        (Some(1), 3),
        "{}",
        stderr(&output)
    );
    assert_eq!(
        results[0]["success"],
        json!([specs[0]["uuid"], specs[2]["uuid"]])
    );
    assert_eq!(
        results[0]["pathway"][1],
        "00000000-0000-0000-0000-000000000000"
    );
    assert!(results[0]["error"].as_str().unwrap().starts_with(victim));
    assert_eq!(results[1]["success"], false);
    assert!(results[1]["error"].as_str().unwrap().contains("line 2"));
    assert_eq!(
        results[2]["success"],
        json!([specs[3]["uuid"], specs[4]["uuid"]])
    );
    assert_eq!(server.changed("actions"), 4);
}

#[test]
fn a_stale_spec_is_answered_with_the_reason_and_not_run() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(&["--scenario", "seed", "--tasks", "4"]);
    let library = c_agent(dir.path(), "noop", &[]);
    let specs = specs(dir.path(), &server);
    server.post(
        "/local/move",
        &json!({"tasks": [specs[0]["uuid"]], "stage": "Complete", "by": "ann@example.com"}),
    );
    let input = format!("{}\n{}\n", specs[0], specs[1]);
    let (results, output) = exec(dir.path(), &server, &library, &input);
    assert_eq!(output.status.code(), Some(5), "{}", stderr(&output));
    assert_eq!(
        (&results[0]["success"], &results[1]["success"]),
        (&json!(false), &json!(true))
    );
    assert!(
        results[0]["error"]
            .as_str()
            .unwrap()
            .contains("no longer at stage")
    );
    assert_eq!(server.changed("actions"), 1);
}

#[test]
fn a_terminated_exec_finishes_what_runs_and_reports_what_did_not() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(&["--scenario", "seed", "--tasks", "4"]);
    let (calls, go) = (dir.path().join("calls"), dir.path().join("go"));
    let defines = [
        c_text("LOG", calls.to_str().unwrap()),
        c_text("GO", go.to_str().unwrap()),
    ];
    let library = c_agent(dir.path(), "waits", &defines.each_ref().map(String::as_str));
    let mut exec = Fed::start(&mut exec_command(dir.path(), &server, &library));
    // The input stays open, as that of a queue does.
    exec.write(format!("{}\n", json!(specs(dir.path(), &server))));
    let end = Instant::now() + DEADLINE;
    while !calls.exists() {
        assert!(Instant::now() < end, "nothing runs");
        std::thread::yield_now();
    }
    kill_process(Pid::from_child(exec.process()), Signal::TERM).unwrap();
    let asked = |line: String| line.contains("finishing what runs; send it again");
    while !asked(exec.error().expect("it reports that it was asked to stop")) {}
    std::fs::write(go, "").unwrap();
    let last: Vec<String> = std::iter::from_fn(|| exec.error()).collect();
    assert_eq!(
        last,
        [
            "workbench: the rest of the input was not read; it has no result",
            "4 entries · 1 done · 3 not run",
            "Terminated: nothing was lost; give the specs that have no success again.",
        ]
    );
    assert_eq!(exec.end().status.code(), Some(143));
    assert_eq!(server.changed("actions"), 1);
}
