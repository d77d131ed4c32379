//! Where commands run: the state folder, its modes, and folders that cannot be written.

use crate::support::{
    Server, c_agent, command, everything_in, mode, plan, shell, stderr, workbench,
};
use std::fs::{File, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

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
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
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
            assert!(output.status.success(), "{}", stderr(&output));
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
                stderr(&output)
            );
        }
        let output = run(&["run"]);
        assert_eq!(
            output.status.code(),
            Some(3),
            "it writes: {}",
            stderr(&output)
        );
        assert!(
            stderr(&output).contains(".workbench"),
            "{}",
            stderr(&output)
        );
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
    assert_eq!(by_flag.status.code(), Some(0), "{}", stderr(&by_flag));
    let several = format!("{}:{}", with.display(), library.display());
    for value in [library.to_str().unwrap(), "a:b", "./a\\:b", &several] {
        let output = command(dir.path())
            .args(["check", "-p", &server.project()])
            .envs(server.env())
            .env("WORKBENCH_AGENTS", value)
            .output()
            .unwrap();
        assert_eq!(
            output.status.code(),
            Some(0),
            "{value}: {}",
            stderr(&output)
        );
    }
}
