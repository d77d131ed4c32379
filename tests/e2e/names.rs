//! Names that several things have, or that only look the same: nothing is chosen for a person.

use crate::support::{Server, c_agent, c_text, command, fed, lines, run, stderr, workbench};
use serde_json::{Value, json};
use std::path::Path;
use std::process::{Command, Output, Stdio};

const STAGES: [&str; 2] = [
    "60110000-0000-4000-8000-000000000001",
    "60110000-0000-4000-8000-000000000002",
];
pub const PATHWAYS: [&str; 3] = [
    "49a70000-0000-4000-8000-000000000000",
    "49a70000-0000-4000-8000-000000000001",
    "49a70000-0000-4000-8000-000000000002",
];
const ENDS: [&str; 2] = [
    "7e750000-0000-4000-8000-000000000001",
    "7e750000-0000-4000-8000-000000000002",
];

/// A server whose first agent stage has these pathways, to two ends in turn; every stage is called so.
pub fn serve(dir: &Path, titles: &[&str], pathways: &[&str]) -> Server {
    let items = json!([{"type": "image", "title": "i_##.jpg", "count": 3}]);
    serve_items(dir, titles, pathways, &items)
}

fn serve_items(dir: &Path, titles: &[&str], pathways: &[&str], items: &Value) -> Server {
    let mut nodes = vec![
        json!({"uuid": "44dc0000-0000-4000-8000-000000000001", "nodeType": "START", "toNode": STAGES[0]}),
    ];
    for (n, title) in titles.iter().enumerate() {
        let ways: Vec<Value> = match n {
            0 => (pathways.iter().enumerate())
                .map(|(i, name)| json!({"uuid": PATHWAYS[i], "name": name, "targetNode": ENDS[i % 2]}))
                .collect(),
            _ => vec![json!({"uuid": "49a70000-0000-4000-8000-0000000000ff", "name": "on", "targetNode": ENDS[0]})],
        };
        nodes.push(
            json!({"uuid": STAGES[n], "nodeType": "AGENT", "title": title, "pathways": ways}),
        );
    }
    nodes.push(json!({"uuid": ENDS[0], "nodeType": "DONE", "title": "Complete", "nodeSubtype": "COMPLETED"}));
    nodes.push(
        json!({"uuid": ENDS[1], "nodeType": "DONE", "title": "Archive", "nodeSubtype": "ARCHIVED"}),
    );
    let world = json!({
        "workflowTemplates": [{"title": "W", "graphNodes": nodes}],
        "datasets": [{"title": "D", "items": items}],
        "projects": [{"title": "P"}],
    });
    let file = dir.join("world.json");
    std::fs::write(&file, world.to_string()).unwrap();
    Server::start(&["--scenario-file", file.to_str().unwrap()])
}

/// An agent for a stage that takes a route.
pub fn agent(dir: &Path, stage: &str, route: &str) -> std::path::PathBuf {
    let outcome = json!({"route": route}).to_string();
    c_agent(
        dir,
        "noop",
        &[&c_text("OUTCOME", &outcome), &c_text("STAGE", stage)],
    )
}

pub fn contains_all(output: &Output, words: &[&str]) {
    let text = format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        stderr(output)
    );
    for word in words {
        assert!(text.contains(word), "{word:?} is missing in:\n{text}");
    }
}

#[test]
fn a_route_that_two_pathways_are_called_is_refused_and_both_uuids_are_shown() {
    let dir = tempfile::tempdir().unwrap();
    let server = serve(dir.path(), &["pre-label"], &["done", "done"]);
    let output = run(
        dir.path(),
        &server,
        &agent(dir.path(), "pre-label", "done"),
        &[],
    );
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    contains_all(
        &output,
        &[
            "2 pathways are called \"done\"",
            "UUID",
            PATHWAYS[0],
            PATHWAYS[1],
        ],
    );
    assert_eq!(server.writes(), 0);
    // By its UUID each of them is taken, and is where the tasks go.
    for (pathway, end, task) in [
        (PATHWAYS[1], "Archive", "i_01.jpg"),
        (PATHWAYS[0], "Complete", "i_02.jpg"),
    ] {
        let library = agent(dir.path(), "pre-label", pathway);
        let output = run(dir.path(), &server, &library, &["--task", task]);
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        let (done, _) = lines(&output);
        assert_eq!(done[0]["pathway_uuid"], pathway);
        let tasks = server.tasks();
        let moved = tasks.iter().find(|t| t["data_title"] == task).unwrap();
        assert_eq!(moved["stage"], end, "{moved}");
    }
}

