//! Jobs that are sent to a busy host ahead of their turn: none waits behind a slow one, none dies with
//! another one, and captured output belongs to the job that wrote it.
#![allow(clippy::unwrap_used)] // what fails here is a failed test

mod support;

use rustix::process::{Pid, Signal, kill_process};
use std::collections::{BTreeMap, BTreeSet};
use support::{Desk, PATIENCE, agent, outcome};
use wb_core::ids::{BuildId, JobId};
use wb_host::{HostEvent, JobRequest, JobResult};

/// Hosts that were quick with their last job.
fn quick(hosts: usize) -> (Desk, BuildId) {
    let mut desk = Desk::with(|config| config.max_hosts = hosts);
    desk.hosts.set_concurrency(hosts);
    let build = desk.hostile();
    for _ in 0..3 {
        let jobs: Vec<JobId> = (0..hosts)
            .map(|_| desk.start(build, "answer", None))
            .collect();
        ended(&mut desk, &jobs);
    }
    (desk, build)
}

fn requests(desk: &mut Desk, build: BuildId, names: &[&str]) -> Vec<JobRequest> {
    let all = names.iter().map(|name| desk.request(build, agent(name)));
    all.collect()
}

fn ids(jobs: &[JobRequest]) -> Vec<JobId> {
    jobs.iter().map(|j| j.job).collect()
}

/// Waits until all of these have ended; how each did, in the order in which they did.
fn ended(desk: &mut Desk, jobs: &[JobId]) -> Vec<(JobId, JobResult)> {
    let mut all = Vec::new();
    while all.len() < jobs.len() {
        let one = desk.wait(|event| match event {
            HostEvent::Done { job, result, .. } => Some((*job, result.clone())),
            _ => None,
        });
        all.push(one);
    }
    all
}

