//! Cards: when they come, that they cover nothing, and that each comes once.

use super::Desk;
use crate::fixture::{World, outcome};
use crate::{Screen, Ui, UiSettings};
use insta::assert_snapshot;

const STEP: &str = "Your first step";
const OUTCOME: &str = "Your first outcome";
const COMMIT: &str = "Your first commit";

/// A screen of somebody who has seen these cards.
fn desk(seen: Option<&[&str]>, (w, h): (u16, u16)) -> Desk {
    let mut desk = Desk::new(World::demo(), w, h);
    desk.ui = Ui::new(UiSettings {
        unicode: true,
        seen_cards: seen.map(|seen| seen.iter().map(|s| (*s).to_owned()).collect()),
        ..UiSettings::default()
    });
    desk.draw();
    desk
}

/// Steps the first task to its outcome.
fn to_outcome(desk: &mut Desk) {
    desk.go("s");
    desk.world.fetched();
    desk.go("c");
    desk.world.answer(&|_| Ok(outcome("annotate")));
    desk.draw();
}

fn commit(desk: &mut Desk) {
    desk.go("C y");
    desk.world.answer(&|_| Ok(outcome("annotate")));
    desk.draw();
}

#[test]
fn the_first_step_outcome_and_commit_are_explained_once() {
    for (w, h) in [(120, 36), (80, 24)] {
        let shot = |name: &str, desk: &mut Desk| {
            assert_snapshot!(format!("card_{name}_{w}x{h}"), desk.draw());
        };
        let mut desk = desk(Some(&[]), (w, h));
        assert!(desk.ui.take_seen_cards().is_none());
        desk.go("s");
        desk.world.fetched();
        shot("step", &mut desk);
        assert_eq!(desk.ui.take_seen_cards().unwrap(), ["first-step"]);
        desk.go("c");
        desk.world.answer(&|_| Ok(outcome("annotate")));
        shot("outcome", &mut desk);
        commit(&mut desk);
        shot("commit", &mut desk);
        let all = ["first-step", "first-outcome", "first-commit"];
        assert_eq!(desk.ui.take_seen_cards().unwrap(), all);
        // The next task brings none of them back.
        desk.go("]");
        desk.world.fetched();
        desk.go("c");
        desk.world.answer(&|_| Ok(outcome("annotate")));
        let text = desk.draw();
        assert!(
            [STEP, OUTCOME, COMMIT]
                .iter()
                .all(|title| !text.contains(title)),
            "{text}"
        );
    }
}

#[test]
fn esc_closes_the_card_and_then_leaves_the_task() {
    let mut desk = desk(Some(&[]), (120, 36));
    desk.go("s");
    assert!(desk.draw().contains(STEP));
    desk.go("Esc");
    assert_eq!(desk.ui.screen(), Screen::Task);
    assert!(!desk.draw().contains(STEP));
    desk.go("Esc");
    assert_ne!(desk.ui.screen(), Screen::Task);
    desk.go("3");
    assert!(!desk.draw().contains(STEP), "it was seen");
}

#[test]
fn a_card_leaves_with_what_it_explains_and_covers_nothing_of_it() {
    let mut desk = desk(Some(&["first-step"]), (80, 24));
    to_outcome(&mut desk);
    let text = desk.draw();
    for shown in [OUTCOME, "✓ outcome", "next:", "esc closes this"] {
        assert!(text.contains(shown), "{shown}: {text}");
    }
    desk.go("2");
    assert!(!desk.draw().contains(OUTCOME));
}

#[test]
fn no_cards_for_those_who_have_seen_them_or_want_none_or_have_no_room() {
    let all = ["first-step", "first-outcome", "first-commit"];
    for (seen, size) in [
        (Some(&all[..]), (120, 36)),
        (None, (120, 36)),
        (Some(&[][..]), (80, 22)),
        (Some(&[][..]), (70, 40)),
    ] {
        let mut desk = desk(seen, size);
        to_outcome(&mut desk);
        commit(&mut desk);
        let text = desk.draw();
        assert!(
            [STEP, OUTCOME, COMMIT]
                .iter()
                .all(|title| !text.contains(title)),
            "{text}"
        );
        assert!(desk.ui.take_seen_cards().is_none(), "{size:?}");
    }
}

#[test]
fn the_cards_come_again_when_asked_for() {
    let all = ["first-step", "first-outcome", "first-commit"];
    let mut desk = desk(Some(&all), (120, 36));
    desk.go("s :");
    desk.type_text("tutorial");
    desk.go("Enter");
    assert!(desk.draw().contains(STEP));
    assert_eq!(desk.ui.take_seen_cards().unwrap(), ["first-step"]);
}
