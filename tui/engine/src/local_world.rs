//! A local project for tests of this crate: its server, whose answers can be spoilt, and its records; a client, a
//! journal, and what agents would give for its tasks.

use crate::config::Config;
use crate::flags::Flags;
use crate::journal::{Journal, Operation};
use crate::operation::{Hooks, Operator, Performer};
use crate::upstream::Upstream;
use serde_json::{Value, json};
use std::collections::HashSet;
use std::io::{Read, Write as _};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;
use wb_client::{AssetCache, Reader, Settings, TaskFilter, Writer};
use wb_core::error::Error;
use wb_core::ids::{ProjectHash, TaskId};
use wb_core::journal::{Settled, Undone};
use wb_core::ledger::{Commit, Machine, Next, Reply, Request, Scope};
use wb_core::patch::judge;
use wb_core::work::wire::{IncludeOptions, InitialiseOptions};
use wb_core::work::{Change, Committed, FetchSpec, Inputs, Outcome, Project, TaskRow, needs};
use wb_core::workflow::Stage;

/// What an agent gives: it writes at every step.
const OUTCOME: &str = r#"{"route":"complete","priority":0.25,"client_metadata":{"seen":true},
    "add":[{"name":"Car","boundingBox":{"x":0.1,"y":0.2,"w":0.3,"h":0.4}}]}"#;
/// Tasks that wait at the agent stage.
pub const TASKS: usize = 4;

/// A local project with a client that has little patience.
pub struct World {
    pub served: wb_local::Served,
    pub reader: Reader,
    pub writer: Arc<Writer>,
    pub project: Arc<Project>,
    pub stage: Stage,
    pub dir: tempfile::TempDir,
    /// Name of the platform.
    pub name: String,
}

fn connect(served: &wb_local::Served) -> Upstream {
    let mut settings = Settings::from_key_file(&served.domain, &served.ssh_key_file).unwrap();
    settings.patience = Duration::from_millis(20);
    let flags = Flags::default();
    let config = Config::load(&flags).unwrap();
    crate::upstream::demo(&flags, &config, settings).unwrap()
}

impl World {
    pub async fn new() -> Self {
        Self::with_tasks(TASKS).await
    }

    pub async fn with_tasks(tasks: usize) -> Self {
        Self::of(wb_local::Scenario::Seed, tasks).await
    }

    /// With a twin project, which has the same data units further along.
    pub async fn with_twin() -> Self {
        Self::of(wb_local::Scenario::Demo, 2 * TASKS).await
    }

    async fn of(scenario: wb_local::Scenario, tasks: usize) -> Self {
        let options = wb_local::ServeOptions {
            tasks: Some(tasks),
            scenario,
            ..wb_local::ServeOptions::default()
        };
        Self::served(options).await
    }

