//! Jobs that are stopped, time and memory limits, and the end of the program.

use super::*;

#[test]
fn waiting_work_that_is_stopped_never_begins() {
    let mut world = World::new(|_| {});
    world.activate(1);
    let job = world.run(1);
    world.stop(job, false);
    assert_eq!(world.ended[&job], JobResult::Cancelled);
    world.finish_all();
    assert!(world.begun.is_empty());
}

#[test]
fn a_queued_job_that_is_stopped_is_recalled() {
    let mut world = World::quick(1);
    let jobs = world.run_all(3);
    let host = world.only_host();
    world.begin(host);
    world.stop(jobs[1], false);
    assert_eq!(world.ended[&jobs[1]], JobResult::Cancelled);
    world.finish_all();
    assert_eq!(world.begun[1..], [jobs[0], jobs[2]]);
}

#[test]
fn a_queued_job_that_is_stopped_as_it_begins_is_asked_to_stop() {
    let mut world = World::quick(1);
    let jobs = world.run_all(2);
    let host = world.only_host();
    world.begin(host);
    // The host has ended the first and begun the second before the pool has the news.
    let done = World::done(jobs[0], QUICK);
    world.host(host).running = None;
    world.begin(host);
    world.stop(jobs[1], false);
    assert!(!world.ended.contains_key(&jobs[1]));
    let claims = world.claims(host);
    let written = Vec::new();
    let news = HostNews::Done {
        done,
        written,
        claims,
    };
    world.on_host(host, news);
    assert!(world.host(host).status.stopping);
    world.finish(host, QUICK);
    assert_eq!(world.ended[&jobs[1]], JobResult::Cancelled);
}

#[test]
fn running_work_is_asked_to_stop_and_killed_after_its_grace_period() {
    let mut world = World::quick(1);
    let job = world.run(1);
    let host = world.only_host();
    world.begin(host);
    world.stop(job, false);
    assert!(world.host(host).status.stopping);
    world.wait(Duration::from_millis(99));
    assert!(!world.host(host).killed);
    world.wait(Duration::from_millis(1));
    assert!(world.host(host).killed);
    world.settle();
    assert_eq!(world.ended[&job], JobResult::Cancelled);
}

#[test]
fn running_work_can_be_killed_at_once_and_its_queue_runs_elsewhere() {
    let mut world = World::quick(1);
    let jobs = world.run_all(3);
    let host = world.only_host();
    world.begin(host);
    world.stop(jobs[0], true);
    assert!(world.host(host).killed);
    world.finish_all();
    assert_eq!(world.ended[&jobs[0]], JobResult::Cancelled);
    assert_eq!(world.begun[1..], jobs);
}

#[test]
fn a_deadline_asks_first_and_then_kills() {
    let mut world = World::quick(1);
    let limit = Duration::from_secs(1);
    let job = world.run_with(1, Priority::Bulk, |r| r.deadline = Some(limit));
    let host = world.only_host();
    world.begin(host);
    world.wait(limit);
    assert!(world.host(host).status.stopping && !world.host(host).killed);
    world.wait(Duration::from_millis(100));
    assert!(world.host(host).killed);
    world.settle();
    assert!(matches!(world.ended[&job], JobResult::TimedOut(_)));
}

#[test]
fn time_for_loading_a_dependency_does_not_count_against_the_deadline() {
    let mut world = World::quick(1);
    let limit = Duration::from_secs(1);
    let job = world.run_with(1, Priority::Bulk, |r| r.deadline = Some(limit));
    let host = world.only_host();
    world.begin(host);
    let name = Some("model".into());
    world.on_host(host, HostNews::Loading { job, name });
    world.wait(Duration::from_secs(60));
    let name = None;
    world.on_host(host, HostNews::Loading { job, name });
    assert!(!world.host(host).status.stopping);
    world.wait(limit);
    assert!(world.host(host).status.stopping);
}

