//! A made-up project driven through `State::update`, for tests and the gallery example: no
//! network, no clock, the same every time.

use serde_json::{Map, Value, json};
use std::sync::Arc;
use uuid::Uuid;
use wb_core::build::{AgentDescriptor, Descriptor, Probed};
use wb_core::command::Command;
use wb_core::event::{BuildEvent, Effect, Event, JobEvent, ListId, NetStats, Upstream};
use wb_core::fault::{Fault, FaultKind};
use wb_core::ids::{DataHash, LabelHash, Millis, PathwayId, ProjectHash, StageId, TaskId};
use wb_core::state::{Options, State};
use wb_core::work::wire::{AgentSpec, ProjectDoc, StepDoc};
use wb_core::work::{
    Committed, Inputs, LabelChange, Outcome, Patch, Project, RowInput, TaskRow, TaskStatus, Timing,
    Way,
};
use wb_core::workflow::{Edge, Pathway, Stage, StageKind, Workflow};

/// 2026-11-22T07:41:02Z.
pub const NOW: i64 = 1_795_333_262_000;

/// The stages by name.
pub const PRELABEL: u128 = 1;
/// People draw.
pub const ANNOTATE: u128 = 2;
/// People look.
pub const REVIEW: u128 = 3;
/// The second agent.
pub const ROUTE: u128 = 4;
/// The end.
pub const COMPLETE: u128 = 5;
/// The other end.
pub const ARCHIVE: u128 = 6;

/// A stage's identity.
pub fn stage(n: u128) -> StageId {
    StageId(Uuid::from_u128(
        0x6011_c844_fb26_438b_b465_0b08_2595_0000 + n,
    ))
}

/// A task's identity.
pub fn task(stage: u128, n: usize) -> TaskId {
    TaskId(Uuid::from_u128(
        (stage << 64) + 0x9c1f_0b7e_0000_0000_0000_0000 + n as u128,
    ))
}

fn made(n: u128, title: &str, kind: StageKind, ways: &[(&str, u128)]) -> Stage {
    let pathways = ways.iter().enumerate().map(|(i, (name, to))| Pathway {
        id: PathwayId(Uuid::from_u128(100 * n + i as u128)),
        name: (*name).to_owned(),
        to: stage(*to),
    });
    Stage {
        id: stage(n),
        title: title.into(),
        kind,
        pathways: pathways.collect(),
    }
}

/// The workflow of the demo.
pub fn workflow() -> Workflow {
    let edge = |from: Option<u128>, to, label: &str| Edge {
        from: from.map(stage),
        to: stage(to),
        label: label.into(),
    };
    Workflow {
        stages: vec![
            made(
                PRELABEL,
                "pre-label",
                StageKind::Agent,
                &[
                    ("annotate", ANNOTATE),
                    ("skip", ARCHIVE),
                    ("escalate", REVIEW),
                ],
            ),
            made(ANNOTATE, "Annotate", StageKind::Annotation, &[]),
            made(REVIEW, "Review", StageKind::Review, &[]),
            made(
                ROUTE,
                "route",
                StageKind::Agent,
                &[("complete", COMPLETE), ("rework", ANNOTATE)],
            ),
            made(COMPLETE, "Complete", StageKind::Done, &[]),
            made(ARCHIVE, "Archive", StageKind::Done, &[]),
        ],
        edges: vec![
            edge(None, PRELABEL, ""),
            edge(Some(ANNOTATE), REVIEW, ""),
            edge(Some(REVIEW), ROUTE, "approve"),
            edge(Some(REVIEW), ANNOTATE, "reject"),
        ],
    }
}

/// The project around it.
pub fn project() -> Arc<Project> {
    Arc::new(Project {
        hash: ProjectHash(Uuid::from_u128(7)),
        title: "Street scenes QA".into(),
        workflow: workflow(),
        doc: ProjectDoc {
            project_hash: Uuid::from_u128(7),
            title: "Street scenes QA".into(),
            description: String::new(),
            ontology: Value::Null,
            ontology_title: String::new(),
            stages: Vec::new(),
            datasets: Vec::new(),
        },
        json: "{}".into(),
    })
}

