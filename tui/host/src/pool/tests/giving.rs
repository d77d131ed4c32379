//! Who gets a host: priorities, limits, probes, preflights and builds.

use super::*;

#[test]
fn people_come_first_then_watched_tasks_then_runs_each_in_their_order() {
    use Priority::{Bulk, Person, Watch};
    for quick in [false, true] {
        let mut world = World::quick(1);
        let first = world.run(1);
        let host = world.only_host();
        world.begin(host);
        if !quick {
            world.wait(Duration::from_millis(30));
        }
        let order = [Bulk, Watch, Person, Watch, Person];
        let mut jobs: Vec<_> = order
            .into_iter()
            .map(|priority| (priority, world.run_as(1, priority)))
            .collect();
        if quick {
            // What was sent ahead keeps its place.
            world.wait(Duration::from_millis(30));
        }
        jobs.sort_by_key(|(priority, _)| *priority);
        world.finish_all();
        let sorted: Vec<u64> = jobs.into_iter().map(|(_, job)| job).collect();
        assert_eq!(world.begun[1..], [&[first], sorted.as_slice()].concat());
    }
}

#[test]
fn a_preflight_comes_before_everything_else() {
    let mut world = World::new(|_| {});
    world.activate(1);
    world.run_as(1, Priority::Person);
    let (number, build) = (PREFLIGHTS, BuildId(1));
    world.on(News::Preflight { number, build });
    world.finish_all();
    assert_eq!(world.begun, [PREFLIGHTS, 1]);
    assert_eq!(world.preflights[&number], Ok(()));
}

#[test]
fn a_preflight_of_an_unknown_build_fails_at_once() {
    let mut world = World::new(|_| {});
    let (number, build) = (PREFLIGHTS, BuildId(7));
    world.on(News::Preflight { number, build });
    assert!(world.preflights[&number].is_err());
}

#[test]
fn a_build_has_at_most_as_many_hosts_as_configured_until_its_agents_are_slow() {
    let mut world = World::new(|config| config.max_hosts = 2);
    world.on(News::Concurrency(4));
    world.activate(1);
    world.run_all(5);
    world.settle();
    assert_eq!(world.with_work().len(), 2);
    for id in world.with_work() {
        world.begin(id);
    }
    world.wait(Duration::from_millis(30));
    world.settle();
    assert_eq!(
        world.with_work().len(),
        4,
        "slow agents: one host for each job"
    );
    world.finish_all();
    assert_eq!(world.ended.len(), 5);
}

#[test]
fn an_agent_that_runs_one_task_at_a_time_does_not_hold_up_others() {
    let mut world = World::new(|config| config.max_hosts = 3);
    world.on(News::Concurrency(3));
    world.activate(1);
    let alone = |request: &mut JobRequest| request.agent = 1;
    let first = world.run_with(1, Priority::Bulk, alone);
    let second = world.run_with(1, Priority::Bulk, alone);
    let other = world.run(1);
    world.settle();
    let hosts = world.with_work();
    hosts.iter().for_each(|id| world.begin(*id));
    assert_eq!(
        BTreeSet::from([first, other]),
        world.begun.iter().copied().collect()
    );
    hosts.iter().for_each(|id| world.finish(*id, QUICK));
    world.finish_all();
    assert_eq!(world.begun.last(), Some(&second));
}

#[test]
fn a_host_is_replaced_after_its_number_of_tasks() {
    let mut world = World::new(|config| config.recycle_after = 2);
    world.activate(1);
    world.run_all(5);
    world.finish_all();
    assert_eq!(world.ended.len(), 5);
    let started = world.events.iter().filter_map(|event| match event {
        HostEvent::Started { pid, .. } => Some(*pid),
        _ => None,
    });
    assert_eq!(started.collect::<BTreeSet<_>>().len(), 3);
}

