//! Work that a person holds: its limits stand still, and what is held is not its time.

use super::*;
use wb_core::pause::{PausePlace, PlaceKind};

fn paused(world: &mut World, host: HostId, job: u64, call: u64) {
    let at = PausePlace {
        kind: PlaceKind::Checkpoint,
        name: "detections".to_owned(),
        value: "[]".into(),
        editable: true,
    };
    world.on_host(host, HostNews::Paused { job, call, at });
}

/// A job with a limit of a second that has begun.
fn begun(world: &mut World) -> (u64, HostId) {
    let limit = Duration::from_secs(1);
    let job = world.run_with(1, Priority::Person, |r| {
        (r.deadline, r.pauses) = (Some(limit), true);
    });
    let host = world.only_host();
    world.begin(host);
    (job, host)
}

#[test]
fn the_limit_stands_still_while_a_job_is_held_and_goes_on_after_it() {
    let mut world = World::quick(1);
    let (job, host) = begun(&mut world);
    world.wait(Duration::from_millis(600));
    paused(&mut world, host, job, 5);
    world.wait(Duration::from_secs(3600));
    assert!(!world.host(host).status.stopping);
    let edited: Option<Arc<str>> = Some("[1]".into());
    let go_on = |edited| News::GoOn {
        job: JobId(job),
        edited,
    };
    world.on(go_on(edited.clone()));
    world.on(go_on(None)); // once is enough
    assert_eq!(world.gone_on, [(5, edited)]);
    world.wait(Duration::from_millis(399));
    assert!(!world.host(host).status.stopping);
    world.wait(Duration::from_millis(1));
    assert!(world.host(host).status.stopping);
}

#[test]
fn what_is_held_is_not_part_of_the_time() {
    let mut world = World::quick(1);
    let (job, host) = begun(&mut world);
    paused(&mut world, host, job, 1);
    world.wait(Duration::from_secs(60));
    let edited = None;
    let job_id = JobId(job);
    world.on(News::GoOn {
        job: job_id,
        edited,
    });
    world.finish(host, 60_400_000_000);
    assert_eq!(world.ran[&job], Duration::from_millis(400));
}

#[test]
fn a_job_that_is_held_while_it_loads_keeps_both_limits() {
    let mut world = World::quick(1);
    let (job, host) = begun(&mut world);
    let name = Some("model".to_owned());
    world.on_host(host, HostNews::Loading { job, name });
    let limit = world.pool.config.load_timeout;
    paused(&mut world, host, job, 1);
    world.wait(limit * 3);
    world.on(News::GoOn {
        job: JobId(job),
        edited: None,
    });
    world.wait(limit / 2);
    assert!(!world.host(host).killed);
    world.on_host(host, HostNews::Loading { job, name: None });
    world.wait(Duration::from_millis(999));
    assert!(!world.host(host).status.stopping);
    world.wait(Duration::from_millis(1));
    assert!(world.host(host).status.stopping);
}

#[test]
fn a_debugger_stops_the_clock_without_a_place() {
    let mut world = World::quick(1);
    let (job, host) = begun(&mut world);
    let attach = |on| News::Attach {
        job: JobId(job),
        on,
    };
    world.on(attach(true));
    world.wait(Duration::from_secs(60));
    assert!(!world.host(host).status.stopping);
    world.on(attach(false));
    world.wait(Duration::from_secs(1));
    assert!(world.host(host).status.stopping);
}

#[test]
fn a_place_that_nobody_asked_for_is_what_no_host_sends() {
    let mut world = World::quick(1);
    let job = world.run(1);
    let host = world.only_host();
    world.begin(host);
    paused(&mut world, host, job, 1);
    assert!(world.host(host).status.cut_off);
    let (job, host) = {
        let mut other = World::quick(1);
        let (job, host) = begun(&mut other);
        paused(&mut other, host, job, 1);
        paused(&mut other, host, job, 2);
        world = other;
        (job, host)
    };
    assert!(world.host(host).status.cut_off, "job {job} waits already");
}
