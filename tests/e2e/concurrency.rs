//! Many jobs at a time: they really are, a slow one holds up its own batch only, a killed host costs
//! one attempt of one task, and a signal in the middle loses nothing.
//!
//! Agents report through a pipe what they do and wait for a file, so that nothing here depends on time.

use crate::support::{DEADLINE, Server, c_agent, c_text, command, lines, run, stderr, workbench};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::sync::mpsc::{Receiver, channel};

/// Lines that somebody writes, each within the deadline.
struct Lines(Receiver<String>);

impl Lines {
    fn of(source: impl Read + Send + 'static) -> Self {
        let (send, lines) = channel();
        std::thread::spawn(move || {
            for line in BufReader::new(source).lines().map_while(Result::ok) {
                if send.send(line).is_err() {
                    return;
                }
            }
        });
        Self(lines)
    }

    fn next(&self) -> String {
        self.0.recv_timeout(DEADLINE).unwrap()
    }
}

/// A project, an agent that waits for the tasks with a word, and a run of it.
struct Scene {
    dir: tempfile::TempDir,
    server: Server,
    library: PathBuf,
    reports: Lines,
}

impl Scene {
    fn new(tasks: usize, word: impl Fn(&Server) -> String) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let server = Server::start(&["--scenario", "seed", "--tasks", &tasks.to_string()]);
        let pipe = dir.path().join("reports");
        let mode = rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR;
        rustix::fs::mkfifoat(rustix::fs::CWD, &pipe, mode).unwrap();
        // For reading and writing: then opening it waits for nobody.
        let source = std::fs::File::options()
            .read(true)
            .write(true)
            .open(&pipe)
            .unwrap();
        let defines = [
            c_text("LOG", pipe.to_str().unwrap()),
            c_text("GO", dir.path().join("go").to_str().unwrap()),
            c_text("WORD", &word(&server)),
        ];
        let defines: Vec<&str> = defines.iter().map(String::as_str).collect();
        let library = c_agent(dir.path(), "waits", &defines);
        Self {
            dir,
            server,
            library,
            reports: Lines::of(source),
        }
    }

    fn start(&self, args: &[&str]) -> (Child, Lines) {
        let mut child = command(self.dir.path())
            .args(["run", "--json", "--progress", "none", "--project-hash"])
            .args([&self.server.project(), "--agents"])
            .arg(&self.library)
            .args(args)
            .envs(self.server.env())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let lines = Lines::of(child.stdout.take().unwrap());
        (child, lines)
    }

    fn go(&self) {
        std::fs::write(self.dir.path().join("go"), "").unwrap();
    }

    /// Process and task of the next call of the agent.
    fn called(&self) -> (i32, String) {
        let line = self.reports.next();
        let (pid, task) = line.split_once(' ').unwrap();
        let task: Value = serde_json::from_str(task).unwrap();
        let uuid = task["uuid"].as_str().unwrap().to_owned();
        (pid.parse().unwrap(), uuid)
    }
}

fn every(_: &Server) -> String {
    "\"uuid\"".to_owned()
}

fn first(server: &Server) -> String {
    server.tasks()[0]["uuid"].as_str().unwrap().to_owned()
}

#[test]
fn agents_that_wait_run_as_many_at_a_time_as_asked_for_on_any_number_of_cores() {
    let scene = Scene::new(12, every);
    let (mut child, _out) = scene.start(&["-j", "8"]);
    let pids: BTreeSet<i32> = (0..8).map(|_| scene.called().0).collect();
    assert_eq!(pids.len(), 8, "eight processes, none of which has ended");
    scene.go();
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert_eq!(scene.server.changed("actions"), 12);
}

#[test]
fn a_slow_task_holds_up_the_commit_of_its_own_batch_only() {
    let scene = Scene::new(30, first);
    let slow = first(&scene.server);
    let (mut child, out) = scene.start(&["-j", "2", "--task-batch-size", "3"]);
    for _ in 0..9 {
        let line: Value = serde_json::from_str(&out.next()).unwrap();
        assert_eq!(line["outcome"], "moved", "{line}");
        assert_ne!(line["task_uuid"], slow.as_str());
    }
    assert!(scene.server.changed("actions") >= 9);
    scene.go();
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert_eq!(scene.server.changed("actions"), 30);
}

