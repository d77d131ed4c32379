//! Agents that reach beyond themselves: over the shared pages, for memory, with children of their own,
//! with slow dependencies, with endless reasons. Each is answerable for itself; its neighbours run.
#![allow(clippy::unwrap_used)] // what fails here is a failed test

mod support;

use rustix::process::{Pid, Signal, kill_process};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use support::{ASTRAY, Desk, PATIENCE, compile, outcome, wait_until_gone};
use wb_core::error::Error;
use wb_host::{HostEvent, JobResult};

const ONE: &str = r#"{"route":"one"}"#;

fn error(result: JobResult) -> Error {
    match result {
        JobResult::Crashed(error) | JobResult::TimedOut(error) | JobResult::Failed(error, _) => {
            error
        }
        other => panic!("{other:?}"),
    }
}

/// Runs a job of the agent between two quick neighbours before and four after it, sent together; gives
/// its result, when all neighbours have had theirs.
fn among_neighbours(desk: &mut Desk, name: &str, params: &str) -> JobResult {
    let mut jobs = Vec::new();
    for n in 0..7 {
        let (name, params) = if n == 2 {
            (name, params)
        } else {
            ("answer", "")
        };
        jobs.push(desk.stray(name, params));
    }
    let ids: Vec<_> = jobs.iter().map(|j| j.job).collect();
    desk.hosts.run_all(jobs);
    let (mut own, mut left) = (None, 6);
    let until = Instant::now() + PATIENCE;
    while left > 0 || own.is_none() {
        assert!(
            Instant::now() < until,
            "{name} {params}: {left} neighbours have no result"
        );
        let (job, result) = desk.wait(|event| match event {
            HostEvent::Done { job, result, .. } => Some((*job, result.clone())),
            _ => None,
        });
        if job == ids[2] {
            own = Some(result);
        } else if ids.contains(&job) {
            assert_eq!(
                result,
                outcome(ONE),
                "{name} {params}: a neighbour's result"
            );
            left -= 1;
            if left == 0 && name == "scribbles_and_loops" {
                desk.hosts.cancel(ids[2]);
            }
        }
    }
    own.unwrap()
}

/// Every word of the page of claims with telling values, and the whole page (-1).
fn scribbles() -> Vec<String> {
    let words = [-1_i64, 0, 8, 16, 24, 32, 40, 48, 56, 560];
    let values = [0, 1, 3, 7, 40, 1 << 32, u64::MAX - 1, u64::MAX];
    let pairs = words
        .iter()
        .flat_map(|at| values.iter().map(move |v| (at, v)));
    pairs
        .map(|(at, v)| format!("workbench-claims {at} {v}"))
        .collect()
}

fn quick_desk(hosts: usize) -> Desk {
    let mut desk = Desk::with(|config| config.max_hosts = hosts);
    desk.hosts.set_concurrency(hosts);
    desk.astray();
    for _ in 0..3 {
        let job = desk.stray("answer", "");
        let id = job.job;
        desk.hosts.run(job);
        assert_eq!(desk.done(id), outcome(ONE));
    }
    desk
}

#[test]
fn overwriting_the_control_page_never_affects_other_tasks() {
    let mut desk = quick_desk(1);
    for params in scribbles() {
        match among_neighbours(&mut desk, "scribbles", &params) {
            JobResult::Outcome(_) => {}
            other => {
                let error = error(other);
                assert!(
                    error.summary.contains("wrote over the control page"),
                    "{params}: {error:?}"
                );
            }
        }
    }
}

#[test]
fn an_agent_that_overwrites_the_control_page_and_crashes_is_named() {
    let mut desk = quick_desk(1);
    for params in scribbles() {
        let result = among_neighbours(&mut desk, "scribbles_and_aborts", &params);
        assert!(
            matches!(&result, JobResult::Crashed(_)),
            "{params}: {result:?}"
        );
    }
}

#[test]
fn an_agent_that_overwrites_the_control_page_and_loops_blocks_no_other_task() {
    let mut desk = quick_desk(2);
    for value in [0, 1, 5, 9, u64::MAX] {
        for at in [-1, 48, 56] {
            let params = format!("workbench-claims {at} {value}");
            let result = among_neighbours(&mut desk, "scribbles_and_loops", &params);
            let blamed =
                matches!(&result, JobResult::Crashed(f) if f.summary.contains("control page"));
            assert!(
                blamed || result == JobResult::Cancelled,
                "{params}: {result:?}"
            );
        }
    }
}

