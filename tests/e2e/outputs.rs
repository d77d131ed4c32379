//! What commands write beside the platform: files that a flag names, stdout, and the state folder.

use crate::support::{PROGRAM, Server, c_agent, command, plan, said, workbench};
use std::fs::{File, Permissions};
use std::io::Write;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

fn mode(path: &Path) -> u32 {
    path.symlink_metadata().unwrap().permissions().mode() & 0o777
}

/// A command of a shell in a folder, with `$WB` for the program and `$P` for the project.
fn shell(dir: &Path, server: &Server, script: &str) -> Output {
    let mut shell = Command::new("sh");
    let of_program = command(dir);
    shell.current_dir(dir).args(["-c", script]);
    for (name, value) in of_program.get_envs() {
        match value {
            Some(value) => shell.env(name, value),
            None => shell.env_remove(name),
        };
    }
    shell
        .env("WB", PROGRAM)
        .env("P", server.project())
        .envs(server.env())
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

fn everything_in(dir: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        found.push(path.clone());
        if path.is_dir() && !path.is_symlink() {
            everything_in(&path, found);
        }
    }
}

#[test]
fn devices_pipes_and_links_are_written_in_place_and_plain_files_whole() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name);
    let server = Server::start(&["--scenario", "seed", "--tasks", "3"]);
    let library = c_agent(dir.path(), "noop", &[]);
    let plan_to = |output: &str, more: &[&str]| {
        let agents = library.to_str().unwrap();
        let args = [
            "plan",
            "--progress",
            "none",
            "--agents",
            agents,
            "-o",
            output,
        ];
        workbench(dir.path(), &server, &[&args[..], more].concat())
    };
    // A device of our own, which a rename would replace as it would /dev/null.
    let device = at("null");
    let made = Command::new("mknod")
        .arg(&device)
        .args(["c", "1", "3"])
        .status();
    let device = match made {
        Ok(status) if status.success() => device,
        _ => PathBuf::from("/dev/null"),
    };
    let device = device.to_str().unwrap();
    let outputs = [
        "--report",
        device,
        "--junit",
        device,
        "--jsonl",
        device,
        "--log-file",
        device,
    ];
    let output = plan_to(device, &outputs);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    assert!(
        Path::new(device)
            .metadata()
            .unwrap()
            .file_type()
            .is_char_device()
    );

    let fifo = at("fifo");
    assert!(
        Command::new("mkfifo")
            .arg(&fifo)
            .status()
            .unwrap()
            .success()
    );
    let reader = std::thread::spawn({
        let (fifo, copy) = (fifo.clone(), at("copy.wbplan"));
        move || {
            std::io::copy(
                &mut File::open(fifo).unwrap(),
                &mut File::create(copy).unwrap(),
            )
        }
    });
    let output = plan_to("fifo", &[]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    reader.join().unwrap().unwrap();
    assert!(fifo.metadata().unwrap().file_type().is_fifo());
    let review = workbench(dir.path(), &server, &["review", "copy.wbplan"]);
    assert!(
        String::from_utf8_lossy(&review.stdout).contains("3 tasks"),
        "{}",
        said(&review)
    );

    // A link to a file that is there keeps its mode; one to a file that is not makes it.
    std::fs::write(at("old.xml"), "old").unwrap();
    std::fs::set_permissions(at("old.xml"), Permissions::from_mode(0o640)).unwrap();
    for (link, target) in [("link.xml", "old.xml"), ("new.wbplan", "target.wbplan")] {
        std::os::unix::fs::symlink(target, at(link)).unwrap();
    }
    let before = at("old.xml").metadata().unwrap().ino();
    let output = plan_to("new.wbplan", &["--junit", "link.xml"]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    assert!(at("link.xml").is_symlink() && at("new.wbplan").is_symlink());
    assert!(
        std::fs::read_to_string(at("old.xml"))
            .unwrap()
            .contains("<testsuites>")
    );
    assert_ne!(
        at("old.xml").metadata().unwrap().ino(),
        before,
        "it was replaced whole"
    );
    assert_eq!(mode(&at("old.xml")), 0o640);
    assert_eq!(mode(&at("target.wbplan")), 0o600);

    let output = shell(
        dir.path(),
        &server,
        "$WB plan -p $P -a ./libnoop.so --progress none -o /dev/stdout > piped.wbplan && \
         $WB run -n -p $P -a ./libnoop.so --progress none --jsonl /dev/stdout | wc -l",
    );
    assert_eq!(
        String::from_utf8_lossy(&output.stdout).trim(),
        "4",
        "{}",
        said(&output)
    );
    let review = workbench(dir.path(), &server, &["review", "piped.wbplan"]);
    assert_eq!(review.status.code(), Some(0), "{}", said(&review));
    let mut left = Vec::new();
    everything_in(dir.path(), &mut left);
    let part = left.iter().find(|p| p.to_string_lossy().ends_with(".part"));
    assert_eq!(part, None, "nothing is left behind");
}

#[test]
fn a_file_stays_as_it_was_when_the_new_one_cannot_be_written_or_the_run_cannot_begin() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(&["--scenario", "seed", "--tasks", "3"]);
    let library = c_agent(dir.path(), "noop", &[]);
    let agents = library.to_str().unwrap();
    for name in ["a.html", "a.xml", "a.jsonl", "a.wbplan"] {
        std::fs::write(dir.path().join(name), "old").unwrap();
    }
    let outputs = [
        "--report", "a.html", "--junit", "a.xml", "--jsonl", "a.jsonl",
    ];
    // No agent is for that stage: nothing is run.
    let args = [
        "plan", "-o", "a.wbplan", "--yes", "-a", agents, "--stage", "nowhere",
    ];
    let output = workbench(dir.path(), &server, &[&args[..], &outputs].concat());
    assert_eq!(output.status.code(), Some(3), "{}", said(&output));
    for name in ["a.html", "a.xml", "a.jsonl", "a.wbplan"] {
        let kept = std::fs::read_to_string(dir.path().join(name)).unwrap();
        assert_eq!(kept, "old", "{name}");
    }
    for (flag, path, code) in [
        ("-o", "/dev/full", 3),
        ("--report", "/dev/full", 3),
        ("--junit", "/dev/full", 3),
        ("--jsonl", "/dev/full", 3),
        ("-o", "no/such/folder.wbplan", 2),
        ("--report", ".", 2),
        ("--jsonl", "no/such/folder.jsonl", 2),
        ("--log-file", "no/such/folder.log", 3),
    ] {
        let mut args = vec!["plan", "--progress", "none", "-a", agents, flag, path];
        if flag != "-o" {
            args.extend(["-o", "/dev/null"]);
        }
        let output = workbench(dir.path(), &server, &args);
        assert_eq!(
            output.status.code(),
            Some(code),
            "{flag} {path}: {}",
            said(&output)
        );
        assert!(
            said(&output).contains(path),
            "{flag} {path}: {}",
            said(&output)
        );
    }
}

