//! Hosts that die or lie: what they claim is compared with what they were sent.

use super::*;

/// A host with active work, and one job queued behind it.
fn working() -> (World, HostId, u64, u64) {
    let mut world = World::quick(1);
    let jobs = world.run_all(2);
    let host = world.only_host();
    world.begin(host);
    (world, host, jobs[0], jobs[1])
}

/// The host is killed, the job it ran fails, and the queued one runs elsewhere.
fn assert_cut_off(mut world: World, host: HostId, running: u64, queued: u64) {
    assert!(world.host(host).killed && world.host(host).status.cut_off);
    // Whatever it still sends is ignored.
    let claims = world.claims(host);
    let done = World::done(running, QUICK);
    let written = Vec::new();
    let news = HostNews::Done {
        done,
        written,
        claims,
    };
    world.on_host(host, news);
    assert!(!world.ended.contains_key(&running));
    world.finish_all();
    let JobResult::Crashed(error) = &world.ended[&running] else {
        panic!("{:?}", world.ended[&running]);
    };
    assert!(error.summary.contains(" sent "), "{error:?}");
    assert!(matches!(world.ended[&queued], JobResult::Outcome(_)));
}

#[test]
fn a_host_that_breaks_the_protocol_is_cut_off() {
    let lies: [fn(u64) -> HostNews; 7] = [
        |_| HostNews::Invalid("nonsense".into()),
        |_| HostNews::TakenBack { ticket: 2 },
        |job| HostNews::Loading {
            job: job + 1,
            name: None,
        },
        |job| HostNews::Call {
            job: job + 1,
            call: 1,
            name: "rows".into(),
            question: Vec::new(),
        },
        |_| HostNews::Hello {
            protocol: PROTOCOL,
            pid: 1,
            stack_low: STACK,
        },
        |_| HostNews::Loaded {
            descriptor: Box::default(),
            base: BASE,
        },
        |_| HostNews::Hello {
            protocol: PROTOCOL + 1,
            pid: 1,
            stack_low: STACK,
        },
    ];
    for lie in lies {
        let (mut world, host, running, queued) = working();
        world.on_host(host, lie(running));
        assert_cut_off(world, host, running, queued);
    }
}

#[test]
fn a_host_that_ends_work_it_was_not_given_is_cut_off() {
    let (mut world, host, running, queued) = working();
    let done = World::done(queued, QUICK);
    let (written, claims) = (Vec::new(), world.claims(host));
    let news = HostNews::Done {
        done,
        written,
        claims,
    };
    world.on_host(host, news);
    assert_cut_off(world, host, running, queued);
}

#[test]
fn a_page_that_claims_more_than_was_sent_ends_the_host_at_a_recall() {
    let (mut world, host, running, queued) = working();
    world.host(host).begun = 99;
    world.wait(Duration::from_millis(30));
    assert!(world.host(host).killed);
    world.finish_all();
    let JobResult::Crashed(error) = &world.ended[&running] else {
        panic!("{:?}", world.ended[&running]);
    };
    assert!(error.summary.contains("control page"), "{error:?}");
    assert!(matches!(world.ended[&queued], JobResult::Outcome(_)));
}

#[test]
fn a_page_that_no_host_writes_ends_the_host_after_the_job_and_costs_no_other() {
    let (mut world, host, running, queued) = working();
    world.host(host).running = None;
    let mut claims = world.claims(host);
    claims.stack_low += 1;
    let done = World::done(running, QUICK);
    let written = Vec::new();
    let news = HostNews::Done {
        done,
        written,
        claims,
    };
    world.on_host(host, news);
    assert!(world.host(host).killed);
    world.finish_all();
    for job in [running, queued] {
        assert!(matches!(world.ended[&job], JobResult::Outcome(_)));
    }
}

#[test]
fn a_host_that_claims_the_next_job_but_never_ends_the_last_is_killed() {
    let (mut world, host, running, queued) = working();
    world.host(host).begun += 1;
    world.wait(Duration::from_millis(30));
    assert!(
        !world.host(host).killed,
        "it may have ended this very moment"
    );
    world.wait(Duration::from_millis(500));
    assert!(world.host(host).killed);
    world.host(host).begun -= 1;
    world.finish_all();
    assert!(matches!(world.ended[&running], JobResult::Crashed(_)));
    assert!(matches!(world.ended[&queued], JobResult::Outcome(_)));
}

#[test]
fn a_preflight_and_a_job_that_is_stopping_may_not_call() {
    let (mut world, host, job, _) = working();
    world.stop(job, false);
    let call = |job| HostNews::Call {
        job,
        call: 1,
        name: "rows".into(),
        question: Vec::new(),
    };
    world.on_host(host, call(job));
    assert_eq!(world.refused_calls, ["the attempt is to stop"]);
    world.finish_all();
    let (number, build) = (PREFLIGHTS, BuildId(1));
    world.on(News::Preflight { number, build });
    let host = world.only_host();
    world.begin(host);
    world.on_host(host, call(number));
    assert_eq!(world.refused_calls.len(), 2);
}

#[test]
fn a_crash_with_frames_ends_once_their_names_are_known() {
    let mut world = World::quick(1);
    let job = world.run(1);
    let host = world.only_host();
    world.begin(host);
    let mut words = world.claims(host);
    words.frames = vec![BASE + 8];
    let death = Death {
        exit: Exit::Signal(libc::SIGSEGV),
        words,
        used: 0,
        by_system: false,
        tail: Vec::new(),
    };
    world.on_host(host, HostNews::Died(Box::new(death)));
    assert_eq!(world.explaining, [job]);
    assert!(!world.ended.contains_key(&job));
    let frames = vec!["deep_inner at agent.c:3".into()];
    world.on(News::Explained {
        number: job,
        frames,
    });
    let JobResult::Crashed(error) = &world.ended[&job] else {
        panic!("{:?}", world.ended[&job]);
    };
    assert!(error.details.as_ref().unwrap().contains("deep_inner"));
}

#[test]
fn a_host_that_dies_idle_is_reported_and_one_that_leaves_is_not() {
    let died = |world: &World| {
        let died = |event: &&HostEvent| matches!(event, HostEvent::HostDied { .. });
        world.events.iter().filter(died).count()
    };
    let mut world = World::quick(1);
    let (&host, _) = world.hosts.iter().find(|(_, p)| p.opened).unwrap();
    world.die(host);
    assert_eq!(died(&world), 1);
    world.activate(1);
    world.settle();
    world.retire(1);
    world.settle();
    assert_eq!(died(&world), 1);
}

#[test]
fn processes_that_end_before_they_greet_cost_no_job_until_they_are_too_many() {
    let mut world = World::new(|_| {});
    world.activate(1);
    let job = world.run(1);
    for _ in 0..3 {
        assert!(!world.ended.contains_key(&job));
        world.spawn();
        let host = world.last_host;
        world.die(host);
    }
    assert!(matches!(world.ended[&job], JobResult::Failed(..)));
}
