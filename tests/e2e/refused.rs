//! Writes that are refused half-way: what is left in part of a task is told, finished by whatever command comes
//! next, or taken back; never does an agent run on top of its own labels. By the server's own books.

use crate::support::{
    Server, Terminal, c_agent, c_text, command, lines, plan, run, said, workbench,
};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};

const TASKS: usize = 4;
const ALL: &str = r#"{"route":"complete","priority":0.25,"client_metadata":{"seen":true},"add":[{"name":"Car","boundingBox":{"x":0.1,"y":0.2,"w":0.3,"h":0.4}}]}"#;

struct Folder {
    dir: tempfile::TempDir,
    server: Server,
    library: PathBuf,
}

impl Folder {
    fn new(faults: &[&str]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let data = dir.path().join("server");
        let tasks = TASKS.to_string();
        let mut args = vec!["--scenario", "seed", "--tasks", &tasks, "--data"];
        args.push(data.to_str().unwrap());
        args.extend(faults.iter().flat_map(|fault| ["--fault", fault]));
        let server = Server::start(&args);
        let library = c_agent(dir.path(), "noop", &[&c_text("OUTCOME", ALL), "NEEDS=2"]);
        Self {
            dir,
            server,
            library,
        }
    }

    fn path(&self) -> &Path {
        self.dir.path()
    }

    fn faults(&self, faults: &[&str]) {
        self.server
            .post("/local/faults", &json!({"faults": faults}));
    }

    fn run(&self, args: &[&str]) -> Output {
        run(self.path(), &self.server, &self.library, args)
    }

    fn workbench(&self, args: &[&str]) -> Output {
        workbench(self.path(), &self.server, args)
    }

