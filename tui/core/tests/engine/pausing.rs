//! Pause points in a run of the screen: what waits, and what its run hears of it.

use crate::screen::{run_on_screen, screen};
use crate::world::*;
use wb_core::command::Command;
use wb_core::event::{Effect, Event, JobEvent};
use wb_core::ids::JobId;
use wb_core::patch::OutcomeEdit;
use wb_core::pause::{Condition, PausePlace, PlaceKind, PointAt, PointChange, PointKind};
use wb_core::step::{At, Until};
use wb_core::work::{GivenEdits, Route, Timing};

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
    // One that waits after its end keeps nobody from running.
    assert_eq!((world.state.paused.len(), world.state.held.len()), (3, 0));
    world.send(Event::Input(Command::OpenPaused));
    let step = world.state.step.as_ref().unwrap();
    assert_eq!((step.at, step.can_commit()), (At::Outcome, false));
    assert_eq!(world.state.paused.len(), 2);
    world.send(Event::Input(Command::Step(Until::End)));
    world.send(Event::Input(Command::OpenPaused));
    // Another task is opened: it waits on.
    let (stage, task) = (stage_id(1), row(9).id);
    world.send(Event::Input(Command::Open { stage, task }));
    assert_eq!(world.state.paused.len(), 2);
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
    let job = JobId(99);
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

/// A task of the run that runs now reaches a checkpoint.
fn reaches(world: &mut World, job: JobId) {
    let place = PausePlace {
        kind: PlaceKind::Checkpoint,
        name: "found".to_owned(),
        value: "[1]".into(),
        editable: true,
    };
    let place = Box::new(place);
    world.send(Event::Job(JobEvent::Paused { job, place }));
}

#[test]
fn a_task_that_waits_inside_of_its_agent_has_another_one_in_its_place_as_far_as_there_are_hosts() {
    let (mut world, _) = screen(Box::new(|_| go("away")));
    point(&mut world, PointKind::Checkpoint, "found", "");
    world.hold = true;
    world.state.jobs_at_a_time = Some(2);
    run_on_screen(&mut world, 1..=6);
    assert_eq!(world.launches.len(), 2);
    let jobs = |world: &World| -> Vec<JobId> { world.launches.iter().map(|l| l.job).collect() };
    // Two may wait beside two; what waits beyond that keeps its turn.
    for (waiting, launched) in [(1, 3), (2, 4), (3, 4), (4, 4)] {
        let job = jobs(&world)[waiting - 1];
        reaches(&mut world, job);
        let found = (world.state.paused.len(), world.launches.len());
        assert_eq!(found, (waiting, launched));
    }
    world.send(Event::Input(Command::OpenPaused));
    assert_eq!(world.launches.len(), 4, "it waits before a person's eyes");
    world.send(Event::Input(Command::CancelRun));
    assert!(world.state.paused.is_empty());
}

fn fetched(what: &str) -> Timing {
    Timing {
        what: what.to_owned(),
        ms: 600.0,
        note: String::new(),
    }
}

#[test]
fn a_task_waits_at_its_inputs_before_its_agent_is_called_and_goes_on_in_its_run() {
    let (mut world, _) = screen(Box::new(|_| go("away")));
    world.timings = vec![fetched("labels"), fetched("asset")];
    let condition = "ms > 500 && title == \"task 2\"";
    point(&mut world, PointKind::Input, "asset", condition);
    run_on_screen(&mut world, 1..=3);
    assert_eq!((world.state.paused.len(), world.launches.len()), (1, 2));
    world.send(Event::Input(Command::OpenPaused));
    let step = world.state.step.as_ref().unwrap();
    assert_eq!((step.at, step.looks_at), (At::Fetched, Some(2)));
    // It is left, and waits on; it is opened again and goes on.
    let (stage, task) = (stage_id(1), row(9).id);
    world.send(Event::Input(Command::Open { stage, task }));
    assert_eq!(world.state.paused.len(), 1);
    world.send(Event::Input(Command::OpenPaused));
    world.send(Event::Input(Command::Step(Until::End)));
    assert_eq!((world.launches.len(), world.state.held.len()), (3, 3));
    assert!(world.state.run.as_ref().unwrap().is_over());
    run_on_screen(&mut world, 1..=3);
    world.send(Event::Input(Command::OpenPaused));
    world.send(Event::Input(Command::Discard));
    assert!(world.state.run.as_ref().unwrap().is_over());
    assert_eq!(world.launches.len(), 5, "its agent was never called");
    run_on_screen(&mut world, 1..=3);
    world.send(Event::Input(Command::CancelRun));
    assert_eq!(world.launches.len(), 8);
    assert!(world.state.run.as_ref().unwrap().is_over());
}

