//! Checkpoints: from an agent to the program, held there, edited, and let go.
#![allow(clippy::unwrap_used)] // what fails here is a failed test

mod support;

use std::time::Duration;
use support::{Desk, compile, outcome};
use wb_core::ids::{BuildId, JobId};
use wb_core::pause::{PausePlace, PlaceKind};
use wb_host::{HostEvent, JobResult};

fn desk() -> Desk {
    let mut desk = Desk::with(|config| config.grace = Duration::from_secs(30));
    let library = desk.path("libcheckpoints.so");
    compile("checkpoints.c", &library, &["-pthread"]);
    desk.hosts.watch(library);
    let probed = desk.probed();
    desk.hosts.activate(BuildId(1), &probed);
    desk
}

/// Starts an agent that shows this value, for somebody who looks.
fn shows(desk: &mut Desk, agent: usize, value: &str) -> JobId {
    let mut request = desk.request(BuildId(1), agent);
    (request.params, request.pauses) = (value.into(), true);
    let job = request.job;
    desk.hosts.run(request);
    job
}

/// The next place that a job waits at.
fn place(desk: &mut Desk, by: JobId) -> PausePlace {
    loop {
        if let HostEvent::Paused { job, at } = desk.next() {
            assert_eq!(job, by);
            return at;
        }
    }
}

#[test]
fn a_value_reaches_the_program_and_comes_back_as_it_was_edited_or_not_at_all() {
    let mut desk = desk();
    let job = shows(&mut desk, 0, r#"{"count":12}"#);
    let at = place(&mut desk, job);
    assert_eq!(
        (at.kind, at.name.as_str()),
        (PlaceKind::Checkpoint, "detections")
    );
    assert_eq!((&*at.value, at.editable), (r#"{"count":12}"#, true));
    desk.hosts.go_on(job, Some("[3]".into()));
    let edited = outcome(r#"{"priority": 0.0, "client_metadata": {"given": [3]}}"#);
    assert_eq!(desk.done(job), edited);
    let job = shows(&mut desk, 0, "1");
    place(&mut desk, job);
    desk.hosts.go_on(job, None);
    let own = outcome(r#"{"priority": 0.1, "client_metadata": {"given": null}}"#);
    assert_eq!(desk.done(job), own);
}

#[test]
fn a_job_that_nobody_looks_at_does_not_stop() {
    let mut desk = desk();
    let mut request = desk.request(BuildId(1), 0);
    request.params = "1".into();
    let job = request.job;
    desk.hosts.run(request);
    let own = outcome(r#"{"priority": 0.1, "client_metadata": {"given": null}}"#);
    assert_eq!(desk.done(job), own);
    assert!(!desk.seen.iter().any(|e| e.contains("Paused")));
}

#[test]
fn a_thread_of_the_agents_own_waits_too() {
    let mut desk = desk();
    let job = shows(&mut desk, 1, "");
    assert_eq!(place(&mut desk, job).name, "in a thread");
    desk.hosts.go_on(job, None);
    assert!(matches!(desk.done(job), JobResult::Outcome(_)));
}

#[test]
fn a_value_with_a_secret_is_shown_without_it_and_cannot_be_edited() {
    let mut desk = desk();
    let job = shows(
        &mut desk,
        0,
        r#""https://h/a.png?X-Amz-Signature=5eed5eed5eed""#,
    );
    let at = place(&mut desk, job);
    assert!(!at.value.contains("5eed") && !at.editable, "{at:?}");
    desk.hosts.go_on(job, None);
    desk.done(job);
}

#[test]
fn a_held_job_can_be_stopped_and_its_process_goes_on() {
    let mut desk = desk();
    let job = shows(&mut desk, 0, "1");
    place(&mut desk, job);
    desk.hosts.cancel(job);
    assert_eq!(desk.done(job), JobResult::Cancelled);
    desk.hosts.go_on(job, None); // too late: nobody's
    let job = shows(&mut desk, 0, "2");
    assert_eq!(&*place(&mut desk, job).value, "2");
    desk.hosts.go_on(job, None);
    assert!(matches!(desk.done(job), JobResult::Outcome(_)));
    assert!(!desk.seen.iter().any(|e| e.contains("HostDied")));
}

#[test]
fn a_process_that_dies_while_its_job_is_held_is_reported_with_the_place() {
    let mut desk = desk();
    let job = shows(&mut desk, 0, "1");
    let pid = desk.started(job);
    place(&mut desk, job);
    let pid = rustix::process::Pid::from_raw(pid.cast_signed()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
    let JobResult::Crashed(error) = desk.done(job) else {
        panic!("it ended otherwise");
    };
    let expected = "while it was held at checkpoint \"detections\"";
    assert!(error.summary.contains(expected), "{}", error.summary);
}
