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

/// A world where two jobs run at a time, both begun, with more that wait.
fn two_at_a_time() -> (World, Vec<HostId>) {
    let mut world = World::quick(2);
    for _ in 0..6 {
        world.run_with(1, Priority::Bulk, |r| r.pauses = true);
    }
    world.settle();
    let hosts = world.with_work();
    assert_eq!(hosts.len(), 2);
    for host in &hosts {
        world.begin(*host);
    }
    (world, hosts)
}

fn job_of(world: &mut World, host: HostId) -> u64 {
    world.host(host).job
}

#[test]
fn a_job_that_waits_for_a_person_has_another_one_run_in_its_place() {
    let (mut world, hosts) = two_at_a_time();
    let job = job_of(&mut world, hosts[0]);
    paused(&mut world, hosts[0], job, 1);
    world.settle();
    assert_eq!(world.with_work().len(), 3, "two beside the one that waits");
    let news = News::GoOn {
        job: JobId(job),
        edited: None,
    };
    world.on(news);
    world.finish_all();
    assert_eq!(world.ended.len(), 8);
    world.settle();
    let used = world.pool.hosts.values();
    let used = used.filter(|host| host.build().is_some()).count();
    assert_eq!(used, 2, "the host that is too many has left");
}

#[test]
fn as_many_jobs_wait_beside_the_others_as_run_at_a_time_and_the_rest_keep_their_turn() {
    let (mut world, _) = two_at_a_time();
    for call in 1..=6 {
        let next = world.with_work().into_iter().find(|id| {
            let host = &world.pool.hosts[id];
            !host.waits_for_person()
        });
        let Some(host) = next else { break };
        if world.host(host).running.is_none() {
            world.begin(host);
        }
        let job = job_of(&mut world, host);
        paused(&mut world, host, job, call);
        world.settle();
    }
    let waiting = world.pool.hosts.values().filter(|h| h.waits_for_person());
    assert_eq!((waiting.count(), world.with_work().len()), (4, 4));
}

#[test]
fn nothing_is_queued_behind_a_job_that_waits_for_a_person() {
    let mut world = World::quick(1);
    let first = world.run_with(1, Priority::Bulk, |r| r.pauses = true);
    let host = world.only_host();
    world.begin(host);
    world.run(1);
    assert_eq!(world.pool.hosts[&host].queue.len(), 1, "sent ahead");
    paused(&mut world, host, first, 1);
    world.settle();
    assert_eq!(world.pool.hosts[&host].queue.len(), 0);
    let other = world.with_work().into_iter().find(|id| *id != host);
    let other = other.expect("it runs in another host");
    world.begin(other);
    world.finish(other, QUICK);
    world.wait(Duration::from_secs(60));
    assert!(
        !world.pool.builds.values().any(|build| build.slow),
        "a person is not a slow agent"
    );
}
