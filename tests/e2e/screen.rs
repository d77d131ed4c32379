//! The screen in a real pseudo-terminal: typed keys, read pictures.

use crate::support::{Server, Terminal, c_agent, c_text, command, sample_agents, workbench};
use serde_json::json;
use std::path::Path;
use std::process::Command;

/// The screen on a server's project with the sample agents, once they are active.
pub fn open(server: &Server, dir: &Path, size: (u16, u16)) -> Terminal {
    Terminal::open(server, dir, &sample_agents(), size)
}

#[test]
fn a_task_is_stepped_from_queue_to_commit_and_nothing_is_written_before() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(&["--scenario", "demo", "--tasks", "50"]);
    let mut screen = open(&server, dir.path(), (120, 36));
    screen.wait("pre-label");
    screen.keys("2").wait("astronaut.jpg");
    screen.keys("s").wait("before the call");
    screen.keys("Y").wait("copied the command");
    let raw = String::from_utf8_lossy(&screen.raw).into_owned();
    assert!(
        raw.contains("\x1b]52;c;d29ya2JlbmNoIHJ1biAt"),
        "workbench run -"
    );
    screen.keys("c").wait("✓ outcome");
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
    screen.keys("v").wait("nothing is sent before you");
    screen.keys("C").wait("Commit");
    screen.keys("y").wait("3 of 3 written");
    assert!(server.writes() > 0);
}

#[test]
fn what_others_changed_is_shown_with_both_sides_and_overwritten_only_when_asked() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(&["--scenario", "demo", "--tasks", "40"]);
    let mut screen = open(&server, dir.path(), (120, 36));
    screen.keys("2").wait("astronaut.jpg");
    screen.keys("  x").wait("FINISHED");
    for task in server.tasks().iter().filter(|t| t["stage"] == "pre-label") {
        let edit = json!({"data_hash": task["data_hash"], "by": "ann@example.com"});
        server.post("/local/edit", &edit);
    }
    let before = server.changed("save_labels");
    screen.keys("vC").wait("Commit 2 tasks");
    screen.keys("y").wait("2 left: changed by others");
    assert_eq!(server.changed("save_labels"), before, "theirs stands");
    screen.keys("\x1b").wait("conflicts (2)");
    screen.keys("!").wait("ann@example.com");
    screen.keys("G").wait("edited by somebody else");
    screen.wait("theirs");
    screen.keys("t").wait("Conflicts: 1 task");
    screen.keys("O").wait("Overwrite changes by others");
    assert_eq!(
        server.changed("save_labels"),
        before,
        "asking is not writing"
    );
    screen.keys("y").wait("Nothing is in conflict");
    screen.keys("M").wait("1 of 1 committed");
    assert_eq!(server.changed("save_labels"), before + 1);
    assert_eq!(server.changed("actions"), 1, "the skipped one stays");
}

#[test]
fn a_commit_is_one_operation_of_the_journal_and_is_taken_back_after_a_look() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(&["--scenario", "demo", "--tasks", "40"]);
    let places = || {
        let tasks = server.tasks();
        let place = |t: &serde_json::Value| (t["data_hash"].to_string(), t["stage"].to_string());
        let places: std::collections::BTreeMap<_, _> = tasks.iter().map(place).collect();
        places
    };
    let before = places();
    let mut screen = open(&server, dir.path(), (120, 36));
    screen.keys("2").wait("astronaut.jpg");
    screen.keys("   x").wait("FINISHED");
    screen.keys("vC").wait("Same from a script: workbench run");
    screen.keys("y").wait("3 of 3 written");
    let after = places();
    assert_ne!(after, before);
    screen.keys("\x1b").wait("1 Flow");
    screen.wait_until("the review is closed", |t| !t.contains("Review: 0"));
    screen.keys("u").wait("An undo would restore 3 tasks");
    assert_eq!(places(), after, "looking is not writing");
    screen.keys("U").wait("Undo operation 1?");
    screen.keys("\r").keys("y").wait("3 tasks restored");
    assert_eq!(places(), before);
    // Taking the undo back does it again.
    screen.wait_until("the undo in the list", |text| {
        let mut lines = text.lines();
        lines.any(|line| line.contains("undo of 1") && line.contains("stands"))
    });
    screen
        .keys("k")
        .wait_until("the undo, not looked at yet", |text| {
            text.contains("undo 1 --project-hash") && !text.contains("An undo would restore")
        });
    screen.keys("u").wait("An undo would restore 3 tasks");
    screen.keys("U").wait("Undo operation 2?");
    // The message was shown once already; what counts is where the tasks are.
    screen
        .keys("y")
        .wait_until("moved on again", |_| places() == after);
    assert_eq!(screen.quit().0, 0);
    let journal = workbench(dir.path(), &server, &["journal", "--commands"]);
    let journal = String::from_utf8_lossy(&journal.stdout).into_owned();
    let commands: Vec<&str> = journal.lines().collect();
    assert_eq!(commands.len(), 3, "{journal}");
    assert!(
        commands[0].starts_with("workbench run --project-hash "),
        "{journal}"
    );
    assert_eq!(commands[0].matches(" --task ").count(), 3, "{journal}");
    assert!(commands[1].starts_with("workbench undo 1 "), "{journal}");
}

