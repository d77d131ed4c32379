//! What end-to-end tests and benchmarks share: the real program as a server, as a command, and in
//! a pseudo-terminal whose screen is read as text. Every process ends with its owner.

#![allow(dead_code)] // each user takes what it needs
#![allow(unused_imports)]
#![allow(clippy::unwrap_used)] // helpers of tests

mod agents;
pub mod brokers;
mod chance;
mod fed;
mod files;
mod server;
mod terminal;

pub use agents::{
    agent_crate, build_agents, c_agent, rust_agent, sample_agents, target_of_crates, try_build,
};
pub use chance::Chance;
pub use fed::{Fed, fed, lines_of};
pub use files::{everything_in, mode, shell};
pub use server::Server;
pub use terminal::Terminal;

use serde_json::Value;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

/// The program under test.
pub const PROGRAM: &str = env!("CARGO_BIN_EXE_workbench");
/// Longest wait for anything; a failure, not a delay.
pub const DEADLINE: Duration = Duration::from_secs(120);

/// The root of the checkout.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap()
        .to_owned()
}
/// Variables of the machine's own environment that the program would read: tests set them themselves.
const OF_THE_MACHINE: [&str; 14] = [
    "ENCORD_DOMAIN",
    "ENCORD_SSH_KEY",
    "ENCORD_SSH_KEY_FILE",
    "ENCORD_SSH_KEY_PASSPHRASE",
    "ENCORD_SSH_KEY_FINGERPRINT",
    "ENCORD_BEARER_TOKEN",
    "SSH_AUTH_SOCK",
    "REQUESTS_CA_BUNDLE",
    "CURL_CA_BUNDLE",
    "WORKBENCH_PROJECT",
    "WORKBENCH_AGENTS",
    "WORKBENCH_STATE",
    "WORKBENCH_BROKER",
    "WORKBENCH_RESULT_BACKEND",
];

/// What the program is started with: nothing is read or written in the user's own folders, and cargo builds with
/// what the tests themselves were built with. The cache folder stays, so that the demo's agents are built once.
pub fn surroundings(dir: &Path) -> [(&'static str, PathBuf); 3] {
    [
        ("XDG_CONFIG_HOME", dir.join("no-config")),
        (
            "XDG_CACHE_HOME",
            Path::new(env!("CARGO_TARGET_TMPDIR")).join("cache"),
        ),
        ("CARGO_NET_OFFLINE", "true".into()),
    ]
}

/// The program as a command in a folder, without any credentials of the machine.
pub fn command(dir: &Path) -> Command {
    let mut command = Command::new(PROGRAM);
    command.current_dir(dir).stdin(Stdio::null());
    for name in OF_THE_MACHINE {
        command.env_remove(name);
    }
    command.envs(surroundings(dir));
    command
}

/// `workbench run` on a server's project.
pub fn run(dir: &Path, server: &Server, library: &Path, args: &[&str]) -> Output {
    command(dir)
        .args([
            "run",
            "--json",
            "--progress",
            "none",
            "--project-hash",
            &server.project(),
            "--agents",
        ])
        .arg(library)
        .args(args)
        .envs(server.env())
        .output()
        .unwrap()
}

/// `workbench plan` on a server's project, into `p.wbplan`, whether there is one or not.
pub fn plan(dir: &Path, server: &Server, library: &Path, more: &[&str]) -> Output {
    let agents = library.to_str().unwrap();
    let args = [
        &[
            "plan",
            "-o",
            "p.wbplan",
            "--yes",
            "--progress",
            "none",
            "--agents",
            agents,
        ][..],
        more,
    ]
    .concat();
    workbench(dir, server, &args)
}

/// Runs a command that kills itself at a point of its writes (`WORKBENCH_KILL_AT`), and checks that it did.
pub fn killed_at(dir: &Path, server: &Server, step: &str, args: &[&str]) {
    let output = command(dir)
        .args(args)
        .args(["--project-hash", &server.project()])
        .envs(server.env())
        .env("WORKBENCH_KILL_AT", step)
        .output()
        .unwrap();
    assert_eq!(
        output.status.signal(),
        Some(9),
        "{step}: {}",
        stderr(&output)
    );
}

/// Any command on a server's project.
pub fn workbench(dir: &Path, server: &Server, args: &[&str]) -> Output {
    command(dir)
        .args(args)
        .args(["--project-hash", &server.project()])
        .envs(server.env())
        .output()
        .unwrap()
}

/// A text as the define of a C string.
pub fn c_text(name: &str, text: &str) -> String {
    format!(
        "{name}=\"{}\"",
        text.replace('\\', "\\\\").replace('"', "\\\"")
    )
}

/// What a command printed on stderr.
pub fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Output lines of a run: one for each task, and the summary.
pub fn lines(output: &Output) -> (Vec<Value>, Value) {
    let text = String::from_utf8_lossy(&output.stdout);
    let mut lines: Vec<Value> = text
        .lines()
        .map(|l| serde_json::from_str(l).unwrap())
        .collect();
    let summary = lines.pop().unwrap_or_else(|| {
        panic!(
            "no output; stderr: {}",
            String::from_utf8_lossy(&output.stderr)
        )
    });
    (lines, summary["summary"].clone())
}

/// A value of `/proc/PID/status` in bytes, `VmRSS` or `VmHWM`.
pub fn memory(pid: u32, field: &str) -> u64 {
    let text = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = text.lines().find(|l| l.starts_with(field)).unwrap();
    let kb: u64 = line.split_whitespace().nth(1).unwrap().parse().unwrap();
    kb * 1024
}
