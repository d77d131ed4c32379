//! A small made-up world for the engine: effects are answered at once, in order, and everything is
//! counted.

pub use crate::made::*;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use uuid::Uuid;
use wb_core::command::Command;
use wb_core::comparing::StoredResult;
use wb_core::error::{Error, ErrorKind};
use wb_core::event::{Effect, Event, JobEvent, JournalOperation, Launch, Upstream};
use wb_core::figures::KeptFigures;
use wb_core::ids::*;
use wb_core::journal::{JournalEvent, Op};
use wb_core::ledger::Change;
use wb_core::run::{Report, RunSpec, Sink};
use wb_core::state::{Options, State};
use wb_core::work::*;

pub type Agent = Box<dyn FnMut(&Launch) -> (Result<Option<&'static str>, Error>, bool)>;

pub struct World {
    pub state: State,
    pub stages: BTreeMap<StageId, Vec<TaskRow>>,
    pub page: usize,
    pub agent: Agent,
    pub launches: Vec<Launch>,
    pub commits: Vec<usize>,
    pub reports: Vec<Report>,
    pub events: Vec<Event>,
    pub over: bool,
    pub most_running: usize,
    pub running: VecDeque<Launch>,
    /// How long every job takes, in microseconds.
    pub run_us: u64,
    /// Jobs do not end while this holds.
    pub hold: bool,
    /// Agents are given a label row and draw in it.
    pub with_labels: bool,
    /// They are given a part of it only.
    pub in_part: bool,
    /// What was fetched for each task.
    pub timings: Vec<Timing>,
    /// Tasks whose label row somebody else changed.
    pub changed_by_others: BTreeSet<TaskId>,
    pub looked_at: usize,
    pub overwrites: usize,
    /// What the writes were noted under.
    pub operations: Vec<Arc<JournalOperation>>,
    pub closed: Vec<OperationId>,
    pub noted: Vec<Change>,
    pub rates: Vec<Option<f64>>,
    pub ops: Vec<Op>,
    pub undone: Vec<i64>,
    /// How often interrupted writes were finished.
    pub finished: usize,
    /// Builds that hosts have: no job may be given to another one.
    pub loaded: BTreeSet<BuildId>,
    /// Contents that nobody will claim.
    pub discarded: usize,
    /// What is kept of the figures, in the order it came.
    pub kept: Vec<KeptFigures>,
    /// What earlier runs gave, by number.
    pub stored: BTreeMap<u64, Result<Vec<StoredResult>, Error>>,
    /// Keys of every answer that nothing reads.
    pub unread: Vec<String>,
    /// The project, each time that it is read again; then it cannot be.
    pub reads: VecDeque<Arc<Project>>,
    pub loads: usize,
    /// What comes in after each job that is launched.
    pub at_launch: Box<dyn FnMut(usize) -> Vec<Event>>,
}

impl World {
    pub fn new(tasks: u128, flags: u32, agent: Agent) -> Self {
        let (state, effects) = State::start(Options::default(), Millis(0));
        assert_eq!(effects, [Effect::LoadProject]);
        let mut world = Self {
            state,
            stages: BTreeMap::from([(stage_id(1), (1..=tasks).map(row).collect())]),
            page: 7,
            agent,
            launches: vec![],
            commits: vec![],
            reports: vec![],
            events: vec![],
            over: false,
            most_running: 0,
            running: VecDeque::new(),
            run_us: 1000,
            hold: false,
            with_labels: false,
            in_part: false,
            timings: vec![],
            changed_by_others: [].into(),
            looked_at: 0,
            overwrites: 0,
            operations: vec![],
            noted: vec![],
            closed: vec![],
            rates: vec![],
            ops: vec![],
            undone: vec![],
            finished: 0,
            loaded: BTreeSet::new(),
            discarded: 0,
            kept: vec![],
            stored: BTreeMap::new(),
            unread: vec![],
            reads: [].into(),
            loads: 0,
            at_launch: Box::new(|_| Vec::new()),
        };
        world.send(Event::Upstream(Upstream::Project(project())));
        world.send(probed("a.so", &["first", "second"], flags));
        world
    }

    pub fn send(&mut self, event: Event) {
        let mut inbox = VecDeque::from([event]);
        loop {
            while let Some(event) = inbox.pop_front() {
                self.events.push(event.clone());
                let before = self.launches.len();
                for effect in self.state.update(event) {
                    inbox.extend(self.perform(effect));
                }
                for launched in before..self.launches.len() {
                    inbox.extend((self.at_launch)(launched + 1));
                }
            }
            if self.hold {
                return;
            }
            let Some(launch) = self.running.pop_front() else {
                return;
            };
            inbox.push_back(self.job(&launch));
        }
    }

    pub fn job(&mut self, launch: &Launch) -> Event {
        let (answer, crashed) = (self.agent)(launch);
        let (flow, unread) = (workflow(), &self.unread);
        let result = answer.map(|route| {
            let way = route.map_or(Route::Stay, |name| {
                let p = flow.stage(launch.stage).unwrap().pathway(name).unwrap();
                Route::Pathway {
                    id: p.id,
                    name: p.name.clone(),
                    to: p.to,
                }
            });
            let drawn = self.with_labels && launch.stage == stage_id(1);
            let priority = drawn.then_some((Some(0.5), 0.25));
            Arc::new(Outcome {
                way,
                patch: Patch {
                    priority,
                    ..Patch::default()
                },
                labels_after: drawn
                    .then(|| LabelBlob::new(&serde_json::json!({"note": "drawn at first"}))),
                further: vec![],
                steps: vec![],
                unread: unread.clone(),
            })
        });
        Event::Job(JobEvent::Done {
            job: launch.job,
            result,
            crashed,
            run_us: self.run_us,
        })
    }

    pub fn perform(&mut self, effect: Effect) -> Option<Event> {
        match effect {
            Effect::LoadProject => {
                self.loads += 1;
                let failed = || Error::new(ErrorKind::Network, "no answer");
                let read = self.reads.pop_front();
                Some(Event::Upstream(read.map_or_else(
                    || Upstream::ProjectFailed(failed()),
                    Upstream::Project,
                )))
            }
            Effect::Page {
                list, stage, token, ..
            } => {
                let all = self.stages.get(&stage).cloned().unwrap_or_default();
                let after = token.map(|t| TaskId(Uuid::parse_str(&t).unwrap()));
                let rows: Vec<TaskRow> = all
                    .into_iter()
                    .filter(|r| after.is_none_or(|a| r.id > a))
                    .take(self.page)
                    .collect();
                let full = rows.len() == self.page;
                let next = rows.last().filter(|_| full).map(|r| r.id.to_string());
                Some(Event::Upstream(Upstream::Page {
                    list,
                    stage,
                    rows,
                    next,
                }))
            }
            Effect::Fetch { batch, rows, .. } => {
                let initialise = if self.in_part {
                    serde_json::json!({"include_object_feature_hashes": ["a"]})
                } else {
                    Value::Null
                };
                let doc =
                    serde_json::json!({"metadata": {}, "labels": {}, "initialise": initialise});
                let labels = self.with_labels.then(|| RowInput {
                    label_hash: None,
                    priority: Some(0.5),
                    item: None,
                    json: doc.to_string().into(),
                });
                let results = rows
                    .into_iter()
                    .map(|row| {
                        Ok(Arc::new(Inputs {
                            row,
                            task_json: "{}".into(),
                            labels: labels.clone(),
                            item_json: None,
                            asset_json: None,
                            fetched: Millis(0),
                            timings: self.timings.clone(),
                        }))
                    })
                    .collect();
                Some(Event::Prefetch { batch, results })
            }
            Effect::Activate(build, _) => {
                assert!(self.loaded.insert(build), "{build} is loaded already");
                None
            }
            Effect::Retire(build) => {
                assert!(self.loaded.remove(&build), "{build} is not loaded");
                None
            }
            Effect::Compare(task) => Some(Event::Compared(
                task.of,
                task.inputs.row.id,
                Box::new(task.compare(&Arc::default())),
            )),
            Effect::ReadRun {
                comparison,
                side,
                run,
                ..
            } => {
                let results = self.stored.get(&run).cloned().unwrap_or(Ok(Vec::new()));
                Some(Event::RunRead {
                    comparison,
                    side,
                    results,
                })
            }
            Effect::Discard(_) => {
                self.discarded += 1;
                None
            }
            Effect::KeepFigures(kept) => {
                self.kept.push(*kept);
                None
            }
            Effect::Launch(launch) => {
                let loaded = self.loaded.contains(&launch.build);
                assert!(loaded, "{} is not loaded any more", launch.build);
                self.launches.push(launch.clone());
                self.running.push_back(launch);
                self.most_running = self.most_running.max(self.running.len());
                None
            }
            Effect::Operation {
                operation,
                lane,
                request,
                under,
            } => {
                let reply = self.reply(request, under);
                Some(Event::Operation {
                    operation,
                    lane,
                    reply,
                })
            }
            Effect::CloseOperation(id) => {
                self.closed.push(id);
                None
            }
            Effect::EditOutcome(edit) => {
                let flow = workflow();
                let stage = flow.stage(edit.stage).unwrap();
                let result = wb_core::patch::edited(&Arc::default(), stage, &edit).map(Arc::new);
                Some(Event::OutcomeEdited(edit, result))
            }
            Effect::Theirs(inputs) => {
                self.looked_at += inputs.len();
                let sides = inputs.iter().map(|i| (i.row.id, Ok(vec![])));
                Some(Event::Theirs(sides.collect()))
            }
            Effect::Rate(rate) => {
                self.rates.push(rate);
                None
            }
            Effect::Journal => Some(Event::Journal(JournalEvent::Ops(Ok(self.ops.clone())))),
            Effect::OpenOp(op) => {
                let result = Ok(vec![]);
                Some(Event::Journal(JournalEvent::Entries { op, result }))
            }
            Effect::Record(report) => {
                self.reports.push(*report);
                None
            }
            Effect::RunOver => {
                self.over = true;
                None
            }
            _ => None,
        }
    }

    pub fn move_task(&mut self, item: &Change) -> Committed {
        let Some(pathway) = item.pathway else {
            return Committed::Done;
        };
        let flow = workflow();
        let to = flow
            .stage(item.stage)
            .unwrap()
            .pathways
            .iter()
            .find(|p| p.id == pathway)
            .unwrap()
            .to;
        let from = self.stages.get_mut(&item.stage).unwrap();
        let Some(at) = from.iter().position(|r| r.id == item.task) else {
            return Committed::AlreadyMoved;
        };
        let row = from.remove(at);
        self.stages.entry(to).or_default().push(row);
        Committed::Done
    }

    pub fn run(&mut self, spec: RunSpec) {
        self.send(Event::Input(Command::Run(Box::new(spec))));
        assert!(self.over, "the run did not end");
    }

    pub fn at(&self, n: u128) -> usize {
        self.stages.get(&stage_id(n)).map_or(0, Vec::len)
    }
}

pub fn commit() -> RunSpec {
    RunSpec {
        sink: Sink::Commit,
        batch_size: 10,
        ..RunSpec::default()
    }
}

pub fn go(route: &'static str) -> (Result<Option<&'static str>, Error>, bool) {
    (Ok(Some(route)), false)
}

/// Whether a build becomes active.
pub fn activates(effects: &[Effect], build: u32) -> bool {
    let activated = |e: &Effect| matches!(e, Effect::Activate(id, _) if *id == BuildId(build));
    effects.iter().any(activated)
}
