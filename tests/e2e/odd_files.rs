//! Pipes, devices and endless files in place of those that a person names: no command blocks on them.

use crate::hosts::end_of;
use crate::support::{Server, c_agent, command, stderr};
use std::process::Command;

#[test]
fn no_command_blocks_on_a_pipe_or_device_in_place_of_a_file() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(&["--scenario", "seed", "--tasks", "3"]);
    let made = Command::new("mkfifo")
        .arg(dir.path().join("pipe"))
        .status()
        .unwrap();
    assert!(made.success());
    std::os::unix::fs::symlink("/dev/zero", dir.path().join("zero")).unwrap();
    std::fs::create_dir(dir.path().join("agents")).unwrap();
    std::fs::rename(
        dir.path().join("pipe"),
        dir.path().join("agents/libpipe.so"),
    )
    .unwrap();
    c_agent(&dir.path().join("agents"), "noop", &[]);
    let pipe = "agents/libpipe.so";
    let spawn = |args: &[&str], key: Option<&str>| {
        let mut command = command(dir.path());
        command
            .args(args)
            .args(["--project-hash", &server.project()])
            .envs(server.env());
        command.envs(key.map(|path| ("ENCORD_SSH_KEY_FILE", path)));
        command
            .stdout(std::process::Stdio::piped())
            .stderr(std::process::Stdio::piped());
        end_of(command.spawn().unwrap())
    };
    for odd in [pipe, "zero"] {
        for args in [
            &["stages", "--config", odd][..],
            &["graph", "--workflow", odd],
            &["review", odd],
            &["apply", odd],
            &["serve", "--scenario-file", odd],
            &["serve", "--import-workflow", odd],
        ] {
            let output = spawn(args, None);
            assert!(!output.status.success(), "{args:?}");
            let text = stderr(&output);
            let words = ["pipe", "larger than", "device", "no such"];
            assert!(words.iter().any(|w| text.contains(w)), "{args:?}: {text}");
        }
        let output = spawn(&["stages"], Some(odd));
        let text = stderr(&output);
        assert!(
            !output.status.success() && text.contains("key file"),
            "{text}"
        );
    }
    let output = spawn(&["check", "--agents", "agents"], None);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        text.contains("libpipe.so") && text.contains("a named pipe"),
        "{text}"
    );
    let output = spawn(&["run", "--dry-run", "--agents", "agents/libnoop.so"], None);
    assert!(output.status.success(), "{}", stderr(&output));
}

#[test]
fn a_settings_file_from_a_pipe_with_a_writer_is_read() {
    let dir = tempfile::tempdir().unwrap();
    let output = Command::new("bash")
        .current_dir(dir.path())
        .args(["-c", "\"$0\" config --config <(echo 'rate = 7.0')"])
        .arg(crate::support::PROGRAM)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(text.contains("7/s"), "{text} {}", stderr(&output));
}
