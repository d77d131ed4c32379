//! The processes that agents run in, through the whole program: what they may use, and what they inherit.

use crate::support::{DEADLINE, Server, Terminal, c_agent, command, lines, run, stderr};
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Output};
use std::sync::mpsc::channel;

/// A command's end; one that does not come fails.
pub fn end_of(child: Child) -> Output {
    let pid = rustix::process::Pid::from_child(&child);
    let (send, ended) = channel();
    std::thread::spawn(move || send.send(child.wait_with_output().unwrap()));
    ended.recv_timeout(DEADLINE).unwrap_or_else(|_| {
        let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
        panic!("it never ends")
    })
}

/// Title of the third task of a server's project.
fn third(server: &Server) -> String {
    let tasks = server.tasks();
    tasks[2]["uuid"].as_str().unwrap().to_owned()
}

pub fn victim(server: &Server, fault: u8, dir: &Path) -> std::path::PathBuf {
    let defines = [
        format!("FAULT={fault}"),
        format!("VICTIM=\"{}\"", third(server)),
    ];
    let defines: Vec<&str> = defines.iter().map(String::as_str).collect();
    c_agent(dir, "hostile", &defines)
}

pub fn faults(output: &Output) -> Vec<String> {
    let (tasks, _) = lines(output);
    let summaries = tasks.iter().filter_map(|t| t["fault"]["summary"].as_str());
    summaries.map(str::to_owned).collect()
}

#[test]
fn exceeding_the_memory_limit_fails_one_task_and_names_both_numbers() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(&["--scenario", "seed", "--tasks", "5"]);
    let library = victim(&server, 7, dir.path());
    let flag = run(
        dir.path(),
        &server,
        &library,
        &["--memory", "250MB", "--dry-run"],
    );
    std::fs::write(dir.path().join("workbench.toml"), "memory = \"250MB\"\n").unwrap();
    let setting = run(dir.path(), &server, &library, &["--dry-run"]);
    for output in [flag, setting] {
        assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
        let found = faults(&output);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(
            found[0].contains("more than the 250 MB it may use"),
            "{found:?}"
        );
    }
}