    /// Boxes of each label row, as they lie in the server's database.
    fn boxes(&self) -> Vec<usize> {
        let file = self.path().join("server/project.db");
        let db = rusqlite::Connection::open(file).unwrap();
        let mut rows = db.prepare("SELECT units FROM label").unwrap();
        let rows = rows.query_map([], |r| r.get::<_, String>(0)).unwrap();
        let count = |units: String| units.matches(r#""featureHash":"CarBox01""#).count();
        rows.map(|units| count(units.unwrap())).collect()
    }

    fn places(&self) -> Vec<String> {
        let tasks = self.server.tasks();
        let stage = |t: &Value| t["stage"].as_str().unwrap().to_owned();
        tasks.iter().map(stage).collect()
    }

    /// Every task is written, once.
    fn all_once(&self, what: &str) {
        assert_eq!(self.boxes(), [1; TASKS], "{what}");
        assert_eq!(self.places(), ["Complete"; TASKS], "{what}");
        assert_eq!(self.server.changed("actions"), TASKS as u64, "{what}");
        let journal = self.workbench(&["journal"]);
        let text = String::from_utf8_lossy(&journal.stdout).into_owned();
        assert!(!text.contains("in part"), "{text}");
    }

    /// A run whose moves are refused.
    fn half_written(&self) -> Output {
        self.faults(&["actions:403"]);
        let output = self.run(&[]);
        assert_eq!(
            (self.boxes(), self.places()),
            (vec![1; TASKS], vec!["Agent 1".to_owned(); TASKS])
        );
        output
    }

    fn exec(&self, input: &str) -> (Vec<Value>, Output) {
        let mut child = command(self.path())
            .args([
                "exec",
                "--stage",
                "Agent 1",
                "--project-hash",
                &self.server.project(),
            ])
            .arg("--agents")
            .arg(&self.library)
            .envs(self.server.env())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdin = child.stdin.take().unwrap();
        let _ = stdin.write_all(input.as_bytes());
        drop(stdin);
        let output = child.wait_with_output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let results = text.lines().map(|l| serde_json::from_str(l).unwrap());
        (results.collect(), output)
    }

    fn specs(&self) -> String {
        let output = self.workbench(&["tasks", "--json"]);
        String::from_utf8_lossy(&output.stdout).into_owned()
    }
}

#[test]
fn what_is_written_in_part_is_told_and_finished_by_the_next_command() {
    for next in ["run", "resume", "plan", "apply", "undo"] {
        let folder = Folder::new(&[]);
        plan(folder.path(), &folder.server, &folder.library, &[]);
        let first = folder.half_written();
        let text = said(&first);
        assert!(
            text.contains("labels, priority and metadata written, but the task was not moved"),
            "{text}"
        );
        assert!(
            text.contains("4 tasks are written in part: `workbench resume` finishes them"),
            "{text}"
        );
        assert!(!text.contains("Nothing was lost"), "{text}");
        assert_eq!(lines(&first).1["in_part"], TASKS);
        let listed = folder.workbench(&["journal"]);
        let listed = String::from_utf8_lossy(&listed.stdout).into_owned();
        assert!(listed.contains("4 written in part"), "{listed}");
        // Refused again: the same words, and no agent on top.
        let again = folder.run(&[]);
        assert_eq!(again.status.code(), first.status.code(), "{}", said(&again));
        let fault = |output: &Output| lines(output).0[0]["fault"]["summary"].clone();
        assert_eq!(fault(&again), fault(&first));
        assert_eq!(folder.boxes(), [1; TASKS]);
        let dry = folder.run(&["--dry-run"]);
        assert_eq!(lines(&dry).0.len(), 0, "{}", said(&dry));
        assert!(
            said(&dry).contains("a run finishes them first"),
            "{}",
            said(&dry)
        );
        folder.faults(&[]);
        let output = match next {
            "run" => folder.run(&[]),
            "plan" => {
                let agents = folder.library.to_str().unwrap();
                let args = [
                    "plan",
                    "-o",
                    "q.wbplan",
                    "--progress",
                    "none",
                    "--agents",
                    agents,
                ];
                let planned = folder.workbench(&args);
                assert!(said(&planned).contains("0 outcomes"), "{}", said(&planned));
                folder.run(&[])
            }
            "apply" => folder.workbench(&["apply", "p.wbplan"]),
            "undo" => {
                // Taken back as it stands: nothing is moved for that.
                let undone = folder.workbench(&["undo", "--json"]);
                assert_eq!(lines(&undone).1["restored"], TASKS, "{}", said(&undone));
                assert_eq!(folder.boxes(), [0; TASKS]);
                assert_eq!(folder.server.changed("actions"), 0);
                folder.run(&[])
            }
            other => folder.workbench(&[other]),
        };
        // What the run left is finished; the plan finds its tasks gone.
        let code = if next == "apply" { 5 } else { 0 };
        assert_eq!(
            output.status.code(),
            Some(code),
            "{next}: {}",
            said(&output)
        );
        folder.all_once(next);
    }
}

#[test]
fn a_poller_finishes_in_its_next_pass_what_was_refused_in_this_one() {
    for fault in [
        "actions:400",
        "actions:403",
        "actions:409",
        "priorities:422",
        "patch_items:404",
    ] {
        let folder = Folder::new(&[fault]);
        let mut child = command(folder.path())
            .args([
                "run",
                "--json",
                "--progress",
                "none",
                "--refresh-every",
                "1",
            ])
            .args(["--project-hash", &folder.server.project(), "--agents"])
            .arg(&folder.library)
            .envs(folder.server.env())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap()).lines();
        for _ in 0..TASKS {
            let line: Value = serde_json::from_str(&out.next().unwrap().unwrap()).unwrap();
            assert_eq!(line["outcome"], "failed", "{fault}");
        }
        // The second pass fails with the same words; then nothing refuses any more.
        let line: Value = serde_json::from_str(&out.next().unwrap().unwrap()).unwrap();
        assert!(
            line["fault"]["summary"]
                .as_str()
                .unwrap()
                .contains("written, but"),
            "{line}"
        );
        folder.faults(&[]);
        let errors = BufReader::new(child.stderr.take().unwrap()).lines();
        let mut errors = errors.map(Result::unwrap);
        assert!(errors.any(|line| line.contains("of 4 pending writes, 4 are finished")));
        let pid = rustix::process::Pid::from_child(&child);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
        let _rest: Vec<String> = errors.collect();
        child.wait().unwrap();
        assert_eq!(
            (folder.boxes(), folder.places()),
            (vec![1; TASKS], vec!["Complete".to_owned(); TASKS]),
            "{fault}"
        );
        assert_eq!(folder.server.changed("actions"), TASKS as u64);
    }
}

#[test]
fn an_apply_that_was_refused_is_finished_by_the_next_apply() {
    for fault in [
        "actions:401",
        "actions:422",
        "priorities:409",
        "patch_items:500",
        "actions:lost",
    ] {
        let folder = Folder::new(&[]);
        plan(folder.path(), &folder.server, &folder.library, &[]);
        folder.faults(&[fault]);
        let first = folder.workbench(&["apply", "p.wbplan"]);
        assert_eq!(folder.boxes(), [1; TASKS], "{fault}: {}", said(&first));
        folder.faults(&[]);
        let second = folder.workbench(&["apply", "p.wbplan"]);
        assert_eq!(second.status.code(), Some(0), "{fault}: {}", said(&second));
        folder.all_once(fault);
    }
}

