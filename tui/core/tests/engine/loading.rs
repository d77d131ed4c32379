//! What jobs load: shown, and no part of anybody's time.

use crate::world::*;
use wb_core::command::Command;
use wb_core::event::{Event, JobEvent};
use wb_core::ids::Millis;
use wb_core::run::RunSpec;

#[test]
fn what_all_jobs_load_is_shown_and_counts_neither_as_their_time_nor_in_the_rate() {
    let mut world = World::new(4, 0, Box::new(|_| go("away")));
    world.hold = true;
    world.send(Event::Input(Command::Run(Box::new(RunSpec {
        concurrency: 2,
        ..commit()
    }))));
    let tick = |s: i64| Event::Tick(Millis(s * 1000));
    let started = |job| Event::Job(JobEvent::Started { job, pid: 7 });
    let loading = |job, name: Option<&str>| {
        let name = name.map(str::to_owned);
        Event::Job(JobEvent::Loading { job, name })
    };
    let [first, second] = [0, 1].map(|n| world.launches[n].job);
    world.send(tick(1));
    world.send(started(first));
    world.send(started(second));
    world.send(loading(first, Some("model")));
    let run = |world: &World| world.state.run.clone().unwrap();
    assert_eq!(run(&world).loading(), None, "the other one works");
    world.send(tick(3));
    world.send(loading(second, Some("model")));
    world.send(tick(44));
    let words = run(&world).loading().unwrap().words(Millis(44_000));
    assert_eq!(words.as_deref(), Some("loading model · 43 s"));
    let task = world.launches[1].inputs.row.id;
    let words = world.state.loading_of(task).unwrap().words(Millis(44_000));
    assert_eq!(words.as_deref(), Some("loading model · 41 s"));
    world.send(loading(second, None));
    world.send(tick(45));
    let ran = run(&world);
    let workers: Vec<u64> = ran.workers(Millis(45_000)).iter().map(|w| w.ms).collect();
    assert_eq!(workers, [44_000, 3_000], "the first one still loads");
    assert_eq!(world.state.loading_of(task), None);

    world.hold = false;
    let launch = world.running.remove(1).unwrap();
    let done = world.job(&launch);
    world.hold = true;
    world.send(done);
    // 45 seconds have passed, in 41 of which nothing could be done.
    assert!((run(&world).rate(Millis(45_000)) - 0.25).abs() < 1e-9);
}
