//! The known weaknesses of the Python runners, each with a test that is named by its number (`w07`)
//! and by what holds here instead. The table of them all, with what the Python runner does, is
//! `tests/WEAKNESSES.md`; `tests/tidy.rs` checks that it names tests which exist.

mod attempts;
mod batches;
mod dependencies;
mod platform;
mod queue;
mod start;

use crate::support::{Server, c_agent, c_text, command, lines};
use serde_json::Value;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};

pub const BOX: &str = r#""add":[{"name":"Car","boundingBox":{"x":0.1,"y":0.2,"w":0.3,"h":0.4}}]"#;

/// A folder and a server of the `seed` scenario.
pub fn world(tasks: usize, more: &[&str]) -> (tempfile::TempDir, Server) {
    let tasks = tasks.to_string();
    let args = [&["--scenario", "seed", "--tasks", &tasks][..], more].concat();
    (tempfile::tempdir().unwrap(), Server::start(&args))
}

/// The agent that notes its calls.
pub fn counted(dir: &Path, outcome: &str, more: &[&str]) -> PathBuf {
    let log = dir.join("calls");
    let texts = [
        c_text("LOG", log.to_str().unwrap()),
        c_text("OUTCOME", outcome),
    ];
    let defines: Vec<&str> = texts
        .iter()
        .map(String::as_str)
        .chain(more.iter().copied())
        .collect();
    c_agent(dir, "counted", &defines)
}

/// The tasks that the agent was called for, in order.
pub fn calls(dir: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(dir.join("calls")).unwrap_or_default();
    text.lines()
        .map(|l| serde_json::from_str::<Value>(l).unwrap()["uuid"].to_string())
        .collect()
}

pub fn summary(output: &Output) -> Value {
    lines(output).1
}

/// Polls every second until some task lines came, then interrupts.
pub fn poll(
    dir: &Path,
    server: &Server,
    library: &Path,
    args: &[&str],
    lines: usize,
) -> Option<i32> {
    let mut child = command(dir)
        .args([
            "run",
            "--json",
            "--progress",
            "none",
            "--refresh-every",
            "1",
            "--project-hash",
            &server.project(),
            "--agents",
        ])
        .arg(library)
        .args(args)
        .envs(server.env())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut reader = BufReader::new(child.stdout.take().unwrap()).lines();
    for _ in 0..lines {
        reader.next().unwrap().unwrap();
    }
    rustix::process::kill_process(
        rustix::process::Pid::from_child(&child),
        rustix::process::Signal::INT,
    )
    .unwrap();
    reader.for_each(|l| drop(l.unwrap()));
    child.wait().unwrap().code()
}

/// How often each fault of the server has struck.
pub fn struck(server: &Server) -> Vec<u64> {
    let faults = server.admin("/local/faults")["faults"].clone();
    let all = faults.as_array().unwrap().iter();
    all.map(|f| f["struck"].as_u64().unwrap()).collect()
}
