//! On screen a call that waits for a host is shown as waiting, with what it waits for, and a person's goes first.

use crate::support::{Server, Terminal, c_agent, c_text};

#[test]
fn a_step_behind_a_watched_task_waits_and_is_shown_as_waiting() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(&["--scenario", "seed", "--tasks", "6"]);
    let go = dir.path().join("go");
    let defines = [
        c_text("LOG", "/dev/null"),
        c_text("GO", go.to_str().unwrap()),
    ];
    let defines: Vec<&str> = defines.iter().map(String::as_str).collect();
    let library = c_agent(dir.path(), "waits", &defines);
    let mut screen = Terminal::open(&server, dir.path(), &library, (140, 40));
    screen.keys("2").wait("astronaut");
    screen.keys("  w").wait("watch …2");
    // Both hosts have watched tasks; a step of another task waits for one.
    screen.keys("j").keys("s").wait("before the call");
    screen
        .keys("s")
        .wait("waiting for a free host · watch run on build #1 in it");
    let text = screen.text();
    assert!(
        text.contains("WAITING") && !text.contains("has run"),
        "{text}"
    );
    std::fs::write(&go, "").unwrap();
    screen.wait("✓ call");
    screen.quit();
}
