//! The C++ sample agent, a track and a mask on a video: run dry, planned, reviewed, applied and undone.

use crate::support::{Server, lines, plan, root, run, stderr, workbench};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::Command;

const STAGE: &str = "44dc0000-0000-4000-8000-000000000002";

/// A project with a video at the stage "bright", and an ontology that draws lights and their glare.
fn server(dir: &Path) -> Server {
    let kind = |name: &str, shape: &str| json!({"id": "1", "name": name, "color": "#D33115", "shape": shape, "featureNodeHash": format!("kind{name}"), "attributes": []});
    let world = json!({
        "ontologies": [{"title": "Lights", "structure": {
            "objects": [kind("Light", "bounding_box"), kind("Glare", "bitmask")], "classifications": []}}],
        "workflowTemplates": [{"title": "W", "graphNodes": [
            {"uuid": "44dc0000-0000-4000-8000-000000000001", "nodeType": "START", "toNode": STAGE},
            {"uuid": STAGE, "nodeType": "AGENT", "title": "bright", "pathways": [
                {"uuid": "49a70000-0000-4000-8000-000000000000", "name": "complete",
                 "targetNode": "7e750000-0000-4000-8000-000000000001"}]},
            {"uuid": "7e750000-0000-4000-8000-000000000001", "nodeType": "DONE", "title": "Complete",
             "nodeSubtype": "COMPLETED"},
        ]}],
        "datasets": [{"title": "D", "items": [{"type": "video", "title": "meadow.mp4", "media": "clip"}]}],
        "projects": [{"title": "P"}],
    });
    let file = dir.join("world.json");
    std::fs::write(&file, world.to_string()).unwrap();
    Server::start(&["--scenario-file", file.to_str().unwrap()])
}

/// The sample, compiled by the command in its first lines.
fn sample(dir: &Path) -> PathBuf {
    let library = dir.join("libbright.so");
    let output = Command::new("c++")
        .args([
            "-std=c++17",
            "-Wall",
            "-Wextra",
            "-Werror",
            "-pedantic",
            "-O1",
            "-fPIC",
            "-shared",
            "-I",
        ])
        .arg(root().join("agent-abi/include"))
        .arg(root().join("sample-agents/cpp/bright.cpp"))
        .arg("-o")
        .arg(&library)
        .output()
        .expect("a C++ compiler named c++");
    assert!(output.status.success(), "{}", stderr(&output));
    library
}

/// Sign, name and frames of each label in the patch of the one task.
fn labels(all: &[Value]) -> Vec<(String, String)> {
    let task = all.iter().find(|line| line["patch"]["labels"].is_array());
    let task = task.unwrap_or_else(|| panic!("no labels in {all:?}"));
    let label = |l: &Value| {
        (
            format!(
                "{}{}",
                l["sign"].as_str().unwrap(),
                l["name"].as_str().unwrap()
            ),
            l["detail"].to_string(),
        )
    };
    task["patch"]["labels"]
        .as_array()
        .unwrap()
        .iter()
        .map(label)
        .collect()
}

#[test]
fn a_track_and_a_mask_from_cpp_are_reviewed_applied_and_undone() {
    let dir = tempfile::tempdir().unwrap();
    let server = server(dir.path());
    let library = sample(dir.path());
    let dry = run(dir.path(), &server, &library, &["--dry-run"]);
    assert_eq!(dry.status.code(), Some(0), "{}", stderr(&dry));
    let found = labels(&lines(&dry).0);
    let names: Vec<&str> = found.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["+Glare", "+Light"], "{found:?}");

    let planned = plan(dir.path(), &server, &library, &[]);
    assert_eq!(planned.status.code(), Some(0), "{}", stderr(&planned));
    assert_eq!(server.writes(), 0, "a plan writes nothing");
    let review = workbench(dir.path(), &server, &["review", "p.wbplan", "--json"]);
    let reviewed = labels(&lines(&review).0);
    assert_eq!(reviewed, found, "the plan is what ran dry");
    let applied = workbench(dir.path(), &server, &["apply", "p.wbplan", "--json"]);
    assert_eq!(applied.status.code(), Some(0), "{}", stderr(&applied));
    assert_eq!(
        (
            server.changed("save_labels"),
            server.tasks()[0]["stage"].clone()
        ),
        (1, json!("Complete"))
    );

    let undone = workbench(dir.path(), &server, &["undo", "--json"]);
    assert_eq!(undone.status.code(), Some(0), "{}", stderr(&undone));
    assert_eq!(server.tasks()[0]["stage"], "bright");
    // The labels are gone: on what is there now, the agent adds the same ones.
    let again = run(dir.path(), &server, &library, &["--dry-run"]);
    assert_eq!(labels(&lines(&again).0), found);
}
