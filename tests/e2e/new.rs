//! `workbench new`: each template builds, tests, loads and runs as it comes.

use crate::support::{DEADLINE, Server, command, lines, root};
use std::path::Path;
use std::process::{Command, Output};

fn succeeds(what: &str, output: &Output) {
    assert!(
        output.status.success(),
        "{what}: {}\n{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}

/// Runs cargo in the new crate; all crates share a target folder, so that dependencies build once.
fn cargo(dir: &Path, target: &Path, command: &str) {
    let output = Command::new("cargo")
        .args([command, "--offline", "--quiet"])
        .env("CARGO_TARGET_DIR", target)
        .current_dir(dir)
        .output()
        .unwrap();
    succeeds(command, &output);
}

/// Makes, checks and dry-runs one template.
fn whole_way(server: &Server, parent: &Path, template: &str, build: impl FnOnce(&Path)) {
    let name = format!("my-{template}");
    let made = command(parent)
        .args(["new", &name, "--template", template])
        .args(["--project-hash", &server.project()])
        .args(["--abi", root().join("agent-abi").to_str().unwrap()])
        .output()
        .unwrap();
    succeeds("new", &made);
    let again = command(parent)
        .args(["new", &name, "--template", template])
        .output()
        .unwrap();
    assert_eq!(again.status.code(), Some(2), "{template}: overwritten");
    let dir = parent.join(&name);
    build(&dir);
    let target = parent.join("target");
    let check = command(&dir)
        .arg("check")
        .envs(server.env())
        .env("CARGO_TARGET_DIR", &target)
        .output()
        .unwrap();
    succeeds("check", &check);
    let run = command(&dir)
        .args(["run", "--dry-run", "--json", "--progress", "none"])
        .envs(server.env())
        .env("CARGO_TARGET_DIR", &target)
        .output()
        .unwrap();
    succeeds("run", &run);
    let (tasks, summary) = lines(&run);
    assert!(!tasks.is_empty(), "{template}: no task was run");
    assert_eq!(summary["failed"], 0, "{template}: {summary}");
    assert_eq!(summary["writes"], 0);
}

#[test]
fn each_template_builds_tests_loads_and_runs_as_it_comes() {
    let server = Server::start(&["--scenario", "demo", "--tasks", "40"]);
    let parent = tempfile::tempdir().unwrap();
    let target = parent.path().join("target");
    let began = std::time::Instant::now();
    for template in ["prelabel", "route", "priority", "twin", "video"] {
        whole_way(&server, parent.path(), template, |dir| {
            if template == "twin" {
                let file = dir.join("src/lib.rs");
                let source = std::fs::read_to_string(&file).unwrap();
                let nobody = "00000000-0000-0000-0000-000000000000";
                assert_eq!(source.matches(nobody).count(), 2);
                let twin = server.field("twin_project_hash");
                std::fs::write(&file, source.replace(nobody, &twin)).unwrap();
            }
            cargo(dir, &target, "test");
            cargo(dir, &target, "build");
        });
    }
    assert!(began.elapsed() < DEADLINE * 2, "{:?}", began.elapsed());
}

#[test]
fn the_c_and_cpp_templates_build_test_load_and_run_as_they_come() {
    let server = Server::start(&["--scenario", "demo", "--tasks", "40"]);
    let parent = tempfile::tempdir().unwrap();
    for template in ["c", "cpp"] {
        whole_way(&server, parent.path(), template, |dir| {
            for goal in ["test", "all"] {
                let output = Command::new("make")
                    .arg(goal)
                    .current_dir(dir)
                    .output()
                    .unwrap();
                succeeds("make", &output);
            }
        });
    }
}