#[test]
fn a_spec_given_again_is_answered_with_what_was_written_for_it() {
    let folder = Folder::new(&["actions:409"]);
    let specs = folder.specs();
    let (refused, output) = folder.exec(&specs);
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    assert!(refused.iter().all(|r| r["success"] == false));
    folder.faults(&[]);
    // Finished before it is looked at; then once more, when everything is done.
    for _ in 0..2 {
        let (results, output) = folder.exec(&specs);
        assert_eq!(output.status.code(), Some(0), "{}", said(&output));
        assert!(
            results
                .iter()
                .all(|r| r["success"] == true && r["pathway"].is_string()),
            "{results:?}"
        );
    }
    folder.all_once("exec");
}

#[test]
fn a_spec_given_again_after_a_crash_succeeds_and_the_command_is_over() {
    for step in ["labels", "moves", "ended"] {
        for stays in [false, true] {
            let folder = Folder::new(&[]);
            if stays {
                let outcome = ALL.replace(r#""route":"complete","#, "");
                c_agent(
                    folder.path(),
                    "noop",
                    &[&c_text("OUTCOME", &outcome), "NEEDS=2"],
                );
            }
            let specs = folder.specs();
            let mut child = command(folder.path())
                .args([
                    "exec",
                    "--stage",
                    "Agent 1",
                    "--project-hash",
                    &folder.server.project(),
                ])
                .arg("--agents")
                .arg(&folder.library)
                .envs(folder.server.env())
                .env("WORKBENCH_KILL_AT", step)
                .stdin(Stdio::piped())
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .unwrap();
            let mut stdin = child.stdin.take().unwrap();
            let _ = stdin.write_all(specs.as_bytes());
            drop(stdin);
            child.wait().unwrap();
            let listed = folder.workbench(&["journal", "--json"]);
            assert!(String::from_utf8_lossy(&listed.stdout).contains(r#""interrupted":true"#));
            let (results, output) = folder.exec(&specs);
            assert_eq!(output.status.code(), Some(0), "{step}: {}", said(&output));
            assert!(
                results.iter().all(|r| r["success"] == true),
                "{step}: {results:?}"
            );
            assert_eq!(folder.boxes(), [1; TASKS], "{step}, stays: {stays}");
            let listed = folder.workbench(&["journal", "--json"]);
            let text = String::from_utf8_lossy(&listed.stdout).into_owned();
            assert!(!text.contains(r#""interrupted":true"#), "{step}: {text}");
        }
    }
}

#[test]
fn an_undo_whose_moves_are_refused_is_completed_by_undo_or_resume() {
    for (fault, next) in [
        ("move_tasks:401", "undo"),
        ("move_tasks:403", "resume"),
        ("priorities:400", "undo"),
        ("patch_items:409", "resume"),
    ] {
        let folder = Folder::new(&[]);
        let before = folder.places();
        folder.run(&[]);
        folder.faults(&[fault]);
        let first = folder.workbench(&["undo"]);
        assert!(!said(&first).contains("changed since"), "{}", said(&first));
        let listed = folder.workbench(&["journal"]);
        let listed = String::from_utf8_lossy(&listed.stdout).into_owned();
        assert!(listed.contains("4 written in part"), "{listed}");
        folder.faults(&[]);
        let second = folder.workbench(&[next]);
        assert_eq!(
            second.status.code(),
            Some(0),
            "{fault}, {next}: {}",
            said(&second)
        );
        assert!(
            !said(&second).contains("changed since"),
            "{}",
            said(&second)
        );
        assert_eq!(
            (folder.boxes(), folder.places()),
            (vec![0; TASKS], before),
            "{fault}, {next}"
        );
        assert_eq!(folder.server.changed("move_tasks"), TASKS as u64);
        let third = folder.workbench(&["undo"]);
        assert!(
            said(&third).contains("Nothing is left to take back"),
            "{}",
            said(&third)
        );
    }
}

#[test]
fn what_others_changed_since_is_left_to_a_person() {
    let folder = Folder::new(&[]);
    folder.half_written();
    for task in folder.server.tasks() {
        let edit = json!({"data_hash": task["data_hash"], "by": "ann@example.com"});
        folder.server.post("/local/edit", &edit);
    }
    folder.faults(&[]);
    for _ in 0..2 {
        let left = folder.run(&[]);
        assert_eq!(left.status.code(), Some(5), "{}", said(&left));
        assert_eq!(lines(&left).1["conflicts"], TASKS);
        assert_eq!(
            (folder.boxes(), folder.server.changed("actions")),
            (vec![1; TASKS], 0)
        );
    }
    // The person wants the agents to run on what is there now: what stands there is not added again.
    let anew = folder.run(&["--on-conflict", "rerun"]);
    assert_eq!(lines(&anew).1["moved"], TASKS, "{}", said(&anew));
    assert_eq!(folder.boxes(), [1; TASKS]);
}

#[test]
fn tasks_that_a_person_moved_on_meanwhile_are_over() {
    let folder = Folder::new(&[]);
    folder.half_written();
    let tasks: Vec<Value> = folder
        .server
        .tasks()
        .iter()
        .map(|t| t["uuid"].clone())
        .collect();
    let away = json!({"tasks": tasks, "stage": "Complete", "by": "ann@example.com"});
    folder.server.post("/local/move", &away);
    folder.faults(&[]);
    let resumed = folder.workbench(&["resume"]);
    assert!(
        said(&resumed).contains("4 are finished"),
        "{}",
        said(&resumed)
    );
    assert_eq!(
        (folder.boxes(), folder.server.changed("actions")),
        (vec![1; TASKS], 0)
    );
    let again = folder.workbench(&["resume"]);
    assert!(
        said(&again).contains("Nothing is left unfinished"),
        "{}",
        said(&again)
    );
}

#[test]
fn in_another_folder_what_this_key_has_added_is_not_added_again_unless_asked() {
    let folder = Folder::new(&[]);
    folder.half_written();
    folder.faults(&[]);
    let elsewhere = tempfile::tempdir().unwrap();
    let other = |args: &[&str]| run(elsewhere.path(), &folder.server, &folder.library, args);
    let dry = other(&["--dry-run"]);
    let (all, summary) = lines(&dry);
    assert_eq!(
        (all.len(), &summary["already_there"]),
        (TASKS, &json!(TASKS))
    );
    assert!(
        all.iter().all(|l| l["patch"].get("labels").is_none()),
        "{all:?}"
    );
    let asked = other(&["--dry-run", "--on-duplicate", "add"]);
    let (all, summary) = lines(&asked);
    assert_eq!(summary["already_there"], 0);
    assert!(
        all.iter()
            .all(|l| l["patch"]["labels"].as_array().unwrap().len() == 1)
    );
    let planned = plan(elsewhere.path(), &folder.server, &folder.library, &[]);
    assert!(
        said(&planned).contains("4 labels there already, not added again"),
        "{}",
        said(&planned)
    );
    let real = other(&[]);
    assert_eq!(lines(&real).1["already_there"], TASKS, "{}", said(&real));
    assert_eq!(
        (folder.boxes(), folder.places()),
        (vec![1; TASKS], vec!["Complete".to_owned(); TASKS])
    );
}

#[test]
fn a_setting_adds_labels_that_stand_there_already() {
    let folder = Folder::new(&[]);
    folder.half_written();
    folder.faults(&[]);
    let elsewhere = tempfile::tempdir().unwrap();
    let settings = elsewhere.path().join("workbench.toml");
    std::fs::write(&settings, "on_duplicate = \"twice\"\n").unwrap();
    let refused = run(elsewhere.path(), &folder.server, &folder.library, &[]);
    assert_eq!(refused.status.code(), Some(3), "{}", said(&refused));
    std::fs::write(&settings, "on_duplicate = \"add\"\n").unwrap();
    run(elsewhere.path(), &folder.server, &folder.library, &[]);
    assert_eq!(folder.boxes(), [2; TASKS]);
}

#[test]
fn a_gateway_that_refuses_what_was_applied_is_asked_about_it() {
    for status in [401, 403, 404, 408, 409, 413, 422, 429, 500, 502] {
        for step in ["save_labels", "priorities", "patch_items", "actions"] {
            // One answer is spoilt; a persistent gateway is tried in process.
            let fault = format!("{step}:{status}!applied*1");
            let folder = Folder::new(&[&fault]);
            let output = folder.run(&[]);
            assert_eq!(output.status.code(), Some(0), "{fault}: {}", said(&output));
            assert_eq!(lines(&output).1["moved"], TASKS, "{fault}");
            folder.all_once(&fault);
        }
    }
}

#[test]
fn a_commit_of_the_screen_that_is_refused_is_sent_again_or_finished_and_never_run_on_top() {
    let folder = Folder::new(&["actions:409"]);
    let mut screen = Terminal::open(&folder.server, folder.path(), &folder.library, (140, 40));
    screen.keys("N").wait("Dry-run");
    screen.keys("y").wait("FINISHED");
    screen.keys("v").wait("nothing is sent before C");
    screen.keys("C").wait("Commit");
    screen.keys("y").wait("refused");
    assert_eq!(
        (folder.boxes(), folder.server.changed("actions")),
        (vec![1; TASKS], 0)
    );
    // The agent is not called again for a task that is written in part.
    screen.keys("\x1b\x1b2").wait("astronaut.jpg");
    screen.keys("s").wait("written, but");
    folder.faults(&[]);
    screen.keys("v").wait("nothing is sent before C");
    screen.keys("C").wait("Commit");
    screen.keys("y").wait("4 of 4");
    assert_eq!(screen.quit().0, 0);
    folder.all_once("screen");
}
