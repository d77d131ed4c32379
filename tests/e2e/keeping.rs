//! What outlives a screen, however it ends: held outcomes, filters, marks.

use crate::linear::script;
use crate::screen::open;
use crate::support::{DEADLINE, Server, Terminal, workbench};
use std::path::Path;
use std::time::Instant;

fn output(server: &Server, dir: &Path, lines: &str) -> String {
    let output = script(server, dir, &[], lines);
    String::from_utf8(output.stdout).unwrap()
}

/// A screen that holds three outcomes.
fn holding(server: &Server, dir: &Path) -> Terminal {
    let mut screen = open(server, dir, (120, 36));
    screen.keys("2").wait("astronaut.jpg");
    screen.keys("   x").wait("FINISHED");
    screen
}

/// Waits until the store has what is held of a task.
fn kept(dir: &Path, title: &str) {
    let until = Instant::now() + DEADLINE;
    let has = |name: &str| {
        let bytes = std::fs::read(dir.join(".workbench").join(name)).unwrap_or_default();
        bytes
            .windows(title.len())
            .any(|bytes| bytes == title.as_bytes())
    };
    while !has("screen.db-wal") && !has("screen.db") {
        assert!(Instant::now() < until, "{title} was not kept");
        std::thread::yield_now();
    }
}

#[test]
fn held_outcomes_come_back_after_quit_sigterm_and_sigkill_and_can_be_committed() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(&["--scenario", "demo", "--tasks", "30"]);
    let mut screen = holding(&server, dir.path());
    screen.keys("q").wait("quit and keep them");
    screen.keys("y");
    assert_eq!(screen.ended().0, 0);
    for signal in [rustix::process::Signal::TERM, rustix::process::Signal::KILL] {
        let mut screen = open(&server, dir.path(), (120, 36));
        screen.wait("3 held outcomes are back");
        screen.keys("v").wait("3 outcomes held");
        let pid = i32::try_from(screen.pid()).unwrap();
        let pid = rustix::process::Pid::from_raw(pid).unwrap();
        rustix::process::kill_process(pid, signal).unwrap();
        screen.ended();
    }
    assert_eq!(server.writes(), 0);
    let text = output(&server, dir.path(), "review\ncommit\nyes\n");
    assert!(
        text.contains("held outcomes are back from before"),
        "{text}"
    );
    assert!(text.contains("3 of 3 written"), "{text}");
    assert!(server.writes() > 0);
    let text = output(&server, dir.path(), "review\n");
    assert!(
        text.contains("0 outcomes held"),
        "what was written is not held: {text}"
    );
}

#[test]
fn what_is_held_is_thrown_away_or_written_to_a_plan_when_asked() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(&["--scenario", "demo", "--tasks", "30"]);
    let mut screen = holding(&server, dir.path());
    kept(dir.path(), "astronaut.jpg");
    screen.keys("qX");
    assert_eq!(screen.ended().0, 0);
    let text = output(
        &server,
        dir.path(),
        "dry-run-some 2\nquit\nkeep-as-a-plan\n",
    );
    assert!(!text.contains("are back from before"), "{text}");
    let plan = std::fs::read_dir(dir.path()).unwrap();
    let plan = plan.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let plan = plan
        .into_iter()
        .find(|name| name.ends_with(".wbplan"))
        .unwrap();
    let text = output(&server, dir.path(), "review\n");
    assert!(
        text.contains("0 outcomes held"),
        "they are in the plan: {text}"
    );
    assert_eq!(server.writes(), 0);
    let applied = workbench(dir.path(), &server, &["apply", &plan]);
    assert_eq!(applied.status.code(), Some(0));
    assert!(server.writes() > 0);
}

#[test]
fn filters_and_marks_come_back() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(&["--scenario", "demo", "--tasks", "30"]);
    let lines = "queue pre-label\nmark 2,4\nfilter title~jpg\nsort\nquit\n";
    let text = output(&server, dir.path(), lines);
    assert!(text.contains("filter title~jpg"), "{text}");
    let text = output(&server, dir.path(), "queue pre-label\nquit\n");
    assert!(
        text.contains("filter title~jpg, sorted by title, 2 marked"),
        "{text}"
    );
}

#[test]
fn a_second_screen_of_the_folder_keeps_nothing_and_reports_that() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(&["--scenario", "demo", "--tasks", "20"]);
    let mut first = holding(&server, dir.path());
    kept(dir.path(), "astronaut.jpg");
    let text = output(&server, dir.path(), "quit\n");
    assert!(
        text.contains("another screen is open in this folder"),
        "{text}"
    );
    assert!(!text.contains("are back from before"), "{text}");
    first.keys("q").wait("quit and keep them");
    first.keys("y");
    first.ended();
    let text = output(&server, dir.path(), "quit\nyes\n");
    assert!(
        text.contains("3 held outcomes are back from before"),
        "{text}"
    );
}
