//! `workbench exec`: the queue is somebody else's.

use crate::support::{Server, c_agent, command, stderr};
use serde_json::{Value, json};
use std::io::Write;
use std::path::Path;
use std::process::{Output, Stdio};

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

fn exec(dir: &Path, server: &Server, library: &Path, input: &str) -> (Vec<Value>, Output) {
    let mut child = command(dir)
        .args([
            "exec",
            "--stage",
            "Agent 1",
            "--project-hash",
            &server.project(),
            "--agents",
        ])
        .arg(library)
        .envs(server.env())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_owned();
    let feeder = std::thread::spawn(move || {
        // A command that ends early closes its input.
        let _ = stdin.write_all(input.as_bytes());
    });
    let output = child.wait_with_output().unwrap();
    feeder.join().unwrap();
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
