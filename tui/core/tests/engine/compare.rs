//! Comparisons of builds over many tasks: from the same inputs, in parallel, behind everything else, and nothing is
//! written.

use crate::world::*;
use wb_core::command::Command;
use wb_core::comparing::{CompareCommand, CompareSide, CompareSpec, Comparing};
use wb_core::error::{Error, ErrorKind};
use wb_core::event::{Event, Priority};
use wb_core::ids::*;

/// A screen with two builds, of which the second sends every other task elsewhere and fails on the first.
pub fn two_builds(kept: usize) -> World {
    let agent = |launch: &wb_core::event::Launch| {
        let n = launch.inputs.row.id.0.as_u128();
        match (launch.build, n % 2) {
            (BuildId(2), _) if launch.inputs.row.id == row(1).id => {
                (Err(Error::new(ErrorKind::Agent, "it panicked")), false)
            }
            (BuildId(2), 0) => go("away"),
            _ => go("next"),
        }
    };
    let mut world = World::new(200, 0, Box::new(agent));
    world.state.options.screen = true;
    world.state.options.kept_builds = kept;
    world.state.live = false;
    world.send(probed("a.so", &["first", "second"], 0));
    world
}

fn spec(tasks: u128, sides: [CompareSide; 2]) -> Event {
    begin(CompareSpec {
        stage: stage_id(1),
        rows: (1..=tasks).map(row).collect(),
        sides,
    })
}

pub fn begin(spec: CompareSpec) -> Event {
    Event::Input(Command::Compare(CompareCommand::Begin(spec)))
}

fn builds(a: u32, b: u32) -> [CompareSide; 2] {
    [a, b].map(|n| CompareSide::Build(BuildId(n)))
}

pub fn comparing(world: &World) -> &Comparing {
    world.state.comparing.as_deref().unwrap()
}

fn noted(world: &World, text: &str) -> bool {
    world
        .state
        .activity
        .iter()
        .any(|line| line.text.contains(text))
}

#[test]
fn two_builds_run_on_the_same_inputs_and_every_task_is_counted() {
    let mut world = two_builds(1);
    let before = world.launches.len();
    world.send(spec(120, builds(1, 2)));
    let comparing = comparing(&world);
    assert!(comparing.is_over() && !comparing.stopped);
    let found = &comparing.found;
    let even = (1..=120)
        .filter(|n| row(*n).id.0.as_u128().is_multiple_of(2))
        .count();
    let first_is_even = usize::from(row(1).id.0.as_u128().is_multiple_of(2));
    assert_eq!(found.tasks, 120);
    assert_eq!(found.failed, [0, 1]);
    assert_eq!(found.changed_route, even + 1 - first_is_even);
    assert_eq!(found.rows[0].task, row(1).id, "the failure is the worst");
    let launches = &world.launches[before..];
    assert_eq!(launches.len(), 240);
    assert!(launches.iter().all(|l| l.priority == Priority::Background));
    assert!(world.most_running > 2, "{}", world.most_running);
    assert!(world.commits.is_empty() && world.state.held.is_empty());
    assert!(noted(&world, "build #1 against build #2"));
}

#[test]
fn upstream_needs_no_agent_and_has_no_route() {
    let mut world = two_builds(0);
    let before = world.launches.len();
    let sides = [CompareSide::Upstream, CompareSide::Build(BuildId(2))];
    world.send(spec(10, sides));
    let found = &comparing(&world).found;
    assert_eq!((found.tasks, found.failed), (10, [0, 1]));
    assert_eq!(found.changed_route, 0);
    assert_eq!(world.launches.len() - before, 10);
}

#[test]
fn builds_are_kept_as_long_as_there_is_room_and_refused_afterwards() {
    let mut world = two_builds(1);
    let stage = stage_id(1);
    assert_eq!(world.state.comparable(stage), [2, 1].map(BuildId));
    world.send(probed("a.so", &["first", "second"], 0));
    assert_eq!(world.state.comparable(stage), [3, 2].map(BuildId));
    assert_eq!(world.loaded, [2, 3].map(BuildId).into());
    let mut world = two_builds(0);
    assert_eq!(world.state.comparable(stage), [BuildId(2)]);
    world.send(spec(10, builds(2, 2)));
    assert!(world.state.comparing.is_none());
    assert!(noted(&world, "A and B are both build #2"));
}

#[test]
fn a_stopped_comparison_keeps_what_it_has_found_and_goes_no_further() {
    let mut world = two_builds(1);
    world.hold = true;
    world.send(spec(100, builds(1, 2)));
    let launched = world.launches.len();
    world.send(Event::Input(Command::Compare(CompareCommand::Stop)));
    assert!(comparing(&world).stopped && comparing(&world).found.tasks == 0);
    world.hold = false;
    world.send(Event::Tick(Millis(1_000)));
    assert_eq!(world.launches.len(), launched);
    assert_eq!(
        comparing(&world).found.tasks,
        0,
        "late results do not count"
    );
}
