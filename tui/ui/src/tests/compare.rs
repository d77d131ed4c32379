//! Two builds compared on the marked tasks, at several sizes.

use super::Desk;
use crate::fixture::{World, library, outcome};
use insta::assert_snapshot;
use std::cell::Cell;
use wb_core::compare::TaskComparison;
use wb_core::event::{BuildEvent, Effect, Event, JobEvent};
use wb_core::ids::JobId;

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
fn the_labels_of_both_sides_are_drawn_on_the_picture_of_the_chosen_task() {
    for (w, h) in SIZES {
        let mut desk = compared();
        (desk.w, desk.h) = (w, h);
        desk.draw_with_pictures(1);
        if w < 100 {
            desk.go("i i i");
        }
        let text = desk.draw_with_pictures(1);
        assert!(text.contains("A and B"), "{text}");
        assert_snapshot!(format!("compare_picture_{w}x{h}"), text);
    }
    let mut desk = compared();
    desk.draw_with_pictures(340);
    let first = desk.draw_with_pictures(340);
    assert!(first.contains("frame 0 of 340"), "{first}");
    desk.go("> >");
    let third = desk.draw_with_pictures(340);
    assert!(third.contains("frame 2 of 340"), "{third}");
    desk.go("i i");
    assert!(desk.draw_with_pictures(340).contains("─ B ─"));
}

#[test]
fn escape_stops_a_comparison_and_keeps_what_was_compared() {
    let mut desk = Desk::new(World::demo(), 120, 36);
    desk.go("2 A");
    desk.world
        .send(Event::Build(BuildEvent::Probed(Box::new(library(2)))));
    desk.go("= x");
    desk.world.fetched();
    let launched = |effect: &Effect| match effect {
        Effect::Launch(launch) => Some(launch.job),
        _ => None,
    };
    // Both sides of two tasks.
    let jobs: Vec<JobId> = desk
        .world
        .asked
        .iter()
        .filter_map(launched)
        .take(4)
        .collect();
    for job in jobs {
        let (result, crashed, run_us) = (Ok(outcome("annotate")), false, 9);
        desk.world.send(Event::Job(JobEvent::Done {
            job,
            result,
            crashed,
            run_us,
        }));
    }
    for effect in std::mem::take(&mut desk.world.asked) {
        if let Effect::Compare(task) = effect {
            let found = Box::new(TaskComparison::default());
            desk.world
                .send(Event::Compared(task.of, task.inputs.row.id, found));
        }
    }
    assert!(
        desk.draw().contains("… 2 of 1,318 compared"),
        "{}",
        desk.draw()
    );
    desk.go("Esc");
    let text = desk.draw();
    assert!(text.contains("compared, stopped"), "{text}");
    assert_eq!(desk.world.state.comparing.as_ref().unwrap().found.tasks, 2);
    desk.go("Esc");
    assert!(!desk.draw().contains("compared, stopped"));
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
