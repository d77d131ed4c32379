//! Plans that are not what was reviewed: edited, damaged, or for a world that is another one by now.

use crate::support::{Server, c_agent, c_text, fed, lines, plan, stderr, workbench};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// An agent that changes everything that can be changed.
fn writer(dir: &Path) -> PathBuf {
    let outcome = r#"{"route":"complete","priority":0.25,"client_metadata":{"seen":true},"add":[{"name":"Car","boundingBox":{"x":0.1,"y":0.2,"w":0.3,"h":0.4}}]}"#;
    c_agent(dir, "noop", &[&c_text("OUTCOME", outcome), "NEEDS=2"])
}

/// The lines of a plan.
fn unpacked(path: &Path) -> String {
    let output = std::process::Command::new("gzip")
        .arg("-dc")
        .stdin(std::fs::File::open(path).unwrap())
        .output()
        .unwrap();
    String::from_utf8(output.stdout).unwrap()
}

fn pack(path: &Path, text: &str) {
    let packed = fed(std::process::Command::new("gzip").arg("-c"), text);
    assert!(packed.status.success());
    std::fs::write(path, packed.stdout).unwrap();
}

#[test]
fn an_edited_plan_is_neither_shown_nor_applied() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(&["--scenario", "seed", "--tasks", "4"]);
    plan(dir.path(), &server, &writer(dir.path()), &[]);
    let text = unpacked(&dir.path().join("p.wbplan"));
    let lines: Vec<&str> = text.lines().collect();
    let doubled = [&lines[..2], &lines[1..]].concat().join("\n") + "\n";
    let missing = [&lines[..1], &lines[2..]].concat().join("\n") + "\n";
    let endless = lines[..lines.len() - 1].join("\n") + "\n";
    for (what, edited) in [
        ("a label", text.replacen("0.1", "0.9", 1)),
        ("every label", text.replace("\"x\":0.1", "\"x\":0.5")),
        ("a priority", text.replacen("0.25", "0.75", 1)),
        ("doubled", doubled),
        ("missing", missing),
        ("without its end", endless),
    ] {
        assert_ne!(edited, text, "{what}");
        pack(&dir.path().join("e.wbplan"), &edited);
        for args in [
            &["review", "e.wbplan", "--diff"][..],
            &["review", "e.wbplan", "--json"],
            &["apply", "e.wbplan"],
            &["apply", "e.wbplan", "--dry-run"],
        ] {
            let output = workbench(dir.path(), &server, args);
            assert_eq!(output.status.code(), Some(3), "{what}: {}", stderr(&output));
            assert!(
                stderr(&output).contains("e.wbplan cannot be used"),
                "{}",
                stderr(&output)
            );
            assert!(output.stdout.is_empty(), "{what} {args:?}");
        }
    }
    assert_eq!(server.writes(), 0);
    // Packed again it is the same plan.
    pack(&dir.path().join("e.wbplan"), &text);
    let output = workbench(dir.path(), &server, &["apply", "e.wbplan"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
}

#[test]
fn a_plan_for_another_project_or_platform_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    // The same project, on two platforms.
    let scenario = ["--scenario", "seed", "--tasks", "4"];
    let (server, other) = (Server::start(&scenario), Server::start(&scenario));
    assert_eq!(server.project(), other.project());
    plan(dir.path(), &server, &writer(dir.path()), &[]);
    for command in ["review", "apply"] {
        let output = workbench(dir.path(), &other, &[command, "p.wbplan"]);
        assert_eq!(output.status.code(), Some(3), "{}", stderr(&output));
        for server in [&server, &other] {
            let name = server.field("domain").replace("http://", "");
            assert!(stderr(&output).contains(&name), "{}", stderr(&output));
        }
        let output = crate::support::command(dir.path())
            .args([
                command,
                "p.wbplan",
                "-p",
                "00000000-0000-0000-0000-00000000dead",
            ])
            .envs(server.env())
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
        assert!(
            stderr(&output).contains(&server.project()),
            "{}",
            stderr(&output)
        );
    }
    assert_eq!((server.writes(), other.writes()), (0, 0));
    // Reviewing needs neither a platform nor a project.
    let output = crate::support::command(dir.path())
        .args(["review", "p.wbplan"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
}

/// A project of three images with fixed identities, but for what is given.
fn world(dir: &Path, name: &str, item: u32, pathway: &str, end: u32) -> PathBuf {
    let id = |kind: u32, n: u32| format!("{kind:08x}-0000-4000-8000-{n:012x}");
    let images: Vec<Value> = (1..4)
        .map(|n| json!({"type": "image", "title": format!("i_{n}.jpg"), "id": id(0xd0, n), "itemId": id(item, n)}))
        .collect();
    let nodes = json!([
        {"uuid": id(0xa0, 1), "nodeType": "START", "toNode": id(0xa0, 2)},
        {"uuid": id(0xa0, 2), "nodeType": "AGENT", "title": "Agent 1", "pathways": [
            {"uuid": id(0xa0, 3), "name": pathway, "targetNode": id(0xa0, end)}]},
        {"uuid": id(0xa0, 4), "nodeType": "DONE", "title": "Complete", "nodeSubtype": "COMPLETED"},
        {"uuid": id(0xa0, 5), "nodeType": "DONE", "title": "Archive", "nodeSubtype": "ARCHIVED"},
    ]);
    let world = json!({
        "workflowTemplates": [{"title": "W", "graphNodes": nodes}],
        "datasets": [{"title": "D", "id": id(0xb0, 1), "items": images}],
        "projects": [{"title": "P", "id": id(0xc0, 1)}],
    });
    let file = dir.join(name);
    std::fs::write(&file, world.to_string()).unwrap();
    file
}

#[test]
fn tasks_whose_storage_item_or_pathway_is_another_one_by_now_are_left() {
    let dir = tempfile::tempdir().unwrap();
    let outcome = r#"{"route":"complete","client_metadata":{"seen":true}}"#;
    let library = c_agent(
        dir.path(),
        "noop",
        &[&c_text("OUTCOME", outcome), "NEEDS=2"],
    );
    let serve = |file: &Path, port: &str| {
        Server::start(&["--scenario-file", file.to_str().unwrap(), "--port", port])
    };
    let server = serve(&world(dir.path(), "planned.json", 0xe0, "complete", 4), "0");
    let planned = plan(dir.path(), &server, &library, &[]);
    assert_eq!(planned.status.code(), Some(0), "{}", stderr(&planned));
    let port = server
        .field("domain")
        .rsplit(':')
        .next()
        .unwrap()
        .to_owned();
    drop(server);
    for (name, item, pathway, end, why) in [
        ("item", 0xe1, "complete", 4, "another storage item"),
        ("name", 0xe0, "done", 4, "was changed or removed"),
        ("end", 0xe0, "complete", 5, "was changed or removed"),
        ("same", 0xe0, "complete", 4, ""),
    ] {
        let server = serve(&world(dir.path(), "now.json", item, pathway, end), &port);
        let output = workbench(dir.path(), &server, &["apply", "p.wbplan", "--json"]);
        let (tasks, summary) = lines(&output);
        let errors = stderr(&output);
        match why {
            "" => assert_eq!(
                (output.status.code(), &summary["moved"]),
                (Some(0), &json!(3)),
                "{errors}"
            ),
            why => {
                assert_eq!(
                    (output.status.code(), &summary["conflicts"]),
                    (Some(5), &json!(3)),
                    "{name}: {errors}"
                );
                for task in tasks {
                    let summary = task["fault"]["summary"].as_str().unwrap();
                    assert!(summary.contains(why), "{name}: {summary}");
                }
                assert_eq!(server.writes(), 0, "{name}");
            }
        }
    }
}