#[test]
fn an_existing_plan_is_overwritten_only_when_that_is_asked_for() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(&["--scenario", "seed", "--tasks", "3"]);
    let library = c_agent(dir.path(), "noop", &[]);
    let agents = library.to_str().unwrap();
    let path = dir.path().join("p.wbplan");
    let args = ["plan", "-o", "p.wbplan", "--progress", "none", "-a", agents];
    File::create(&path).unwrap();
    let empty = workbench(dir.path(), &server, &args);
    assert_eq!(
        empty.status.code(),
        Some(0),
        "an empty file: {}",
        said(&empty)
    );
    let first = std::fs::read(&path).unwrap();
    for more in [&[][..], &["--no-input"]] {
        let output = workbench(dir.path(), &server, &[&args[..], more].concat());
        assert_eq!(output.status.code(), Some(8), "{}", said(&output));
        for word in ["p.wbplan exists already", "--yes"] {
            assert!(said(&output).contains(word), "{}", said(&output));
        }
        assert_eq!(std::fs::read(&path).unwrap(), first);
    }
    let output = plan(dir.path(), &server, &library, &[]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    assert_ne!(std::fs::read(&path).unwrap(), first);
}

/// Runs a command with its stdout at a full disk, and at a pipe that nobody reads.
fn without_stdout(dir: &Path, server: &Server, args: &[&str]) -> (Output, Output) {
    let with = |out: Stdio| {
        let mut child = command(dir)
            .args(args)
            .envs(server.env())
            .stdin(Stdio::piped())
            .stdout(out)
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        if args[0] == "exec" {
            let task = server.tasks().pop().unwrap();
            let spec = serde_json::json!({"uuid": task["uuid"], "data_hash": task["data_hash"],
                "data_title": task["data_title"], "created_at": "2024-01-01T00:00:00", "updated_at": "2024-01-01T00:00:00"});
            let _ = writeln!(child.stdin.as_mut().unwrap(), "{spec}");
        }
        drop(child.stdin.take());
        child.wait_with_output().unwrap()
    };
    let full = File::options().write(true).open("/dev/full").unwrap();
    let (reader, closed) = std::io::pipe().unwrap();
    drop(reader);
    (with(full.into()), with(closed.into()))
}

