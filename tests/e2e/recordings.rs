//! Sessions that are recorded with `--record` and played by `workbench replay`: in another folder, without a server.

use crate::support::{Server, Terminal, command, everything_in, mode, sample_agents, stderr};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{Duration, Instant};

const SIZE: (u16, u16) = (120, 36);

fn record(server: &Server, dir: &Path, file: &str, more: &[&str]) -> Terminal {
    let (project, agents) = (server.project(), sample_agents());
    let args = [
        "--project-hash",
        &project,
        "--agents",
        agents.to_str().unwrap(),
        "--record",
        file,
    ];
    let mut screen = Terminal::start(dir, &[&args[..], more].concat(), &server.env(), SIZE);
    screen.wait("build #1");
    screen
}

/// Plays a recording in an empty folder, with nothing to connect to.
fn replay(file: &Path, args: &[&str]) -> Output {
    let elsewhere = tempfile::tempdir().unwrap();
    let output = command(elsewhere.path())
        .arg("replay")
        .arg(file)
        .args(args)
        .output()
        .unwrap();
    let left = std::fs::read_dir(elsewhere.path()).unwrap().count();
    assert_eq!(left, 0, "nothing is written where it is played");
    output
}

fn played(file: &Path, args: &[&str]) -> String {
    let output = replay(file, args);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    String::from_utf8(output.stdout).unwrap()
}

fn signal(screen: &Terminal, name: &str) {
    let pid = screen.pid().to_string();
    let sent = Command::new("kill").args([name, &pid]).status().unwrap();
    assert!(sent.success());
}

/// The terminal after these bytes, in their last size.
fn terminal_after(bytes: &[u8], (columns, rows): (u16, u16)) -> vt100::Parser {
    let cells = |n| std::num::NonZero::new(n).unwrap();
    let mut parser = vt100::Parser::new(cells(rows), cells(columns), 0);
    parser.process(bytes);
    parser
}

fn rows(parser: &vt100::Parser, columns: u16) -> Vec<String> {
    let rows = parser.screen().rows(0, columns);
    rows.map(|row| row.trim_end().to_owned()).collect()
}

/// The last screen that the program drew before it gave the terminal back.
fn last_screen(screen: &Terminal) -> Vec<String> {
    const LEAVES: &[u8] = b"\x1b[?1049l";
    let raw = &screen.raw;
    let end = raw.windows(LEAVES.len()).rposition(|bytes| bytes == LEAVES);
    rows(&terminal_after(&raw[..end.unwrap()], SIZE), SIZE.0)
}

fn lines(text: &str) -> Vec<String> {
    text.lines().map(str::to_owned).collect()
}

/// The terminal of somebody who plays an asciicast.
fn play_cast(cast: &str) -> Vec<String> {
    let mut lines = cast
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap());
    let header = lines.next().unwrap();
    assert_eq!(header["version"], 2);
    let number = |value: &Value| u16::try_from(value.as_u64().unwrap()).unwrap();
    let size = (number(&header["width"]), number(&header["height"]));
    assert_eq!(size, SIZE);
    let mut parser = terminal_after(b"", size);
    let mut before = 0.0;
    for event in lines {
        let (time, code) = (event[0].as_f64().unwrap(), event[1].as_str().unwrap());
        let data = event[2].as_str().unwrap();
        assert!(time >= before, "times go forward");
        before = time;
        match code {
            "o" => parser.process(data.as_bytes()),
            "r" => {
                let (w, h) = data.split_once('x').unwrap();
                let cells = |n: &str| n.parse::<std::num::NonZero<u16>>().unwrap();
                parser.screen_mut().set_size(cells(h), cells(w));
            }
            other => panic!("{other} is not a code of the format"),
        }
    }
    rows(&parser, SIZE.0)
}

/// Steps a task, runs some dry, and looks at what is held, in two sizes of the terminal.
fn work(screen: &mut Terminal) {
    screen.keys("2").wait("astronaut.jpg");
    screen.keys("/").keys("title~a\r").wait("title~a");
    screen.keys("s").wait("before the call");
    screen.keys("c").wait("✓ outcome");
    screen.resize(80, 24);
    screen.keys("1").wait("pre-label");
    screen.resize(SIZE.0, SIZE.1);
    screen.keys("n").wait("how many");
    screen.keys("\r").wait("FINISHED");
    screen.keys("v").wait("Review");
}

