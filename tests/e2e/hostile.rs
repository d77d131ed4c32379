//! Agents that misbehave: the workbench lives, the task stays with a fault, the others go on.

use crate::support::{Server, c_agent, lines, run};

/// Runs the hostile agent over a few tasks, one of which sets it off; gives that task's fault.
fn misbehave(fault: u8, args: &[&str]) -> serde_json::Value {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(&["--scenario", "seed", "--tasks", "5"]);
    let all = run(
        dir.path(),
        &server,
        &c_agent(dir.path(), "noop", &[]),
        &["--dry-run"],
    );
    let victim = lines(&all).0[2]["task_uuid"].as_str().unwrap().to_owned();
    let defines = [format!("FAULT={fault}"), format!("VICTIM=\"{victim}\"")];
    let defines: Vec<&str> = defines.iter().map(String::as_str).collect();
    let library = c_agent(dir.path(), "hostile", &defines);
    let output = run(dir.path(), &server, &library, args);
    let (tasks, summary) = lines(&output);
    assert_eq!(tasks.len(), 5, "every task is accounted for");
    let found = tasks
        .iter()
        .find(|t| t["task_uuid"] == victim.as_str())
        .unwrap()
        .clone();
    let others = tasks.iter().filter(|t| t["outcome"] == "moved").count();
    assert!(others >= 4, "{summary}");
    if found["outcome"] == "failed" {
        assert_eq!(output.status.code(), Some(1));
        let (left, _) = lines(&run(
            dir.path(),
            &server,
            &c_agent(dir.path(), "noop", &[]),
            &["--dry-run"],
        ));
        assert_eq!(left.len(), 1, "the task was left in place");
    }
    found
}

fn summary(task: &serde_json::Value) -> String {
    task["fault"]["summary"]
        .as_str()
        .unwrap_or_default()
        .to_owned()
}

#[test]
fn a_segmentation_fault_costs_one_task_and_is_named() {
    let task = misbehave(1, &[]);
    assert!(summary(&task).contains("SIGSEGV"), "{task}");
}

#[test]
fn an_abort_costs_one_task_and_is_named() {
    let task = misbehave(2, &[]);
    assert!(summary(&task).contains("SIGABRT"), "{task}");
}

#[test]
fn an_exit_with_zero_in_the_middle_of_a_task_is_a_failure() {
    let task = misbehave(3, &[]);
    assert!(summary(&task).to_lowercase().contains("exit"), "{task}");
}

#[test]
fn an_endless_loop_is_killed_at_its_limit() {
    let task = misbehave(4, &["--timeout", "300ms"]);
    assert_eq!(task["outcome"], "failed");
    assert!(!summary(&task).is_empty(), "{task}");
}

#[test]
fn a_hundred_megabytes_of_prints_harm_nobody() {
    let task = misbehave(5, &[]);
    assert_eq!(task["outcome"], "moved", "{task}");
}
