//! Random schedules: whatever happens in whatever order, the invariants of the pool hold.

use super::*;

/// SplitMix64: the same seed gives the same schedule everywhere.
struct Random(u64);

impl Random {
    fn next(&mut self, below: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % below
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> Option<T> {
        let n = self.next(from.len().max(1) as u64);
        from.get(usize::try_from(n).unwrap()).copied()
    }
}

const PRIORITIES: [Priority; 3] = [Priority::Person, Priority::Watch, Priority::Bulk];

fn a_program_does_something(world: &mut World, random: &mut Random, builds: &mut u32) {
    match random.next(16) {
        0 => {
            *builds += 1;
            world.activate(*builds);
        }
        1 if *builds > 1 => world.retire(*builds - 1),
        2 => world.on(News::Concurrency(1 + random.next(4) as usize)),
        3 => world.on(News::Project("{}".into())),
        4 | 5 => {
            let job = 1 + random.next(world.last_job.max(1));
            world.stop(job, random.next(2) == 0);
        }
        6 => {
            let number = PREFLIGHTS + world.preflights.len() as u64 + 1000 * world.last_job;
            let build = BuildId(*builds);
            if !world.preflights.contains_key(&number) && !is_open(world, number) {
                world.on(News::Preflight { number, build });
            }
        }
        _ => {
            let build = *builds - u32::try_from(random.next(2)).unwrap();
            let priority = random.pick(&PRIORITIES).unwrap();
            let (agent, limit) = (random.next(4) / 3, random.next(3));
            world.run_with(build.max(1), priority, |request| {
                request.agent = agent as usize;
                request.deadline = (limit == 0).then(|| Duration::from_millis(200));
            });
        }
    }
}

fn is_open(world: &World, number: u64) -> bool {
    let pending = world.pool.pending.iter().map(|(work, _)| work.number());
    let in_hosts = world.pool.hosts.values().flat_map(|host| {
        let active = host.work.iter().map(|a| a.work.number());
        active.chain(host.queue.iter().map(|q| q.work.number()))
    });
    pending.chain(in_hosts).any(|open| open == number)
}

fn a_host_does_something(world: &mut World, random: &mut Random) {
    let hosts: Vec<HostId> = world.hosts.keys().copied().collect();
    let Some(id) = random.pick(&hosts) else {
        return;
    };
    let process = world.host(id);
    if process.killed || process.leaving {
        return world.die(id);
    }
    if !process.greeted {
        return match random.next(20) {
            0 => world.die(id),
            _ => world.greet(id),
        };
    }
    if process.opens {
        return match random.next(20) {
            0 => world.die(id),
            1 => {
                process.opens = false;
                let (reason, hints) = ("no".into(), Vec::new());
                world.on_host(id, HostNews::LoadFailed { reason, hints });
            }
            _ => world.load(id),
        };
    }
    match (random.next(40), process.running.is_some()) {
        (0, _) => world.die(id),
        (1, _) => world.on_host(id, HostNews::Invalid("nonsense".into())),
        (2, _) => process.begun += 1 + random.next(3),
        (3, true) => world.finish(id, 5_000_000),
        (_, true) => world.finish(id, QUICK),
        (_, false) if !process.inbox.is_empty() => world.begin(id),
        _ => {}
    }
}

fn assert_invariants(world: &World) {
    let pool = &world.pool;
    let mut seen = BTreeSet::new();
    let active = |host: &super::super::host::Host| host.work.as_ref().map(|a| a.work.number());
    for number in pool.pending.iter().map(|(work, _)| work.number()) {
        assert!(seen.insert(number), "{number} waits twice");
    }
    for host in pool.hosts.values() {
        assert!(
            host.queue.is_empty() || host.work.is_some(),
            "queued behind nothing"
        );
        let queued = host.queue.iter().map(|q| q.work.number());
        for number in active(host).into_iter().chain(queued) {
            assert!(seen.insert(number), "{number} is in two places");
        }
    }
    for number in &seen {
        assert!(!world.ended.contains_key(number), "{number} has ended");
    }
    let open = world
        .accepted
        .iter()
        .filter(|n| !world.ended.contains_key(n));
    for number in open {
        let explained = pool.explaining.contains_key(number);
        assert!(seen.contains(number) || explained, "{number} is lost");
    }
    let priorities: Vec<_> = pool.pending.iter().map(|(w, _)| w.priority()).collect();
    assert!(priorities.is_sorted(), "{priorities:?}");
    let used = pool.hosts.values().filter(|h| h.build().is_some()).count();
    assert!(used <= pool.config.max_hosts.max(4), "{used} hosts");
}

/// Where work of a build is pending, no less urgent work of it was just given to a free host.
fn assert_people_first(world: &World, before: &BTreeSet<u64>) {
    for host in world.pool.hosts.values() {
        let Some(active) = host
            .work
            .as_ref()
            .filter(|a| !before.contains(&a.work.number()))
        else {
            continue;
        };
        let given = &active.work;
        let more_urgent = world.pool.pending.iter().any(|(work, _)| {
            let alone = world.pool.agent_flags(work) & flags::NO_PARALLEL != 0;
            work.build() == given.build() && work.priority() < given.priority() && !alone
        });
        assert!(
            !more_urgent || active.started.is_none(),
            "{given:?} went first"
        );
    }
}

fn assigned(world: &World) -> BTreeSet<u64> {
    let hosts = world.pool.hosts.values();
    let numbers = hosts.flat_map(|host| {
        let active = host.work.iter().map(|a| a.work.number());
        active.chain(host.queue.iter().map(|q| q.work.number()))
    });
    numbers.collect()
}

fn schedule(seed: u64) {
    let mut random = Random(seed);
    let mut world = World::new(|config| {
        config.max_hosts = 1 + usize::try_from(seed % 3).unwrap();
        config.recycle_after = 20;
        config.spare = seed.is_multiple_of(2);
    });
    let mut builds = 1;
    world.activate(1);
    for _ in 0..600 {
        let before = assigned(&world);
        match random.next(8) {
            0 | 1 => a_program_does_something(&mut world, &mut random, &mut builds),
            2 => world.wait(Duration::from_millis(random.next(40))),
            3 if world.spawns > 0 && random.next(30) == 0 => {
                world.spawns -= 1;
                world.on(News::SpawnFailed("no memory".into()));
            }
            3 if world.spawns > 0 => world.spawn(),
            4 => {
                if let Some(number) = world.explaining.pop() {
                    let frames = Vec::new();
                    world.on(News::Explained { number, frames });
                }
            }
            _ => a_host_does_something(&mut world, &mut random),
        }
        assert_invariants(&world);
        assert_people_first(&world, &before);
    }
    let at_once = seed.is_multiple_of(2);
    world.on(News::Close { at_once });
    world.settle();
    assert!(world.hosts.is_empty() && world.pool.is_quiet());
    for job in &world.accepted {
        assert!(world.ended.contains_key(job), "{job} never ended");
    }
}

#[test]
fn every_job_ends_once_in_any_order_of_news() {
    for seed in 0..120 {
        let result = std::panic::catch_unwind(|| schedule(seed));
        assert!(result.is_ok(), "seed {seed}");
    }
}
