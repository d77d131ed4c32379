//! Agents that crash, leave or break the protocol: one task is lost to each, and the next one runs.
#![allow(clippy::unwrap_used)] // what fails here is a failed test

mod support;

use std::time::{Duration, Instant};
use support::{Desk, wait_until_gone};
use wb_core::error::{Error, ErrorKind};
use wb_host::{HostEvent, JobResult};

fn crashed(result: JobResult) -> Error {
    match result {
        JobResult::Crashed(error) => {
            assert_eq!(error.kind, ErrorKind::Host);
            assert!(error.summary.contains("cam_03.jpg"), "{error:?}");
            assert!(error.summary.contains("stays where it is"), "{error:?}");
            assert!(!error.hints.is_empty());
            error
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_segfault_costs_one_task_and_names_signal_address_library_and_frames() {
    let mut desk = Desk::new();
    let build = desk.hostile();
    let error = crashed(desk.run(build, "segv"));
    let cause = error.details.as_ref().unwrap();
    assert!(error.summary.contains("SIGSEGV"), "{}", error.summary);
    assert!(error.summary.contains("0x8"), "{}", error.summary);
    assert!(cause.contains("libhostile.so build #1"), "{cause}");
    assert!(cause.contains("deep_inner at "), "{cause}");
    assert!(cause.contains("hostile.c:"), "{cause}");
    assert!(cause.contains("outer at "), "{cause}");
    assert!(cause.contains("agent segv"), "{cause}");
    desk.assert_next_task_runs(build);
}

#[test]
fn an_abort_costs_one_task_and_its_last_words_are_kept() {
    let mut desk = Desk::new();
    let build = desk.hostile();
    let error = crashed(desk.run(build, "aborts"));
    assert!(error.summary.contains("SIGABRT"), "{error:?}");
    assert!(error.details.as_ref().unwrap().contains("aborts at "));

    let job = desk.start(build, "last_words", None);
    let mut printed = Vec::new();
    let result = desk.wait(|event| match event {
        HostEvent::Log {
            job: Some(j),
            target,
            text,
            ..
        } if *j == job => {
            printed.push((target.clone(), text.clone()));
            None
        }
        HostEvent::Done { job: j, result, .. } if *j == job => Some(result.clone()),
        _ => None,
    });
    let error = crashed(result);
    printed.sort();
    assert_eq!(
        printed,
        [
            ("stderr".to_owned(), "and a warning".to_owned()),
            ("stdout".to_owned(), "last words".to_owned()),
        ]
    );
    assert!(error.details.as_ref().unwrap().contains("and a warning"));
    desk.assert_next_task_runs(build);
}

#[test]
fn exit_zero_in_a_task_is_a_failure() {
    let mut desk = Desk::new();
    let build = desk.hostile();
    let error = crashed(desk.run(build, "leaves"));
    assert!(error.summary.contains("exit(0)"), "{error:?}");
    desk.assert_next_task_runs(build);
}

#[test]
fn a_stack_overflow_is_named() {
    let mut desk = Desk::new();
    let build = desk.hostile();
    let error = crashed(desk.run(build, "overflows"));
    assert!(error.summary.contains("overflowed its stack"), "{error:?}");
    assert!(error.details.as_ref().unwrap().contains("deeper at "));
    desk.assert_next_task_runs(build);
}

#[test]
fn running_out_of_memory_is_named() {
    let mut desk = Desk::with(|config| config.memory_limit = Some(512_000_000));
    let build = desk.hostile();
    let error = crashed(desk.run(build, "eats"));
    assert!(error.summary.contains("ran out of memory"), "{error:?}");
    let used = error.summary.split("its process used ").nth(1).unwrap();
    assert!(
        used.contains("more than the 512 MB it may use"),
        "{error:?}"
    );
    desk.assert_next_task_runs(build);
}

#[test]
fn nonsense_on_the_connection_ends_the_host_and_not_the_workbench() {
    let mut desk = Desk::new();
    let build = desk.hostile();
    let error = crashed(desk.run(build, "forges"));
    assert!(error.summary.contains("sent a message of"), "{error:?}");
    desk.assert_next_task_runs(build);
}

#[test]
fn an_agent_that_closes_every_descriptor_and_stays_ends_at_its_deadline() {
    let mut desk = Desk::new();
    let build = desk.hostile();
    let job = desk.start(build, "hangs_up", Some(Duration::from_millis(100)));
    let pid = desk.started(job);
    match desk.done(job) {
        JobResult::TimedOut(_) | JobResult::Crashed(_) => {}
        other => panic!("{other:?}"),
    }
    wait_until_gone(pid);
    desk.assert_next_task_runs(build);
}

#[test]
fn what_a_dead_agent_left_running_does_not_keep_its_task() {
    let mut desk = Desk::new();
    let build = desk.hostile();
    let began = Instant::now();
    let error = crashed(desk.run(build, "forks"));
    assert!(error.summary.contains("killed from outside"), "{error:?}");
    assert!(began.elapsed() < Duration::from_secs(10));
    desk.assert_next_task_runs(build);
}
