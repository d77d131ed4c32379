//! Watched tasks: run dry again at every build, compared with the last one, never written.

use crate::world::*;
use std::cell::Cell;
use std::rc::Rc;
use wb_core::build::{AgentDescriptor, Descriptor, Probed};
use wb_core::command::Command;
use wb_core::comparing::CompareFor;
use wb_core::error::{Error, ErrorKind};
use wb_core::event::{BuildEvent, Effect, Event, JobEvent, Priority};
use wb_core::ids::*;
use wb_core::run::{RunSpec, Sink, Source};
use wb_core::state::Kind;
use wb_core::watch::{Phase, Watched};

/// A screen on which the first stage's agent sends tasks where `way` is set to at the time.
fn screen(tasks: u128) -> (World, Rc<Cell<&'static str>>) {
    let way = Rc::new(Cell::new("next"));
    let route = way.clone();
    let agent = move |_: &_| match route.get() {
        "panic" => (Err(Error::new(ErrorKind::Agent, "it panicked")), false),
        way => go(way),
    };
    let mut world = World::new(tasks, 0, Box::new(agent));
    world.state.options.screen = true;
    world.state.live = false;
    world.send(Event::Input(Command::OpenStage(stage_id(1))));
    (world, way)
}

/// Another content of the library; its first agent asks for `needs`.
fn build(n: u32, needs: u64) -> Event {
    let agents = ["first", "second"].map(|stage| AgentDescriptor {
        stage: stage.into(),
        needs: if stage == "first" { needs } else { 0 },
        ..AgentDescriptor::default()
    });
    Event::Build(BuildEvent::Probed(Box::new(Probed {
        id: ProbeId::default(),
        library: "a.so".into(),
        copy: format!("a{n}.so").into(),
        hash: format!("h{n}"),
        size: 1,
        modified: Millis(0),
        descriptor: Descriptor {
            agents: agents.into(),
            ..Descriptor::default()
        },
    })))
}

fn watch(tasks: impl IntoIterator<Item = u128>, on: bool) -> Event {
    Event::Input(Command::Watch {
        stage: stage_id(1),
        rows: tasks.into_iter().map(row).collect(),
        on,
    })
}

fn task(world: &World, n: u128) -> &Watched {
    world.state.watch.task(row(n).id).unwrap()
}

fn phase(world: &World, n: u128) -> Phase {
    world.state.watch.phase(task(world, n))
}

fn differing(world: &World) -> usize {
    world.state.watch.figures().differing
}

/// Builds that looked at a task last and before.
fn builds(world: &World, n: u128) -> (Option<u32>, Option<u32>) {
    let task = task(world, n);
    (
        task.before.as_ref().map(|l| l.build.0),
        task.now.as_ref().map(|l| l.build.0),
    )
}

fn fetches(world: &World) -> usize {
    let fetched = |e: &&Event| matches!(e, Event::Prefetch { .. });
    world.events.iter().filter(fetched).count()
}

fn reported(world: &World) -> Vec<&str> {
    let lines = world.state.activity.iter();
    lines
        .filter(|a| a.kind == Kind::Watch)
        .map(|a| a.text.as_str())
        .collect()
}

#[test]
fn watched_tasks_run_at_once_and_again_at_every_build_and_nothing_is_written() {
    let (mut world, way) = screen(5);
    world.send(watch([2, 4], true));
    assert_eq!((world.launches.len(), fetches(&world)), (2, 1));
    assert_eq!(builds(&world, 2), (None, Some(1)));
    assert_eq!(task(&world, 2).comparison, None);
    world.send(build(2, 0));
    assert_eq!((world.launches.len(), fetches(&world)), (4, 1));
    assert_eq!(builds(&world, 4), (Some(1), Some(2)));
    assert!(!task(&world, 4).differs());
    way.set("away");
    world.send(build(3, 0));
    assert_eq!(world.launches.len(), 6);
    assert_eq!((differing(&world), world.most_running), (2, 2));
    let comparison = task(&world, 2).comparison.clone().unwrap();
    let found = comparison.found.unwrap();
    assert_eq!(found.routes, ["next", "away"].map(str::to_owned));
    world.send(Event::Tick(Millis(60_000)));
    assert_eq!(world.launches.len(), 6, "time alone runs nothing");
    assert!(world.commits.is_empty() && world.state.held.is_empty());
    assert_eq!(
        reported(&world),
        [
            "2 tasks on build #1: the next build is compared with it",
            "2 tasks on build #2 · none differs",
            "task 2: next → away  labels +0 ~0 -0  build #2 → #3",
            "task 4: next → away  labels +0 ~0 -0  build #2 → #3",
            "2 tasks on build #3: 2 of 2 tasks changed route ({key:Watching})",
        ]
    );
}

