//! `workbench new`: each template builds, tests, loads and runs as it comes.

use crate::support::{Server, command, lines};
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

/// Runs cargo in the new crate. All crates share a target folder, and the first one's copy of `agent-abi`, so that
/// dependencies build once.
fn cargo(dir: &Path, target: &Path, command: &str) {
    let output = Command::new("cargo")
        .args([command, "--offline", "--quiet"])
        .env("CARGO_TARGET_DIR", target)
        .current_dir(dir)
        .output()
        .unwrap();
    succeeds(command, &output);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(!stderr.contains("warning"), "{command}: {stderr}");
}

fn copy(from: &Path, to: &Path) {
    let copied = Command::new("cp").arg("-r").args([from, to]).status();
    assert!(copied.unwrap().success());
}

/// Replaces texts in a file, all of which are there.
fn replace(dir: &Path, file: &str, pairs: &[(&str, &str)]) {
    let path = dir.join(file);
    let mut text = std::fs::read_to_string(&path).unwrap();
    for (from, to) in pairs {
        assert!(text.contains(from), "{file}: {from}");
        text = text.replace(from, to);
    }
    std::fs::write(path, text).unwrap();
}

/// The same crate with the dependency under another name, and macros that get that name.
fn rename_agent_abi(dir: &Path) {
    replace(
        dir,
        "Cargo.toml",
        &[("agent-abi = {", "abi = { package = \"agent-abi\",")],
    );
    replace(
        dir,
        "src/lib.rs",
        &[
            ("agent_abi::", "abi::"),
            ("idempotent)]", "idempotent, crate = \"abi\")]"),
            ("export![prelabel]", "export![prelabel, crate = \"abi\"]"),
            (
                "fn prelabel(task",
                "fn prelabel(#[depends(limit(0.5))] _limit: &Limit, task",
            ),
        ],
    );
    let path = dir.join("src/lib.rs");
    let more = "\npub struct Limit(pub f64);\n\n#[dependency(crate = \"abi\")]\n\
                fn limit(#[arg] limit: f64) -> Result<Limit> {\n    Ok(Limit(limit))\n}\n";
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(path, text + more).unwrap();
}

/// Makes, checks and dry-runs one template.
fn whole_way(server: &Server, parent: &Path, template: &str, build: impl FnOnce(&Path)) {
    let name = format!("my-{template}");
    let made = command(parent)
        .args(["new", &name, "--template", template])
        .args(["--project-hash", &server.project()])
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
    for template in ["prelabel", "route", "priority", "twin", "video"] {
        whole_way(&server, parent.path(), template, |dir| {
            assert!(!dir.join("Cargo.lock").exists());
            if template != "prelabel" {
                let shared = "path = \"../my-prelabel/vendor/agent-abi\"";
                replace(
                    dir,
                    "Cargo.toml",
                    &[("path = \"vendor/agent-abi\"", shared)],
                );
            }
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
    // As on a colleague's machine: at another path, with the lock file that the first build made.
    let (made, cloned) = (
        parent.path().join("my-prelabel"),
        parent.path().join("cloned"),
    );
    copy(&made, &cloned);
    let lock = std::fs::read_to_string(cloned.join("Cargo.lock")).unwrap();
    let locked = lock.matches("[[package]]").count();
    assert!(locked < 40, "{locked} packages");
    for command in ["test", "build"] {
        cargo(&cloned, &target, command);
    }
    rename_agent_abi(&cloned);
    cargo(&cloned, &target, "test");
}

#[test]
fn upgrade_replaces_the_copy_and_refuses_to_lose_changes() {
    let dir = tempfile::tempdir().unwrap();
    let new = |place: &Path, args: &[&str]| {
        let output = command(place).arg("new").args(args).output().unwrap();
        let text = [output.stdout, output.stderr].concat();
        (
            output.status.code(),
            String::from_utf8_lossy(&text).into_owned(),
        )
    };
    assert_eq!(new(dir.path(), &["mine"]).0, Some(0));
    let sources = dir.path().join("mine/src");
    let (code, text) = new(&sources, &["--upgrade"]);
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains("is up to date"), "{text}");

    let changed = dir.path().join("mine/vendor/agent-abi/src/route.rs");
    std::fs::write(&changed, "mine").unwrap();
    let (code, text) = new(&sources, &["--upgrade"]);
    assert_eq!(code, Some(2), "{text}");
    assert!(text.contains("src/route.rs"), "{text}");
    assert_eq!(std::fs::read_to_string(&changed).unwrap(), "mine");
    let (code, text) = new(&sources, &["--upgrade", "--force"]);
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains("1 file replaced"), "{text}");

    let (code, text) = new(dir.path(), &["--upgrade"]);
    assert_eq!(code, Some(2), "{text}");
    let (code, text) = new(dir.path(), &[]);
    assert_eq!(code, Some(2), "{text}");
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