#[test]
fn a_full_disk_or_a_closed_pipe_on_stdout_is_an_error_of_every_command() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(&["--scenario", "seed", "--tasks", "4"]);
    let library = c_agent(dir.path(), "noop", &[]);
    let (agents, project) = (library.to_str().unwrap(), server.project());
    // Something for `journal` and `review` to show.
    let run = [
        "run",
        "-a",
        agents,
        "--max-tasks-per-stage",
        "1",
        "-p",
        &project,
    ];
    assert!(
        command(dir.path())
            .args(run)
            .envs(server.env())
            .output()
            .unwrap()
            .status
            .success()
    );
    plan(dir.path(), &server, &library, &[]);
    let on_project = ["-p", &*project, "-a", agents, "--progress", "none"];
    let reading: &[&[&str]] = &[
        &["--help"],
        &["--version"],
        &["run", "--help"],
        &["keys"],
        &["keys", "--json"],
        &["completions", "bash"],
        &["man"],
        &["config"],
        &["config", "--json"],
        &["print", "system-info"],
        &["print", "system-info", "--json"],
        &["print", "agent-nodes"],
        &["graph"],
        &["graph", "--json"],
        &["stages"],
        &["stages", "--json"],
        &["tasks"],
        &["tasks", "--json"],
        &["check"],
        &["journal"],
        &["journal", "--json"],
        &["journal", "--commands"],
        &["review", "p.wbplan"],
        &["review", "p.wbplan", "--diff"],
        &["review", "p.wbplan", "--json"],
        &["run", "--dry-run", "--json"],
        &["plan", "-o", "q.wbplan", "--json", "--yes"],
        &["exec", "--stage", "Agent 1", "--dry-run"],
        &["apply", "p.wbplan", "--json", "--dry-run"],
        &["undo", "--json", "--dry-run"],
        &["serve", "--scenario", "seed"],
    ];
    for args in reading {
        let args = match args[0] {
            "graph" | "stages" | "tasks" | "check" => [args, &on_project[..4]].concat(),
            "print" | "apply" | "undo" => [args, &on_project[..2]].concat(),
            "exec" => [args, &on_project[..4]].concat(),
            "run" | "plan" if !args.contains(&"--help") => [args, &on_project[..]].concat(),
            _ => args.to_vec(),
        };
        let (full, closed) = without_stdout(dir.path(), &server, &args);
        assert_eq!(full.status.code(), Some(3), "{args:?}: {}", said(&full));
        assert!(said(&full).contains("stdout"), "{args:?}: {}", said(&full));
        assert_eq!(
            closed.status.code(),
            Some(141),
            "{args:?}: {}",
            said(&closed)
        );
        assert!(
            said(&closed).contains("stdout"),
            "{args:?}: {}",
            said(&closed)
        );
    }
}

#[test]
fn what_is_written_upstream_is_written_though_stdout_is_full_or_closed() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(&["--scenario", "seed", "--tasks", "12"]);
    let library = c_agent(dir.path(), "noop", &[]);
    let (agents, project) = (library.to_str().unwrap(), server.project());
    let run = [
        "run",
        "--json",
        "--progress",
        "none",
        "-p",
        &project,
        "-a",
        agents,
    ];
    let some = [&run[..], &["--max-tasks-per-stage", "3"]].concat();
    let (full, closed) = without_stdout(dir.path(), &server, &some);
    assert_eq!(full.status.code(), Some(3), "{}", said(&full));
    assert_eq!(closed.status.code(), Some(141), "{}", said(&closed));
    assert_eq!(server.changed("actions"), 6);
    let exec = ["exec", "--stage", "Agent 1", "-p", &project, "-a", agents];
    let (full, closed) = without_stdout(dir.path(), &server, &exec);
    assert_eq!(
        (full.status.code(), closed.status.code()),
        (Some(3), Some(141)),
        "{}",
        said(&full)
    );
    plan(dir.path(), &server, &library, &[]);
    let apply = ["apply", "p.wbplan", "--json", "-p", &project];
    let (full, _) = without_stdout(dir.path(), &server, &apply);
    assert_eq!(full.status.code(), Some(3), "{}", said(&full));
    let at_start = server
        .tasks()
        .iter()
        .filter(|t| t["stage"] == "Agent 1")
        .count();
    assert_eq!(at_start, 0);
    let undo = ["undo", "--json", "-p", &project];
    let (full, closed) = without_stdout(dir.path(), &server, &undo);
    assert_eq!(
        (full.status.code(), closed.status.code()),
        (Some(3), Some(141)),
        "{}",
        said(&full)
    );
}

