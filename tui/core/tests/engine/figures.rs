//! Figures of stages on screen: they equal a recount of everything that was kept, come back for the next screen, and
//! follow from the events alone.

use crate::screen::{run_on_screen, screen};
use crate::world::*;
use std::collections::BTreeMap;
use wb_core::command::Command;
use wb_core::error::{Error, ErrorKind};
use wb_core::event::{Event, JobEvent};
use wb_core::figures::{FiguresBefore, KeptResult, StageFigures, TakenRoute};
use wb_core::ids::*;
use wb_core::journal::{JournalEvent, Op};
use wb_core::queue::LastResult;
use wb_core::run::{RunSpec, Source};
use wb_core::state::CommitStanding;
use wb_core::step::Until;

/// Agents whose answers look random and are the same each time.
fn mixed(seed: u64) -> Agent {
    let mut n = seed;
    Box::new(move |_| {
        n = n.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        match (n >> 33) % 5 {
            0 => (Ok(None), false),
            1 => go("next"),
            2 => {
                let again = Error::new(ErrorKind::Agent, "boom\nand more").retryable();
                (Err(again), false)
            }
            3 => (
                Err(Error::new(ErrorKind::Agent, "no")),
                (n >> 40).is_multiple_of(3),
            ),
            _ => go("away"),
        }
    })
}

/// A screen that ran three times, as random numbers have it.
fn ran(seed: u64) -> (World, StageId) {
    let (mut world, stage) = screen(mixed(seed));
    for (n, tasks) in [1..=9, 4..=12, 2..=3].into_iter().enumerate() {
        world.run_us = 1_000 * (n as u64 + 1);
        run_on_screen(&mut world, tasks);
        world.send(Event::Tick(Millis(world.state.now.0 + 5_000)));
    }
    (world, stage)
}

#[test]
fn figures_equal_a_recount_of_all_results_and_attempts() {
    for seed in 0..20 {
        let (world, stage) = ran(seed);
        let mut times: Vec<u64> = Vec::new();
        for event in &world.events {
            if let Event::Job(JobEvent::Done { run_us, .. }) = event {
                times.push(*run_us);
            }
        }
        let results = || world.kept.iter().flat_map(|kept| &kept.results);
        let mut routes: BTreeMap<&str, u64> = BTreeMap::new();
        for kept in results() {
            let route = if kept.last.failed {
                "failed"
            } else {
                &kept.last.text
            };
            *routes.entry(route).or_default() += 1;
        }
        let figures = world.state.stage_figures(stage).unwrap();
        let pathways = &workflow().stages[0].pathways;
        for (name, route) in [
            ("stay", TakenRoute::Stay),
            ("failed", TakenRoute::Failed),
            ("next", TakenRoute::Pathway(pathways[0].id)),
            ("away", TakenRoute::Pathway(pathways[1].id)),
        ] {
            let expected = routes.get(name).copied().unwrap_or(0);
            assert_eq!(
                figures.routes.ever(route),
                expected,
                "{name} of seed {seed}"
            );
            assert_eq!(figures.routes.recent(route), expected);
        }
        times.sort_unstable();
        assert_eq!(figures.times.count(), times.len());
        let rank = (times.len() * 95).div_ceil(100);
        assert_eq!(figures.times.percentile(95), Some(times[rank - 1]));
        let last = figures.last_run.as_ref().unwrap();
        let of_last: Vec<_> = results().filter(|kept| kept.run == 3).collect();
        let failed = of_last.iter().filter(|kept| kept.last.failed).count() as u64;
        assert_eq!((last.number, last.live, last.stopped), (3, false, false));
        assert_eq!((last.tasks, last.failed), (of_last.len() as u64, failed));
        assert!(last.ended.is_some());
    }
}

#[test]
fn what_was_kept_is_all_that_the_figures_are() {
    let (world, stage) = ran(3);
    let mut kept: BTreeMap<StageId, StageFigures> = BTreeMap::new();
    for changes in &world.kept {
        kept.extend(changes.stages.iter().cloned());
    }
    assert_eq!(kept.get(&stage), world.state.stage_figures(stage));
    let runs = world.kept.iter().flat_map(|kept| &kept.runs);
    let runs: Vec<(u64, bool)> = runs.map(|run| (run.number, run.ended.is_some())).collect();
    let twice = |n| [(n, false), (n, true)];
    assert_eq!(runs, [twice(1), twice(2), twice(3)].concat());
}

#[test]
fn the_events_of_runs_and_of_what_came_back_replay_to_the_same_state() {
    let (mut world, stage) = screen(mixed(1));
    let mut again = world.state.clone();
    let recorded = world.events.len();
    let before = FiguresBefore {
        last_run: 16,
        stages: vec![(stage, StageFigures::default())],
    };
    world.send(Event::FiguresBefore(Box::new(before)));
    world.send(results([kept(stage, 2, "next", 1, 0)], true));
    run_on_screen(&mut world, 1..=7);
    world.send(Event::Tick(Millis(9_000)));
    world.send(Event::Input(Command::Quit));
    for event in &world.events[recorded..] {
        again.update(event.clone());
    }
    assert_eq!(again, world.state);
    assert_eq!(world.state.run.as_ref().unwrap().id, 17);
}

fn kept(stage: StageId, task: u128, text: &str, at: i64, updated: i64) -> KeptResult {
    KeptResult {
        run: 16,
        stage,
        task: row(task).id,
        title: "t".into(),
        updated: Millis(updated),
        last: LastResult {
            build: BuildId(0),
            text: text.into(),
            failed: false,
            pathway: None,
            group: None,
            labels: (2, 1, 0),
            ms: 310.0,
            at: Millis(at),
        },
        outcome: None,
    }
}

