//! Plans, journal and undo: what was reviewed is what is written, once, and can be taken back.

use crate::support::{Server, c_agent, c_text, lines, plan, stderr, workbench};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// What a writing agent gives: a box, a priority, metadata, and a route.
const ALL: &str = r#"{"route":"complete","priority":0.25,"client_metadata":{"seen":true},"add":[{"name":"Car","boundingBox":{"x":0.1,"y":0.2,"w":0.3,"h":0.4}}]}"#;

/// An agent that changes everything that can be changed.
fn writer(dir: &Path) -> PathBuf {
    c_agent(dir, "noop", &[&c_text("OUTCOME", ALL), "NEEDS=2"])
}

fn summary(output: &std::process::Output) -> Value {
    lines(output).1
}

/// Stage and priority of each data unit.
fn places(server: &Server) -> BTreeMap<String, (String, String)> {
    let tasks = server.tasks();
    let text = |t: &Value, key: &str| t[key].to_string();
    tasks
        .iter()
        .map(|t| {
            (
                text(t, "data_hash"),
                (text(t, "stage"), text(t, "priority")),
            )
        })
        .collect()
}

#[test]
fn a_plan_is_applied_once_and_taken_back_whole() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(&["--scenario", "seed", "--tasks", "500"]);
    let library = writer(dir.path());
    let before = places(&server);
    let planned = plan(dir.path(), &server, &library, &["--exit-code"]);
    assert_eq!(planned.status.code(), Some(4), "{}", stderr(&planned));
    assert_eq!(server.writes(), 0, "a plan writes nothing");
    let first = workbench(dir.path(), &server, &["apply", "p.wbplan", "--json"]);
    assert_eq!(first.status.code(), Some(0), "{}", stderr(&first));
    assert_eq!(summary(&first)["moved"], 500);
    assert_eq!(
        (server.changed("actions"), server.changed("save_labels")),
        (500, 500)
    );
    let writes = server.writes();
    let second = workbench(dir.path(), &server, &["apply", "p.wbplan", "--json"]);
    assert_eq!(second.status.code(), Some(0));
    assert_eq!(summary(&second)["applied_earlier"], 500);
    assert!(
        stderr(&second).contains("applied already"),
        "{}",
        stderr(&second)
    );
    assert_eq!(server.writes(), writes, "a second apply sends nothing");
    assert_ne!(places(&server), before);
    let undone = workbench(dir.path(), &server, &["undo", "--json"]);
    assert_eq!(undone.status.code(), Some(0), "{}", stderr(&undone));
    assert_eq!(summary(&undone)["restored"], 500);
    assert_eq!(places(&server), before);
    // The rows are as the agent saw them at first: it plans the very same changes again.
    let review = |file: &str| {
        let output = workbench(dir.path(), &server, &["review", file, "--json"]);
        let (all, _) = lines(&output);
        let strip = |l: &Value| {
            (
                l["task_uuid"].to_string(),
                l["patch"]["priority"].to_string(),
                l["patch"]["labels"].as_array().map(Vec::len),
            )
        };
        // The platform may list tasks that came back in another order.
        all.iter().skip(1).map(strip).collect::<BTreeSet<_>>()
    };
    let was = review("p.wbplan");
    plan(dir.path(), &server, &library, &[]);
    assert_eq!(review("p.wbplan"), was);
}

#[test]
fn an_undo_of_an_undo_is_a_redo() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(&["--scenario", "seed", "--tasks", "12"]);
    let library = writer(dir.path());
    plan(dir.path(), &server, &library, &[]);
    workbench(dir.path(), &server, &["apply", "p.wbplan"]);
    let applied = server.tasks();
    let before = places(&server);
    workbench(dir.path(), &server, &["undo"]);
    assert_ne!(places(&server), before);
    let ops = workbench(dir.path(), &server, &["journal", "--json"]);
    let ops: Vec<Value> = String::from_utf8_lossy(&ops.stdout)
        .lines()
        .map(|l| serde_json::from_str(l).unwrap())
        .collect();
    assert_eq!(
        (&ops[0]["kind"], &ops[0]["undone"], &ops[1]["undoes"]),
        (&json!("apply"), &json!(12), &ops[0]["op"])
    );
    let redo = workbench(
        dir.path(),
        &server,
        &["undo", &ops[1]["op"].to_string(), "--json"],
    );
    assert_eq!(summary(&redo)["restored"], 12, "{}", stderr(&redo));
    assert_eq!(places(&server), before);
    assert!(
        server
            .tasks()
            .iter()
            .zip(&applied)
            .all(|(a, b)| a["labels"].is_string() == b["labels"].is_string())
    );
}

