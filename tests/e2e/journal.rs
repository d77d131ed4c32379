//! The journal of a folder: two processes at once, commands that are asked to stop, and forgetting.

use crate::support::{Server, c_agent, c_text, command, lines, plan, run, stderr, workbench};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::Stdio;

const BOXES: &str = r#"{"route":"complete","priority":0.25,"add":[{"name":"Car","boundingBox":{"x":0.1,"y":0.2,"w":0.3,"h":0.4}}]}"#;

fn ops(dir: &Path, server: &Server) -> Vec<Value> {
    let listed = workbench(dir, server, &["journal", "--json"]);
    let text = String::from_utf8_lossy(&listed.stdout).into_owned();
    text.lines()
        .map(|l| serde_json::from_str(l).unwrap())
        .collect()
}

fn sum(all: &[Value], field: &str) -> u64 {
    all.iter().map(|one| one[field].as_u64().unwrap()).sum()
}

#[test]
fn two_runs_in_one_folder_write_every_task_once() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(&["--scenario", "seed", "--tasks", "120", "--latency", "10ms"]);
    let library = c_agent(dir.path(), "noop", &[&c_text("OUTCOME", BOXES), "NEEDS=2"]);
    let args = ["--task-batch-size", "10", "-j", "4"];
    let outputs: Vec<_> = std::thread::scope(|scope| {
        let one = || run(dir.path(), &server, &library, &args);
        let both = [scope.spawn(one), scope.spawn(one)];
        both.into_iter().map(|t| t.join().unwrap()).collect()
    });
    let summaries: Vec<Value> = outputs.iter().map(|o| lines(o).1).collect();
    assert_eq!(sum(&summaries, "moved"), 120, "{summaries:?}");
    assert_eq!(server.changed("actions"), 120);
    assert_eq!(server.changed("save_labels"), 120, "no row was saved twice");
    assert_eq!(sum(&ops(dir.path(), &server), "done"), 120);
}

#[test]
fn an_apply_and_an_undo_that_are_interrupted_end_in_order_and_go_on() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(&["--scenario", "seed", "--tasks", "1300"]);
    let library = c_agent(
        dir.path(),
        "noop",
        &[&c_text("OUTCOME", r#"{"route":"complete"}"#)],
    );
    assert_eq!(
        plan(dir.path(), &server, &library, &[]).status.code(),
        Some(0)
    );
    let gone = || {
        let tasks = server.tasks();
        tasks.iter().filter(|t| t["stage"] != "Agent 1").count()
    };
    // Two groups of 300 are on their way at once, and the next two may be before the signal is noticed.
    for (args, done) in [(&["apply", "p.wbplan"][..], 1300), (&["undo"], 0)] {
        server.post(
            "/local/faults",
            &json!({"faults": ["actions:slow/2s", "move_tasks:slow/2s"]}),
        );
        let mut child = command(dir.path())
            .args(args)
            .args(["--json", "--project-hash", &server.project()])
            .envs(server.env())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap()).lines();
        out.next().unwrap().unwrap();
        let pid = rustix::process::Pid::from_child(&child);
        rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
        out.for_each(drop);
        let output = child.wait_with_output().unwrap();
        assert_eq!(
            output.status.code(),
            Some(130),
            "{args:?}: {}",
            stderr(&output)
        );
        let last = stderr(&output)
            .lines()
            .last()
            .unwrap_or_default()
            .to_owned();
        assert!(last.contains("workbench resume"), "{last}");
        assert!(gone() % 1300 != 0, "in the middle of it: {}", gone());
        server.post("/local/faults", &json!({"faults": []}));
        let resumed = workbench(dir.path(), &server, &["resume"]);
        assert_eq!(resumed.status.code(), Some(0), "{}", stderr(&resumed));
        assert_eq!(gone(), done, "{args:?}");
    }
    assert_eq!(
        (server.changed("actions"), server.changed("move_tasks")),
        (1300, 1300)
    );
}

#[test]
fn what_is_forgotten_is_over_and_a_plan_stays_applied() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(&["--scenario", "seed", "--tasks", "5"]);
    let library = c_agent(dir.path(), "noop", &[&c_text("OUTCOME", BOXES), "NEEDS=2"]);
    assert_eq!(
        plan(dir.path(), &server, &library, &[]).status.code(),
        Some(0)
    );
    let of = |args: &[&str]| workbench(dir.path(), &server, args);
    assert_eq!(of(&["apply", "p.wbplan"]).status.code(), Some(0));
    let unasked = of(&["journal", "--prune", "0"]);
    assert_eq!(unasked.status.code(), Some(8), "{}", stderr(&unasked));
    assert!(stderr(&unasked).contains("1 of them could no longer be taken back"));
    assert_eq!(ops(dir.path(), &server).len(), 1);
    let kept = of(&["journal", "--prune", "30d", "--yes", "--json"]);
    assert_eq!(kept.stdout, b"{\"pruned\":{\"ops\":0,\"tasks\":0}}\n");
    assert_eq!(
        of(&["journal", "--prune", "0", "--yes"]).status.code(),
        Some(0)
    );
    assert!(ops(dir.path(), &server).is_empty());
    let writes = server.writes();
    let again = of(&["apply", "p.wbplan"]);
    assert!(
        stderr(&again).contains("applied already"),
        "{}",
        stderr(&again)
    );
    assert_eq!(server.writes(), writes, "nothing was sent");
}

#[test]
fn output_that_cannot_be_written_sets_the_exit_code_and_the_work_is_done() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(&["--scenario", "seed", "--tasks", "5"]);
    let library = c_agent(dir.path(), "noop", &[]);
    let full = std::fs::File::options()
        .write(true)
        .open("/dev/full")
        .unwrap();
    let output = command(dir.path())
        .args([
            "run",
            "--json",
            "--project-hash",
            &server.project(),
            "--agents",
        ])
        .arg(&library)
        .envs(server.env())
        .stdout(full)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(3), "{}", stderr(&output));
    assert!(
        stderr(&output).contains("stdout: No space left"),
        "{}",
        stderr(&output)
    );
    assert_eq!(server.changed("actions"), 5);
    let op = &ops(dir.path(), &server)[0];
    assert_eq!(op["interrupted"], false, "there is nothing to go on with");
}