#[test]
fn a_plan_shows_which_of_two_pathways_with_one_name_is_written() {
    let dir = tempfile::tempdir().unwrap();
    let server = serve(dir.path(), &["pre-label"], &["done", "done"]);
    let library = agent(dir.path(), "pre-label", PATHWAYS[1]);
    crate::support::plan(dir.path(), &server, &library, &[]);
    let review = workbench(dir.path(), &server, &["review", "p.wbplan", "--diff"]);
    contains_all(&review, &[&format!("→ done ({})", PATHWAYS[1])]);
}

#[test]
fn a_title_that_two_stages_have_is_refused_and_both_uuids_are_shown() {
    let dir = tempfile::tempdir().unwrap();
    let server = serve(dir.path(), &["pre-label", "pre-label"], &["done"]);
    let by_uuid = agent(dir.path(), STAGES[0], "done");
    let agents = by_uuid.to_str().unwrap();
    let words = [
        "2 stages are called \"pre-label\"",
        "UUID",
        STAGES[0],
        STAGES[1],
    ];
    for args in [
        &["run", "--stage", "pre-label", "-a", agents][..],
        &[
            "plan",
            "-o",
            "p.wbplan",
            "--stage",
            "pre-label",
            "-a",
            agents,
        ],
        &["exec", "--stage", "pre-label", "-a", agents],
        &["tasks", "--stage", "pre-label"],
    ] {
        let output = workbench(dir.path(), &server, args);
        assert_eq!(
            output.status.code(),
            Some(3),
            "{args:?}: {}",
            stderr(&output)
        );
        contains_all(&output, &words);
    }
    let tasks = workbench(dir.path(), &server, &["tasks", "--stage", STAGES[0]]);
    assert_eq!(String::from_utf8_lossy(&tasks.stdout).lines().count(), 3);
    std::fs::write(
        dir.path().join("workbench.toml"),
        "[params.pre-label]\nx = 1\n",
    )
    .unwrap();
    // An agent that names the title is for neither of them.
    let by_title = agent(dir.path(), "pre-label", "done");
    for command in ["run", "check"] {
        let output = workbench(
            dir.path(),
            &server,
            &[command, "-a", by_title.to_str().unwrap()],
        );
        assert_eq!(output.status.code(), Some(3), "{}", stderr(&output));
        contains_all(&output, &words);
    }
    assert_eq!(server.writes(), 0);
}

#[test]
fn names_that_only_look_the_same_are_shown_with_their_difference() {
    for (title, asked, shown) in [
        ("pre-label ", "pre-label", "\"pre-label\\u{20}\""),
        ("pre\u{a0}label", "pre label", "\"pre\\u{a0}label\""),
        ("pre\u{200b}label", "prelabel", "\"pre\\u{200b}label\""),
        ("cafe\u{301}", "caf\u{e9}", "\"cafe\\u{301}\""),
    ] {
        let dir = tempfile::tempdir().unwrap();
        let server = serve(dir.path(), &[title], &[title, "other"]);
        let library = agent(dir.path(), asked, "other");
        let agents = library.to_str().unwrap();
        for args in [
            &["run", "-a", agents][..],
            &["check", "-a", agents],
            &["tasks", "--stage", asked],
        ] {
            let output = workbench(dir.path(), &server, args);
            assert_eq!(
                output.status.code(),
                Some(3),
                "{args:?}: {}",
                stderr(&output)
            );
            contains_all(&output, &[shown]);
        }
        let library = agent(dir.path(), title, asked);
        let output = run(dir.path(), &server, &library, &[]);
        assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
        contains_all(
            &output,
            &[&format!(
                "did the agent mean {}",
                shown.replace('\\', "\\\\").replace('"', "\\\"")
            )],
        );
        // Parameters for a stage of another name are noted.
        std::fs::write(
            dir.path().join("workbench.toml"),
            format!("[params.\"{asked}\"]\nx = 1\n"),
        )
        .unwrap();
        let output = workbench(
            dir.path(),
            &server,
            &["check", "-a", library.to_str().unwrap()],
        );
        contains_all(&output, &["no stage takes the parameters", shown]);
        // To the letter it is found.
        let tasks = workbench(dir.path(), &server, &["tasks", "--stage", title]);
        assert_eq!(
            String::from_utf8_lossy(&tasks.stdout).lines().count(),
            3,
            "{}",
            stderr(&tasks)
        );
    }
}

#[test]
fn a_spec_for_a_stage_is_not_read_when_the_title_is_not_the_only_one() {
    let dir = tempfile::tempdir().unwrap();
    let server = serve(dir.path(), &["pre-label", "pre-label"], &["done"]);
    let library = agent(dir.path(), STAGES[0], "done");
    let output = command(dir.path())
        .args([
            "exec",
            "--stage",
            STAGES[0],
            "-p",
            &server.project(),
            "-a",
            library.to_str().unwrap(),
        ])
        .envs(server.env())
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
}

