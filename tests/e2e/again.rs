//! What runs again, and what goes on: failures by their group, turns across commands, settings that
//! are saved while a run goes on, and plans that follow a task from stage to stage.

use crate::support::{Server, c_agent, c_text, command, lines, plan, run, stderr, workbench};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

const BOX: &str = r#""add":[{"name":"Car","boundingBox":{"x":0.1,"y":0.2,"w":0.3,"h":0.4}}]"#;

fn titles(all: &[Value]) -> Vec<String> {
    let title = |l: &Value| l["data_title"].as_str().unwrap().to_owned();
    all.iter().map(title).collect()
}

#[test]
fn a_group_of_failures_is_run_again_by_the_command_that_is_printed() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(&["--scenario", "seed", "--tasks", "12"]);
    let tasks = server.tasks();
    let one = c_text("WORD", tasks[3]["data_title"].as_str().unwrap());
    let agent = |bad: &str, good: &str| {
        let defines = [one.clone(), c_text("BAD", bad), c_text("GOOD", good)];
        c_agent(dir.path(), "picky", &defines.each_ref().map(String::as_str))
    };
    let library = agent(r#"{"route":"compleet"}"#, r#"{"route":"nowhere"}"#);
    let first = run(dir.path(), &server, &library, &[]);
    assert_eq!(first.status.code(), Some(1));
    let (_, summary) = lines(&first);
    let groups = summary["groups"].as_array().unwrap();
    let counts: Vec<&Value> = groups.iter().map(|g| &g["tasks"]).collect();
    assert_eq!(counts, [12], "the same fault, other names: {summary}");
    let text = stderr(&first);
    let printed = text.lines().find(|l| l.contains("--filter result:error"));
    let printed = printed
        .unwrap_or_else(|| panic!("{text}"))
        .trim()
        .to_owned();
    // Mended for most: the printed command runs exactly those that failed.
    agent(r#"{"priority":7}"#, r#"{"route":"complete"}"#);
    let words = printed.strip_prefix("workbench ").unwrap();
    let words: Vec<&str> = words.split_whitespace().collect();
    let again = |words: &[&str]| {
        let mut command = command(dir.path());
        command.args(words).args(["--json", "--progress", "none"]);
        command.envs(server.env()).output().unwrap()
    };
    let second = again(&words);
    let (all, summary) = lines(&second);
    assert_eq!(
        (all.len(), &summary["moved"]),
        (12, &json!(11)),
        "{}",
        stderr(&second)
    );
    let group = summary["groups"][0]["fault"].as_str().unwrap().to_owned();
    let filter = format!("fault:{group}");
    let shown = workbench(
        dir.path(),
        &server,
        &["tasks", "--filter", &filter, "--json"],
    );
    assert_eq!(String::from_utf8_lossy(&shown.stdout).lines().count(), 1);
    agent(r#"{"route":"complete"}"#, r#"{"route":"complete"}"#);
    let by_group: Vec<&str> = words
        .iter()
        .map(|w| {
            if *w == "result:error" {
                filter.as_str()
            } else {
                w
            }
        })
        .collect();
    let third = again(&by_group);
    let (all, _) = lines(&third);
    assert_eq!(titles(&all), [tasks[3]["data_title"].as_str().unwrap()]);
    let fourth = again(&by_group);
    assert_eq!(lines(&fourth).0.len(), 0, "nothing is left of that group");
}

#[test]
fn tasks_that_stay_do_not_keep_others_waiting_from_command_to_command() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(&["--scenario", "seed", "--tasks", "10"]);
    let library = c_agent(dir.path(), "noop", &[&c_text("OUTCOME", "{}")]);
    let take = |more: &[&str]| {
        let args = [&["--max-tasks-per-stage", "4"][..], more].concat();
        let output = run(dir.path(), &server, &library, &args);
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        titles(&lines(&output).0)
    };
    let shown = take(&["--dry-run"]);
    let first = take(&[]);
    assert_eq!(shown, first, "a dry run shows what the run after it takes");
    let mut seen: BTreeSet<String> = first.iter().cloned().collect();
    let second = take(&[]);
    seen.extend(second);
    let third = take(&[]);
    seen.extend(third.iter().cloned());
    assert_eq!(seen.len(), 10, "all had their turn");
    let again: Vec<&String> = third.iter().filter(|t| first.contains(t)).collect();
    assert_eq!(again, [&first[0], &first[1]], "then the oldest come again");
}

#[test]
fn rate_and_concurrency_of_a_run_follow_the_settings_file() {
    let dir = tempfile::tempdir().unwrap();
    let settings = dir.path().join("workbench.toml");
    std::fs::write(&settings, "rate = 1000\n").unwrap();
    let server = Server::start(&["--scenario", "seed", "--tasks", "3"]);
    let library = c_agent(dir.path(), "noop", &[]);
    let mut child = command(dir.path())
        .args([
            "run",
            "--json",
            "--progress",
            "none",
            "--refresh-every",
            "1",
        ])
        .args([
            "--timeout",
            "9s",
            "--project-hash",
            &server.project(),
            "--agents",
        ])
        .arg(&library)
        .envs(server.env())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    out.read_line(&mut line).unwrap();
    let mut errors = BufReader::new(child.stderr.take().unwrap());
    let mut wait_for = |wanted: &str| {
        let mut text = String::new();
        while !text.contains(wanted) {
            text.clear();
            assert!(
                errors.read_line(&mut text).unwrap() > 0,
                "never printed: {wanted}"
            );
        }
        text
    };
    std::fs::write(&settings, "rate = 50\nconcurrency = 3\ntimeout = 5\n").unwrap();
    let text = wait_for("settings changed");
    assert!(text.contains("rate 50/s (was 1000/s)"), "{text}");
    assert!(text.contains("concurrency 3 (was 1)"), "{text}");
    assert!(
        !text.contains("timeout"),
        "the flag takes precedence over the file: {text}"
    );
    std::fs::write(&settings, "rate = \"fast\"\n").unwrap();
    wait_for("the run goes on with what held before");
    let pid = rustix::process::Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    let mut rest = String::new();
    out.read_to_string(&mut rest).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(143));
    assert_eq!(server.changed("actions"), 3);
}

