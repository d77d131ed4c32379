//! `workbench queue` and `workbench worker` on real brokers. Without RabbitMQ or Redis these tests are left out, which they report.

use crate::support::brokers::{BrokerServer, ESCAPED, Kind, PASSWORD};
use crate::support::{DEADLINE, Server, c_agent, c_text, command, stderr};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

/// A broker that the tests share, each with queues of its own.
fn shared(kind: Kind) -> Option<String> {
    static SERVERS: [OnceLock<Option<BrokerServer>>; 2] = [OnceLock::new(), OnceLock::new()];
    let server = SERVERS[kind as usize].get_or_init(|| BrokerServer::start(kind));
    server.as_ref().map(BrokerServer::address)
}

fn program(dir: &Path, server: &Server, broker: &str, args: &[&str]) -> Command {
    let mut command = command(dir);
    command
        .args(args)
        .args(["--project-hash", &server.project()])
        .envs(server.env())
        .env("WORKBENCH_BROKER", broker)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// Runs a command that succeeds, and parses the lines of its output.
fn queue(dir: &Path, server: &Server, broker: &str, args: &[&str]) -> Vec<Value> {
    let args = [&["queue"], args, &["--json"]].concat();
    let output = program(dir, server, broker, &args).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines()
        .map(|l| serde_json::from_str(l).unwrap())
        .collect()
}

fn worker(dir: &Path, server: &Server, broker: &str, library: &Path, args: &[&str]) -> Child {
    let library = library.to_str().unwrap();
    let args = [&["worker", "--stage", "Agent 1", "-a", library], args].concat();
    program(dir, server, broker, &args).spawn().unwrap()
}

fn ended(worker: Child) -> Output {
    worker.wait_with_output().unwrap()
}

fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < DEADLINE, "never: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_queue_that_is_not_there_is_named_and_not_made() {
    for kind in [Kind::RabbitMq, Kind::Redis] {
        let Some(broker) = shared(kind) else { return };
        let dir = tempfile::tempdir().unwrap();
        for what in ["status", "peek", "dead", "retry", "purge", "status"] {
            let looked = command(dir.path())
                .args(["queue", what, "--queue", "mistyped"])
                .env("WORKBENCH_BROKER", &broker)
                .output()
                .unwrap();
            assert_eq!(looked.status.code(), Some(3), "{}", stderr(&looked));
            let named = "has no queue \"mistyped\"";
            assert!(stderr(&looked).contains(named), "{}", stderr(&looked));
        }
    }
}

fn tasks_are_pushed_once_and_each_is_run_once(kind: Kind) {
    let Some(broker) = shared(kind) else { return };
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(&["--scenario", "seed", "--tasks", "150"]);
    let library = c_agent(dir.path(), "noop", &[]);
    let name = ["--queue", "once"];
    let push = [&["push", "--stage", "Agent 1"], &name[..]].concat();
    let status = [&["status"], &name[..]].concat();
    let run = |args: &[&str]| queue(dir.path(), &server, &broker, args);
    assert_eq!(run(&push), [json!({"pushed": 150, "skipped": 0})]);
    assert_eq!(run(&push), [json!({"pushed": 0, "skipped": 150})]);
    let before = &run(&status)[0];
    assert_eq!(
        (&before["ready"], &before["dead"]),
        (&json!(150), &json!(0))
    );
    assert!(before["oldest_s"].as_u64().unwrap() < 600);
    let peeked = run(&[&["peek", "--limit", "2"], &name[..]].concat());
    assert_eq!(peeked.len(), 2);
    assert!(peeked[0]["specs"][0]["data_hash"].is_string());
    // What was pushed twice is run once.
    let twice = run(&[&push[..], &["--again"]].concat());
    assert_eq!(twice, [json!({"pushed": 150, "skipped": 0})]);
    let args = [&name[..], &["--max-tasks", "300", "-j", "2"]].concat();
    let output = ended(worker(dir.path(), &server, &broker, &library, &args));
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert_eq!(server.changed("actions"), 150);
    let after = &run(&status)[0];
    let counts = ["ready", "delayed", "dead"].map(|name| after[name].clone());
    assert_eq!(
        counts,
        [json!(0), json!(0), json!(0)],
        "{}",
        stderr(&output)
    );
    assert!(stderr(&output).contains("300 done"), "{}", stderr(&output));
}