#[test]
fn a_title_that_several_tasks_have_is_refused_and_their_uuids_are_shown() {
    let dir = tempfile::tempdir().unwrap();
    let image = |title: &str| json!({"type": "image", "title": title});
    let items = json!([
        image("a.jpg"),
        image("a.jpg"),
        image("once.jpg"),
        image("two\u{a0}words.jpg"),
        image("end.jpg ")
    ]);
    let server = serve_items(dir.path(), &["pre-label"], &["done"], &items);
    let library = agent(dir.path(), "pre-label", "done");
    let agents = library.to_str().unwrap();
    let tasks = server.tasks();
    let of = |title: &str| -> Vec<String> {
        let named = tasks.iter().filter(|t| t["data_title"] == title);
        named
            .map(|t| t["uuid"].as_str().unwrap().to_owned())
            .collect()
    };
    let same = of("a.jpg");
    for args in [
        &["run", "--task", "a.jpg", "-a", agents][..],
        &[
            "run", "-n", "--task", "once.jpg", "--task", "a.jpg", "-a", agents,
        ],
        &[
            "run",
            "--refresh-every",
            "1",
            "--task",
            "a.jpg",
            "-a",
            agents,
        ],
        &["plan", "-o", "p.wbplan", "--task", "a.jpg", "-a", agents],
    ] {
        let output = workbench(dir.path(), &server, args);
        assert_eq!(
            output.status.code(),
            Some(3),
            "{args:?}: {}",
            stderr(&output)
        );
        let hint = "--filter 'title:\"a.jpg\"'";
        contains_all(
            &output,
            &[
                "2 tasks are called \"a.jpg\"",
                "UUID",
                &same[0],
                &same[1],
                hint,
            ],
        );
    }
    assert_eq!(server.writes(), 0);
    assert!(!dir.path().join("p.wbplan").exists());
    // One that only looks like another is not taken for it.
    for (asked, shown) in [
        ("two words.jpg", "\"two\\u{a0}words.jpg\""),
        ("end.jpg", "\"end.jpg\\u{20}\""),
        (" once.jpg", "\"once.jpg\""),
    ] {
        let output = run(dir.path(), &server, &library, &["--task", asked]);
        contains_all(&output, &[&format!("did you mean {shown}?")]);
        assert_eq!(server.writes(), 0, "{asked}");
    }
    // By UUID, and by a title that one task has, exactly these are taken.
    let output = run(
        dir.path(),
        &server,
        &library,
        &["--task", &same[1], "--task", "once.jpg"],
    );
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let mut moved: Vec<String> = (lines(&output).0.iter())
        .map(|t| t["task_uuid"].as_str().unwrap().to_owned())
        .collect();
    let mut wanted = [of("once.jpg").remove(0), same[1].clone()];
    moved.sort();
    wanted.sort();
    assert_eq!(moved, wanted);
    // The other one is the only one now.
    let output = run(dir.path(), &server, &library, &["--task", "a.jpg"]);
    assert_eq!(lines(&output).1["moved"], 1, "{}", stderr(&output));
}

/// Graphviz itself reads the graph, where it is installed.
#[test]
fn the_graph_is_written_for_other_programs() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(&["--scenario", "demo", "--tasks", "20"]);
    let graph = |more: &[&str]| {
        let output = workbench(dir.path(), &server, &[&["graph"], more].concat());
        (
            output.status.code(),
            String::from_utf8(output.stdout).unwrap(),
        )
    };
    let (code, text) = graph(&["--format", "mermaid"]);
    assert_eq!(code, Some(0));
    assert!(text.contains("flowchart LR\n"), "{text}");
    assert!(text.contains("[[\"pre-label\"]]"), "{text}");
    assert!(text.contains("-->|\"annotate\"|"), "{text}");
    let (code, dot) = graph(&["--format", "dot"]);
    assert_eq!(code, Some(0));
    assert!(dot.contains("label=\"pre-label\""), "{dot}");
    assert_eq!(graph(&["--format", "json"]), graph(&["--json"]));
    assert_eq!(graph(&["--format", "dot", "--json"]).0, Some(2));
    if Command::new("dot").arg("-V").output().is_err() {
        return;
    }
    let drawn = fed(Command::new("dot").arg("-Tjson"), &dot);
    let drawn: Value = serde_json::from_slice(&drawn.stdout).unwrap();
    let arrows = dot.lines().filter(|line| line.contains(" -> ")).count();
    assert_eq!(drawn["edges"].as_array().unwrap().len(), arrows);
}
