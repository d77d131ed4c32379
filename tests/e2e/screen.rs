//! The screen in a real pseudo-terminal: typed keys, read pictures.

use crate::support::{Server, Terminal, c_agent, sample_agents};

fn open(server: &Server, dir: &std::path::Path, size: (u16, u16)) -> Terminal {
    let library = sample_agents();
    let args = [
        "--project-hash",
        &server.project(),
        "--agents",
        library.to_str().unwrap(),
    ];
    let mut screen = Terminal::start(dir, &args, &server.env(), size);
    screen.wait("build #1");
    screen
}

#[test]
fn a_task_is_stepped_from_queue_to_commit_and_nothing_is_written_before() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(&["--scenario", "demo", "--tasks", "50"]);
    let mut screen = open(&server, dir.path(), (120, 36));
    screen.wait("pre-label");
    screen.keys("2").wait("astronaut.jpg");
    screen.keys("s").wait("before the call");
    screen.keys("s").wait("annotate");
    screen.keys("s").wait("Bright region");
    assert_eq!(server.writes(), 0, "{}", screen.text());
    screen.keys("C").wait("y");
    assert_eq!(server.writes(), 0, "asking is not writing");
    screen.keys("\r");
    assert_eq!(server.writes(), 0, "Enter never confirms a write");
    screen.keys("y").wait("committed");
    assert!(server.writes() > 0);
    let (code, _) = screen.quit();
    assert_eq!(code, 0);
    let state = server.admin("/local/state");
    let task = state["tasks"]
        .as_array()
        .unwrap()
        .iter()
        .find(|t| t["data_title"] == "astronaut.jpg")
        .unwrap();
    assert_eq!(task["stage"], "Annotate");
}

#[test]
fn a_bulk_run_is_held_for_review_and_then_committed() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(&["--scenario", "demo", "--tasks", "40"]);
    let mut screen = open(&server, dir.path(), (120, 36));
    screen.keys("2").wait("astronaut.jpg");
    screen.keys("   ").wait("3 ");
    screen.keys("x").wait("held");
    assert_eq!(server.writes(), 0, "{}", screen.text());
    screen.keys("v").wait("nothing is sent before C");
    screen.keys("C").wait("Commit");
    screen.keys("y").wait("3 of 3 written");
    assert!(server.writes() > 0);
}

#[test]
fn the_filter_narrows_while_typing_and_says_what_is_wrong() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(&["--scenario", "demo", "--tasks", "200"]);
    let mut screen = open(&server, dir.path(), (120, 36));
    screen.keys("2").wait("astronaut.jpg");
    screen.keys("/chelsea").wait_until("fewer rows", |t| {
        t.contains("chelsea") && !t.contains("astronaut.jpg")
    });
    screen.keys("\x1b").wait("astronaut.jpg");
    screen.keys("/statsu:new").wait("did you mean status");
}

#[test]
fn every_size_draws_and_a_tiny_one_says_so() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(&["--scenario", "demo", "--tasks", "50"]);
    let mut screen = open(&server, dir.path(), (120, 36));
    for (columns, rows) in [(80, 24), (200, 60), (100, 30), (60, 18), (120, 36)] {
        screen.resize(columns, rows);
        screen.wait_until("the stage in the new size", |t| t.contains("pre-label"));
    }
    screen.resize(30, 8);
    screen.wait("Too small");
    screen.resize(120, 36);
    screen.wait("pre-label");
}

#[test]
fn the_terminal_is_given_back_after_quitting_and_after_a_signal() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(&["--scenario", "demo", "--tasks", "20"]);
    for signal in [
        None,
        Some(rustix::process::Signal::TERM),
        Some(rustix::process::Signal::HUP),
    ] {
        let mut screen = open(&server, dir.path(), (120, 36));
        match signal {
            None => {
                screen.keys("\x03");
            }
            Some(signal) => {
                let pid = i32::try_from(screen.pid()).unwrap();
                let pid = rustix::process::Pid::from_raw(pid).unwrap();
                rustix::process::kill_process(pid, signal).unwrap();
            }
        }
        let (code, _) = screen.ended();
        let wanted = signal.map_or(0, |s| 128 + s.as_raw() as u32);
        assert_eq!(code, wanted);
        let raw = String::from_utf8_lossy(&screen.raw).into_owned();
        let last = |code: &str| raw.rfind(code);
        assert!(
            last("\x1b[?1049l") > last("\x1b[?1049h"),
            "the alternate screen was not left"
        );
        assert!(
            last("\x1b[?25h") > last("\x1b[?25l"),
            "the cursor stayed hidden"
        );
    }
}

#[test]
fn a_panic_gives_the_terminal_back_names_its_report_and_ends_with_seventy() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(&["--scenario", "demo", "--tasks", "20"]);
    let mut env = server.env().to_vec();
    env.push(("WORKBENCH_PANIC_ON_KEY", "1".to_owned()));
    let args = ["--project-hash", &server.project()];
    let mut screen = Terminal::start(dir.path(), &args, &env, (120, 36));
    screen.wait("pre-label");
    let (code, last) = screen.keys("2").ended();
    assert_eq!(code, 70, "{last}");
    let raw = String::from_utf8_lossy(&screen.raw).into_owned();
    assert!(raw.rfind("\x1b[?1049l") > raw.rfind("\x1b[?1049h"));
    let report = raw
        .split("Report: ")
        .nth(1)
        .unwrap()
        .lines()
        .next()
        .unwrap()
        .trim();
    let text = std::fs::read_to_string(report).unwrap();
    assert!(text.contains("a panic was asked for"), "{text}");
    std::fs::remove_file(report).unwrap();
}

#[test]
fn control_codes_in_an_agents_output_never_reach_the_terminal() {
    let dir = tempfile::tempdir().unwrap();
    let library = c_agent(dir.path(), "hostile", &["DEED=6", "VICTIM=\"uuid\""]);
    let server = Server::start(&["--scenario", "seed", "--tasks", "5"]);
    let args = [
        "--project-hash",
        &server.project(),
        "--agents",
        library.to_str().unwrap(),
    ];
    let mut screen = Terminal::start(dir.path(), &args, &server.env(), (120, 36));
    screen.wait("build #1");
    screen.keys("2").wait("new  ");
    screen.keys("s").wait("before the call");
    screen.keys("c").wait("✓ outcome");
    screen.keys("\t\t\t").wait("EVIL");
    let raw = String::from_utf8_lossy(&screen.raw).into_owned();
    assert!(
        !raw.contains("\x1b[2J\x1b[31mEVIL") && !raw.contains("\x1b]0;owned"),
        "codes came through"
    );
    assert_eq!(screen.quit().0, 0);
}

#[test]
fn the_demo_needs_no_account_and_steps_a_real_photograph() {
    let dir = tempfile::tempdir().unwrap();
    let mut screen = Terminal::start(dir.path(), &["demo", "--tasks", "40"], &[], (120, 36));
    screen.wait("pre-label");
    screen.wait("build #1");
    screen.keys("s").wait("before the call");
    screen.keys("c").wait("✓ outcome");
    let (code, _) = screen.quit();
    assert_eq!(code, 0);
    assert!(dir.path().join(".workbench").is_dir());
}

#[test]
fn the_demo_without_a_terminal_says_how_to_go_on() {
    let dir = tempfile::tempdir().unwrap();
    let output = crate::support::command(dir.path())
        .args(["demo", "--tasks", "20"])
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        output.status.success() && text.contains("workbench run"),
        "{text}"
    );
}
