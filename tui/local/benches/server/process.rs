//! The server in a process of its own, and what the system says of it.

use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::Value;
use wb_local::{Scenario, ServeOptions, serve};

use crate::common::Client;

/// Makes this program run as the server: folder, tasks and page size, separated by newlines.
const ROLE: &str = "WORKBENCH_BENCH_SERVER";

pub fn is_server() -> bool {
    std::env::var_os(ROLE).is_some()
}

/// Serves until standard input ends, so that no server outlives the bench.
pub async fn serve_until_told() {
    let role = std::env::var(ROLE).unwrap();
    let mut words = role.lines();
    let mut next = || words.next().unwrap().to_owned();
    let options = ServeOptions {
        scenario: Scenario::Large,
        data: Some(next().into()),
        tasks: Some(next().parse().unwrap()),
        page_size: next().parse().unwrap(),
        ..ServeOptions::default()
    };
    let served = serve(options).await.unwrap();
    println!("{}", served.ready_line());
    tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new()))
        .await
        .unwrap()
        .unwrap();
    served.shutdown().await.unwrap();
}

pub struct Server(Child);

impl Server {
    /// Starts a server and waits until it is ready.
    pub fn start(data: &Path, tasks: usize, page: usize) -> (Self, Client) {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .env(ROLE, format!("{}\n{tasks}\n{page}", data.display()))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        let ready: Value = serde_json::from_str(&line).unwrap();
        let text = |key: &str| ready[key].as_str().unwrap();
        let project = text("project_hash").parse().unwrap();
        let client = Client::new(text("domain"), project, Path::new(text("ssh_key_file")));
        (Self(child), client)
    }

    /// A figure of the server's process, in MB.
    pub fn memory(&self, figure: &str) -> f64 {
        let text =
            std::fs::read_to_string(format!("/proc/{}/status", self.0.id())).unwrap_or_default();
        let line = text
            .lines()
            .find_map(|l| l.strip_prefix(figure)?.strip_prefix(':'))
            .unwrap_or_default();
        let kilobytes: f64 = line
            .trim()
            .trim_end_matches(" kB")
            .parse()
            .unwrap_or(f64::NAN);
        kilobytes / 1000.0
    }

    /// CPU time of the server's process so far, in seconds: unlike time by the clock, it hardly
    /// hangs on what else the machine does.
    pub fn cpu(&self) -> f64 {
        // Ticks of the clock, a hundred a second on every Linux that is not built for something else.
        const TICKS: f64 = 100.0;
        let path = format!("/proc/{}/stat", self.0.id());
        let text = std::fs::read_to_string(path).unwrap_or_default();
        // The name, in parentheses, may hold blanks; user and system time are 12 and 13 behind it.
        let fields = text.rsplit_once(") ").map_or("", |(_, rest)| rest);
        let ticks = fields.split(' ').skip(11).take(2);
        ticks.filter_map(|t| t.parse::<f64>().ok()).sum::<f64>() / TICKS
    }

    pub fn stop(&mut self) {
        drop(self.0.stdin.take());
        self.0.wait().unwrap();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The machine's load, if known.
pub fn load() -> String {
    let text = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').take(3).collect::<Vec<_>>().join(" ")
}
