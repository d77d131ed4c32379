//! Crash truth: the process is killed at every step of a commit, and the next one goes on so that
//! everything is written exactly once by the server's own counters.

use crate::support::{
    Server, Terminal, c_agent, c_text, command, killed_at, lines, run, stderr, workbench,
};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::Stdio;
use wb_engine::journal::points::POINTS;

const TASKS: u64 = 24;
const ALL: &str = r#"{"route":"complete","priority":0.25,"client_metadata":{"seen":true},"add":[{"name":"Car","boundingBox":{"x":0.1,"y":0.2,"w":0.3,"h":0.4}}]}"#;

/// Everything is written, and nothing twice. The server counts after it has stored: a kill while another
/// batch is in flight may cost it a count, never give it one, so only a lone batch is counted exactly.
fn all_once(server: &Server, step: &str, lone: bool) {
    for endpoint in ["actions", "save_labels"] {
        let changed = server.changed(endpoint);
        assert!(
            changed <= TASKS,
            "{step}: {endpoint} changed {changed} of {TASKS}"
        );
        assert!(
            !lone || changed == TASKS,
            "{step}: {endpoint} changed {changed} of {TASKS}"
        );
    }
    for task in server.tasks() {
        let done =
            task["priority"] == 0.25 && task["labels"].is_string() && task["stage"] != "Agent 1";
        assert!(done, "{step}: {task}");
    }
}

#[test]
fn a_run_killed_at_every_step_goes_on_and_writes_everything_once() {
    for step in POINTS {
        let dir = tempfile::tempdir().unwrap();
        let server = Server::start(&["--scenario", "seed", "--tasks", &TASKS.to_string()]);
        let library = c_agent(dir.path(), "noop", &[&c_text("OUTCOME", ALL), "NEEDS=2"]);
        let agents = library.to_str().unwrap();
        let args = [
            "run",
            "--json",
            "--progress",
            "none",
            "--task-batch-size",
            "8",
            "--agents",
            agents,
        ];
        killed_at(dir.path(), &server, &format!("{step}:2"), &args);
        // Killed a second time, while it goes on; unless the other batches were through by the end of this one.
        if step != "ended" {
            killed_at(dir.path(), &server, "moves", &["resume"]);
        }
        let output = command(dir.path())
            .arg("resume")
            .envs(server.env())
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(0), "{step}: {}", stderr(&output));
        all_once(&server, step, false);
        let (rest, _) = lines(&run(dir.path(), &server, &library, &[]));
        assert_eq!(rest.len(), 0, "{step}: nothing is left");
    }
}

#[test]
fn what_a_killed_commit_of_the_screen_had_begun_is_finished_by_the_next_screen() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(&["--scenario", "seed", "--tasks", &TASKS.to_string()]);
    let library = c_agent(dir.path(), "noop", &[&c_text("OUTCOME", ALL), "NEEDS=2"]);
    let args = [
        "--project-hash",
        &server.project(),
        "--agents",
        library.to_str().unwrap(),
    ];
    let [domain, key] = server.env();
    let env = [domain, key, ("WORKBENCH_KILL_AT", "priorities".into())];
    let mut screen = Terminal::start(dir.path(), &args, &env, (120, 36));
    screen.wait("build #1");
    screen.keys("N").wait("Dry-run");
    screen.keys("y").wait("FINISHED");
    screen.keys("v").wait("nothing is sent before you");
    screen.keys("C").wait("Commit");
    screen.keys("y").ended();
    let moved = || {
        server
            .tasks()
            .iter()
            .filter(|t| t["stage"] != "Agent 1")
            .count()
    };
    assert_eq!(moved(), 0, "killed before the moves");
    let mut screen = Terminal::start(dir.path(), &args, &server.env(), (120, 36));
    screen.wait("(J, then F finishes");
    screen.keys("J").wait("no answer yet");
    screen.keys("F").wait("24 writes had begun");
    assert_eq!(moved(), 0, "asking is not writing");
    screen.keys("y").wait("stands");
    all_once(&server, "priorities", true);
    assert_eq!(screen.quit().0, 0);
}

