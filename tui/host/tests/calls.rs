//! Calls by name: from an agent to the program and back, and their end with the job.
#![allow(clippy::unwrap_used)] // what fails here is a failed test

mod support;

use std::time::Duration;
use support::{Desk, compile, outcome};
use wb_core::ids::{BuildId, JobId};
use wb_host::{Asked, HostConfig, HostEvent, JobResult};

fn desk(change: impl FnOnce(&mut HostConfig)) -> Desk {
    let mut desk = Desk::with(change);
    let library = desk.path("libcalls.so");
    compile("calls.c", &library, &[]);
    desk.hosts.watch(library);
    let probed = desk.probed();
    desk.hosts.activate(BuildId(1), &probed);
    desk
}

/// Starts the agent that asks by this name.
fn asks(desk: &mut Desk, agent: usize, name: &str, deadline: Option<Duration>) -> JobId {
    let mut request = desk.request(BuildId(1), agent);
    request.params = name.into();
    request.deadline = deadline;
    let job = request.job;
    desk.hosts.run(request);
    job
}

/// The next question: its job, name and text.
fn question(desk: &mut Desk) -> (JobId, String, String, Asked) {
    loop {
        if let HostEvent::Call {
            job,
            name,
            question,
            asked,
        } = desk.next()
        {
            return (job, name, String::from_utf8(question).unwrap(), asked);
        }
    }
}

fn reason(result: JobResult) -> String {
    match result {
        JobResult::Failed(error, _) => format!("{error:?}"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_question_reaches_the_program_and_its_answer_the_agent() {
    let mut desk = desk(|_| {});
    let job = asks(&mut desk, 0, "twin", None);
    let (by, name, text, asked) = question(&mut desk);
    assert_eq!((by, name.as_str()), (job, "twin"));
    assert_eq!(text, r#"{"title":"the task"}"#);
    // Larger than any buffer on the way.
    let long = format!(r#"{{"route":"{}"}}"#, "x".repeat(3 << 20));
    asked.answer(Ok(Some(long.as_str().into())));
    assert_eq!(desk.done(job), outcome(&long));
}

#[test]
fn an_unknown_name_is_absence_and_a_failure_brings_its_reason() {
    let mut desk = desk(|_| {});
    let job = asks(&mut desk, 0, "weather", None);
    question(&mut desk).3.answer(Ok(None));
    assert!(reason(desk.done(job)).contains("absent"));
    let job = asks(&mut desk, 0, "twin", None);
    question(&mut desk)
        .3
        .answer(Err("the platform is away".into()));
    assert!(reason(desk.done(job)).contains("the platform is away"));
    let job = asks(&mut desk, 0, "twin", None);
    drop(question(&mut desk).3);
    assert!(reason(desk.done(job)).contains("the workbench gave no answer"));
}

#[test]
fn answers_stay_readable_until_the_end_of_the_task() {
    let mut desk = desk(|_| {});
    let job = asks(&mut desk, 1, "echo", None);
    for _ in 0..2 {
        let (_, _, text, asked) = question(&mut desk);
        asked.answer(Ok(Some(text.into())));
    }
    assert_eq!(desk.done(job), outcome(r#"{"title":"the task"}"#));
}

#[test]
fn a_waiting_call_ends_with_its_cancelled_job_and_the_program_is_notified() {
    let mut desk = desk(|config| config.grace = Duration::from_secs(30));
    let job = asks(&mut desk, 0, "twin", None);
    let (.., mut asked) = question(&mut desk);
    desk.hosts.cancel(job);
    desk.rt.block_on(asked.over());
    assert_eq!(desk.done(job), JobResult::Cancelled);
    asked.answer(Ok(Some("late".into())));
    // The same process goes on: a late answer is nobody's.
    let job = asks(&mut desk, 0, "twin", None);
    question(&mut desk).3.answer(Ok(Some("{}".into())));
    assert_eq!(desk.done(job), outcome("{}"));
    assert!(!desk.seen.iter().any(|e| e.contains("HostDied")));
}

#[test]
fn a_waiting_call_ends_with_the_time_limit_of_its_job() {
    let mut desk = desk(|config| config.grace = Duration::from_secs(30));
    let job = asks(&mut desk, 0, "twin", Some(Duration::from_millis(50)));
    let (.., mut asked) = question(&mut desk);
    desk.rt.block_on(asked.over());
    assert!(matches!(desk.done(job), JobResult::TimedOut(_)));
}

#[test]
fn a_question_of_a_preflight_is_refused() {
    let desk = desk(|_| {});
    let refused = desk.rt.block_on(desk.hosts.preflight(BuildId(1)));
    let error = format!("{:?}", refused.unwrap_err());
    assert!(error.contains("calls are for tasks"), "{error}");
}

#[test]
fn pictures_are_encoded_without_the_program() {
    let mut desk = desk(|_| {});
    let mut request = desk.request(BuildId(1), 0);
    request.params = "encode".into();
    request.task_json =
        "{\"format\":\"png\",\"width\":1,\"height\":1,\"stride\":3}\n\u{1}\u{2}\u{3}".into();
    let job = request.job;
    desk.hosts.run(request);
    // A PNG is not JSON text, and the agent passes it on as such: that is what is refused.
    let refused = reason(desk.done(job));
    assert!(refused.contains("is not UTF-8"), "{refused}");
    assert!(!desk.seen.iter().any(|e| e.contains("Call")));
}

#[test]
fn other_threads_init_and_shutdown_get_what_the_header_promises() {
    let mut desk = Desk::new();
    let (library, out) = (desk.path("libthreads.so"), desk.path("out.txt"));
    let define = format!("-DOUT=\"{}\"", out.display());
    compile("threads.c", &library, &[&define, "-pthread"]);
    desk.hosts.watch(library);
    let probed = desk.probed();
    let build = BuildId(1);
    desk.hosts.activate(build, &probed);
    let picture = desk.path("red.png");
    support::write_png(&picture, (5, 3), [200, 10, 20]);
    let asset = format!(
        r#"{{"path":"{}","item_type":"image","title":"red"}}"#,
        picture.display()
    );
    let mut request = desk.request(build, 0);
    request.inputs = vec![("asset".into(), asset.into())];
    let job = request.job;
    desk.hosts.run(request);
    // A document, a picture, not cancelled, a call: absent, failed, no, found in init; all there in four threads.
    assert_eq!(
        desk.done(job),
        outcome(r#"{"route":"1200 0000 0000 0000 0000"}"#)
    );
    desk.rt.block_on(desk.hosts.shutdown());
    let in_shutdown = std::fs::read_to_string(&out).unwrap();
    assert_eq!(in_shutdown, "1200", "as in init");
}