#[test]
fn a_poller_without_tasks_reports_it_once_and_reports_when_tasks_come() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(&["--scenario", "seed", "--tasks", "2"]);
    let library = c_agent(dir.path(), "noop", &[]);
    let mut child = command(dir.path())
        .args(["run", "--progress", "plain", "--refresh-every", "1"])
        .args(["--project-hash", &server.project(), "--agents"])
        .arg(&library)
        .envs(server.env())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut errors = BufReader::new(child.stderr.take().unwrap()).lines();
    let until = |errors: &mut dyn Iterator<Item = std::io::Result<String>>, wanted: &str| {
        let mut before = Vec::new();
        for line in errors.map(Result::unwrap) {
            if line.contains(wanted) {
                return before;
            }
            before.push(line);
        }
        panic!("never printed: {wanted}; it printed {before:?}")
    };
    until(&mut errors, "no task is waiting; looking again every 1 s");
    let asked = || {
        server.admin("/local/counters")["requests"]
            .as_u64()
            .unwrap()
    };
    let before = asked();
    let deadline = Instant::now() + Duration::from_secs(60);
    // Two more passes that find nothing.
    while asked() < before + 2 {
        assert!(Instant::now() < deadline, "it looks no more");
    }
    let tasks = server.tasks();
    let tasks: Vec<&Value> = tasks.iter().map(|t| &t["uuid"]).collect();
    server.post(
        "/local/move",
        &json!({"tasks": tasks, "stage": "Agent 1", "by": "ann@example.com"}),
    );
    let printed = until(&mut errors, "tasks have come");
    assert!(printed.is_empty(), "it printed while idle: {printed:?}");
    until(&mut errors, "no task is waiting");
    rustix::process::kill_process(
        rustix::process::Pid::from_child(&child),
        rustix::process::Signal::INT,
    )
    .unwrap();
    let rest: Vec<String> = errors.map(Result::unwrap).collect();
    assert!(
        rest.iter().any(|l| l.starts_with("4 tasks in ")),
        "{rest:?}"
    );
    assert_eq!(child.wait().unwrap().code(), Some(130));
}

