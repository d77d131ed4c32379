//! A run that goes on without the screen that it began on: dry with its outcomes held for the next screen, live with each task
//! moved once; followed, stopped, killed, and left by its terminal. No process outlives its test.

use crate::support::{
    DEADLINE, Server, Terminal, c_agent, c_text, command, lines, mode, stderr, workbench,
};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Output;
use std::time::Instant;

/// Tasks of a run: some hundred milliseconds of work for each ten.
const TASKS: u64 = 160;

/// A folder in which runs go on, with an agent that takes its time and notes every call.
struct Place {
    dir: tempfile::TempDir,
    server: Server,
    library: PathBuf,
}

impl Place {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let tasks = TASKS.to_string();
        let server = Server::start(&["--scenario", "seed", "--tasks", &tasks]);
        let log = dir.path().join("calls");
        let log = c_text("LOG", log.to_str().unwrap());
        let library = c_agent(dir.path(), "paced", &[&log, "PACE=60"]);
        Self {
            dir,
            server,
            library,
        }
    }

    fn path(&self) -> &Path {
        self.dir.path()
    }

    fn screen(&self) -> Terminal {
        Terminal::open(&self.server, self.path(), &self.library, (120, 36))
    }

    /// The runs of the folder.
    fn runs(&self) -> Vec<Value> {
        let output = command(self.path())
            .args(["runs", "--json"])
            .output()
            .unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        text.lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }

    /// Waits until the newest run is as wanted.
    fn wait(&self, what: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let until = Instant::now() + DEADLINE;
        loop {
            let run = self.runs().pop();
            if let Some(run) = run.as_ref().filter(|run| wanted(run)) {
                return run.clone();
            }
            assert!(Instant::now() < until, "never {what}: {run:?}");
        }
    }

    /// Waits until the process of the newest run has begun to work.
    fn working(&self) -> Pid {
        let own = |run: &Value| run["state"] == "running" && run["rate"].as_f64() > Some(0.0);
        let run = self.wait("at work", own);
        Pid::from_raw(i32::try_from(run["pid"].as_i64().unwrap()).unwrap()).unwrap()
    }

    fn attach(&self, more: &[&str]) -> Output {
        let args = [&["attach"][..], more].concat();
        command(self.path()).args(args).output().unwrap()
    }

    /// Tasks that have had a call, each once.
    fn called(&self) -> usize {
        let text = std::fs::read_to_string(self.path().join("calls")).unwrap();
        let tasks: std::collections::BTreeSet<&str> = text.lines().collect();
        tasks.len()
    }
}

impl Drop for Place {
    /// A test that failed leaves no process behind.
    fn drop(&mut self) {
        let alive = |run: &Value| {
            ["running", "stopping"]
                .map(Value::from)
                .contains(&run["state"])
        };
        for run in self.runs().iter().filter(|run| alive(run)) {
            let pid = run["pid"].as_i64().and_then(|pid| i32::try_from(pid).ok());
            if let Some(pid) = pid.and_then(Pid::from_raw) {
                let _ = kill_process(pid, Signal::KILL);
            }
        }
    }
}

/// Starts a run of all tasks on a screen, and lets it go on in the background once some tasks are done.
fn left(place: &Place, live: bool) {
    let mut screen = place.screen();
    if live {
        screen.keys("m").wait("go live");
        screen.keys("y").wait(" LIVE ");
    }
    screen.keys("N").wait("yes");
    screen.keys("y");
    screen.wait_until("some are done", |text| match live {
        true => place.server.changed("actions") > 0,
        false => text.contains("25 held"),
    });
    screen
        .keys("q")
        .wait("lets the run go on in the background");
    screen.keys("g");
    let (code, text) = screen.ended();
    assert_eq!(code, 0, "{text}");
    let line = format!("of {TASKS}): workbench attach 1");
    assert!(
        text.contains("run #1 goes on in the background ("),
        "{text}"
    );
    assert!(text.contains(&line), "{text}");
}

#[test]
fn a_dry_run_goes_on_without_its_screen_and_the_next_one_has_what_it_held() {
    let place = Place::new();
    left(&place, false);
    let run = place.wait("there", |run| run["run"] == 1);
    for file in std::fs::read_dir(place.path().join(".workbench/runs/1")).unwrap() {
        let file = file.unwrap().path();
        assert_eq!(mode(&file) & 0o077, 0, "{}: for its owner", file.display());
    }
    assert_eq!(run["kind"], "dry_run");
    assert_eq!(
        (&run["all"], &run["background"]),
        (&TASKS.into(), &true.into())
    );
    // A screen that is opened meanwhile shows it, and does not run its tasks a second time.
    let mut meanwhile = place.screen();
    meanwhile.wait("run #1");
    meanwhile.keys("N").wait("yes");
    meanwhile.keys("y").wait("has the tasks of Agent 1");
    let followed = place.attach(&[]);
    assert_eq!(followed.status.code(), Some(0), "{}", stderr(&followed));
    let (each, summary) = lines(&followed);
    assert!(each.len() > 20 && summary["tasks"] == each.len());
    meanwhile.wait(&format!("{TASKS} held"));
    assert_eq!(meanwhile.quit().0, 0);
    assert_eq!(place.called(), usize::try_from(TASKS).unwrap());
    assert_eq!(
        place.server.writes(),
        0,
        "nothing is written without a commit"
    );
    let run = place.wait("over", |run| run["state"] == "finished");
    assert_eq!(
        (&run["done"], &run["exit_code"]),
        (&TASKS.into(), &0.into())
    );
    let mut screen = place.screen();
    screen.wait(&format!("{TASKS} held outcomes are back"));
    screen.keys("v").wait(&format!("{TASKS} outcomes held"));
    screen.keys("C").wait("write it");
    screen
        .keys("y")
        .wait(&format!("{TASKS} of {TASKS} written"));
    assert_eq!(place.server.changed("actions"), TASKS);
}