#[test]
fn a_session_plays_to_the_same_last_screen_without_a_server_and_as_an_asciicast() {
    let server = Server::start(&["--scenario", "demo", "--tasks", "40"]);
    for file in ["session.jsonl", "session.jsonl.gz"] {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(file);
        let mut screen = record(&server, dir.path(), file, &[]);
        work(&mut screen);
        signal(&screen, "-TERM");
        screen.ended();
        assert_eq!(mode(&path), 0o600);
        let last = last_screen(&screen);
        assert!(last.iter().any(|row| row.contains("Review")), "{last:#?}");
        assert_eq!(lines(&played(&path, &[])), last);
        let cast = dir.path().join("session.cast");
        played(&path, &["--asciicast", cast.to_str().unwrap()]);
        assert_eq!(play_cast(&std::fs::read_to_string(cast).unwrap()), last);
        // The same session, earlier and in another size.
        let earlier = played(&path, &["--to", "5", "--size", "60x20"]);
        assert_eq!(lines(&earlier).len(), 20);
        assert!(lines(&earlier).iter().all(|row| row.chars().count() <= 60));
        let svg = dir.path().join("session.svg");
        played(&path, &["--svg", svg.to_str().unwrap()]);
        let svg = std::fs::read_to_string(svg).unwrap();
        assert!(svg.starts_with("<svg") && svg.contains("Review"), "{svg}");
    }
    assert_eq!(server.writes(), 0);
}

#[test]
fn a_killed_program_leaves_a_recording_that_plays_and_one_that_was_cut_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(&["--scenario", "demo", "--tasks", "20"]);
    let path = dir.path().join("killed.jsonl");
    let mut screen = record(&server, dir.path(), "killed.jsonl", &[]);
    screen.keys("2").wait("astronaut.jpg");
    screen.keys("?").wait("Keys: ");
    let on_disk = || std::fs::read_to_string(&path).unwrap();
    // The key, and the frame that it led to.
    let typed = |text: &str| {
        let (_, later) = text.split_once(r#"{"char":"?"}"#).unwrap_or_default();
        later.contains("\"frame\"") && later.ends_with('\n')
    };
    let until = Instant::now() + Duration::from_secs(30);
    while !typed(&on_disk()) {
        assert!(Instant::now() < until, "the key never reached the disk");
        screen.settle();
    }
    signal(&screen, "-KILL");
    screen.ended();
    // What was flushed ends behind a line; more may follow it by chance.
    let whole = on_disk();
    let whole = &whole[..=whole.rfind('\n').unwrap()];
    std::fs::write(&path, whole).unwrap();
    let text = played(&path, &[]);
    assert!(text.contains("Keys: "), "{text}");
    std::fs::write(&path, format!("{whole}{{\"t\":1,\"entr")).unwrap();
    let cut = replay(&path, &[]);
    assert_eq!(cut.status.code(), Some(0));
    assert!(
        stderr(&cut).contains("ends in the middle"),
        "{}",
        stderr(&cut)
    );
    assert_eq!(String::from_utf8_lossy(&cut.stdout), text);
    // A line inside that is none.
    let (first, rest) = whole.split_once('\n').unwrap();
    std::fs::write(&path, format!("{first}\nnothing\n{rest}")).unwrap();
    let damaged = replay(&path, &[]);
    assert_eq!(damaged.status.code(), Some(3));
    assert!(stderr(&damaged).contains("line 2"), "{}", stderr(&damaged));
}