/// One row of a queue.
pub fn row(stage: u128, n: usize) -> TaskRow {
    let status = [
        TaskStatus::New,
        TaskStatus::New,
        TaskStatus::New,
        TaskStatus::Reopened,
        TaskStatus::Assigned,
    ][n % 5];
    let title = match n % 97 {
        13 => "夜の街_カメラ3_000013.jpg".to_owned(),
        29 => "evil\u{1b}[31m\u{202e}name.jpg".to_owned(),
        _ => format!(
            "cam{}_night_{n:06}.{}",
            1 + n % 7,
            if n % 11 == 5 { "mp4" } else { "jpg" }
        ),
    };
    TaskRow {
        id: task(stage, n),
        data: DataHash(Uuid::from_u128(
            0x2f77_aa10_0000_0000_0000_0000_0000_0000 + n as u128,
        )),
        created: Millis(NOW - 6 * 86_400_000),
        updated: Millis(NOW - (n as i64 % 5) * 86_400_000 - 3_600_000),
        title: title.into(),
        assignee: (n % 5 == 4).then(|| "ann@example.test".into()),
        branch: "main".into(),
        status,
    }
}

fn agent(stage: &str, function: &str, line: u32, routes: &[&str]) -> AgentDescriptor {
    AgentDescriptor {
        stage: stage.into(),
        needs: 0,
        flags: 0,
        spec: AgentSpec {
            function: function.into(),
            location: format!("agents/src/{function}.rs:{line}"),
            routes: routes.iter().map(|r| (*r).to_owned()).collect(),
            parameters: vec![
                "task: &Task".into(),
                "labels: &mut LabelRow".into(),
                "frame: Frame".into(),
            ],
            ..AgentSpec::default()
        },
    }
}

/// A library; each `n` is another content of the same file.
pub fn library(n: u32) -> Probed {
    Probed {
        library: "target/release/libsample_agents.so".into(),
        copy: format!(".workbench/shelf/{n:016x}.so").into(),
        hash: format!("a41c9e0{n:09x}"),
        size: 412 * 1024,
        modified: Millis(NOW),
        descriptor: Descriptor {
            name: "sample-agents".into(),
            version: "0.1.0".into(),
            sdk: "agent-abi 0.1".into(),
            build_info: "rustc 1.95.0 release x86_64-unknown-linux-gnu unwind".into(),
            abi: (1, 0),
            preflight: false,
            agents: vec![
                agent("pre-label", "prelabel", 12, &["annotate", "skip"]),
                agent("route", "route_by_title", 8, &[]),
            ],
        },
    }
}

fn labels(boxes: &[(&str, &str, [f64; 4])]) -> Value {
    let objects: Vec<Value> = boxes
        .iter()
        .map(|(hash, name, [x, y, w, h])| json!({"objectHash": hash, "name": name, "shape": "bounding_box", "boundingBox": {"x": x, "y": y, "w": w, "h": h}}))
        .collect();
    json!({"data_units": {"2f77aa10": {"labels": {"objects": objects, "classifications": []}}}})
}

/// What an agent is given for a row.
pub fn inputs(row: &TaskRow) -> Arc<Inputs> {
    let blob = labels(&[("a7f00001", "Pedestrian", [0.70, 0.40, 0.06, 0.22])]);
    let doc = json!({"metadata": {"data_title": &*row.title, "data_type": "IMAGE", "annotation_task_status": "QUEUED", "width": 1920, "height": 1080}, "labels": blob});
    let timing = |what: &str, ms, note: &str| Timing {
        what: what.into(),
        ms,
        note: note.into(),
    };
    Arc::new(Inputs {
        row: row.clone(),
        task_json: json!({"uuid": row.id.0, "data_title": &*row.title, "status": row.status.wire()}).to_string().into(),
        labels: Some(RowInput { label_hash: Some(LabelHash(Uuid::from_u128(3))), priority: Some(0.5), item: None, json: doc.to_string().into() }),
        item_json: Some(json!({"name": &*row.title, "itemType": "image", "fileSize": 421_888, "width": 1920, "height": 1080, "url": "https://storage.example/x?sig=secret"}).to_string().into()),
        asset_json: Some(json!({"path": "/tmp/workbench/cam3.jpg", "mime_type": "image/jpeg", "item_type": "image", "title": &*row.title}).to_string().into()),
        fetched: Millis(NOW),
        timings: vec![timing("label row", 64.0, "1 label"), timing("storage item", 31.0, "1920×1080"), timing("asset", 120.4, "412 kB")],
    })
}

