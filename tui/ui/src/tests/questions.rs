//! What writes, is large or loses something asks first, and is answered by one key.

use super::keys::{desk, ran, stepped};
use super::repeated;
use crate::fixture::{PRELABEL, task};
use crossterm::event::Event;
use wb_core::command::Command;
use wb_core::run::Source;
use wb_core::step::Until;

#[test]
fn a_commit_needs_its_y_pressed_once() {
    let mut desk = stepped();
    desk.go("s C");
    assert_eq!(desk.press("Enter"), []);
    assert_eq!(desk.event(&repeated("y")), []);
    assert_eq!(desk.press("Y"), []);
    assert_eq!(desk.event(&Event::Paste("y".into())), []);
    assert_eq!(desk.press("y"), [Command::Commit(vec![task(PRELABEL, 0)])]);
    assert_eq!(desk.press("y"), [], "the question is gone");
}

#[test]
fn a_held_key_does_not_open_the_question_of_a_write() {
    let mut desk = stepped();
    assert_eq!(desk.event(&repeated("C")), []);
    assert!(!desk.draw().contains("Commit 1 task"));
}

#[test]
fn n_and_escape_answer_no() {
    for no in ["n", "Esc"] {
        let mut desk = stepped();
        desk.go("C");
        assert_eq!(desk.press(no), []);
        assert!(!desk.draw().contains("Commit 1 task"));
        assert!(desk.world.state.step.as_ref().unwrap().can_commit());
    }
}

#[test]
fn read_only_takes_writing_keys_away_and_shows_it() {
    let mut desk = stepped();
    desk.world.state.options.read_only = true;
    assert_eq!(desk.press("C"), []);
    let text = desk.draw();
    assert!(
        text.contains("DRY-RUN") && text.contains("start without --dry-run"),
        "{text}"
    );
    assert_eq!(desk.press("s m"), [Command::Step(Until::Next)]);
    desk.press("?");
    let text = desk.draw();
    assert!(!text.contains("Commit this task"), "{text}");
    assert!(text.contains("Hold this outcome"), "{text}");
}

#[test]
fn live_asks_first_and_dry_run_does_not() {
    let mut desk = desk();
    assert_eq!(desk.press("m Enter"), []);
    assert_eq!(desk.press("y"), [Command::Live(true)]);
    desk.world.command(Command::Live(true));
    assert!(desk.draw().contains(" LIVE "));
    assert_eq!(desk.press("n Enter"), [], "in live mode a run asks");
    assert!(
        desk.draw()
            .contains("LIVE: run 50 tasks of pre-label and write them?")
    );
    assert_eq!(desk.press("Esc m"), [Command::Live(false)]);
}

#[test]
fn all_that_match_run_after_a_question() {
    let mut desk = desk();
    desk.go("2 /");
    desk.type_text("cam3");
    desk.go("Enter");
    assert_eq!(desk.press("N"), []);
    let commands = desk.press("y");
    let [Command::Run(spec)] = commands.as_slice() else {
        panic!("{commands:?}")
    };
    let Source::Tasks(_, rows) = &spec.source else {
        panic!()
    };
    assert!(
        rows.iter().all(|r| r.title.contains("cam3")) && rows.len() == 184,
        "{}",
        rows.len()
    );
}

#[test]
fn review_takes_leaves_and_commits_what_is_taken() {
    let mut desk = ran();
    let held = desk.world.state.held.len();
    assert!(held > 30, "{held}");
    desk.go("v Space");
    let left = desk.world.state.held.values().filter(|h| !h.taken).count();
    assert!(left > 0 && left < held, "{left} of {held}");
    assert_eq!(desk.press("C Enter"), []);
    let commands = desk.press("y");
    let [Command::Commit(tasks)] = commands.as_slice() else {
        panic!("{commands:?}")
    };
    assert_eq!(tasks.len(), held - left);
    desk.go("X");
    assert!(desk.draw().contains("Discard"));
    let commands = desk.press("y");
    let [Command::Drop(tasks)] = commands.as_slice() else {
        panic!("{commands:?}")
    };
    assert_eq!(tasks.len(), left);
}

#[test]
fn leaving_asks_only_when_something_would_be_lost() {
    assert_eq!(desk().press("q"), [Command::Quit]);
    let mut desk = ran();
    assert_eq!(desk.press("q"), []);
    assert!(desk.draw().contains("Quit the workbench?"));
    assert_eq!(desk.press("y"), [Command::Quit]);
    let mut desk = ran();
    assert_eq!(
        desk.press("Ctrl-c Ctrl-c"),
        [Command::Quit],
        "twice Ctrl-c leaves"
    );
}
