//! Runs without a screen: the one of this screen that goes on as one, and those of the folder.

use super::Desk;
use super::keys::{desk, ran};
use crate::fixture::{PRELABEL, World, outcome, stage};
use std::collections::BTreeSet;
use uuid::Uuid;
use wb_core::background::{BackgroundRun, BackgroundState};
use wb_core::command::Command;
use wb_core::error::{Error, ErrorKind};
use wb_core::event::{Effect, Event, JobEvent, Upstream};
use wb_core::ids::{JobId, Millis, ProjectHash, TaskId};
use wb_core::run::{RunRest, RunSpec, Source};

fn elsewhere(state: BackgroundState, done: u64) -> BackgroundRun {
    BackgroundRun {
        run: 18,
        project: ProjectHash(Uuid::from_u128(1)),
        background: true,
        holds: true,
        stage_uuids: vec![stage(PRELABEL)],
        stage: "pre-label".to_owned(),
        began: Millis(0),
        noted: Millis(0),
        ended: None,
        done,
        all: Some(10_000),
        failed: 12,
        rate: 31.4,
        pid: 4711,
        state,
        exit_code: None,
        summary: None,
    }
}

/// A screen with a run under way: the first batch is fetched, and two agents work.
fn at_work(spec: RunSpec) -> World {
    let mut world = World::demo();
    world.state.options.screen = true;
    world.command(Command::Run(Box::new(spec)));
    // The first answer may be a page, the next ones the inputs of a batch.
    while launched(&world).is_empty() {
        let page = world
            .asked
            .iter()
            .position(|e| matches!(e, Effect::Page { .. }));
        match page.map(|at| world.asked.remove(at)) {
            Some(Effect::Page { list, stage, .. }) => {
                let rows = world.state.queues[&stage].rows.clone();
                let next = None;
                let page = Upstream::Page {
                    list,
                    stage,
                    rows,
                    next,
                };
                world.send(Event::Upstream(page));
            }
            _ => world.fetched(),
        }
    }
    world
}

fn spec(source: Source) -> RunSpec {
    RunSpec {
        source,
        batch_size: 5,
        concurrency: 2,
        ..RunSpec::default()
    }
}

fn launched(world: &World) -> Vec<(JobId, TaskId)> {
    let mut jobs = Vec::new();
    for effect in &world.asked {
        if let Effect::Launch(launch) = effect {
            jobs.push((launch.job, launch.inputs.row.id));
        }
    }
    jobs
}

fn done(world: &mut World, job: JobId) {
    world.send(Event::Job(JobEvent::Done {
        job,
        result: Ok(outcome("annotate")),
        crashed: false,
        run_us: 10,
    }));
}

fn rest(world: &World) -> Option<&RunRest> {
    world.asked.iter().find_map(|effect| match effect {
        Effect::GoOnInBackground(rest) => Some(&**rest),
        _ => None,
    })
}

#[test]
fn what_is_under_way_ends_here_and_the_rest_goes_on_elsewhere() {
    let mut world = at_work(spec(Source::Stages(vec![stage(PRELABEL)])));
    let jobs = launched(&world);
    assert_eq!(jobs.len(), 2);
    done(&mut world, jobs[0].0);
    world.command(Command::GoOnInBackground);
    assert!(rest(&world).is_none(), "an agent still works");
    let jobs = launched(&world);
    for (job, _) in &jobs[1..] {
        done(&mut world, *job);
    }
    assert_eq!(launched(&world), jobs, "nothing is begun");
    let rest = rest(&world).expect("the run is over here");
    assert_eq!(rest.before.tasks, jobs.len() as u64);
    assert_eq!(rest.spec.source, Source::Stages(vec![stage(PRELABEL)]));
    let out: BTreeSet<TaskId> = rest.spec.left_out.iter().copied().collect();
    assert_eq!(out, jobs.iter().map(|(_, task)| *task).collect());
    assert_eq!(rest.libraries.len(), 1);
    assert!(
        rest.words.contains(&"--dry-run".to_owned()),
        "{:?}",
        rest.words
    );
    assert!(
        !world.asked.contains(&Effect::Exit),
        "the process is to start first"
    );
}

#[test]
fn of_chosen_tasks_and_of_a_number_only_what_is_left_goes_on() {
    let rows = |world: &World| world.state.queues[&stage(PRELABEL)].rows[..8].to_vec();
    let chosen = rows(&World::demo());
    let mut world = at_work(spec(Source::Tasks(stage(PRELABEL), chosen.clone())));
    let first = launched(&world)[0];
    done(&mut world, first.0);
    world.command(Command::GoOnInBackground);
    for (job, _) in launched(&world) {
        done(&mut world, job);
    }
    let left = rest(&world).unwrap().spec.chosen.clone().unwrap();
    let ended = world.state.run.as_ref().unwrap().totals.tasks;
    assert_eq!(left.len() as u64 + ended, 8);
    assert!(!left.contains(&first.1) && chosen.iter().any(|row| left.contains(&row.id)));

    let some = RunSpec {
        max_tasks: Some(20),
        ..spec(Source::Stages(vec![stage(PRELABEL)]))
    };
    let mut world = at_work(some);
    let first = launched(&world)[0];
    done(&mut world, first.0);
    world.command(Command::GoOnInBackground);
    for (job, _) in launched(&world) {
        done(&mut world, job);
    }
    let ended = world.state.run.as_ref().unwrap().totals.tasks;
    let left = rest(&world).unwrap().spec.max_tasks;
    assert_eq!(left, Some(20 - usize::try_from(ended).unwrap()));
}