/// What an agent gives: two boxes more, one moved.
pub fn outcome(way: &str) -> Arc<Outcome> {
    let flow = workflow();
    let stages = flow.stages;
    let found = stages
        .iter()
        .flat_map(|s| &s.pathways)
        .find(|p| p.name == way);
    let way = found.map_or(Way::Stay, |p| Way::Pathway {
        id: p.id,
        name: p.name.clone(),
        to: p.to,
    });
    let change = |sign, name: &str, hash: &str, detail: &str| LabelChange {
        sign,
        name: name.into(),
        hash: hash.into(),
        detail: detail.into(),
    };
    let step = |kind: &str, name: &str, at_us, took_us, value: &str| StepDoc {
        kind: kind.into(),
        name: name.into(),
        at_us,
        took_us,
        value: value.into(),
    };
    let nothing = way == Way::Stay;
    let skip = found.is_some_and(|p| p.name == "skip");
    let (patch, after) = if nothing || skip {
        (Patch::default(), None)
    } else {
        let patch = Patch {
            labels: vec![
                change('+', "Car", "c0000001", "box 0.11 0.42 0.20 0.18"),
                change('+', "Car", "c0000002", "box 0.36 0.45 0.14 0.12"),
                change(
                    '~',
                    "Pedestrian",
                    "a7f00001",
                    "box 0.70 0.40 0.06 0.22 → box 0.72 0.40 0.05 0.20",
                ),
            ],
            priority: Some((Some(0.5), 0.35)),
            metadata: None,
        };
        let after = labels(&[
            ("c0000001", "Car", [0.11, 0.42, 0.20, 0.18]),
            ("c0000002", "Car", [0.36, 0.45, 0.14, 0.12]),
            ("a7f00001", "Pedestrian", [0.72, 0.40, 0.05, 0.20]),
        ]);
        (patch, Some(Arc::new(after)))
    };
    Arc::new(Outcome {
        way,
        patch,
        labels_after: after,
        steps: vec![
            step("dependency", "frame", 0, 18_000, "1920×1080 rgb"),
            step("dependency", "model", 18_000, 0, "cached"),
            step("call", "prelabel", 18_100, 61_000, ""),
            step(
                "checkpoint",
                "brightest region",
                52_000,
                0,
                "12 regions, 2 above 0.5",
            ),
        ],
    })
}

/// A world: the state and everything it asked for.
pub struct World {
    pub state: State,
    pub asked: Vec<Effect>,
}

impl World {
    /// Nothing but the options.
    pub fn empty() -> Self {
        let options = Options {
            upstream: "local project".into(),
            dry_run: true,
            screen: true,
            agents: vec!["sample-agents/".into()],
            ..Options::default()
        };
        let (state, asked) = State::start(options, Millis(NOW - 180_000));
        Self { state, asked }
    }

    /// The project is there, its stages are listed, build #1 is in charge.
    pub fn demo() -> Self {
        Self::sized(&[
            (PRELABEL, 1318),
            (ANNOTATE, 193),
            (REVIEW, 31),
            (ROUTE, 8),
            (COMPLETE, 2240),
            (ARCHIVE, 0),
        ])
    }

    /// The same with these counts.
    pub fn sized(counts: &[(u128, usize)]) -> Self {
        let mut world = Self::empty();
        world.send(Event::Upstream(Upstream::Project(project())));
        world.send(Event::Build(BuildEvent::Probed(Box::new(library(1)))));
        world.send(Event::Tick(Millis(NOW - 2_000)));
        for (n, count) in counts {
            let rows = (0..*count).map(|i| row(*n, i)).collect();
            world.list(*n, rows);
        }
        world.send(Event::Upstream(Upstream::Stats(NetStats {
            requests: 27,
            ..NetStats::default()
        })));
        world.send(Event::Tick(Millis(NOW)));
        world
    }

    /// Answers the listing of a stage.
    pub fn list(&mut self, n: u128, rows: Vec<TaskRow>) {
        let asked = self.asked.iter().find_map(|e| match e {
            Effect::Page {
                list: ListId::Queue(id),
                stage: s,
                ..
            } if *s == stage(n) => Some(*id),
            _ => None,
        });
        if let Some(id) = asked {
            let list = ListId::Queue(id);
            self.send(Event::Upstream(Upstream::Page {
                list,
                stage: stage(n),
                rows,
                next: None,
            }));
        }
    }

