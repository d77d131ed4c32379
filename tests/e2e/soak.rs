//! A soak: pollers and one-off commands share a folder while libraries are replaced, writes are refused or
//! answered wrongly, and processes are killed; then the server's database is read. One round is a project of
//! its own with a seed of its own.
//!
//! The test runs one round. `WORKBENCH_SOAK=600` runs rounds for that many seconds and prints one line of
//! JSON for each; `WORKBENCH_SEED=N` chooses the first seed.

use crate::support::{Chance, DEADLINE, Server, c_agent, c_text, command, plan, stderr, workbench};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Output, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

const TASKS: usize = 240;
/// Tasks that a plan holds for review.
const PLANNED: usize = 40;
/// What happens to the pollers before things calm down.
const EVENTS: usize = 60;
const STAGE: &str = "Agent 1";
const OUTCOME: &str = r#"{"route":"complete","priority":0.25,"client_metadata":{"seen":true},"add":[{"name":"Car","boundingBox":{"x":0.1,"y":0.2,"w":0.3,"h":0.4}}]}"#;
/// Faults of a stretch; each strikes a few times and then lets the work go on.
const FAULTS: [&[&str]; 8] = [
    &["actions:401*1"],
    &["actions:403*2", "save_labels:409*1"],
    &["actions:409*3"],
    &["actions:lost*2", "save_labels:lost*2"],
    &["save_labels:500@30%*5"],
    &["any:429/1s*2"],
    &["actions:422*2", "any:drop@5%*5"],
    &["actions:503*2", "save_labels:truncate*2"],
];

/// A command of the program that runs in the background and whose output lines are events.
struct Process {
    child: Child,
}

impl Process {
    fn start(dir: &Path, server: &Server, args: &[&str], lines: &Sender<String>) -> Self {
        let mut child = command(dir)
            .args(args)
            .args(["--project-hash", &server.project()])
            .envs(server.env())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        forward(child.stdout.take().unwrap(), lines.clone());
        forward(child.stderr.take().unwrap(), lines.clone());
        Self { child }
    }

