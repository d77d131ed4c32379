//! Projects that change while the workbench works on them: an option that is renamed on the platform.

use crate::support::{DEADLINE, Server, c_agent, c_text, command, lines};
use serde_json::json;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};

/// A project, and an agent that waits before it answers the radio "Weather" with "Foggy", which no option is called.
struct Scene {
    dir: tempfile::TempDir,
    server: Server,
    library: PathBuf,
    calls: Receiver<String>,
}

impl Scene {
    fn new(tasks: usize) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let server = Server::start(&["--scenario", "seed", "--tasks", &tasks.to_string()]);
        let log = dir.path().join("calls");
        assert!(Command::new("mkfifo").arg(&log).status().unwrap().success());
        // For reading and writing: then opening it waits for nobody.
        let pipe = std::fs::File::options().read(true).write(true).open(&log);
        let pipe = BufReader::new(pipe.unwrap());
        let (send, calls) = channel();
        std::thread::spawn(move || {
            for line in pipe.lines().map_while(Result::ok) {
                if send.send(line).is_err() {
                    return;
                }
            }
        });
        let text = |name: &str, path: &Path| c_text(name, path.to_str().unwrap());
        let outcome = json!({"route": "complete", "add": [{"name": "Weather", "answer": "Foggy"}]});
        let defines = [
            text("LOG", &log),
            text("GO", &dir.path().join("go")),
            c_text("GOOD", &outcome.to_string()),
            "NEEDS=2".to_owned(),
        ];
        let defines: Vec<&str> = defines.iter().map(String::as_str).collect();
        let library = c_agent(dir.path(), "waits", &defines);
        Self {
            dir,
            server,
            library,
            calls,
        }
    }

    fn run(&self, args: &[&str]) -> Child {
        command(self.dir.path())
            .args(["run", "--json", "--progress", "none", "--num-retries", "0"])
            .args(["--project-hash", &self.server.project(), "--agents"])
            .arg(&self.library)
            .args(args)
            .envs(self.server.env())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    }

    /// Waits until the agent was called.
    fn called(&self) {
        self.calls.recv_timeout(DEADLINE).unwrap();
    }

    fn go(&self) {
        std::fs::write(self.dir.path().join("go"), "").unwrap();
    }

    fn rename(&self, option: &str, name: &str) {
        let renamed = self
            .server
            .post("/local/rename", &json!({"id": option, "name": name}));
        assert_eq!(renamed["renamed"], 1);
    }

    fn projects_read(&self) -> u64 {
        let counters = self.server.admin("/local/counters");
        counters["endpoints"]["get_ontology"]["requests"]
            .as_u64()
            .unwrap_or_else(|| panic!("{counters}"))
    }
}

#[test]
fn an_option_that_is_renamed_during_a_run_is_known_to_its_tasks() {
    let scene = Scene::new(1);
    let child = scene.run(&[]);
    scene.called();
    scene.rename("WeathClo", "Foggy");
    scene.go();
    let output = child.wait_with_output().unwrap();
    let (tasks, summary) = lines(&output);
    assert_eq!(
        (&summary["moved"], &summary["failed"]),
        (&json!(1), &json!(0)),
        "{tasks:?}"
    );
    assert_eq!(tasks[0]["attempts"], 1);
    assert_eq!(scene.projects_read(), 2);
}

#[test]
fn a_name_that_nobody_added_fails_its_tasks_after_one_more_look_at_the_project() {
    let scene = Scene::new(8);
    scene.go();
    let output = scene.run(&[]).wait_with_output().unwrap();
    let (_, summary) = lines(&output);
    assert_eq!(
        (&summary["moved"], &summary["failed"]),
        (&json!(0), &json!(8))
    );
    assert_eq!(scene.projects_read(), 2);
}

#[test]
fn each_pass_of_a_poller_reads_the_project_again() {
    let scene = Scene::new(1);
    scene.go();
    let mut child = scene.run(&["--refresh-every", "1"]);
    let mut tasks = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut next = || -> serde_json::Value {
        loop {
            let line = tasks.next().unwrap().unwrap();
            let value: serde_json::Value = serde_json::from_str(&line).unwrap();
            if value.get("outcome").is_some() {
                return value;
            }
        }
    };
    assert_eq!(next()["outcome"], "failed");
    scene.rename("WeathClo", "Foggy");
    let moved = std::iter::repeat_with(next).find(|task| task["outcome"] == "moved");
    assert!(moved.is_some());
    child.kill().unwrap();
    child.wait().unwrap();
}
