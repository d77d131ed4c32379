//! Linear mode: the whole tutorial by its output alone, in a terminal and as a script.

use crate::support::{Server, Terminal, command, fed, sample_agents};
use std::path::Path;
use std::process::Output;

/// A tutorial in linear mode, ready for its first command; the cards come as for somebody new.
fn open(server: &Server, dir: &Path, args: &[&str], term: &str) -> Terminal {
    let (project, agents) = (server.project(), sample_agents());
    let given = [
        "--project-hash",
        &project,
        "--agents",
        agents.to_str().unwrap(),
    ];
    let args: Vec<&str> = args.iter().copied().chain(given).collect();
    let mut env = server.env().to_vec();
    env.push(("TERM", term.to_owned()));
    env.push(("XDG_STATE_HOME", dir.join("person").display().to_string()));
    let mut screen = Terminal::start(dir, &args, &env, (100, 30));
    screen.wait_for_bytes("Commands here: in, step-the-first");
    screen
}

#[test]
fn the_tutorial_is_done_by_what_is_read_alone() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(&["--scenario", "demo", "--tasks", "30"]);
    let mut screen = open(&server, dir.path(), &["--plain"], "xterm-256color");
    // Each command is one that the lines before it name.
    let text = screen.line("queue pre-label", "Commands here: step");
    assert!(text.contains("1. astronaut.jpg, new"), "{text}");
    let text = screen.line("step 1", "Next: next-step goes on to input labels");
    assert!(
        text.contains("Your first step:"),
        "the card is read: {text}"
    );
    assert!(text.contains("now: row metadata"), "{text}");
    screen.line("next-step", "Next: next-step goes on to input storage item");
    screen.line("next-step", "Next: next-step goes on to input asset");
    let text = screen.line("next-step", "Next: next-step calls prelabel()");
    assert!(text.contains("now: asset"), "{text}");
    let text = screen.line("next-step", "Next: next-step runs to the next place");
    assert!(!text.contains("outcome"), "one step at a time: {text}");
    let text = screen.line(
        "to-the-end",
        "Next: next-step shows what a commit would write",
    );
    assert!(text.contains("done: outcome, annotate"), "{text}");
    assert!(text.contains("+ Bright region"), "{text}");
    screen.line("next-step", "Next: commit-task commits this task");
    screen.line("commit-task", "yes: write it. no: not now.");
    assert_eq!(server.writes(), 0, "asking is not writing");
    screen.line("", "yes: write it.");
    assert_eq!(
        server.writes(),
        0,
        "an empty line reads again and confirms nothing"
    );
    let text = screen.line("yes", "Next: next-task");
    assert!(text.contains("1 of 1 committed"), "{text}");
    assert!(server.writes() > 0);
    screen.line("undo", "An undo would restore 1 task");
    screen.line("undo-operation", "yes: undo it.");
    screen.line("yes", "1 task restored.");
    screen.line("dry-run-some 3", "run 1 ended: 3 tasks");
    screen.line("review", "Review: 3 outcomes held");
    screen.line("quit", "yes: quit and keep them. no: stay.");
    screen.line("no", "Review: 3 outcomes held");
    screen.line("quit", "yes: quit and keep them. no: stay.");
    screen.keys("yes\n");
    let (code, _) = screen.ended();
    assert_eq!(code, 0);
    let raw = String::from_utf8_lossy(&screen.raw).into_owned();
    assert!(!raw.contains('\x1b'), "no escape sequence: {raw}");
    assert!(!raw.contains(['│', '╭', '─', '█']), "no boxes: {raw}");
}

#[test]
fn a_terminal_that_cannot_move_its_cursor_gets_lines() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(&["--scenario", "demo", "--tasks", "20"]);
    let mut screen = open(&server, dir.path(), &[], "dumb");
    screen.line("fliter", "did you mean filter?");
    screen.keys("\u{4}");
    assert_eq!(screen.ended().0, 0, "the end of the input leaves");
    assert!(!screen.raw.contains(&0x1b));
}

/// The lines of a script, one after the other.
pub fn script(server: &Server, dir: &Path, more: &[&str], lines: &str) -> Output {
    let mut screen = command(dir);
    screen.args(["--plain", "--project-hash", &server.project(), "--agents"]);
    screen.arg(sample_agents()).args(more).envs(server.env());
    fed(&mut screen, lines)
}

#[test]
fn a_script_waits_for_what_each_line_starts() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(&["--scenario", "demo", "--tasks", "30"]);
    let lines = "dry-run-some 4\nreview\ncommit\nyes\nnonsense\n";
    let output = script(&server, dir.path(), &[], lines);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(0), "{text}");
    assert!(text.contains("> review\nReview: 4 outcomes held"), "{text}");
    assert!(text.contains("4 of 4 written"), "{text}");
    assert!(text.contains("\"nonsense\" is not a command"), "{text}");
    let moved = server
        .tasks()
        .into_iter()
        .filter(|t| t["stage"] == "Annotate");
    assert!(moved.count() >= 4);
}

#[test]
fn a_script_cannot_write_where_the_process_must_not() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(&["--scenario", "demo", "--tasks", "20"]);
    let lines = "dry-run-some 2\ncommit\nyes\nmode\nquit\n";
    let output = script(&server, dir.path(), &["--dry-run"], lines);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(text.contains("dry run: start without --dry-run"), "{text}");
    assert!(text.contains("no question is open"), "{text}");
    assert_eq!(server.writes(), 0);
}