    fn ended(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    fn signal(&mut self, signal: Signal) {
        let _ = kill_process(Pid::from_child(&self.child), signal);
        let _ = self.child.wait();
    }
}

fn forward(source: impl std::io::Read + Send + 'static, lines: Sender<String>) {
    std::thread::spawn(move || {
        for line in BufReader::new(source).lines().map_while(Result::ok) {
            let _ = lines.send(line);
        }
    });
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// One project under attack.
struct Round {
    dir: tempfile::TempDir,
    server: Server,
    /// Builds of the same agent with different contents.
    builds: Vec<PathBuf>,
    library: PathBuf,
    chance: Chance,
    counts: BTreeMap<&'static str, u64>,
    lines: (Sender<String>, Receiver<String>),
}

impl Round {
    fn new(seed: u64) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let data = dir.path().join("data");
        let (tasks, seeded) = (TASKS.to_string(), seed.to_string());
        let server = Server::start(&[
            "--scenario",
            "seed",
            "--tasks",
            &tasks,
            "--latency",
            "20ms",
            "--seed",
            &seeded,
            "--data",
            data.to_str().unwrap(),
        ]);
        let builds: Vec<PathBuf> = (0..3)
            .map(|n| {
                let folder = dir.path().join(format!("build{n}"));
                std::fs::create_dir(&folder).unwrap();
                let log = folder.join("calls");
                let texts = [
                    c_text("LOG", log.to_str().unwrap()),
                    c_text("OUTCOME", OUTCOME),
                ];
                c_agent(&folder, "counted", &[&texts[0], &texts[1], "NEEDS=2"])
            })
            .collect();
        let library = dir.path().join("libcounted.so");
        std::fs::copy(&builds[0], &library).unwrap();
        Self {
            dir,
            server,
            builds,
            library,
            chance: Chance(seed),
            counts: BTreeMap::new(),
            lines: channel(),
        }
    }

    fn count(&mut self, what: &'static str) {
        *self.counts.entry(what).or_default() += 1;
    }

    fn faults(&self, faults: &[&str]) {
        self.server
            .post("/local/faults", &json!({ "faults": faults }));
    }

    /// Replaces the library whole, as a linker's output is moved into place.
    fn reload(&mut self) {
        let next = self.chance.below(self.builds.len());
        let staged = self.dir.path().join("staged.so");
        std::fs::copy(&self.builds[next], &staged).unwrap();
        std::fs::rename(&staged, &self.library).unwrap();
        self.count("reloads");
    }

    fn poller(&self) -> Process {
        let args = [
            "run",
            "--json",
            "--progress",
            "none",
            "--refresh-every",
            "1",
            "-j",
            "2",
            "--task-batch-size",
            "7",
            "--agents",
            self.library.to_str().unwrap(),
        ];
        Process::start(self.dir.path(), &self.server, &args, &self.lines.0)
    }

    fn one_off(&self, args: &[&str]) -> Output {
        workbench(self.dir.path(), &self.server, args)
    }

    /// A plan writes nothing; what is applied of it, in spite of refusals and a kill, is what it holds.
    fn reviewed(&mut self) {
        let limit = PLANNED.to_string();
        let output = plan(
            self.dir.path(),
            &self.server,
            &self.library,
            &["--max-tasks-per-stage", &limit],
        );
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        assert_eq!(self.server.writes(), 0, "a plan writes nothing");
        let review = self.one_off(&["review", "p.wbplan", "--json"]);
        let text = String::from_utf8_lossy(&review.stdout).into_owned();
        let planned: BTreeSet<String> = text
            .lines()
            .filter_map(|line| {
                serde_json::from_str::<Value>(line).unwrap()["task_uuid"]
                    .as_str()
                    .map(str::to_owned)
            })
            .collect();
        assert_eq!(planned.len(), PLANNED, "{text}");
        let faults = FAULTS[self.chance.below(FAULTS.len())];
        self.faults(faults);
        let killed = command(self.dir.path())
            .args([
                "apply",
                "p.wbplan",
                "--yes",
                "--project-hash",
                &self.server.project(),
            ])
            .envs(self.server.env())
            .env(
                "WORKBENCH_KILL_AT",
                ["begun", "labels", "moves", "answered"][self.chance.below(4)],
            )
            .output()
            .unwrap();
        self.count("kills");
        drop(killed);
        self.faults(&[]);
        self.until_done(&["resume"]);
        self.until_done(&["apply", "p.wbplan", "--yes"]);
        assert_eq!(
            self.moved(),
            planned,
            "exactly what was reviewed is written"
        );
    }

    /// A command again and again until nothing is left for it.
    fn until_done(&mut self, args: &[&str]) {
        let until = Instant::now() + DEADLINE;
        loop {
            let output = self.one_off(args);
            if output.status.code() == Some(0) {
                return;
            }
            assert!(Instant::now() < until, "{args:?}: {}", stderr(&output));
        }
    }

    fn moved(&self) -> BTreeSet<String> {
        let gone = |task: &&Value| task["stage"] != STAGE;
        let tasks = self.server.tasks();
        tasks
            .iter()
            .filter(gone)
            .map(|t| t["uuid"].as_str().unwrap().to_owned())
            .collect()
    }

    /// Two pollers while everything goes wrong around them; an event for every few lines they print.
    fn storm(&mut self) {
        self.faults(FAULTS[0]);
        let mut pollers = [self.poller(), self.poller()];
        for _ in 0..EVENTS {
            if self.moved().len() == TASKS {
                break;
            }
            for _ in 0..=self.chance.below(4) {
                // A pass with nothing to report is silent: then the next event comes all the same.
                let _ = self.lines.1.recv_timeout(Duration::from_millis(500));
            }
            let which = self.chance.below(2);
            match self.chance.below(6) {
                0 => {
                    pollers[which].signal(Signal::KILL);
                    self.count("kills");
                }
                1 => {
                    let faults = FAULTS[self.chance.below(FAULTS.len())];
                    self.faults(faults);
                    self.count("stretches of faults");
                }
                2 => {
                    pollers[which].signal(Signal::KILL);
                    self.count("kills");
                    let resume = ["resume"];
                    pollers[which] =
                        Process::start(self.dir.path(), &self.server, &resume, &self.lines.0);
                    self.count("resumed pollers");
                }
                _ => self.reload(),
            }
            for poller in &mut pollers {
                if poller.ended() {
                    *poller = self.poller();
                    self.counts
                        .entry("processes")
                        .and_modify(|n| *n += 1)
                        .or_insert(3);
                }
            }
        }
        for mut poller in pollers {
            poller.signal(Signal::TERM);
        }
    }

    /// Without faults the next command finishes what was left; then the database is read.
    fn settle(&mut self) {
        self.faults(&[]);
        let library = self.library.display().to_string();
        self.until_done(&["run", "--progress", "none", "--agents", &library]);
        assert_eq!(self.moved().len(), TASKS, "nothing is lost");
        assert_eq!(
            self.server.changed("actions"),
            TASKS as u64,
            "each task moved once"
        );
        for task in self.server.tasks() {
            assert_eq!(task["priority"], 0.25, "{task}");
        }
        for (title, boxes) in self.boxes() {
            assert_eq!(boxes, 1, "{title} has one box");
        }
        let journal = self.one_off(&["journal", "--json"]);
        for line in String::from_utf8_lossy(&journal.stdout).lines() {
            let op: Value = serde_json::from_str(line).unwrap();
            assert_eq!(op["open"], 0, "{op}");
        }
    }

    /// Boxes on each row, from the server's own database.
    fn boxes(&self) -> Vec<(String, usize)> {
        let db = rusqlite::Connection::open(self.dir.path().join("data/project.db")).unwrap();
        let sql = "SELECT d.title, coalesce(l.units, '') FROM data d LEFT JOIN label l ON l.data = d.id AND l.branch = 'main'";
        let mut select = db.prepare(sql).unwrap();
        let rows = select
            .query_map([], |r| Ok((r.get(0)?, r.get::<_, String>(1)?)))
            .unwrap();
        rows.map(Result::unwrap)
            .map(|(title, units)| (title, units.matches("\"featureHash\":\"CarBox01\"").count()))
            .collect()
    }
}

fn round(seed: u64) -> Value {
    let began = Instant::now();
    let mut round = Round::new(seed);
    round.reviewed();
    round.storm();
    round.settle();
    json!({"seed": seed, "tasks": TASKS, "counts": round.counts, "seconds": began.elapsed().as_secs()})
}

#[test]
fn a_soak_with_reloads_refusals_kills_and_two_processes_loses_and_doubles_nothing() {
    let number = |name: &str| {
        std::env::var(name)
            .ok()
            .map(|text| text.parse::<u64>().unwrap())
    };
    let until =
        number("WORKBENCH_SOAK").map(|seconds| Instant::now() + Duration::from_secs(seconds));
    let mut seed = number("WORKBENCH_SEED").unwrap_or(1);
    loop {
        println!("{}", round(seed));
        seed += 1;
        if until.is_none_or(|until| Instant::now() >= until) {
            return;
        }
    }
}