fn results<const N: usize>(results: [KeptResult; N], all: bool) -> Event {
    let results = results.to_vec();
    Event::ResultsBefore { results, all }
}

/// A new screen on which the first stage has been listed already, or has not.
fn next_screen(listed: bool) -> (World, StageId) {
    let mut world = World::new(12, 0, mixed(1));
    world.state.options.screen = true;
    world.state.live = false;
    let stage = stage_id(1);
    // Its agent saw it before somebody changed it.
    world.stages.get_mut(&stage).unwrap()[3].updated = Millis(500);
    if listed {
        world.send(Event::Input(Command::OpenStage(stage)));
    }
    (world, stage)
}

#[test]
fn results_come_back_for_tasks_that_are_there_and_unchanged() {
    for listed in [false, true] {
        let (mut world, stage) = next_screen(listed);
        let first = [
            kept(stage, 2, "older", 10, 0),
            kept(stage, 4, "next", 20, 0),
        ];
        world.send(results(first, false));
        assert!(
            world.state.results.is_empty(),
            "the newest may be still to come"
        );
        let rest = [
            kept(stage, 2, "newer", 30, 0),
            kept(stage, 99, "left", 30, 0),
        ];
        world.send(results(rest, true));
        if !listed {
            world.send(Event::Input(Command::OpenStage(stage)));
        }
        let back = world.state.results.iter();
        let back: Vec<_> = back
            .map(|(task, last)| (*task, last.text.as_str()))
            .collect();
        assert_eq!(back, [(row(2).id, "newer")], "listed first: {listed}");
    }
}

#[test]
fn results_of_this_process_are_not_replaced_by_earlier_ones() {
    let (mut world, stage) = next_screen(true);
    world.send(Event::Tick(Millis(1_000)));
    world.agent = Box::new(|_| go("away"));
    let task = row(2).id;
    world.send(Event::Input(Command::Open { stage, task }));
    world.send(Event::Input(Command::Step(Until::End)));
    world.send(results([kept(stage, 2, "older", 10, 0)], true));
    assert_eq!(world.state.results[&task].text, "away");
    let stepped = world.kept.iter().flat_map(|kept| &kept.results);
    let stepped: Vec<_> = stepped.map(|kept| (kept.run, kept.task)).collect();
    assert_eq!(stepped, [(0, task)], "a step belongs to no run");
}

#[test]
fn a_filter_on_results_sees_those_that_come_back_late() {
    let (mut world, stage) = next_screen(true);
    let text = "result:next".to_owned();
    world.send(Event::Input(Command::Filter { stage, text }));
    assert!(world.state.queues[&stage].view.is_empty());
    world.send(results([kept(stage, 3, "next", 10, 0)], true));
    assert_eq!(world.state.queues[&stage].view.len(), 1);
}

#[test]
fn the_run_under_way_has_a_speed_a_time_left_and_jobs_in_flight() {
    let (mut world, stage) = screen(Box::new(|_| go("away")));
    assert_eq!(world.state.stage_speed(stage), None);
    world.hold = true;
    let spec = RunSpec {
        source: Source::Tasks(stage, (1..=12).map(row).collect()),
        concurrency: 2,
        ..RunSpec::default()
    };
    world.send(Event::Input(Command::Run(Box::new(spec))));
    assert_eq!(world.state.in_flight(stage), 2);
    assert_eq!(world.state.left_at(stage), Some(12));
    assert_eq!(world.state.stage_time_left(stage), None, "no speed yet");
    world.send(Event::Tick(Millis(world.state.now.0 + 2_000)));
    for _ in 0..4 {
        let launch = world.running.pop_front().unwrap();
        let done = world.job(&launch);
        world.send(done);
    }
    // Four tasks in two seconds; eight are left.
    assert_eq!(world.state.stage_speed(stage), Some(2.0));
    assert_eq!(world.state.left_at(stage), Some(8));
    assert_eq!(world.state.stage_time_left(stage), Some(4_000.0));
    assert_eq!(world.state.in_flight(stage_id(2)), 0);
    world.hold = false;
    world.send(Event::Tick(world.state.now));
    assert_eq!(
        (world.state.stage_speed(stage), world.state.in_flight(stage)),
        (None, 0)
    );
}

#[test]
fn the_last_commit_has_its_number_and_what_stands_of_it() {
    let (mut world, stage) = screen(Box::new(|_| go("away")));
    run_on_screen(&mut world, 1..=5);
    let tasks: Vec<TaskId> = world.state.held.keys().copied().take(4).collect();
    world.send(Event::Input(Command::Commit(tasks)));
    let operation = *world.closed.last().unwrap();
    let commit = |world: &World| {
        let figures = world.state.stage_figures(stage).unwrap();
        figures.last_commit.clone().unwrap()
    };
    assert_eq!((commit(&world).tasks, commit(&world).number), (4, None));
    let number = 15;
    world.send(Event::Journal(JournalEvent::Closed { operation, number }));
    assert_eq!(commit(&world).number, Some(15));
    let standing = |world: &World| world.state.commit_standing(&commit(world));
    assert_eq!(standing(&world), CommitStanding::Undoable);
    for (undone, expected) in [
        (0, CommitStanding::Undoable),
        (1, CommitStanding::Partly),
        (4, CommitStanding::TakenBack),
    ] {
        let op = Op {
            id: 15,
            here: true,
            done: 4,
            undone,
            ..Op::default()
        };
        world.send(Event::Journal(JournalEvent::Ops(Ok(vec![op]))));
        assert_eq!(standing(&world), expected);
    }
    world.send(Event::Journal(JournalEvent::Ops(Ok(vec![]))));
    assert_eq!(standing(&world), CommitStanding::Pruned);
}
