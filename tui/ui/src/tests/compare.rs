//! Two builds compared on the marked tasks, at several sizes.

use super::Desk;
use crate::fixture::{self, World, library, outcome};
use insta::assert_snapshot;
use std::cell::Cell;
use wb_core::compare::TaskComparison;
use wb_core::comparing::StoredResult;
use wb_core::event::{BuildEvent, Effect, Event, JobEvent};
use wb_core::figures::{KeptResult, KeptRun};
use wb_core::ids::{BuildId, JobId, Millis, StageId};
use wb_core::queue::LastResult;

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

/// What two runs gave for four tasks each, of which three are the same.
pub fn compared_runs(title: &str) -> Desk {
    let mut desk = Desk::new(World::demo(), 120, 36);
    let now = desk.world.state.now.0;
    let run = |number, live, tasks, ago: i64| KeptRun {
        number,
        live,
        began: Millis(now - ago * 3_600_000),
        ended: Some(Millis(now)),
        stages: vec![desk.ui.stage.unwrap()],
        tasks,
        failed: number % 2,
        ..KeptRun::default()
    };
    let runs = vec![run(5, false, 4, 2), run(4, true, 1_000, 50)];
    desk.world.send(Event::RunsListed(runs));
    desk.go("2 =");
    for (key, side) in [("[", "A run 4"), ("]", "B run 5")] {
        for _ in 0..9 {
            if !desk.draw().contains(side) {
                desk.go(key);
            }
        }
        assert!(desk.draw().contains(side), "{}", desk.draw());
    }
    desk.go("x");
    let comparing = desk.world.state.comparing.as_ref().unwrap();
    let (comparison, stage) = (comparing.id, comparing.stage);
    for (side, number) in [4, 5].into_iter().enumerate() {
        let result = |n: usize| {
            let routed = if side == 1 && n == 1 {
                "skip"
            } else {
                "annotate"
            };
            let mut kept = kept(number, n + side, title, routed);
            kept.result.stage = stage;
            if n + side == 2 {
                kept.patch = None;
                kept.result.last.labels.0 += side;
            }
            kept
        };
        let results = Ok((0..4).map(result).collect());
        desk.world.send(Event::RunRead {
            comparison,
            side,
            results,
        });
    }
    desk.world.answer(&|_| unreachable!("no agent runs"));
    desk
}

fn kept(run: u64, task: usize, title: &str, routed: &str) -> StoredResult {
    let outcome = outcome(routed);
    StoredResult {
        result: KeptResult {
            run,
            stage: StageId(uuid::Uuid::nil()),
            task: fixture::task(fixture::PRELABEL, task),
            title: format!("{title}_{task}.jpg").into(),
            updated: Millis(0),
            last: LastResult {
                build: BuildId(0),
                text: routed.to_owned(),
                failed: false,
                pathway: outcome.way.pathway(),
                group: None,
                labels: outcome.patch.counts(),
                ms: 20.0,
                at: Millis(0),
            },
            outcome: None,
        },
        patch: Some(outcome.patch.clone()),
    }
}

#[test]
fn two_earlier_runs_are_compared_and_a_notice_explains_why_there_is_no_picture() {
    let mut desk = compared_runs("cam1_night");
    assert_snapshot!("compare_runs_120x36", desk.draw());
    assert!(desk.draw().contains("1 task only in run 4"));
    desk.go("i");
    let text = desk.draw();
    assert!(text.contains("no picture: of an earlier run"), "{text}");
    (desk.w, desk.h) = (80, 24);
    let text = desk.draw();
    assert!(text.contains("1 of 3 tasks changed route"), "{text}");
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