#[test]
fn a_recording_replaces_no_file_unless_asked_to_and_belongs_to_a_screen() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(&["--scenario", "demo", "--tasks", "20"]);
    let path = dir.path().join("there");
    std::fs::write(&path, "older").unwrap();
    let refused = |args: &[&str]| {
        let project = server.project();
        let all = [&["--plain", "--project-hash", &project], args].concat();
        let output = command(dir.path())
            .args(all)
            .envs(server.env())
            .output()
            .unwrap();
        (output.status.code(), stderr(&output))
    };
    let (code, text) = refused(&["--record", "there"]);
    assert_eq!(code, Some(8), "{text}");
    assert!(text.contains("--yes"), "{text}");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "older");
    let (code, text) = refused(&["--record", "there", "--yes"]);
    assert_eq!(code, Some(0), "{text}");
    assert!(
        std::fs::read_to_string(&path)
            .unwrap()
            .contains("workbench_recording")
    );
    let (code, text) = refused(&["--record", "other", "tasks"]);
    assert_eq!(code, Some(2), "{text}");
    assert!(!dir.path().join("other").exists());
    let (code, text) = refused(&["replay", "workbench.toml"]);
    assert_eq!(code, Some(2), "{text}");
    std::fs::write(&path, "older").unwrap();
    let (code, text) = refused(&["replay", "there"]);
    assert_eq!(code, Some(2), "{text}");
    assert!(text.contains("is not a recording"), "{text}");
}

#[test]
fn a_recorded_demo_is_played_in_a_terminal_step_by_step() {
    let dir = tempfile::tempdir().unwrap();
    let file = demo(dir.path());
    let elsewhere = tempfile::tempdir().unwrap();
    let args = ["replay", file.to_str().unwrap(), "--idle-limit", "10ms"];
    let mut screen = Terminal::start(elsewhere.path(), &args, &[], (130, 40));
    screen.wait("end 0:");
    screen.wait("held");
    let (code, _) = screen.keys("q").ended();
    assert_eq!(code, 0);
    let mut screen = Terminal::start(elsewhere.path(), &args[..2], &[], (130, 40));
    screen.wait("space pause");
    screen.keys(" ").wait("paused 0:");
    let event = |text: &str| {
        let (_, after) = text.split_once("event ").unwrap();
        after
            .split_whitespace()
            .next()
            .unwrap()
            .parse::<u64>()
            .unwrap()
    };
    let before = event(&screen.text());
    screen
        .keys(".")
        .wait_until("a later event", |text| event(text) > before);
    screen.keys("+").wait(" 2x ");
    screen.keys("-").wait(" 1x ");
    assert_eq!(screen.keys("q").ended().0, 0);
}

#[test]
fn a_crash_report_names_the_recording_which_plays_up_to_the_crash() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(&["--scenario", "demo", "--tasks", "20"]);
    let (project, agents) = (server.project(), sample_agents());
    let args = [
        "--project-hash",
        &project,
        "--agents",
        agents.to_str().unwrap(),
    ];
    let args = [&args[..], &["--record", "crash.jsonl"]].concat();
    let env = [("WORKBENCH_PANIC_ON_KEY", "1".to_owned())];
    let env = [&server.env()[..], &env[..]].concat();
    let mut screen = Terminal::start(dir.path(), &args, &env, SIZE);
    screen.wait("build #1");
    let (code, shown) = screen.keys("2").ended();
    assert_eq!(code, 70);
    assert!(shown.contains("Recording of this session"), "{shown}");
    let mut files = Vec::new();
    everything_in(&dir.path().join(".workbench/crashes"), &mut files);
    let report = std::fs::read_to_string(files.iter().find(|f| f.is_file()).unwrap()).unwrap();
    assert!(
        report.contains("\nrecording: ") && report.contains("crash.jsonl\n"),
        "{report}"
    );
    let text = played(&dir.path().join("crash.jsonl"), &[]);
    assert!(text.contains("build #1"), "{text}");
}

/// A recorded demo: one task stepped, the others of its stage run dry.
fn demo(dir: &Path) -> PathBuf {
    crate::screen::build_demo(dir);
    let file = dir.join("demo.jsonl.gz");
    let args = [
        "demo",
        "--tasks",
        "40",
        "--reset",
        "--record",
        file.to_str().unwrap(),
    ];
    let mut screen = Terminal::start(dir, &args, &[], SIZE);
    screen.wait("build #1");
    screen.keys("2").wait("astronaut.jpg");
    screen.keys("s").wait("before the call");
    screen.keys("c").wait("✓ outcome");
    screen.keys("1").wait("pre-label");
    screen.keys("n").wait("how many");
    screen.keys("\r").wait("FINISHED");
    screen.keys("1").wait("held");
    signal(&screen, "-TERM");
    screen.ended();
    let last = last_screen(&screen);
    assert_eq!(lines(&played(&file, &[])), last);
    file
}