/// A project whose first agent stage leads to a second one.
fn relay(dir: &Path, first: &str) -> (Server, PathBuf) {
    let id = |n: u32| format!("00000000-0000-4000-8000-00000000000{n}");
    let agent = |n: u32, title: &str, way: &str, to: u32| {
        json!({"uuid": id(n), "nodeType": "AGENT", "title": title, "pathways": [
            {"uuid": id(n + 5), "name": way, "targetNode": id(to)}]})
    };
    let workflow = json!({"graphNodes": [
        {"uuid": id(0), "nodeType": "START", "toNode": id(1)},
        agent(1, "First", "on", 2),
        agent(2, "Second", "complete", 3),
        {"uuid": id(3), "nodeType": "DONE", "nodeSubtype": "COMPLETED", "title": "Complete"},
    ]});
    let file = dir.join("workflow.json");
    std::fs::write(&file, workflow.to_string()).unwrap();
    let server = Server::start(&["--import-workflow", file.to_str().unwrap(), "--tasks", "7"]);
    let library = c_agent(dir, "relay", &[&c_text("FIRST", first)]);
    (server, library)
}

fn stages(server: &Server) -> BTreeSet<String> {
    let tasks = server.tasks();
    tasks
        .iter()
        .map(|t| t["stage"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn a_plan_follows_tasks_to_the_next_stage_and_apply_writes_both_steps() {
    let dir = tempfile::tempdir().unwrap();
    let (server, library) = relay(dir.path(), &format!(r#"{{"route":"on",{BOX}}}"#));
    let planned = plan(dir.path(), &server, &library, &[]);
    assert_eq!(planned.status.code(), Some(0), "{}", stderr(&planned));
    assert!(
        stderr(&planned).contains("14 outcomes"),
        "{}",
        stderr(&planned)
    );
    assert_eq!(server.writes(), 0);
    let shown = workbench(dir.path(), &server, &["review", "p.wbplan"]);
    let shown = String::from_utf8_lossy(&shown.stdout).into_owned();
    assert!(
        shown.contains("Second (after an outcome of this plan)"),
        "{shown}"
    );
    let applied = workbench(dir.path(), &server, &["apply", "p.wbplan", "--json"]);
    assert_eq!(applied.status.code(), Some(0), "{}", stderr(&applied));
    assert_eq!(lines(&applied).1["moved"], 14);
    assert_eq!(stages(&server), BTreeSet::from(["Complete".to_owned()]));
    assert_eq!(
        (server.changed("actions"), server.changed("save_labels")),
        (14, 7)
    );
    let writes = server.writes();
    let again = workbench(dir.path(), &server, &["apply", "p.wbplan", "--json"]);
    assert_eq!(lines(&again).1["applied_earlier"], 14, "{}", stderr(&again));
    assert_eq!(server.writes(), writes, "a second apply sends nothing");
    // Both steps go back the way they came.
    let undone = workbench(dir.path(), &server, &["undo", "--json"]);
    assert_eq!(undone.status.code(), Some(0), "{}", stderr(&undone));
    assert_eq!(lines(&undone).1["restored"], 14);
    assert_eq!(stages(&server), BTreeSet::from(["First".to_owned()]));
}

#[test]
fn a_step_that_follows_is_left_when_the_one_before_it_was_not_written() {
    let dir = tempfile::tempdir().unwrap();
    let (server, library) = relay(dir.path(), &format!(r#"{{"route":"on",{BOX}}}"#));
    plan(dir.path(), &server, &library, &[]);
    let task = server.tasks()[2].clone();
    let edit = json!({"data_hash": task["data_hash"], "by": "ann@example.com"});
    server.post("/local/edit", &edit);
    let applied = workbench(dir.path(), &server, &["apply", "p.wbplan", "--json"]);
    assert_eq!(applied.status.code(), Some(5), "{}", stderr(&applied));
    let summary = lines(&applied).1;
    assert_eq!(
        (&summary["moved"], &summary["conflicts"]),
        (&json!(12), &json!(2))
    );
    assert_eq!(server.changed("actions"), 12);
}

#[test]
fn a_dry_run_gives_the_outcomes_of_a_run_over_all_its_stages() {
    let outcomes = |args: &[&str]| {
        let dir = tempfile::tempdir().unwrap();
        let (server, library) = relay(dir.path(), &format!(r#"{{"route":"on",{BOX}}}"#));
        let output = run(dir.path(), &server, &library, args);
        let (all, summary) = lines(&output);
        let line = |l: &Value| {
            let text = |key: &str| l[key].to_string();
            (
                text("data_title"),
                text("stage_uuid"),
                text("outcome"),
                text("pathway_name"),
            )
        };
        let lines: BTreeSet<_> = all.iter().map(line).collect();
        (lines, summary["writes"] == 0)
    };
    let (real, silent) = outcomes(&[]);
    assert!(!silent && real.len() == 14);
    assert_eq!(outcomes(&["--dry-run"]), (real, true));
}
