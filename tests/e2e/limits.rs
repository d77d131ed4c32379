//! Limits that hold: `--max-time` ends every command within its grace, whatever its agents or the platform do,
//! and what was decided by then is written.

use crate::support::{Fed, Server, c_agent, c_text, command, lines, stderr, workbench};
use serde_json::Value;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

/// Limit and grace, and what a loaded machine may need on top.
const WITHIN: Duration = Duration::from_secs(2 + 5 + 4);

/// `exec` with two seconds of time.
fn exec_for_a_moment(dir: &Path, server: &Server, library: &Path) -> Command {
    let mut exec = command(dir);
    exec.args(["exec", "--stage", "Agent 1", "--max-time", "2s", "--agents"])
        .arg(library)
        .args(["--project-hash", &server.project()])
        .envs(server.env());
    exec
}

/// An agent that never ends for tasks with this word, and is quick with the others.
fn endless(dir: &Path, word: &str) -> PathBuf {
    let defines = [
        c_text("LOG", dir.join("calls").to_str().unwrap()),
        c_text("GO", dir.join("never").to_str().unwrap()),
        c_text("WORD", word),
    ];
    let defines: Vec<&str> = defines.iter().map(String::as_str).collect();
    c_agent(dir, "waits", &defines)
}

/// Runs a command that must end by itself.
fn timed(dir: &Path, server: &Server, args: &[&str]) -> Output {
    let began = Instant::now();
    let output = workbench(dir, server, args);
    assert!(began.elapsed() < WITHIN, "{args:?}: {:?}", began.elapsed());
    assert_eq!(
        output.status.code(),
        Some(9),
        "{args:?}: {}",
        stderr(&output)
    );
    output
}

/// The title of one waiting task, as it stands in its document.
fn a_title(dir: &Path, server: &Server, n: usize) -> String {
    let tasks = workbench(dir, server, &["tasks", "--json"]);
    let text = String::from_utf8(tasks.stdout).unwrap();
    let task: Value = serde_json::from_str(text.lines().nth(n).unwrap()).unwrap();
    task["uuid"].as_str().unwrap().to_owned()
}

#[test]
fn a_run_out_of_time_writes_what_is_decided_and_ends_endless_agents() {
    for jobs in ["1", "4"] {
        let dir = tempfile::tempdir().unwrap();
        let server = Server::start(&["--scenario", "seed", "--tasks", "20"]);
        let library = endless(dir.path(), &a_title(dir.path(), &server, 7));
        let agents = library.to_str().unwrap();
        let args = [
            "run",
            "--json",
            "--max-time",
            "2s",
            "-j",
            jobs,
            "-a",
            agents,
        ];
        let output = timed(dir.path(), &server, &args);
        let (tasks, summary) = lines(&output);
        let expected = if jobs == "1" { 7 } else { 19 };
        assert_eq!(server.changed("actions"), expected, "{}", stderr(&output));
        assert_eq!(summary["moved"], expected, "{summary}");
        assert!(tasks.iter().all(|t| t["outcome"] == "moved"), "{tasks:?}");
        // Nothing is left open, and the rest is where it was.
        let journal = workbench(dir.path(), &server, &["journal", "--json"]);
        let op: Value = serde_json::from_slice(&journal.stdout).unwrap();
        assert_eq!(
            (&op["open"], &op["interrupted"]),
            (&0.into(), &false.into()),
            "{op}"
        );
    }
}

#[test]
fn plan_and_exec_and_pollers_end_at_their_time_too() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(&["--scenario", "seed", "--tasks", "6"]);
    let library = endless(dir.path(), "uuid");
    let agents = library.to_str().unwrap();
    let plan = ["plan", "-o", "p.wbplan", "--max-time", "2s", "-a", agents];
    timed(dir.path(), &server, &plan);
    let quick = endless(dir.path(), "no task has this word");
    let quick = quick.to_str().unwrap();
    let poll = [
        "run",
        "-n",
        "--refresh-every",
        "3600",
        "--max-time",
        "2s",
        "-a",
        quick,
    ];
    timed(dir.path(), &server, &poll);
    let endless = endless(dir.path(), "uuid");
    let tasks = workbench(dir.path(), &server, &["tasks", "--json"]);
    let began = Instant::now();
    let mut exec = exec_for_a_moment(dir.path(), &server, &endless);
    // The input stays open: nothing but the limit ends it.
    let mut exec = Fed::start(&mut exec);
    exec.write(&tasks.stdout);
    let output = exec.end();
    assert!(began.elapsed() < WITHIN, "{:?}", began.elapsed());
    assert_eq!(output.status.code(), Some(9), "{}", stderr(&output));
    let answers = String::from_utf8(output.stdout).unwrap();
    let failed = answers.matches("\"success\":false").count();
    assert!(failed > 0 && failed == answers.lines().count(), "{answers}");
    assert_eq!(server.writes(), 0);
}