#[test]
fn a_newer_content_replaces_the_probe_of_an_older_one() {
    let mut world = World::new(|_| {});
    world.spawn();
    world.greet(1);
    world.probe("lib.so", "old");
    world.probe("lib.so", "new");
    world.settle();
    let copies: Vec<_> = world
        .events
        .iter()
        .filter_map(|event| match event {
            HostEvent::Probed(probed) => Some(probed.copy.to_string_lossy()),
            _ => None,
        })
        .collect();
    assert_eq!(copies, ["new"]);
}

#[test]
fn a_probed_host_serves_the_build_that_claims_it() {
    let mut world = World::new(|_| {});
    world.probe("lib1.so", "copies/1");
    world.settle();
    world.activate(1);
    world.run(1);
    assert!(
        world.hosts[&world.only_host()].opened,
        "without opening it again"
    );
    world.finish_all();
    assert_eq!(world.ended[&1], JobResult::Outcome(b"{}".to_vec()));
}

#[test]
fn the_host_of_a_discarded_content_leaves() {
    let mut world = World::new(|_| {});
    world.probe("lib1.so", "copies/1");
    world.settle();
    world.on(News::Discard(ProbeId(1)));
    assert_eq!(world.hosts.values().filter(|p| p.leaving).count(), 1);
}

#[test]
fn a_retired_build_finishes_its_work_and_then_its_hosts_leave() {
    let mut world = World::quick(1);
    let jobs = world.run_all(3);
    world.retire(1);
    let late = world.run(1);
    assert!(matches!(world.ended[&late], JobResult::Failed(..)));
    world.finish_all();
    for job in jobs {
        assert!(matches!(world.ended[&job], JobResult::Outcome(_)));
    }
    assert!(world.pool.builds.is_empty());
    assert!(
        world.hosts.values().all(|p| !p.opened),
        "only a spare is left"
    );
}

#[test]
fn a_resting_build_has_hosts_for_its_work_only() {
    let mut world = World::quick(1);
    let holds = |world: &World| world.hosts.values().any(|p| p.opened && !p.leaving);
    assert!(holds(&world));
    world.rest(1);
    assert!(!holds(&world), "nobody waits for it");
    world.finish_all();
    let job = world.run(1);
    world.settle();
    world.finish_all();
    assert!(matches!(world.ended[&job], JobResult::Outcome(_)));
    assert!(!holds(&world), "its work is done");
    assert!(!world.pool.builds.is_empty(), "its copy is kept");
}

#[test]
fn work_that_waits_for_a_host_when_its_build_retires_still_gets_one() {
    let mut world = World::new(|_| {});
    world.activate(1);
    let job = world.run(1);
    world.retire(1);
    world.finish_all();
    assert_eq!(world.ended[&job], JobResult::Outcome(b"{}".to_vec()));
    assert!(world.pool.builds.is_empty());
}

#[test]
fn a_build_that_retires_before_its_first_host_starts_gets_none() {
    let mut world = World::new(|config| config.spare = false);
    world.activate(1);
    world.retire(1);
    world.settle();
    assert!(world.pool.warm.is_empty());
    assert!(world.hosts.values().all(|p| !p.opened));
}

#[test]
fn work_fails_when_no_host_can_be_started() {
    let mut world = World::new(|_| {});
    world.activate(1);
    let job = world.run(1);
    while world.spawns > 0 {
        world.spawns -= 1;
        world.on(News::SpawnFailed("no memory".into()));
    }
    let JobResult::Failed(error, _) = &world.ended[&job] else {
        panic!("{:?}", world.ended[&job]);
    };
    assert!(error.summary.contains("no memory"), "{error:?}");
}

#[test]
fn a_job_with_more_than_a_host_takes_is_refused() {
    let mut world = World::new(|_| {});
    world.activate(1);
    let large: Arc<str> = "x".repeat(1 << 20).into();
    let job = world.run_with(1, Priority::Bulk, |request| {
        request.inputs = (0..257).map(|_| ("row".into(), large.clone())).collect();
    });
    assert!(matches!(world.ended[&job], JobResult::Failed(..)));
}
