//! A machine that has no more to give: a full disk, no more files or processes, a clock that is far off, a folder
//! that is removed. The command ends in plain words, and nothing is written that the journal does not know.

use crate::support::{DEADLINE, PROGRAM, Server, c_agent, c_text, command, lines, run, stderr};
use serde_json::Value;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Instant;

const BOX: &str = r#"{"route":"complete","priority":0.25,"add":[{"name":"Car","boundingBox":{"x":0.1,"y":0.2,"w":0.3,"h":0.4}}]}"#;

/// `workbench run` by a shell that has set a limit before.
fn limited(dir: &Path, server: &Server, library: &Path, limit: &str, args: &str) -> Output {
    let script = format!("ulimit {limit}; exec \"$0\" run --progress none {args}");
    let run = command(dir);
    let mut shell = Command::new("bash");
    shell.args(["-c", &script, PROGRAM]).current_dir(dir);
    for (name, value) in run.get_envs() {
        match value {
            Some(value) => shell.env(name, value),
            None => shell.env_remove(name),
        };
    }
    shell
        .envs(server.env())
        .env("WORKBENCH_PROJECT", server.project())
        .env("WORKBENCH_AGENTS", library)
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

/// Entries of the journal of a folder.
fn noted(dir: &Path) -> u64 {
    let db = rusqlite::Connection::open(dir.join(".workbench/journal.db")).unwrap();
    let count = |r: &rusqlite::Row<'_>| r.get::<_, i64>(0);
    let noted = db.query_row("SELECT count(*) FROM entry", [], count);
    u64::try_from(noted.unwrap()).unwrap()
}

#[test]
fn a_full_disk_ends_a_run_at_the_first_write_that_cannot_be_noted() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(&["--scenario", "seed", "--tasks", "400"]);
    let library = c_agent(dir.path(), "noop", &[&c_text("OUTCOME", BOX), "NEEDS=2"]);
    // Files may grow to 700 kB: some batches are noted, not all.
    let full = limited(
        dir.path(),
        &server,
        &library,
        "-f 700",
        "--json --task-batch-size 20",
    );
    let text = stderr(&full);
    assert_eq!(full.status.code(), Some(3), "{text}");
    assert!(
        text.contains("the journal in .workbench cannot be used"),
        "{text}"
    );
    assert!(text.contains("was not written"), "{text}");
    let (tasks, _) = lines(&full);
    assert!(tasks.len() < 400, "the run goes on without a journal");
    let written = server.changed("save_labels");
    assert!(written > 0 && written < 400, "{written}");
    assert!(
        written <= noted(dir.path()),
        "{written} of {}",
        noted(dir.path())
    );
    let resumed = command(dir.path())
        .arg("resume")
        .envs(server.env())
        .output()
        .unwrap();
    assert_eq!(resumed.status.code(), Some(0), "{}", stderr(&resumed));
    assert_eq!(
        (server.changed("actions"), server.changed("save_labels")),
        (400, 400)
    );
}

#[test]
fn a_folder_that_is_removed_during_a_run_is_reported_and_nothing_more_is_written() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(&["--scenario", "seed", "--tasks", "60", "--latency", "20ms"]);
    let library = c_agent(dir.path(), "noop", &[&c_text("OUTCOME", BOX), "NEEDS=2"]);
    let mut child = command(dir.path())
        .args([
            "run",
            "--json",
            "--progress",
            "none",
            "--task-batch-size",
            "1",
        ])
        .args(["--project-hash", &server.project(), "--agents"])
        .arg(&library)
        .envs(server.env())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut out = BufReader::new(child.stdout.take().unwrap()).lines();
    let first: Value = serde_json::from_str(&out.next().unwrap().unwrap()).unwrap();
    assert_eq!(first["outcome"], "moved");
    std::fs::remove_dir_all(dir.path().join(".workbench")).unwrap();
    let rest: Vec<String> = out.map(Result::unwrap).collect();
    let output = child.wait_with_output().unwrap();
    let text = stderr(&output);
    assert_eq!(output.status.code(), Some(3), "{text}");
    assert!(
        text.contains("journal.db was removed or replaced while this command runs"),
        "{text}"
    );
    let moved = rest
        .iter()
        .filter(|l| l.contains(r#""outcome":"moved""#))
        .count() as u64
        + 1;
    assert!(
        moved < 60 && server.changed("actions") == moved,
        "{moved}: {text}"
    );
    let again = run(dir.path(), &server, &library, &[]);
    assert_eq!(again.status.code(), Some(0), "{}", stderr(&again));
    assert_eq!(server.changed("actions"), 60);
}

#[test]
fn a_process_without_files_to_open_ends_with_3_or_works() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(&["--scenario", "seed", "--tasks", "20"]);
    let library = c_agent(dir.path(), "noop", &[]);
    let mut ended = 0;
    for files in 5..44 {
        let limit = format!("-n {files}");
        let output = limited(dir.path(), &server, &library, &limit, "-j 3 --dry-run");
        let (code, text) = (output.status.code(), stderr(&output));
        assert!(
            matches!(code, Some(0 | 3)),
            "{files} files: {code:?} {text}"
        );
        assert!(
            !text.contains("something broke inside"),
            "{files} files: {text}"
        );
        ended += u32::from(code == Some(3));
    }
    assert!(ended > 5, "the limit is not kept here");
}

