//! Questions with more than one answer: titles of protected projects, conflicts, retries, undo, and
//! the numbers that hold while a run goes on.

use super::Desk;
use crate::Screen;
use crate::fixture::{self, PRELABEL, World, mixed, outcome, stage};
use crossterm::event::Event as Terminal;
use insta::assert_snapshot;
use wb_core::command::Command;
use wb_core::ids::Millis;
use wb_core::journal::Op;
use wb_core::run::OnConflict;
use wb_core::state::Level;

const SIZES: [(u16, u16); 3] = [(120, 36), (80, 24), (200, 60)];

fn ran() -> Desk {
    let mut desk = Desk::new(World::demo(), 120, 36);
    desk.go("n Enter");
    desk.world.answer(&mixed);
    desk.draw();
    desk
}

/// A run whose commit met three rows that somebody else had changed.
pub fn in_conflict() -> Desk {
    let mut desk = ran();
    let held: Vec<_> = desk.world.state.held.keys().copied().collect();
    desk.world.changed_by_others = held.into_iter().take(3).collect();
    desk.go("v C y");
    desk.world.answer(&mixed);
    desk.go("Esc");
    desk
}

fn op(id: i64, kind: &str, done: u64) -> Op {
    let words = [
        "run",
        "--project-hash",
        "00000000-0000-0000-0000-000000000007",
        "--stage",
        "pre-label",
    ];
    Op {
        id,
        kind: kind.into(),
        began: Millis(fixture::NOW - 3_600_000 * (20 - id)),
        words: words.map(str::to_owned).to_vec(),
        here: true,
        tasks: done,
        done,
        ..Op::default()
    }
}

/// A folder from which something was written.
pub fn with_journal() -> Desk {
    let mut world = World::demo();
    let undo = Op {
        undoes: Some(2),
        ..op(3, "undo", 12)
    };
    let taken_back = Op {
        undone: 12,
        ..op(2, "commit", 12)
    };
    let elsewhere = Op {
        here: false,
        ..op(1, "apply", 500)
    };
    world.ops = vec![op(19, "commit", 5), undo, taken_back, elsewhere];
    Desk::new(world, 120, 36)
}

fn shots(name: &str, make: impl Fn() -> Desk, keys: &str) {
    for (w, h) in SIZES {
        let mut desk = make();
        (desk.w, desk.h) = (w, h);
        desk.draw();
        for key in keys.split(' ') {
            desk.go(key);
            desk.world.answer(&mixed);
        }
        assert_snapshot!(format!("{name}_{w}x{h}"), desk.draw());
    }
}

fn protected() -> Desk {
    let mut desk = ran();
    desk.world.state.options.level = Some(Level::Protected);
    desk
}

#[test]
fn a_commit_to_a_protected_project_needs_its_title_typed() {
    let mut desk = protected();
    desk.go("v C");
    assert_eq!(desk.press("y"), [], "y is a letter of a title here");
    assert_eq!(desk.press("Enter"), []);
    assert!(desk.draw().contains("that is not the project's title"));
    desk.press("Backspace");
    desk.type_text("Street scenes QA");
    let commands = desk.press("Enter");
    let [Command::Confirm { title, then }] = commands.as_slice() else {
        panic!("{commands:?}")
    };
    assert_eq!(title, "Street scenes QA");
    assert!(matches!(&**then, Command::Commit(tasks) if tasks.len() > 30));
    assert_eq!(desk.press("Enter"), [], "the question is gone");
}

#[test]
fn a_pasted_title_still_needs_enter_and_escape_writes_nothing() {
    let mut desk = protected();
    desk.go("m");
    assert_eq!(
        desk.event(&Terminal::Paste("Street scenes QA\n".into())),
        []
    );
    assert_eq!(desk.press("Esc"), []);
    assert!(!desk.world.state.live);
    desk.go("m");
    desk.type_text("Street scenes QA");
    desk.go("Enter");
    assert!(desk.world.state.live);
}

#[test]
fn a_protected_project_that_was_named_at_start_asks_for_a_y() {
    let mut desk = protected();
    desk.world.state.options.confirm = Some("Street scenes QA".into());
    desk.go("v C");
    assert!(matches!(desk.press("y").as_slice(), [Command::Commit(_)]));
}

#[test]
fn the_title_is_asked_for_in_a_picture() {
    shots("ask_title", protected, "v C S t r");
}

#[test]
fn a_group_of_failures_is_run_again_and_all_of_a_stage_too() {
    let mut desk = ran();
    desk.go("4");
    let group = desk.world.state.failures[0].rows.len();
    let all = desk.world.state.failed_count();
    assert!(group > 0 && group < all, "{group} of {all}");
    let count = |commands: Vec<Command>| match commands.as_slice() {
        [Command::Retry { stage: at, rows }] if *at == stage(PRELABEL) => rows.len(),
        other => panic!("{other:?}"),
    };
    assert_eq!(count(desk.press("x")), group);
    assert_eq!(count(desk.press("A")), all);
    desk.go("x");
    desk.world.answer(&|_| Ok(outcome("annotate")));
    desk.draw();
    assert_eq!(desk.world.state.failed_count(), all - group);
    desk.world.state.live = true;
    assert_eq!(desk.press("x"), [], "a live retry asks");
    assert!(desk.draw().contains("again and write them?"));
    assert!(matches!(
        desk.press("y").as_slice(),
        [Command::Retry { .. }]
    ));
}

