//! Pause points in a run of the screen: what waits, and what its run hears of it.

use crate::screen::{run_on_screen, screen};
use crate::world::*;
use wb_core::command::Command;
use wb_core::event::{Effect, Event, JobEvent};
use wb_core::pause::{Condition, PausePlace, PlaceKind, PointAt, PointChange, PointKind};
use wb_core::step::{At, Until};

fn point(world: &mut World, kind: PointKind, name: &str, condition: &str) {
    let change = match condition {
        "" => PointChange::Toggled,
        text => PointChange::If(Box::new(Condition::parse(text).unwrap())),
    };
    world.send(Event::Input(Command::Point {
        stage: stage_id(1),
        at: PointAt::named(kind, name),
        change,
    }));
}

#[test]
fn an_outcome_that_waits_is_kept_from_its_run_until_a_person_lets_it_go() {
    let (mut world, _) = screen(Box::new(|_| go("away")));
    point(&mut world, PointKind::Outcome, "", "route == \"away\"");
    run_on_screen(&mut world, 1..=3);
    assert_eq!((world.state.paused.len(), world.state.held.len()), (1, 0));
    world.send(Event::Input(Command::OpenPaused));
    let step = world.state.step.as_ref().unwrap();
    assert_eq!((step.at, step.can_commit()), (At::Outcome, false));
    assert!(world.state.paused.is_empty());
    world.send(Event::Input(Command::Step(Until::End)));
    // The next one waits in turn.
    assert_eq!(world.state.paused.len(), 1);
    world.send(Event::Input(Command::OpenPaused));
    // Another task is opened: it waits on.
    let (stage, task) = (stage_id(1), row(9).id);
    world.send(Event::Input(Command::Open { stage, task }));
    assert_eq!(world.state.paused.len(), 1);
    world.send(Event::Input(Command::OpenPaused));
    world.send(Event::Input(Command::Discard));
    let run = world.state.run.as_ref().unwrap();
    assert_eq!(run.decided(), 2, "discarded is decided: it failed");
    world.send(Event::Input(Command::CancelRun));
    assert!(world.state.paused.is_empty() && world.state.run.as_ref().unwrap().is_over());
    assert_eq!(world.state.held.len(), 2);
}

#[test]
fn outcomes_that_do_not_match_and_runs_that_write_do_not_wait() {
    let (mut world, _) = screen(Box::new(|_| go("away")));
    point(&mut world, PointKind::Outcome, "", "route == \"elsewhere\"");
    point(&mut world, PointKind::Error, "", "");
    run_on_screen(&mut world, 1..=3);
    assert_eq!((world.state.paused.len(), world.state.held.len()), (0, 3));
    point(&mut world, PointKind::Outcome, "", "");
    point(&mut world, PointKind::Outcome, "", "");
    world.state.live = true;
    run_on_screen(&mut world, 4..=5);
    assert!(world.state.paused.is_empty());
    assert!(world.launches.iter().all(|launch| !launch.pauses));
}

#[test]
fn only_a_stage_with_a_point_inside_of_its_agent_has_attempts_that_report_places() {
    let (mut world, _) = screen(Box::new(|_| go("away")));
    point(&mut world, PointKind::Checkpoint, "found", "count > 3");
    run_on_screen(&mut world, 1..=1);
    assert!(world.launches.last().unwrap().pauses);
}

#[test]
fn a_place_of_a_job_that_nobody_looks_at_is_left_at_once() {
    let (mut world, _) = screen(Box::new(|_| go("away")));
    let job = wb_core::ids::JobId(99);
    let place = PausePlace {
        kind: PlaceKind::Checkpoint,
        name: "found".to_owned(),
        value: "[]".into(),
        editable: true,
    };
    let place = Box::new(place);
    let effects = world
        .state
        .update(Event::Job(JobEvent::Paused { job, place }));
    assert_eq!(effects, [Effect::GoOn { job, edited: None }]);
}