#[test]
fn a_step_looks_at_one_row_after_the_other_and_stops_at_those_with_a_point() {
    let (mut world, stage) = screen(Box::new(|_| go("away")));
    world.timings = vec![fetched("labels"), fetched("asset")];
    let looks_at = |world: &World| {
        let step = world.state.step.as_ref().unwrap();
        (step.at, step.looks_at)
    };
    let open = |world: &mut World, n| {
        let task = row(n).id;
        world.send(Event::Input(Command::Open { stage, task }));
    };
    open(&mut world, 1);
    assert_eq!(looks_at(&world), (At::Fetched, Some(1)));
    world.send(Event::Input(Command::Step(Until::Next)));
    assert_eq!(looks_at(&world), (At::Fetched, Some(2)));
    world.send(Event::Input(Command::Step(Until::Next)));
    assert_eq!(looks_at(&world), (At::Outcome, Some(0)));
    world.send(Event::Input(Command::Step(Until::End)));
    assert_eq!(looks_at(&world), (At::Review, None));
    point(&mut world, PointKind::Input, "asset", "");
    point(&mut world, PointKind::Validation, "", "route == \"away\"");
    open(&mut world, 2);
    world.send(Event::Input(Command::Step(Until::End)));
    assert_eq!(looks_at(&world), (At::Fetched, Some(2)));
    world.send(Event::Input(Command::Step(Until::End)));
    assert_eq!(looks_at(&world), (At::Outcome, Some(2)));
    open(&mut world, 3);
    world.send(Event::Input(Command::Step(Until::Return)));
    assert_eq!(looks_at(&world), (At::Outcome, None));
    world.send(Event::Input(Command::Step(Until::Next)));
    assert_eq!(looks_at(&world), (At::Review, None));
}

#[test]
fn what_is_edited_before_the_call_is_given_to_that_step_alone() {
    let (mut world, stage) = screen(Box::new(|_| go("away")));
    let task = row(1).id;
    world.send(Event::Input(Command::Open { stage, task }));
    let given = GivenEdits {
        priority: Some(0.75),
        ..GivenEdits::default()
    };
    let edit = Command::EditGiven(Box::new(given.clone()));
    world.send(Event::Input(edit.clone()));
    world.send(Event::Input(Command::Step(Until::End)));
    assert_eq!(*world.launches[0].given, given);
    let step = world.state.step.as_ref().unwrap();
    let Some(Ok(outcome)) = &step.result else {
        panic!("no outcome")
    };
    assert_eq!(outcome.patch.edited, ["priority given"]);
    // Run again plainly, it is as it was fetched.
    world.send(Event::Input(Command::Rerun));
    assert_eq!(*world.launches[1].given, GivenEdits::default());
    world.hold = true;
    world.send(Event::Input(Command::Rerun));
    world.send(Event::Input(edit));
    let step = world.state.step.as_ref().unwrap();
    assert_eq!(*step.given, GivenEdits::default(), "the agent was called");
}

#[test]
fn an_edited_outcome_is_what_is_held_and_committed_and_its_events_replay() {
    let (mut world, stage) = screen(Box::new(|_| go("away")));
    let start = world.state.clone();
    world.events.clear();
    let task = row(1).id;
    world.send(Event::Input(Command::Open { stage, task }));
    world.send(Event::Input(Command::Step(Until::Return)));
    let edit = |world: &mut World, edit| {
        let edit = Box::new(edit);
        world.send(Event::Input(Command::EditOutcome { task, edit }));
    };
    edit(&mut world, OutcomeEdit::Route(Some("next".into())));
    world.send(Event::Input(Command::Accept));
    edit(&mut world, OutcomeEdit::Priority(Some(0.9)));
    edit(&mut world, OutcomeEdit::Priority(Some(9.0)));
    assert_eq!(world.state.refused_edit.as_ref().unwrap().0, task);
    let held = &world.state.held[&task].outcome;
    assert_eq!(
        (&*held.way.name(), held.patch.priority),
        ("next", Some((None, 0.9)))
    );
    assert_eq!(held.patch.edited, ["route", "priority"]);
    let step = world.state.step.as_ref().unwrap();
    assert_eq!(step.result, Some(Ok(held.clone())), "both are the same");
    let mut again = start;
    for event in &world.events {
        again.update(event.clone());
    }
    assert_eq!(again, world.state);
    world.send(Event::Input(Command::Commit(vec![task])));
    let written = world.noted.last().unwrap();
    assert_eq!(
        (written.to, written.priority),
        (Some(stage_id(2)), Some(0.9))
    );
    assert_eq!(written.edited, ["route", "priority"]);
}

#[test]
fn the_outcome_that_waits_at_a_pause_point_is_edited_before_its_run_hears_of_it() {
    let (mut world, _) = screen(Box::new(|_| go("away")));
    point(&mut world, PointKind::Effect, "move", "");
    run_on_screen(&mut world, 1..=1);
    world.send(Event::Input(Command::OpenPaused));
    let (task, edit) = (row(1).id, Box::new(OutcomeEdit::Route(None)));
    world.send(Event::Input(Command::EditOutcome { task, edit }));
    world.send(Event::Input(Command::Step(Until::End)));
    let held = &world.state.held[&task].outcome;
    assert_eq!(
        (&held.way, &held.patch.edited[..]),
        (&Route::Stay, &["route".to_owned()][..])
    );
}
