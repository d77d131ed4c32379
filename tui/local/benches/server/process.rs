//! The server as a process of its own, and its memory and CPU time.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use crate::common::Client;

pub struct Server(Child);

impl Server {
    /// Starts a server and waits until it is ready.
    pub fn start(data: &Path, tasks: usize, page: usize) -> (Self, Client) {
        let mut child = Command::new(env!("CARGO_BIN_EXE_wb-local"))
            .args([
                "large",
                &tasks.to_string(),
                "--page-size",
                &page.to_string(),
            ])
            .arg("--data")
            .arg(data)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
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

    /// CPU time of the server's process so far, in seconds: unlike elapsed time, it hardly
    /// depends on the load of the machine.
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