#[test]
fn a_platform_that_does_not_answer_keeps_no_command_beyond_its_time() {
    for endpoint in ["any", "get_tasks", "actions"] {
        let dir = tempfile::tempdir().unwrap();
        let fault = format!("{endpoint}:slow/600s");
        let server = Server::start(&["--scenario", "seed", "--tasks", "6", "--fault", &fault]);
        let library = endless(dir.path(), "no task has this word");
        let agents = library.to_str().unwrap();
        let run = ["run", "--max-time", "2s", "-a", agents];
        let output = timed(dir.path(), &server, &run);
        let plan = ["plan", "-o", "p.wbplan", "--max-time", "2s", "-a", agents];
        let limited: &[&[&str]] = match endpoint {
            "actions" => &[],
            "get_tasks" => &[
                &plan,
                &["tasks", "--max-time", "2s"],
                &["stages", "--max-time", "2s"],
            ],
            _ => &[
                &plan,
                &["tasks", "--max-time", "2s"],
                &["stages", "--max-time", "2s"],
                &["graph", "--max-time", "2s", "--json"],
                &["print", "agent-nodes", "--max-time", "2s"],
                &["check", "--max-time", "2s", "-a", agents],
            ],
        };
        for args in limited {
            timed(dir.path(), &server, args);
        }
        if endpoint == "actions" {
            // What was on its way is known, and finished by the next command.
            let journal = workbench(dir.path(), &server, &["journal", "--json"]);
            let op: Value = serde_json::from_slice(&journal.stdout).unwrap();
            assert_eq!(op["open"], 6, "{op} {}", stderr(&output));
            assert!(stderr(&output).contains("`workbench resume` finishes"));
        }
    }
}

/// A platform whose every answer comes byte by byte and never ends.
fn trickling() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            std::thread::spawn(move || trickle(stream));
        }
    });
    address
}

fn trickle(mut stream: std::net::TcpStream) {
    let mut request = [0; 4096];
    let _ = stream.read(&mut request);
    let _ = stream.write_all(
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n",
    );
    // The pace of the bytes; nothing is ever sent here.
    let (_keep, pace) = channel::<()>();
    while stream.write_all(b" ").is_ok() {
        let _ = pace.recv_timeout(Duration::from_millis(500));
    }
}

#[test]
fn a_platform_that_trickles_its_answers_keeps_no_command_beyond_its_time() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(&["--scenario", "seed", "--tasks", "6"]);
    let library = endless(dir.path(), "no task has this word");
    let agents = library.to_str().unwrap();
    let domain = trickling();
    for args in [
        &["run", "--max-time", "2s", "-a", agents][..],
        &["plan", "-o", "p.wbplan", "--max-time", "2s", "-a", agents],
        &[
            "exec",
            "--stage",
            "Agent 1",
            "--max-time",
            "2s",
            "-a",
            agents,
        ],
        &["tasks", "--max-time", "2s"],
        &["stages", "--max-time", "2s"],
        &["graph", "--max-time", "2s"],
        &["check", "--max-time", "2s", "--json", "-a", agents],
        &["undo", "--max-time", "2s"],
    ] {
        let began = Instant::now();
        let output = command(dir.path())
            .args(args)
            .args(["--project-hash", &server.project()])
            .envs(server.env())
            .env("ENCORD_DOMAIN", &domain)
            .output()
            .unwrap();
        assert!(began.elapsed() < WITHIN, "{args:?}: {:?}", began.elapsed());
        assert_eq!(
            output.status.code(),
            Some(9),
            "{args:?}: {}",
            stderr(&output)
        );
    }
}