    pub fn send(&mut self, event: Event) {
        let effects = self.state.update(event);
        self.asked.extend(effects);
    }

    pub fn command(&mut self, command: Command) {
        self.send(Event::Input(command));
    }

    pub fn all(&mut self, commands: Vec<Command>) {
        for command in commands {
            self.command(command);
        }
    }

    /// Answers what was asked for tasks, as `answer` says for each title; until nothing is asked.
    pub fn answer(&mut self, answer: &dyn Fn(&str) -> Result<Arc<Outcome>, Fault>) {
        while !self.asked.is_empty() {
            let mut rest = Vec::new();
            for effect in std::mem::take(&mut self.asked) {
                match effect {
                    Effect::Fetch { batch, rows, .. } => {
                        let results = rows.iter().map(|r| Ok(inputs(r))).collect();
                        self.send(Event::Prefetch { batch, results });
                    }
                    Effect::Launch(launch) => {
                        let job = launch.job;
                        let title = launch.inputs.row.title.to_string();
                        self.send(Event::Job(JobEvent::Started { job, pid: 4121 }));
                        self.log(job, 3, "prelabel", "image 1920x1080 decoded in 18 ms");
                        self.log(job, 2, "prelabel", "lux=4: low light, threshold stays 0.5");
                        let result = answer(&title);
                        self.send(Event::Job(JobEvent::Done {
                            job,
                            result,
                            crashed: false,
                            run_us: 79_000,
                        }));
                    }
                    Effect::Page {
                        list: ListId::Run(id),
                        stage: s,
                        ..
                    } => {
                        let rows = self
                            .state
                            .queues
                            .get(&s)
                            .map(|q| q.rows.clone())
                            .unwrap_or_default();
                        self.send(Event::Upstream(Upstream::Page {
                            list: ListId::Run(id),
                            stage: s,
                            rows,
                            next: None,
                        }));
                    }
                    Effect::Commit { batch, items } => {
                        let results = items.iter().map(|i| (i.task, Committed::Done)).collect();
                        self.send(Event::Commit { batch, results });
                    }
                    other => rest.push(other),
                }
            }
            if self.asked.is_empty() {
                break;
            }
            let _ = rest;
        }
    }

    /// A line of an agent's log.
    pub fn log(&mut self, job: wb_core::ids::JobId, level: u8, target: &str, text: &str) {
        self.send(Event::Job(JobEvent::Log {
            job: Some(job),
            level,
            target: target.into(),
            text: text.into(),
        }));
    }

    /// Answers only the fetch that was asked for last.
    pub fn fetched(&mut self) {
        let asked = std::mem::take(&mut self.asked);
        for effect in asked {
            if let Effect::Fetch { batch, rows, .. } = effect {
                let results = rows.iter().map(|r| Ok(inputs(r))).collect();
                self.send(Event::Prefetch { batch, results });
            }
        }
    }
}

/// Mostly good, now and then an error: what a real run looks like.
pub fn mixed(title: &str) -> Result<Arc<Outcome>, Fault> {
    let n: usize = title
        .chars()
        .filter(char::is_ascii_digit)
        .skip(1)
        .take(6)
        .collect::<String>()
        .parse()
        .unwrap_or(0);
    match n % 10 {
        3 => Ok(outcome("skip")),
        7 => Ok(outcome("stay")),
        9 => Err(panic_fault()),
        5 => Err(Fault::new(
            FaultKind::Host,
            "prelabel() ran 30.0 s (limit 30 s): killed; the task stays where it is",
        )
        .hint("raise the limit: #[stage(…, timeout = \"60s\")]")),
        _ => Ok(outcome("annotate")),
    }
}

/// A panic of the agent.
pub fn panic_fault() -> Fault {
    Fault::new(FaultKind::Agent, "prelabel panicked at agents/src/prelabel.rs:88: index 12 out of bounds; the task stays where it is")
        .hint("mend the agent and save: x runs it again from the same inputs")
        .because("0: prelabel::brightest\n1: prelabel::prelabel\n2: agent_abi::call")
}

/// Metadata for a patch.
#[allow(dead_code)]
pub fn metadata() -> Map<String, Value> {
    Map::from_iter([
        ("site".to_owned(), json!("cam3")),
        ("lux".to_owned(), json!(4)),
    ])
}