#[test]
fn a_live_run_goes_on_without_its_screen_and_moves_each_task_once() {
    let place = Place::new();
    left(&place, true);
    place.working();
    let followed = place.attach(&["1"]);
    assert_eq!(followed.status.code(), Some(0), "{}", stderr(&followed));
    assert_eq!(place.server.changed("actions"), TASKS, "each once");
    let run = place.wait("over", |run| run["state"] == "finished");
    assert_eq!((&run["kind"], &run["done"]), (&"run".into(), &TASKS.into()));
    let output = workbench(place.path(), &place.server, &["journal", "--json"]);
    let text = String::from_utf8(output.stdout).unwrap();
    let written = text.lines().map(|line| {
        let op: Value = serde_json::from_str(line).unwrap();
        assert_eq!(op["interrupted"], false, "{op}");
        op["done"].as_u64().unwrap()
    });
    assert_eq!(written.sum::<u64>(), TASKS, "{text}");
}

#[test]
fn a_run_that_is_stopped_finishes_what_is_under_way_and_ends_with_its_own_exit_code() {
    let place = Place::new();
    left(&place, false);
    place.working();
    let stopped = place.attach(&["1", "--stop"]);
    assert_eq!(stopped.status.code(), Some(143), "{}", stderr(&stopped));
    let run = place.wait("stopped", |run| run["state"] == "stopped");
    let done = run["done"].as_u64().unwrap();
    assert!(done < TASKS, "{run}");
    let mut screen = place.screen();
    screen.wait(&format!("{done} held · "));
    assert_eq!(screen.quit().0, 0);
    let again = place.attach(&["1"]);
    assert_eq!(again.status.code(), Some(143), "a run that is over");
}

#[test]
fn a_run_that_is_killed_keeps_what_it_held_and_is_known_to_have_died() {
    let place = Place::new();
    left(&place, false);
    let pid = place.working();
    let more = |run: &Value| run["done"].as_u64() > Some(80);
    place.wait("half-way", more);
    kill_process(pid, Signal::KILL).unwrap();
    let run = place.wait("dead", |run| run["state"] == "died");
    let attached = place.attach(&["1"]);
    assert_eq!(attached.status.code(), Some(1));
    assert!(
        stderr(&attached).contains("run #1 died at "),
        "{}",
        stderr(&attached)
    );
    // What was decided is held when the other tasks of its batch are; two batches are worked on at a time.
    let done = run["done"].as_u64().unwrap();
    let mut screen = place.screen();
    screen.wait_until("what it held", |text| {
        let (before, _) = text.split_once(" held · ").unwrap_or_default();
        let held = before.split_whitespace().next_back();
        held.is_some_and(|held| held.parse::<u64>().unwrap() + 50 >= done)
    });
    assert_eq!(screen.quit().0, 0);
}

#[test]
fn a_live_run_that_is_killed_is_gone_on_with_by_resume() {
    let place = Place::new();
    left(&place, true);
    let pid = place.working();
    place.wait("some", |run| run["done"].as_u64() > Some(60));
    kill_process(pid, Signal::KILL).unwrap();
    place.wait("dead", |run| run["state"] == "died");
    let resumed = workbench(place.path(), &place.server, &["resume"]);
    assert_eq!(resumed.status.code(), Some(0), "{}", stderr(&resumed));
    assert_eq!(place.server.changed("actions"), TASKS, "each once");
}

#[test]
fn a_run_in_the_background_survives_the_end_of_its_terminal_and_is_stopped_by_name_on_a_screen() {
    let place = Place::new();
    left(&place, false);
    let pid = place.working();
    // As when the session of a terminal ends: its processes get the signal.
    let group = rustix::process::getpgid(Some(pid)).unwrap();
    assert_eq!(group, pid, "a group, and so a session, of its own");
    assert_eq!(rustix::process::getsid(Some(pid)).unwrap(), pid);
    let mut screen = place.screen();
    screen.keys("4").wait("run #1 in the background");
    screen.keys("C").wait("Stop run #1 in the background?");
    screen.keys("y");
    screen.keys("1").wait("stopped: ");
    let run = place.wait("stopped", |run| run["state"] == "stopped");
    assert_eq!(run["exit_code"], 143);
    assert_eq!(screen.quit().0, 0);
}

#[test]
fn a_command_is_listed_with_its_end_and_old_runs_are_forgotten() {
    let place = Place::new();
    let agents = place.library.to_str().unwrap();
    for _ in 0..3 {
        let args = ["run", "--max-tasks-per-stage", "2", "--agents", agents];
        let output = workbench(place.path(), &place.server, &args);
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    }
    let runs = place.runs();
    let numbers: Vec<u64> = runs
        .iter()
        .map(|run| run["run"].as_u64().unwrap())
        .collect();
    assert_eq!(numbers, [1, 2, 3]);
    for run in &runs {
        assert_eq!(
            (&run["state"], &run["done"]),
            (&"finished".into(), &2.into())
        );
        assert_eq!(run["background"], false);
    }
    let pruned = command(place.path())
        .args(["runs", "--prune", "1"])
        .output();
    assert!(stderr(&pruned.unwrap()).contains("Forgot 2 runs"));
    assert_eq!(place.runs().len(), 1);
    let unknown = place.attach(&["1"]);
    assert_eq!(unknown.status.code(), Some(2));
    assert!(
        stderr(&unknown).contains("no run #1 is known"),
        "{}",
        stderr(&unknown)
    );
}
