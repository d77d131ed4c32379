//! Runs and attempts on screen: one that is stopped, jobs at a time, whose lines a log has.

use crate::screen::{run_on_screen, screen};
use crate::world::*;
use wb_core::command::Command;
use wb_core::event::{Event, JobEvent};
use wb_core::step::Until;

#[test]
fn a_run_that_is_stopped_keeps_how_many_tasks_it_would_have_handled() {
    let (mut world, _) = screen(Box::new(|_| go("away")));
    world.hold = true;
    run_on_screen(&mut world, 1..=12);
    world.send(Event::Input(Command::CancelRun));
    world.hold = false;
    world.send(Event::Tick(world.state.now));
    let run = world.state.run.as_ref().unwrap();
    assert!(run.is_over() && run.stopped());
    assert_eq!(world.state.run_expects(run), Some(12));
    let done = run.decided();
    assert!(done < 12, "{done}");
    let line = &world.state.activity.back().unwrap().text;
    let wanted = format!("run 1 stopped: {done} of 12 tasks");
    assert!(line.starts_with(&wanted), "{line}");
}

#[test]
fn a_run_begins_with_the_jobs_at_a_time_that_a_person_chose_for_the_one_before() {
    let (mut world, _) = screen(Box::new(|_| go("away")));
    world.hold = true;
    run_on_screen(&mut world, 1..=4);
    world.send(Event::Input(Command::Concurrency(3)));
    world.hold = false;
    world.send(Event::Tick(world.state.now));
    run_on_screen(&mut world, 5..=6);
    assert_eq!(world.state.run.as_ref().unwrap().spec.concurrency, 4);
}

#[test]
fn the_log_names_the_attempt_that_its_lines_belong_to() {
    let (mut world, stage) = screen(Box::new(|_| go("away")));
    let task = row(2).id;
    world.send(Event::Input(Command::Open { stage, task }));
    let headings = |world: &World| {
        let lines = world.state.step.as_ref().unwrap().log.lines.iter();
        let lines = lines.map(|line| (line.is_heading(), line.text.clone()));
        lines.collect::<Vec<_>>()
    };
    for attempt in [1, 2] {
        world.hold = true;
        let next = if attempt == 1 {
            Command::Step(Until::Next)
        } else {
            Command::Rerun
        };
        world.send(Event::Input(next));
        let job = world.state.step.as_ref().unwrap().job;
        for text in ["one", "two"] {
            world.send(Event::Job(JobEvent::Log {
                job,
                level: 3,
                target: "cars".into(),
                text: text.into(),
            }));
        }
        world.hold = false;
        world.send(Event::Tick(world.state.now));
    }
    let mut wanted = Vec::new();
    for attempt in [1, 2] {
        wanted.push((true, format!("attempt {attempt} · build #1")));
        wanted.extend(["one", "two"].map(|text| (false, text.to_owned())));
    }
    assert_eq!(headings(&world), wanted);
    let log = &world.state.step.as_ref().unwrap().log;
    assert_eq!((log.total, log.dropped()), (4, 0));
}