#[test]
fn what_a_job_loads_is_reported_and_is_not_part_of_its_time() {
    let mut world = World::quick(1);
    let job = world.run(1);
    let host = world.only_host();
    world.begin(host);
    let second = Duration::from_secs(1);
    for (name, wait) in [
        (Some("detector"), 2),
        (Some("model"), 3),
        (None, 4),
        (None, 5),
    ] {
        let name = name.map(str::to_owned);
        world.on_host(host, HostNews::Loading { job, name });
        world.wait(wait * second);
    }
    let loading = world.events.iter().filter_map(|event| match event {
        HostEvent::Loading { name, .. } => Some(name.as_deref()),
        _ => None,
    });
    let loading: Vec<_> = loading.collect();
    let inner = [Some("detector"), Some("model"), Some("detector"), None];
    assert_eq!(loading, inner, "the innermost is what it waits for");
    world.finish(host, 14_000_000_000);
    assert_eq!(world.ran[&job], 5 * second);

    // The same holds for one that never comes back.
    let job = world.run(1);
    world.begin(host);
    let name = Some("model".to_owned());
    world.wait(second);
    world.on_host(host, HostNews::Loading { job, name });
    world.wait(world.pool.config.load_timeout);
    assert!(world.host(host).killed);
    world.settle();
    assert_eq!(world.ran[&job], second);
}

#[test]
fn while_one_job_loads_the_others_get_hosts_of_their_own_and_load_beside_it() {
    let mut world = World::quick(1);
    world.on(News::Concurrency(4));
    let jobs = world.run_all(4);
    let host = world.only_host();
    world.begin(host);
    let (job, name) = (jobs[0], Some("model".to_owned()));
    world.on_host(host, HostNews::Loading { job, name });
    world.wait(Duration::from_secs(1));
    let hosts = world.hosts.len() + world.spawns;
    assert_eq!(hosts, 4 + 1, "one for each job, and the spare one");
}

#[test]
fn a_library_that_takes_too_long_to_open_is_rejected() {
    let mut world = World::new(|config| config.load_timeout = Duration::from_secs(9));
    world.spawn();
    world.greet(1);
    world.probe("lib.so", "copy");
    world.wait(Duration::from_secs(9));
    assert!(world.host(1).killed);
    world.die(1);
    let rejected = world.events.iter().any(
        |event| matches!(event, HostEvent::Rejected { reason, .. } if reason.contains("longer")),
    );
    assert!(rejected, "{:?}", world.events);
    assert!(world.pool.was_refused("lib.so".as_ref(), "copy"));
}

#[test]
fn a_host_over_its_memory_limit_is_killed_and_its_job_names_the_limit() {
    let mut world = World::new(|config| config.memory_limit = Some(1_000_000));
    world.activate(1);
    let job = world.run(1);
    world.settle();
    let host = world.only_host();
    world.begin(host);
    world.on_host(host, HostNews::Memory { used: 1_000_000 });
    assert!(!world.host(host).killed);
    world.on_host(host, HostNews::Memory { used: 2_000_000 });
    assert!(world.host(host).killed);
    world.settle();
    let JobResult::Crashed(error) = &world.ended[&job] else {
        panic!("{:?}", world.ended[&job]);
    };
    assert!(error.summary.contains("1 MB it may use"), "{error:?}");
}

#[test]
fn closing_ends_what_waits_and_what_runs_and_lets_idle_hosts_leave() {
    let mut world = World::quick(2);
    world.pool.config.max_hosts = 2;
    let running = world.run(1);
    let host = world.only_host();
    world.begin(host);
    let queued = world.run(1);
    let at_once = false;
    world.on(News::Close { at_once });
    let idle = world.hosts.values().filter(|p| p.leaving).count();
    assert!(world.host(host).killed && idle <= 1);
    assert!(!world.pool.is_quiet());
    let late = world.run(1);
    world.settle();
    for job in [running, queued, late] {
        assert_eq!(world.ended[&job], JobResult::Cancelled);
    }
    assert!(world.hosts.is_empty() && world.pool.is_quiet());
}

#[test]
fn a_host_that_starts_while_the_pool_closes_is_killed() {
    let mut world = World::new(|_| {});
    let at_once = true;
    world.on(News::Close { at_once });
    assert!(!world.pool.is_quiet(), "one is on its way");
    world.spawn();
    assert!(world.host(1).killed);
    world.die(1);
    assert!(world.pool.is_quiet());
}
