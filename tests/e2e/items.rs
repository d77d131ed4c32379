//! New text items as further changes: planned, reviewed, made once whatever happens in between, and deleted again.

use crate::support::{Server, c_agent, c_text, killed_at, lines, plan, stderr, workbench};
use serde_json::{Value, json};
use std::path::PathBuf;
use std::process::Output;

const OTHER: &str = "7e500000-0000-4000-8005-000000000002";
const INBOX: &str = "7e500000-0000-4000-8004-000000000001";
/// Points of a commit at which it is killed: all that items have, and later ones.
const STEPS: [&str; 8] = [
    "begun", "files", "job", "uploads", "links", "labels", "moves", "answered",
];
/// Three images.
const TASKS: u64 = 3;

/// A project of images whose agent asks people about each of them in another project.
struct World {
    dir: tempfile::TempDir,
    server: Server,
    agent: PathBuf,
}

impl World {
    /// Questions go to the dataset's own folder, or to one from where they are linked.
    fn new(linked: bool) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let world = json!({
            "datasets": [
                {"title": "Images", "items": [{"type": "image", "title": "##.jpg", "count": TASKS}]},
                {"title": "Questions", "items": []},
            ],
            "folders": [{"id": INBOX, "title": "Inbox"}],
            "projects": [
                {"title": "Cars", "datasets": ["Images"]},
                {"id": OTHER, "title": "People", "datasets": ["Questions"]},
            ],
        });
        let path = dir.path().join("world.json");
        std::fs::write(&path, world.to_string()).unwrap();
        let server = Server::start(&["--scenario-file", path.to_str().unwrap()]);
        let mut item = json!({"kind": "item", "project": OTHER, "title": "question.txt",
            "text": "Is this a car\nor a van?", "client_metadata": {"asked": true}});
        if linked {
            item["folder"] = INBOX.into();
        }
        let answer = json!({"route": "complete", "priority": 0.25, "changes": [item]});
        let defines = [c_text("OUTCOME", &answer.to_string())];
        let agent = c_agent(dir.path(), "noop", &defines.each_ref().map(String::as_str));
        Self { dir, server, agent }
    }

    fn killed(&self, step: &str, args: &[&str]) {
        killed_at(self.dir.path(), &self.server, step, args);
    }

    fn run(&self) -> [&str; 5] {
        let agent = self.agent.to_str().unwrap();
        ["run", "--json", "--no-input", "--agents", agent]
    }

    fn does(&self, args: &[&str]) -> Output {
        let output = workbench(self.dir.path(), &self.server, args);
        assert_eq!(
            output.status.code(),
            Some(0),
            "{args:?}: {}",
            stderr(&output)
        );
        output
    }

    /// The new tasks.
    fn questions(&self) -> Vec<Value> {
        let state = self.server.admin(&format!("/local/state?project={OTHER}"));
        state["tasks"].as_array().unwrap().clone()
    }

    /// Each question is there once, and each task has moved.
    fn all_once(&self, step: &str) {
        let questions = self.questions();
        assert_eq!(questions.len() as u64, TASKS, "{step}: {questions:?}");
        let new = |task: &Value| task["stage"] == "Agent 1" && task["data_title"] == "question.txt";
        assert!(questions.iter().all(new), "{step}: {questions:?}");
        assert_eq!(self.server.changed("upload_jobs"), TASKS, "{step}");
        let moved = |task: &Value| task["stage"] != "Agent 1" && task["priority"] == 0.25;
        assert!(self.server.tasks().iter().all(moved), "{step}");
    }

    fn as_before(&self, step: &str) {
        assert_eq!(self.questions(), [] as [Value; 0], "{step}");
        let waits = |task: &Value| task["stage"] == "Agent 1";
        assert!(self.server.tasks().iter().all(waits), "{step}");
    }
}

#[test]
fn a_run_that_is_killed_while_it_makes_items_makes_each_once() {
    for linked in [false, true] {
        for step in STEPS {
            let world = World::new(linked);
            world.killed(step, &world.run());
            world.does(&["resume"]);
            world.all_once(step);
            world.does(&["undo", "--yes"]);
            world.as_before(step);
        }
    }
}

#[test]
fn an_undo_that_is_killed_while_it_deletes_items_is_finished() {
    for linked in [false, true] {
        let world = World::new(linked);
        world.does(&world.run());
        world.all_once("run");
        world.killed("unlinked", &["undo", "--yes"]);
        world.does(&["resume"]);
        world.as_before("unlinked");
    }
}

#[test]
fn a_plan_shows_its_items_writes_nothing_and_is_applied_once() {
    let world = World::new(true);
    let planned = plan(
        world.dir.path(),
        &world.server,
        &world.agent,
        &["--report", "r.html"],
    );
    assert_eq!(planned.status.code(), Some(0), "{}", stderr(&planned));
    assert_eq!(world.server.writes(), 0);
    world.as_before("plan");
    let shown = world.does(&["review", "p.wbplan", "--diff"]);
    let shown = String::from_utf8(shown.stdout).unwrap();
    for line in [
        "new text item \"question.txt\" (23 bytes) in dataset Questions",
        "\"Is this a car or a van?\"",
        "{\"asked\":true}",
    ] {
        assert_eq!(shown.matches(line).count() as u64, TASKS, "{line}: {shown}");
    }
    let (all, _) = lines(&world.does(&["review", "p.wbplan", "--json"]));
    let change = &all[1]["patch"]["changes"][0];
    assert_eq!(change["kind"], "item", "{change}");
    let item = &change["item"];
    assert_eq!(item["text"], "Is this a car\nor a van?", "{item}");
    assert_eq!(
        (&item["dataset_title"], &item["folder"]),
        (&json!("Questions"), &json!(INBOX))
    );
    let page = std::fs::read_to_string(world.dir.path().join("r.html")).unwrap();
    assert!(page.contains("Is this a car or a van?"), "{page}");
    world.does(&["apply", "p.wbplan", "--yes"]);
    world.all_once("apply");
    // What people have begun stays, and the undo names it.
    let unit = world.questions()[0]["data_hash"].clone();
    let edit = json!({"data_hash": unit, "project": OTHER, "by": "ann@example.com"});
    world.server.post("/local/edit", &edit);
    let undone = stderr(&world.does(&["undo", "--yes"]));
    let why = "the item \"question.txt\" stays, because its labels were begun";
    assert_eq!(undone.matches(why).count(), 1, "{undone}");
    assert_eq!(world.questions().len(), 1);
}
