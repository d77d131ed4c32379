//! The runner behind a queue.

use super::{counted, world};
use crate::support::{c_agent, c_text, command, fed, run, stderr, workbench};
use serde_json::{Value, json};

#[test]
fn w20_w22_a_queue_sets_priorities_and_one_failure_costs_one_task() {
    let (dir, server) = world(4, &[]);
    let tasks = workbench(dir.path(), &server, &["tasks", "--json"]);
    let specs: Vec<Value> = String::from_utf8_lossy(&tasks.stdout)
        .lines()
        .map(|l| serde_json::from_str(l).unwrap())
        .collect();
    let victim = specs[2]["uuid"].as_str().unwrap();
    let defines = [
        c_text("WORD", victim),
        c_text("GOOD", r#"{"route":"complete","priority":0.75}"#),
    ];
    let defines: Vec<&str> = defines.iter().map(String::as_str).collect();
    let library = c_agent(dir.path(), "picky", &defines);
    let mut exec = command(dir.path());
    exec.args(["exec", "--stage", "Agent 1"])
        .args(["--project-hash", &server.project(), "--agents"])
        .arg(&library)
        .envs(server.env());
    let output = fed(&mut exec, format!("{}\n", json!(specs)));
    let result: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(result["success"].as_array().unwrap().len(), 3, "{result}");
    assert_eq!(
        result["pathway"].as_array().unwrap().len(),
        4,
        "aligned with the tasks"
    );
    let set = server
        .tasks()
        .iter()
        .filter(|t| t["priority"] == 0.75)
        .count();
    assert_eq!((set, server.changed("actions")), (3, 3));
}

#[test]
fn w21_two_agents_for_one_stage_are_refused_with_both_named() {
    let (dir, server) = world(2, &[]);
    let output = run(
        dir.path(),
        &server,
        &counted(dir.path(), "{}", &["TWICE"]),
        &[],
    );
    assert_eq!(output.status.code(), Some(3), "{}", stderr(&output));
    assert!(
        stderr(&output).contains("counted") && stderr(&output).contains("again"),
        "{}",
        stderr(&output)
    );
}
