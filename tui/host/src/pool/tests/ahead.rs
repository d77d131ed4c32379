//! Queueing ahead, and recall from hosts that are slow, stopped or dead.

use super::*;

/// A quick host with active work and this many jobs queued behind it.
fn queued(jobs: usize) -> (World, HostId, Vec<u64>) {
    let mut world = World::quick(1);
    let jobs = world.run_all(1 + jobs);
    let host = world.only_host();
    assert_eq!(world.host(host).status.queued, jobs.len() - 1);
    (world, host, jobs)
}

fn waits(world: &World) -> Vec<u64> {
    let waits = world.events.iter().filter_map(|event| match event {
        HostEvent::Waits { job } => Some(job.0),
        _ => None,
    });
    waits.collect()
}

#[test]
fn a_quick_host_begins_its_queue_in_order() {
    let (mut world, _, jobs) = queued(9);
    world.finish_all();
    assert_eq!(world.begun[1..], jobs);
}

#[test]
fn a_queue_has_a_limit() {
    let (mut world, host, _) = {
        let mut world = World::quick(1);
        let jobs = world.run_all(100);
        let host = world.only_host();
        (world, host, jobs)
    };
    assert_eq!(world.host(host).inbox.len(), 33);
    assert_eq!(world.pool.pending.len(), 67);
}

#[test]
fn a_host_whose_last_job_took_long_gets_no_queue() {
    let mut world = World::quick(1);
    world.run(1);
    let host = world.only_host();
    world.begin(host);
    world.finish(host, 2_000_000);
    world.run_all(3);
    assert_eq!(world.host(host).inbox.len(), 1);
}

#[test]
fn slow_work_gives_back_what_is_queued_behind_it() {
    let (mut world, host, jobs) = queued(3);
    world.begin(host);
    world.wait(Duration::from_millis(30));
    assert_eq!(world.pool.pending.len(), 3);
    // A second host, since the agents are slow: nobody waits.
    world.on(News::Concurrency(2));
    world.settle();
    let other = *world.with_work().iter().find(|id| **id != host).unwrap();
    for job in &jobs[1..] {
        world.begin(other);
        world.finish(other, QUICK);
        assert!(world.ended.contains_key(job));
    }
    world.finish_all();
    assert_eq!(world.ended.len(), 1 + jobs.len());
}

#[test]
fn nothing_is_queued_behind_work_that_is_slow_already() {
    let mut world = World::quick(1);
    world.run(1);
    let host = world.only_host();
    world.begin(host);
    world.wait(Duration::from_millis(30));
    let later = world.run(1);
    assert_eq!(world.host(host).status.queued, 0);
    world.on(News::Concurrency(2));
    world.settle();
    let other = *world.with_work().iter().find(|id| **id != host).unwrap();
    world.begin(other);
    assert_eq!(world.begun.last(), Some(&later));
}

#[test]
fn what_comes_back_waits_behind_people_and_ahead_of_newer_runs() {
    let (mut world, host, jobs) = queued(2);
    world.begin(host);
    world.pool.config.max_hosts = 1;
    let newer = world.run(1);
    let person = world.run_as(1, Priority::Person);
    world.wait(Duration::from_millis(30));
    world.finish_all();
    assert_eq!(world.begun[2..], [person, jobs[1], jobs[2], newer]);
}

#[test]
fn a_host_that_was_not_scheduled_loses_its_active_work_too() {
    let (mut world, host, jobs) = queued(3);
    world.wait(Duration::from_millis(30));
    assert_eq!(waits(&world), [jobs[0]]);
    assert_eq!(
        world.pool.pending.len(),
        4,
        "until it confirms, it gets nothing"
    );
    for _ in 0..4 {
        world.begin(host);
    }
    world.finish_all();
    assert_eq!(world.begun[1..], jobs);
}

#[test]
fn a_host_that_never_confirms_a_recall_is_replaced() {
    let (mut world, host, jobs) = queued(3);
    world.wait(Duration::from_millis(30));
    world.wait(Duration::from_secs(6));
    assert!(world.host(host).killed);
    world.finish_all();
    assert_eq!(world.begun[1..], jobs);
}

#[test]
fn a_crash_costs_the_job_that_ran_and_none_behind_it() {
    let (mut world, host, jobs) = queued(3);
    world.begin(host);
    world.die(host);
    assert!(matches!(world.ended[&jobs[0]], JobResult::Crashed(_)));
    world.finish_all();
    for job in &jobs[1..] {
        assert!(matches!(world.ended[job], JobResult::Outcome(_)));
    }
}

#[test]
fn work_that_a_dead_host_had_not_begun_runs_elsewhere_a_few_times() {
    let (mut world, _, jobs) = queued(0);
    for death in 1..=3 {
        let host = world.only_host();
        world.die(host);
        assert_eq!(waits(&world).len(), death.min(2));
        world.settle();
    }
    assert!(matches!(world.ended[&jobs[0]], JobResult::Crashed(_)));
}

#[test]
fn nothing_is_queued_for_a_host_that_is_about_to_be_replaced() {
    let mut world = World::quick(1);
    world.pool.config.recycle_after = 4;
    let jobs = world.run_all(6);
    let host = world.only_host();
    assert_eq!(world.host(host).inbox.len(), 3, "and one that it has ended");
    world.finish_all();
    assert_eq!(world.begun[1..], jobs);
}

#[test]
fn a_large_job_is_not_sent_ahead() {
    let mut world = World::quick(1);
    world.run(1);
    world.run_with(1, Priority::Bulk, |request| {
        request.task_json = "x".repeat(40_000).into();
    });
    assert_eq!(world.pool.pending.len(), 1);
}