#[test]
fn the_limit_of_an_attempt_is_shown_with_its_default() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(&["--scenario", "seed", "--tasks", "3"]);
    let library = endless(dir.path(), "no task has this word");
    let agents = library.to_str().unwrap();
    let shown = |args: &[&str]| {
        let output = workbench(dir.path(), &server, args);
        String::from_utf8(output.stdout).unwrap()
    };
    assert!(shown(&["run", "--help"]).contains("or 10m"));
    assert!(shown(&["check", "-a", agents]).contains("limit 10m"));
    let setting = |text: &str| {
        text.lines()
            .find(|l| l.starts_with("timeout"))
            .map(str::to_owned)
    };
    assert!(setting(&shown(&["config"])).unwrap().contains("10m"));
    for (value, word) in [("30", "30s"), ("\"1h30m\"", "1h30m"), ("\"none\"", "none")] {
        let line = format!("timeout = {value}\n");
        std::fs::write(dir.path().join("workbench.toml"), line).unwrap();
        assert!(setting(&shown(&["config"])).unwrap().contains(word));
        assert!(shown(&["check", "-a", agents]).contains(&format!("limit {word}")));
    }
}

#[test]
fn a_duration_needs_a_unit() {
    let dir = tempfile::tempdir().unwrap();
    for flag in ["--timeout", "--max-time"] {
        let output = command(dir.path())
            .args(["run", flag, "30"])
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(2));
        assert!(
            stderr(&output).contains("did you mean 30s?"),
            "{}",
            stderr(&output)
        );
    }
    let none = command(dir.path())
        .args(["run", "--timeout", "none", "--max-time", "0s"])
        .output()
        .unwrap();
    assert!(
        stderr(&none).contains("greater than zero"),
        "{}",
        stderr(&none)
    );
}

#[test]
fn an_apply_out_of_time_ends_and_the_next_one_finishes_it() {
    for endpoint in ["any", "actions"] {
        let dir = tempfile::tempdir().unwrap();
        let data = dir.path().join("data");
        let data = ["--data", data.to_str().unwrap()];
        let scenario = [&["--scenario", "seed", "--tasks", "6"][..], &data].concat();
        let server = Server::start(&scenario);
        let library = endless(dir.path(), "no task has this word");
        let planned = crate::support::plan(dir.path(), &server, &library, &[]);
        assert_eq!(planned.status.code(), Some(0), "{}", stderr(&planned));
        let domain = server.field("domain");
        let port = domain.rsplit(':').next().unwrap().to_owned();
        drop(server);
        // The plan is for this address.
        let fault = format!("{endpoint}:slow/600s");
        let again = [&scenario[..], &["--port", &port, "--fault", &fault]].concat();
        let stalled = Server::start(&again);
        let apply = ["apply", "p.wbplan", "--max-time", "2s"];
        timed(dir.path(), &stalled, &apply);
        drop(stalled);
        let server = Server::start(&[&scenario[..], &["--port", &port]].concat());
        let output = workbench(dir.path(), &server, &["apply", "p.wbplan"]);
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        assert_eq!(
            server.changed("actions") + stalled_moves(&server),
            6,
            "{}",
            stderr(&output)
        );
    }
}

/// Tasks that had moved before this server was started.
fn stalled_moves(server: &Server) -> u64 {
    let first = |t: &&Value| t["stage"] == "Agent 1";
    let moved = 6 - server.tasks().iter().filter(first).count() as u64;
    moved - server.changed("actions")
}

#[test]
fn exec_out_of_time_reports_how_much_of_its_input_was_left() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(&["--scenario", "seed", "--tasks", "20"]);
    let endless = endless(dir.path(), "uuid");
    let tasks = workbench(dir.path(), &server, &["tasks", "--json"]);
    for closed in [true, false] {
        let mut exec = exec_for_a_moment(dir.path(), &server, &endless);
        let mut exec = Fed::start(exec.args(["--task-batch-size", "3"]));
        // A blank line is nothing that could be left.
        exec.write([&tasks.stdout[..], b"\n"].concat());
        if closed {
            exec.close();
        }
        let output = exec.end();
        assert_eq!(output.status.code(), Some(9), "{}", stderr(&output));
        let answers = String::from_utf8(output.stdout.clone()).unwrap();
        let unread = 20 - answers.lines().count();
        let wanted = match closed {
            true => format!("{unread} more lines were not read; they have no result"),
            false => format!("the rest of the input was not read (at least {unread} more lines)"),
        };
        assert!(
            unread >= 10 && stderr(&output).contains(&wanted),
            "{unread}: {}",
            stderr(&output)
        );
    }
    // Everything was read: nothing is left to report.
    let quick = self::endless(dir.path(), "no task has this word");
    let output = command(dir.path())
        .args([
            "exec",
            "--stage",
            "Agent 1",
            "--max-time",
            "60s",
            "--agents",
        ])
        .arg(&quick)
        .args(["--project-hash", &server.project()])
        .envs(server.env())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(!stderr(&output).contains("not read"), "{}", stderr(&output));
}