#[test]
fn a_build_that_fails_is_reported_and_the_next_is_compared_with_the_failure() {
    let (mut world, way) = screen(3);
    world.send(watch([1], true));
    way.set("panic");
    world.send(build(2, 0));
    assert!(task(&world, 1).failed() && task(&world, 1).differs());
    way.set("next");
    world.send(build(3, 0));
    assert!(!task(&world, 1).failed());
    assert_eq!(
        reported(&world),
        [
            "task 1: next  labels +0 ~0 -0  on build #1",
            "task 1: next → failed: it panicked  labels +0 ~0 -0  build #1 → #2",
            "task 1: failed: it panicked → next  labels +0 ~0 -0  build #2 → #3",
        ]
    );
}

#[test]
fn a_kept_build_stays_what_newer_ones_are_compared_with() {
    let (mut world, way) = screen(3);
    world.send(watch([1], true));
    world.send(Event::Input(Command::KeepWatchResults(true)));
    way.set("away");
    for n in 2..4 {
        world.send(build(n, 0));
        assert_eq!(builds(&world, 1), (Some(1), Some(n)));
        assert!(task(&world, 1).differs());
    }
    world.send(Event::Input(Command::KeepWatchResults(false)));
    world.send(build(4, 0));
    assert_eq!(builds(&world, 1), (Some(3), Some(4)));
    assert!(!task(&world, 1).differs());
}

#[test]
fn running_a_task_again_on_the_same_build_keeps_what_it_is_compared_with() {
    let (mut world, way) = screen(3);
    world.send(watch([1], true));
    world.send(build(2, 0));
    way.set("away");
    world.send(Event::Input(Command::WatchAgain(vec![row(1).id])));
    assert_eq!((world.launches.len(), fetches(&world)), (3, 1));
    assert_eq!(builds(&world, 1), (Some(1), Some(2)));
    assert!(task(&world, 1).differs());
}

#[test]
fn a_build_that_comes_while_a_task_runs_ends_that_job_and_its_late_answer_counts_for_nothing() {
    let (mut world, _) = screen(3);
    (world.hold, world.state.jobs_at_a_time) = (true, Some(1));
    world.send(watch([1, 2], true));
    let first = world.running.pop_front().unwrap();
    assert!(world.running.is_empty(), "one at a time");
    let effects = world.state.update(build(2, 0));
    assert!(effects.contains(&Effect::Kill(first.job)));
    let launched = |e: &Effect| match e {
        Effect::Launch(launch) => Some(launch.clone()),
        _ => None,
    };
    let second = effects.iter().find_map(launched).unwrap();
    assert_eq!((second.build.0, &second.inputs), (2, &first.inputs));
    let late = Err(Error::new(ErrorKind::Host, "cancelled"));
    assert_eq!(world.state.update(done(first.job, late, 9)), []);
    assert_eq!(builds(&world, 1), (None, None));
    assert_eq!(phase(&world, 1), Phase::Running(second.job, second.build));
}

fn done(
    job: JobId,
    result: Result<std::sync::Arc<wb_core::work::Outcome>, Error>,
    run_us: u64,
) -> Event {
    Event::Job(JobEvent::Done {
        job,
        result,
        crashed: false,
        run_us,
    })
}

#[test]
fn inputs_are_fetched_again_only_for_an_agent_that_asks_for_more() {
    let (mut world, _) = screen(3);
    world.send(watch([1, 3], true));
    world.send(build(2, 0));
    assert_eq!(fetches(&world), 1);
    world.send(build(3, 4));
    assert_eq!((fetches(&world), world.launches.len()), (2, 6));
    world.send(build(4, 4));
    assert_eq!((fetches(&world), world.launches.len()), (2, 8));
}

#[test]
fn the_slowest_of_the_last_time_comes_last() {
    let (mut world, _) = screen(3);
    (world.hold, world.state.jobs_at_a_time) = (true, Some(1));
    world.send(watch([1, 2, 3], true));
    let error = || Err(Error::new(ErrorKind::Agent, "x"));
    for us in [3000, 1000, 2000] {
        let launch = world.running.pop_front().unwrap();
        world.send(done(launch.job, error(), us));
    }
    world.send(build(2, 0));
    let mut order = vec![];
    while let Some(launch) = world.running.pop_front() {
        order.push(launch.inputs.row.id);
        world.send(done(launch.job, error(), 1));
    }
    assert_eq!(order, [2, 3, 1].map(|n| row(n).id));
}

#[test]
fn inputs_that_could_not_be_read_are_tried_again_at_the_next_build() {
    let (mut world, _) = screen(3);
    let effects = world.state.update(watch([1, 2], true));
    let [Effect::Fetch { batch, rows, .. }] = &effects[..] else {
        panic!("{effects:?}")
    };
    let outage = || Err(Error::new(ErrorKind::Network, "unreachable"));
    let results = rows.iter().map(|_| outage()).collect();
    let batch = *batch;
    assert_eq!(world.state.update(Event::Prefetch { batch, results }), []);
    assert_eq!(phase(&world, 2), Phase::Unfetched);
    assert_eq!(reported(&world), ["2 tasks · 2 failed"]);
    world.send(build(2, 0));
    assert_eq!((world.launches.len(), task(&world, 2).failed()), (2, false));
    assert_eq!(task(&world, 2).error, None);
}

