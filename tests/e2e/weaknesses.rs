//! The known weaknesses of the Python runners, one test each, named by the number they have in the
//! protocol notes and by what holds here instead.
//!
//! Tested elsewhere: 6 `a_retry_sees_everything_fresh` (agent-abi/tests/dependencies.rs), 24 by the
//! compile-fail tests of agent-abi. 27, two CPU seconds to start, is a figure (tests/bench).

use crate::support::{
    DEADLINE, Server, build_agents, c_agent, c_text, command, lines, root, run, said, workbench,
};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::time::Instant;

const BOX: &str = r#""add":[{"name":"Car","boundingBox":{"x":0.1,"y":0.2,"w":0.3,"h":0.4}}]"#;

/// A folder and a server of the `seed` scenario.
fn world(tasks: usize, more: &[&str]) -> (tempfile::TempDir, Server) {
    let tasks = tasks.to_string();
    let args = [&["--scenario", "seed", "--tasks", &tasks][..], more].concat();
    (tempfile::tempdir().unwrap(), Server::start(&args))
}

/// The agent that notes its calls.
fn counted(dir: &Path, outcome: &str, more: &[&str]) -> PathBuf {
    let log = dir.join("calls");
    let texts = [
        c_text("LOG", log.to_str().unwrap()),
        c_text("OUTCOME", outcome),
    ];
    let defines: Vec<&str> = texts
        .iter()
        .map(String::as_str)
        .chain(more.iter().copied())
        .collect();
    c_agent(dir, "counted", &defines)
}

/// The tasks that the agent was called for, in order.
fn calls(dir: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(dir.join("calls")).unwrap_or_default();
    text.lines()
        .map(|l| serde_json::from_str::<Value>(l).unwrap()["uuid"].to_string())
        .collect()
}

fn summary(output: &Output) -> Value {
    lines(output).1
}

/// Agents of their own crate, built with the real cargo.
fn rust_agents(dir: &Path, source: &str) -> PathBuf {
    let krate = dir.join("weak-agents");
    std::fs::create_dir_all(krate.join("src")).unwrap();
    let abi = root().join("agent-abi");
    let manifest = format!(
        "[package]\nname = \"weak-agents\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n[lib]\ncrate-type = [\"cdylib\"]\n\n\
         [dependencies]\nagent-abi = {{ path = {:?} }}\n\n[workspace]\n",
        abi.display().to_string()
    );
    std::fs::write(krate.join("Cargo.toml"), manifest).unwrap();
    std::fs::copy(root().join("Cargo.lock"), krate.join("Cargo.lock")).unwrap();
    std::fs::write(krate.join("src/lib.rs"), source).unwrap();
    build_agents(&krate, Some(&dir.join("target")))
}

#[test]
fn w01_w16_a_dependency_costs_its_own_task_only_and_a_twin_works_on_every_pass() {
    let (dir, server) = world(5, &[]);
    let demo = Server::start(&["--scenario", "demo", "--tasks", "20"]);
    let victim = server.tasks()[2]["uuid"].as_str().unwrap().to_owned();
    let twin = demo.field("twin_project_hash");
    let source = format!(
        r#"use agent_abi::prelude::*;

#[dependency]
fn picky(task: &Task) -> Result<u32> {{
    if task.uuid().to_string() == "{victim}" {{
        bail!("this one is not for me");
    }}
    Ok(1)
}}

#[stage("Agent 1")]
fn depends(#[depends(picky)] _one: &u32) -> Result<Route> {{
    Ok(Route::to("complete"))
}}

#[stage("pre-label")]
fn looks(#[depends(twin("{twin}"))] twin: Option<Twin>) -> Result<Route> {{
    let _ = twin;
    Ok(Route::stay())
}}

