//! What agents declare is compared with the project before the first task, by `check` and by every command that
//! runs agents, in the same words: no agent is called for nothing.

use crate::support::{Fed, Server, Terminal, c_agent, c_text, command, stderr, workbench};
use serde_json::Value;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};

const STRANGE_ROUTE: &str = r#"{"function":"paced","routes":["complete","compleat"]}"#;
const STRANGE_TWIN: &str =
    r#"{"function":"paced","twins":[{"project":"00000000-0000-0000-0000-000000000007"}]}"#;
const NEEDS_A_PARAMETER: &str = r#"{"function":"paced","params":{"type":"object","required":["label"],"properties":{"label":{"type":"string"}}}}"#;

/// A library whose agent declares this, and leaves a line in `calls` for each call.
fn declaring(dir: &Path, spec: &str) -> PathBuf {
    let defines = [
        c_text("LOG", dir.join("calls").to_str().unwrap()),
        c_text("SPEC", spec),
    ];
    let defines: Vec<&str> = defines.iter().map(String::as_str).collect();
    c_agent(dir, "paced", &defines)
}

fn exec(dir: &Path, server: &Server, library: &Path) -> Output {
    command(dir)
        .args(["exec", "--stage", "Agent 1", "--agents"])
        .arg(library)
        .args(["--project-hash", &server.project()])
        .envs(server.env())
        .output()
        .unwrap()
}

#[test]
fn run_plan_and_exec_refuse_what_check_refuses_before_any_agent_is_called() {
    let server = Server::start(&["--scenario", "seed", "--tasks", "5"]);
    for (spec, words) in [
        (
            STRANGE_ROUTE,
            "paced declares pathway \"compleat\": no pathway \"compleat\" leaves stage \"Agent 1\"; there are: complete",
        ),
        (STRANGE_TWIN, "paced reads twins in project 00000000"),
        (
            NEEDS_A_PARAMETER,
            "parameters of stage \"Agent 1\": \"label\" is missing",
        ),
    ] {
        let dir = tempfile::tempdir().unwrap();
        let library = declaring(dir.path(), spec);
        let agents = library.to_str().unwrap();
        let check = workbench(dir.path(), &server, &["check", "-a", agents]);
        assert_eq!(check.status.code(), Some(3));
        assert!(String::from_utf8_lossy(&check.stdout).contains(words));
        for command in [
            &["run", "-a", agents][..],
            &["run", "--dry-run", "-a", agents],
            &["run", "--refresh-every", "1", "-a", agents],
            &["plan", "-o", "p.wbplan", "-a", agents],
        ] {
            let output = workbench(dir.path(), &server, command);
            assert_eq!(output.status.code(), Some(3), "{command:?}");
            assert!(stderr(&output).contains(words), "{}", stderr(&output));
        }
        let output = exec(dir.path(), &server, &library);
        assert_eq!(output.status.code(), Some(3), "{}", stderr(&output));
        assert!(!dir.path().join("calls").exists(), "no agent was called");
        assert!(!dir.path().join("p.wbplan").exists());
    }
    assert_eq!(server.writes(), 0);
}

#[test]
fn only_the_stages_that_run_are_compared() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(&["--scenario", "demo", "--tasks", "30"]);
    let folder = dir.path().join("agents");
    fs::create_dir(&folder).unwrap();
    for (name, stage, spec) in [
        ("liba.so", "pre-label", r#"{"function":"fine"}"#),
        ("libb.so", "route", STRANGE_ROUTE),
    ] {
        let defines = [
            c_text("LOG", "/dev/null"),
            c_text("STAGE", stage),
            c_text("SPEC", spec),
            c_text("OUTCOME", r#"{"route":"skip"}"#),
        ];
        let defines: Vec<&str> = defines.iter().map(String::as_str).collect();
        fs::rename(c_agent(dir.path(), "paced", &defines), folder.join(name)).unwrap();
    }
    let agents = folder.to_str().unwrap();
    let all = workbench(dir.path(), &server, &["run", "-n", "-a", agents]);
    assert_eq!(all.status.code(), Some(3), "{}", stderr(&all));
    let one = ["run", "-n", "-a", agents, "--stage", "pre-label"];
    let one = workbench(dir.path(), &server, &one);
    assert_eq!(one.status.code(), Some(0), "{}", stderr(&one));
}

#[test]
fn a_poller_compares_a_new_build_before_its_next_pass() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(&["--scenario", "seed", "--tasks", "3"]);
    let later = dir.path().join("later");
    fs::rename(declaring(dir.path(), STRANGE_ROUTE), &later).unwrap();
    let defines = [
        c_text("LOG", "/dev/null"),
        c_text("OUTCOME", r#"{"route":"stay"}"#),
    ];
    let defines: Vec<&str> = defines.iter().map(String::as_str).collect();
    let library = c_agent(dir.path(), "paced", &defines);
    let mut child = command(dir.path())
        .args(["run", "--json", "--refresh-every", "1", "--agents"])
        .arg(&library)
        .args(["--project-hash", &server.project()])
        .envs(server.env())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut first = String::new();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    stdout.read_line(&mut first).unwrap();
    fs::rename(&later, &library).unwrap();
    std::thread::spawn(move || stdout.lines().for_each(drop));
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(3), "{}", stderr(&output));
    assert!(stderr(&output).contains("declares pathway \"compleat\""));
    assert!(
        !dir.path().join("calls").exists(),
        "the new build was never called"
    );
}

