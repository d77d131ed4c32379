//! What end-to-end tests and benchmarks share: the real program as a server, as a command, and in
//! a pseudo-terminal whose screen is read as text. Every process ends with its owner.

#![allow(dead_code)] // each user takes what it needs
#![allow(clippy::unwrap_used)] // helpers of tests

use portable_pty::{Child as PtyChild, CommandBuilder, MasterPty, PtySize, native_pty_system};
use serde_json::Value;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

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

/// `workbench serve` while it lives.
pub struct Server {
    child: Child,
    ready: Value,
}

impl Server {
    /// Starts a server and waits for its ready line. Its pages are small, so that listings have several.
    pub fn start(args: &[&str]) -> Self {
        let pages: &[&str] = match args.contains(&"--page-size") {
            true => &[],
            false => &["--page-size", "100"],
        };
        let mut child = Command::new(PROGRAM)
            .arg("serve")
            .args(args)
            .args(pages)
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .stdin(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap())
            .read_line(&mut line)
            .unwrap();
        let ready = serde_json::from_str(&line).unwrap_or_else(|e| panic!("{e}: {line:?}"));
        Self { child, ready }
    }

    /// A field of the ready line.
    pub fn field(&self, name: &str) -> String {
        self.ready[name].as_str().unwrap().to_owned()
    }

    /// The project it serves.
    pub fn project(&self) -> String {
        self.field("project_hash")
    }

    /// Credentials for a client.
    pub fn env(&self) -> [(&'static str, String); 2] {
        [
            ("ENCORD_DOMAIN", self.field("domain")),
            ("ENCORD_SSH_KEY_FILE", self.field("ssh_key_file")),
        ]
    }

    /// Its process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// A document of the admin endpoint, e.g. `/local/counters`.
    pub fn admin(&self, path: &str) -> Value {
        self.ask("GET", path, "", "")
    }

    fn ask(&self, method: &str, path: &str, headers: &str, body: &str) -> Value {
        let domain = self.field("domain");
        let address = domain.trim_start_matches("http://");
        let mut stream = std::net::TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(DEADLINE)).unwrap();
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nHost: {address}\r\n{headers}Connection: close\r\n\r\n{body}"
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.1 200"), "{head}");
        let chunked = head.to_lowercase().contains("transfer-encoding: chunked");
        let body = if chunked {
            unchunk(body)
        } else {
            body.to_owned()
        };
        serde_json::from_str(&body).unwrap_or_else(|e| panic!("{e}: {body}"))
    }

    /// Posts a document to the admin endpoint, e.g. `/local/edit`.
    pub fn post(&self, path: &str, body: &Value) -> Value {
        let body = body.to_string();
        let head = format!(
            "Content-Type: application/json\r\nContent-Length: {}\r\n",
            body.len()
        );
        self.ask("POST", path, &head, &body)
    }

    /// Tasks of the main project as the server's own books have them.
    pub fn tasks(&self) -> Vec<Value> {
        self.admin("/local/state")["tasks"]
            .as_array()
            .unwrap()
            .clone()
    }

    /// How many things an endpoint has changed.
    pub fn changed(&self, endpoint: &str) -> u64 {
        self.admin("/local/counters")["endpoints"][endpoint]["changed"]
            .as_u64()
            .unwrap_or(0)
    }

    /// Writing requests that it has seen.
    pub fn writes(&self) -> u64 {
        self.admin("/local/counters")["writes"].as_u64().unwrap()
    }
}

