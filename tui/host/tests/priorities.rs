//! Whose job is begun first while hosts are scarce: people's, then watched tasks, then runs.
#![allow(clippy::unwrap_used)] // what fails here is a failed test

mod support;

use support::{Desk, agent};
use wb_core::event::Priority;
use wb_core::ids::{BuildId, JobId};
use wb_host::{HostEvent, JobResult};

/// One host, busy with a job that ends when it is cancelled.
fn busy(concurrency: usize) -> (Desk, BuildId, JobId) {
    let mut desk = Desk::with(|config| config.max_hosts = 1);
    desk.hosts.set_concurrency(concurrency);
    let build = desk.hostile();
    let running = desk.start(build, "listens", None);
    desk.started(running);
    (desk, build, running)
}

fn queue(desk: &mut Desk, build: BuildId, priority: Priority) -> JobId {
    let mut request = desk.request(build, agent("answer"));
    request.priority = priority;
    let job = request.job;
    desk.hosts.run(request);
    job
}

/// The jobs in the order in which they end.
fn order(desk: &mut Desk, jobs: usize) -> Vec<JobId> {
    let ended = |event: &HostEvent| match event {
        HostEvent::Done {
            job,
            result: JobResult::Outcome(_),
            ..
        } => Some(*job),
        _ => None,
    };
    (0..jobs).map(|_| desk.wait(ended)).collect()
}

#[test]
fn people_go_before_watched_tasks_which_go_before_runs() {
    use Priority::{Bulk, Person, Watch};
    for concurrency in [1, 4] {
        let (mut desk, build, running) = busy(concurrency);
        let asked = [Bulk, Watch, Bulk, Person, Watch, Person, Bulk];
        let jobs: Vec<(Priority, JobId)> = asked
            .into_iter()
            .map(|priority| (priority, queue(&mut desk, build, priority)))
            .collect();
        let mut wanted = jobs.clone();
        wanted.sort_by_key(|(priority, _)| *priority);
        desk.hosts.cancel(running);
        let wanted: Vec<JobId> = wanted.into_iter().map(|(_, job)| job).collect();
        assert_eq!(order(&mut desk, 7), wanted);
    }
}

#[test]
fn a_person_goes_first_on_another_build_too() {
    let (mut desk, build, running) = busy(1);
    let library = desk.path("libother.so");
    support::compile("hostile.c", &library, &["-DANSWER=\"two\""]);
    desk.hosts.watch(library);
    let probed = desk.probed();
    let other = BuildId(2);
    desk.hosts.activate(other, &probed);
    let bulk: Vec<JobId> = (0..40)
        .map(|_| queue(&mut desk, build, Priority::Bulk))
        .collect();
    let person = queue(&mut desk, other, Priority::Person);
    desk.hosts.cancel(running);
    let ended = order(&mut desk, bulk.len() + 1);
    assert_eq!(ended[0], person);
    assert_eq!(ended[1..], bulk);
}

#[test]
fn recalled_jobs_wait_behind_people() {
    let (mut desk, build, running) = busy(1);
    desk.hosts.cancel(running);
    desk.done(running);
    // A quick job first: behind it others are sent to the host ahead of their turn.
    let quick = queue(&mut desk, build, Priority::Bulk);
    desk.done(quick);
    let slow = desk.start(build, "listens", None);
    let bulk: Vec<JobId> = (0..5)
        .map(|_| queue(&mut desk, build, Priority::Bulk))
        .collect();
    desk.started(slow);
    let person = queue(&mut desk, build, Priority::Person);
    desk.hosts.cancel(slow);
    let ended = order(&mut desk, 6);
    let at = |job: JobId| ended.iter().position(|other| *other == job).unwrap();
    assert!(bulk.iter().all(|job| at(*job) > at(person)), "{ended:?}");
}
