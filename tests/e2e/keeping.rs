//! What outlives a screen, however it ends: held outcomes, filters, marks.

use crate::linear::script;
use crate::screen::open;
use crate::support::{DEADLINE, Server, Terminal, workbench};
use std::path::Path;
use std::time::Instant;
use wb_core::comparing::StoredResult;
use wb_engine::screen_store::results::{of_run, runs};

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

/// The results of a run, once the store has so many.
fn results(server: &Server, dir: &Path, run: u64, least: usize) -> Vec<StoredResult> {
    let project = server.project().parse().unwrap();
    let until = Instant::now() + DEADLINE;
    loop {
        let results = of_run(&dir.join(".workbench"), project, run).unwrap();
        if results.len() >= least {
            return results;
        }
        assert!(Instant::now() < until, "{} were kept", results.len());
        std::thread::yield_now();
    }
}

/// Waits until a run is over, with the Run screen open.
fn finished(screen: &mut Terminal, run: u64) {
    let name = format!("run {run}");
    let over = |text: &str| text.contains(&name) && text.contains("FINISHED");
    screen.wait_until(&format!("the end of {name}"), over);
}

#[test]
fn results_and_figures_of_a_run_are_there_at_the_next_start() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(&["--scenario", "demo", "--tasks", "30"]);
    let mut screen = holding(&server, dir.path());
    screen.keys("v").wait("3 outcomes held");
    screen.keys("C").wait("Commit");
    screen.keys("y").wait("0 outcomes held");
    screen.keys("1").wait("can be undone");
    screen.keys("N").wait("Dry-run");
    screen.keys("y");
    finished(&mut screen, 2);
    screen.keys("qX");
    assert_eq!(screen.ended().0, 0);
    let kept = results(&server, dir.path(), 2, 1);
    let with_labels = |one: &StoredResult| one.patch.as_ref().is_some_and(|p| !p.labels.is_empty());
    assert!(kept.iter().any(with_labels));
    let (all, failed) = (
        kept.len(),
        kept.iter().filter(|one| one.result.last.failed).count(),
    );
    let mut screen = open(&server, dir.path(), (120, 48));
    screen.wait(&format!("2 dry · {all} tasks"));
    screen.wait("operation 1 · ");
    screen.wait("can be undone");
    screen.wait(&format!("last {}", all + 3));
    screen.keys("2/result:ok\r");
    screen.wait(&format!("{} of {all}", all - failed));
    // The next run has a number of its own.
    screen.keys("/\u{15}\r1n").wait("how many");
    screen.keys("\r");
    finished(&mut screen, 3);
    screen.keys("qX");
    assert_eq!(screen.ended().0, 0);
    let project = server.project().parse().unwrap();
    let all = runs(&dir.path().join(".workbench"), project).unwrap();
    assert_eq!(
        all.iter().map(|run| run.number).collect::<Vec<_>>(),
        [3, 2, 1]
    );
}

#[test]
fn a_screen_that_is_killed_in_the_middle_of_a_run_leaves_what_was_final() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(&["--scenario", "demo", "--tasks", "700"]);
    let mut screen = open(&server, dir.path(), (120, 48));
    screen.wait("build #1");
    screen.keys("N").wait("Dry-run");
    screen.keys("y");
    results(&server, dir.path(), 1, 1);
    kept(dir.path(), "\"last_run\":{\"number\":1");
    let pid = i32::try_from(screen.pid()).unwrap();
    let pid = rustix::process::Pid::from_raw(pid).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
    screen.ended();
    let kept = results(&server, dir.path(), 1, 1);
    let succeeded = kept.iter().filter(|one| !one.result.last.failed).count();
    assert!(succeeded > 0);
    let mut screen = open(&server, dir.path(), (120, 48));
    screen.wait("last run");
    let here = server.tasks();
    let here = here
        .iter()
        .filter(|task| task["stage"] == "pre-label")
        .count();
    let expected = format!("{succeeded} of {here}");
    screen.keys("2/result:ok\r").wait(&expected);
    assert_eq!(server.writes(), 0);
    screen.keys("qX");
    assert_eq!(screen.ended().0, 0);
}