#[test]
fn limits_of_hosts_are_shown_with_where_they_come_from() {
    let dir = tempfile::tempdir().unwrap();
    let shown = |args: &[&str]| {
        let output = command(dir.path())
            .arg("config")
            .args(args)
            .output()
            .unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    let line = |text: &str, name: &str| {
        let line = text.lines().find(|l| l.starts_with(name)).unwrap();
        line.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    let default = shown(&[]);
    assert_eq!(line(&default, "load_timeout"), "load_timeout 5m default");
    assert!(
        line(&default, "memory").ends_with("a host default"),
        "{default}"
    );
    std::fs::write(
        dir.path().join("workbench.toml"),
        "memory = \"2GB\"\nload_timeout = \"90s\"\n",
    )
    .unwrap();
    let file = shown(&[]);
    assert_eq!(line(&file, "memory"), "memory 2 GB a host workbench.toml");
    assert_eq!(
        line(&file, "load_timeout"),
        "load_timeout 1m30s workbench.toml"
    );
    let flag = shown(&["--memory", "none", "--load-timeout", "3m"]);
    assert_eq!(line(&flag, "memory"), "memory no limit flag");
    assert_eq!(line(&flag, "load_timeout"), "load_timeout 3m flag");
    for (text, why) in [
        ("memory = \"2\"", "write the unit"),
        ("load_timeout = \"30\"", "did you mean 30s?"),
    ] {
        std::fs::write(dir.path().join("workbench.toml"), text).unwrap();
        let output = command(dir.path()).arg("config").output().unwrap();
        assert_eq!(output.status.code(), Some(3));
        assert!(stderr(&output).contains(why), "{}", stderr(&output));
    }
    let output = command(dir.path())
        .args(["config", "--memory", "2"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn an_agent_that_overwrites_the_control_page_affects_no_other_task() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(&["--scenario", "seed", "--tasks", "40"]);
    let library = victim(&server, 8, dir.path());
    let output = run(dir.path(), &server, &library, &["-j", "2"]);
    let (tasks, summary) = lines(&output);
    assert_eq!(tasks.len(), 40);
    assert!(summary["moved"].as_u64().unwrap() >= 39, "{summary}");
    let others = faults(&output);
    assert!(
        others.iter().all(|f| f.contains("control page")),
        "{others:?}"
    );
}

#[test]
fn one_sigterm_ends_a_run_whose_agents_overwrite_the_control_page() {
    use rustix::process::{Pid, Signal, kill_process};
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(&["--scenario", "seed", "--tasks", "3000"]);
    let library = c_agent(dir.path(), "hostile", &["FAULT=8", "VICTIM=\"uuid\""]);
    let mut child = command(dir.path())
        .args(["run", "--dry-run", "--json", "--progress", "none"])
        .args(["--project-hash", &server.project(), "--agents"])
        .arg(&library)
        .envs(server.env())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut tasks = BufReader::new(child.stdout.take().unwrap()).lines();
    tasks.next().expect("nothing is done").unwrap();
    kill_process(Pid::from_child(&child), Signal::TERM).unwrap();
    let rest = std::thread::spawn(move || tasks.count());
    let output = end_of(child);
    assert!(rest.join().unwrap() < 3000, "it was over before the signal");
    assert_eq!(output.status.code(), Some(143), "{}", stderr(&output));
}

#[test]
fn agents_cannot_read_the_key_from_the_environment_of_any_process_above() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(&["--scenario", "seed", "--tasks", "3"]);
    let marker = "a passphrase that nobody may see";
    let defines = [
        "FAULT=9",
        "VICTIM=\"uuid\"",
        &format!("MARKER=\"{marker}\""),
    ];
    let library = c_agent(dir.path(), "hostile", &defines);
    for name in [
        "ENCORD_SSH_KEY_PASSPHRASE",
        "WORKBENCH_BROKER",
        "WORKBENCH_PASSWORD",
    ] {
        let output = command(dir.path())
            .args(["run", "--json", "--dry-run", "--progress", "none"])
            .args(["--project-hash", &server.project(), "--agents"])
            .arg(&library)
            .envs(server.env())
            .env(name, marker)
            .output()
            .unwrap();
        assert_eq!(faults(&output), Vec::<String>::new(), "{name}");
        assert_eq!(lines(&output).0.len(), 3);
    }
}

#[test]
fn cargo_inherits_no_key_whichever_command_starts_it() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(&["--scenario", "seed", "--tasks", "3"]);
    let bin = dir.path().join("bin");
    std::fs::create_dir(&bin).unwrap();
    let seen = dir.path().join("seen");
    let agents = dir.path().join("agents");
    std::fs::create_dir(&agents).unwrap();
    std::fs::write(agents.join("Cargo.toml"), "").unwrap();
    let metadata = serde_json::json!({
        "packages": [{
            "name": "agents",
            "manifest_path": agents.join("Cargo.toml"),
            "targets": [{"name": "agents", "kind": ["cdylib"]}],
        }],
        "target_directory": agents.join("target"),
        "workspace_root": &agents,
    });
    let cargo = bin.join("cargo");
    let script = format!(
        "#!/bin/sh\nenv >> '{}'\n[ \"$1\" = metadata ] && exec echo '{metadata}'\nexit 1\n",
        seen.display()
    );
    std::fs::write(&cargo, script).unwrap();
    std::fs::set_permissions(&cargo, std::fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap());
    let mut env = server.env().to_vec();
    env.extend([
        ("PATH", path),
        ("ENCORD_SSH_KEY_PASSPHRASE", "secret".to_owned()),
        ("WORKBENCH_BROKER", "amqp://secret".to_owned()),
    ]);
    let project = server.project();
    let args = [
        "ui",
        "--build",
        "--project-hash",
        &project,
        "--agents",
        "agents",
    ];
    let mut screen = Terminal::start(dir.path(), &args, &env, (120, 36));
    screen.wait("did not compile");
    screen.quit();
    let text = std::fs::read_to_string(seen).unwrap();
    assert!(
        text.matches("\nPATH=").count() >= 2,
        "both have run: {text}"
    );
    for word in ["secret", "ENCORD_SSH_KEY", "WORKBENCH_BROKER"] {
        assert!(!text.contains(word), "{word} in {text}");
    }
}

#[test]
fn the_server_passes_no_key_to_ffprobe() {
    let dir = tempfile::tempdir().unwrap();
    let (bin, videos) = (dir.path().join("bin"), dir.path().join("videos"));
    for folder in [&bin, &videos] {
        std::fs::create_dir(folder).unwrap();
    }
    std::fs::write(videos.join("a.webm"), b"\x1a\x45\xdf\xa3and no more").unwrap();
    let seen = dir.path().join("seen");
    let ffprobe = bin.join("ffprobe");
    let script = format!("#!/bin/sh\nenv > '{}'\nexit 1\n", seen.display());
    std::fs::write(&ffprobe, script).unwrap();
    std::fs::set_permissions(&ffprobe, std::fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap());
    // Its only video cannot be used, so that it ends at once.
    let output = command(dir.path())
        .args(["serve", "--port", "0", "--import", "videos"])
        .env("PATH", path)
        .env("ENCORD_SSH_KEY_PASSPHRASE", "secret")
        .env("WORKBENCH_BROKER", "amqp://secret")
        .output()
        .unwrap();
    assert!(!output.status.success(), "{}", stderr(&output));
    let text = std::fs::read_to_string(seen).expect("ffprobe was not started");
    assert!(text.contains("PATH=") && !text.contains("secret"), "{text}");
}

#[test]
fn reasons_of_a_megabyte_are_truncated_everywhere() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(&["--scenario", "seed", "--tasks", "100"]);
    let library = c_agent(dir.path(), "hostile", &["FAULT=12", "VICTIM=\"uuid\""]);
    let reports = [
        "--jsonl",
        "all.jsonl",
        "--report",
        "all.html",
        "--junit",
        "all.xml",
    ];
    let output = run(
        dir.path(),
        &server,
        &library,
        &[&["--num-retries", "0"][..], &reports].concat(),
    );
    assert_eq!(output.status.code(), Some(1));
    let (tasks, _) = lines(&output);
    assert_eq!(tasks.len(), 100);
    assert!(faults(&output).iter().all(|f| f.ends_with("more bytes")));
    assert!(output.stdout.len() < 1 << 20, "{}", output.stdout.len());
    let mut size = 0;
    let mut open = vec![dir.path().to_owned()];
    while let Some(path) = open.pop() {
        for entry in std::fs::read_dir(path).unwrap().flatten() {
            match entry.metadata().unwrap() {
                meta if meta.is_dir() => open.push(entry.path()),
                meta => size += meta.len(),
            }
        }
    }
    assert!(size < 8 << 20, "{size} bytes in the folder");
}