#[test]
fn every_file_is_for_its_owner_alone_whatever_the_umask_and_however_the_folder_was_before() {
    let server = Server::start(&["--scenario", "seed", "--tasks", "3"]);
    for (umask, open) in [
        ("000", false),
        ("000", true),
        ("022", true),
        ("0177", false),
    ] {
        let dir = tempfile::tempdir().unwrap();
        c_agent(dir.path(), "noop", &[]);
        let state = dir.path().join(".workbench");
        if open {
            std::fs::create_dir_all(state.join("log")).unwrap();
            std::fs::create_dir_all(state.join("cache/assets/00")).unwrap();
            for name in ["journal.db", "log/old.log", "cache/assets/00/a.jpg"] {
                File::create(state.join(name)).unwrap();
                std::fs::set_permissions(state.join(name), Permissions::from_mode(0o666)).unwrap();
            }
            for name in ["", "log", "cache", "cache/assets", "cache/assets/00"] {
                std::fs::set_permissions(state.join(name), Permissions::from_mode(0o777)).unwrap();
            }
        }
        let output = shell(
            dir.path(),
            &server,
            &format!(
                "umask {umask}; for n in '' -n; do $WB run $n -p $P -a ./libnoop.so --progress none --max-tasks-per-stage 1 \
                 --jsonl r.jsonl --report r.html --junit r.xml --log-file my.log || exit; done; \
                 $WB plan -p $P -a ./libnoop.so -o r.wbplan --progress none"
            ),
        );
        assert_eq!(output.status.code(), Some(0), "{}", said(&output));
        let mut found = vec![state.clone()];
        everything_in(&state, &mut found);
        for name in ["r.jsonl", "r.html", "r.xml", "r.wbplan", "my.log"] {
            found.push(dir.path().join(name));
        }
        assert!(found.iter().any(|p| p.ends_with("journal.db")), "{found:?}");
        for path in found {
            let wanted = if path.is_dir() { 0o700 } else { 0o600 };
            assert_eq!(mode(&path), wanted, "umask {umask}: {}", path.display());
        }
    }
}

#[test]
fn the_state_folder_keeps_itself_out_of_git() {
    let server = Server::start(&["--scenario", "seed", "--tasks", "3"]);
    for before in [false, true] {
        let dir = tempfile::tempdir().unwrap();
        let library = c_agent(dir.path(), "noop", &[]);
        if before {
            std::fs::create_dir(dir.path().join(".workbench")).unwrap();
        }
        let git = |args: &[&str]| {
            let output = Command::new("git")
                .current_dir(dir.path())
                .args(args)
                .output()
                .unwrap();
            assert!(output.status.success(), "{}", said(&output));
            String::from_utf8_lossy(&output.stdout).into_owned()
        };
        git(&["init", "-q"]);
        plan(dir.path(), &server, &library, &[]);
        assert!(dir.path().join(".workbench/log").exists());
        let status = git(&["status", "--porcelain", "--untracked-files=all"]);
        assert!(
            status.contains("p.wbplan") && !status.contains(".workbench"),
            "{status}"
        );
    }
}