#[test]
fn agents_cannot_write_the_page_of_requests() {
    let mut desk = quick_desk(1);
    for at in [-1, 0, 8, 16, 24, 32] {
        let params = format!("workbench-requests {at} 1");
        let error = error(among_neighbours(&mut desk, "scribbles", &params));
        assert!(error.summary.contains("SIGSEGV"), "{error:?}");
    }
}

/// Waits until the agent's daemon has written its number.
fn daemon(file: &Path) -> u32 {
    let until = Instant::now() + PATIENCE;
    loop {
        let text = std::fs::read_to_string(file).unwrap_or_default();
        if let Some(pid) = text.strip_suffix('\n').and_then(|n| n.parse().ok()) {
            std::fs::remove_file(file).unwrap();
            return pid;
        }
        assert!(Instant::now() < until, "no daemon was started");
        std::thread::yield_now();
    }
}

#[test]
fn children_that_left_their_session_end_with_the_host_however_it_ends() {
    let mut desk = Desk::with(|config| config.shutdown_timeout = Duration::from_secs(10));
    desk.astray();
    let file = desk.path("pids");
    let params = file.to_str().unwrap().to_owned();

    let job = desk.stray("daemon_and_loop", &params);
    let id = job.job;
    desk.hosts.run(job);
    let host = desk.started(id);
    let child = daemon(&file);
    let pid = Pid::from_raw(i32::try_from(host).unwrap()).unwrap();
    kill_process(pid, Signal::KILL).unwrap();
    assert!(matches!(desk.done(id), JobResult::Crashed(_)));
    wait_until_gone(child);

    let job = desk.stray("daemon_and_crash", &params);
    let id = job.job;
    desk.hosts.run(job);
    let child = daemon(&file);
    let error = error(desk.done(id));
    assert!(error.summary.contains("SIGSEGV"), "{error:?}");
    wait_until_gone(child);

    let mut job = desk.stray("daemon_and_loop", &params);
    job.deadline = Some(Duration::from_millis(300));
    let id = job.job;
    desk.hosts.run(job);
    let child = daemon(&file);
    assert!(matches!(desk.done(id), JobResult::TimedOut(_)));
    wait_until_gone(child);

    let job = desk.stray("leaves_a_daemon", &params);
    let id = job.job;
    desk.hosts.run(job);
    let child = daemon(&file);
    assert_eq!(desk.done(id), outcome(ONE));
    let hosts = desk.hosts.clone();
    desk.rt.block_on(hosts.shutdown());
    wait_until_gone(child);
}

#[cfg(target_os = "linux")]
#[test]
fn children_that_left_their_session_end_when_the_supervisor_is_killed() {
    let mut desk = Desk::new();
    desk.astray();
    let file = desk.path("pids");
    let params = file.to_str().unwrap().to_owned();
    for with_the_host in [false, true] {
        let job = desk.stray("daemon_and_loop", &params);
        let id = job.job;
        desk.hosts.run(job);
        let host = desk.started(id);
        let child = daemon(&file);
        let status = std::fs::read_to_string(format!("/proc/{host}/status")).unwrap();
        let above = status
            .lines()
            .find_map(|l| l.strip_prefix("PPid:"))
            .unwrap();
        let supervisor = above.trim().parse().unwrap();
        assert_ne!(supervisor, std::process::id());
        let host = with_the_host.then_some(host);
        for number in [Some(supervisor), host].into_iter().flatten() {
            let pid = Pid::from_raw(i32::try_from(number).unwrap()).unwrap();
            // The host may have ended with its supervisor by now.
            let _ = kill_process(pid, Signal::KILL);
        }
        assert!(matches!(desk.done(id), JobResult::Crashed(_)));
        wait_until_gone(child);
    }
}

#[test]
fn children_that_left_their_session_end_with_a_workbench_that_is_killed() {
    let dir = tempfile::tempdir().unwrap();
    let library = dir.path().join("libastray.so");
    compile("astray.c", &library, &[]);
    let file = dir.path().join("pids");
    let agent = ASTRAY.iter().position(|n| *n == "daemon_and_loop").unwrap();
    let mut parent = Command::new(env!("CARGO_BIN_EXE_wb-host-child"))
        .arg("parent")
        .arg(dir.path().join("store"))
        .arg(&library)
        .arg(agent.to_string())
        .env("PIDS", &file)
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let child = daemon(&file);
    parent.kill().unwrap();
    parent.wait().unwrap();
    wait_until_gone(child);
}

