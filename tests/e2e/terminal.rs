//! The program and its terminal: every size, given back after any end, and what is printed where the
//! screen cannot be shown. What the screen does is left to `screen`.

use crate::screen::open;
use crate::support::{Server, Terminal, c_agent};

#[test]
fn every_size_draws_and_a_tiny_one_shows_a_notice() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(&["--scenario", "demo", "--tasks", "50"]);
    let mut screen = open(&server, dir.path(), (120, 36));
    for (columns, rows) in [(80, 24), (200, 60), (100, 30), (60, 18), (120, 36)] {
        screen.resize(columns, rows);
        screen.wait_until("the stage in the new size", |t| t.contains("pre-label"));
    }
    screen.resize(30, 8);
    screen.wait("Too small");
    screen.resize(120, 36);
    screen.wait("pre-label");
}

#[test]
fn the_terminal_is_given_back_after_quitting_and_after_a_signal() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(&["--scenario", "demo", "--tasks", "20"]);
    for signal in [
        None,
        Some(rustix::process::Signal::TERM),
        Some(rustix::process::Signal::HUP),
    ] {
        let mut screen = open(&server, dir.path(), (120, 36));
        match signal {
            None => {
                screen.keys("\x03");
            }
            Some(signal) => {
                let pid = i32::try_from(screen.pid()).unwrap();
                let pid = rustix::process::Pid::from_raw(pid).unwrap();
                rustix::process::kill_process(pid, signal).unwrap();
            }
        }
        let (code, _) = screen.ended();
        let wanted = signal.map_or(0, |s| 128 + s.as_raw() as u32);
        assert_eq!(code, wanted);
        let raw = String::from_utf8_lossy(&screen.raw).into_owned();
        let last = |code: &str| raw.rfind(code);
        assert!(
            last("\x1b[?1049l") > last("\x1b[?1049h"),
            "the alternate screen was not left"
        );
        assert!(
            last("\x1b[?25h") > last("\x1b[?25l"),
            "the cursor stayed hidden"
        );
    }
}

#[test]
fn the_screen_is_whole_again_after_the_shell_had_the_terminal() {
    use rustix::process::{Pid, Signal, kill_process};
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(&["--scenario", "demo", "--tasks", "20"]);
    let mut screen = open(&server, dir.path(), (120, 36));
    screen.wait("pre-label");
    let taken = |screen: &Terminal, code: &str| {
        let raw = String::from_utf8_lossy(&screen.raw).into_owned();
        raw.matches(code).count()
    };
    assert_eq!(taken(&screen, "\x1b[?1049h"), 1);
    screen.raw.clear();
    // No shell waits for it here, so that it goes on at once.
    // A frame may be read in parts: its last row belongs to the overlay too.
    screen
        .keys("\x1a?")
        .wait_until("the keys in place of the hints", |t| {
            t.contains("Keys: Flow") && !t.contains("enter queue")
        });
    assert_eq!(
        (taken(&screen, "\x1b[?1049l"), taken(&screen, "\x1b[?1049h")),
        (1, 1)
    );
    let pid = Pid::from_raw(i32::try_from(screen.pid()).unwrap()).unwrap();
    kill_process(pid, Signal::STOP).unwrap();
    screen.raw.clear();
    kill_process(pid, Signal::CONT).unwrap();
    screen.keys("\x1b").wait("enter queue");
    screen.wait_until("everything drawn again", |t| t.contains("A pre-label"));
    let again = taken(&screen, "\x1b[?1049h");
    let raw = String::from_utf8_lossy(&screen.raw).into_owned();
    assert!(again == 1 && raw.contains("A pre-label"), "{raw:?}");
    assert_eq!(screen.quit().0, 0);
}

#[test]
fn a_panic_gives_the_terminal_back_names_its_report_and_ends_with_seventy() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(&["--scenario", "demo", "--tasks", "20"]);
    let mut env = server.env().to_vec();
    env.push(("WORKBENCH_PANIC_ON_KEY", "1".to_owned()));
    let args = ["--project-hash", &server.project()];
    let mut screen = Terminal::start(dir.path(), &args, &env, (120, 36));
    screen.wait("pre-label");
    let (code, last) = screen.keys("2").ended();
    assert_eq!(code, 70, "{last}");
    let raw = String::from_utf8_lossy(&screen.raw).into_owned();
    assert!(raw.rfind("\x1b[?1049l") > raw.rfind("\x1b[?1049h"));
    let report = raw
        .split("Report: ")
        .nth(1)
        .unwrap()
        .lines()
        .next()
        .unwrap()
        .trim();
    let text = std::fs::read_to_string(report).unwrap();
    assert!(text.contains("a panic was asked for"), "{text}");
    std::fs::remove_file(report).unwrap();
}

#[test]
fn control_codes_in_an_agents_output_never_reach_the_terminal() {
    let dir = tempfile::tempdir().unwrap();
    let library = c_agent(dir.path(), "hostile", &["FAULT=6", "VICTIM=\"uuid\""]);
    let server = Server::start(&["--scenario", "seed", "--tasks", "5"]);
    let mut screen = Terminal::open(&server, dir.path(), &library, (120, 36));
    screen.keys("2").wait("new  ");
    screen.keys("s").wait("before the call");
    screen.keys("c").wait("✓ outcome");
    screen.keys("ttt").wait("EVIL");
    let raw = String::from_utf8_lossy(&screen.raw).into_owned();
    assert!(
        !raw.contains("\x1b[2J\x1b[31mEVIL") && !raw.contains("\x1b]0;owned"),
        "codes came through"
    );
    assert_eq!(screen.quit().0, 0);
}

#[test]
fn the_demo_without_a_terminal_prints_how_to_go_on() {
    let dir = tempfile::tempdir().unwrap();
    let output = crate::support::command(dir.path())
        .args(["demo", "--tasks", "20"])
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        output.status.success() && text.contains("workbench run"),
        "{text}"
    );
}
