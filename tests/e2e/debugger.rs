//! The step debugger at a real terminal: places, their values, and what a person does there.

use crate::support::{Server, Terminal, c_agent, c_text, sample_agents};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

fn open(server: &Server, dir: &Path) -> Terminal {
    let mut screen = Terminal::open(server, dir, &sample_agents(), (120, 36));
    screen.keys("2").wait("astronaut.jpg");
    screen.keys("s").wait("before the call");
    screen
}

/// Steps past what was fetched and the call, to the first checkpoint.
fn to_the_checkpoint(screen: &mut Terminal) {
    for input in ["labels", "storage item", "asset"] {
        screen.keys("s").wait(&format!("▶ {input}"));
    }
    screen.keys("s").wait("▶ call prelabel()");
    screen.keys("s").wait("▶ at mean brightness");
}

#[test]
fn a_step_stops_at_each_checkpoint_and_goes_back_to_the_values_that_were_there() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(&["--scenario", "demo", "--tasks", "20"]);
    let mut screen = open(&server, dir.path());
    to_the_checkpoint(&mut screen);
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
    to_the_checkpoint(&mut screen);
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
    screen.keys("o").wait("▶ outcome");
    screen.keys("c").wait("held for review");
    screen.keys("4").wait("FINISHED");
    screen.quit();
}

#[test]
fn an_edited_value_is_what_the_agent_goes_on_with_and_one_that_does_not_fit_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(&["--scenario", "demo", "--tasks", "12"]);
    let mut screen = open(&server, dir.path());
    to_the_checkpoint(&mut screen);
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
    screen.keys("c").wait("✓ outcome");
    // Back past what it would write.
    screen
        .keys("\x1b[D\x1b[D\x1b[D\x1b[D")
        .wait("what      region");
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
    to_the_checkpoint(&mut screen);
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

#[test]
fn s_stops_at_each_input_each_held_effect_the_outcome_and_its_validation() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(&["--scenario", "demo", "--tasks", "12"]);
    let mut screen = open(&server, dir.path());
    screen.wait("▶ row metadata");
    screen.wait("goes on to input labels");
    to_the_checkpoint(&mut screen);
    screen.keys("s").wait("▶ at region");
    screen.keys("s").wait("▶ effect labels");
    screen.wait("Held: nothing is written before a");
    screen.keys("s").wait("▶ effect prior");
    screen.keys("s").wait("▶ effect move");
    screen.keys("s").wait("▶ outcome");
    screen.keys("s").wait("▶ validation");
    screen.wait("pathway \"annotate\" leaves pre-label");
    screen.keys("s").wait("✓ review");
    assert_eq!(server.writes(), 0);
    screen.quit();
}

#[test]
fn an_edited_outcome_is_marked_and_is_what_the_server_has_after_the_commit() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("server");
    let kept = ["--data", data.to_str().unwrap()];
    let server = Server::start(&[&["--scenario", "demo", "--tasks", "12"][..], &kept].concat());
    let mut screen = open(&server, dir.path());
    screen.keys("c").wait("✓ outcome");
    screen.keys("e").wait("Edit the outcome");
    screen.keys("\r").wait("Edit the route");
    screen.keys("j\r").wait("✓ outcome edited");
    screen.keys("j\r").wait("Edit priority");
    screen.keys("\x157").wait("between 0 and 1");
    screen.keys("\x150.75").wait("→ 0.75");
    screen.keys("\r").wait_until("the priority", |t| {
        t.lines()
            .any(|l| l.contains("priority ") && l.contains("  0.75"))
    });
    // The box, as JSON with another x: first one that the picture does not have.
    screen.keys("jj\r").wait("Edit label Bright region");
    let box_at = |x: &str| {
        format!(
            "\x15{{\"frame\": 0, \"boundingBox\": {{\"h\": 0.25, \"w\": 0.25, \"x\": {x}, \"y\": 0.25}}, \"attributes\": {{}}}}"
        )
    };
    screen.keys(&box_at("3")).wait("→ 3");
    screen.keys("\r").wait("is refused");
    screen.keys("\r").wait("Edit label Bright region");
    screen.keys(&box_at("0.125")).wait("→ 0.125");
    screen.keys("\r").wait("box 12.5 %");
    // The other label, a classification, is taken out.
    screen
        .keys("jx")
        .wait_until("one label", |text| !text.contains("+ label Weather"));
    screen
        .keys("\x1b")
        .wait_until("the timeline alone", |text| !text.contains("Edit the"));
    screen.keys("a").wait("held for review");
    screen.keys("v").wait("skip, labels added");
    screen.keys("\r").wait("edited by hand: route");
    assert_eq!(server.writes(), 0);
    screen.keys("C").wait("Commit");
    screen.keys("y").wait("1 of 1 written");
    screen.quit();
    let state = server.admin("/local/state");
    let mut tasks = state["tasks"].as_array().unwrap().iter();
    let task = tasks.find(|t| t["data_title"] == "astronaut.jpg").unwrap();
    assert_eq!(
        (&task["priority"], &task["stage"]),
        (&0.75.into(), &"Archive".into())
    );
    let db = rusqlite::Connection::open(data.join("project.db")).unwrap();
    let query = "SELECT units, classes FROM label JOIN data ON data.id = label.data WHERE title = 'astronaut.jpg'";
    let texts = |row: &rusqlite::Row<'_>| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?));
    let (units, classes) = db.query_row(query, [], texts).unwrap();
    assert!(
        units.contains("\"x\":0.125") && !classes.contains("Sunny"),
        "{units} {classes}"
    );
}

