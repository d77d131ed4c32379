//! Hosts as processes: whose children they are, what they inherit, and that none outlives the
//! workbench, however it ends.
#![allow(clippy::unwrap_used)] // what fails here is a failed test

mod support;

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use support::{Desk, PATIENCE, compile, outcome, wait_until_gone};
use wb_core::ids::BuildId;
use wb_host::{HostEvent, JobResult};

#[test]
fn a_host_dies_with_a_workbench_that_is_killed() {
    let dir = tempfile::tempdir().unwrap();
    let library = dir.path().join("libloop.so");
    compile("hostile.c", &library, &[]);
    let mut parent = Command::new(env!("CARGO_BIN_EXE_wb-host-child"))
        .arg("parent")
        .arg(dir.path().join("store"))
        .arg(&library)
        .arg(support::agent("loops").to_string())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(parent.stdout.take().unwrap())
        .read_line(&mut line)
        .unwrap();
    let host: u32 = line.trim().parse().unwrap();
    assert_ne!(host, parent.id());
    parent.kill().unwrap();
    parent.wait().unwrap();
    wait_until_gone(host);
}

#[test]
fn hosts_outlive_the_thread_that_ordered_them() {
    let mut desk = Desk::new();
    let library = desk.path("libhostile.so");
    compile("hostile.c", &library, &[]);
    let hosts = desk.hosts.clone();
    std::thread::spawn(move || hosts.watch(library))
        .join()
        .unwrap();
    let probed = desk.probed();
    let hosts = desk.hosts.clone();
    let first = std::thread::spawn(move || hosts.activate(BuildId(1), &probed));
    first.join().unwrap();
    let request = desk.request(BuildId(1), 0);
    let (job, hosts) = (request.job, desk.hosts.clone());
    std::thread::spawn(move || hosts.run(request))
        .join()
        .unwrap();
    assert_eq!(desk.done(job), outcome(r#"{"route":"one"}"#));
    let again = desk.start(BuildId(1), "answer", None);
    assert_eq!(desk.done(again), outcome(r#"{"route":"one"}"#));
    let died = desk.seen.iter().any(|e| e.contains("HostDied"));
    assert!(!died, "{:?}", desk.seen);
}

#[test]
fn a_host_leads_its_group_has_no_stdin_no_core_files_and_not_the_key() {
    let mut desk = Desk::with(|config| config.env_remove.push("PATH".into()));
    let build = desk.hostile();
    let job = desk.start(build, "listens", None);
    let pid = desk.started(job);
    let proc = |name: &str| format!("/proc/{pid}/{name}");
    let stat = std::fs::read_to_string(proc("stat")).unwrap();
    let group: u32 = stat
        .rsplit(')')
        .next()
        .unwrap()
        .split_whitespace()
        .nth(2)
        .unwrap()
        .parse()
        .unwrap();
    assert_eq!(group, pid);
    assert_eq!(
        std::fs::read_link(proc("fd/0")).unwrap().to_str(),
        Some("/dev/null")
    );
    let limits = std::fs::read_to_string(proc("limits")).unwrap();
    let core = limits
        .lines()
        .find(|l| l.starts_with("Max core file size"))
        .unwrap();
    assert_eq!(core.split_whitespace().nth(4), Some("0"));
    let environ = std::fs::read(proc("environ")).unwrap();
    let names: Vec<_> = environ
        .split(|b| *b == 0)
        .map(|e| {
            String::from_utf8_lossy(e)
                .split('=')
                .next()
                .unwrap()
                .to_owned()
        })
        .collect();
    assert!(names.contains(&"RUST_BACKTRACE".to_owned()));
    assert!(
        !names.contains(&"PATH".to_owned()),
        "what is to be removed is removed"
    );
    desk.hosts.cancel(job);
}

#[test]
fn dropping_the_last_handle_ends_every_process() {
    let mut desk = Desk::new();
    let build = desk.hostile();
    let job = desk.start(build, "loops", None);
    let pid = desk.started(job);
    drop(desk);
    wait_until_gone(pid);
}

#[test]
fn a_host_that_dies_in_a_job_is_reported_by_the_job_alone() {
    let mut desk = Desk::new();
    let build = desk.hostile();
    let job = desk.start(build, "leaves", None);
    assert!(!matches!(desk.done(job), JobResult::Outcome(_)));
    let next = desk.start(build, "answer", None);
    assert_eq!(desk.done(next), outcome(r#"{"route":"one"}"#));
    let died = desk.seen.iter().any(|e| e.contains("HostDied"));
    assert!(!died, "{:?}", desk.seen);
}

#[test]
fn an_idle_host_that_dies_is_reported_and_replaced() {
    let mut desk = Desk::new();
    let build = desk.hostile();
    let job = desk.start(build, "answer", None);
    let pid = desk.started(job);
    desk.done(job);
    let process = rustix::process::Pid::from_raw(i32::try_from(pid).unwrap()).unwrap();
    rustix::process::kill_process(process, rustix::process::Signal::KILL).unwrap();
    let reason = desk.wait(|event| match event {
        HostEvent::HostDied { pid: p, reason, .. } if *p == pid => Some(reason.clone()),
        _ => None,
    });
    assert!(reason.contains("SIGKILL"), "{reason}");
    let next = desk.start(build, "answer", None);
    assert_ne!(desk.started(next), pid);
    assert_eq!(desk.done(next), outcome(r#"{"route":"one"}"#));
}

/// Hosts that run the program at this place; each has a supervisor, which is a child of ours.
fn running(program: &Path) -> usize {
    let processes = std::fs::read_dir("/proc").unwrap();
    let parent = format!("PPid:\t{}\n", std::process::id());
    let runs = |entry: &std::fs::DirEntry| {
        let exe = std::fs::read_link(entry.path().join("exe"));
        let status = std::fs::read_to_string(entry.path().join("status"));
        exe.is_ok_and(|exe| exe == program) && status.is_ok_and(|s| s.contains(&parent))
    };
    processes.flatten().filter(runs).count()
}

#[test]
fn where_reloads_are_rare_a_spare_host_is_kept_only_once_hosts_die() {
    // A name of its own separates its processes from those of other tests.
    let host = Path::new(env!("CARGO_BIN_EXE_wb-host-child"));
    let dir = tempfile::tempdir_in(host.parent().unwrap()).unwrap();
    let program = dir.path().join("host");
    std::fs::hard_link(host, &program).unwrap();
    let mut desk = Desk::with(|config| (config.exe, config.spare) = (program.clone(), false));
    let build = desk.hostile();
    for _ in 0..50 {
        assert_eq!(desk.run(build, "answer"), outcome(r#"{"route":"one"}"#));
    }
    assert_eq!(running(&program), 1);
    assert!(matches!(desk.run(build, "segv"), JobResult::Crashed(_)));
    assert_eq!(desk.run(build, "answer"), outcome(r#"{"route":"one"}"#));
    let until = std::time::Instant::now() + PATIENCE;
    while running(&program) < 2 {
        assert!(std::time::Instant::now() < until, "no spare was started");
        std::thread::yield_now();
    }
}

#[test]
fn two_builds_take_turns_in_one_place() {
    let mut desk = Desk::with(|config| config.max_hosts = 1);
    let one = desk.hostile();
    let library = desk.path("libsecond.so");
    compile("hostile.c", &library, &["-DANSWER=\"two\""]);
    desk.hosts.watch(library);
    let probed = desk.probed();
    let two = BuildId(2);
    desk.hosts.activate(two, &probed);
    for _ in 0..3 {
        assert_eq!(desk.run(one, "answer"), outcome(r#"{"route":"one"}"#));
        assert_eq!(desk.run(two, "answer"), outcome(r#"{"route":"two"}"#));
    }
}

#[test]
fn started_by_hand_it_reports_that_it_is_not_for_people() {
    let output = Command::new(env!("CARGO_BIN_EXE_wb-host-child"))
        .arg("host")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("workbench --help"));
}