#[test]
fn rate_and_time_limit_are_typed_on_any_screen() {
    let mut desk = ran();
    desk.press("L 1 2 . 5");
    assert!(desk.draw().contains("requests a second"));
    assert_eq!(desk.press("Enter"), [Command::Rate(Some(12.5))]);
    desk.world.command(Command::Rate(Some(12.5)));
    desk.press("L Backspace");
    assert_eq!(
        desk.press("Enter"),
        [Command::Rate(None)],
        "empty means no limit"
    );
    desk.press("2 T 9 0");
    assert_eq!(desk.press("Enter"), [Command::Timeout(Some(90_000))]);
    desk.press("T . .");
    assert_eq!(desk.press("Enter"), []);
    assert!(desk.draw().contains("is not a time"));
    assert_eq!(desk.press("Esc"), []);
    shots("ask_rate", ran, "4 L 2 0");
    shots("ask_timeout", ran, "4 T 9 0");
}

#[test]
fn a_conflict_shows_its_sides_and_takes_three_answers() {
    let mut desk = in_conflict();
    assert!(desk.draw().contains("conflicts (3)"), "{}", desk.draw());
    desk.go("!");
    desk.world.answer(&mixed);
    let text = desk.draw();
    for side in ["saw", "theirs", "ours", "not there", "0.74 0.41"] {
        assert!(text.contains(side), "{side} in {text}");
    }
    let answer = |commands: Vec<Command>| match commands.as_slice() {
        [Command::Resolve { tasks, how }] => (tasks.len(), *how),
        other => panic!("{other:?}"),
    };
    assert_eq!(answer(desk.press("t")), (1, OnConflict::Skip));
    desk.press("Space");
    assert_eq!(answer(desk.press("t")), (3, OnConflict::Skip));
    assert_eq!(desk.press("O"), [], "writing over others asks");
    assert_eq!(desk.press("Enter"), []);
    assert_eq!(answer(desk.press("y")), (3, OnConflict::Overwrite));
    assert_eq!(answer(desk.press("r")), (3, OnConflict::Rerun));
    assert_eq!(desk.ui.screen(), Screen::Run);
    shots("conflicts", in_conflict, "! Down");
    shots("conflicts_none", ran, "!");
}

#[test]
fn read_only_leaves_the_answers_that_do_not_write() {
    let mut desk = in_conflict();
    desk.world.state.options.read_only = true;
    desk.go("!");
    assert_eq!(desk.press("O"), []);
    assert!(desk.draw().contains("start without --dry-run"));
    assert_eq!(desk.press("t").len(), 1);
}

#[test]
fn an_undo_is_shown_then_asked_then_sent() {
    let mut desk = with_journal();
    assert_eq!(desk.press("u"), [Command::UndoNewest]);
    desk.world.command(Command::UndoNewest);
    desk.world.answer(&mixed);
    let text = desk.draw();
    assert!(
        text.contains("An undo would restore 4 tasks and leave 1"),
        "{text}"
    );
    assert_eq!(desk.press("U"), [], "asking is not writing");
    let text = desk.draw();
    assert!(text.contains("Undo operation 19?"), "{text}");
    assert_eq!(desk.press("Enter"), []);
    assert_eq!(desk.press("y"), [Command::Undo(19)]);
    desk.world.command(Command::Undo(19));
    desk.world.answer(&mixed);
    assert!(desk.draw().contains("4 tasks restored"));
}

#[test]
fn what_cannot_be_taken_back_has_a_reason() {
    let mut desk = with_journal();
    desk.go("J");
    desk.world.answer(&mixed);
    desk.go("Down Down");
    assert_eq!(desk.press("u"), []);
    assert!(desk.draw().contains("nothing of it is left to undo"));
    desk.go("Down");
    assert_eq!(desk.press("U"), []);
    assert!(desk.draw().contains("belongs to another project"));
    desk.go("Up Up");
    assert_eq!(
        desk.press("u"),
        [Command::ReviewUndo(3)],
        "an undo of an undo"
    );
}

/// A folder whose newest commit was interrupted with five tasks without an answer.
fn interrupted() -> Desk {
    let mut desk = with_journal();
    desk.world.ops[0] = Op {
        interrupted: true,
        done: 3,
        open: 5,
        ..op(19, "commit", 8)
    };
    desk
}

#[test]
fn what_was_interrupted_is_finished_after_a_question() {
    let mut desk = interrupted();
    desk.go("J");
    desk.world.answer(&mixed);
    assert_eq!(desk.press("u"), []);
    assert!(desk.draw().contains("F finishes its writes"));
    assert_eq!(desk.press("F"), [], "asking is not writing");
    assert!(
        desk.draw()
            .contains("5 writes had begun and have no answer")
    );
    assert_eq!(desk.press("y"), [Command::Finish]);
    desk.world.command(Command::Finish);
    desk.world.answer(&mixed);
    assert_eq!(desk.press("F"), []);
    let text = desk.draw();
    assert!(
        text.contains("nothing from this folder was interrupted"),
        "{text}"
    );
}

#[test]
fn the_journal_in_pictures() {
    shots("journal", with_journal, "J");
    shots("journal_undo", with_journal, "u");
    shots("journal_ask", with_journal, "u U");
    shots("journal_none", ran, "J");
    shots("journal_interrupted", interrupted, "J F");
}

#[test]
fn overlays_of_answers_can_be_drawn_at_every_size() {
    for keys in ["!", "J", "u", "L", "T", "! O", "u U", "J F"] {
        for make in [in_conflict, with_journal, interrupted, protected] {
            let mut desk = make();
            for key in keys.split(' ') {
                desk.go(key);
                desk.world.answer(&mixed);
            }
            for (w, h) in [
                (40, 10),
                (41, 11),
                (79, 24),
                (80, 19),
                (100, 20),
                (300, 100),
            ] {
                (desk.w, desk.h) = (w, h);
                desk.draw();
            }
        }
    }
}