#[test]
fn a_protected_project_needs_its_title_typed_before_a_commit() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("workbench.toml"), "level = \"protected\"\n").unwrap();
    let server = Server::start(&["--scenario", "demo", "--tasks", "20"]);
    let mut screen = open(&server, dir.path(), (120, 36));
    screen.keys("2").wait("astronaut.jpg");
    screen.keys("s").wait("before the call");
    screen.keys("c").wait("✓ outcome");
    screen.keys("C").wait("This project is PROTECTED");
    screen.keys("y\r").wait("that is not the project's title");
    assert_eq!(server.writes(), 0);
    screen.keys("\x15Night cameras").wait("enter write it");
    assert_eq!(server.writes(), 0, "typing is not writing");
    screen.keys("\r").wait("✓ commit");
    assert!(server.writes() > 0);
}

#[test]
fn a_group_of_failures_runs_again_on_the_mended_agent() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(&["--scenario", "seed", "--tasks", "12"]);
    let agent = |outcome: &str| c_agent(dir.path(), "noop", &[&c_text("OUTCOME", outcome)]);
    let library = agent("{\"route\":\"compleet\"}");
    let mut screen = Terminal::open(&server, dir.path(), &library, (120, 36));
    screen.keys("n").wait("how many");
    screen.keys("\r").wait("Failures: 12 in 1 group");
    screen.wait("did the agent mean");
    agent("{\"route\":\"complete\"}");
    screen.wait("build #2");
    screen.keys("x").wait("12 for review");
    screen.wait_until("no failure left", |t| !t.contains("in 1 group"));
    assert_eq!(server.writes(), 0);
}

#[test]
fn watched_tasks_run_dry_on_every_build_and_what_changed_is_shown() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(&["--scenario", "seed", "--tasks", "12"]);
    let agent = |outcome: &str| c_agent(dir.path(), "noop", &[&c_text("OUTCOME", outcome)]);
    let library = agent("{\"route\":\"complete\"}");
    let mut screen = Terminal::open(&server, dir.path(), &library, (120, 36));
    screen.keys("2").wait("new  ");
    screen.keys("   w").wait("3 tasks watched");
    screen.keys("W").wait("ran once");
    agent("{\"route\":\"complete\",\"priority\":0.25}");
    screen.wait("3 of 3 tasks differ, none in its route, 3 differ otherwise");
    screen.wait("+ priority");
    agent("{\"route\":\"compleet\"}");
    screen.wait("3 fail that did not");
    screen.wait("did the agent mean");
    agent("{\"route\":\"complete\"}");
    screen.wait_until("all three mended", |t| {
        t.contains("build #4") && t.contains("3 no longer fail · nothing was written")
    });
    screen.keys("p").wait("against build #4 (pinned)");
    agent("{\"route\":\"complete\",\"priority\":0.5}");
    screen.wait_until("all three on the newest build", |t| {
        t.contains("build #5") && t.contains("complete · priority") && !t.contains(" to go")
    });
    screen.keys("a").wait("1 held");
    screen.keys("v").wait("Review: 1 outcome");
    assert_eq!(server.writes(), 0, "{}", screen.text());
    assert_eq!(screen.quit().0, 0);
}

