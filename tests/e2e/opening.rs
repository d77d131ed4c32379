//! Opening agent libraries with the real program: what they find beside them, how long they may take, and
//! why one is refused.

use crate::hosts::{faults, victim};
use crate::support::{Server, Terminal, c_agent, root, run, stderr, workbench};
use std::path::Path;
use std::process::Command;

#[test]
fn a_library_that_is_slow_to_open_has_time_by_default_and_a_limit_that_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(&["--scenario", "seed", "--tasks", "3"]);
    let slow = c_agent(dir.path(), "hostile", &["STARTS=(void)on;sleep(6)"]);
    let output = run(dir.path(), &server, &slow, &["--dry-run"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let endless = c_agent(dir.path(), "hostile", &["STARTS=while(on){}"]);
    let output = run(dir.path(), &server, &endless, &["--load-timeout", "400ms"]);
    assert_eq!(output.status.code(), Some(3), "{}", stderr(&output));
    let text = stderr(&output);
    assert!(
        text.contains("took longer than 400ms") && text.contains("--load-timeout"),
        "{text}"
    );
    std::fs::write(
        dir.path().join("workbench.toml"),
        "load_timeout = \"400ms\"\n",
    )
    .unwrap();
    let agents = endless.to_str().unwrap();
    let output = workbench(dir.path(), &server, &["check", "--agents", agents]);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(3), "{text}");
    assert!(
        text.contains("took longer than 400ms") && text.contains("→ raise"),
        "{text}"
    );
}

#[test]
fn loading_a_dependency_counts_as_loading_and_a_slow_one_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(&["--scenario", "seed", "--tasks", "5"]);
    let slow = victim(&server, 10, dir.path());
    let args = ["--dry-run", "--timeout", "300ms"];
    let output = run(dir.path(), &server, &slow, &args);
    assert_eq!(faults(&output), Vec::<String>::new());
    let endless = victim(&server, 11, dir.path());
    let args = ["--dry-run", "--timeout", "300ms", "--load-timeout", "1s"];
    let output = run(dir.path(), &server, &endless, &args);
    let found = faults(&output);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        found.len() == 1 && found[0].contains("dependency model took longer than 1s"),
        "{found:?}"
    );
}

/// An agent library that links another one, with these options.
fn linked(dir: &Path, options: &[&str]) -> std::path::PathBuf {
    let cc = |args: &[&str]| {
        let output = Command::new("cc")
            .args(args)
            .current_dir(dir)
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", stderr(&output));
    };
    std::fs::write(dir.join("helper.c"), "int helper(void) { return 1; }\n").unwrap();
    cc(&["-shared", "-fPIC", "-o", "libhelper.so", "helper.c"]);
    let include = root().join("agent-abi/include");
    let fixture = root().join("tests/fixtures/noop.c");
    let mut args = vec![
        "-shared",
        "-fPIC",
        "-Wl,--no-as-needed",
        "-o",
        "libagent.so",
    ];
    args.extend([
        "-I",
        include.to_str().unwrap(),
        fixture.to_str().unwrap(),
        "libhelper.so",
    ]);
    args.extend(options);
    cc(&args);
    dir.join("libagent.so")
}

#[test]
fn a_library_beside_the_agents_is_found_by_origin_in_check_and_run() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(&["--scenario", "seed", "--tasks", "3"]);
    let library = linked(dir.path(), &["-Wl,-rpath,$ORIGIN"]);
    let output = run(dir.path(), &server, &library, &["--dry-run"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let output = workbench(dir.path(), &server, &["check", "--agents", "libagent.so"]);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(text.contains("✓ library"), "{text}");
}

#[test]
fn why_a_library_is_refused_and_what_to_do_reaches_every_command_and_the_screen() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(&["--scenario", "seed", "--tasks", "3"]);
    let library = linked(dir.path(), &[]);
    let agents = ["--agents", "libagent.so"];
    for command in [
        &["check"][..],
        &["run", "--dry-run"],
        &["plan", "-o", "p.wbplan"],
        &["exec", "--stage", "Agent 1"],
    ] {
        let output = workbench(dir.path(), &server, &[command, &agents].concat());
        assert_eq!(output.status.code(), Some(3), "{command:?}");
        let text = String::from_utf8_lossy(&output.stdout).into_owned() + &stderr(&output);
        assert!(text.contains("libhelper.so: cannot open"), "{text}");
        assert!(
            text.contains("→ libhelper.so lies beside the library"),
            "{text}"
        );
    }
    // The builds overlay lists all of those that were refused, and a library that is opened removes none.
    let garbage = dir.path().join("libgarbage.so");
    std::fs::write(&garbage, "garbage").unwrap();
    let good = c_agent(dir.path(), "noop", &[]);
    let project = server.project();
    let mut args = vec!["--project-hash", &project];
    for path in [&library, &garbage, &good] {
        args.extend(["--agents", path.to_str().unwrap()]);
    }
    let mut screen = Terminal::start(dir.path(), &args, &server.env(), (160, 40));
    screen.wait("library refused, still #1");
    screen.keys("b");
    screen.wait("→ libhelper.so lies beside the library");
    screen.wait("→ an agent library is a shared library");
    screen.keys("\u{1b}");
    screen.wait_until("the overlay closed", |text| !text.contains("─ Builds ─"));
    screen.quit();
}
