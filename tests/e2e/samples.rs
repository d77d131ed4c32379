//! The sample agents and the projects that have stages for them: no build of theirs has agents without a stage.

use crate::support::{Server, command, root, run, sample_agents, stderr};
use std::collections::BTreeSet;

/// The stages that a sample is written for, in the files of `sample-agents/src` that are named there.
fn stages_of(files: &BTreeSet<String>) -> BTreeSet<String> {
    let read = |file: &String| {
        let path = root().join(format!("sample-agents/src/{file}.rs"));
        let text = std::fs::read_to_string(path).unwrap();
        let agents = text.split("#[cfg(test)]").next().unwrap();
        let (_, attribute) = agents.split_once("#[stage(").unwrap();
        let name = attribute.trim_start().strip_prefix('"').unwrap();
        name.split('"').next().unwrap().to_owned()
    };
    files.iter().map(read).collect()
}

/// The modules of each `export!` of the samples, from the fewest agents to the most.
fn exported() -> Vec<BTreeSet<String>> {
    let text = std::fs::read_to_string(root().join("sample-agents/src/lib.rs")).unwrap();
    let agents = |list: &str| {
        let entries = list.split("];").next().unwrap().lines();
        let entries = entries.filter(|line| !line.contains('='));
        let names = entries.filter_map(|line| line.trim().split_once("::"));
        names.map(|(module, _)| module.to_owned()).collect()
    };
    text.split("export![").skip(1).map(agents).collect()
}

/// The agent stages of a scenario.
fn stages(scenario: &str) -> BTreeSet<String> {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(&["--scenario", scenario, "--tasks", "12"]);
    let output = command(dir.path())
        .args(["print", "agent-nodes", "--json", "--project-hash"])
        .arg(server.project())
        .envs(server.env())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let text = String::from_utf8(output.stdout).unwrap();
    let lines = text.lines().map(|line| serde_json::from_str(line).unwrap());
    let title = |node: serde_json::Value| node["title"].as_str().unwrap().to_owned();
    lines.map(title).collect()
}

#[test]
fn the_demo_has_a_stage_for_each_of_its_agents() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(&["--scenario", "demo", "--tasks", "12"]);
    let output = run(dir.path(), &server, &sample_agents(), &["--dry-run"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    // A build reports agents that it has no stage for as a note.
    assert!(!stderr(&output).contains("note:"), "{}", stderr(&output));
    assert_eq!(stages_of(&exported()[0]), stages("demo"));
}

#[test]
fn every_sample_agent_has_a_stage_in_the_scenario_of_the_samples() {
    let (exports, samples) = (exported(), stages("samples"));
    assert_eq!(exports.len(), 2, "{exports:?}");
    assert_eq!(stages_of(&exports[1]), samples);
    assert!(exports[0].is_subset(&exports[1]));
    let files = std::fs::read_dir(root().join("sample-agents/src")).unwrap();
    let files = files.map(|file| {
        file.unwrap()
            .path()
            .file_stem()
            .unwrap()
            .display()
            .to_string()
    });
    let agents = files.filter(|file| !matches!(&**file, "lib" | "preflight"));
    assert_eq!(agents.collect::<BTreeSet<_>>(), exports[1]);
}