fn unchunk(mut body: &str) -> String {
    let mut whole = String::new();
    while let Some((size, rest)) = body.split_once("\r\n") {
        let size = usize::from_str_radix(size.trim(), 16).unwrap_or(0);
        if size == 0 {
            break;
        }
        whole.push_str(&rest[..size]);
        body = rest[size..].trim_start_matches("\r\n");
    }
    whole
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The program as a command in a folder, without any credentials of the machine.
pub fn command(dir: &Path) -> Command {
    let mut command = Command::new(PROGRAM);
    command.current_dir(dir).stdin(Stdio::null());
    for name in [
        "ENCORD_DOMAIN",
        "ENCORD_SSH_KEY",
        "ENCORD_SSH_KEY_FILE",
        "WORKBENCH_PROJECT",
        "WORKBENCH_AGENTS",
    ] {
        command.env_remove(name);
    }
    command.env("XDG_CONFIG_HOME", dir.join("no-config"));
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

/// `workbench plan` on a server's project, into `p.wbplan`.
pub fn plan(dir: &Path, server: &Server, library: &Path, more: &[&str]) -> Output {
    let agents = library.to_str().unwrap();
    let args = [
        &[
            "plan",
            "-o",
            "p.wbplan",
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

/// What a command said to a person.
pub fn said(output: &Output) -> String {
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

/// Compiles a C agent of `tests/fixtures` against the shipped header, with `NAME=VALUE` defines.
pub fn c_agent(dir: &Path, name: &str, defines: &[&str]) -> PathBuf {
    let source = root().join("tests/fixtures").join(format!("{name}.c"));
    let library = dir.join(format!("lib{name}.so"));
    let output = Command::new("cc")
        .args([
            "-std=c99", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-O1",
        ])
        .args(defines.iter().map(|d| format!("-D{d}")))
        .arg("-I")
        .arg(root().join("agent-abi/include"))
        .arg("-o")
        .arg(&library)
        .arg(&source)
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    library
}

/// The sample agents, built once for each test process.
pub fn sample_agents() -> PathBuf {
    static BUILT: std::sync::OnceLock<PathBuf> = std::sync::OnceLock::new();
    BUILT
        .get_or_init(|| build_agents(&root().join("sample-agents"), None))
        .clone()
}

/// Builds an agent crate with the real cargo; returns its library.
pub fn build_agents(dir: &Path, target: Option<&Path>) -> PathBuf {
    let output = try_build(dir, target);
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let name = dir.file_name().unwrap().to_string_lossy().replace('-', "_");
    let target = target.map_or_else(|| root().join("target"), Path::to_owned);
    target.join("debug").join(format!("lib{name}.so"))
}

/// Builds an agent crate; the output tells how it went.
pub fn try_build(dir: &Path, target: Option<&Path>) -> Output {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo
        .args(["build", "--offline", "--lib", "--manifest-path"])
        .arg(dir.join("Cargo.toml"));
    if let Some(target) = target {
        cargo.arg("--target-dir").arg(target);
    }
    cargo.output().unwrap()
}

/// The program in a pseudo-terminal.
pub struct Terminal {
    parser: vt100::Parser,
    bytes: Receiver<Vec<u8>>,
    keys: Box<dyn Write + Send>,
    master: Box<dyn MasterPty + Send>,
    child: Box<dyn PtyChild + Send + Sync>,
    /// Everything the program wrote, for what a screen cannot show.
    pub raw: Vec<u8>,
}

impl Terminal {
    /// Starts the program with these arguments and environment.
    pub fn start(
        dir: &Path,
        args: &[&str],
        env: &[(&str, String)],
        (columns, rows): (u16, u16),
    ) -> Self {
        let size = PtySize {
            rows,
            cols: columns,
            pixel_width: 0,
            pixel_height: 0,
        };
        let pair = native_pty_system().openpty(size).unwrap();
        let mut command = CommandBuilder::new(PROGRAM);
        command.args(args);
        command.cwd(dir);
        for name in [
            "ENCORD_DOMAIN",
            "ENCORD_SSH_KEY",
            "ENCORD_SSH_KEY_FILE",
            "WORKBENCH_PROJECT",
            "WORKBENCH_AGENTS",
            "NO_COLOR",
        ] {
            command.env_remove(name);
        }
        command.env("TERM", "xterm-256color");
        command.env("LANG", "C.UTF-8");
        command.env("XDG_CONFIG_HOME", dir.join("no-config"));
        for (name, value) in env {
            command.env(name, value);
        }
        let child = pair.slave.spawn_command(command).unwrap();
        drop(pair.slave);
        let mut reader = pair.master.try_clone_reader().unwrap();
        let (send, bytes) = channel();
        std::thread::spawn(move || {
            let mut buffer = [0; 64 * 1024];
            while let Ok(n) = reader.read(&mut buffer) {
                if n == 0 || send.send(buffer[..n].to_vec()).is_err() {
                    return;
                }
            }
        });
        let keys = pair.master.take_writer().unwrap();
        let parser = vt100::Parser::new(cells(rows), cells(columns), 0);
        Self {
            parser,
            bytes,
            keys,
            master: pair.master,
            child,
            raw: Vec::new(),
        }
    }

    /// Types.
    pub fn keys(&mut self, keys: &str) -> &mut Self {
        self.keys.write_all(keys.as_bytes()).unwrap();
        self.keys.flush().unwrap();
        self
    }

    /// The screen as text, a line for each row.
    pub fn text(&self) -> String {
        self.parser.screen().contents()
    }

    /// Makes the terminal larger or smaller.
    pub fn resize(&mut self, columns: u16, rows: u16) {
        self.parser
            .screen_mut()
            .set_size(cells(rows), cells(columns));
        self.master
            .resize(PtySize {
                rows,
                cols: columns,
                pixel_width: 0,
                pixel_height: 0,
            })
            .unwrap();
    }

    /// Its process.
    pub fn pid(&self) -> u32 {
        self.child.process_id().unwrap()
    }

    /// Waits until the screen shows something; gives the time it took.
    pub fn wait(&mut self, what: &str) -> Duration {
        self.wait_until(what, |text| text.contains(what))
    }

    /// Waits until the screen is as wanted; a screen that never is fails with its picture.
    pub fn wait_until(&mut self, what: &str, wanted: impl Fn(&str) -> bool) -> Duration {
        let began = Instant::now();
        let until = began + DEADLINE;
        loop {
            if wanted(&self.text()) {
                return began.elapsed();
            }
            let left = until.saturating_duration_since(Instant::now());
            match self.bytes.recv_timeout(left) {
                Ok(bytes) => {
                    self.parser.process(&bytes);
                    self.raw.extend_from_slice(&bytes);
                }
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                    panic!("never saw {what}; the screen is:\n{}", self.text())
                }
            }
        }
    }

    /// Leaves the program, and says so when it asks because something still runs.
    pub fn quit(&mut self) -> (u32, String) {
        self.keys("q");
        self.end(|screen| {
            if screen.text().contains("Leave the workbench?") {
                screen.keys("y");
                return true;
            }
            false
        })
    }

    /// Waits until the program has ended; gives its exit code and the last screen. One that does
    /// not end fails with its picture.
    pub fn ended(&mut self) -> (u32, String) {
        self.end(|_| true)
    }

    /// As `ended`; `look` sees every new screen until it is satisfied.
    fn end(&mut self, look: impl Fn(&mut Self) -> bool) -> (u32, String) {
        let until = Instant::now() + DEADLINE;
        let mut satisfied = false;
        loop {
            match self
                .bytes
                .recv_timeout(until.saturating_duration_since(Instant::now()))
            {
                Ok(bytes) => {
                    self.parser.process(&bytes);
                    self.raw.extend_from_slice(&bytes);
                    satisfied = satisfied || look(self);
                }
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => {
                    panic!("the program did not end; the screen is:\n{}", self.text())
                }
            }
        }
        let status = self.child.wait().unwrap();
        (status.exit_code(), self.text())
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn cells(n: u16) -> std::num::NonZero<u16> {
    std::num::NonZero::new(n).unwrap()
}

/// A value of `/proc/PID/status` in bytes, `VmRSS` or `VmHWM`.
pub fn memory(pid: u32, field: &str) -> u64 {
    let text = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = text.lines().find(|l| l.starts_with(field)).unwrap();
    let kb: u64 = line.split_whitespace().nth(1).unwrap().parse().unwrap();
    kb * 1024
}