#[test]
fn tasks_are_pushed_once_and_each_is_run_once_on_rabbitmq() {
    tasks_are_pushed_once_and_each_is_run_once(Kind::RabbitMq);
}

#[test]
fn tasks_are_pushed_once_and_each_is_run_once_on_redis() {
    tasks_are_pushed_once_and_each_is_run_once(Kind::Redis);
}

#[test]
fn a_task_that_fails_is_tried_again_then_a_dead_letter_and_sent_again_after_a_fix() {
    let Some(broker) = shared(Kind::RabbitMq) else {
        return;
    };
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(&["--scenario", "seed", "--tasks", "3"]);
    let run = |args: &[&str]| queue(dir.path(), &server, &broker, args);
    let name = ["--queue", "fails"];
    let victim = run(&[&["push"], &name[..]].concat());
    assert_eq!(victim, [json!({"pushed": 3, "skipped": 0})]);
    let peeked = run(&[&["peek"], &name[..]].concat());
    let victim = peeked[1]["specs"][0]["uuid"].as_str().unwrap().to_owned();
    let word = format!("WORD=\"{victim}\"");
    let library = c_agent(dir.path(), "picky", &[&word]);
    // Two that are done, and one with two attempts.
    let args = [&name[..], &["--max-tasks", "4", "--num-retries", "1"]].concat();
    let output = ended(worker(dir.path(), &server, &broker, &library, &args));
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let dead = run(&[&["dead"], &name[..]].concat());
    assert_eq!(dead.len(), 1, "{}", stderr(&output));
    assert_eq!(
        (&dead[0]["task_uuid"], &dead[0]["attempts"]),
        (&json!(victim), &json!(2))
    );
    assert_eq!(dead[0]["stage"], "Agent 1");
    assert_eq!(dead[0]["spec"]["uuid"], json!(victim));
    let (first, last) = (&dead[0]["first_at"], &dead[0]["last_at"]);
    assert!(first.as_str().unwrap() < last.as_str().unwrap());
    assert_eq!(server.changed("actions"), 2);
    let fixed = c_agent(dir.path(), "noop", &[]);
    assert_eq!(run(&[&["retry"], &name[..]].concat()), [json!({"sent": 1})]);
    let args = [&name[..], &["--max-tasks", "1"]].concat();
    let output = ended(worker(dir.path(), &server, &broker, &fixed, &args));
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert_eq!(server.changed("actions"), 3);
}

#[test]
fn workers_that_are_killed_leave_their_tasks_to_others_and_each_is_written_once() {
    let Some(broker) = shared(Kind::RabbitMq) else {
        return;
    };
    let server = Server::start(&["--scenario", "seed", "--tasks", "120"]);
    let folders = [(); 3].map(|()| tempfile::tempdir().unwrap());
    let log = folders[0].path().join("calls");
    let log = c_text("LOG", log.to_str().unwrap());
    let library = c_agent(folders[0].path(), "paced", &["PACE=20", &log]);
    let name = ["--queue", "killed", "--prefetch", "8"];
    let push = ["push", "--queue", "killed"];
    queue(folders[0].path(), &server, &broker, &push);
    for folder in &folders[..2] {
        let before = server.changed("actions");
        let mut killed = worker(folder.path(), &server, &broker, &library, &name);
        until("a few tasks are done", || {
            server.changed("actions") > before + 8
        });
        killed.kill().unwrap();
        ended(killed);
    }
    let last = worker(folders[2].path(), &server, &broker, &library, &name);
    let status = ["status", "--queue", "killed"];
    until("the queue is empty", || {
        let status = &queue(folders[2].path(), &server, &broker, &status)[0];
        status["ready"] == 0 && status["delayed"] == 0 && server.changed("actions") == 120
    });
    let pid = Pid::from_child(&last);
    kill_process(pid, Signal::TERM).unwrap();
    let output = ended(last);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert_eq!(server.changed("actions"), 120);
    let status = &queue(folders[2].path(), &server, &broker, &status)[0];
    assert_eq!(status["dead"], json!(0));
}