#[test]
fn commands_that_only_read_need_no_folder_to_write_to() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(&["--scenario", "seed", "--tasks", "3"]);
    let library = c_agent(dir.path(), "noop", &[]);
    let out = dir.path().join("out.wbplan");
    let (agents, out) = (library.to_str().unwrap(), out.to_str().unwrap());
    let temporary = dir.path().join("tmp");
    std::fs::create_dir(&temporary).unwrap();
    plan(dir.path(), &server, &library, &[]);
    let reviewed = dir.path().join("p.wbplan");
    // No file can be made in /proc, by nobody; and a file stands where the folder should be.
    let blocked = dir.path().join("blocked");
    std::fs::create_dir(&blocked).unwrap();
    File::create(blocked.join(".workbench")).unwrap();
    for folder in [Path::new("/proc"), &blocked] {
        let run = |args: &[&str]| {
            let mut command = command(folder);
            command
                .env("TMPDIR", &temporary)
                .env("XDG_CONFIG_HOME", dir.path());
            command
                .args(args)
                .args(["-p", &server.project(), "-a", agents]);
            command.envs(server.env()).output().unwrap()
        };
        for args in [
            &["stages"][..],
            &["graph"],
            &["tasks"],
            &["tasks", "--filter", "-result:error"],
            &["check"],
            &["config"],
            &["journal"],
            &["print", "agent-nodes"],
            &["review", reviewed.to_str().unwrap()],
            &["run", "--dry-run", "--progress", "none"],
            &["plan", "-o", out, "--yes", "--progress", "none"],
        ] {
            let output = run(args);
            let place = folder.display();
            assert_eq!(
                output.status.code(),
                Some(0),
                "{args:?} in {place}: {}",
                said(&output)
            );
        }
        let output = run(&["run"]);
        assert_eq!(
            output.status.code(),
            Some(3),
            "it writes: {}",
            said(&output)
        );
        assert!(said(&output).contains(".workbench"), "{}", said(&output));
        assert_eq!(
            std::fs::read_dir(&temporary).unwrap().count(),
            0,
            "nothing is left behind"
        );
    }
}

#[test]
fn a_path_with_a_colon_can_be_named() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(&["--scenario", "seed", "--tasks", "3"]);
    let with = dir.path().join("a:b");
    std::fs::create_dir(&with).unwrap();
    let library = c_agent(&with, "noop", &[]);
    let by_flag = workbench(
        dir.path(),
        &server,
        &["check", "-a", library.to_str().unwrap()],
    );
    assert_eq!(by_flag.status.code(), Some(0), "{}", said(&by_flag));
    let several = format!("{}:{}", with.display(), library.display());
    for value in [library.to_str().unwrap(), "a:b", "./a\\:b", &several] {
        let output = command(dir.path())
            .args(["check", "-p", &server.project()])
            .envs(server.env())
            .env("WORKBENCH_AGENTS", value)
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(0), "{value}: {}", said(&output));
    }
}

#[test]
fn a_listing_that_stops_at_its_limit_says_so_and_how_to_get_more() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(&["--scenario", "seed", "--tasks", "103", "--page-size", "50"]);
    let tasks = |args: &[&str]| {
        let output = workbench(dir.path(), &server, &[&["tasks"][..], args].concat());
        let lines = String::from_utf8_lossy(&output.stdout).lines().count();
        (lines, said(&output))
    };
    for args in [&[][..], &["--json"]] {
        let (lines, told) = tasks(args);
        assert_eq!(lines, 100);
        assert!(
            told.contains("Stopped at 100 tasks; there are more"),
            "{told}"
        );
        assert!(told.contains("--limit"), "{told}");
    }
    assert_eq!(tasks(&["--limit", "103"]), (103, String::new()));
    assert_eq!(tasks(&["--limit", "1000"]), (103, String::new()));
    let (lines, told) = tasks(&["--limit", "50"]);
    assert!(lines == 50 && told.contains("there are more"), "{told}");
    let (lines, told) = tasks(&["--limit", "0"]);
    assert!(lines == 0 && !told.contains("Stopped"), "{told}");
}

#[test]
fn names_in_quotes_are_taken_to_the_letter() {
    // What a filter's quotes mean is tested in the core; here they pass the command line.
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(&["--scenario", "seed", "--tasks", "3"]);
    let title = server.tasks()[0]["data_title"].as_str().unwrap().to_owned();
    let filter = format!("title:\"a, b\",\"{title}\"");
    let output = workbench(dir.path(), &server, &["tasks", "--filter", &filter]);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(text.lines().count() == 1 && text.contains(&title), "{text}");
    let output = workbench(
        dir.path(),
        &server,
        &["tasks", "--filter", "\"result:error\""],
    );
    assert_eq!(output.stdout, b"", "{}", said(&output));
}
