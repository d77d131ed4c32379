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

/// A crate of agents with this source, and these lines among its dependencies.
pub fn agent_crate(dir: &Path, name: &str, dependencies: &str, source: &str) -> PathBuf {
    let krate = dir.join(name);
    std::fs::create_dir_all(krate.join("src")).unwrap();
    let abi = root().join("agent-abi").display().to_string();
    let manifest = format!(
        "[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n[lib]\ncrate-type = [\"cdylib\"]\n\n\
         [dependencies]\nagent-abi = {{ path = {abi:?} }}\n{dependencies}\n\n[workspace]\n"
    );
    std::fs::write(krate.join("Cargo.toml"), manifest).unwrap();
    std::fs::copy(root().join("Cargo.lock"), krate.join("Cargo.lock")).unwrap();
    std::fs::write(krate.join("src/lib.rs"), source).unwrap();
    krate
}

/// Where such crates are built: what all of them depend on is built once for all runs.
pub fn target_of_crates() -> PathBuf {
    root().join("target/e2e-authors")
}

/// Builds a crate of agents with this source.
pub fn rust_agent(dir: &Path, name: &str, dependencies: &str, source: &str) -> PathBuf {
    let krate = agent_crate(dir, name, dependencies, source);
    build_agents(&krate, Some(&target_of_crates()))
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