#[test]
fn a_host_that_is_killed_costs_one_attempt_of_its_own_task() {
    let scene = Scene::new(12, every);
    let (mut child, out) = scene.start(&["-j", "4"]);
    let calls: Vec<(i32, String)> = (0..4).map(|_| scene.called()).collect();
    let (pid, victim) = &calls[1];
    kill_process(Pid::from_raw(*pid).unwrap(), Signal::KILL).unwrap();
    let (_, again) = scene.called();
    assert_eq!(again, *victim, "a retry comes first");
    scene.go();
    assert_eq!(child.wait().unwrap().code(), Some(0));
    for _ in 0..12 {
        let line: Value = serde_json::from_str(&out.next()).unwrap();
        let attempts = if line["task_uuid"] == victim.as_str() {
            2
        } else {
            1
        };
        assert_eq!(
            (&line["attempts"], &line["outcome"]),
            (&json!(attempts), &json!("moved"))
        );
    }
    assert_eq!(scene.server.changed("actions"), 12);
}

/// Runs until half of the tasks are reported, then sends a signal; gives the exit code and what was
/// reported as moved.
fn interrupted(scene: &Scene, signal: Signal, args: &[&str]) -> (Option<i32>, BTreeSet<String>) {
    let (mut child, out) = scene.start(args);
    let mut moved = BTreeSet::new();
    let mut note = |line: String| {
        let line: Value = serde_json::from_str(&line).unwrap();
        if line["outcome"] == "moved" {
            moved.insert(line["task_uuid"].as_str().unwrap().to_owned());
        }
    };
    for _ in 0..40 {
        note(out.next());
    }
    kill_process(Pid::from_child(&child), signal).unwrap();
    let code = child.wait().unwrap().code();
    out.0.iter().for_each(note);
    (code, moved)
}

fn left(dir: &Path, server: &Server, library: &Path) -> u64 {
    let output = run(dir, server, library, &[]);
    let (_, summary) = lines(&output);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    summary["moved"].as_u64().unwrap()
}

#[test]
fn a_signal_in_the_middle_of_eight_jobs_loses_nothing_and_resume_finishes() {
    for (signal, code) in [(Signal::TERM, 143), (Signal::INT, 130)] {
        let scene = Scene::new(2000, |_| "nobody waits".to_owned());
        let args = ["-j", "8", "--task-batch-size", "20"];
        let (ended, moved) = interrupted(&scene, signal, &args);
        assert_eq!(ended, Some(code));
        let tasks = scene.server.tasks();
        let gone: BTreeSet<String> = tasks
            .iter()
            .filter(|t| t["stage"] != "Agent 1")
            .map(|t| t["uuid"].as_str().unwrap().to_owned())
            .collect();
        assert_eq!(moved, gone, "what it reported is what the platform has");
        assert!(gone.len() < 2000, "it was in the middle");
        let output = workbench(scene.dir.path(), &scene.server, &["resume"]);
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        assert_eq!(scene.server.changed("actions"), 2000, "each once");
    }
}

#[test]
fn a_run_out_of_time_leaves_the_rest_to_the_next_one() {
    let scene = Scene::new(200, first);
    // One task never ends, so that the time is over in the middle on a machine of any speed.
    let args = ["-j", "8", "--task-batch-size", "5", "--max-time", "3s"];
    let output = run(scene.dir.path(), &scene.server, &scene.library, &args);
    assert_eq!(output.status.code(), Some(9), "{}", stderr(&output));
    let moved = scene.server.changed("actions");
    assert!(moved < 200, "one task is left at least");
    scene.go();
    let rest = left(scene.dir.path(), &scene.server, &scene.library);
    assert_eq!(moved + rest, 200);
    assert_eq!(scene.server.changed("actions"), 200, "each once");
}
