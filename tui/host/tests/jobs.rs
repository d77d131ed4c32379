//! What an agent is given, what it may do, and how its jobs are stopped and reported.
#![allow(clippy::unwrap_used)] // what fails here is a failed test

mod support;

use std::time::Duration;
use support::{Desk, outcome, wait_until_gone};
use wb_core::error::{Error, ErrorKind};
use wb_host::{HostEvent, JobResult};

fn failed(result: JobResult) -> Error {
    match result {
        JobResult::Failed(error, _) => error,
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_endless_loop_ends_at_its_deadline() {
    let mut desk = Desk::new();
    let build = desk.hostile();
    let limit = Duration::from_millis(150);
    let job = desk.start(build, "loops", Some(limit));
    let pid = desk.started(job);
    match desk.done(job) {
        JobResult::TimedOut(error) => {
            assert!(error.summary.contains("150ms"), "{error:?}");
            assert!(error.summary.contains("its process was ended"), "{error:?}");
        }
        other => panic!("{other:?}"),
    }
    wait_until_gone(pid);
    desk.assert_next_task_runs(build);
}

#[test]
fn an_agent_that_listens_stops_at_its_deadline_and_keeps_its_process() {
    let mut desk = Desk::new();
    let build = desk.hostile();
    let job = desk.start(build, "listens", Some(Duration::from_millis(50)));
    let pid = desk.started(job);
    match desk.done(job) {
        JobResult::TimedOut(error) => assert!(error.summary.contains("when asked"), "{error:?}"),
        other => panic!("{other:?}"),
    }
    let next = desk.start(build, "answer", None);
    assert_eq!(desk.started(next), pid);
    assert_eq!(desk.done(next), outcome(r#"{"route":"one"}"#));
}

#[test]
fn cancel_asks_first_and_kills_who_does_not_listen() {
    let mut desk = Desk::new();
    let build = desk.hostile();
    let polite = desk.start(build, "listens", None);
    let pid = desk.started(polite);
    desk.hosts.cancel(polite);
    assert_eq!(desk.done(polite), JobResult::Cancelled);

    let deaf = desk.start(build, "loops", None);
    assert_eq!(desk.started(deaf), pid, "the polite one kept its process");
    desk.hosts.cancel(deaf);
    assert_eq!(desk.done(deaf), JobResult::Cancelled);
    wait_until_gone(pid);

    let killed = desk.start(build, "listens", None);
    let pid = desk.started(killed);
    desk.hosts.kill(killed);
    assert_eq!(desk.done(killed), JobResult::Cancelled);
    wait_until_gone(pid);
    desk.assert_next_task_runs(build);
}

#[test]
fn a_job_that_waits_is_cancelled_without_ever_starting() {
    let mut desk = Desk::new();
    let build = desk.hostile();
    let first = desk.start(build, "listens", None);
    desk.started(first);
    let second = desk.start(build, "answer", None);
    desk.hosts.cancel(second);
    let result = desk.wait(|event| match event {
        HostEvent::Started { job, .. } if *job == second => panic!("it started"),
        HostEvent::Done { job, result, .. } if *job == second => Some(result.clone()),
        _ => None,
    });
    assert_eq!(result, JobResult::Cancelled);
    desk.hosts.cancel(first);
    assert_eq!(desk.done(first), JobResult::Cancelled);
}

#[test]
fn a_hundred_megabytes_of_output_are_capped_and_counted() {
    let mut desk = Desk::new();
    let build = desk.hostile();
    let job = desk.start(build, "prints", None);
    let (mut bytes, mut lines, mut dropped) = (0_usize, 0_usize, None);
    let result = desk.wait(|event| match event {
        HostEvent::Log { text, .. } if text.starts_with('…') => {
            dropped = Some(text.clone());
            None
        }
        HostEvent::Log {
            job: j,
            target,
            text,
            ..
        } => {
            assert_eq!((*j, target.as_str()), (Some(job), "stdout"));
            assert_eq!(text.len(), 1023);
            bytes += text.len() + 1;
            lines += 1;
            None
        }
        HostEvent::Done { result, .. } => Some(result.clone()),
        _ => None,
    });
    assert_eq!(result, outcome(r#"{"route":"printed"}"#));
    assert!(
        bytes <= 1 << 20 && lines > 900,
        "{bytes} bytes, {lines} lines"
    );
    let missing = 100 * 1024 * 1024 - bytes;
    assert_eq!(
        dropped,
        Some(format!("… {missing} more bytes printed were dropped"))
    );
    desk.assert_next_task_runs(build);
}

#[test]
fn an_agent_sees_its_documents_and_nothing_else() {
    let mut desk = Desk::new();
    let build = desk.hostile();
    desk.hosts.set_project(r#"{"title":"the project"}"#.into());
    let mut request = desk.request(build, support::agent("echoes"));
    request.attempt = 3;
    request.params = r#"{"threshold":0.5}"#.into();
    request.inputs = vec![
        ("label_row".into(), r#"{"labels":1}"#.into()),
        ("asset".into(), r#"{"path":"/nowhere"}"#.into()),
    ];
    let job = request.job;
    desk.hosts.run(request);
    let error = failed(desk.done(job));
    assert_eq!(
        error.summary,
        format!(
            "stage={{\"title\":\"the stage\"}} task={{\"title\":\"the task\"}} \
             params={{\"threshold\":0.5}} attempt=3 build=1 job={} \
             project=0:{{\"title\":\"the project\"}} label_row=0:{{\"labels\":1}} \
             storage_item=1: asset=0:{{\"path\":\"/nowhere\"}} nothing=1:",
            job.0
        )
    );
    assert_eq!(error.kind, ErrorKind::Agent);
    assert!(error.retry);
}

#[test]
fn a_large_input_arrives_whole() {
    let mut desk = Desk::new();
    let build = desk.hostile();
    let mut request = desk.request(build, support::agent("answer"));
    let text = "x".repeat(20 << 20);
    request.inputs = vec![("label_row".into(), text.into())];
    let job = request.job;
    desk.hosts.run(request);
    assert_eq!(desk.done(job), outcome(r#"{"route":"one"}"#));
    desk.assert_next_task_runs(build);
}

#[test]
fn results_that_are_not_text_or_too_large_are_errors() {
    let mut desk = Desk::new();
    let build = desk.hostile();
    let error = failed(desk.run(build, "not_utf8"));
    assert!(error.summary.contains("is not UTF-8"), "{error:?}");
    let error = failed(desk.run(build, "too_large"));
    assert!(error.summary.contains("more than the"), "{error:?}");
    desk.assert_next_task_runs(build);
}

#[test]
fn logs_output_and_progress_are_reported_with_their_job() {
    let mut desk = Desk::new();
    let build = desk.hostile();
    let job = desk.start(build, "reports", None);
    let mut reported = Vec::new();
    let result = loop {
        match desk.next() {
            HostEvent::Log {
                job: j,
                level,
                target,
                text,
                build: b,
            } => {
                assert_eq!((j, b), (Some(job), build));
                reported.push(format!("{level} {target} {text}"));
            }
            HostEvent::Progress { job: j, fraction } => {
                reported.push(format!("{} {fraction}", j.0));
            }
            // It asks for something that this program does not know.
            HostEvent::Call { asked, .. } => asked.answer(Ok(None)),
            HostEvent::Done { result, .. } => break result,
            _ => {}
        }
    };
    assert_eq!(result, outcome("{}"));
    reported.sort();
    assert_eq!(
        reported,
        [
            "1 0.5",
            "2 agent::reports half way",
            "3 stdout out, no newline"
        ]
    );
}

#[test]
fn a_frame_whose_size_was_not_set_is_refused_in_words() {
    let mut desk = Desk::new();
    let build = desk.hostile();
    let job = desk.start(build, "forgets_size", None);
    let text = desk.wait(|event| match event {
        HostEvent::Log { text, .. } => Some(text.clone()),
        _ => None,
    });
    assert_eq!(
        text,
        "frame 7: wb_frame.size is 0; set it to sizeof(wb_frame) before each call"
    );
    assert_eq!(desk.done(job), outcome(r#"{"route":"failed"}"#));
}

#[test]
fn what_an_agent_wrote_is_freed_once_by_its_maker() {
    let mut desk = Desk::new();
    let build = desk.hostile();
    for _ in 0..3 {
        assert_eq!(desk.run(build, "counts_frees"), outcome("{}"));
    }
    assert_eq!(
        desk.run(build, "counts_frees"),
        outcome(r#"{"priority":0.75}"#)
    );
}

#[test]
fn one_at_a_time_holds_beside_other_agents() {
    let mut desk = Desk::with(|config| config.max_hosts = 3);
    desk.hosts.set_concurrency(3);
    let build = desk.hostile();
    let first = desk.start(build, "alone", None);
    let second = desk.start(build, "alone", None);
    let other = desk.start(build, "answer", None);
    desk.started(first);
    // The second waits although there is room; the third does not wait for it.
    let result = desk.wait(|event| match event {
        HostEvent::Started { job, .. } if *job == second => panic!("two at a time"),
        HostEvent::Done { job, result, .. } if *job == other => Some(result.clone()),
        _ => None,
    });
    assert_eq!(result, outcome(r#"{"route":"one"}"#));
    desk.hosts.cancel(first);
    desk.started(second);
    desk.hosts.cancel(second);
    assert_eq!(desk.done(second), JobResult::Cancelled);
}

#[test]
fn jobs_run_beside_each_other_up_to_the_concurrency() {
    let mut desk = Desk::with(|config| config.max_hosts = 2);
    desk.hosts.set_concurrency(2);
    let build = desk.hostile();
    let jobs = [(); 3].map(|()| desk.start(build, "listens", None));
    let one = desk.started(jobs[0]);
    let two = desk.started(jobs[1]);
    assert_ne!(one, two);
    desk.hosts.cancel(jobs[0]);
    assert_eq!(desk.started(jobs[2]), one);
    desk.hosts.cancel(jobs[1]);
    desk.hosts.cancel(jobs[2]);
}

#[test]
fn a_preflight_sees_the_project_and_may_refuse() {
    let mut desk = Desk::new();
    let build = desk.hostile();
    let refused = desk.rt.block_on(desk.hosts.preflight(build)).unwrap_err();
    assert_eq!(refused.summary, "no project");
    desk.hosts.set_project("{}".into());
    desk.rt.block_on(desk.hosts.preflight(build)).unwrap();
    desk.assert_next_task_runs(build);
}

#[test]
fn a_picture_reaches_the_agent_by_pointer() {
    let mut desk = Desk::new();
    let build = desk.hostile();
    let path = desk.path("red.png");
    support::write_png(&path, (5, 3), [200, 10, 20]);
    let asset = |path: &str| format!(r#"{{"path":"{path}","item_type":"image","title":"red"}}"#);
    let mut request = desk.request(build, support::agent("looks"));
    request.inputs = vec![("asset".into(), asset(path.to_str().unwrap()).into())];
    let job = request.job;
    desk.hosts.run(request);
    assert_eq!(desk.done(job), outcome(r#"{"route":"5x3 red 200 past 1"}"#));

    let mut request = desk.request(build, support::agent("looks"));
    request.inputs = vec![("asset".into(), asset("/no/such/file.png").into())];
    let job = request.job;
    desk.hosts.run(request);
    let error = failed(desk.done(job));
    assert!(error.summary.contains("/no/such/file.png"), "{error:?}");
}

#[test]
fn a_host_is_replaced_after_its_share_of_tasks() {
    let mut desk = Desk::with(|config| config.recycle_after = 2);
    let build = desk.hostile();
    let mut pids = Vec::new();
    for _ in 0..4 {
        let job = desk.start(build, "answer", None);
        pids.push(desk.started(job));
        assert_eq!(desk.done(job), outcome(r#"{"route":"one"}"#));
    }
    assert_eq!(pids[0], pids[1]);
    assert_ne!(pids[1], pids[2]);
    assert_eq!(pids[2], pids[3]);
}

#[test]
fn shutdown_ends_every_job_once_and_every_process() {
    let mut desk = Desk::with(|config| config.max_hosts = 2);
    let build = desk.hostile();
    let running = desk.start(build, "loops", None);
    let waiting = desk.start(build, "answer", None);
    let pid = desk.started(running);
    desk.rt.block_on(desk.hosts.shutdown());
    wait_until_gone(pid);
    let late = desk.start(build, "answer", None);
    let mut ended = Vec::new();
    while ended.len() < 3 {
        if let HostEvent::Done { job, result, .. } = desk.next() {
            assert_eq!(result, JobResult::Cancelled);
            ended.push(job);
        }
    }
    ended.sort();
    assert_eq!(ended, [running, waiting, late]);
    assert_eq!(desk.copies(), Vec::<std::path::PathBuf>::new());
}
