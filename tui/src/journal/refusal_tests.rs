//! Every kind of write refused by every kind of answer, at every step, by the server's own books: what is left in
//! part is known, nobody's agent may run on top of it, and the next command finishes it or takes it back.

use super::*;
use crate::cli::Global;
use crate::config::Config;
use crate::journal::{Journal, Operation, Scope, settle, write};
use crate::undo::{Told, take_back};
use serde_json::{Value, json};
use std::collections::HashSet;
use std::io::{Read, Write as _};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;
use wb_client::{AssetCache, Reader, Settings, TaskFilter, Writer};
use wb_core::ids::ProjectHash;
use wb_core::patch::judge;
use wb_core::work::{CommitItem, Project, TaskRow, Wants, needs};
use wb_core::workflow::Stage;

const TASKS: usize = 4;
/// What an agent gives: it writes at every step.
const OUTCOME: &str = r#"{"route":"complete","priority":0.25,"client_metadata":{"seen":true},
    "add":[{"name":"Car","boundingBox":{"x":0.1,"y":0.2,"w":0.3,"h":0.4}}]}"#;
/// The steps of a commit by the names of their requests.
const STEPS: [&str; 5] = [
    "create_labels",
    "save_labels",
    "priorities",
    "patch_items",
    "actions",
];
/// The steps of an undo.
const BACK: [&str; 4] = ["save_labels", "priorities", "patch_items", "move_tasks"];
const ANSWERS: [&str; 23] = [
    "400",
    "401",
    "403",
    "404",
    "409",
    "413",
    "422",
    "429",
    "500",
    "503",
    "lost",
    "drop",
    "page",
    "truncate",
    "401!applied",
    "403!applied",
    "404!applied",
    "409!applied",
    "413!applied",
    "422!applied",
    "429!applied",
    "502!applied",
    "page!applied",
];

/// A local project with a client that has little patience.
struct World {
    served: wb_local::Served,
    reader: Reader,
    writer: Writer,
    project: Project,
    stage: Stage,
    dir: tempfile::TempDir,
}

impl World {
    async fn new() -> Self {
        let options = wb_local::ServeOptions {
            tasks: Some(TASKS),
            scenario: wb_local::Scenario::Seed,
            ..wb_local::ServeOptions::default()
        };
        let served = wb_local::serve(options).await.unwrap();
        let mut settings = Settings::from_key_file(&served.domain, &served.ssh_key_file).unwrap();
        settings.patience = Duration::from_millis(20);
        let (global, dir) = (Global::default(), tempfile::tempdir().unwrap());
        let config = Config::load(&global).unwrap();
        let upstream = crate::upstream::demo(&global, &config, settings).unwrap();
        let (reader, writer) = (upstream.reader, upstream.writer.unwrap());
        let project = reader
            .project(ProjectHash(served.project_hash))
            .await
            .unwrap();
        let stage = project.workflow.agent_stages().next().unwrap().clone();
        Self {
            served,
            reader,
            writer,
            project,
            stage,
            dir,
        }
    }