#[test]
fn exceeding_the_memory_limit_names_both_numbers_and_fails_one_task() {
    let mut desk = Desk::with(|config| config.memory_limit = Some(300_000_000));
    let build = desk.astray();
    for name in ["eats", "child_eats", "daemon_eats"] {
        let job = desk.stray(name, "");
        let id = job.job;
        desk.hosts.run(job);
        let error = error(desk.done(id));
        let words = [
            "ran out of memory",
            "cam_03.jpg",
            "more than the 300 MB it may use (`memory`)",
        ];
        assert!(
            words.iter().all(|w| error.summary.contains(w)),
            "{name}: {error:?}"
        );
        assert!(error.hints[0].contains("--memory"), "{error:?}");
    }
    assert_eq!(desk.run(build, "answer"), outcome(ONE));
}

#[test]
fn a_library_that_needs_too_much_memory_to_open_is_refused_with_both_numbers() {
    let mut desk = Desk::with(|config| config.memory_limit = Some(200_000_000));
    let library = desk.path("libodd.so");
    let eats = "-DODD_CONSTRUCTOR=for(;;){char*p=malloc(1<<23);memset(p,1,1<<23);}";
    compile(
        "odd.c",
        &library,
        &["-include", "stdlib.h", "-include", "string.h", eats],
    );
    desk.hosts.watch(library);
    let (reason, hints) = desk.rejected();
    assert!(
        reason.contains("more than the 200 MB a host may use"),
        "{reason}"
    );
    assert!(hints[0].contains("--memory"), "{hints:?}");
}

#[test]
fn hosts_have_the_highest_oom_score() {
    let mut desk = Desk::new();
    let build = desk.hostile();
    let job = desk.start(build, "listens", None);
    let pid = desk.started(job);
    let score = std::fs::read_to_string(format!("/proc/{pid}/oom_score_adj")).unwrap();
    assert_eq!(score.trim(), "1000");
    desk.hosts.cancel(job);
}

/// Runs `depends` with a deadline.
fn depends(desk: &mut Desk, how: &str, deadline: Duration) -> JobResult {
    let mut job = desk.stray("depends", how);
    job.deadline = Some(deadline);
    let id = job.job;
    desk.hosts.run(job);
    desk.done(id)
}

#[test]
fn loading_a_dependency_counts_as_loading_and_not_as_work() {
    let mut desk = Desk::new();
    desk.astray();
    let short = Duration::from_millis(150);
    for how in ["loads", "forgets"] {
        assert_eq!(depends(&mut desk, how, short), outcome(ONE), "{how}");
    }
    let error = error(depends(&mut desk, "then loops", short));
    assert!(error.summary.contains("longer than 150ms"), "{error:?}");
    assert_eq!(depends(&mut desk, "loads", short), outcome(ONE));
}

#[test]
fn a_dependency_that_is_slow_or_crashes_while_it_is_loaded_is_named() {
    let mut desk = Desk::with(|config| config.load_timeout = Duration::from_secs(2));
    desk.astray();
    let long = Duration::from_secs(60);
    let slow = error(depends(&mut desk, "hangs", long));
    assert!(
        slow.summary
            .contains("dependency weights took longer than 2s to load"),
        "{slow:?}"
    );
    assert!(slow.hints[0].contains("load_timeout"), "{slow:?}");
    let crash = error(depends(&mut desk, "crashes", long));
    assert!(
        crash.summary.contains("SIGABRT") && crash.summary.contains("dependency weights"),
        "{crash:?}"
    );
}

#[test]
fn a_reason_of_a_megabyte_is_truncated_and_marked() {
    let mut desk = Desk::new();
    desk.astray();
    let job = desk.stray("explains", "");
    let id = job.job;
    desk.hosts.run(job);
    let JobResult::Failed(error, Some(failure)) = desk.done(id) else {
        panic!("it fails with a reason");
    };
    assert!(error.summary.contains("more bytes"), "{}", error.summary);
    let size = error.summary.len() + error.explanation().map(|line| line.len()).sum::<usize>();
    assert!(size < 12_000, "{size}");
    let kept = serde_json::to_string(&failure).unwrap();
    assert!(kept.len() < 32_000, "{}", kept.len());
}
