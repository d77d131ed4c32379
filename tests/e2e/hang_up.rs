//! The terminal goes away: its window is closed, ssh breaks, the session is killed. The program exits with
//! 129 and without a crash report, and the journal knows what was being written.

use crate::support::{
    DEADLINE, PROGRAM, Server, Terminal, c_agent, c_text, command, lines, run, stderr,
};
use portable_pty::{Child, CommandBuilder, PtySize, native_pty_system};
use rustix::process::{Pid, Signal, kill_process};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::sync::mpsc::channel;

/// Every report of a crash.
fn reports(dir: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(dir.join(".workbench/crashes"))
        .into_iter()
        .flatten();
    let here = entries.flatten().map(|e| e.path());
    let shared = std::fs::read_dir(std::env::temp_dir())
        .into_iter()
        .flatten()
        .flatten();
    let shared = shared.map(|e| e.path()).filter(|path| {
        path.file_name()
            .is_some_and(|n| n.to_string_lossy().starts_with("workbench-crash-"))
    });
    here.chain(shared).collect()
}

/// Starts the screen in a terminal of its own and closes the terminal as soon as the screen shows `seen`, with
/// the keys `last` typed just before. Whether the program ignores SIGHUP is up to `nohup`.
fn closed(server: &Server, dir: &Path, nohup: bool, seen: &str, last: &str) -> u32 {
    let size = PtySize {
        rows: 36,
        cols: 120,
        pixel_width: 0,
        pixel_height: 0,
    };
    let pair = native_pty_system().openpty(size).unwrap();
    let mut command = CommandBuilder::new("sh");
    let trap = if nohup { "trap '' HUP; " } else { "" };
    command.args(["-c", &format!("{trap}exec \"$0\" \"$@\""), PROGRAM]);
    command.args(["--project-hash", &server.project()]);
    command.cwd(dir);
    command.env("TERM", "xterm-256color");
    command.env("LANG", "C.UTF-8");
    command.env("XDG_CONFIG_HOME", dir.join("no-config"));
    for (name, value) in server.env() {
        command.env(name, value);
    }
    let child = pair.slave.spawn_command(command).unwrap();
    drop(pair.slave);
    let mut reader = pair.master.try_clone_reader().unwrap();
    let mut keys = pair.master.take_writer().unwrap();
    let mut parser = vt100::Parser::new(cells(36), cells(120), 0);
    let mut buffer = [0; 64 * 1024];
    while !parser.screen().alternate_screen() || !parser.screen().contents().contains(seen) {
        let n = reader.read(&mut buffer).unwrap();
        assert!(n > 0, "it ended before its terminal did");
        parser.process(&buffer[..n]);
    }
    keys.write_all(last.as_bytes()).unwrap();
    // All ends of the terminal are closed here.
    drop((reader, keys, pair.master));
    code(child)
}

fn cells(n: u16) -> std::num::NonZero<u16> {
    std::num::NonZero::new(n).unwrap()
}

fn code(mut child: Box<dyn Child + Send + Sync>) -> u32 {
    let mut killer = child.clone_killer();
    let (send, ended) = channel();
    std::thread::spawn(move || send.send(child.wait().unwrap().exit_code()));
    ended.recv_timeout(DEADLINE).unwrap_or_else(|_| {
        let _ = killer.kill();
        panic!("it still runs")
    })
}

#[test]
fn closing_the_terminal_ends_the_screen_with_129_and_no_crash_report() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(&["--scenario", "demo", "--tasks", "20"]);
    let before = reports(dir.path());
    // While it opens, over the queue, with a dialog open; and with keys that nobody has read yet.
    let keys = "jk\u{1b}[<35;10;10M".repeat(20);
    for (seen, last) in [
        ("", ""),
        ("pre-label", ""),
        ("pre-label", "?"),
        ("pre-label", keys.as_str()),
        ("", keys.as_str()),
    ] {
        for nohup in [false, true] {
            let code = closed(&server, dir.path(), nohup, seen, last);
            assert_eq!(code, 129, "{seen:?} {last:?} nohup: {nohup}");
        }
    }
    assert_eq!(reports(dir.path()), before, "no report");
}