#[test]
fn agents_that_take_long_are_stopped_and_their_tasks_run_again_elsewhere() {
    let mut world = at_work(spec(Source::Stages(vec![stage(PRELABEL)])));
    let now = world.state.now;
    world.command(Command::GoOnInBackground);
    world.send(Event::Tick(Millis(now.0 + 1_000)));
    let stops = |world: &World| {
        let asked = world.asked.iter();
        asked.filter(|e| matches!(e, Effect::Cancel(_))).count()
    };
    assert_eq!(stops(&world), 0);
    world.send(Event::Tick(Millis(now.0 + 2_000)));
    assert_eq!(stops(&world), 2);
    for (job, _) in launched(&world) {
        world.send(Event::Job(JobEvent::Done {
            job,
            result: Err(Error::new(ErrorKind::Host, "stopped")),
            crashed: true,
            run_us: 10,
        }));
    }
    let rest = rest(&world).expect("nothing works here any more");
    assert!(rest.spec.left_out.is_empty(), "{:?}", rest.spec.left_out);
    assert_eq!(rest.before.tasks, 0);
}

#[test]
fn the_question_offers_it_where_it_is_possible() {
    let mut desk = Desk::new(
        at_work(spec(Source::Stages(vec![stage(PRELABEL)]))),
        120,
        36,
    );
    assert_eq!(desk.press("q"), []);
    assert!(desk.draw().contains("lets the run go on in the background"));
    assert_eq!(desk.press("g"), [Command::GoOnInBackground]);
    desk.world.state.options.no_background = Some("the server ends with this screen".into());
    assert_eq!(desk.press("q g"), []);
    let text = desk.draw();
    assert!(text.contains("cannot go on in the background"), "{text}");
    let mut over = ran();
    over.press("q");
    assert!(!over.draw().contains("in the background"));
    assert_eq!(over.press("g"), []);
}

#[test]
fn a_run_in_the_background_is_shown_keeps_its_tasks_and_is_stopped_by_name() {
    let mut desk = desk();
    desk.world.state.options.screen = true;
    let news = |run| Event::Background(vec![run]);
    desk.world
        .send(news(elsewhere(BackgroundState::Running, 4_120)));
    assert!(desk.draw().contains("run #18 41%"));
    desk.go("4");
    insta::assert_snapshot!(desk.draw());
    desk.world
        .command(Command::Run(Box::new(spec(Source::Stages(vec![])))));
    assert!(
        desk.world.state.run.is_none(),
        "its tasks are not run twice"
    );
    desk.go("C");
    assert!(desk.draw().contains("Stop run #18 in the background?"));
    assert_eq!(desk.press("y"), [Command::StopBackground(18)]);
    desk.world.command(Command::StopBackground(18));
    assert!(desk.world.asked.contains(&Effect::StopBackground(18)));
    assert!(desk.draw().contains("nothing is written until you commit"));
    let mut live = elsewhere(BackgroundState::Running, 4_125);
    live.holds = false;
    desk.world.send(news(live));
    assert!(desk.draw().contains("the run in the background writes"));
    let mut ended = elsewhere(BackgroundState::Stopped, 4_130);
    ended.summary = Some("4,130 tasks in 131 s".to_owned());
    desk.world.send(news(ended));
    assert!(desk.world.state.background.is_empty());
    assert_eq!(
        desk.world.state.not_started, None,
        "nothing is in the way any more"
    );
    let last = desk.world.state.activity.back().unwrap();
    assert_eq!(
        last.text,
        "run #18 in the background stopped: 4,130 tasks in 131 s"
    );
    desk.world
        .command(Command::Run(Box::new(spec(Source::Stages(vec![])))));
    assert!(desk.world.state.run.is_some());
}

#[test]
fn outcomes_that_a_run_elsewhere_holds_take_the_place_of_older_ones() {
    let held: Vec<_> = (ran().world.state.held.iter())
        .map(|(task, held)| (*task, held.clone()))
        .collect();
    let mut world = World::empty();
    world.send(Event::HeldElsewhere(held.clone()));
    assert!(world.state.held.is_empty(), "they wait for the project");
    let mut world = World::demo();
    world.state.options.screen = true;
    world.send(Event::HeldElsewhere(held.clone()));
    assert_eq!(world.state.held.len(), held.len());
    let (first, mut newer) = held[0].clone();
    newer.at = Millis(newer.at.0 + 1);
    world.asked.clear();
    world.send(Event::HeldElsewhere(vec![(first, newer.clone())]));
    assert_eq!(world.state.held[&first], newer);
    let kept = world.asked.iter().any(|e| matches!(e, Effect::KeepHeld(_)));
    assert!(!kept, "the store has them");
    assert_eq!(world.state.results[&first].at, newer.at);
}
