//! What outcomes change beyond their own rows, through the command line: nothing is lost, and nothing written twice,
//! wherever the program is killed; and `undo` names what stays.

use crate::support::{Server, c_agent, c_text, killed_at, lines, plan, stderr, workbench};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::Output;

/// The steps of a commit between which something is written, and after the last of them.
const STEPS: [&str; 9] = [
    "further-labels",
    "labels",
    "priorities",
    "metadata",
    "further-values",
    "issues",
    "further-moves",
    "moves",
    "answered",
];

/// A demo project, its twin, and an agent that writes both.
struct World {
    dir: tempfile::TempDir,
    server: Server,
    agents: PathBuf,
    /// The data that the agent is run for.
    units: Vec<Value>,
}

fn car() -> Value {
    json!({"name": "Car", "boundingBox": {"x": 0.1, "y": 0.2, "w": 0.3, "h": 0.4}})
}

impl World {
    fn new(faults: &[&str]) -> Self {
        let args = ["--scenario", "demo", "--tasks", "24"];
        let faults = faults.iter().flat_map(|fault| ["--fault", fault]);
        let server = Server::start(&args.into_iter().chain(faults).collect::<Vec<_>>());
        let dir = tempfile::tempdir().unwrap();
        let twin = server.field("twin_project_hash");
        let answer = json!({"stage": "Archive", "priority": 0.25, "add": [car()], "changes": [
            {"kind": "move", "project": twin, "to": "Review"},
            {"kind": "issue", "comment": "too dark", "frame": 0, "tags": ["night"]},
            {"kind": "priority", "project": twin, "priority": 0.125},
            {"kind": "labels", "project": twin, "add": [car()]},
        ]});
        let defines = [
            c_text("OUTCOME", &answer.to_string()),
            c_text("STAGE", "pre-label"),
            "NEEDS=WB_NEED_LABEL_ROW_WRITE".to_owned(),
        ];
        let defines: Vec<&str> = defines.iter().map(String::as_str).collect();
        let agents = c_agent(dir.path(), "noop", &defines);
        let all = server.tasks();
        let waits = |task: &&Value| {
            task["stage"] == "pre-label" && task["data_title"].as_str().unwrap().contains("jpg")
        };
        let units = all
            .iter()
            .filter(waits)
            .map(|task| task["data_hash"].clone());
        Self {
            units: units.collect(),
            dir,
            server,
            agents,
        }
    }

    fn path(&self) -> &Path {
        self.dir.path()
    }

    fn does(&self, args: &[&str]) -> Output {
        let output = workbench(self.path(), &self.server, args);
        assert_eq!(
            output.status.code(),
            Some(0),
            "{args:?}: {}",
            stderr(&output)
        );
        output
    }

    fn run(&self) -> [&str; 7] {
        let agents = self.agents.to_str().unwrap();
        [
            "run",
            "--progress",
            "none",
            "--filter",
            "jpg",
            "--agents",
            agents,
        ]
    }

    /// The same tasks in both projects, by their data: those that the agent is run for.
    fn tasks(&self, project: &str) -> Vec<Value> {
        let state = self
            .server
            .admin(&format!("/local/state?project={project}"));
        let all = state["tasks"].as_array().unwrap().iter();
        let wanted = all.filter(|task| self.units.contains(&task["data_hash"]));
        let mut tasks: Vec<Value> = wanted.cloned().collect();
        tasks.sort_by_key(|task| task["data_hash"].to_string());
        tasks
    }

    fn both(&self) -> [Vec<Value>; 2] {
        let twin = self.server.field("twin_project_hash");
        [self.tasks(&self.server.project()), self.tasks(&twin)]
    }

    /// Everything is written, and once: in tasks, labels, and issues.
    fn all_once(&self, step: &str, before: &[Vec<Value>; 2]) -> u64 {
        let [own, twin] = self.both();
        let there = before[1].iter().filter(|task| task["stage"] == "Review");
        let moves = (own.len() + twin.len() - there.count()) as u64;
        let n = own.len() as u64;
        assert!(n > 2 && n == twin.len() as u64, "{step}: {own:?}");
        for (task, other) in own.iter().zip(&twin) {
            let at = (&task["stage"], &task["priority"]);
            assert_eq!(at, (&json!("Archive"), &json!(0.25)), "{step}: {task}");
            let at = (&other["stage"], &other["priority"]);
            assert_eq!(at, (&json!("Review"), &json!(0.125)), "{step}: {other}");
        }
        for (endpoint, times) in [
            ("save_labels", 2 * n),
            ("move_tasks", moves),
            ("change_notes", n),
        ] {
            let changed = self.server.changed(endpoint);
            assert_eq!(changed, times, "{step}: {endpoint}");
        }
        n
    }
}

/// What stages and priorities there are, for comparison.
fn places(tasks: &[Vec<Value>; 2]) -> Vec<(&Value, &Value)> {
    let all = tasks.iter().flatten();
    all.map(|task| (&task["stage"], &task["priority"]))
        .collect()
}

#[test]
fn a_run_that_is_killed_between_its_writes_is_resumed_and_undone() {
    for step in STEPS {
        let world = World::new(&[]);
        let before = world.both();
        killed_at(world.path(), &world.server, step, &world.run());
        world.does(&["resume"]);
        let n = world.all_once(step, &before);
        let undone = stderr(&world.does(&["undo"]));
        let named = undone.matches("an issue stays").count() as u64;
        assert_eq!(named, n, "{step}: {undone}");
        assert_eq!(places(&world.both()), places(&before), "{step}");
        assert_eq!(world.server.changed("change_notes"), n, "{step}");
    }
}

