//! Rebuilds: only complete contents are opened, the newest wins, what runs finishes on the build it
//! began on, and copies go with their last host.
#![allow(clippy::unwrap_used)] // what fails here is a failed test

mod support;

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};
use support::{Desk, agent, compile, outcome};
use wb_core::ids::BuildId;
use wb_host::{HostEvent, JobResult, Probed};

fn build_with(to: &Path, answer: &str) {
    compile("hostile.c", to, &[&format!("-DANSWER=\"{answer}\"")]);
}

fn answer_of(desk: &mut Desk, build: BuildId) -> String {
    match desk.run(build, "answer") {
        JobResult::Outcome(json) => String::from_utf8(json).unwrap(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn new_code_answers_after_a_rebuild_and_old_work_finishes_on_the_old_build() {
    let mut desk = Desk::with(|config| config.max_hosts = 2);
    desk.hosts.set_concurrency(2);
    let library = desk.path("libhostile.so");
    let old = desk.hostile();
    let running = desk.start(old, "listens", None);
    desk.started(running);

    build_with(&library, "two");
    let probed = desk.probed();
    let new = BuildId(2);
    desk.hosts.activate(new, &probed);
    desk.hosts.retire(old);
    assert_eq!(answer_of(&mut desk, new), r#"{"route":"two"}"#);

    // New work for the old build is refused; what runs there is not.
    let late = desk.start(old, "answer", None);
    match desk.done(late) {
        JobResult::Failed(error, None) => assert!(error.retry && error.summary.contains("#1")),
        other => panic!("{other:?}"),
    }
    desk.hosts.cancel(running);
    assert_eq!(desk.done(running), JobResult::Cancelled);
}

#[test]
fn the_copy_of_a_retired_build_goes_with_its_last_host() {
    let mut desk = Desk::new();
    let library = desk.path("libhostile.so");
    desk.hostile();
    build_with(&library, "two");
    let probed = desk.probed();
    desk.hosts.activate(BuildId(2), &probed);
    desk.hosts.retire(BuildId(1));
    let until = Instant::now() + support::PATIENCE;
    loop {
        let left = desk.copies();
        if left.len() == 1 {
            assert!(probed.copy.starts_with(&left[0]));
            break;
        }
        assert!(Instant::now() < until, "{left:?}");
        // Work goes on while the old host leaves.
        assert_eq!(answer_of(&mut desk, BuildId(2)), r#"{"route":"two"}"#);
    }
    desk.hosts.retire(BuildId(2));
    desk.rt.block_on(desk.hosts.shutdown());
    assert!(!probed.copy.exists());
}

#[test]
fn content_that_nobody_needs_is_discarded_with_its_host() {
    let mut desk = Desk::new();
    let library = desk.path("libhostile.so");
    build_with(&library, "one");
    desk.hosts.watch(library);
    let probed = desk.probed();
    assert!(probed.copy.exists());
    desk.hosts.discard(&probed);
    desk.rt.block_on(desk.hosts.shutdown());
    assert!(!probed.copy.exists());
}

#[test]
fn touching_a_library_changes_nothing() {
    let mut desk = Desk::new();
    let library = desk.path("libhostile.so");
    build_with(&library, "one");
    desk.hosts.watch(library.clone());
    let first = desk.probed();
    let content = std::fs::read(&library).unwrap();
    std::fs::write(&library, &content).unwrap();
    build_with(&library, "two");
    let second = desk.probed();
    assert_ne!(first.hash, second.hash);
}

/// Every content that was probed answers with what was in a file at some time, and the last one
/// with the last.
fn race(desk: &mut Desk, rounds: usize, mut replace: impl FnMut(usize)) -> Vec<Probed> {
    let mut seen = Vec::new();
    for round in 0..rounds {
        replace(round);
        while let Some(event) = desk.next_within(Duration::from_millis(1)) {
            collect(event, &mut seen);
        }
    }
    let last = format!("v{}", rounds - 1);
    while seen
        .last()
        .is_none_or(|p: &Probed| p.descriptor.build_info != last)
    {
        let event = desk.next();
        collect(event, &mut seen);
    }
    seen
}

fn collect(event: HostEvent, seen: &mut Vec<Probed>) {
    match event {
        HostEvent::Probed(probed) => seen.push(probed),
        HostEvent::Rejected { reason, .. } => panic!("a half-written library was tried: {reason}"),
        _ => {}
    }
}

fn check(desk: &mut Desk, seen: &[Probed]) {
    for (n, probed) in seen.iter().enumerate().skip(seen.len().saturating_sub(3)) {
        let build = BuildId(u32::try_from(n).unwrap() + 1);
        desk.hosts.activate(build, probed);
        let expected = format!(r#"{{"route":"{}"}}"#, probed.descriptor.build_info);
        assert_eq!(answer_of(desk, build), expected);
    }
}

#[test]
fn copying_over_a_library_in_place_never_opens_half_of_it() {
    let mut desk = Desk::with(|config| config.max_hosts = 2);
    let library = desk.path("libhostile.so");
    let dir = desk.path("versions");
    std::fs::create_dir(&dir).unwrap();
    let rounds = 24;
    for n in 0..3 {
        build_with(&dir.join(format!("{n}.so")), &format!("v{n}"));
    }
    build_with(&dir.join("3.so"), &format!("v{}", rounds - 1));
    std::fs::copy(dir.join("0.so"), &library).unwrap();
    desk.hosts.watch(library.clone());
    let seen = race(&mut desk, rounds, |round| {
        let version = if round + 1 == rounds { 3 } else { round % 3 };
        let status = Command::new("cp")
            .arg(dir.join(format!("{version}.so")))
            .arg(&library)
            .status();
        assert!(status.unwrap().success());
    });
    check(&mut desk, &seen);
}

#[test]
fn a_compiler_in_a_loop_never_shows_half_a_library() {
    let mut desk = Desk::with(|config| config.max_hosts = 2);
    let library = desk.path("libhostile.so");
    desk.hosts.watch(library.clone());
    let seen = race(&mut desk, 12, |round| {
        build_with(&library, &format!("v{round}"));
    });
    check(&mut desk, &seen);
}

/// Measures the memory of the whole test process: run it alone, with `--ignored`.
#[test]
#[ignore = "takes ten seconds and measures the whole test process: run it alone"]
fn two_hundred_reloads_leave_the_workbench_as_small_as_it_was() {
    let mut desk = Desk::with(|config| config.max_hosts = 2);
    let library = desk.path("libhostile.so");
    let versions: Vec<_> = (0..2)
        .map(|n| {
            let path = desk.path(&format!("v{n}"));
            build_with(&path, &format!("v{n}"));
            path
        })
        .collect();
    let rss = || {
        let text = std::fs::read_to_string("/proc/self/statm").unwrap();
        text.split(' ').nth(1).unwrap().parse::<u64>().unwrap() * 4096
    };
    desk.hosts.watch(library.clone());
    let mut after_ten = 0;
    for n in 0..200_u32 {
        let next = desk.path("next");
        std::fs::copy(&versions[n as usize % 2], &next).unwrap();
        std::fs::rename(&next, &library).unwrap();
        let probed = desk.probed();
        let build = BuildId(n + 1);
        desk.hosts.activate(build, &probed);
        desk.hosts.retire(BuildId(n));
        let expected = format!(r#"{{"route":"v{}"}}"#, n % 2);
        assert_eq!(desk.run(build, "answer"), outcome(&expected));
        desk.seen.clear();
        if n == 10 {
            after_ten = rss();
        }
    }
    let grown = rss().saturating_sub(after_ten);
    println!("grown by {} kB over 190 reloads", grown / 1024);
    assert!(grown < 8 << 20, "{grown} bytes");
    let _ = agent("answer");
}