#[test]
fn a_host_runs_its_queue_in_order() {
    let (mut desk, build) = quick(1);
    let jobs = requests(&mut desk, build, &["answer"; 100]);
    let wanted = ids(&jobs);
    desk.hosts.run_all(jobs);
    let all = ended(&mut desk, &wanted);
    assert_eq!(all.iter().map(|(j, _)| *j).collect::<Vec<_>>(), wanted);
    assert!(all.iter().all(|(_, r)| *r == outcome(r#"{"route":"one"}"#)));
}

#[test]
fn nobody_waits_behind_a_slow_job_while_another_host_is_free() {
    let (mut desk, build) = quick(2);
    let mut names = vec!["listens"];
    names.extend(["answer"; 20]);
    let jobs = requests(&mut desk, build, &names);
    let wanted = ids(&jobs);
    desk.hosts.run_all(jobs);
    let all = ended(&mut desk, &wanted[1..]);
    assert!(all.iter().all(|(job, _)| *job != wanted[0]));
    desk.hosts.cancel(wanted[0]);
    assert_eq!(desk.done(wanted[0]), JobResult::Cancelled);
}

#[test]
fn a_crash_costs_its_own_job_and_not_those_behind_it() {
    let (mut desk, build) = quick(1);
    let mut names = vec!["answer", "segv"];
    names.extend(["answer"; 20]);
    let jobs = requests(&mut desk, build, &names);
    let wanted = ids(&jobs);
    desk.hosts.run_all(jobs);
    for (job, result) in ended(&mut desk, &wanted) {
        if job == wanted[1] {
            assert!(matches!(result, JobResult::Crashed(_)), "{result:?}");
        } else {
            assert_eq!(result, outcome(r#"{"route":"one"}"#));
        }
    }
}

#[test]
fn a_job_that_waits_in_a_host_can_be_cancelled_and_never_runs() {
    let (mut desk, build) = quick(1);
    let jobs = requests(&mut desk, build, &["listens", "answer", "answer", "answer"]);
    let wanted = ids(&jobs);
    desk.hosts.run_all(jobs);
    desk.hosts.cancel(wanted[2]);
    assert_eq!(desk.done(wanted[2]), JobResult::Cancelled);
    desk.hosts.cancel(wanted[0]);
    let rest = [wanted[0], wanted[1], wanted[3]];
    let rest: BTreeMap<_, _> = ended(&mut desk, &rest).into_iter().collect();
    assert_eq!(rest[&wanted[0]], JobResult::Cancelled);
    assert_eq!(rest[&wanted[1]], outcome(r#"{"route":"one"}"#));
    assert_eq!(rest[&wanted[3]], outcome(r#"{"route":"one"}"#));
}

#[test]
fn captured_output_belongs_to_the_job_that_wrote_it() {
    let (mut desk, build) = quick(1);
    let mut jobs = requests(&mut desk, build, &["echoes_task"; 40]);
    for job in &mut jobs {
        job.task_json = format!("task of job {}", job.job.0).into();
    }
    let wanted = ids(&jobs);
    desk.hosts.run_all(jobs);
    let (mut open, mut seen) = (wanted.len(), Vec::new());
    while open > 0 {
        match desk.next() {
            HostEvent::Log {
                job, target, text, ..
            } => seen.push((job.unwrap(), target, text)),
            HostEvent::Done { .. } => open -= 1,
            _ => {}
        }
    }
    for job in wanted {
        let of_it: BTreeSet<_> = seen
            .iter()
            .filter(|(j, ..)| *j == job)
            .map(|(_, target, text)| (target.as_str(), text.clone()))
            .collect();
        let line = format!("task of job {}", job.0);
        let both = [
            ("stderr", "no newline at the end".to_owned()),
            ("stdout", line),
        ];
        assert_eq!(of_it, BTreeSet::from(both), "{seen:?}");
    }
}

#[test]
fn slow_jobs_get_as_many_hosts_as_jobs_are_wanted_at_a_time() {
    let (mut desk, build) = quick(1);
    desk.hosts.set_concurrency(4);
    let jobs = requests(&mut desk, build, &["listens"; 5]);
    let wanted = ids(&jobs);
    desk.hosts.run_all(jobs);
    let mut pids = BTreeSet::new();
    for job in &wanted[..4] {
        pids.insert(desk.started(*job));
    }
    assert_eq!(pids.len(), 4);
    let early = desk.next_within(std::time::Duration::from_millis(300));
    assert!(
        !matches!(early, Some(HostEvent::Started { .. })),
        "the fifth waits: {early:?}"
    );
    for job in &wanted {
        desk.hosts.cancel(*job);
    }
    let all = ended(&mut desk, &wanted);
    assert!(all.iter().all(|(_, r)| *r == JobResult::Cancelled));
}

/// Stops a host, gives it jobs, and waits until they are taken back from it.
fn stopped_host(desk: &mut Desk, build: BuildId) -> (Pid, Vec<JobId>) {
    let job = desk.start(build, "answer", None);
    let pid = desk.started(job);
    desk.done(job);
    let pid = Pid::from_raw(i32::try_from(pid).unwrap()).unwrap();
    kill_process(pid, Signal::STOP).unwrap();
    let jobs = requests(desk, build, &["answer"; 10]);
    let wanted = ids(&jobs);
    desk.hosts.run_all(jobs);
    desk.started(wanted[0]);
    desk.wait(|event| match event {
        HostEvent::Waits { job } => (*job == wanted[0]).then_some(()),
        _ => None,
    });
    (pid, wanted)
}

#[test]
fn a_host_that_the_machine_does_not_let_run_for_a_moment_loses_nothing() {
    let (mut desk, build) = quick(1);
    let (pid, wanted) = stopped_host(&mut desk, build);
    kill_process(pid, Signal::CONT).unwrap();
    desk.started(wanted[0]);
    let all = ended(&mut desk, &wanted);
    assert!(all.iter().all(|(_, r)| *r == outcome(r#"{"route":"one"}"#)));
}

#[test]
fn a_host_that_never_runs_again_is_replaced_and_loses_nothing() {
    let (mut desk, build) = quick(1);
    let (pid, wanted) = stopped_host(&mut desk, build);
    let other = desk.started(wanted[0]);
    assert_ne!(i32::try_from(other).unwrap(), pid.as_raw_nonzero().get());
    let all = ended(&mut desk, &wanted);
    assert!(all.iter().all(|(_, r)| *r == outcome(r#"{"route":"one"}"#)));
}

#[test]
fn a_shutdown_ends_the_queue_too() {
    let (mut desk, build) = quick(1);
    let jobs = requests(&mut desk, build, &["listens", "answer", "answer"]);
    let wanted = ids(&jobs);
    desk.hosts.run_all(jobs);
    desk.started(wanted[0]);
    let hosts = desk.hosts.clone();
    desk.rt.block_on(async {
        tokio::time::timeout(PATIENCE, hosts.shutdown())
            .await
            .unwrap();
    });
    let all = ended(&mut desk, &wanted);
    assert!(all.iter().all(|(_, r)| *r == JobResult::Cancelled));
}
