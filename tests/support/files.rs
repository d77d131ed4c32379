//! Files and folders as tests look at them, and commands of a shell.

use super::{PROGRAM, Server, command};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// The rights that a file gives.
pub fn mode(path: &Path) -> u32 {
    path.symlink_metadata().unwrap().permissions().mode() & 0o777
}

/// A command of a shell in a folder, with `$WB` for the program and `$P` for the project.
pub fn shell(dir: &Path, server: &Server, script: &str) -> Output {
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

/// Everything in a folder, at any depth.
pub fn everything_in(dir: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        found.push(path.clone());
        if path.is_dir() && !path.is_symlink() {
            everything_in(&path, found);
        }
    }
}