export![depends, looks];
"#
    );
    let library = rust_agents(dir.path(), &source);
    let output = run(dir.path(), &server, &library, &[]);
    let (tasks, summary) = lines(&output);
    assert_eq!(
        (output.status.code(), &summary["moved"]),
        (Some(1), &json!(4)),
        "{}",
        said(&output)
    );
    let failed = tasks.iter().find(|t| t["outcome"] == "failed").unwrap();
    assert_eq!(failed["task_uuid"], victim.as_str());
    assert!(
        failed["fault"].to_string().contains("not for me"),
        "{failed}"
    );
    let waiting = demo
        .tasks()
        .iter()
        .filter(|t| t["stage"] == "pre-label")
        .count();
    let report = dir.path().join("twins.jsonl");
    let args = ["--jsonl", report.to_str().unwrap()];
    assert_eq!(
        poll(dir.path(), &demo, &library, &args, 3 * waiting),
        Some(130)
    );
    let passes = std::fs::read_to_string(report).unwrap();
    assert!(passes.lines().filter(|l| l.contains("\"stayed\"")).count() >= 3 * waiting);
    assert!(!passes.contains("\"failed\","), "{passes}");
}

#[test]
fn w02_an_asset_that_cannot_be_shown_costs_its_own_task_only() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(&["--scenario", "demo", "--tasks", "60"]);
    let defines = [
        c_text("STAGE", "pre-label"),
        c_text("OUTCOME", r#"{"route":"annotate"}"#),
        "NEEDS=32".to_owned(),
    ];
    let defines: Vec<&str> = defines.iter().map(String::as_str).collect();
    let waiting = server
        .tasks()
        .iter()
        .filter(|t| t["stage"] == "pre-label")
        .count() as u64;
    let output = run(
        dir.path(),
        &server,
        &c_agent(dir.path(), "noop", &defines),
        &["--num-retries", "0"],
    );
    let summary = summary(&output);
    assert_eq!(
        summary["tasks"],
        waiting,
        "every task is accounted for: {}",
        said(&output)
    );
    assert!(
        summary["moved"].as_u64().unwrap() >= waiting / 2,
        "{summary}"
    );
    assert_eq!(
        server.changed("actions"),
        summary["moved"].as_u64().unwrap()
    );
}

#[test]
fn w03_w04_a_wrong_pathway_loses_nobody_elses_work_and_leaves_no_half_done_task() {
    let (dir, server) = world(5, &[]);
    let victim = server.tasks()[4]["uuid"].as_str().unwrap().to_owned();
    let defines = [
        c_text("WORD", &victim),
        c_text("GOOD", &format!("{{\"route\":\"complete\",{BOX}}}")),
        c_text(
            "BAD",
            &format!("{{\"route\":\"nowhere\",\"priority\":0.9,{BOX}}}"),
        ),
        "NEEDS=2".to_owned(),
    ];
    let defines: Vec<&str> = defines.iter().map(String::as_str).collect();
    let output = run(
        dir.path(),
        &server,
        &c_agent(dir.path(), "picky", &defines),
        &[],
    );
    assert_eq!(
        (output.status.code(), &summary(&output)["moved"]),
        (Some(1), &json!(4)),
        "{}",
        said(&output)
    );
    assert_eq!(
        (server.changed("actions"), server.changed("save_labels")),
        (4, 4)
    );
    let left = server
        .tasks()
        .into_iter()
        .find(|t| t["uuid"] == victim.as_str())
        .unwrap();
    assert_eq!(
        (&left["stage"], &left["priority"], &left["labels"]),
        (&json!("Agent 1"), &json!(0.5), &Value::Null)
    );
}

#[test]
fn w05_a_retry_starts_from_clean_labels() {
    let (dir, server) = world(1, &[]);
    let library = counted(
        dir.path(),
        &format!("{{\"route\":\"complete\",{BOX}}}"),
        &["FAIL=2", "NEEDS=2"],
    );
    let (tasks, _) = lines(&run(dir.path(), &server, &library, &["--dry-run"]));
    assert_eq!(
        (&tasks[0]["attempts"], &tasks[0]["outcome"]),
        (&json!(3), &json!("moved")),
        "{}",
        tasks[0]
    );
    assert_eq!(
        tasks[0]["patch"]["labels"].as_array().unwrap().len(),
        1,
        "one box, not three"
    );
}

#[test]
fn w07_exhausted_retries_are_told_by_summary_and_exit_code() {
    let (dir, server) = world(3, &[]);
    let library = counted(dir.path(), "{}", &["FAIL=100"]);
    let output = run(dir.path(), &server, &library, &["--num-retries", "1"]);
    assert_eq!(
        (output.status.code(), &summary(&output)["failed"]),
        (Some(1), &json!(3))
    );
    assert_eq!(calls(dir.path()).len(), 6);
    assert!(
        said(&output).contains("not to my liking"),
        "{}",
        said(&output)
    );
}

