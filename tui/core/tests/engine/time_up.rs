//! A run whose time is up: what is decided is committed, agents are stopped, nothing else is waited for.

use crate::world::*;
use wb_core::command::Command;
use wb_core::error::{Error, ErrorKind};
use wb_core::event::{Effect, Event, JobEvent};
use wb_core::ids::*;
use wb_core::run::RunSpec;

/// A run of eight tasks, three at a time, whose first jobs are under way.
fn under_way() -> World {
    let mut world = World::new(8, 0, Box::new(|_| go("away")));
    world.hold = true;
    let spec = RunSpec {
        concurrency: 3,
        ..commit()
    };
    world.send(Event::Input(Command::Run(Box::new(spec))));
    assert_eq!(world.running.len(), 3);
    world
}

fn send(world: &mut World, command: Command) -> Vec<Effect> {
    let effects = world.state.update(Event::Input(command));
    for effect in effects.clone() {
        if let Some(event) = world.perform(effect) {
            world.send(event);
        }
    }
    effects
}

#[test]
fn a_run_whose_time_is_up_commits_what_is_decided_at_once_and_leaves_the_rest() {
    let mut world = under_way();
    for _ in 0..2 {
        let launch = world.running.pop_front().unwrap();
        let done = world.job(&launch);
        world.send(done);
    }
    assert!(world.commits.is_empty(), "the batch is not whole");
    send(&mut world, Command::WindUp);
    assert_eq!((world.commits.clone(), world.reports.len()), (vec![2], 2));
    assert!(!world.over, "three agents still run");
    // One of them ends by itself, one listens, one is killed.
    let ends = world.running.pop_front().unwrap();
    let done = world.job(&ends);
    world.send(done);
    let jobs: Vec<JobId> = world.running.iter().map(|l| l.job).collect();
    let mut cancelled = send(&mut world, Command::StopAgents);
    cancelled.sort_by_key(|e| format!("{e:?}"));
    assert_eq!(
        cancelled,
        jobs.iter().map(|j| Effect::Cancel(*j)).collect::<Vec<_>>()
    );
    for (job, result) in jobs.iter().zip([true, false]) {
        let launch = world.running.pop_front().unwrap();
        let Event::Job(JobEvent::Done { result: good, .. }) = world.job(&launch) else {
            panic!("a job ends")
        };
        let stopped = Err(Error::new(ErrorKind::Host, "cancelled"));
        world.send(Event::Job(JobEvent::Done {
            job: *job,
            result: if result { good } else { stopped },
            crashed: false,
            run_us: 1,
        }));
    }
    assert!(world.over);
    assert_eq!((world.at(1), world.at(3)), (4, 4));
    assert_eq!(world.reports.len(), 4, "what was stopped is not a failure");
    assert_eq!(world.state.run.as_ref().unwrap().totals.failed, 0);
}

#[test]
fn a_run_whose_time_is_up_waits_for_no_inputs_and_no_listing_and_tries_nothing_again() {
    let mut world = World::new(8, 0, Box::new(|_| go("away")));
    world.page = 100;
    let run = Event::Input(Command::Run(Box::new(commit())));
    let effects = world.state.update(run.clone());
    assert!(effects.iter().any(|e| matches!(e, Effect::Page { .. })));
    let effects = world.state.update(Event::Input(Command::WindUp));
    assert!(effects.contains(&Effect::RunOver), "{effects:?}");

    let page = world.state.update(run);
    let page = page.into_iter().find_map(|effect| world.perform(effect));
    let effects = world.state.update(page.unwrap());
    assert!(effects.iter().any(|e| matches!(e, Effect::Fetch { .. })));
    let effects = world.state.update(Event::Input(Command::WindUp));
    assert!(effects.contains(&Effect::RunOver), "{effects:?}");

    let mut world = under_way();
    send(&mut world, Command::WindUp);
    while let Some(launch) = world.running.pop_front() {
        world.send(Event::Job(JobEvent::Done {
            job: launch.job,
            result: Err(Error::new(ErrorKind::Agent, "not yet").retryable()),
            crashed: false,
            run_us: 1,
        }));
    }
    assert!(world.over && world.reports.is_empty() && world.launches.len() == 3);
}
