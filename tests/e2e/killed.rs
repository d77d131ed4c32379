//! The workbench is killed together with the supervisors of its hosts, the worst moment there is: nothing of it
//! survives, and the next command goes on. Kills at each step of a commit are in `crash`.

use crate::support::{DEADLINE, Server, c_agent, c_text, command, stderr, workbench};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::Path;
use std::process::Stdio;
use std::time::Instant;

/// The number of a process's parent; `None` once it is gone.
fn parent_of(pid: i32) -> Option<i32> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let mut fields = stat.rsplit(')').next()?.split_whitespace();
    match fields.next()? {
        "Z" | "X" => None,
        _ => fields.next()?.parse().ok(),
    }
}

#[track_caller]
fn until(what: &str, holds: impl Fn() -> bool) {
    let end = Instant::now() + DEADLINE;
    while !holds() {
        assert!(Instant::now() < end, "{what}");
        std::thread::yield_now();
    }
}

#[test]
fn a_run_killed_with_the_supervisors_of_its_hosts_leaves_no_host_and_is_finished_by_resume() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(&["--scenario", "seed", "--tasks", "6"]);
    let stuck = server.tasks()[3]["uuid"].as_str().unwrap().to_owned();
    let (calls, go) = (dir.path().join("calls"), dir.path().join("go"));
    let defines = [
        c_text("LOG", calls.to_str().unwrap()),
        c_text("GO", go.to_str().unwrap()),
        c_text("WORD", &stuck),
    ];
    let library = c_agent(dir.path(), "waits", &defines.each_ref().map(String::as_str));
    let mut child = command(dir.path())
        .args([
            "run",
            "--task-batch-size",
            "1",
            "--project-hash",
            &server.project(),
            "--agents",
        ])
        .arg(&library)
        .envs(server.env())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let called = || std::fs::read_to_string(&calls).unwrap_or_default();
    until("the agent never waits", || {
        called().contains(&stuck) && server.changed("actions") == 3
    });
    // The answers of the server are in the journal too.
    until("the journal never has the three", || {
        workbench_journal(dir.path(), &server)["done"] == 3
    });
    let calls = called();
    let hosts = calls
        .lines()
        .map(|line| line.split(' ').next().unwrap().parse::<i32>().unwrap());
    let hosts: BTreeSet<i32> = hosts.collect();
    let workbench = Pid::from_child(&child);
    // While it is stopped it sees nothing of the end of a supervisor.
    kill_process(workbench, Signal::STOP).unwrap();
    for host in &hosts {
        let supervisor = parent_of(*host).unwrap();
        assert_eq!(
            parent_of(supervisor),
            Some(workbench.as_raw_nonzero().get())
        );
        kill_process(Pid::from_raw(supervisor).unwrap(), Signal::KILL).unwrap();
    }
    kill_process(workbench, Signal::KILL).unwrap();
    child.wait().unwrap();
    for host in hosts {
        until("a host survives", || parent_of(host).is_none());
    }

    std::fs::write(go, "").unwrap();
    let listed = workbench_journal(dir.path(), &server);
    assert_eq!(
        (&listed["interrupted"], &listed["done"]),
        (&json!(true), &json!(3)),
        "{listed}"
    );
    let resumed = command(dir.path())
        .arg("resume")
        .envs(server.env())
        .output()
        .unwrap();
    assert_eq!(resumed.status.code(), Some(0), "{}", stderr(&resumed));
    assert_eq!(server.changed("actions"), 6, "each moved once");
    assert_eq!(workbench_journal(dir.path(), &server)["interrupted"], false);
}

/// The only operation of the journal.
fn workbench_journal(dir: &Path, server: &Server) -> Value {
    let output = workbench(dir, server, &["journal", "--json"]);
    serde_json::from_slice(&output.stdout).unwrap()
}