#[test]
fn w08_w09_a_priority_needs_no_flag_and_zero_counts() {
    let (dir, server) = world(4, &[]);
    let library = counted(dir.path(), r#"{"route":"complete","priority":0.0}"#, &[]);
    let output = run(dir.path(), &server, &library, &[]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    assert_eq!(calls(dir.path()).len(), 4, "each agent call is made once");
    assert!(server.tasks().iter().all(|t| t["priority"] == 0.0));
}

#[test]
fn w10_a_limit_of_tasks_is_kept_exactly() {
    let (dir, server) = world(12, &[]);
    let library = counted(dir.path(), r#"{"route":"complete"}"#, &[]);
    run(
        dir.path(),
        &server,
        &library,
        &["--max-tasks-per-stage", "4", "--task-batch-size", "3"],
    );
    assert_eq!((calls(dir.path()).len(), server.changed("actions")), (4, 4));
}

#[test]
fn w11_tasks_that_stay_do_not_keep_the_others_waiting() {
    let (dir, server) = world(5, &[]);
    let library = counted(dir.path(), "{}", &[]);
    poll(
        dir.path(),
        &server,
        &library,
        &["--max-tasks-per-stage", "2"],
        5,
    );
    let mut first: Vec<String> = calls(dir.path()).into_iter().take(5).collect();
    first.sort_unstable();
    first.dedup();
    assert_eq!(
        first.len(),
        5,
        "five passes of two tasks reach all five before any comes again"
    );
}

/// Polls every second until some task lines came, then interrupts.
fn poll(dir: &Path, server: &Server, library: &Path, args: &[&str], lines: usize) -> Option<i32> {
    let mut child = command(dir)
        .args([
            "run",
            "--json",
            "--progress",
            "none",
            "--refresh-every",
            "1",
            "--project-hash",
            &server.project(),
            "--agents",
        ])
        .arg(library)
        .args(args)
        .envs(server.env())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut reader = BufReader::new(child.stdout.take().unwrap()).lines();
    for _ in 0..lines {
        reader.next().unwrap().unwrap();
    }
    rustix::process::kill_process(
        rustix::process::Pid::from_child(&child),
        rustix::process::Signal::INT,
    )
    .unwrap();
    reader.for_each(|l| drop(l.unwrap()));
    child.wait().unwrap().code()
}

#[test]
fn w12_sizes_that_mean_nothing_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    for wrong in [
        ["--task-batch-size", "0"],
        ["--task-batch-size", "-3"],
        ["--num-retries", "-1"],
        ["--max-tasks-per-stage", "0"],
        ["--max-failures", "0%"],
    ] {
        let output = command(dir.path()).arg("run").args(wrong).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{wrong:?}");
    }
}

#[test]
fn w13_a_refused_save_is_tried_again_and_the_batch_moves() {
    let (dir, server) = world(6, &["--fault", "save_labels:500*2"]);
    let library = counted(
        dir.path(),
        &format!("{{\"route\":\"complete\",{BOX}}}"),
        &["NEEDS=2"],
    );
    let output = run(dir.path(), &server, &library, &[]);
    assert_eq!(
        (output.status.code(), &summary(&output)["moved"]),
        (Some(0), &json!(6)),
        "{}",
        said(&output)
    );
    assert_eq!(
        (calls(dir.path()).len(), server.changed("save_labels")),
        (6, 6)
    );
}

#[test]
fn w14_a_failing_endpoint_is_not_replayed_task_by_task() {
    let (dir, server) = world(60, &["--fault", "actions:500"]);
    let began = Instant::now();
    let output = run(dir.path(), &server, &c_agent(dir.path(), "noop", &[]), &[]);
    assert!(
        matches!(output.status.code(), Some(1 | 7)),
        "{}",
        said(&output)
    );
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
    assert_eq!(server.changed("actions"), 3);
}

#[test]
fn w17_a_signed_address_that_has_expired_is_asked_for_again() {
    let (dir, server) = world(4, &["--fault", "get_items:expire*1"]);
    let output = run(
        dir.path(),
        &server,
        &c_agent(dir.path(), "noop", &["NEEDS=32"]),
        &[],
    );
    assert_eq!(
        (output.status.code(), &summary(&output)["moved"]),
        (Some(0), &json!(4)),
        "{}",
        said(&output)
    );
}

#[test]
fn w18_nobodys_update_is_lost() {
    for (wish, code, moved) in [("skip", 5, 3), ("rerun", 0, 4), ("overwrite", 0, 4)] {
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
        let output = run(dir.path(), &server, &library, &["--on-conflict", wish]);
        assert_eq!(
            (output.status.code(), &summary(&output)["moved"]),
            (Some(code), &json!(moved)),
            "{wish}: {}",
            said(&output)
        );
        assert_eq!(
            calls(dir.path()).len(),
            if wish == "rerun" { 5 } else { 4 },
            "{wish}"
        );
        assert_eq!(server.changed("actions"), moved, "{wish}");
    }
}

#[test]
fn w19_an_answer_of_a_wrong_type_is_said_once_and_not_tried_again() {
    let (dir, server) = world(2, &[]);
    let output = run(dir.path(), &server, &counted(dir.path(), "5", &[]), &[]);
    assert_eq!(
        (output.status.code(), calls(dir.path()).len()),
        (Some(1), 2)
    );
    assert!(said(&output).contains("no outcome"), "{}", said(&output));
}

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
    let mut child = command(dir.path())
        .args([
            "exec",
            "--stage",
            "Agent 1",
            "--project-hash",
            &server.project(),
            "--agents",
        ])
        .arg(&library)
        .envs(server.env())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    writeln!(child.stdin.take().unwrap(), "{}", json!(specs)).unwrap();
    let output = child.wait_with_output().unwrap();
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
    assert_eq!(output.status.code(), Some(3), "{}", said(&output));
    assert!(
        said(&output).contains("counted") && said(&output).contains("again"),
        "{}",
        said(&output)
    );
}

#[test]
fn w23_help_needs_no_credentials_and_a_missing_project_is_said_in_words() {
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
        said(&output).contains("no project is named") && said(&output).contains("--project-hash")
    );
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

#[test]
fn w26_a_library_without_an_agent_for_this_project_is_no_success() {
    let (dir, server) = world(2, &[]);
    let library = c_agent(dir.path(), "noop", &[&c_text("STAGE", "Agent 7")]);
    let output = run(dir.path(), &server, &library, &[]);
    assert_eq!(output.status.code(), Some(3), "{}", said(&output));
    assert!(
        said(&output).contains("Agent 1"),
        "the stages that there are: {}",
        said(&output)
    );
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
    assert_eq!(output.status.code(), Some(3), "{}", said(&output));
    assert!(
        said(&output).contains(&id(1)) && said(&output).contains(&id(2)),
        "{}",
        said(&output)
    );
    let by_uuid = c_agent(dir.path(), "noop", &[&c_text("STAGE", &id(1))]);
    let output = run(dir.path(), &server, &by_uuid, &[]);
    assert_eq!(
        (output.status.code(), &summary(&output)["moved"]),
        (Some(0), &json!(3)),
        "{}",
        said(&output)
    );
}

#[test]
fn reports_hold_every_task_and_a_run_stops_at_its_share_of_failures() {
    let (dir, server) = world(60, &[]);
    let library = counted(dir.path(), "{}", &["FAIL=1000"]);
    let args = [
        "--max-failures",
        "50%",
        "--num-retries",
        "0",
        "--report",
        "r.html",
        "--junit",
        "j.xml",
        "--jsonl",
        "l.jsonl",
    ];
    let output = run(dir.path(), &server, &library, &args);
    assert_eq!(output.status.code(), Some(9), "{}", said(&output));
    let failed = summary(&output)["failed"].as_u64().unwrap();
    assert_eq!(
        failed, 20,
        "a share means something once 20 tasks are known"
    );
    let read = |name: &str| std::fs::read_to_string(dir.path().join(name)).unwrap();
    assert_eq!(read("j.xml").matches("<failure ").count(), 20);
    assert!(read("r.html").contains("not to my liking") && !read("r.html").contains("http"));
    assert_eq!(read("l.jsonl").lines().count(), 21);
}