#[test]
fn a_crate_is_built_at_the_start_and_whenever_it_is_saved() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(&["--scenario", "seed", "--tasks", "5"]);
    let write = |name: &str, text: &str| std::fs::write(dir.path().join(name), text).unwrap();
    std::fs::create_dir(dir.path().join("src")).unwrap();
    let manifest = "[package]\nname = \"mine\"\nversion = \"0.1.0\"\n[lib]\ncrate-type = [\"cdylib\"]\n[workspace]\n";
    write("Cargo.toml", manifest);
    // Without agents in it: cargo is what this test is about, and this takes it a second.
    write("src/lib.rs", "");
    write("workbench.toml", "agents = [\".\"]\nbuild = true\n");
    let args = ["--project-hash", &server.project()];
    let mut screen = Terminal::start(dir.path(), &args, &server.env(), (120, 36));
    screen.wait("compiled in");
    screen.wait("library refused");
    write("src/lib.rs", "fn broken( {}");
    screen.wait("build failed");
    // Nothing is loaded yet: the errors open by themselves.
    screen.wait("✗ src/lib.rs:1:");
    screen.wait("no task was touched and nothing was written");
    write("src/lib.rs", "pub fn mended() {}");
    // The activity keeps that it did not compile; the errors over it close, and a second build is there.
    screen.wait_until("the build is good again", |t| {
        let over = [
            "build failed",
            "The agents did not compile",
            "Fix it and save",
        ];
        t.matches("compiled in").count() == 2 && !over.iter().any(|text| t.contains(text))
    });
    write("src/lib.rs", "fn broken( {}");
    screen.wait("this file contains an unclosed delimiter");
    screen.keys("b").wait("No library has been opened yet");
    write("src/lib.rs", "pub fn mended() {}");
    screen.wait_until("the build is good again", |t| !t.contains("build failed"));
    assert_eq!(screen.quit().0, 0);
}

#[test]
fn rate_and_time_limit_are_changed_on_screen() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(&["--scenario", "demo", "--tasks", "20"]);
    let mut screen = open(&server, dir.path(), (120, 36));
    screen.keys("n5").keys("\r").wait("no rate limit");
    screen.keys("L25").wait("How many requests a second?");
    screen.keys("\r").wait("25 req/s");
    screen.keys("T90").wait("How long may one attempt take?");
    screen.keys("\rM").wait("an attempt may take 90 s");
}

#[test]
fn the_filter_narrows_while_typing_and_shows_what_is_wrong() {
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

/// Builds the agents of a demo in this folder, outside a checkout. Deadlines are for the screen, not for the compiler: the
/// agents are built first, as the text without a terminal has it.
pub fn build_demo(dir: &Path) {
    let output = command(dir)
        .args(["demo", "--tasks", "1", "--reset"])
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let build = text
        .lines()
        .find_map(|line| line.trim().strip_prefix("cargo build "));
    let built = Command::new("cargo")
        .args(["build", "--offline", "--quiet"])
        .args(build.unwrap_or_else(|| panic!("{text}")).split(' '))
        .status();
    assert!(built.unwrap().success());
}

#[test]
fn the_demo_needs_no_account_and_steps_a_real_photograph() {
    let dir = tempfile::tempdir().unwrap();
    build_demo(dir.path());
    let args = ["demo", "--tasks", "40", "--reset"];
    let mut screen = Terminal::start(dir.path(), &args, &[], (120, 36));
    screen.wait("pre-label");
    screen.wait("build #1");
    screen.keys("s").wait("before the call");
    screen.keys("c").wait("✓ outcome");
    let (code, _) = screen.quit();
    assert_eq!(code, 0);
    assert!(dir.path().join(".workbench").is_dir());
}

#[test]
fn the_first_step_is_explained_once_per_person_and_not_where_the_settings_end_it() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(&["--scenario", "demo", "--tasks", "20"]);
    let agents = sample_agents();
    let state = |name: &str| {
        (
            "XDG_STATE_HOME",
            dir.path().join(name).display().to_string(),
        )
    };
    let stepped = |name: &str, cwd: &Path| {
        let mut screen = Terminal::open_in(&server, cwd, &agents, &[state(name)], (120, 36));
        // The hints stand below a card: a frame may be read in parts.
        screen.keys("s").wait("c to the end");
        let explained = screen.text().contains("Your first step");
        let (code, _) = screen.quit();
        assert_eq!(code, 0);
        explained
    };
    let off = dir.path().join("off");
    std::fs::create_dir(&off).unwrap();
    std::fs::write(off.join("workbench.toml"), "tutorial = false\n").unwrap();
    let seen = [
        ("a", dir.path()),
        ("a", dir.path()),
        ("b", &off),
        ("b", dir.path()),
    ];
    let explained = seen.map(|(name, cwd)| stepped(name, cwd));
    assert_eq!(explained, [true, false, false, true]);
    let cards = std::fs::read_to_string(dir.path().join("a/workbench/cards")).unwrap();
    assert_eq!(cards, "first-step\n");
}
