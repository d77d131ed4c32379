//! What commands print: nothing that is lost is lost in silence.

use crate::support::{Fed, Server, c_agent, command, plan, stderr, workbench};
use std::fs::File;
use std::path::Path;
use std::process::{Output, Stdio};

/// Runs a command with its stdout at a full disk, and at a pipe that nobody reads.
fn without_stdout(dir: &Path, server: &Server, args: &[&str]) -> (Output, Output) {
    let with = |out: Stdio| {
        let mut child = Fed::with_stdout(command(dir).args(args).envs(server.env()), out);
        if args[0] == "exec" {
            let task = server.tasks().pop().unwrap();
            let spec = serde_json::json!({"uuid": task["uuid"], "data_hash": task["data_hash"],
                "data_title": task["data_title"], "created_at": "2024-01-01T00:00:00", "updated_at": "2024-01-01T00:00:00"});
            child.write(format!("{spec}\n"));
        }
        child.close();
        child.end()
    };
    let full = File::options().write(true).open("/dev/full").unwrap();
    let (reader, closed) = std::io::pipe().unwrap();
    drop(reader);
    (with(full.into()), with(closed.into()))
}

#[test]
fn a_full_disk_or_a_closed_pipe_on_stdout_is_an_error_of_every_command() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(&["--scenario", "seed", "--tasks", "4"]);
    let library = c_agent(dir.path(), "noop", &[]);
    let (agents, project) = (library.to_str().unwrap(), server.project());
    // Something for `journal` and `review` to show.
    let run = [
        "run",
        "-a",
        agents,
        "--max-tasks-per-stage",
        "1",
        "-p",
        &project,
    ];
    assert!(
        command(dir.path())
            .args(run)
            .envs(server.env())
            .output()
            .unwrap()
            .status
            .success()
    );
    plan(dir.path(), &server, &library, &[]);
    let on_project = ["-p", &*project, "-a", agents, "--progress", "none"];
    let reading: &[&[&str]] = &[
        &["--help"],
        &["--version"],
        &["run", "--help"],
        &["keys"],
        &["keys", "--json"],
        &["completions", "bash"],
        &["man"],
        &["config"],
        &["config", "--json"],
        &["print", "system-info"],
        &["print", "system-info", "--json"],
        &["print", "agent-nodes"],
        &["graph"],
        &["graph", "--json"],
        &["stages"],
        &["stages", "--json"],
        &["tasks"],
        &["tasks", "--json"],
        &["check"],
        &["journal"],
        &["journal", "--json"],
        &["journal", "--commands"],
        &["review", "p.wbplan"],
        &["review", "p.wbplan", "--diff"],
        &["review", "p.wbplan", "--json"],
        &["run", "--dry-run", "--json"],
        &["plan", "-o", "q.wbplan", "--json", "--yes"],
        &["exec", "--stage", "Agent 1", "--dry-run"],
        &["apply", "p.wbplan", "--json", "--dry-run"],
        &["undo", "--json", "--dry-run"],
        &["serve", "--scenario", "seed"],
    ];
    for args in reading {
        let args = match args[0] {
            "graph" | "stages" | "tasks" | "check" => [args, &on_project[..4]].concat(),
            "print" | "apply" | "undo" => [args, &on_project[..2]].concat(),
            "exec" => [args, &on_project[..4]].concat(),
            "run" | "plan" if !args.contains(&"--help") => [args, &on_project[..]].concat(),
            _ => args.to_vec(),
        };
        let (full, closed) = without_stdout(dir.path(), &server, &args);
        assert_eq!(full.status.code(), Some(3), "{args:?}: {}", stderr(&full));
        assert!(
            stderr(&full).contains("stdout"),
            "{args:?}: {}",
            stderr(&full)
        );
        assert_eq!(
            closed.status.code(),
            Some(141),
            "{args:?}: {}",
            stderr(&closed)
        );
        assert!(
            stderr(&closed).contains("stdout"),
            "{args:?}: {}",
            stderr(&closed)
        );
    }
}

#[test]
fn what_is_written_upstream_is_written_though_stdout_is_full_or_closed() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(&["--scenario", "seed", "--tasks", "12"]);
    let library = c_agent(dir.path(), "noop", &[]);
    let (agents, project) = (library.to_str().unwrap(), server.project());
    let run = [
        "run",
        "--json",
        "--progress",
        "none",
        "-p",
        &project,
        "-a",
        agents,
    ];
    let some = [&run[..], &["--max-tasks-per-stage", "3"]].concat();
    let (full, closed) = without_stdout(dir.path(), &server, &some);
    assert_eq!(full.status.code(), Some(3), "{}", stderr(&full));
    assert_eq!(closed.status.code(), Some(141), "{}", stderr(&closed));
    assert_eq!(server.changed("actions"), 6);
    let exec = ["exec", "--stage", "Agent 1", "-p", &project, "-a", agents];
    let (full, closed) = without_stdout(dir.path(), &server, &exec);
    assert_eq!(
        (full.status.code(), closed.status.code()),
        (Some(3), Some(141)),
        "{}",
        stderr(&full)
    );
    plan(dir.path(), &server, &library, &[]);
    let apply = ["apply", "p.wbplan", "--json", "-p", &project];
    let (full, _) = without_stdout(dir.path(), &server, &apply);
    assert_eq!(full.status.code(), Some(3), "{}", stderr(&full));
    let at_start = server
        .tasks()
        .iter()
        .filter(|t| t["stage"] == "Agent 1")
        .count();
    assert_eq!(at_start, 0);
    let undo = ["undo", "--json", "-p", &project];
    let (full, closed) = without_stdout(dir.path(), &server, &undo);
    assert_eq!(
        (full.status.code(), closed.status.code()),
        (Some(3), Some(141)),
        "{}",
        stderr(&full)
    );
}

#[test]
fn a_listing_that_stops_at_its_limit_reports_it_and_how_to_get_more() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(&["--scenario", "seed", "--tasks", "103", "--page-size", "50"]);
    let tasks = |args: &[&str]| {
        let output = workbench(dir.path(), &server, &[&["tasks"][..], args].concat());
        let lines = String::from_utf8_lossy(&output.stdout).lines().count();
        (lines, stderr(&output))
    };
    for args in [&[][..], &["--json"]] {
        let (lines, notes) = tasks(args);
        assert_eq!(lines, 100);
        assert!(
            notes.contains("Stopped at 100 tasks; there are more"),
            "{notes}"
        );
        assert!(notes.contains("--limit"), "{notes}");
    }
    assert_eq!(tasks(&["--limit", "103"]), (103, String::new()));
    assert_eq!(tasks(&["--limit", "1000"]), (103, String::new()));
    let (lines, notes) = tasks(&["--limit", "50"]);
    assert!(lines == 50 && notes.contains("there are more"), "{notes}");
    let (lines, notes) = tasks(&["--limit", "0"]);
    assert!(lines == 0 && !notes.contains("Stopped"), "{notes}");
}

#[test]
fn names_in_quotes_are_taken_to_the_letter() {
    // What a filter's quotes mean is tested in the core; here they pass the command line.
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(&["--scenario", "seed", "--tasks", "3"]);
    let title = server.tasks()[0]["data_title"].as_str().unwrap().to_owned();
    let filter = format!("title:\"a, b\",\"{title}\"");
    let output = workbench(dir.path(), &server, &["tasks", "--filter", &filter]);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(text.lines().count() == 1 && text.contains(&title), "{text}");
    let output = workbench(
        dir.path(),
        &server,
        &["tasks", "--filter", "\"result:error\""],
    );
    assert_eq!(output.stdout, b"", "{}", stderr(&output));
}