#[test]
fn an_undo_names_and_leaves_what_others_changed_since() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(&["--scenario", "seed", "--tasks", "10"]);
    plan(dir.path(), &server, &writer(dir.path()), &[]);
    workbench(dir.path(), &server, &["apply", "p.wbplan"]);
    let tasks = server.tasks();
    server.post(
        "/local/edit",
        &json!({"data_hash": tasks[3]["data_hash"], "by": "ann@example.com"}),
    );
    server.post(
        "/local/move",
        &json!({"tasks": [tasks[5]["uuid"]], "stage": "Agent 1", "by": "bob@example.com"}),
    );
    let undone = workbench(dir.path(), &server, &["undo", "--json"]);
    assert_eq!(undone.status.code(), Some(5), "{}", stderr(&undone));
    let (all, summary) = lines(&undone);
    assert_eq!(
        (&summary["restored"], &summary["skipped"]),
        (&json!(8), &json!(2))
    );
    let skipped: BTreeMap<String, String> = all
        .iter()
        .filter(|l| l["outcome"] == "skipped")
        .map(|l| (l["data_hash"].to_string(), l["reason"].to_string()))
        .collect();
    assert!(skipped[&tasks[3]["data_hash"].to_string()].contains("labels were changed"));
    assert!(skipped[&tasks[5]["data_hash"].to_string()].contains("no longer at"));
}

#[test]
fn what_changed_after_the_plan_is_left_with_exit_code_5() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(&["--scenario", "seed", "--tasks", "10"]);
    // This agent reads labels and only routes: its outcome rests on what it read.
    let library = c_agent(dir.path(), "noop", &["NEEDS=1"]);
    plan(dir.path(), &server, &library, &[]);
    let tasks = server.tasks();
    server.post(
        "/local/edit",
        &json!({"data_hash": tasks[2]["data_hash"], "by": "ann@example.com"}),
    );
    let applied = workbench(dir.path(), &server, &["apply", "p.wbplan", "--json"]);
    assert_eq!(applied.status.code(), Some(5), "{}", stderr(&applied));
    let (all, summary) = lines(&applied);
    assert_eq!(
        (&summary["moved"], &summary["conflicts"]),
        (&json!(9), &json!(1))
    );
    let left = all.iter().find(|l| l["outcome"] == "conflict").unwrap();
    assert_eq!(left["data_hash"], tasks[2]["data_hash"]);
    assert_eq!(server.changed("actions"), 9);
}

#[test]
fn a_part_of_a_plan_is_applied_now_and_the_rest_later() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(&["--scenario", "seed", "--tasks", "20"]);
    plan(dir.path(), &server, &c_agent(dir.path(), "noop", &[]), &[]);
    let title = server.tasks()[7]["data_title"].as_str().unwrap().to_owned();
    let only = format!("\"{title}\"");
    let one = workbench(
        dir.path(),
        &server,
        &["apply", "p.wbplan", "--json", "--only", &only],
    );
    assert_eq!(summary(&one)["moved"], 1, "{}", stderr(&one));
    let rest = workbench(dir.path(), &server, &["apply", "p.wbplan", "--json"]);
    assert_eq!(
        (&summary(&rest)["moved"], &summary(&rest)["applied_earlier"]),
        (&json!(19), &json!(1))
    );
    assert_eq!(server.changed("actions"), 20);
}

#[test]
fn a_plan_applied_from_another_folder_is_not_applied_twice() {
    let (dir, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let server = Server::start(&["--scenario", "seed", "--tasks", "8"]);
    plan(dir.path(), &server, &writer(dir.path()), &[]);
    workbench(dir.path(), &server, &["apply", "p.wbplan"]);
    let writes = server.writes();
    let file = dir.path().join("p.wbplan");
    let again = workbench(
        other.path(),
        &server,
        &["apply", file.to_str().unwrap(), "--json"],
    );
    assert_eq!(
        (again.status.code(), summary(&again)["conflicts"].clone()),
        (Some(5), json!(8))
    );
    assert_eq!(server.writes(), writes);
}

#[test]
fn a_plan_that_was_cut_off_or_is_none_writes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(&["--scenario", "seed", "--tasks", "30"]);
    plan(dir.path(), &server, &writer(dir.path()), &[]);
    let whole = std::fs::read(dir.path().join("p.wbplan")).unwrap();
    std::fs::write(dir.path().join("half.wbplan"), &whole[..whole.len() / 2]).unwrap();
    std::fs::write(dir.path().join("text.wbplan"), "hello").unwrap();
    for (file, code) in [("half.wbplan", 3), ("text.wbplan", 2), ("absent.wbplan", 2)] {
        for command in ["apply", "review"] {
            let output = workbench(dir.path(), &server, &[command, file]);
            assert_eq!(
                output.status.code(),
                Some(code),
                "{file}: {}",
                stderr(&output)
            );
            assert!(stderr(&output).contains(file), "{}", stderr(&output));
            assert!(output.stdout.is_empty(), "{command} {file}");
        }
    }
    assert_eq!(server.writes(), 0);
}
