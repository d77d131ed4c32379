//! Agent libraries for tests: in C from `tests/fixtures`, in Rust with the real cargo.

use super::root;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// Compiles a C agent of `tests/fixtures` against the shipped header, with `NAME=VALUE` defines.
pub fn c_agent(dir: &Path, name: &str, defines: &[&str]) -> PathBuf {
    let source = root().join("tests/fixtures").join(format!("{name}.c"));
    let library = dir.join(format!("lib{name}.so"));
    let output = Command::new("cc")
        .args([
            "-std=c99", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-O1",
        ])
        .args(defines.iter().map(|d| format!("-D{d}")))
        .arg("-I")
        .arg(root().join("agent-abi/include"))
        .arg("-o")
        .arg(&library)
        .arg(&source)
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    library
}

/// The sample agents, built once for each test process.
pub fn sample_agents() -> PathBuf {
    static BUILT: std::sync::OnceLock<PathBuf> = std::sync::OnceLock::new();
    BUILT
        .get_or_init(|| build_agents(&root().join("sample-agents"), None))
        .clone()
}

/// Builds an agent crate with the real cargo; returns its library.
pub fn build_agents(dir: &Path, target: Option<&Path>) -> PathBuf {
    let output = try_build(dir, target);
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let name = dir.file_name().unwrap().to_string_lossy().replace('-', "_");
    let target = target.map_or_else(|| root().join("target"), Path::to_owned);
    target.join("debug").join(format!("lib{name}.so"))
}

/// Builds an agent crate; the output shows the result.
pub fn try_build(dir: &Path, target: Option<&Path>) -> Output {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo
        .args(["build", "--offline", "--lib", "--manifest-path"])
        .arg(dir.join("Cargo.toml"));
    if let Some(target) = target {
        cargo.arg("--target-dir").arg(target);
    }
    cargo.output().unwrap()
}
