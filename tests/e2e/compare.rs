//! Two libraries, two plans and two builds held against each other: typed at the screen, and headless.

use crate::support::{Server, Terminal, c_agent, c_text, plan, stderr, workbench};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// An agent that draws a car this far from the left, and takes this route.
fn draws(dir: &Path, x: f64, route: &str) -> PathBuf {
    std::fs::create_dir_all(dir).unwrap();
    let area = json!({"x": x, "y": 0.2, "w": 0.3, "h": 0.4});
    // Without a route the task stays.
    let route = (route != "stay").then_some(route);
    let outcome = json!({"route": route, "add": [{"name": "Car", "boundingBox": area}]});
    c_agent(
        dir,
        "noop",
        &[&c_text("OUTCOME", &outcome.to_string()), "NEEDS=2"],
    )
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn close(found: &Value, wanted: f64) {
    let found = found.as_f64().unwrap();
    assert!((found - wanted).abs() < 1e-9, "{found} instead of {wanted}");
}

#[test]
fn two_libraries_run_dry_on_the_same_tasks_and_their_boxes_are_compared() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(&["--scenario", "seed", "--tasks", "30"]);
    let a = draws(&dir.path().join("a"), 0.1, "complete");
    let b = draws(&dir.path().join("b"), 0.16, "complete");
    let args = [
        "compare",
        text(&a),
        text(&b),
        "--tasks",
        "12",
        "--json",
        "--report",
        "c.html",
    ];
    let compared = workbench(dir.path(), &server, &args);
    assert_eq!(compared.status.code(), Some(4), "{}", stderr(&compared));
    let found: Value = serde_json::from_slice(&compared.stdout).unwrap();
    assert_eq!(
        (&found["tasks"], &found["changed_route"]),
        (&json!(12), &json!(0))
    );
    assert_eq!(found["labels"]["moved"], 12);
    // Moved by a fifth of its width: 0.24 of 0.36.
    close(&found["labels"]["mean_overlap"], 2.0 / 3.0);
    assert_eq!(found["routes"], json!([["complete", "complete", 12]]));
    assert_eq!(
        (&found["only_a"], &found["beyond_tolerance"]),
        (&json!(0), &json!(12))
    );
    let page = std::fs::read_to_string(dir.path().join("c.html")).unwrap();
    assert!(page.contains("overlap 0.67"), "{page}");
    let tolerated = ["compare", text(&a), text(&b), "--tolerance", "overlap=0.66"];
    let tolerated = workbench(dir.path(), &server, &tolerated);
    assert_eq!(tolerated.status.code(), Some(0), "{}", stderr(&tolerated));
    let printed = String::from_utf8_lossy(&tolerated.stdout).into_owned();
    assert!(
        printed.contains("mean overlap 0.67, 30 labels moved"),
        "{printed}"
    );
    assert!(
        printed.contains("0 tasks beyond the tolerance"),
        "{printed}"
    );
    assert_eq!(server.writes(), 0, "comparing writes nothing");
}

#[test]
fn two_plans_are_compared_without_agents_and_bad_input_is_answered() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(&["--scenario", "seed", "--tasks", "8"]);
    let library = draws(dir.path(), 0.1, "complete");
    plan(dir.path(), &server, &library, &[]);
    std::fs::rename(dir.path().join("p.wbplan"), dir.path().join("a.wbplan")).unwrap();
    let same = workbench(dir.path(), &server, &["compare", "a.wbplan", "a.wbplan"]);
    assert_eq!(same.status.code(), Some(0), "{}", stderr(&same));
    assert!(String::from_utf8_lossy(&same.stdout).contains("no difference on 8 tasks"));
    let b = draws(&dir.path().join("b"), 0.65, "complete");
    plan(dir.path(), &server, &b, &["--max-tasks-per-stage", "6"]);
    let args = ["compare", "a.wbplan", "p.wbplan", "--json"];
    let compared = workbench(dir.path(), &server, &args);
    assert_eq!(compared.status.code(), Some(4), "{}", stderr(&compared));
    let found: Value = serde_json::from_slice(&compared.stdout).unwrap();
    assert_eq!((&found["tasks"], &found["only_a"]), (&json!(6), &json!(2)));
    // Too far apart to be one label.
    let labels = &found["labels"];
    assert_eq!(
        (&labels["added"], &labels["removed"]),
        (&json!(6), &json!(6))
    );
    for (args, reason) in [
        (
            ["compare", "a.wbplan", text(&library)],
            "cannot compare a plan with a library",
        ),
        (
            ["compare", "a.wbplan", "gone.wbplan"],
            "gone.wbplan: No such file",
        ),
    ] {
        let refused = workbench(dir.path(), &server, &args);
        assert_eq!(refused.status.code(), Some(2), "{}", stderr(&refused));
        assert!(stderr(&refused).contains(reason), "{}", stderr(&refused));
    }
    let wrong = [
        "compare",
        "a.wbplan",
        "p.wbplan",
        "--tolerance",
        "overlap=2",
    ];
    let wrong = workbench(dir.path(), &server, &wrong);
    assert_eq!(wrong.status.code(), Some(2), "{}", stderr(&wrong));
    assert!(
        stderr(&wrong).contains("between 0 and 1"),
        "{}",
        stderr(&wrong)
    );
}

