//! A host and nothing else: what this crate's tests and benches start. The real program calls
//! `child_main` from `workbench host`.
//!
//! `wb-host-child parent STORE LIBRARY AGENT` is for the orphan test: it runs one agent of a
//! library, reports the host's process number, and waits to be killed.

use std::ffi::OsString;
use std::process::ExitCode;
use wb_host::{HostConfig, HostEvent, Hosts, JobRequest};

fn main() -> ExitCode {
    let mut args = std::env::args_os().skip(1);
    match args.next() {
        Some(word) if word == "host" => wb_host::child_main(args),
        Some(word) if word == "parent" => parent(args),
        _ => ExitCode::from(2),
    }
}

fn parent(mut args: impl Iterator<Item = OsString>) -> ExitCode {
    let (Some(store), Some(library)) = (args.next(), args.next()) else {
        return ExitCode::from(2);
    };
    let Some(agent) = args.next().and_then(|n| n.to_str()?.parse().ok()) else {
        return ExitCode::from(2);
    };
    let (to, mut events) = tokio::sync::mpsc::channel(64);
    let Ok(hosts) = Hosts::start(HostConfig::new(store), to) else {
        return ExitCode::FAILURE;
    };
    hosts.watch(library.into());
    while let Some(event) = events.blocking_recv() {
        match event {
            HostEvent::Probed(probed) => {
                let build = wb_core::ids::BuildId(1);
                hosts.activate(build, &probed);
                hosts.run(JobRequest {
                    job: wb_core::ids::JobId(1),
                    build,
                    agent,
                    attempt: 1,
                    stage_json: "{}".into(),
                    task_json: "{}".into(),
                    params: "".into(),
                    inputs: Vec::new(),
                    deadline: None,
                    pauses: false,
                    label: "orphan".into(),
                    priority: wb_core::event::Priority::Bulk,
                });
            }
            HostEvent::Started { pid, .. } => println!("{pid}"),
            other => eprintln!("{other:?}"),
        }
    }
    ExitCode::FAILURE
}
