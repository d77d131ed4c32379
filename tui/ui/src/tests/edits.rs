//! Edits of a task: what is offered, what is asked of the engine, and values that come back from the editor.

use super::Desk;
use super::keys::{desk, stepped};
use crate::Outside;
use crate::fixture::{PRELABEL, outcome, task};
use insta::assert_snapshot;
use wb_core::command::Command;
use wb_core::patch::OutcomeEdit;
use wb_core::step::{At, Until};
use wb_core::work::GivenEdits;

fn edit_of(commands: &[Command]) -> &OutcomeEdit {
    match commands {
        [Command::EditOutcome { edit, .. }] => edit,
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_outcome_offers_its_route_priority_metadata_and_labels() {
    for (w, h) in [(120, 36), (80, 24), (200, 60)] {
        let mut desk = stepped();
        (desk.w, desk.h) = (w, h);
        desk.go("e");
        assert_snapshot!(format!("edit_outcome_{w}x{h}"), desk.draw());
        desk.go("Enter");
        assert_snapshot!(format!("edit_route_{w}x{h}"), desk.draw());
    }
}

#[test]
fn a_chosen_pathway_is_the_route_and_the_outcome_is_marked_as_edited() {
    let mut desk = stepped();
    desk.go("e Enter");
    let commands = desk.press("Down Enter");
    assert!(
        matches!(edit_of(&commands), OutcomeEdit::Route(Some(_))),
        "{commands:?}"
    );
    let staying = |desk: &mut Desk| {
        desk.go("Enter");
        desk.press("G Enter")
    };
    let commands = staying(&mut desk);
    assert_eq!(edit_of(&commands), &OutcomeEdit::Route(None));
    desk.world.all(commands);
    desk.world.answer(&|_| Ok(outcome("annotate")));
    desk.go("Esc");
    let text = desk.draw();
    assert!(text.contains("✓ outcome edited"), "{text}");
    assert!(text.contains("edited by hand: route"), "{text}");
    desk.go("a v Enter");
    assert!(
        desk.draw().contains("edited by hand: route"),
        "{}",
        desk.draw()
    );
    desk.go("e");
    assert!(desk.draw().contains("Edit the outcome"), "{}", desk.draw());
}

#[test]
fn a_priority_is_typed_and_one_that_is_not_a_share_is_not_sent() {
    let mut desk = stepped();
    desk.go("e Down Enter");
    desk.go("Ctrl-u");
    desk.type_text("7");
    assert_eq!(desk.press("Enter"), []);
    assert!(desk.draw().contains("between 0 and 1"), "{}", desk.draw());
    desk.go("Esc");
    desk.go("Enter Backspace Backspace 9");
    let commands = desk.press("Enter");
    assert_eq!(edit_of(&commands), &OutcomeEdit::Priority(Some(0.9)));
    // It is left as it is upstream.
    let commands = desk.press("x");
    assert_eq!(edit_of(&commands), &OutcomeEdit::Priority(None));
}

#[test]
fn before_the_call_the_inputs_are_edited_for_this_step() {
    let mut desk = desk();
    desk.go("s");
    desk.world.fetched();
    assert_eq!(desk.world.state.step.as_ref().unwrap().at, At::Fetched);
    desk.go("e");
    assert_snapshot!("edit_given", desk.draw());
    desk.go("G Enter Backspace 8");
    let given = GivenEdits {
        priority: Some(0.8),
        ..GivenEdits::default()
    };
    assert_eq!(desk.press("Enter"), [Command::EditGiven(Box::new(given))]);
}

#[test]
fn s_looks_at_one_input_after_the_other_and_shows_each() {
    let mut desk = desk();
    desk.go("s");
    desk.world.fetched();
    for input in ["label row", "storage item", "asset"] {
        let text = desk.draw();
        assert!(text.contains(&format!("▶ {input}")), "{text}");
        assert_eq!(desk.press("s"), [Command::Step(Until::Next)]);
        desk.world.command(Command::Step(Until::Next));
    }
    assert_eq!(desk.world.state.step.as_ref().unwrap().at, At::Calling);
}

#[test]
fn a_value_from_the_editor_is_taken_refused_with_its_line_or_found_to_be_the_same() {
    let mut desk = stepped();
    desk.go("e Down Enter Ctrl-e");
    let Some(Outside::Value(value)) = desk.ui.take_outside() else {
        panic!("no editor was asked for")
    };
    let old = value.text.clone();
    let state = &desk.world.state;
    assert_eq!(
        desk.ui
            .value_typed(value.clone(), &format!("{old}\n"), state),
        []
    );
    let commands = desk.ui.value_typed(value.clone(), "0.25\n", state);
    assert_eq!(edit_of(&commands), &OutcomeEdit::Priority(Some(0.25)));
    assert_eq!(
        desk.ui
            .value_typed(value, "{\n  \"a\": 1,\n  oops\n}\n", state),
        []
    );
    let text = desk.draw();
    assert!(text.contains("at line 3 column 3"), "{text}");
    assert_snapshot!("edit_broken_json", text);
    assert_eq!(desk.press("Enter"), []);
    let Some(Outside::Value(value)) = desk.ui.take_outside() else {
        panic!("it is edited again")
    };
    assert_eq!(value.text, "{\n  \"a\": 1,\n  oops\n}\n");
    // The task is another one by now.
    let stage = crate::fixture::stage(PRELABEL);
    let task = task(PRELABEL, 3);
    desk.world.command(Command::Open { stage, task });
    let state = &desk.world.state;
    assert_eq!(desk.ui.value_typed(value, "0.5", state), []);
}