/// A server of 200 tasks, and an agent that does not end its first one before `go`: a run is still at work when
/// other tasks have moved.
fn endless(dir: &Path) -> (Server, PathBuf) {
    let server = Server::start(&["--scenario", "seed", "--tasks", "200"]);
    let first = server.tasks()[0]["uuid"].as_str().unwrap().to_owned();
    let path = |name: &str| dir.join(name).to_str().unwrap().to_owned();
    let defines = [
        c_text("LOG", &path("calls")),
        c_text("GO", &path("go")),
        c_text("WORD", &first),
    ];
    let library = c_agent(dir, "waits", &defines.each_ref().map(String::as_str));
    (server, library)
}

fn go(dir: &Path) {
    std::fs::write(dir.join("go"), "").unwrap();
}

/// Waits until the first tasks have moved.
fn until_moved(server: &Server) {
    let until = std::time::Instant::now() + DEADLINE;
    while server.changed("actions") == 0 {
        assert!(std::time::Instant::now() < until, "nothing is written");
        std::thread::yield_now();
    }
}

#[test]
fn a_run_under_nohup_survives_its_terminal() {
    let dir = tempfile::tempdir().unwrap();
    let (server, library) = endless(dir.path());
    let project = server.project();
    let script = "trap '' HUP; \"$0\" run -j 2 --task-batch-size 5 --progress none --project-hash \"$1\" --agents \"$2\" & wait; echo $? > code";
    let agents = library.to_str().unwrap();
    let mut child = std::process::Command::new("sh")
        .args(["-c", script, PROGRAM, &project, agents])
        .current_dir(dir.path())
        .envs(server.env())
        .spawn()
        .unwrap();
    until_moved(&server);
    let children = format!("/proc/{0}/task/{0}/children", child.id());
    for pid in std::fs::read_to_string(children)
        .unwrap_or_default()
        .split_whitespace()
    {
        let pid = Pid::from_raw(pid.parse().unwrap()).unwrap();
        let _ = kill_process(pid, Signal::HUP);
    }
    go(dir.path());
    child.wait().unwrap();
    assert_eq!(server.changed("actions"), 200);
}

#[test]
fn a_hang_up_ends_a_run_with_129_and_resume_finishes_what_had_begun() {
    let dir = tempfile::tempdir().unwrap();
    let (server, library) = endless(dir.path());
    let child = command(dir.path())
        .args([
            "run",
            "-j",
            "2",
            "--task-batch-size",
            "5",
            "--progress",
            "none",
        ])
        .args(["--project-hash", &server.project(), "--agents"])
        .arg(&library)
        .envs(server.env())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    until_moved(&server);
    kill_process(Pid::from_child(&child), Signal::HUP).unwrap();
    go(dir.path());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(129), "{}", stderr(&output));
    let output = command(dir.path())
        .args(["resume", "--project-hash", &server.project()])
        .envs(server.env())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    let left = run(dir.path(), &server, &library, &["--dry-run"]);
    assert_eq!(lines(&left).0.len(), 0, "all are done");
    assert_eq!(server.changed("actions"), 200, "each once");
}

#[test]
fn a_report_of_a_crash_follows_no_link_that_somebody_planted() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let dir = tempfile::tempdir().unwrap();
    let elsewhere = tempfile::tempdir().unwrap();
    let server = Server::start(&["--scenario", "demo", "--tasks", "20"]);
    std::fs::create_dir(dir.path().join(".workbench")).unwrap();
    symlink(elsewhere.path(), dir.path().join(".workbench/crashes")).unwrap();
    let mut env = server.env().to_vec();
    env.push(("WORKBENCH_PANIC_ON_KEY", "1".to_owned()));
    let args = ["--project-hash", &server.project()];
    let mut screen = Terminal::start(dir.path(), &args, &env, (120, 36));
    screen.wait("pre-label");
    assert_eq!(screen.keys("2").ended().0, 70);
    let text = String::from_utf8_lossy(&screen.raw).into_owned();
    assert!(text.contains("no report could be written"), "{text}");
    assert_eq!(std::fs::read_dir(elsewhere.path()).unwrap().count(), 0);
    std::fs::remove_file(dir.path().join(".workbench/crashes")).unwrap();
    let mut screen = Terminal::start(dir.path(), &args, &env, (120, 36));
    screen.wait("pre-label");
    assert_eq!(screen.keys("2").ended().0, 70);
    let found = reports(dir.path());
    let report = found.iter().find(|p| p.starts_with(dir.path())).unwrap();
    let mode = std::fs::metadata(report).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}
