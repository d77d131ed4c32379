//! Files that a flag names: replaced whole, written in place, or left as they were.

use crate::support::{
    Server, Terminal, c_agent, c_text, command, everything_in, mode, plan, shell, stderr, workbench,
};
use std::fs::{File, Permissions};
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::Command;

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
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
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
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    reader.join().unwrap().unwrap();
    assert!(fifo.metadata().unwrap().file_type().is_fifo());
    let review = workbench(dir.path(), &server, &["review", "copy.wbplan"]);
    assert!(
        String::from_utf8_lossy(&review.stdout).contains("3 tasks"),
        "{}",
        stderr(&review)
    );

    // A link to a file that is there keeps its mode; one to a file that is not makes it.
    std::fs::write(at("old.xml"), "old").unwrap();
    std::fs::set_permissions(at("old.xml"), Permissions::from_mode(0o640)).unwrap();
    for (link, target) in [("link.xml", "old.xml"), ("new.wbplan", "target.wbplan")] {
        std::os::unix::fs::symlink(target, at(link)).unwrap();
    }
    let before = at("old.xml").metadata().unwrap().ino();
    let output = plan_to("new.wbplan", &["--junit", "link.xml"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(at("link.xml").is_symlink() && at("new.wbplan").is_symlink());
    assert!(
        std::fs::read_to_string(at("old.xml"))
            .unwrap()
            .contains("<testsuites ")
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
        stderr(&output)
    );
    let review = workbench(dir.path(), &server, &["review", "piped.wbplan"]);
    assert_eq!(review.status.code(), Some(0), "{}", stderr(&review));
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
    assert_eq!(output.status.code(), Some(3), "{}", stderr(&output));
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
            stderr(&output)
        );
        assert!(
            stderr(&output).contains(path),
            "{flag} {path}: {}",
            stderr(&output)
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
        stderr(&empty)
    );
    let first = std::fs::read(&path).unwrap();
    for more in [&[][..], &["--no-input"]] {
        let output = workbench(dir.path(), &server, &[&args[..], more].concat());
        assert_eq!(output.status.code(), Some(8), "{}", stderr(&output));
        for word in ["p.wbplan exists already", "--yes"] {
            assert!(stderr(&output).contains(word), "{}", stderr(&output));
        }
        assert_eq!(std::fs::read(&path).unwrap(), first);
    }
    let output = plan(dir.path(), &server, &library, &[]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert_ne!(std::fs::read(&path).unwrap(), first);
}

#[test]
fn a_person_is_asked_before_a_plan_is_overwritten() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(&["--scenario", "seed", "--tasks", "3"]);
    let library = c_agent(dir.path(), "noop", &[]);
    let (agents, project) = (library.to_str().unwrap(), server.project());
    let path = dir.path().join("p.wbplan");
    std::fs::write(&path, "precious").unwrap();
    let args = [
        "plan",
        "-o",
        "p.wbplan",
        "--progress",
        "none",
        "-a",
        agents,
        "-p",
        &project,
    ];
    for (answer, replaced) in [("n\r", false), ("\r", false), ("y\r", true)] {
        let mut terminal = Terminal::start(dir.path(), &args, &server.env(), (100, 20));
        terminal.wait("p.wbplan exists already. Overwrite it? [y/N]");
        let (code, screen) = terminal.keys(answer).ended();
        assert_eq!(code, 0, "{screen}");
        let now = std::fs::read(&path).unwrap();
        assert_eq!(now != b"precious", replaced, "{answer:?}: {screen}");
    }
}

#[test]
fn the_lines_of_a_poller_can_be_read_after_each_pass() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(&["--scenario", "seed", "--tasks", "3"]);
    let library = c_agent(dir.path(), "noop", &[]);
    let path = dir.path().join("out.jsonl");
    std::fs::write(&path, "old\n").unwrap();
    let mut poller = command(dir.path())
        .args([
            "run",
            "--refresh-every",
            "1",
            "--jsonl",
            "out.jsonl",
            "--progress",
            "none",
        ])
        .args(["-p", &server.project(), "-a", library.to_str().unwrap()])
        .envs(server.env())
        .spawn()
        .unwrap();
    let until = std::time::Instant::now() + crate::support::DEADLINE;
    while std::fs::read_to_string(&path).unwrap().lines().count() < 3 {
        assert!(std::time::Instant::now() < until, "nothing came");
        std::thread::yield_now();
    }
    let pid = rustix::process::Pid::from_child(&poller);
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    assert_eq!(poller.wait().unwrap().code(), Some(143));
    let text = std::fs::read_to_string(&path).unwrap();
    // Three tasks and the summary.
    assert_eq!(text.lines().count(), 4, "{text}");
    assert!(
        !text.contains("old") && text.contains("\"summary\""),
        "{text}"
    );
}

#[test]
fn what_a_killed_plan_left_beside_its_file_is_removed_by_the_next_one_and_nothing_else() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(&["--scenario", "seed", "--tasks", "3"]);
    let defines = [
        c_text("LOG", dir.path().join("calls").to_str().unwrap()),
        c_text("GO", dir.path().join("go").to_str().unwrap()),
    ];
    let defines: Vec<&str> = defines.iter().map(String::as_str).collect();
    let library = c_agent(dir.path(), "waits", &defines);
    let parts = || -> Vec<String> {
        let names = std::fs::read_dir(dir.path()).unwrap();
        let names = names.map(|e| e.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<String> = names.filter(|n| n.ends_with(".part")).collect();
        names.sort();
        names
    };
    // The agents report through a pipe that they were called: the file is there by then.
    let calls = dir.path().join("calls");
    let begin = |name: &str| {
        let made = Command::new("mkfifo").arg(&calls).status().unwrap();
        assert!(made.success());
        let child = command(dir.path())
            .args(["plan", "-o", name, "--no-input", "--agents"])
            .arg(&library)
            .args(["--project-hash", &server.project()])
            .envs(server.env())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let mut lines = std::io::BufReader::new(File::open(&calls).unwrap());
        std::io::BufRead::read_line(&mut lines, &mut line).unwrap();
        std::fs::remove_file(&calls).unwrap();
        child
    };
    let mut killed = begin("p.wbplan");
    assert_eq!(parts().len(), 1);
    killed.kill().unwrap();
    killed.wait().unwrap();
    let left = parts();
    let mut living = begin("p.wbplan");
    let living_part = parts();
    assert_eq!(living_part.len(), 1);
    assert_ne!(left, living_part, "what was left is gone");
    std::fs::write(dir.path().join("go"), "").unwrap();
    std::fs::write(dir.path().join(".p.wbplan.mine.part"), "").unwrap();
    living.kill().unwrap();
    living.wait().unwrap();
    let whole = plan(dir.path(), &server, &library, &[]);
    assert_eq!(whole.status.code(), Some(0), "{}", stderr(&whole));
    assert_eq!(parts(), [".p.wbplan.mine.part"]);
}