#[test]
fn exec_compares_a_new_build_before_its_next_specs() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(&["--scenario", "seed", "--tasks", "3"]);
    let tasks = workbench(dir.path(), &server, &["tasks", "--json"]);
    let specs = String::from_utf8(tasks.stdout).unwrap();
    let specs: Vec<&str> = specs.lines().collect();
    let later = dir.path().join("later");
    fs::rename(declaring(dir.path(), STRANGE_ROUTE), &later).unwrap();
    let library = c_agent(dir.path(), "paced", &[&c_text("LOG", "/dev/null")]);
    let mut exec = command(dir.path());
    exec.args(["exec", "--stage", "Agent 1", "--agents"])
        .arg(&library)
        .args(["--project-hash", &server.project()])
        .envs(server.env());
    let mut exec = Fed::start(&mut exec);
    let mut ask = |spec: &str| -> Value { serde_json::from_str(&exec.ask(spec)).unwrap() };
    assert_eq!(ask(specs[0])["success"], true);
    fs::rename(&later, &library).unwrap();
    // Until the new build is active, specs of a task that is done already change nothing.
    let mut refused = Value::Null;
    while !refused.to_string().contains("compleat") {
        refused = ask(specs[0]);
    }
    assert_eq!(ask(specs[1])["success"], false);
    exec.close();
    assert_eq!(exec.end().status.code(), Some(3));
    assert!(!dir.path().join("calls").exists());
}

#[test]
fn check_answers_in_json() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(&["--scenario", "seed", "--tasks", "3"]);
    for (spec, ok) in [(r#"{"function":"paced"}"#, true), (STRANGE_ROUTE, false)] {
        let library = declaring(dir.path(), spec);
        let args = ["check", "--json", "-a", library.to_str().unwrap()];
        let check = workbench(dir.path(), &server, &args);
        let answer: Value = serde_json::from_slice(&check.stdout).unwrap();
        assert_eq!(answer["ok"], ok, "{answer}");
        let all = answer["findings"].as_array().unwrap();
        let bad: Vec<&Value> = all.iter().filter(|f| f["ok"] == false).collect();
        assert_eq!(bad.len(), usize::from(!ok));
        for finding in bad {
            assert_eq!(finding["check"], "pathway");
            assert_eq!(finding["fix"], "did you mean \"complete\"?");
        }
    }
}

#[test]
fn the_screen_refuses_what_check_refuses_before_any_agent_is_called() {
    let server = Server::start(&["--scenario", "seed", "--tasks", "5"]);
    for (spec, words) in [
        (STRANGE_ROUTE, "declares pathway \"compleat\""),
        (STRANGE_TWIN, "reads twins in project 00000000"),
        (NEEDS_A_PARAMETER, "\"label\" is missing"),
    ] {
        let dir = tempfile::tempdir().unwrap();
        let library = declaring(dir.path(), spec);
        let mut screen = Terminal::open(&server, dir.path(), &library, (150, 45));
        screen.wait("Agent 1");
        screen.wait("build #1");
        for key in ["N", "n"] {
            screen.keys("1").keys(key).wait("Dry-run");
            screen.keys(if key == "N" { "y" } else { "\r" }).keys("4");
            screen.wait("The run was not started");
            screen.wait(words);
            screen.wait("nothing was written");
        }
        assert!(!dir.path().join("calls").exists(), "{words}");
        // One that fits is run.
        declaring(dir.path(), r#"{"function":"paced","routes":["complete"]}"#);
        screen.keys("1").wait("build #2");
        screen.keys("N").wait("Dry-run 5 tasks");
        screen.keys("y").keys("4").wait("FINISHED");
        let calls = fs::read_to_string(dir.path().join("calls")).unwrap();
        assert_eq!(calls.lines().count(), 5, "{calls}");
        screen.quit();
        assert_eq!(server.writes(), 0);
    }
}