    /// Asks the server's own books, or changes its faults.
    fn books(&self, method: &str, path: &str, body: &str) -> Value {
        let ready: Value = serde_json::from_str(&self.served.ready_line()).unwrap();
        let token = ready["local_token"].as_str().unwrap_or_default();
        let address = self.served.domain.trim_start_matches("http://");
        let mut stream = TcpStream::connect(address).unwrap();
        write!(
            stream,
            "{method} {path} HTTP/1.0\r\nHost: {address}\r\nAuthorization: Bearer {token}\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (_, body) = answer.split_once("\r\n\r\n").unwrap();
        serde_json::from_str(body).unwrap_or_else(|e| panic!("{e}: {answer}"))
    }

    fn faults(&self, faults: &[String]) {
        let body = json!({"faults": faults}).to_string();
        tokio::task::block_in_place(|| self.books("POST", "/local/faults", &body));
    }

    fn changed(&self, endpoint: &str) -> u64 {
        let counters = tokio::task::block_in_place(|| self.books("GET", "/local/counters", ""));
        counters["endpoints"][endpoint]["changed"]
            .as_u64()
            .unwrap_or(0)
    }

    /// Stage, priority and boxes of each task.
    async fn tasks(&self) -> Vec<(String, f64, usize)> {
        let state = tokio::task::block_in_place(|| self.books("GET", "/local/state", ""));
        let tasks = state["tasks"].as_array().unwrap();
        let data = |t: &Value| t["data_hash"].as_str().unwrap().parse().unwrap();
        let units: Vec<_> = tasks.iter().map(|t| (data(t), Arc::from("main"))).collect();
        let rows = self
            .reader
            .label_rows(
                self.project.hash,
                &units,
                &IncludeOptions::default(),
                &InitialiseOptions::default(),
            )
            .await;
        let each = tasks.iter().zip(rows).map(|(task, row)| {
            let boxes = row
                .unwrap()
                .json
                .matches(r#""featureHash":"CarBox01""#)
                .count();
            let stage = task["stage"].as_str().unwrap().to_owned();
            (stage, task["priority"].as_f64().unwrap_or(0.5), boxes)
        });
        each.collect()
    }

    /// What the agents would give for all tasks that wait.
    async fn outcomes(&self) -> (Vec<TaskRow>, Vec<CommitItem>) {
        let filter = TaskFilter::default();
        let page = self
            .reader
            .tasks_page(self.project.hash, &self.stage, &filter, None);
        let rows = page.await.unwrap().rows;
        let wants = Wants {
            needs: needs::LABEL_ROW_WRITE | needs::CLIENT_METADATA,
            ..Wants::default()
        };
        let cache = AssetCache::new(self.dir.path().join("assets"), 1 << 20);
        let ontology =
            Arc::new(agent_abi::model::Ontology::from_editor(&self.project.doc.ontology).unwrap());
        let inputs = self
            .reader
            .inputs(&self.project, &self.stage, &rows, &wants, &cache)
            .await;
        let items = inputs.into_iter().map(|inputs| {
            let inputs = inputs.unwrap();
            let outcome = judge(&self.stage, &ontology, &inputs, OUTCOME.as_bytes()).unwrap();
            wb_core::run::item(&outcome, &inputs, self.stage.id).unwrap()
        });
        (rows, items.collect())
    }

    /// The journal, as the next command of this folder opens it.
    fn journal(&self) -> Journal {
        Journal::open(self.dir.path()).unwrap()
    }

    /// Writes the outcomes as a run does.
    async fn run(&self) -> (Vec<TaskRow>, i64) {
        let journal = self.journal();
        let run = Operation {
            kind: "run",
            ..Operation::default()
        };
        let op = journal.operate(self.project.hash, &run, &[], 1).unwrap();
        let (rows, items) = self.outcomes().await;
        let noted = Some(journal.clone());
        write(&self.writer, noted, &self.project, items, false)
            .await
            .unwrap();
        journal.close(2);
        (rows, op)
    }

    async fn undo(&self, op: i64) -> Result<(u64, usize), Fault> {
        let journal = self.journal().under(
            Operation {
                kind: "undo",
                undoes: Some(op),
                ..Operation::default()
            },
            Vec::new(),
        );
        let (reader, writer) = (&self.reader, Some(&self.writer));
        let told = |_: &Deed, _: Told<'_>| {};
        take_back(reader, writer, &journal, &self.project, op, told, || false)
            .await
            .map(|done| (done.restored, done.left.len()))
    }

    /// Tasks that no agent may be run for.
    fn guarded(&self, rows: &[TaskRow]) -> HashSet<TaskId> {
        let tasks = rows.iter().map(|row| row.id).collect();
        let found = self.journal().unfinished(self.project.hash, &tasks);
        found.unwrap().into_keys().collect()
    }
}

const DONE: (&str, f64, usize) = ("Complete", 0.25, 1);

async fn refused(step: &str, answer: &str) {
    let case = format!("{step}:{answer}");
    let world = World::new().await;
    world.faults(&[case.clone()]);
    let (rows, op) = world.run().await;
    world.faults(&[]);
    let at = |n: usize| rows[n].id;
    let guarded = world.guarded(&rows);
    let half = world.tasks().await;
    assert_eq!(half.len(), TASKS, "{case}");
    for (n, (stage, _, boxes)) in half.iter().enumerate() {
        assert!(*boxes <= 1, "{case}: {half:?}");
        let in_part = *stage == world.stage.title && *boxes > 0;
        assert!(
            !in_part || guarded.contains(&at(n)),
            "{case}: an agent would be run on top of its own labels: {half:?}"
        );
    }
    if answer.ends_with("applied") {
        let wrong = half
            .iter()
            .filter(|(stage, ..)| *stage == world.stage.title)
            .count();
        // Who asks too often is refused at every step after it, until the next command.
        assert!(wrong == 0 || answer.starts_with("429"), "{case}: {half:?}");
    }
    // What was written in part can be taken back as it stands; half of the cases do.
    let back = (step.len() + answer.len()) % 2 == 0;
    if back && world.journal().ops().unwrap()[0].in_part == TASKS as u64 {
        assert_eq!(world.undo(op).await.unwrap(), (TASKS as u64, 0), "{case}");
        for (stage, _, boxes) in world.tasks().await {
            assert_eq!((stage, boxes), (world.stage.title.clone(), 0), "{case}");
        }
        assert_eq!(world.guarded(&rows).len(), 0, "{case}");
    }
    let settled = settle(&world.writer, &world.journal(), &world.project, Scope::All).await;
    assert_eq!(settled.unwrap().in_part, 0, "{case}");
    // What was not written at all is run again; nothing else waits.
    world.run().await;
    for (stage, priority, boxes) in world.tasks().await {
        assert_eq!((&*stage, priority, boxes), DONE, "{case}");
    }
    assert_eq!(world.changed("actions"), TASKS as u64, "{case}");
    assert_eq!(world.guarded(&rows).len(), 0, "{case}");
    let journal = world.journal();
    assert!(journal.open_entries(world.project.hash).unwrap().is_empty());
}

async fn undo_refused(step: &str, answer: &str) {
    let case = format!("undo, {step}:{answer}");
    let world = World::new().await;
    let (rows, op) = world.run().await;
    world.faults(&[format!("{step}:{answer}")]);
    let first = world.undo(op).await;
    world.faults(&[]);
    if (step.len() + answer.len()) % 2 == 0 {
        let settled = settle(&world.writer, &world.journal(), &world.project, Scope::All).await;
        assert_eq!(settled.unwrap().in_part, 0, "{case}");
    }
    let second = world.undo(op).await.unwrap();
    assert_eq!(
        second.1, 0,
        "{case}: {first:?}, nobody else changed anything"
    );
    for (stage, priority, boxes) in world.tasks().await {
        let wanted = (&*world.stage.title, 0.5, 0);
        assert_eq!((&*stage, priority, boxes), wanted, "{case}");
    }
    assert_eq!(world.changed("move_tasks"), TASKS as u64, "{case}");
    assert_eq!(world.guarded(&rows).len(), 0, "{case}");
    // And again: an undo of nothing restores nothing.
    assert_eq!(world.undo(op).await.unwrap(), (0, 0), "{case}");
}

/// Runs these cases side by side; most of their time is waiting.
async fn all<F: Future<Output = ()> + Send + 'static>(cases: Vec<F>) {
    let mut running = tokio::task::JoinSet::new();
    for case in cases {
        running.spawn(case);
    }
    while let Some(ended) = running.join_next().await {
        ended.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_refused_at_any_step_by_any_answer_is_finished_once() {
    let mut cases = Vec::new();
    for step in STEPS {
        for answer in ANSWERS {
            cases.push(refused(step, answer));
        }
    }
    all(cases).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_undo_refused_at_any_step_by_any_answer_is_completed_once() {
    let mut cases = Vec::new();
    for step in BACK {
        for answer in ANSWERS {
            cases.push(undo_refused(step, answer));
        }
    }
    all(cases).await;
}
