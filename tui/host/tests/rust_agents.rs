//! Agents written in Rust with `agent-abi`: outcomes, errors and panics come through.
#![allow(clippy::unwrap_used)] // what fails here is a failed test

mod support;

use std::path::Path;
use std::process::Command;
use support::Desk;
use wb_core::error::ErrorKind;
use wb_core::ids::BuildId;
use wb_host::{JobRequest, JobResult};

const TASK: &str = r#"{"uuid":"a2bd1ab1-0000-4000-8000-000000000001","data_hash":"a2bd1ab1-0000-4000-8000-000000000002","data_title":"cam_03.jpg","label_branch_name":"main"}"#;
const STAGE: &str = r#"{"uuid":"a2bd1ab1-0000-4000-8000-000000000003","title":"panics","stage_type":"AGENT","pathways":[{"uuid":"a2bd1ab1-0000-4000-8000-000000000004","name":"complete","destination_uuid":"a2bd1ab1-0000-4000-8000-000000000005"}]}"#;

/// Builds the example library the way it was built for this test run, if it was not yet.
fn library() -> std::path::PathBuf {
    let status = Command::new(env!("CARGO"))
        .args([
            "build",
            "--quiet",
            "-p",
            "wb-host",
            "--example",
            "panicking",
        ])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .status()
        .unwrap();
    assert!(status.success());
    let bin = Path::new(env!("CARGO_BIN_EXE_wb-host-child"));
    let target = bin.parent().unwrap().parent().unwrap();
    target.join("debug/examples/libpanicking.so")
}

fn run(desk: &mut Desk, agent: usize) -> JobResult {
    let mut request: JobRequest = desk.request(BuildId(1), agent);
    request.task_json = TASK.into();
    request.stage_json = STAGE.into();
    let job = request.job;
    desk.hosts.run(request);
    desk.done(job)
}

#[test]
fn outcomes_errors_and_panics_of_rust_agents_come_through() {
    let mut desk = Desk::new();
    desk.hosts.watch(library());
    let probed = desk.probed();
    let stages: Vec<_> = probed
        .descriptor
        .agents
        .iter()
        .map(|a| a.stage.as_str())
        .collect();
    assert_eq!(stages, ["panics", "refuses", "routes"]);
    desk.hosts.activate(BuildId(1), &probed);

    match run(&mut desk, 0) {
        JobResult::Failed(error, Some(failure)) => {
            assert_eq!(error.kind, ErrorKind::Agent);
            assert!(error.summary.starts_with("panicked at "), "{error:?}");
            assert!(
                error.summary.contains("cannot bear \"cam_03.jpg\""),
                "{error:?}"
            );
            assert!(failure.location.unwrap().contains("panicking.rs:"));
            let cause = error.details.as_ref().unwrap();
            assert!(cause.contains("deep_inside"), "{cause}");
        }
        other => panic!("{other:?}"),
    }
    match run(&mut desk, 1) {
        JobResult::Failed(error, _) => assert!(error.summary.contains("not today"), "{error:?}"),
        other => panic!("{other:?}"),
    }
    match run(&mut desk, 2) {
        JobResult::Outcome(json) => {
            let outcome: agent_abi::wire::Outcome = serde_json::from_slice(&json).unwrap();
            assert_eq!(outcome.route.as_deref(), Some("complete"));
            assert_eq!(outcome.priority, Some(0.25));
        }
        other => panic!("{other:?}"),
    }
    let died = desk.seen.iter().any(|e| e.contains("HostDied"));
    assert!(!died, "a panic costs no process: {:?}", desk.seen);
}
