//! Before the first task: help, credentials, agents and stages that are not what was meant.

use super::{summary, world};
use crate::support::{DEADLINE, Server, c_agent, c_text, command, run, stderr};
use serde_json::json;
use std::io::Read;
use std::process::Stdio;
use std::time::Instant;

#[test]
fn w23_help_needs_no_credentials_and_a_missing_project_is_explained() {
    let dir = tempfile::tempdir().unwrap();
    for args in [&["--help"][..], &["run", "--help"], &["--version"]] {
        assert_eq!(
            command(dir.path())
                .args(args)
                .output()
                .unwrap()
                .status
                .code(),
            Some(0)
        );
    }
    let output = command(dir.path()).arg("run").output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(
        stderr(&output).contains("no project is named")
            && stderr(&output).contains("--project-hash")
    );
}

#[test]
fn w26_a_library_without_an_agent_for_this_project_is_an_error() {
    let (dir, server) = world(2, &[]);
    let library = c_agent(dir.path(), "noop", &[&c_text("STAGE", "Agent 7")]);
    let output = run(dir.path(), &server, &library, &[]);
    assert_eq!(output.status.code(), Some(3), "{}", stderr(&output));
    assert!(
        stderr(&output).contains("Agent 1"),
        "the stages that there are: {}",
        stderr(&output)
    );
}

#[test]
fn w27_a_run_of_one_task_costs_less_than_half_a_second_of_cpu() {
    // Cores that others keep busy are slower for everybody: what it costs is the least of a few runs.
    let mut costs = Vec::new();
    while costs.len() < 5 && costs.iter().all(|cost| *cost >= 50) {
        costs.push(cost_of_one_task());
    }
    assert!(costs.iter().any(|cost| (1..50).contains(cost)), "{costs:?}");
}

/// Processor time of a run of one task, in hundredths of a second.
fn cost_of_one_task() -> u64 {
    let (dir, server) = world(1, &[]);
    let mut child = command(dir.path())
        .args(["run", "--project-hash", &server.project(), "--agents"])
        .arg(c_agent(dir.path(), "noop", &[]))
        .envs(server.env())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // Its last output is gone when it has ended; before it is waited for, its account can be read.
    let mut words = String::new();
    let mut stderr = child.stderr.take().unwrap();
    stderr.read_to_string(&mut words).unwrap();
    let until = Instant::now() + DEADLINE;
    let stat = loop {
        let text = std::fs::read_to_string(format!("/proc/{}/stat", child.id())).unwrap();
        let fields = text.rsplit_once(')').unwrap().1.to_owned();
        if fields.trim_start().starts_with('Z') {
            break fields;
        }
        assert!(Instant::now() < until, "{words}");
        std::thread::yield_now();
    };
    assert_eq!(child.wait().unwrap().code(), Some(0), "{words}");
    let fields: Vec<&str> = stat.split_whitespace().collect();
    // Fields 14 to 17 of proc(5): its own and its children's time, in hundredths of a second.
    let times = fields[11..15].iter();
    times.map(|f| f.parse::<u64>().unwrap()).sum()
}

#[test]
fn w28_a_title_that_two_stages_have_is_refused_and_a_uuid_is_not() {
    let dir = tempfile::tempdir().unwrap();
    let id = |n: u32| format!("00000000-0000-4000-8000-00000000000{n}");
    let agent = |n: u32, to: u32| {
        json!({"uuid": id(n), "nodeType": "AGENT", "title": "Same", "pathways": [
            {"uuid": id(n + 5), "name": "complete", "targetNode": id(to)}]})
    };
    let workflow = json!({"graphNodes": [
        {"uuid": id(0), "nodeType": "START", "toNode": id(1)},
        agent(1, 2),
        agent(2, 3),
        {"uuid": id(3), "nodeType": "DONE", "nodeSubtype": "COMPLETED", "title": "Complete"},
    ]});
    let file = dir.path().join("workflow.json");
    std::fs::write(&file, workflow.to_string()).unwrap();
    let server = Server::start(&["--import-workflow", file.to_str().unwrap(), "--tasks", "3"]);
    let by_title = c_agent(dir.path(), "noop", &[&c_text("STAGE", "Same")]);
    let output = run(dir.path(), &server, &by_title, &[]);
    assert_eq!(output.status.code(), Some(3), "{}", stderr(&output));
    assert!(
        stderr(&output).contains(&id(1)) && stderr(&output).contains(&id(2)),
        "{}",
        stderr(&output)
    );
    let by_uuid = c_agent(dir.path(), "noop", &[&c_text("STAGE", &id(1))]);
    let output = run(dir.path(), &server, &by_uuid, &[]);
    assert_eq!(
        (output.status.code(), &summary(&output)["moved"]),
        (Some(0), &json!(3)),
        "{}",
        stderr(&output)
    );
}
