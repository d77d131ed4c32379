//! `workbench run`: every task accounted for, once, whatever happens.

use crate::support::{Server, c_agent, command, lines, run, sample_agents, stderr, workbench};
use serde_json::Value;
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::process::Stdio;

fn outcomes(lines: &[Value]) -> BTreeMap<String, String> {
    let text = |v: &Value| v.as_str().unwrap_or("-").to_owned();
    lines
        .iter()
        .map(|l| {
            (
                text(&l["task_uuid"]),
                format!("{} {}", text(&l["outcome"]), text(&l["pathway_name"])),
            )
        })
        .collect()
}

#[test]
fn a_dry_run_has_the_same_outcomes_as_the_run_after_it_and_writes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(&["--scenario", "demo", "--tasks", "60"]);
    let library = sample_agents();
    let dry = run(dir.path(), &server, &library, &["--dry-run"]);
    let (dry_lines, dry_summary) = lines(&dry);
    assert_eq!(
        (server.writes(), &dry_summary["writes"]),
        (0, &Value::from(0))
    );
    assert!(dry_lines.iter().any(|l| {
        l["patch"]["labels"]
            .as_array()
            .is_some_and(|p| !p.is_empty())
    }));
    let live = run(dir.path(), &server, &library, &[]);
    let (live_lines, live_summary) = lines(&live);
    assert_eq!(
        live.status.code(),
        Some(0),
        "{}",
        String::from_utf8_lossy(&live.stderr)
    );
    assert_eq!(outcomes(&dry_lines), outcomes(&live_lines));
    assert!(server.writes() > 0);
    assert_eq!(live_summary["failed"], 0);
    let again = run(dir.path(), &server, &library, &[]);
    assert_eq!(
        lines(&again).1["tasks"],
        0,
        "a second run finds the queues empty"
    );
}

#[test]
fn a_wrong_pathway_costs_its_own_task_only() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(&["--scenario", "seed", "--tasks", "40"]);
    let all = run(
        dir.path(),
        &server,
        &c_agent(dir.path(), "noop", &[]),
        &["--dry-run"],
    );
    let victim = lines(&all).0[17]["task_uuid"].as_str().unwrap().to_owned();
    let library = c_agent(dir.path(), "picky", &[&format!("WORD=\"{victim}\"")]);
    let output = run(dir.path(), &server, &library, &[]);
    let (tasks, summary) = lines(&output);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(
        (&summary["moved"], &summary["failed"]),
        (&Value::from(39), &Value::from(1))
    );
    let failed: Vec<&Value> = tasks.iter().filter(|t| t["outcome"] == "failed").collect();
    assert_eq!(failed[0]["task_uuid"], victim.as_str());
    assert_eq!(
        failed[0]["attempts"], 1,
        "a wrong pathway is not tried again"
    );
    assert!(
        failed[0]["fault"]["summary"]
            .as_str()
            .unwrap()
            .contains("complete")
    );
}

#[test]
fn a_limit_and_a_batch_size_are_kept_exactly() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(&["--scenario", "seed", "--tasks", "50", "--page-size", "7"]);
    let library = c_agent(dir.path(), "noop", &[]);
    let args = ["--max-tasks-per-stage", "13", "--task-batch-size", "4"];
    let (tasks, summary) = lines(&run(dir.path(), &server, &library, &args));
    assert_eq!((tasks.len(), &summary["moved"]), (13, &Value::from(13)));
    let (rest, _) = lines(&run(dir.path(), &server, &library, &["-j", "4"]));
    assert_eq!(rest.len(), 37);
}

/// Tasks by stage, as the server's own database has them.
fn stages(server: &Server) -> BTreeMap<String, usize> {
    let mut found = BTreeMap::new();
    for task in server.admin("/local/state")["tasks"].as_array().unwrap() {
        *found
            .entry(task["stage"].as_str().unwrap().to_owned())
            .or_default() += 1;
    }
    found
}