#[test]
fn a_task_watched_no_longer_is_stopped_and_the_next_takes_its_turn() {
    let (mut world, _) = screen(3);
    (world.hold, world.state.jobs_at_a_time) = (true, Some(1));
    world.send(watch([1, 2], true));
    let first = world.running.pop_front().unwrap();
    let effects = world.state.update(watch([1], false));
    assert_eq!(effects[0], Effect::Kill(first.job));
    let launched = |e: &Effect| matches!(e, Effect::Launch(l) if l.inputs.row.id == row(2).id);
    assert!(effects.iter().any(launched));
    assert_eq!(world.state.watch.len(), 1);
    world.state.update(watch([2], false));
    world.send(build(2, 0));
    assert!(world.running.is_empty());
}

#[test]
fn what_a_watched_task_logs_stays_with_it() {
    let (mut world, _) = screen(3);
    world.hold = true;
    world.send(watch([1], true));
    let job = world.running[0].job;
    world.send(Event::Job(JobEvent::Log {
        job: Some(job),
        level: 3,
        target: "t".into(),
        text: "hello".into(),
    }));
    assert_eq!(world.state.watch.log(task(&world, 1)).total, 1);
    assert_eq!(world.state.log.total, 0);
}

#[test]
fn the_newest_outcome_of_a_watched_task_can_be_held_and_committed() {
    let (mut world, way) = screen(3);
    world.send(watch([2], true));
    way.set("away");
    world.send(build(2, 0));
    world.send(Event::Input(Command::HoldWatched(row(2).id)));
    assert_eq!(world.state.held[&row(2).id].build, BuildId(2));
    world.send(Event::Input(Command::Commit(vec![row(2).id])));
    assert_eq!((world.at(1), world.at(3)), (2, 1));
}

#[test]
fn thousands_are_watched_each_once_and_every_one_runs_again_at_each_build() {
    let (mut world, way) = screen(3_000);
    world.state.jobs_at_a_time = Some(4);
    world.send(watch(1..=3_000, true));
    world.send(watch([1, 1], true));
    assert_eq!(
        (world.state.watch.len(), world.launches.len()),
        (3_000, 3_000)
    );
    way.set("away");
    world.send(build(2, 0));
    assert_eq!((world.launches.len(), world.most_running), (6_000, 4));
    assert_eq!(
        (differing(&world), world.state.watch.worst_len()),
        (3_000, 3_000)
    );
    let last = *reported(&world).last().unwrap();
    assert_eq!(
        last,
        "3,000 tasks on build #2: 3,000 of 3,000 tasks changed route ({key:Watching})"
    );
    assert!(world.events.len() < 14_000, "{}", world.events.len());
    world.send(Event::Input(Command::UnwatchAll));
    assert!(world.state.watch.is_empty());
}

#[test]
fn watched_tasks_take_the_hosts_that_a_run_leaves_and_one_in_any_case() {
    let (mut world, _) = screen(60);
    world.hold = true;
    let rows = |tasks: std::ops::Range<u128>| tasks.map(row).collect::<Vec<_>>();
    let run = |concurrency, tasks| {
        let spec = RunSpec {
            source: Source::Tasks(stage_id(1), rows(tasks)),
            sink: Sink::Hold,
            concurrency,
            ..RunSpec::default()
        };
        Event::Input(Command::Run(Box::new(spec)))
    };
    world.send(run(4, 1..3));
    world.send(watch(20..40, true));
    let watched = |world: &World| {
        let watch = |launch: &&wb_core::event::Launch| launch.priority == Priority::Watch;
        world.running.iter().filter(watch).count()
    };
    assert_eq!((world.running.len(), watched(&world)), (4, 2));
    // The run is through: its hosts are free.
    world.hold = false;
    world.send(Event::Tick(Millis(1)));
    assert_eq!(world.state.watch.pending(), 0);
    world.hold = true;
    world.send(run(4, 1..15));
    world.send(Event::Input(Command::WatchAgain(
        (20..40).map(|n| row(n).id).collect(),
    )));
    assert_eq!(watched(&world), 1, "a long run does not stop the loop");
}

#[test]
fn a_result_that_labels_have_to_be_read_for_is_compared_beside_the_state() {
    let (mut world, way) = screen(3);
    world.with_labels = true;
    world.send(watch([1, 2], true));
    way.set("away");
    let asked = |e: &&Event| matches!(e, Event::Compared(CompareFor::Watched(_), ..));
    world.send(build(2, 0));
    assert_eq!(world.events.iter().filter(asked).count(), 2);
    assert_eq!(differing(&world), 2);
    let last = *reported(&world).last().unwrap();
    assert!(last.contains("2 of 2 tasks changed route"), "{last}");
}

#[test]
fn a_stage_without_an_agent_is_reported_and_waits_for_a_build() {
    let (mut world, _) = screen(3);
    world.send(Event::Build(BuildEvent::Removed("a.so".into())));
    world.send(watch([1], true));
    assert_eq!(phase(&world, 1), Phase::NoAgent);
    assert_eq!(world.state.watch.pending(), 0);
    world.send(build(2, 0));
    assert_eq!(builds(&world, 1), (None, Some(2)));
}