#[test]
fn the_screen_compares_a_build_with_the_one_before_and_with_upstream() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(&["--scenario", "seed", "--tasks", "40"]);
    let library = draws(dir.path(), 0.1, "complete");
    let mut screen = Terminal::open(&server, dir.path(), &library, (120, 36));
    screen.keys("2").wait("40 · sort");
    // Written beside it and renamed, as linkers do.
    let newer = draws(&dir.path().join("newer"), 0.16, "complete");
    std::fs::rename(newer, &library).unwrap();
    screen.wait("build #2");
    screen
        .keys("=")
        .wait_until("both builds", |t| t.contains("A build #1   B build #2"));
    screen.keys("x").wait("mean overlap 0.67, 40 labels moved");
    screen.wait("complete → complete");
    screen.wait("overlap 0.67");
    screen.keys("w").wait("saved as compare.json");
    let saved = std::fs::read_to_string(dir.path().join("compare.json")).unwrap();
    let saved: Value = serde_json::from_str(&saved).unwrap();
    assert_eq!(
        (&saved["a"], &saved["tasks"]),
        (&json!("build #1"), &json!(40))
    );
    assert!(dir.path().join("compare.html").exists());
    // Upstream takes the place of the older build: each label is new there.
    screen.keys("[").wait("A upstream");
    screen.keys("x").wait("40 labels added");
    screen.keys("s").wait("before the call");
    assert_eq!(server.writes(), 0, "comparing writes nothing");
    screen.quit();
}

#[test]
fn four_hundred_watched_tasks_run_again_on_a_rebuilt_library_and_are_summed_up() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(&["--scenario", "seed", "--tasks", "400"]);
    let library = draws(dir.path(), 0.1, "complete");
    let mut screen = Terminal::open(&server, dir.path(), &library, (120, 36));
    screen.keys("2").wait("400 · sort");
    screen.keys("A").keys("w").wait("400 tasks watched");
    screen.keys("W").wait("ran once; change the agent");
    let newer = draws(&dir.path().join("newer"), 0.16, "complete");
    std::fs::rename(newer, &library).unwrap();
    screen
        .wait("400 of 400 tasks differ, none in its route, 400 changed labels, mean overlap 0.67");
    screen.wait_until("the worst first", |t| {
        t.contains("What differs, worst first") && t.contains("1/400")
    });
    let fails = draws(&dir.path().join("fails"), 0.16, "compleet");
    std::fs::rename(fails, &library).unwrap();
    screen.wait("400 fail that did not");
    screen.keys("S").wait("Tasks");
    screen.keys("X").wait("No task is watched");
    assert_eq!(server.writes(), 0, "watching writes nothing");
    screen.quit();
}

#[test]
fn the_screen_compares_two_earlier_runs_and_still_does_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(&["--scenario", "seed", "--tasks", "40"]);
    let library = draws(dir.path(), 0.1, "complete");
    let mut screen = Terminal::open(&server, dir.path(), &library, (120, 36));
    screen.keys("2").wait("40 · sort");
    screen.keys("A").keys("x").wait("FINISHED");
    let newer = draws(&dir.path().join("newer"), 0.16, "stay");
    std::fs::rename(newer, &library).unwrap();
    screen.wait("build #2");
    screen.keys("2").keys("x").wait("FINISHED");
    let compared = |screen: &mut Terminal| {
        screen.keys("=").wait("Compare at");
        for (key, side) in [("]", "B run 2"), ("[", "A run 1")] {
            choose(screen, key, side);
        }
        screen.wait("run 1 · dry · 40 tasks");
        screen.wait("run 2 · dry · 40 tasks");
        screen.keys("x").wait("40 of 40 tasks changed route");
        screen.wait("40 complete → stay");
        screen.wait("mean overlap 0.67");
        screen.keys("i").wait("no picture: of an earlier run");
    };
    compared(&mut screen);
    screen
        .keys("\u{1b}")
        .wait_until("it is closed", |t| !t.contains("Compare at"));
    screen.keys("q").wait("quit and keep them");
    screen.keys("y");
    assert_eq!(screen.ended().0, 0);
    let mut screen = Terminal::open(&server, dir.path(), &library, (120, 36));
    screen.keys("2").wait("40 · sort");
    compared(&mut screen);
    assert_eq!(server.writes(), 0, "comparing writes nothing");
    screen.keys("q").wait("quit and keep them");
    screen.keys("y");
    assert_eq!(screen.ended().0, 0);
}

/// Turns a side until it is the wanted one.
fn choose(screen: &mut Terminal, key: &str, wanted: &str) {
    let side = |text: &str| {
        let line = text.lines().find(|line| line.contains("   B "));
        line.map(|line| line.trim_matches(['│', ' ']).to_owned())
    };
    let until = std::time::Instant::now() + crate::support::DEADLINE;
    while !screen.text().contains(wanted) {
        assert!(
            std::time::Instant::now() < until,
            "never {wanted}: {}",
            screen.text()
        );
        let before = side(&screen.text());
        screen.keys(key);
        screen.wait_until("the next side", |text| side(text) != before);
    }
}