#[test]
fn an_issue_whose_answer_is_lost_is_made_once() {
    let world = World::new(&["change_notes:lost*1"]);
    let before = world.both();
    world.does(&world.run());
    world.all_once("lost", &before);
    let faults = world.server.admin("/local/faults");
    assert_eq!(faults["faults"][0]["struck"], 1, "{faults}");
}

#[test]
fn a_plan_is_left_where_somebody_changed_a_twin_and_its_dry_run_shows_it() {
    let world = World::new(&[]);
    let planned = plan(
        world.path(),
        &world.server,
        &world.agents,
        &["--filter", "jpg"],
    );
    assert_eq!(planned.status.code(), Some(0), "{}", stderr(&planned));
    let shown = world.does(&["review", "p.wbplan", "--json"]);
    let shown = String::from_utf8(shown.stdout).unwrap();
    let first: Value = serde_json::from_str(shown.lines().nth(1).unwrap()).unwrap();
    assert_eq!(first["to_stage_title"], "Archive", "{first}");
    let kinds = first["patch"]["changes"].as_array().unwrap().iter();
    let kinds: Vec<&str> = kinds
        .map(|change| change["kind"].as_str().unwrap())
        .collect();
    assert_eq!(kinds, ["labels", "priority", "issue", "move"]);

    let (edited, twin) = (&world.units[0], world.server.field("twin_project_hash"));
    let edit = json!({"data_hash": edited, "project": twin, "by": "ann@example.com"});
    world.server.post("/local/edit", &edit);
    let left = |args: &[&str]| {
        let args = [&["apply", "p.wbplan", "--json"], args].concat();
        let output = workbench(world.path(), &world.server, &args);
        let (all, summary) = lines(&output);
        let conflicts = all.iter().filter(|line| line["outcome"] == "conflict");
        let units: Vec<Value> = conflicts.map(|line| line["data_hash"].clone()).collect();
        (
            output.status.code(),
            units,
            summary["writes"].clone(),
            stderr(&output),
        )
    };
    let (code, units, writes, text) = left(&["--dry-run"]);
    assert_eq!(
        (&units[..], &writes),
        (std::slice::from_ref(edited), &json!(0)),
        "{text}"
    );
    let (real, units, _, text) = left(&[]);
    assert_eq!(
        (real, &units[..]),
        (code, std::slice::from_ref(edited)),
        "{text}"
    );
    let [own, twin] = world.both();
    for (task, other) in own.iter().zip(&twin) {
        let changed = &task["data_hash"] == edited;
        assert_eq!(task["stage"] == "Archive", !changed, "{task}");
        assert_eq!(other["priority"] == 0.125, !changed, "{other}");
    }
}

#[test]
fn a_dry_run_over_two_stages_names_what_the_second_could_not_see() {
    let world = World::new(&[]);
    let answer = json!({"stage": "route", "changes": [
        {"kind": "issue", "comment": "too dark"},
    ]});
    let folders = [
        ("first", "pre-label", answer),
        ("second", "route", json!({"stage": "Archive"})),
    ];
    let libraries = folders.map(|(folder, stage, answer)| {
        let folder = world.path().join(folder);
        std::fs::create_dir(&folder).unwrap();
        let defines = [
            c_text("OUTCOME", &answer.to_string()),
            c_text("STAGE", stage),
        ];
        c_agent(&folder, "noop", &defines.each_ref().map(String::as_str))
    });
    let [first, second] = libraries.each_ref().map(|l| l.to_str().unwrap());
    let run = [
        "run",
        "--progress",
        "none",
        "--filter",
        "jpg",
        "--agents",
        first,
        "--agents",
        second,
    ];
    let dry = world.does(&[&run[..], &["--dry-run"]].concat());
    let n = world.units.len();
    let text = stderr(&dry);
    let unseen =
        format!("{n} tasks went on to a later stage of this run, which saw their own rows");
    assert!(text.contains(&unseen), "{text}");
    assert_eq!(world.server.writes(), 0);
    let real = world.does(&run);
    assert!(
        !stderr(&real).contains("went on to a later stage"),
        "{}",
        stderr(&real)
    );
}

#[test]
fn a_protected_level_holds_for_the_other_project_too() {
    let world = World::new(&[]);
    let before = world.both();
    std::fs::write(
        world.path().join("workbench.toml"),
        "level = \"protected\"\n",
    )
    .unwrap();
    let (own, twin) = ("Night cameras", "Night cameras (twin)");
    let confirmed = |titles: &[&str]| {
        let titles = titles.iter().flat_map(|title| ["--confirm", title]);
        let args: Vec<&str> = world.run().into_iter().chain(titles).collect();
        workbench(world.path(), &world.server, &args)
    };
    let refused = confirmed(&[own]);
    let text = stderr(&refused);
    assert_ne!(refused.status.code(), Some(0), "{text}");
    assert!(text.contains(&format!("--confirm \"{twin}\"")), "{text}");
    assert_eq!(places(&world.both()), places(&before));
    assert_eq!(world.server.writes(), 0, "{text}");
    let written = confirmed(&[own, twin]);
    assert_eq!(written.status.code(), Some(0), "{}", stderr(&written));
    world.all_once("confirmed", &before);
}
