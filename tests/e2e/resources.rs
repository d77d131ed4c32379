//! A model in a process of its own, written in Rust and built with the real cargo: `-j 4` and rebuilds share it, a
//! crash costs one question. How often it was opened is counted by the model itself.

use crate::hosts::faults;
use crate::support::{
    Server, Terminal, agent_crate, build_agents, lines, run, stderr, target_of_crates,
};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// The agent asks the model about each task; `NOTE` is what a save changes.
const AGENTS: &str = r#"mod detector;
use agent_abi::prelude::*;
use detector::Detector;

#[stage("Agent 1")]
fn detect(task: &Task, #[depends] detector: &Remote<Detector>) -> Result<Route> {
    let (pid, _) = detector.ask(&task.title().to_owned(), &[])?;
    info!("NOTE by process {pid}");
    Ok(Route::to("complete"))
}

export![detect, resources = [Detector]];
"#;

/// Opened once the gate is there, which it notes with its process; it dies of one question, once.
const DETECTOR: &str = r#"use agent_abi::prelude::*;
use std::io::Write;
use std::path::Path;

pub struct Detector;

#[resource]
impl Resource for Detector {
    type Question = String;
    type Answer = u32;

    fn open() -> Result<Self> {
        while !Path::new(concat!("FOLDER", "/gate")).exists() {
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
        let mut opens = std::fs::File::options().create(true).append(true).open(concat!("FOLDER", "/opens"))?;
        writeln!(opens, "{}", std::process::id())?;
        Ok(Self)
    }

    fn answer(&mut self, title: String, _: &[u8]) -> Result<(u32, Vec<u8>)> {
        let fatal = std::fs::read_to_string(concat!("FOLDER", "/fatal")).unwrap_or_default();
        if title == fatal {
            std::fs::remove_file(concat!("FOLDER", "/fatal"))?;
            std::process::abort();
        }
        Ok((std::process::id(), Vec::new()))
    }
}
"#;

/// A crate of such agents, and what they note.
struct Model {
    krate: PathBuf,
    folder: PathBuf,
}

impl Model {
    fn new(folder: &Path, name: &str) -> Self {
        let krate = agent_crate(folder, name, "", AGENTS);
        let detector = DETECTOR.replace("FOLDER", &folder.display().to_string());
        std::fs::write(krate.join("src/detector.rs"), detector).unwrap();
        let folder = folder.to_owned();
        Self { krate, folder }
    }

    fn build(&self) -> PathBuf {
        build_agents(&self.krate, Some(&target_of_crates()))
    }

    /// Changes a file of the crate.
    fn edit(&self, file: &str, from: &str, to: &str) {
        let path = self.krate.join("src").join(file);
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.contains(from), "{text}");
        std::fs::write(path, text.replace(from, to)).unwrap();
    }

    fn gate(&self, open: bool) {
        let gate = self.folder.join("gate");
        match open {
            true => std::fs::write(gate, "").unwrap(),
            false => std::fs::remove_file(gate).unwrap(),
        }
    }

    /// The processes that opened it, in order.
    fn opens(&self) -> Vec<u32> {
        let text = std::fs::read_to_string(self.folder.join("opens")).unwrap_or_default();
        text.lines().map(|line| line.parse().unwrap()).collect()
    }
}

#[test]
fn one_crash_of_a_model_that_four_jobs_share_costs_one_attempt() {
    let dir = tempfile::tempdir().unwrap();
    let model = Model::new(dir.path(), "shared-model");
    let library = model.build();
    model.gate(true);
    let server = Server::start(&["--scenario", "seed", "--tasks", "40"]);
    let titles = server.tasks();
    let title = |n: usize| titles[n]["data_title"].as_str().unwrap().to_owned();
    std::fs::write(dir.path().join("fatal"), title(7)).unwrap();
    let output = run(dir.path(), &server, &library, &["-j", "4"]);
    let (tasks, summary) = lines(&output);
    assert_eq!(summary["moved"], 40, "{}", stderr(&output));
    let again: Vec<&str> = (tasks.iter())
        .filter(|task| task["attempts"] != 1)
        .map(|task| task["data_title"].as_str().unwrap())
        .collect();
    assert_eq!(again, [title(7)], "the others waited, and lost no attempt");
    let opens = model.opens();
    assert_eq!(opens.len(), 2, "once for all jobs, once after the crash");
    assert_ne!(opens[0], opens[1]);
}

#[test]
fn a_question_that_a_model_dies_of_fails_with_the_signal_when_it_is_not_retried() {
    let dir = tempfile::tempdir().unwrap();
    let model = Model::new(dir.path(), "dying-model");
    let library = model.build();
    model.gate(true);
    let server = Server::start(&["--scenario", "seed", "--tasks", "5"]);
    let title = server.tasks()[2]["data_title"].as_str().unwrap().to_owned();
    std::fs::write(dir.path().join("fatal"), title).unwrap();
    let output = run(dir.path(), &server, &library, &["--num-retries", "0"]);
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    let found = faults(&output);
    assert!(
        found.len() == 1
            && found[0].contains("resource Detector: its process crashed: abort (SIGABRT)"),
        "{found:?}"
    );
    assert_eq!(model.opens().len(), 2);
}

#[test]
fn a_save_keeps_the_model_until_its_own_file_changes_and_the_screen_shows_it_loading() {
    let dir = tempfile::tempdir().unwrap();
    let model = Model::new(dir.path(), "kept-model");
    let library = model.build();
    let server = Server::start(&["--scenario", "seed", "--tasks", "5"]);
    let (project, agents) = (server.project(), library.to_str().unwrap());
    let args = ["--project-hash", &project, "--agents", agents];
    let mut screen = Terminal::start(dir.path(), &args, &server.env(), (120, 36));
    screen.wait("loading Detector · ");
    assert!(model.opens().is_empty());
    model.gate(true);
    screen.wait("build #1 ok");

    model.edit("lib.rs", "NOTE", "found");
    model.build();
    screen.wait("build #2 ok");
    assert_eq!(model.opens().len(), 1, "the agents changed, not the model");

    model.gate(false);
    model.edit(
        "detector.rs",
        "pub struct",
        "// It is another one.\npub struct",
    );
    model.build();
    screen.wait_until("the new model loading", |text| {
        text.contains("loading Detector · ") && text.contains(", still #2")
    });
    model.gate(true);
    screen.wait("build #3 ok");
    let opens = model.opens();
    assert_eq!(opens.len(), 2);
    let until = Instant::now() + Duration::from_secs(20);
    while Path::new(&format!("/proc/{}", opens[0])).exists() {
        assert!(Instant::now() < until, "the first process is still there");
        std::thread::yield_now();
    }
    screen.quit();
}
