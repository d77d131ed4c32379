//! Builds that are replaced, taken over, refused or deleted while something uses them.

use crate::world::*;
use agent_abi::table::flags;
use std::cell::Cell;
use std::rc::Rc;
use wb_core::command::Command;
use wb_core::error::{Error, ErrorKind};
use wb_core::event::{BuildEvent, Effect, Event};
use wb_core::ids::*;
use wb_core::run::{Ending, RunSpec};
use wb_core::step::Until;

const BOTH: [&str; 2] = ["first", "second"];

fn removed() -> Event {
    Event::Build(BuildEvent::Removed("a.so".into()))
}

fn refused() -> Event {
    Event::Build(BuildEvent::Rejected {
        library: "a.so".into(),
        hash: "x".into(),
        reason: "cut off".into(),
        hints: vec![],
    })
}

/// Tasks go through both stages; every fourth attempt fails and may be repeated.
fn through_both_stages(tasks: u128) -> World {
    let mut n = 0;
    let agent = move |l: &wb_core::event::Launch| {
        n += 1;
        if n % 4 == 0 {
            let again = Error::new(ErrorKind::Agent, "not yet").retryable();
            return (Err(again), false);
        }
        go(if l.stage == stage_id(1) {
            "next"
        } else {
            "done"
        })
    };
    World::new(tasks, 0, Box::new(agent))
}

fn all_went_through(world: &World, tasks: usize) {
    assert_eq!((world.at(1), world.at(2), world.at(3)), (0, 0, tasks));
    assert!(world.reports.iter().all(|r| r.ending == Ending::Moved));
    assert_eq!(world.reports.len(), 2 * tasks);
}

#[test]
fn a_run_stays_on_the_builds_it_began_with_and_lets_go_of_them_at_its_end() {
    let news: [fn(usize) -> Vec<Event>; 5] = [
        |_| vec![probed("a.so", &BOTH, 0)],
        |n| if n == 7 { vec![removed()] } else { vec![] },
        |n| match n {
            3 => vec![removed()],
            5 => vec![probed("b.so", &BOTH, 0)],
            _ => vec![refused()],
        },
        |_| vec![probed("b.so", &BOTH, flags::OVERWRITE)],
        |n| vec![probed("a.so", &["first"], 0), refused()].split_off(n % 2),
    ];
    for (kind, news) in news.into_iter().enumerate() {
        for concurrency in [1, 3] {
            let mut world = through_both_stages(40);
            world.at_launch = Box::new(news);
            world.run(RunSpec {
                concurrency,
                ..commit()
            });
            all_went_through(&world, 40);
            let first = |l: &wb_core::event::Launch| l.build == BuildId(1);
            assert!(world.launches.iter().all(first), "{kind}");
            assert!(world.launches.iter().any(|l| l.attempt > 1));
            let active = world
                .state
                .builds
                .all
                .iter()
                .filter(|b| b.status == wb_core::build::BuildStatus::Active);
            let active: Vec<BuildId> = active.map(|b| b.id).collect();
            assert!(
                world.loaded.iter().eq(&active),
                "{kind}: {:?}",
                world.loaded
            );
        }
    }
}

#[test]
fn the_next_run_has_the_newest_build() {
    let mut world = through_both_stages(10);
    world.at_launch = Box::new(|n| match n {
        5 | 9 => vec![probed("a.so", &BOTH, 0)],
        _ => vec![],
    });
    world.run(commit());
    all_went_through(&world, 10);
    world.over = false;
    world
        .stages
        .insert(stage_id(1), (20..30).map(row).collect());
    let before = world.launches.len();
    world.run(commit());
    let newest = |l: &wb_core::event::Launch| l.build == BuildId(3);
    assert!(world.launches[before..].iter().all(newest));
    assert_eq!(world.loaded, [BuildId(3)].into());
}

#[test]
fn what_an_agent_declares_is_fetched_for_the_build_that_runs() {
    let mut world = through_both_stages(30);
    world.hold = true;
    let twin = serde_json::json!({"project": "x"});
    let mut other = content("a.so", &BOTH, 0);
    other.descriptor.agents[0].spec.twins.push(twin);
    world.send(Event::Input(Command::Run(Box::new(commit()))));
    let effects = world
        .state
        .update(Event::Build(BuildEvent::Probed(Box::new(other))));
    assert!(activates(&effects, 2));
    let launch = world.running.pop_front().unwrap();
    let event = world.job(&launch);
    let effects = world.state.update(event);
    let fetches = effects.iter().filter_map(|e| match e {
        Effect::Fetch { fetch, .. } => Some(fetch.twins.len()),
        _ => None,
    });
    assert!(fetches.sum::<usize>() == 0, "{effects:?}");
}

fn screen(tasks: u128) -> World {
    let mut world = World::new(tasks, 0, Box::new(|_| go("next")));
    world.state.options.screen = true;
    world.state.live = false;
    world.send(Event::Input(Command::OpenStage(stage_id(1))));
    world
}

#[test]
fn a_stepped_task_keeps_its_build_until_its_agent_is_done_and_reruns_on_the_newest() {
    let mut world = screen(3);
    world.hold = true;
    world.send(Event::Input(Command::Open {
        stage: stage_id(1),
        task: row(1).id,
    }));
    world.send(Event::Input(Command::Step(Until::Next)));
    let launch = world.running.pop_front().unwrap();
    for _ in 0..3 {
        world.send(probed("a.so", &BOTH, 0));
    }
    assert_eq!(world.loaded, [1, 4].map(BuildId).into());
    let done = world.job(&launch);
    world.send(done);
    assert_eq!(world.loaded, [BuildId(4)].into());
    world.send(Event::Input(Command::Rerun));
    assert_eq!(world.running.pop_front().unwrap().build, BuildId(4));
}