#[test]
fn parameters_metadata_and_priority_are_edited_for_one_step_and_the_settings_stay() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(&["--scenario", "demo", "--tasks", "12"]);
    let kept = dir.path().join("kept");
    std::fs::create_dir(&kept).unwrap();
    let folder = c_text("FOLDER", kept.to_str().unwrap());
    let library = c_agent(dir.path(), "documents", &[&folder]);
    let settings = dir.path().join("workbench.toml");
    let text = "[params.\"pre-label\"]\nevery = 10\napi_key = \"sk-planted-1234\"\n";
    std::fs::write(&settings, text).unwrap();
    let mut screen = Terminal::open(&server, dir.path(), &library, (120, 36));
    screen.keys("2").wait("astronaut.jpg");
    screen.keys("s").wait("before the call");
    screen.keys("e").wait("Edit what the agent is given");
    screen.keys("\r").wait("Edit parameters");
    let every = screen.text().contains("\"every\":10");
    assert!(every, "{}", screen.text());
    // The value behind "every" is at the end of the line.
    screen.keys("\x7f\x7f\x7f").keys("3}").wait("every: 10 → 3");
    screen.keys("\r").wait("edited: {");
    screen.keys("jj\r").wait("Edit priority");
    screen.keys("\x150.125\r").wait("0.125");
    screen
        .keys("\x1b")
        .wait_until("the timeline alone", |text| !text.contains("Edit what"));
    screen.keys("c").wait("✓ outcome");
    screen.quit();
    let read = |name: &str| std::fs::read_to_string(kept.join(format!("{name}.json"))).unwrap();
    let params: serde_json::Value = serde_json::from_str(&read("params")).unwrap();
    assert_eq!(
        params,
        serde_json::json!({"every": 3, "api_key": "sk-planted-1234"})
    );
    assert!(
        read("label_row").contains("\"priority\":0.125"),
        "{}",
        read("label_row")
    );
    assert_eq!(std::fs::read_to_string(settings).unwrap(), text);
    let raw = String::from_utf8_lossy(&screen.raw).into_owned();
    assert!(!raw.contains("sk-planted-1234"), "a secret was drawn");
}

/// An editor that puts what the file `next` holds in place of what it is given, and keeps that in `given`.
fn editor(dir: &Path) -> PathBuf {
    let path = dir.join("an editor");
    let text = "#!/bin/sh\nshift\nstat -c %a \"$1\" > mode\nprintf '%s' \"$1\" > path\ncp \"$1\" given\nif [ -e next ]; then cat next > \"$1\"; fi\n";
    std::fs::write(&path, text).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    path
}

#[test]
fn a_value_is_edited_in_the_editor_and_what_is_not_json_is_edited_again() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(&["--scenario", "demo", "--tasks", "12"]);
    let editor = [("EDITOR", format!("'{}'", editor(dir.path()).display()))];
    let size = (120, 36);
    let mut screen = Terminal::open_in(&server, dir.path(), &sample_agents(), &editor, size);
    screen.keys("2").wait("astronaut.jpg");
    screen.keys("s").wait("before the call");
    to_the_checkpoint(&mut screen);
    screen.keys("e").wait("as the agent gave it");
    screen.keys("\x05").wait("nothing was changed");
    let read = |name: &str| std::fs::read_to_string(dir.path().join(name)).unwrap();
    assert_eq!(read("mode").trim(), "600");
    assert!(
        !Path::new(&read("path")).exists(),
        "it is deleted afterwards"
    );
    assert!(read("path").ends_with(".json"), "{}", read("path"));
    let next = dir.path().join("next");
    std::fs::write(&next, "[\n  30,\n  oops\n]\n").unwrap();
    screen.keys("e").wait("as the agent gave it");
    screen.keys("\x05").wait("at line 3 column 3");
    std::fs::write(&next, "30\n").unwrap();
    screen.keys("\r").wait("▶ at region");
    assert_eq!(
        read("given"),
        "[\n  30,\n  oops\n]\n",
        "it goes on from there"
    );
    screen.keys("c").wait("✓ outcome");
    screen.wait("Night");
    assert_eq!(server.writes(), 0);
    screen.quit();
}

#[test]
fn a_task_that_waits_for_a_person_leaves_its_turn_to_the_others() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(&["--scenario", "demo", "--tasks", "20"]);
    let mut screen = open(&server, dir.path());
    to_the_checkpoint(&mut screen);
    screen.keys("B").wait("Pause at checkpoint");
    // Two jobs run at a time; two tasks that wait would be all of them.
    screen.keys("title == \"astronaut.jpg\" || title == \"brick.jpg\"\r");
    screen.wait("● pauses at checkpoint");
    screen.keys("X").keys("1").wait("pre-label");
    screen.keys("n").wait("how many");
    screen.keys("\r").wait("● 2 paused");
    screen.wait("16 / 18");
    screen.keys("\r").wait("▶ at mean brightness");
    screen.keys("c").wait("✓ outcome");
    screen.keys("4").wait("● 1 paused");
    screen.wait("17 / 18");
    screen.keys("\r").wait("▶ at mean brightness");
    screen.keys("c").wait("✓ outcome");
    screen.keys("4").wait("FINISHED");
    assert_eq!(server.writes(), 0);
    screen.quit();
}
