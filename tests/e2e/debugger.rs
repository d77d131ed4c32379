//! The step debugger at a real terminal: places, their values, and what a person does there.

use crate::support::{Server, Terminal, sample_agents};
use std::path::Path;

fn open(server: &Server, dir: &Path) -> Terminal {
    let mut screen = Terminal::open(server, dir, &sample_agents(), (120, 36));
    screen.keys("2").wait("astronaut.jpg");
    screen.keys("s").wait("before the call");
    screen
}

#[test]
fn a_step_stops_at_each_checkpoint_and_goes_back_to_the_values_that_were_there() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(&["--scenario", "demo", "--tasks", "20"]);
    let mut screen = open(&server, dir.path());
    screen.keys("s").wait("▶ at mean brightness");
    screen.wait("PAUSED");
    screen.wait("time limit stands still");
    screen.keys("s").wait("▶ at region");
    screen.wait("\"w\": ");
    screen
        .keys("\x1b[D")
        .wait_until("the earlier value", |text| {
            text.contains("at mean brightness") && !text.contains("\"w\": ")
        });
    screen.keys("c").wait("✓ outcome");
    assert!(screen.text().contains("✓ at region"), "{}", screen.text());
    assert_eq!(server.writes(), 0);
    screen.quit();
}

#[test]
fn a_task_that_meets_a_condition_waits_in_a_dry_run_while_the_others_go_on() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(&["--scenario", "demo", "--tasks", "20"]);
    let mut screen = open(&server, dir.path());
    screen.keys("s").wait("▶ at mean brightness");
    screen.keys("B").wait("Pause at checkpoint");
    screen
        .keys("title = 'x'")
        .wait("unknown operator \"=\"; use \"==\"");
    screen.keys("\x15title == 'astronaut.jpg' && value > 0");
    screen.wait("holds for this value");
    screen.keys("\r").wait("● pauses at checkpoint");
    screen.keys("X").keys("1").wait("pre-label");
    screen.keys("n").wait("how many");
    screen.keys("\r").wait("● 1 paused");
    screen.wait("17 / 18");
    screen.keys("\r").wait("▶ at mean brightness");
    screen.keys("c").wait("✓ outcome");
    screen.keys("4").wait("FINISHED");
    screen.quit();
    // They are there again at the next start.
    let mut screen = open(&server, dir.path());
    screen.wait("● pauses at checkpoint");
    assert_eq!(server.writes(), 0);
    screen.quit();
}

#[test]
fn an_outcome_waits_at_a_pause_point_before_its_run_hears_of_it() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(&["--scenario", "demo", "--tasks", "12"]);
    let mut screen = open(&server, dir.path());
    screen.keys("c").wait("✓ outcome");
    screen.keys("B").wait("Pause at the outcome");
    let condition = "route == \"annotate\" && title == \"astronaut.jpg\"";
    screen.keys(condition).wait("holds for this value");
    screen.keys("\r").wait("● pauses at the outcome");
    screen.keys("X").keys("1").wait("pre-label");
    screen.keys("n").wait("how many");
    screen.keys("\r").wait("● 1 paused");
    screen.wait("10 / 11");
    screen.keys("o").wait("✓ outcome");
    screen.keys("c").wait("held for review");
    screen.keys("4").wait("FINISHED");
    screen.quit();
}

#[test]
fn an_edited_value_is_what_the_agent_goes_on_with_and_one_that_does_not_fit_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(&["--scenario", "demo", "--tasks", "12"]);
    let mut screen = open(&server, dir.path());
    screen.keys("s").wait("▶ at mean brightness");
    screen.keys("e").wait("as the agent gave it");
    screen.keys("\x15[30").wait("not JSON yet");
    screen
        .keys("\x15\"dark\"\r")
        .wait("▶ again at mean brightness");
    screen.keys("e\x1530").wait("~ value: ");
    screen.keys("\r").wait("▶ at region");
    screen.keys("c").wait("✓ outcome");
    screen.wait("Night");
    screen.keys("{").wait("\"mean brightness\" edited");
    assert_eq!(server.writes(), 0);
    screen.quit();
}

#[test]
fn a_fork_runs_again_up_to_its_event_and_both_attempts_are_kept() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(&["--scenario", "demo", "--tasks", "12"]);
    let mut screen = open(&server, dir.path());
    screen.keys("c").wait("✓ at region");
    screen.keys("\x1b[D").wait("what      region");
    screen.keys("f").wait("▶ at region");
    assert!(screen.text().contains("PAUSED"), "{}", screen.text());
    screen.keys("c").wait("✓ outcome");
    screen.keys("{").wait("attempt 1 · build #1");
    screen.wait("attempt 2 · build #1");
    screen.quit();
}

#[test]
fn the_command_that_attaches_a_debugger_is_copied_and_works() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(&["--scenario", "demo", "--tasks", "12"]);
    let mut screen = open(&server, dir.path());
    screen.keys("s").wait("▶ at mean brightness");
    screen.keys("D").wait("copied gdb -p ");
    let text = screen.text();
    let (_, rest) = text.split_once("copied gdb -p ").unwrap();
    let pid = rest.split(' ').next().unwrap();
    let gdb = std::process::Command::new("gdb")
        .args(["-p", pid, "-batch", "-ex", "bt"])
        .output();
    match gdb {
        Ok(output) => {
            let frames = String::from_utf8_lossy(&output.stdout);
            assert!(frames.contains("prelabel"), "{frames}");
        }
        Err(error) => println!("skipped: no gdb ({error})"),
    }
    screen
        .keys("D")
        .wait("the time limit of the attempt goes on");
    screen.keys("c").wait("✓ outcome");
    screen.quit();
}