#[test]
fn a_password_is_in_no_output_and_not_in_the_arguments_of_the_process() {
    let Some(broker) = shared(Kind::RabbitMq) else {
        return;
    };
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(&["--scenario", "seed", "--tasks", "2"]);
    let library = c_agent(dir.path(), "noop", &[]);
    let library = library.to_str().unwrap();
    let running = command(dir.path())
        .args(["worker", "--broker", &broker, "--queue", "password"])
        .args(["-a", library, "-p", &server.project(), "-vv"])
        .envs(server.env())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let place = format!("/proc/{}/cmdline", running.id());
    let arguments = || std::fs::read_to_string(&place).unwrap_or_default();
    until("its arguments are clean", || {
        let now = arguments();
        now.contains("worker") && !now.contains("amqp")
    });
    let wrong = broker.replace(ESCAPED, "wr0ng%21secret");
    let refused = program(dir.path(), &server, &wrong, &["queue", "status"])
        .output()
        .unwrap();
    assert_eq!(refused.status.code(), Some(6), "{}", stderr(&refused));
    let status = ["status", "--queue", "password"];
    until("it takes messages", || {
        queue(dir.path(), &server, &broker, &status)[0]["consumers"] == 1
    });
    kill_process(Pid::from_child(&running), Signal::TERM).unwrap();
    let output = ended(running);
    let mut texts = format!("{}{}", stderr(&output), stderr(&refused));
    assert!(texts.contains("warning"), "{texts}");
    let log = dir.path().join(".workbench/log");
    texts.push_str(&std::fs::read_to_string(log).unwrap_or_default());
    for secret in [PASSWORD, ESCAPED, "wr0ng"] {
        assert!(!texts.contains(secret), "{texts}");
    }
}

#[test]
fn a_broker_that_is_not_there_is_named_and_so_is_a_missing_address() {
    let dir = tempfile::tempdir().unwrap();
    let none = command(dir.path()).args(["queue", "status"]).output();
    let none = none.unwrap();
    assert_eq!(none.status.code(), Some(2), "{}", stderr(&none));
    assert!(stderr(&none).contains("WORKBENCH_BROKER"));
    let file = dir.path().join("address");
    std::fs::write(&file, "ftp://ann:s3cret@host\n").unwrap();
    let wrong = command(dir.path())
        .args(["queue", "status", "--broker-file"])
        .arg(&file)
        .output()
        .unwrap();
    assert_eq!(wrong.status.code(), Some(3), "{}", stderr(&wrong));
    assert!(!stderr(&wrong).contains("s3cret"), "{}", stderr(&wrong));
    // Nothing listens there.
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let place = format!("ann:s3cret@{}", free.local_addr().unwrap());
    drop(free);
    let waiting = ["amqp", "redis"].map(|kind| {
        let mut status = command(dir.path());
        status
            .args(["queue", "status"])
            .env("WORKBENCH_BROKER", format!("{kind}://{place}"))
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        status.spawn().unwrap()
    });
    for away in waiting.map(ended) {
        let text = stderr(&away);
        assert_eq!(away.status.code(), Some(7), "{text}");
        assert!(text.contains("tried for 10 s"), "{text}");
        assert!(!text.contains("s3cret"), "{text}");
    }
}