    pub async fn served(options: wb_local::ServeOptions) -> Self {
        let served = wb_local::serve(options).await.unwrap();
        let upstream = connect(&served);
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
            project: Arc::new(project),
            stage,
            dir: tempfile::tempdir().unwrap(),
            name: upstream.name,
        }
    }

    /// A writer of its own.
    pub fn writer(&self) -> Arc<Writer> {
        connect(&self.served).writer.unwrap()
    }

    /// Reads the server's own records, or changes its errors.
    pub fn records(&self, method: &str, path: &str, body: &str) -> Value {
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

    pub fn errors(&self, errors: &[String]) {
        let body = json!({"faults": errors}).to_string();
        tokio::task::block_in_place(|| self.records("POST", "/local/faults", &body));
    }

    pub fn changed(&self, endpoint: &str) -> u64 {
        let counters = tokio::task::block_in_place(|| self.records("GET", "/local/counters", ""));
        counters["endpoints"][endpoint]["changed"]
            .as_u64()
            .unwrap_or(0)
    }

    /// Stage, priority and boxes of each task.
    pub async fn tasks(&self) -> Vec<(String, f64, usize)> {
        let state = tokio::task::block_in_place(|| self.records("GET", "/local/state", ""));
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

    /// The tasks that wait.
    pub async fn rows(&self) -> Vec<TaskRow> {
        let filter = TaskFilter::default();
        let page = self
            .reader
            .tasks_page(self.project.hash, &self.stage, &filter, None);
        page.await.unwrap().rows
    }

    /// What the agents would give for all tasks that wait, with what they were given.
    pub async fn judged(&self) -> Vec<(Inputs, Outcome)> {
        let rows = self.rows().await;
        let fetch = FetchSpec {
            needs: needs::LABEL_ROW_WRITE | needs::CLIENT_METADATA,
            ..FetchSpec::default()
        };
        let cache = AssetCache::new(self.dir.path().join("assets"), 1 << 20);
        let ontology = agent_abi::model::Ontology::from_editor(&self.project.doc.ontology);
        let ontology = Arc::new(ontology.unwrap());
        let inputs = self
            .reader
            .inputs(&self.project, &self.stage, &rows, &fetch, &cache);
        let judged = inputs.await.into_iter().map(|inputs| {
            let inputs = inputs.unwrap();
            let outcome = judge(&self.stage, &ontology, &inputs, OUTCOME.as_bytes()).unwrap();
            (inputs, outcome)
        });
        judged.collect()
    }

    /// The same, as it is committed.
    pub async fn outcomes(&self) -> (Vec<TaskRow>, Vec<Change>) {
        let judged = self.judged().await.into_iter();
        let pairs = judged.map(|(inputs, outcome)| {
            let item = wb_core::run::item(&outcome, &inputs, self.stage.id).unwrap();
            (inputs.row, item)
        });
        pairs.unzip()
    }

    /// The journal, as the next command of this folder opens it.
    pub fn journal(&self) -> Journal {
        Journal::open(self.dir.path()).unwrap()
    }

    /// Writes the outcomes as a run does.
    pub async fn run(&self) -> (Vec<TaskRow>, i64) {
        let journal = self.journal();
        let run = Operation {
            kind: "run",
            ..Operation::default()
        };
        let op = journal.operate(self.project.hash, &run, &[], 1).unwrap();
        let (rows, items) = self.outcomes().await;
        let noted = &journal;
        self.write(noted, items, false).await;
        journal.close(2);
        (rows, op)
    }

    pub async fn undo(&self, op: i64) -> Result<(u64, usize), Error> {
        let journal = self.journal().under(
            Operation {
                kind: "undo",
                undoes: Some(op),
                ..Operation::default()
            },
            Vec::new(),
        );
        self.take_back(journal, op)
            .await
            .map(|done| (done.restored, done.left.len()))
    }

    /// Takes an operation of this journal back.
    pub async fn take_back(&self, journal: Journal, op: i64) -> Result<Undone, Error> {
        let hooks = Hooks {
            stopped: &|| false,
            report: &mut |_| {},
        };
        Operator::new(self.performer(journal)).undo(op, hooks).await
    }

    /// What requests are performed with that write through this journal.
    pub fn performer(&self, journal: Journal) -> Performer {
        let (reader, writer) = (self.reader.clone(), Some(self.writer.clone()));
        Performer::new(reader, writer, journal, self.project.clone())
    }

    /// Commits these; the result of each.
    pub async fn write(
        &self,
        journal: &Journal,
        items: Vec<Change>,
        overwrite: bool,
    ) -> Vec<Committed> {
        let commit = Commit::new(items, overwrite);
        let written = self.performer(journal.clone()).drive(commit).await;
        written.unwrap().into_iter().map(|(_, end)| end).collect()
    }

    /// Begins to commit these and dies when they are noted.
    pub async fn die_while_writing(&self, journal: Journal, items: Vec<Change>) {
        let performer = self.performer(journal);
        let mut commit = Commit::new(items, false);
        let mut next = commit.start();
        while let Next::Ask(request) = next {
            let last = matches!(request, Request::Note(_));
            let reply = performer.perform(request).await;
            if last {
                assert!(matches!(reply, Reply::Noted(Ok(_))));
                return;
            }
            next = commit.on(reply);
        }
        panic!("nothing was noted");
    }

    /// Finishes what earlier commands had begun.
    pub async fn settle(&self, journal: Journal) -> Settled {
        let mut operator = Operator::new(self.performer(journal));
        operator.recover(Scope::All).await.unwrap()
    }

    /// Tasks that no agent may be run for.
    pub fn guarded(&self, rows: &[TaskRow]) -> HashSet<TaskId> {
        let tasks = rows.iter().map(|row| row.id).collect();
        let found = self.journal().unfinished(self.project.hash, &tasks);
        found.unwrap().into_keys().collect()
    }
}
