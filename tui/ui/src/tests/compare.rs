//! Two builds compared on the marked tasks, at several sizes.

use super::Desk;
use crate::fixture::{World, library, outcome};
use insta::assert_snapshot;
use std::cell::Cell;
use wb_core::event::{BuildEvent, Event};

const SIZES: [(u16, u16); 3] = [(120, 36), (80, 24), (200, 60)];

/// Four marked tasks, of which the newer build sends two elsewhere.
pub fn compared() -> Desk {
    let mut desk = Desk::new(World::demo(), 120, 36);
    desk.go("2 Space Space Space Space");
    desk.world
        .send(Event::Build(BuildEvent::Probed(Box::new(library(2)))));
    desk.go("= x");
    // Both sides of a task are launched together, A first.
    let calls = Cell::new(0_u32);
    desk.world.answer(&|title| {
        let b = calls.replace(calls.get() + 1) % 2 == 1;
        let moves = title.starts_with("cam2") || title.starts_with("cam4");
        Ok(outcome(if b && moves { "skip" } else { "annotate" }))
    });
    desk
}

#[test]
fn compare_shows_routes_and_the_worst_tasks_first() {
    for (w, h) in SIZES {
        let mut desk = compared();
        (desk.w, desk.h) = (w, h);
        assert_snapshot!(format!("compare_{w}x{h}"), desk.draw());
    }
}

#[test]
fn compare_begins_with_what_can_be_chosen() {
    let mut desk = Desk::new(World::demo(), 80, 24);
    desk.go("2 =");
    let text = desk.draw();
    assert!(text.contains("A upstream   B build #1"), "{text}");
    assert!(text.contains("Comparing writes nothing"), "{text}");
}

#[test]
fn other_sides_are_chosen_in_turn_and_never_the_same_twice() {
    let mut desk = compared();
    let found = desk.draw();
    assert!(found.contains("2 of 4 tasks changed route"), "{found}");
    desk.go("[");
    let text = desk.draw();
    assert!(text.contains("A upstream   B build #2"), "{text}");
    assert!(!text.contains("changed route"), "{text}");
    desk.go("[");
    assert!(desk.draw().contains("2 of 4 tasks changed route"));
}
