//! Tasks that fail because of a name that the project does not have: it is read again, and they run again when it has
//! changed.

use crate::world::*;
use std::collections::BTreeSet;
use std::sync::Arc;
use wb_core::command::Command;
use wb_core::error::{Error, ErrorKind};
use wb_core::event::{Event, Upstream};
use wb_core::ids::*;
use wb_core::run::{Ending, RunSpec};
use wb_core::state::{Options, State};
use wb_core::work::Project;

fn unknown() -> Error {
    let mut error = Error::new(ErrorKind::Agent, "the ontology has no object \"Lorry\"");
    error.unknown_name = true;
    error
}

/// The project with another ontology.
fn changed() -> Arc<Project> {
    let mut other = Project::clone(&project());
    other.doc.ontology = serde_json::json!({"objects": [], "classifications": []});
    Arc::new(other)
}

/// An agent that fails for each task once, as if it had run before the project was changed.
fn fails_once() -> Agent {
    let mut seen = BTreeSet::new();
    Box::new(move |launch| match seen.insert(launch.inputs.row.id) {
        true => (Err(unknown()), false),
        false => go("away"),
    })
}

fn renamed(reads: &[Arc<Project>]) -> World {
    let mut world = World::new(3, 0, fails_once());
    world.reads.extend(reads.iter().cloned());
    world
}

fn three_at_a_time() -> RunSpec {
    RunSpec {
        concurrency: 3,
        retries: 0,
        ..commit()
    }
}

#[test]
fn tasks_that_met_an_old_name_run_again_once_the_project_has_changed() {
    let mut world = renamed(&[changed()]);
    world.run(three_at_a_time());
    assert_eq!(world.loads, 1, "once for all three, which had begun before");
    assert_eq!(world.launches.len(), 6);
    for report in &world.reports {
        let ending = (&report.ending, report.attempts);
        assert_eq!(ending, (&Ending::Moved, 1), "the wait is not an attempt");
    }
    let (mut again, _) = State::start(Options::default(), Millis(0));
    for event in world.events {
        again.update(event);
    }
    assert_eq!(again, world.state);
}

#[test]
fn a_name_that_is_still_unknown_fails_its_tasks_and_is_not_looked_for_again_and_again() {
    for reads in [&[project()][..], &[]] {
        let mut world = renamed(reads);
        world.run(three_at_a_time());
        assert_eq!(world.loads, 1);
        assert_eq!(world.launches.len(), 3);
        let failed = |r: &&wb_core::run::Report| matches!(r.ending, Ending::Failed(_));
        assert_eq!(world.reports.iter().filter(failed).count(), 3);
        // Some time later it is looked for once more.
        world.send(Event::Tick(Millis(60_000)));
        world.reads.push_back(changed());
        world.over = false;
        world.agent = fails_once();
        world.run(three_at_a_time());
        assert_eq!((world.loads, world.at(1)), (2, 0));
    }
}

#[test]
fn a_task_waits_for_a_reading_that_is_under_way() {
    let mut world = renamed(&[]);
    world.hold = true;
    world.send(Event::Input(Command::Run(Box::new(three_at_a_time()))));
    // A person asked for it, and the answer is on its way.
    world.state.update(Event::Input(Command::ReadProject));
    let launch = world.running.pop_front().unwrap();
    let done = world.job(&launch);
    world.send(done);
    assert_eq!((world.loads, world.launches.len()), (0, 3));
    world.send(Event::Upstream(Upstream::Project(changed())));
    assert_eq!(world.launches.len(), 4);
    assert_eq!(world.launches[3], launch);
}