#[test]
fn a_task_that_is_left_lets_go_of_its_build_after_its_job_is_killed() {
    let mut world = screen(3);
    world.hold = true;
    world.send(Event::Input(Command::Open {
        stage: stage_id(1),
        task: row(1).id,
    }));
    world.send(Event::Input(Command::Step(Until::Next)));
    let job = world.running.pop_front().unwrap().job;
    world.send(probed("a.so", &BOTH, 0));
    let effects = world.state.update(Event::Input(Command::Discard));
    assert_eq!(effects, [Effect::Kill(job), Effect::Retire(BuildId(1))]);
}

#[test]
fn watched_tasks_step_and_run_go_on_beside_each_other_while_builds_come() {
    let mut world = screen(30);
    let builds = Rc::new(Cell::new(0));
    let count = builds.clone();
    world.at_launch = Box::new(move |n| {
        // Each build runs the watched tasks again: not at every launch, or it would never end.
        let comes = n % 5 == 0 && count.get() < 20;
        count.set(count.get() + usize::from(comes));
        if comes {
            vec![probed("a.so", &BOTH, 0)]
        } else {
            vec![]
        }
    });
    world.send(Event::Input(Command::Watch {
        stage: stage_id(1),
        rows: (1..=3).map(row).collect(),
        on: true,
    }));
    world.send(Event::Input(Command::Run(Box::new(commit()))));
    world.send(Event::Input(Command::Open {
        stage: stage_id(1),
        task: row(9).id,
    }));
    world.send(Event::Input(Command::Step(Until::End)));
    assert!(builds.get() > 8, "{}", builds.get());
    assert!(world.state.run.as_ref().unwrap().is_over());
    assert_eq!(world.state.held.len(), 30);
    let newest = world.state.builds.newest().unwrap().id;
    assert_eq!(world.loaded, [newest].into());
    let looked = |t: &wb_core::watch::Watched| t.now.as_ref().unwrap().build;
    assert!(world.state.watch.iter().all(|t| looked(t) == newest));
}

#[test]
fn a_build_is_kept_until_its_preflight_has_answered() {
    let mut world = screen(1);
    let mut asks = content("a.so", &BOTH, 0);
    asks.descriptor.preflight = true;
    let asks = || Event::Build(BuildEvent::Probed(Box::new(asks.clone())));
    world.send(asks());
    world.send(asks());
    assert_eq!(world.loaded, [2, 3].map(BuildId).into());
    for build in [2, 3].map(BuildId) {
        let result = Ok(());
        world.send(Event::Preflight { build, result });
    }
    assert_eq!(world.loaded, [BuildId(3)].into());
}

#[test]
fn a_build_that_asks_for_more_is_given_it_when_a_stepped_task_runs_again() {
    let mut world = screen(3);
    world.send(Event::Input(Command::Open {
        stage: stage_id(1),
        task: row(1).id,
    }));
    world.send(Event::Input(Command::Step(Until::End)));
    let fetches = |world: &World| {
        let fetched = |e: &&Event| matches!(e, Event::Prefetch { .. });
        world.events.iter().filter(fetched).count()
    };
    assert_eq!((fetches(&world), world.launches.len()), (1, 1));
    world.send(probed("a.so", &BOTH, 0));
    world.send(Event::Input(Command::Rerun));
    assert_eq!((fetches(&world), world.launches.len()), (1, 2));
    let mut more = content("a.so", &BOTH, 0);
    more.descriptor.agents[0].needs = 4;
    world.send(Event::Build(BuildEvent::Probed(Box::new(more))));
    world.send(Event::Input(Command::Rerun));
    assert_eq!((fetches(&world), world.launches.len()), (2, 3));
    assert_eq!(world.launches[2].build, BuildId(3));
}

#[test]
fn keys_that_nothing_reads_are_reported_once_for_a_stage_whatever_the_build() {
    let mut world = World::new(5, 0, Box::new(|_| (Ok(Some("away")), false)));
    world.unread = vec!["\"prioriti\" (did you mean \"priority\"?)".to_owned()];
    let lines = |world: &World| {
        let lines = world.state.activity.iter();
        let lines = lines.filter(|line| line.text.contains("nothing reads"));
        lines.map(|line| line.text.clone()).collect::<Vec<_>>()
    };
    world.run(RunSpec::default());
    let line = "answers of build #1 at stage \"first\" have keys that nothing reads: \
        \"prioriti\" (did you mean \"priority\"?)";
    assert_eq!(
        (world.reports.len(), lines(&world)),
        (5, vec![line.to_owned()])
    );
    world.send(probed("a.so", &BOTH, 0));
    world.stages.insert(stage_id(1), vec![row(9)]);
    world.run(RunSpec::default());
    assert_eq!((world.reports.len(), lines(&world).len()), (6, 1));
}

#[test]
fn a_build_repeats_no_remark_of_the_build_before_it() {
    let mut world = World::new(0, 0, Box::new(|_| go("away")));
    let notes = |world: &World| {
        let lines = world.state.activity.iter().map(|line| line.text.as_str());
        let lines = lines.filter(|line| line.contains("Nowhere") || line.contains("Elsewhere"));
        lines.map(str::to_owned).collect::<Vec<_>>()
    };
    let with = |stage: &'static str| probed("a.so", &["first", stage], 0);
    world.send(with("Nowhere"));
    assert_eq!(notes(&world).len(), 1, "{:?}", notes(&world));
    world.send(with("Nowhere"));
    assert_eq!(notes(&world).len(), 1, "{:?}", notes(&world));
    world.send(with("Elsewhere"));
    assert_eq!(notes(&world).len(), 2, "{:?}", notes(&world));
}