#[test]
fn a_resume_that_is_killed_itself_stays_the_same_operation_until_it_is_done() {
    for (limit, changed) in [
        (
            None,
            "UPDATE op SET args = '[\"what it was asked counts, not its words\"]'",
        ),
        (Some("10"), "UPDATE op SET args = '[]'"),
        // As the versions left it that kept words alone.
        (Some("10"), "ALTER TABLE op DROP COLUMN saved"),
    ] {
        let dir = tempfile::tempdir().unwrap();
        let server = Server::start(&["--scenario", "seed", "--tasks", &TASKS.to_string()]);
        let library = c_agent(dir.path(), "noop", &[&c_text("OUTCOME", ALL), "NEEDS=2"]);
        let agents = library.to_str().unwrap();
        let mut args = vec!["run", "--task-batch-size", "4", "--agents", agents];
        args.extend(limit.iter().flat_map(|n| ["--max-tasks-per-stage", n]));
        let before = server.tasks();
        // Batches are committed beside each other; the one that is killed here is not written at least.
        killed_at(dir.path(), &server, "before-begin:2", &args);
        let journal = dir.path().join(".workbench/journal.db");
        let journal = rusqlite::Connection::open(journal).unwrap();
        journal.execute_batch(changed).unwrap();
        drop(journal);
        killed_at(dir.path(), &server, "before-begin", &["resume"]);
        killed_at(dir.path(), &server, "before-begin", &["resume"]);
        let named = ["--project-hash", &server.project(), "--agents", agents];
        let mut screen = Terminal::start(dir.path(), &named, &server.env(), (120, 36));
        screen.wait("operation 1 was interrupted");
        assert_eq!(screen.quit().0, 0);
        let resume = || workbench(dir.path(), &server, &["resume"]);
        let resumed = resume();
        assert_eq!(resumed.status.code(), Some(0), "{}", stderr(&resumed));
        let wanted = limit.map_or(TASKS, |n| n.parse().unwrap());
        let gone = |task: &&Value| task["stage"] != "Agent 1";
        let moved = server.tasks().iter().filter(gone).count() as u64;
        assert_eq!(moved, wanted, "limit {limit:?}");
        let listed = workbench(dir.path(), &server, &["journal", "--json"]);
        let text = String::from_utf8_lossy(&listed.stdout).into_owned();
        let ops: Vec<Value> = text
            .lines()
            .map(|l| serde_json::from_str(l).unwrap())
            .collect();
        assert_eq!(ops.len(), 1, "{text}");
        assert_eq!(
            (&ops[0]["done"], &ops[0]["interrupted"]),
            (&json!(wanted), &json!(false))
        );
        assert!(stderr(&resume()).contains("Nothing is left unfinished"));
        let undone = workbench(dir.path(), &server, &["undo"]);
        assert_eq!(undone.status.code(), Some(0), "{}", stderr(&undone));
        for (now, was) in server.tasks().iter().zip(&before) {
            assert_eq!(
                (&now["stage"], &now["priority"]),
                (&was["stage"], &was["priority"])
            );
        }
    }
}

#[test]
fn an_apply_and_an_undo_killed_at_every_step_go_on() {
    for step in POINTS {
        let dir = tempfile::tempdir().unwrap();
        let server = Server::start(&["--scenario", "seed", "--tasks", &TASKS.to_string()]);
        let library = c_agent(dir.path(), "noop", &[&c_text("OUTCOME", ALL), "NEEDS=2"]);
        let workbench = |args: &[&str]| {
            let project = server.project();
            command(dir.path())
                .args(args)
                .args(["--project-hash", &project])
                .envs(server.env())
                .output()
                .unwrap()
        };
        let before: Vec<Value> = server.tasks();
        let planned = workbench(&[
            "plan",
            "-o",
            "p.wbplan",
            "--progress",
            "none",
            "--agents",
            library.to_str().unwrap(),
        ]);
        assert_eq!(planned.status.code(), Some(0), "{}", stderr(&planned));
        killed_at(dir.path(), &server, step, &["apply", "p.wbplan"]);
        let applied = workbench(&["apply", "p.wbplan"]);
        assert_eq!(
            applied.status.code(),
            Some(0),
            "{step}: {}",
            stderr(&applied)
        );
        all_once(&server, step, true);
        killed_at(dir.path(), &server, step, &["undo"]);
        let resumed = workbench(&["resume"]);
        assert_eq!(
            resumed.status.code(),
            Some(0),
            "{step}: {}",
            stderr(&resumed)
        );
        for (now, was) in server.tasks().iter().zip(&before) {
            assert_eq!(
                (&now["stage"], &now["priority"]),
                (&was["stage"], &was["priority"]),
                "{step}"
            );
        }
        assert_eq!(
            server.changed("move_tasks"),
            TASKS,
            "{step}: every task went back, once"
        );
    }
}

/// Runs until so many lines have come, then kills; gives the lines that were seen.
fn killed_after(dir: &Path, server: &Server, library: &Path, seen: usize) {
    let mut child = command(dir)
        .args([
            "run",
            "--json",
            "--progress",
            "none",
            "--task-batch-size",
            "20",
            "-j",
            "2",
        ])
        .args(["--project-hash", &server.project(), "--agents"])
        .arg(library)
        .envs(server.env())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut reader = BufReader::new(child.stdout.take().unwrap()).lines();
    for _ in 0..seen {
        reader.next().unwrap().unwrap();
    }
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn ten_thousand_tasks_under_faults_and_three_kills_are_done_exactly_once() {
    let tasks = 10_000;
    let dir = tempfile::tempdir().unwrap();
    let mut args = vec!["--scenario", "seed", "--tasks", "10000", "--seed", "7"];
    for fault in [
        "actions:lost@5%",
        "actions:500@5%",
        "actions:drop@5%",
        "priorities:500@5%",
        "get_tasks:500@5%",
    ] {
        args.extend(["--fault", fault]);
    }
    let server = Server::start(&args);
    let outcome = c_text("OUTCOME", r#"{"route":"complete","priority":0.25}"#);
    let library = c_agent(dir.path(), "noop", &[&outcome]);
    for seen in [1500, 2200, 900] {
        killed_after(dir.path(), &server, &library, seen);
    }
    let output = command(dir.path())
        .arg("resume")
        .envs(server.env())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(server.changed("actions") <= tasks, "no task moved twice");
    let all = server.tasks();
    assert!(
        all.iter()
            .all(|t| t["stage"] == "Complete" && t["priority"] == 0.25)
    );
    assert_eq!(all.len() as u64, tasks);
    let faults = server.admin("/local/faults")["faults"]
        .as_array()
        .unwrap()
        .clone();
    assert!(
        faults.iter().all(|f| f["struck"].as_u64() > Some(0)),
        "{faults:?}"
    );
}
