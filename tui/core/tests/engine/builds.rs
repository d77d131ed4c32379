//! Builds that are replaced, taken over, refused or deleted while something uses them, and the order of
//! several libraries.

use crate::world::*;
use agent_abi::table::flags;
use std::cell::Cell;
use std::rc::Rc;
use wb_core::command::Command;
use wb_core::event::{BuildEvent, Effect, Event, Upstream};
use wb_core::fault::{Fault, FaultKind};
use wb_core::ids::*;
use wb_core::run::Ending;
use wb_core::state::{Options, State};

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
            let again = Fault::new(FaultKind::Agent, "not yet").retryable();
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
            world.run(wb_core::run::RunSpec {
                concurrency,
                ..commit()
            });
            all_went_through(&world, 40);
            let first = |l: &wb_core::event::Launch| l.build == BuildId(1);
            assert!(world.launches.iter().all(first), "{kind}");
            assert!(world.launches.iter().any(|l| l.attempt > 1));
            let in_charge = world
                .state
                .builds
                .all
                .iter()
                .filter(|b| b.status == wb_core::build::BuildStatus::Active);
            let in_charge: Vec<BuildId> = in_charge.map(|b| b.id).collect();
            assert!(
                world.loaded.iter().eq(&in_charge),
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
    assert!(effects.contains(&Effect::Activate(BuildId(2))));
    let launch = world.running.pop_front().unwrap();
    let event = world.job(&launch);
    let effects = world.state.update(event);
    let fetches = effects.iter().filter_map(|e| match e {
        Effect::Fetch { wants, .. } => Some(wants.twins.len()),
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
    world.send(Event::Input(Command::Step));
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
    world.send(Event::Input(Command::Step));
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
    world.send(Event::Input(Command::ToEnd));
    assert!(builds.get() > 8, "{}", builds.get());
    assert!(world.state.run.as_ref().unwrap().is_over());
    assert_eq!(world.state.held.len(), 30);
    let newest = world.state.builds.newest().unwrap().id;
    assert_eq!(world.loaded, [newest].into());
    let looked = |t: &wb_core::watch::Watched| t.now.as_ref().unwrap().build;
    assert!(world.state.watch.tasks.iter().all(|t| looked(t) == newest));
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

/// Owners of the two stages, their order, and how many libraries are refused.
type Picture = (Vec<(StageId, String)>, usize);

fn picture(state: &State) -> Picture {
    let owner = |stage: StageId| {
        let (build, _) = state.builds.agent(stage).unwrap();
        (stage, build.probed.library.display().to_string())
    };
    let order = state.builds.order();
    (order.into_iter().map(owner).collect(), state.refused.len())
}

/// The same libraries, opened in every order; the project comes first, last or in between.
fn however_they_open(roots: &[&str], libraries: &[wb_core::build::Probed]) -> Picture {
    let mut pictures: Vec<Picture> = Vec::new();
    let mut orders: Vec<Vec<usize>> = vec![vec![]];
    for n in 0..libraries.len() {
        let longer = orders.iter().flat_map(|order| {
            (0..=n).map(|at| {
                let mut order = order.clone();
                order.insert(at, n);
                order
            })
        });
        orders = longer.collect();
    }
    for order in orders {
        for project_at in 0..=libraries.len() {
            let options = Options {
                libraries: roots.iter().map(Into::into).collect(),
                awaited: libraries.iter().map(|l| l.library.clone()).collect(),
                ..Options::default()
            };
            let (mut state, _) = State::start(options, Millis(0));
            for (n, at) in order.iter().enumerate() {
                if n == project_at {
                    state.update(Event::Upstream(Upstream::Project(project())));
                }
                let probed = Box::new(libraries[*at].clone());
                state.update(Event::Build(BuildEvent::Probed(probed)));
            }
            if project_at == libraries.len() {
                state.update(Event::Upstream(Upstream::Project(project())));
            }
            pictures.push(picture(&state));
        }
    }
    let first = pictures.pop().unwrap();
    assert!(
        pictures.iter().all(|p| *p == first),
        "{first:?} {pictures:?}"
    );
    first
}

fn owners(of: [(u128, &str); 2]) -> Vec<(StageId, String)> {
    of.map(|(stage, library)| (stage_id(stage), library.to_owned()))
        .into()
}

#[test]
fn stages_go_in_the_order_of_the_libraries_whichever_opens_first() {
    let (a, b) = (
        content("/x/a.so", &["second"], 0),
        content("/x/b.so", &["first"], 0),
    );
    let both = [a.clone(), b.clone()];
    let in_folder = however_they_open(&["/x"], &both);
    assert_eq!(in_folder, (owners([(2, "/x/a.so"), (1, "/x/b.so")]), 0));
    let named = however_they_open(&["/x/b.so", "/x/a.so"], &both);
    assert_eq!(named, (owners([(1, "/x/b.so"), (2, "/x/a.so")]), 0));
}

#[test]
fn of_libraries_for_the_same_stage_the_one_named_first_has_it_whichever_opens_first() {
    let libraries = [
        content("/x/a.so", &["first"], 0),
        content("/x/b.so", &["first", "second"], 0),
        content("/x/c.so", &["second"], 0),
    ];
    let found = however_they_open(&["/x"], &libraries);
    assert_eq!(found, (owners([(1, "/x/a.so"), (2, "/x/c.so")]), 1));
    let found = however_they_open(&["/x/b.so", "/x"], &libraries);
    assert_eq!(found, (owners([(1, "/x/b.so"), (2, "/x/b.so")]), 2));
}

#[test]
fn of_libraries_that_take_a_stage_over_the_last_has_it_whichever_opens_first() {
    let over = flags::OVERWRITE;
    let libraries = [
        content("/x/a.so", &["first", "second"], 0),
        content("/x/b.so", &["first"], over),
        content("/x/c.so", &["second", "first"], over),
        content("/x/d.so", &["second"], 0),
    ];
    let found = however_they_open(&["/x"], &libraries);
    assert_eq!(found, (owners([(1, "/x/c.so"), (2, "/x/c.so")]), 0));
    let found = however_they_open(&["/x/c.so", "/x/b.so", "/x/a.so", "/x"], &libraries);
    assert_eq!(found, (owners([(2, "/x/c.so"), (1, "/x/b.so")]), 0));
}

#[test]
fn a_library_that_does_not_open_keeps_the_others_waiting_for_a_while_only() {
    let options = Options {
        libraries: vec!["/x".into()],
        awaited: vec!["/x/a.so".into(), "/x/b.so".into()],
        screen: true,
        ..Options::default()
    };
    let (mut state, _) = State::start(options, Millis(0));
    state.update(Event::Upstream(Upstream::Project(project())));
    assert_eq!(state.update(probed("/x/b.so", &BOTH, 0)), []);
    let newer = state.update(probed("/x/b.so", &BOTH, 0));
    assert!(matches!(&newer[..], [Effect::Discard(_)]), "{newer:?}");
    assert!(state.builds.order().is_empty());
    let effects = state.update(Event::Tick(Millis(60_000)));
    assert!(
        effects.contains(&Effect::Activate(BuildId(1))),
        "{effects:?}"
    );
    // What is in charge by now stays in charge.
    state.update(probed("/x/a.so", &BOTH, 0));
    assert_eq!(
        picture(&state),
        (owners([(1, "/x/b.so"), (2, "/x/b.so")]), 1)
    );
}

#[test]
fn libraries_that_were_refused_take_a_free_stage_in_their_order() {
    let libraries = ["/x/a.so", "/x/b.so", "/x/c.so"].map(|l| content(l, &["first"], 0));
    let options = Options {
        libraries: vec!["/x".into()],
        ..Options::default()
    };
    let (mut state, _) = State::start(options, Millis(0));
    state.update(Event::Upstream(Upstream::Project(project())));
    let open = |state: &mut State, n: usize| {
        let probed = Box::new(libraries[n].clone());
        state.update(Event::Build(BuildEvent::Probed(probed)))
    };
    (0..3).for_each(|n| drop(open(&mut state, n)));
    let gone = Event::Build(BuildEvent::Removed("/x/a.so".into()));
    assert_eq!(
        state.update(gone).len(),
        3,
        "two to look at again, one to let go"
    );
    assert_eq!(open(&mut state, 2), []);
    open(&mut state, 1);
    let (build, _) = state.builds.agent(stage_id(1)).unwrap();
    assert_eq!(build.probed.library, std::path::Path::new("/x/b.so"));
}