#[test]
fn a_run_killed_in_the_middle_loses_nothing_and_repeats_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(&["--scenario", "demo", "--tasks", "120"]);
    let library = sample_agents();
    let before = stages(&server);
    let mut child = command(dir.path())
        .args([
            "run",
            "--json",
            "--progress",
            "none",
            "--task-batch-size",
            "10",
            "--project-hash",
        ])
        .arg(server.project())
        .arg("--agents")
        .arg(&library)
        .envs(server.env())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut reader = BufReader::new(child.stdout.take().unwrap()).lines();
    for _ in 0..25 {
        reader.next().unwrap().unwrap();
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let output = run(dir.path(), &server, &library, &["--task-batch-size", "10"]);
    assert_eq!(
        output.status.code(),
        Some(0),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let after = stages(&server);
    assert_eq!(
        (after.get("pre-label"), after.get("route")),
        (None, None),
        "{after:?}"
    );
    let moved = before["pre-label"] + before["route"];
    let changed = |endpoint: &str| {
        server.admin("/local/counters")["endpoints"][endpoint]["changed"]
            .as_u64()
            .unwrap()
    };
    assert_eq!(
        changed("actions"),
        moved as u64,
        "every task moved, and none twice"
    );
}

#[test]
fn ctrl_c_ends_in_good_order_with_its_exit_code() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(&["--scenario", "seed", "--tasks", "3000", "--latency", "20ms"]);
    let library = c_agent(dir.path(), "noop", &[]);
    let mut child = command(dir.path())
        .args([
            "run",
            "--json",
            "--progress",
            "none",
            "--task-batch-size",
            "5",
            "--project-hash",
        ])
        .arg(server.project())
        .arg("--agents")
        .arg(&library)
        .envs(server.env())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut reader = BufReader::new(child.stdout.take().unwrap()).lines();
    reader.next().unwrap().unwrap();
    let pid = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
    let rest: Vec<String> = reader.map(Result::unwrap).collect();
    assert_eq!(child.wait().unwrap().code(), Some(130));
    let summary: Value = serde_json::from_str(rest.last().unwrap()).unwrap();
    let moved = summary["summary"]["moved"].as_u64().unwrap();
    assert!(moved < 3000);
    let (after, _) = lines(&run(dir.path(), &server, &library, &["--dry-run"]));
    assert_eq!(
        after.len() as u64 + moved,
        3000,
        "every task is either moved or where it was"
    );
}

#[test]
fn both_names_of_the_founding_texts_stage_bind() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(&["--scenario", "seed", "--tasks", "6"]);
    for stage in ["Agent 1", "6011c844-fb26-438b-b465-0b0825951015"] {
        let library = c_agent(dir.path(), "noop", &[&format!("STAGE=\"{stage}\"")]);
        let (tasks, _) = lines(&run(dir.path(), &server, &library, &["--dry-run"]));
        assert_eq!(tasks.len(), 6);
        assert!(
            tasks
                .iter()
                .all(|t| t["pathway_uuid"] == "49a786f3-5edf-4b94-aff0-3da9042d3bf0")
        );
    }
}

#[test]
fn an_outage_is_reported_while_it_lasts_and_so_is_its_end() {
    for (form, shown) in [("plain", true), ("bar", true), ("none", false)] {
        let dir = tempfile::tempdir().unwrap();
        let server = Server::start(&[
            "--scenario",
            "seed",
            "--tasks",
            "20",
            "--fault",
            "actions:429/3s*1",
        ]);
        let library = c_agent(dir.path(), "noop", &[]);
        let agents = library.to_str().unwrap();
        let args = ["run", "--agents", agents, "--progress", form];
        let ran = workbench(dir.path(), &server, &args);
        let text = stderr(&ran);
        assert_eq!(ran.status.code(), Some(0), "{text}");
        let waits = text.find("waiting for the platform: ");
        let answers = text.find("the platform answers again, after 3");
        assert_eq!(waits.is_some() && waits < answers, shown, "{form}: {text}");
    }
}

#[test]
fn the_log_of_a_verbose_run_has_requests_and_no_connections() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(&["--scenario", "seed", "--tasks", "20"]);
    let library = c_agent(dir.path(), "noop", &[]);
    let log = dir.path().join("run.log");
    let ran = run(
        dir.path(),
        &server,
        &library,
        &["-v", "--log-file", log.to_str().unwrap()],
    );
    assert_eq!(ran.status.code(), Some(0), "{}", stderr(&ran));
    let text = std::fs::read_to_string(log).unwrap();
    assert!(text.contains("DEBUG wb_client::http: answered"), "{text}");
    assert!(!text.contains("hyper_util"), "{text}");
}
