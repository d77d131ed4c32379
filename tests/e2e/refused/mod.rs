//! Writes that are refused half-way: what is written in part of a task is reported, finished by whatever command comes
//! next, or taken back; never does an agent run on top of its own labels. By the server's own database.

mod exec;
mod others;

use crate::support::{
    Server, Terminal, c_agent, c_text, command, fed, lines, plan, run, stderr, workbench,
};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader};
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
        let mut exec = command(self.path());
        exec.args([
            "exec",
            "--stage",
            "Agent 1",
            "--project-hash",
            &self.server.project(),
        ])
        .arg("--agents")
        .arg(&self.library)
        .envs(self.server.env());
        let output = fed(&mut exec, input);
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
fn what_is_written_in_part_is_reported_and_finished_by_the_next_command() {
    for next in ["run", "resume", "plan", "apply", "undo"] {
        let folder = Folder::new(&[]);
        plan(folder.path(), &folder.server, &folder.library, &[]);
        let first = folder.half_written();
        let text = stderr(&first);
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
        assert_eq!(
            again.status.code(),
            first.status.code(),
            "{}",
            stderr(&again)
        );
        let fault = |output: &Output| lines(output).0[0]["fault"]["summary"].clone();
        assert_eq!(fault(&again), fault(&first));
        assert_eq!(folder.boxes(), [1; TASKS]);
        let dry = folder.run(&["--dry-run"]);
        assert_eq!(lines(&dry).0.len(), 0, "{}", stderr(&dry));
        assert!(
            stderr(&dry).contains("a run finishes them first"),
            "{}",
            stderr(&dry)
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
                assert!(
                    stderr(&planned).contains("0 outcomes"),
                    "{}",
                    stderr(&planned)
                );
                folder.run(&[])
            }
            "apply" => folder.workbench(&["apply", "p.wbplan"]),
            "undo" => {
                // Taken back as it stands: nothing is moved for that.
                let undone = folder.workbench(&["undo", "--json"]);
                assert_eq!(lines(&undone).1["restored"], TASKS, "{}", stderr(&undone));
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
            stderr(&output)
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
        assert_eq!(folder.boxes(), [1; TASKS], "{fault}: {}", stderr(&first));
        folder.faults(&[]);
        let second = folder.workbench(&["apply", "p.wbplan"]);
        assert_eq!(
            second.status.code(),
            Some(0),
            "{fault}: {}",
            stderr(&second)
        );
        folder.all_once(fault);
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
        assert!(
            !stderr(&first).contains("changed since"),
            "{}",
            stderr(&first)
        );
        let listed = folder.workbench(&["journal"]);
        let listed = String::from_utf8_lossy(&listed.stdout).into_owned();
        assert!(listed.contains("4 written in part"), "{listed}");
        folder.faults(&[]);
        let second = folder.workbench(&[next]);
        assert_eq!(
            second.status.code(),
            Some(0),
            "{fault}, {next}: {}",
            stderr(&second)
        );
        assert!(
            !stderr(&second).contains("changed since"),
            "{}",
            stderr(&second)
        );
        assert_eq!(
            (folder.boxes(), folder.places()),
            (vec![0; TASKS], before),
            "{fault}, {next}"
        );
        assert_eq!(folder.server.changed("move_tasks"), TASKS as u64);
        let third = folder.workbench(&["undo"]);
        assert!(
            stderr(&third).contains("Nothing is left to take back"),
            "{}",
            stderr(&third)
        );
    }
}

#[test]
fn a_gateway_that_refuses_what_was_applied_is_asked_about_it() {
    for status in [401, 403, 404, 408, 409, 413, 422, 429, 500, 502] {
        for step in ["save_labels", "priorities", "patch_items", "actions"] {
            // One answer is spoilt; a persistent gateway is tried in process.
            let fault = format!("{step}:{status}!applied*1");
            let folder = Folder::new(&[&fault]);
            let output = folder.run(&[]);
            assert_eq!(
                output.status.code(),
                Some(0),
                "{fault}: {}",
                stderr(&output)
            );
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
    screen.keys("v").wait("nothing is sent before you");
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
    screen.keys("v").wait("nothing is sent before you");
    screen.keys("C").wait("Commit");
    screen.keys("y").wait_until("the moves", |_| {
        folder.server.changed("actions") == TASKS as u64
    });
    assert_eq!(screen.quit().0, 0);
    folder.all_once("screen");
}
