//! Hot reload with the real cargo: an edited source is active a moment after its build, a broken
//! one never takes the last good one away.

use crate::support::{Server, Terminal, build_agents, root, try_build};
use std::path::{Path, PathBuf};

/// A crate of its own that the test may edit.
fn agent_crate(dir: &Path, route: &str) -> PathBuf {
    let krate = dir.join("my-agents");
    std::fs::create_dir_all(krate.join("src")).unwrap();
    let abi = root().join("agent-abi");
    let manifest = format!(
        "[package]\nname = \"my-agents\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n[lib]\ncrate-type = [\"cdylib\"]\n\n\
         [dependencies]\nagent-abi = {{ path = {:?} }}\n\n[workspace]\n",
        abi.display().to_string()
    );
    std::fs::write(krate.join("Cargo.toml"), manifest).unwrap();
    std::fs::copy(root().join("Cargo.lock"), krate.join("Cargo.lock")).unwrap();
    edit(&krate, &format!("Ok(Route::to(\"{route}\"))"));
    krate
}

fn edit(krate: &Path, body: &str) {
    let source = format!(
        "use agent_abi::prelude::*;\n\n#[stage(\"pre-label\")]\nfn sort(task: &Task) -> Result<Route> {{\n    let _ = task;\n    {body}\n}}\n\nexport![sort];\n"
    );
    std::fs::write(krate.join("src/lib.rs"), source).unwrap();
}

#[test]
fn a_rebuild_takes_charge_and_a_broken_one_does_not() {
    let dir = tempfile::tempdir().unwrap();
    let krate = agent_crate(dir.path(), "annotate");
    let target = dir.path().join("target");
    let library = build_agents(&krate, Some(&target));
    let server = Server::start(&["--scenario", "demo", "--tasks", "30"]);
    let mut screen = Terminal::open(&server, dir.path(), &library, (120, 36));
    screen.keys("2").wait("astronaut");
    screen.keys("s").wait("before the call");
    screen.keys("c").wait("annotate");

    edit(&krate, "Ok(Route::to(\"skip\"))");
    build_agents(&krate, Some(&target));
    screen.wait("build #2");
    screen
        .keys("x")
        .wait_until("the new route", |t| t.contains("skip") && t.contains("#2"));

    edit(&krate, "Ok(Route::to(\"skip\")");
    assert!(!try_build(&krate, Some(&target)).status.success());
    let whole = std::fs::read(&library).unwrap();
    std::fs::write(&library, &whole[..whole.len() / 2]).unwrap();
    screen.keys("1").wait("refused");
    screen.wait("#2");
    screen.keys("3").keys("x").wait("skip");
    screen.quit();
}

#[test]
fn a_release_build_of_a_watched_crate_counts_as_a_rebuild() {
    let dir = tempfile::tempdir().unwrap();
    let krate = agent_crate(dir.path(), "annotate");
    build_agents(&krate, Some(&krate.join("target")));
    let server = Server::start(&["--scenario", "demo", "--tasks", "30"]);
    let mut screen = Terminal::open(&server, dir.path(), &krate, (120, 36));

    edit(&krate, "Ok(Route::to(\"skip\"))");
    let built = build_agents(&krate, Some(&dir.path().join("elsewhere")));
    let release = krate.join("target/release");
    std::fs::create_dir_all(&release).unwrap();
    std::fs::copy(built, release.join("libmy_agents.so")).unwrap();
    screen.wait("build #2");
    screen.quit();
}