#[test]
fn a_process_that_may_start_no_others_ends_with_3_or_works() {
    // The limit does not hold for root.
    let nobody = rustix::process::geteuid().is_root();
    if nobody && Command::new("setpriv").arg("--version").output().is_err() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(&["--scenario", "seed", "--tasks", "20"]);
    let library = c_agent(dir.path(), "noop", &[]);
    let key = dir.path().join("key");
    std::fs::copy(server.field("ssh_key_file"), &key).unwrap();
    let program = dir.path().join("workbench");
    std::fs::copy(PROGRAM, &program).unwrap();
    let owned = Command::new("chown")
        .args(["-R", "54321"])
        .arg(dir.path())
        .status()
        .unwrap();
    for processes in 1..14 {
        let script =
            format!("ulimit -u {processes}; exec ./workbench run --progress none --dry-run");
        let mut shell = match nobody && owned.success() {
            true => {
                let mut other = Command::new("setpriv");
                other.args(["--reuid=54321", "--clear-groups", "bash"]);
                other
            }
            false => Command::new("bash"),
        };
        let output = shell
            .args(["-c", &script])
            .current_dir(dir.path())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap())
            .env("ENCORD_DOMAIN", server.field("domain"))
            .env("ENCORD_SSH_KEY_FILE", &key)
            .env("WORKBENCH_PROJECT", server.project())
            .env("WORKBENCH_AGENTS", &library)
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let (code, text) = (output.status.code(), stderr(&output));
        // The shell itself may be refused.
        assert!(
            matches!(code, Some(0 | 3 | 126 | 254)),
            "{processes} processes: {code:?} {text}"
        );
        assert!(
            !text.contains("something broke inside"),
            "{processes} processes: {text}"
        );
    }
}

/// A library that shifts the clock of whoever loads it first.
fn shifted(dir: &Path, seconds: i64) -> PathBuf {
    let source = dir.join("clock.c");
    let code = format!(
        "#define _GNU_SOURCE\n#include <dlfcn.h>\n#include <time.h>\n\
         int clock_gettime(clockid_t id, struct timespec *t) {{\n\
           static int (*real)(clockid_t, struct timespec *);\n\
           if (!real) *(void **)&real = dlsym(RTLD_NEXT, \"clock_gettime\");\n\
           int e = real(id, t); if (id == CLOCK_REALTIME) t->tv_sec += {seconds}L; return e; }}\n"
    );
    std::fs::write(&source, code).unwrap();
    let library = dir.join("clock.so");
    let built = Command::new("cc")
        .args(["-shared", "-fPIC", "-o"])
        .arg(&library)
        .arg(&source)
        .arg("-ldl")
        .status();
    assert!(built.unwrap().success());
    library
}

#[test]
fn a_clock_before_1970_or_after_2262_keeps_no_command_waiting() {
    for seconds in [-2_000_000_000_i64 * 2, 8_000_000_000] {
        let dir = tempfile::tempdir().unwrap();
        let server = Server::start(&["--scenario", "seed", "--tasks", "6"]);
        let library = c_agent(dir.path(), "noop", &[]);
        let clock = shifted(dir.path(), seconds);
        for args in [
            &["run", "--progress", "none", "--max-tasks-per-stage", "3"][..],
            &["run", "--progress", "none"][..],
            &["journal"][..],
            &["undo"][..],
        ] {
            let mut child = command(dir.path())
                .args(args)
                .envs(server.env())
                .env("WORKBENCH_PROJECT", server.project())
                .env("WORKBENCH_AGENTS", &library)
                .env("LD_PRELOAD", &clock)
                .stdout(Stdio::null())
                .stderr(Stdio::piped())
                .spawn()
                .unwrap();
            let until = Instant::now() + DEADLINE / 4;
            let status = loop {
                match child.try_wait().unwrap() {
                    Some(status) => break status,
                    None if Instant::now() > until => {
                        child.kill().unwrap();
                        panic!("{args:?} hangs at {seconds} s");
                    }
                    None => std::thread::yield_now(),
                }
            };
            let text = stderr(&child.wait_with_output().unwrap());
            assert_eq!(status.code(), Some(0), "{args:?} at {seconds} s: {text}");
        }
    }
}
