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

#[test]
fn the_state_folder_can_be_elsewhere_by_setting_or_variable() {
    let server = Server::start(&["--scenario", "seed", "--tasks", "3"]);
    let dir = tempfile::tempdir().unwrap();
    let library = c_agent(dir.path(), "noop", &[]);
    let settings = dir.path().join("settings");
    std::fs::create_dir(&settings).unwrap();
    let file = settings.join("workbench.toml");
    std::fs::write(&file, "state = \"../kept/here\"\n").unwrap();
    let of = |args: &[&str], variable: Option<&str>| {
        let mut command = command(dir.path());
        command
            .args(args)
            .args(["--config", file.to_str().unwrap(), "-p", &server.project()])
            .args(["-a", library.to_str().unwrap()])
            .envs(server.env())
            .envs(variable.map(|folder| ("WORKBENCH_STATE", folder)));
        command.output().unwrap()
    };
    let run = ["run", "--progress", "none", "--max-tasks-per-stage", "1"];
    for (variable, folder) in [(None, "kept/here"), (Some("other"), "other")] {
        let ran = of(&run, variable);
        assert_eq!(ran.status.code(), Some(0), "{}", stderr(&ran));
        let folder = dir.path().join(folder);
        assert!(folder.join("journal.db").exists() && folder.join("log").exists());
        assert_eq!(mode(&folder), 0o700);
        let ignore = std::fs::read_to_string(folder.join(".gitignore")).unwrap();
        assert_eq!(ignore, "*\n");
        assert!(!dir.path().join(".workbench").exists());
        // What one command wrote there, the next ones find.
        let journal = of(&["journal"], variable);
        assert!(
            String::from_utf8_lossy(&journal.stdout).contains("run"),
            "{journal:?}"
        );
        let undone = of(&["undo", "--yes"], variable);
        assert_eq!(undone.status.code(), Some(0), "{}", stderr(&undone));
    }
    let config = String::from_utf8_lossy(&of(&["config"], None).stdout).into_owned();
    let state = config.lines().find(|line| line.starts_with("state "));
    assert!(
        state.unwrap().contains("settings/workbench.toml"),
        "{config}"
    );
    // A folder of a person's own is left as it is.
    let mine = dir.path().join("mine");
    std::fs::create_dir(&mine).unwrap();
    std::fs::set_permissions(&mine, Permissions::from_mode(0o755)).unwrap();
    std::fs::write(mine.join("thesis.tex"), "").unwrap();
    let refused = of(&run, Some("mine"));
    let text = stderr(&refused);
    assert_eq!(refused.status.code(), Some(3), "{text}");
    assert!(text.contains("mine cannot be the state folder"), "{text}");
    assert_eq!((mode(&mine), mine.read_dir().unwrap().count()), (0o755, 1));
}

/// A command of a shell that has mounted `$S` for itself alone; `None` where that is not allowed.
fn mounted(
    dir: &Path,
    server: &Server,
    options: &str,
    script: &str,
) -> Option<std::process::Output> {
    let state = dir.join("mounted");
    std::fs::create_dir_all(&state).unwrap();
    let state = state.display();
    let script = format!(
        "unshare -m sh -c 'mount -t tmpfs -o {options} none \"{state}\" || exit 99; \
         WORKBENCH_STATE=\"{state}\" exec {script}'"
    );
    let output = shell(dir, server, &script);
    let text = stderr(&output);
    let missing = output.status.code() == Some(99) || text.contains("unshare");
    if missing {
        println!(
            "not run: this user may not mount a file system ({})",
            text.trim()
        );
    }
    (!missing).then_some(output)
}

#[test]
fn a_folder_that_is_noexec_read_only_or_full_is_refused_with_what_to_do() {
    let server = Server::start(&["--scenario", "seed", "--tasks", "3"]);
    let dir = tempfile::tempdir().unwrap();
    c_agent(dir.path(), "noop", &[]);
    let run = "\"$WB\" run -p \"$P\" -a ./libnoop.so --progress none";
    let plan = "\"$WB\" plan -p \"$P\" -a ./libnoop.so --yes -o p.wbplan --progress none";
    for (options, reason, hint) in [
        (
            "noexec",
            "its file system is mounted noexec",
            "WORKBENCH_STATE=PATH",
        ),
        (
            "ro",
            "is on a read-only file system",
            "WORKBENCH_STATE=PATH",
        ),
        ("nr_inodes=1", "is full", "make room"),
        ("size=16k", "is full", "make room"),
    ] {
        let Some(refused) = mounted(dir.path(), &server, options, run) else {
            return;
        };
        let text = stderr(&refused);
        assert_eq!(refused.status.code(), Some(3), "{options}: {text}");
        for part in [reason, hint, "mounted"] {
            assert!(text.contains(part), "{options}: {part} is not in {text}");
        }
        assert_eq!(server.changed("actions"), 0, "{options}");
        if options == "noexec" || options == "ro" {
            // What writes nothing loads its libraries from a temporary folder.
            let planned = mounted(dir.path(), &server, options, plan).unwrap();
            assert_eq!(
                planned.status.code(),
                Some(0),
                "{options}: {}",
                stderr(&planned)
            );
        }
    }
}
