//! Resources: one process for all hosts, kept by rebuilds that do not change it, started again after a crash.
#![allow(clippy::unwrap_used)] // what fails here is a failed test

mod support;

use std::path::Path;
use std::time::Duration;
use support::{Desk, compile, wait_until_gone};
use wb_core::ids::{BuildId, JobId};
use wb_host::{HostEvent, JobResult};

/// Compiles the library beside its place and moves it there.
fn build(desk: &Desk, version: &str, code: &str, more: &[&str]) {
    let opens = desk.path("opens");
    let mut options = vec![
        format!("-DOPENS=\"{}\"", opens.display()),
        format!("-DVERSION=\"{version}\""),
        format!("-DCODE=\"{code}\""),
    ];
    options.extend(more.iter().map(|option| (*option).to_owned()));
    let options: Vec<&str> = options.iter().map(String::as_str).collect();
    compile("resource.c", &desk.path("next"), &options);
    std::fs::rename(desk.path("next"), library(desk)).unwrap();
}

fn library(desk: &Desk) -> std::path::PathBuf {
    desk.path("libresource.so")
}

/// The processes that have opened it, in order.
fn opens(path: &Path) -> Vec<u32> {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    text.lines().map(|line| line.parse().unwrap()).collect()
}

fn asks(desk: &mut Desk, build: u32, question: &str) -> JobId {
    let mut request = desk.request(BuildId(build), 0);
    request.params = format!("\"Model\"\n{question}").into();
    let job = request.job;
    desk.hosts.run(request);
    job
}

/// Process, length of the question and version, as the resource answers.
fn answer(result: JobResult) -> (u32, usize, String) {
    let JobResult::Outcome(json) = result else {
        panic!("{result:?}");
    };
    let json: serde_json::Value = serde_json::from_slice(&json).unwrap();
    let text = json["route"].as_str().unwrap();
    let words: Vec<&str> = text.split(' ').collect();
    (
        words[0].parse().unwrap(),
        words[1].parse().unwrap(),
        words[2].to_owned(),
    )
}

#[test]
fn all_hosts_and_builds_share_one_process_until_the_resource_changes() {
    let mut desk = Desk::new();
    let file = desk.path("opens");
    build(&desk, "1", "first", &[]);
    desk.hosts.set_concurrency(4);
    desk.hosts.watch(library(&desk));
    let first = desk.probed();
    assert_eq!(opens(&file).len(), 1, "open before the build is announced");
    desk.hosts.activate(BuildId(1), &first);
    let jobs: Vec<JobId> = (0..12).map(|_| asks(&mut desk, 1, "hello")).collect();
    let model = opens(&file)[0];
    for _ in jobs {
        let result = desk.wait(|event| match event {
            HostEvent::Done { result, .. } => Some(result.clone()),
            _ => None,
        });
        assert_eq!(answer(result), (model, 5, "1".to_owned()));
    }
    // Larger than any buffer on the way.
    let job = asks(&mut desk, 1, &"x".repeat(3 << 20));
    assert_eq!(answer(desk.done(job)).1, 3 << 20);

    build(&desk, "1", "second", &[]);
    let second = desk.probed();
    desk.hosts.activate(BuildId(2), &second);
    desk.hosts.retire(BuildId(1));
    let job = asks(&mut desk, 2, "hello");
    assert_eq!(answer(desk.done(job)).0, model, "the rebuild keeps it");
    assert_eq!(opens(&file), [model]);

    build(&desk, "2", "second", &[]);
    let third = desk.probed();
    desk.hosts.activate(BuildId(3), &third);
    desk.hosts.retire(BuildId(2));
    let job = asks(&mut desk, 3, "hello");
    let (other, _, version) = answer(desk.done(job));
    assert_eq!(version, "2");
    assert_eq!(opens(&file), [model, other]);
    wait_until_gone(model);
    desk.rt.block_on(desk.hosts.shutdown());
    wait_until_gone(other);
}

#[test]
fn a_crash_fails_the_question_and_the_process_is_started_again_a_few_times() {
    let mut desk = Desk::new();
    let file = desk.path("opens");
    build(&desk, "1", "first", &[]);
    desk.hosts.watch(library(&desk));
    let probed = desk.probed();
    desk.hosts.activate(BuildId(1), &probed);
    let failed = |result| match result {
        JobResult::Failed(error, _) => error.into_facts().summary,
        other => panic!("{other:?}"),
    };
    for crash in 1..=3 {
        let job = asks(&mut desk, 1, "crash");
        let why = failed(desk.done(job));
        assert!(
            why.contains("its process crashed: abort (SIGABRT)"),
            "{why}"
        );
        assert!(why.contains("while it answered"), "{why}");
        if crash < 3 {
            let job = asks(&mut desk, 1, "hello");
            let now = answer(desk.done(job)).0;
            assert_eq!(opens(&file).last(), Some(&now));
            assert_eq!(opens(&file).len(), crash + 1);
        }
    }
    let job = asks(&mut desk, 1, "hello");
    let why = failed(desk.done(job));
    assert!(why.contains("ended 3 times"), "{why}");
    assert_eq!(opens(&file).len(), 3);
}

#[test]
fn a_build_whose_resource_cannot_be_opened_is_refused_and_the_last_one_goes_on() {
    let mut desk = Desk::with(|config| config.load_timeout = Duration::from_secs(3));
    build(&desk, "1", "first", &[]);
    desk.hosts.watch(library(&desk));
    let probed = desk.probed();
    desk.hosts.activate(BuildId(1), &probed);
    build(&desk, "2", "second", &["-DBROKEN"]);
    let (reason, _) = desk.rejected();
    assert_eq!(reason, "resource Model: opening it failed: no weights");
    build(&desk, "3", "third", &["-DENDLESS"]);
    let (reason, hints) = desk.rejected();
    assert_eq!(reason, "resource Model: opening it took longer than 3s");
    assert!(hints[0].contains("--load-timeout"), "{hints:?}");
    let hung = *opens(&desk.path("opens")).last().unwrap();
    wait_until_gone(hung);
    let job = asks(&mut desk, 1, "hello");
    assert_eq!(answer(desk.done(job)).2, "1");
}

#[test]
fn a_resource_that_the_library_does_not_export_is_named_with_what_to_do() {
    let mut desk = Desk::new();
    build(&desk, "1", "first", &[]);
    desk.hosts.watch(library(&desk));
    let probed = desk.probed();
    desk.hosts.activate(BuildId(1), &probed);
    let mut request = desk.request(BuildId(1), 0);
    request.params = "\"Other\"\nhello".into();
    let job = request.job;
    desk.hosts.run(request);
    let JobResult::Failed(error, _) = desk.done(job) else {
        panic!("it has an answer");
    };
    assert!(error.summary.contains("export!"), "{error:?}");
}
