//! The engine against a small made-up world: effects are answered at once, in order, and
//! everything is counted. No network, no processes, no clock.

#![allow(clippy::unwrap_used)] // helpers of tests

use agent_abi::table::flags;
use agent_abi::wire::ProjectDoc;
use serde_json::Value;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use uuid::Uuid;
use wb_core::build::{AgentDescriptor, Descriptor, Probed};
use wb_core::command::Command;
use wb_core::event::{Book, BuildEvent, Effect, Event, JobEvent, Launch, Upstream};
use wb_core::fault::{Fault, FaultKind};
use wb_core::ids::*;
use wb_core::journal::{JournalEvent, Op, Undoing, Undone};
use wb_core::queue::LastResult;
use wb_core::run::{Ending, FailureLimit, OnConflict, Report, RunSpec, Sink, Source};
use wb_core::state::{Level, Options, State};
use wb_core::step::At;
use wb_core::work::*;
use wb_core::workflow::{Pathway, Stage, StageKind, Workflow};

fn stage_id(n: u128) -> StageId {
    StageId(Uuid::from_u128(n))
}

fn workflow() -> Workflow {
    let stage = |n, title: &str, kind, to: &[(&str, u128)]| Stage {
        id: stage_id(n),
        title: title.into(),
        kind,
        pathways: to
            .iter()
            .enumerate()
            .map(|(i, (name, to))| Pathway {
                id: PathwayId(Uuid::from_u128(n * 100 + i as u128)),
                name: (*name).into(),
                to: stage_id(*to),
            })
            .collect(),
    };
    Workflow {
        stages: vec![
            stage(1, "first", StageKind::Agent, &[("next", 2), ("away", 3)]),
            stage(2, "second", StageKind::Agent, &[("done", 3)]),
            stage(3, "Complete", StageKind::Done, &[]),
        ],
        edges: vec![],
    }
}

fn project() -> Arc<Project> {
    let doc = ProjectDoc {
        project_hash: Uuid::from_u128(7),
        title: "P".into(),
        description: String::new(),
        ontology: Value::Null,
        ontology_title: String::new(),
        stages: vec![],
        datasets: vec![],
    };
    Arc::new(Project {
        hash: ProjectHash(doc.project_hash),
        title: "P".into(),
        workflow: workflow(),
        json: "{}".into(),
        doc,
    })
}

fn row(n: u128) -> TaskRow {
    TaskRow {
        id: TaskId(Uuid::from_u128(1000 + n)),
        data: DataHash(Uuid::from_u128(2000 + n)),
        created: Millis(0),
        updated: Millis(0),
        title: format!("task {n}").into(),
        assignee: None,
        last_actioned_by: None,
        branch: "main".into(),
        status: TaskStatus::New,
    }
}

type Agent = Box<dyn FnMut(&Launch) -> (Result<Option<&'static str>, Fault>, bool)>;

struct World {
    state: State,
    stages: BTreeMap<StageId, Vec<TaskRow>>,
    page: usize,
    agent: Agent,
    launches: Vec<Launch>,
    commits: Vec<usize>,
    reports: Vec<Report>,
    events: Vec<Event>,
    over: bool,
    most_running: usize,
    running: VecDeque<Launch>,
    /// How long every job takes, in microseconds.
    run_us: u64,
    /// Jobs do not end while this holds.
    hold: bool,
    /// Agents are given a label row and draw in it.
    with_labels: bool,
    /// They are given a part of it only.
    in_part: bool,
    /// Tasks whose label row somebody else changed.
    changed_by_others: std::collections::BTreeSet<TaskId>,
    looked_at: usize,
    overwrites: usize,
    books: Vec<Arc<Book>>,
    closed: Vec<u64>,
    rates: Vec<Option<f64>>,
    ops: Vec<Op>,
    undone: Vec<i64>,
}

impl World {
    fn new(tasks: u128, flags: u32, agent: Agent) -> Self {
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
            changed_by_others: [].into(),
            looked_at: 0,
            overwrites: 0,
            books: vec![],
            closed: vec![],
            rates: vec![],
            ops: vec![],
            undone: vec![],
        };
        world.send(Event::Upstream(Upstream::Project(project())));
        let agents = ["first", "second"].map(|stage| AgentDescriptor {
            stage: stage.into(),
            flags,
            ..AgentDescriptor::default()
        });
        world.send(Event::Build(BuildEvent::Probed(Box::new(Probed {
            library: "a.so".into(),
            copy: "a.so".into(),
            hash: "h".into(),
            size: 1,
            modified: Millis(0),
            descriptor: Descriptor {
                agents: agents.into(),
                ..Descriptor::default()
            },
        }))));
        world
    }

    fn send(&mut self, event: Event) {
        let mut inbox = VecDeque::from([event]);
        loop {
            while let Some(event) = inbox.pop_front() {
                self.events.push(event.clone());
                for effect in self.state.update(event) {
                    inbox.extend(self.perform(effect));
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

    fn job(&mut self, launch: &Launch) -> Event {
        let (answer, crashed) = (self.agent)(launch);
        let flow = workflow();
        let result = answer.map(|route| {
            let way = route.map_or(Way::Stay, |name| {
                let p = flow.stage(launch.stage).unwrap().pathway(name).unwrap();
                Way::Pathway {
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
                    .then(|| Arc::new(serde_json::json!({"note": "drawn at first"}))),
                steps: vec![],
            })
        });
        Event::Job(JobEvent::Done {
            job: launch.job,
            result,
            crashed,
            run_us: self.run_us,
        })
    }

    fn perform(&mut self, effect: Effect) -> Option<Event> {
        match effect {
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
                            timings: vec![],
                        }))
                    })
                    .collect();
                Some(Event::Prefetch { batch, results })
            }
            Effect::Launch(launch) => {
                self.launches.push(launch.clone());
                self.running.push_back(launch);
                self.most_running = self.most_running.max(self.running.len());
                None
            }
            Effect::Commit {
                batch,
                items,
                overwrite,
                book,
            } => {
                self.commits.push(items.len());
                self.books.extend(book);
                self.overwrites += usize::from(overwrite);
                let answer = |world: &mut Self, i: &CommitItem| {
                    if world.changed_by_others.contains(&i.task) && !overwrite {
                        let by = "ann@example.test".to_owned();
                        return (i.task, Committed::Conflict { by });
                    }
                    (i.task, world.move_task(i))
                };
                let results = items.iter().map(|i| answer(self, i)).collect();
                Some(Event::Commit { batch, results })
            }
            Effect::CloseBook(id) => {
                self.closed.push(id);
                None
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
            Effect::ReviewUndo(op) => {
                let result = Ok(vec![]);
                Some(Event::Journal(JournalEvent::Review { op, result }))
            }
            Effect::Undo { op, .. } => {
                self.undone.push(op);
                let done = Undone {
                    restored: 2,
                    ..Undone::default()
                };
                let result = Ok(done);
                Some(Event::Journal(JournalEvent::Undone { op, result }))
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

    fn move_task(&mut self, item: &CommitItem) -> Committed {
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

    fn run(&mut self, spec: RunSpec) {
        self.send(Event::Input(Command::Run(Box::new(spec))));
        assert!(self.over, "the run did not end");
    }

    fn at(&self, n: u128) -> usize {
        self.stages.get(&stage_id(n)).map_or(0, Vec::len)
    }
}

fn commit() -> RunSpec {
    RunSpec {
        sink: Sink::Commit,
        batch_size: 10,
        ..RunSpec::default()
    }
}

fn go(route: &'static str) -> (Result<Option<&'static str>, Fault>, bool) {
    (Ok(Some(route)), false)
}

#[test]
fn later_stages_see_what_earlier_ones_sent_and_every_task_has_one_report() {
    let mut world = World::new(
        53,
        0,
        Box::new(|l| {
            go(if l.stage == stage_id(1) {
                "next"
            } else {
                "done"
            })
        }),
    );
    world.run(commit());
    assert_eq!((world.at(1), world.at(2), world.at(3)), (0, 0, 53));
    assert_eq!(world.reports.len(), 106);
    assert!(
        world
            .reports
            .iter()
            .all(|r| r.ending == Ending::Moved && r.attempts == 1)
    );
    assert!(world.commits.iter().all(|n| *n <= 10));
}

#[test]
fn a_limit_of_tasks_is_kept_exactly() {
    let mut world = World::new(53, 0, Box::new(|_| go("away")));
    world.run(RunSpec {
        max_tasks: Some(13),
        ..commit()
    });
    assert_eq!(
        (world.at(1), world.at(3), world.reports.len()),
        (40, 13, 13)
    );
}

#[test]
fn with_a_limit_those_come_first_whose_turn_is_longest_ago() {
    let mut world = World::new(20, 0, Box::new(|_| (Ok(None), false)));
    let mut tried = std::collections::HashMap::new();
    let mut order = Vec::new();
    for turn in 0..5 {
        world.over = false;
        world.reports.clear();
        let spec = RunSpec {
            max_tasks: Some(6),
            tried: Arc::new(tried.clone()),
            ..commit()
        };
        world.run(spec);
        assert_eq!(world.reports.len(), 6, "exactly as many as asked for");
        for report in &world.reports {
            let n = report.row.id.0.as_u128() - 1000;
            tried.insert(report.row.id, Millis(turn * 100 + n as i64));
            order.push(n);
        }
    }
    let all: Vec<u128> = (1..=20).chain(1..=10).collect();
    let sorted = |from: usize, to: usize| {
        let mut part = order[from..to].to_vec();
        part.sort_unstable();
        part
    };
    assert_eq!(
        sorted(0, 20),
        all[..20],
        "every task once before any comes again"
    );
    assert_eq!(sorted(20, 26), [1, 2, 3, 4, 5, 6], "then the oldest");
    // Without a limit the platform's order holds.
    world.over = false;
    world.reports.clear();
    world.run(RunSpec {
        tried: Arc::new(tried),
        ..commit()
    });
    assert_eq!(world.reports.len(), 20);
    assert_eq!(world.reports[0].row.id, row(1).id);
}

#[test]
fn a_filter_looks_at_what_earlier_runs_came_to() {
    let mut world = World::new(9, 0, Box::new(|_| go("away")));
    let fault = Fault::new(FaultKind::Agent, "index 3 out of bounds");
    let failed = |group: u32| LastResult {
        build: BuildId(0),
        text: "no".into(),
        failed: true,
        group: Some(group),
        labels: (0, 0, 0),
        ms: 1.0,
        at: Millis(0),
    };
    let earlier = [(2, failed(fault.group_id())), (5, failed(7))];
    let earlier = earlier.map(|(n, result)| (row(n).id, result));
    let filter = format!("fault:{:08x}", fault.group_id());
    world.run(RunSpec {
        earlier: Arc::new(earlier.into()),
        filter: wb_core::filter::Filter::parse(&filter).unwrap(),
        ..commit()
    });
    let ids: Vec<TaskId> = world.reports.iter().map(|r| r.row.id).collect();
    assert_eq!(ids, [row(2).id]);
}

#[test]
fn a_run_that_writes_nothing_follows_tasks_to_later_stages_with_what_was_made_of_them() {
    let seen = std::rc::Rc::new(std::cell::RefCell::new(Vec::new()));
    let inputs = seen.clone();
    let agent: Agent = Box::new(move |l| {
        if l.stage == stage_id(2) {
            inputs.borrow_mut().push(l.inputs.clone());
            return go("done");
        }
        let n = l.inputs.row.id.0.as_u128() - 1000;
        go(if n % 2 == 0 { "next" } else { "away" })
    });
    let mut world = World::new(10, 0, agent);
    world.stages.insert(stage_id(2), vec![row(50)]);
    world.with_labels = true;
    let spec = RunSpec {
        sink: Sink::Report,
        chain: true,
        batch_size: 4,
        ..RunSpec::default()
    };
    world.run(spec);
    assert_eq!((world.commits.len(), world.at(1), world.at(2)), (0, 10, 1));
    let at_second: Vec<(TaskId, Option<StageId>)> = world
        .reports
        .iter()
        .filter(|r| r.stage == stage_id(2))
        .map(|r| (r.row.id, r.follows))
        .collect();
    let first = Some(stage_id(1));
    let mut wanted = vec![(row(50).id, None)];
    wanted.extend([2, 4, 6, 8, 10].map(|n| (row(n).id, first)));
    assert_eq!(
        at_second, wanted,
        "what waits there first, then what is sent there"
    );
    let seen = seen.borrow();
    let labels = |i: &Inputs| i.labels.as_ref().unwrap().json.to_string();
    assert!(!labels(&seen[0]).contains("drawn at first"));
    assert!(
        seen[1..]
            .iter()
            .all(|i| labels(i).contains("drawn at first"))
    );
    assert!(
        seen[1..]
            .iter()
            .all(|i| i.labels.as_ref().unwrap().priority == Some(0.25))
    );
}

#[test]
fn what_cannot_be_followed_is_counted_and_not_guessed() {
    let mut world = World::new(
        4,
        0,
        Box::new(|l| {
            go(if l.stage == stage_id(1) {
                "next"
            } else {
                "done"
            })
        }),
    );
    world.with_labels = true;
    world.in_part = true;
    world.run(RunSpec {
        sink: Sink::Report,
        chain: true,
        ..RunSpec::default()
    });
    assert_eq!(world.reports.len(), 4);
    assert_eq!(world.state.run.as_ref().unwrap().not_carried, 4);
}

#[test]
fn a_dry_run_gives_the_same_outcomes_and_commits_nothing() {
    let mut world = World::new(20, 0, Box::new(|_| go("away")));
    world.run(RunSpec {
        sink: Sink::Report,
        ..commit()
    });
    assert_eq!((world.at(1), world.commits.len()), (20, 0));
    assert!(world.reports.iter().all(|r| r.ending == Ending::Moved));
}

#[test]
fn a_failing_task_is_retried_from_the_same_inputs_and_never_costs_another() {
    let agent: Agent = Box::new(|l| {
        if &*l.inputs.row.title == "task 5" {
            (Err(Fault::new(FaultKind::Agent, "no").retryable()), false)
        } else {
            go("away")
        }
    });
    let mut world = World::new(20, 0, agent);
    world.run(RunSpec {
        retries: 2,
        ..commit()
    });
    let tries: Vec<_> = world
        .launches
        .iter()
        .filter(|l| &*l.inputs.row.title == "task 5")
        .collect();
    assert_eq!(
        tries.iter().map(|l| l.attempt).collect::<Vec<_>>(),
        [1, 2, 3]
    );
    assert!(
        tries
            .iter()
            .all(|l| Arc::ptr_eq(&l.inputs, &tries[0].inputs))
    );
    assert_eq!((world.at(1), world.at(3)), (1, 19));
    let totals = &world.state.run.as_ref().unwrap().totals;
    assert_eq!(
        (totals.failed, totals.moved, totals.groups.len()),
        (1, 19, 1)
    );
}

#[test]
fn a_crash_is_not_repeated_unless_the_agent_says_it_may_be() {
    for (flag, attempts) in [(0, 1), (flags::IDEMPOTENT, 3)] {
        let agent: Agent = Box::new(|l| {
            if &*l.inputs.row.title == "task 1" {
                (Err(Fault::new(FaultKind::Host, "died")), true)
            } else {
                go("away")
            }
        });
        let mut world = World::new(3, flag, agent);
        world.run(RunSpec {
            retries: 2,
            ..commit()
        });
        let tries = world
            .launches
            .iter()
            .filter(|l| &*l.inputs.row.title == "task 1")
            .count();
        assert_eq!(tries, attempts);
        assert_eq!((world.at(1), world.at(3)), (1, 2));
    }
}

#[test]
fn hosts_that_die_one_after_the_other_end_the_run_and_leave_the_rest_untouched() {
    let mut world = World::new(
        40,
        0,
        Box::new(|_| (Err(Fault::new(FaultKind::Host, "died")), true)),
    );
    world.run(commit());
    assert_eq!(world.at(1), 40);
    assert_eq!(world.launches.len(), 5);
    assert!(world.state.run.as_ref().unwrap().fatal.is_some());
}

#[test]
fn as_many_jobs_run_at_a_time_as_were_asked_for_and_serial_agents_run_alone() {
    for (flag, most) in [(0, 4), (flags::NO_PARALLEL, 1)] {
        let mut world = World::new(30, flag, Box::new(|_| go("away")));
        world.run(RunSpec {
            concurrency: 4,
            ..commit()
        });
        assert_eq!(world.most_running, most);
    }
}

#[test]
fn jobs_that_are_over_at_once_are_given_out_ahead_and_begun_in_order() {
    let mut world = World::new(200, 0, Box::new(|_| go("away")));
    world.run_us = 20;
    world.run(RunSpec {
        concurrency: 2,
        batch_size: 100,
        ..commit()
    });
    assert_eq!((world.most_running, world.at(1)), (2 + 32, 0));
    let begun: Vec<TaskId> = world.launches.iter().map(|l| l.inputs.row.id).collect();
    assert_eq!(begun, (1..=200).map(|n| row(n).id).collect::<Vec<_>>());
}

#[test]
fn a_run_that_must_stop_at_a_failure_gives_nothing_out_ahead() {
    let bad = Box::new(|launch: &Launch| {
        if launch.inputs.row.id < row(100).id {
            go("away")
        } else {
            (Err(Fault::new(FaultKind::Agent, "no")), false)
        }
    });
    let mut world = World::new(200, 0, bad);
    world.run_us = 20;
    world.run(RunSpec {
        max_failures: Some(FailureLimit::Count(3)),
        ..commit()
    });
    assert_eq!((world.most_running, world.launches.len()), (1, 99 + 3));
}

#[test]
fn tasks_that_stay_are_seen_once() {
    let mut world = World::new(25, 0, Box::new(|_| (Ok(None), false)));
    world.run(commit());
    assert_eq!(
        (world.at(1), world.reports.len(), world.commits.len()),
        (25, 25, 0)
    );
    assert!(world.reports.iter().all(|r| r.ending == Ending::Stayed));
}

#[test]
fn only_the_tasks_asked_for_are_run() {
    let mut world = World::new(9, 0, Box::new(|_| go("away")));
    world.run(RunSpec {
        source: Source::Tasks(stage_id(1), vec![row(2), row(4)]),
        ..commit()
    });
    assert_eq!((world.at(1), world.reports.len()), (7, 2));
    let only = vec!["task 9".to_owned(), row(1).id.to_string()];
    world.over = false;
    world.run(RunSpec { only, ..commit() });
    assert_eq!((world.at(1), world.reports.len()), (5, 4));
}

#[test]
fn a_recorded_list_of_events_replays_to_the_same_state() {
    let mut world = World::new(
        20,
        0,
        Box::new(|l| {
            go(if l.stage == stage_id(1) {
                "next"
            } else {
                "done"
            })
        }),
    );
    world.run(commit());
    let (mut again, _) = State::start(Options::default(), Millis(0));
    for event in world.events.clone() {
        again.update(event);
    }
    assert_eq!(again, world.state);
}

#[test]
fn stepping_goes_from_fetch_to_commit_and_writes_only_at_the_end() {
    let mut world = World::new(3, 0, Box::new(|_| go("away")));
    world.state.options.screen = true;
    world.state.live = false;
    let (stage, task) = (stage_id(1), row(2).id);
    world.send(Event::Input(Command::OpenStage(stage)));
    let at = |world: &World| world.state.step.as_ref().unwrap().at;
    world.send(Event::Input(Command::Open { stage, task }));
    assert_eq!(at(&world), At::Fetched);
    assert!(world.launches.is_empty());
    world.send(Event::Input(Command::Step));
    assert_eq!(at(&world), At::Outcome);
    world.send(Event::Input(Command::Step));
    assert_eq!((at(&world), world.commits.len()), (At::Review, 0));
    world.send(Event::Input(Command::Commit(vec![task])));
    assert_eq!(
        (at(&world), world.commits.as_slice()),
        (At::Committed, &[1][..])
    );
    assert_eq!((world.at(1), world.at(3)), (2, 1));
    assert_eq!(world.state.queues[&stage].rows.len(), 2);
    assert!(world.state.held.is_empty());
}

#[test]
fn a_bulk_run_on_screen_holds_everything_until_it_is_committed() {
    let mut world = World::new(12, 0, Box::new(|_| go("away")));
    world.state.options.screen = true;
    world.state.live = false;
    let stage = stage_id(1);
    world.send(Event::Input(Command::OpenStage(stage)));
    let rows = world.state.queues[&stage].chosen(5);
    let spec = RunSpec {
        source: Source::Tasks(stage, rows),
        ..RunSpec::default()
    };
    world.send(Event::Input(Command::Run(Box::new(spec))));
    assert_eq!((world.state.held.len(), world.commits.len()), (5, 0));
    let tasks: Vec<TaskId> = world.state.held.keys().copied().take(4).collect();
    world.send(Event::Input(Command::Commit(tasks)));
    assert_eq!(
        (world.state.held.len(), world.at(1), world.at(3)),
        (1, 8, 4)
    );
    assert_eq!(world.state.commit.as_ref().unwrap().done, 4);
}

#[test]
fn read_only_refuses_to_commit() {
    let mut world = World::new(3, 0, Box::new(|_| go("away")));
    world.state.options.screen = true;
    world.state.options.read_only = true;
    let stage = stage_id(1);
    world.send(Event::Input(Command::OpenStage(stage)));
    world.send(Event::Input(Command::Open {
        stage,
        task: row(1).id,
    }));
    world.send(Event::Input(Command::ToEnd));
    world.send(Event::Input(Command::Commit(vec![row(1).id])));
    assert!(world.commits.is_empty());
    assert!(
        world
            .state
            .activity
            .back()
            .unwrap()
            .text
            .starts_with("read-only")
    );
}

/// A screen on the first stage, with a task stepped to its outcome.
fn screen(agent: Agent) -> (World, StageId) {
    let mut world = World::new(12, 0, agent);
    world.state.options.screen = true;
    world.state.live = false;
    let stage = stage_id(1);
    world.send(Event::Input(Command::OpenStage(stage)));
    (world, stage)
}

/// Runs some tasks of the first stage from the screen.
fn run_on_screen(world: &mut World, tasks: std::ops::RangeInclusive<u128>) {
    let spec = RunSpec {
        source: Source::Tasks(stage_id(1), tasks.map(row).collect()),
        ..RunSpec::default()
    };
    world.send(Event::Input(Command::Run(Box::new(spec))));
}

#[test]
fn a_protected_project_is_committed_to_only_with_its_title_named_at_start_or_typed() {
    for (confirm, typed, commits) in [
        (None, None, 0),
        (Some("other"), None, 0),
        (Some("P"), None, 1),
        (None, Some("p"), 0),
        (None, Some(" P "), 1),
    ] {
        let (mut world, stage) = screen(Box::new(|_| go("away")));
        world.state.options.level = Some(Level::Protected);
        world.state.options.confirm = confirm.map(str::to_owned);
        let with_title = |then: Command| match typed {
            Some(title) => Command::Confirm {
                title: title.to_owned(),
                then: Box::new(then),
            },
            None => then,
        };
        world.send(Event::Input(with_title(Command::Live(true))));
        assert_eq!(world.state.live, commits == 1);
        world.send(Event::Input(Command::Live(false)));
        let task = row(1).id;
        world.send(Event::Input(Command::Open { stage, task }));
        world.send(Event::Input(Command::ToEnd));
        world.send(Event::Input(with_title(Command::Commit(vec![task]))));
        assert_eq!(world.commits.len(), commits, "{confirm:?} {typed:?}");
        // A title counts for the one command it was typed for.
        let other = row(2).id;
        world.send(Event::Input(Command::Open { stage, task: other }));
        world.send(Event::Input(Command::ToEnd));
        world.send(Event::Input(Command::Commit(vec![other])));
        let again = usize::from(confirm == Some("P"));
        assert_eq!(
            world.commits.len(),
            commits + again,
            "{confirm:?} {typed:?}"
        );
    }
}

#[test]
fn a_group_of_failures_runs_again_and_the_others_stay_in_sight() {
    let fixed = std::rc::Rc::new(std::cell::Cell::new(false));
    let seen = fixed.clone();
    let agent: Agent = Box::new(move |l| {
        let n = l.inputs.row.id.0.as_u128() - 1000;
        let fault = |text: String| (Err(Fault::new(FaultKind::Agent, text)), false);
        match n % 3 {
            0 if !seen.get() => fault(format!("index {n} out of bounds")),
            1 => fault(format!("no label \"{n}\"")),
            _ => go("away"),
        }
    });
    let (mut world, stage) = screen(agent);
    run_on_screen(&mut world, 1..=12);
    let sizes = |world: &World| -> Vec<(u32, usize)> {
        let groups = world.state.failures.iter();
        groups.map(|g| (g.id, g.rows.len())).collect()
    };
    let before = sizes(&world);
    assert_eq!(before.iter().map(|g| g.1).collect::<Vec<_>>(), [4, 4]);
    assert_eq!(world.state.held.len(), 4);
    fixed.set(true);
    let index = world
        .state
        .failures
        .iter()
        .find(|g| g.first.summary.starts_with("index"));
    let rows = index.unwrap().rows.clone();
    world.send(Event::Input(Command::Retry { stage, rows }));
    let left = before
        .iter()
        .find(|g| Some(g.0) != sizes(&world).first().map(|s| s.0));
    assert!(left.is_some());
    assert_eq!(sizes(&world).len(), 1, "the group that still fails");
    assert_eq!(sizes(&world)[0].1, 4);
    assert_eq!(world.state.held.len(), 8);
    // A run of its own begins with a clean slate.
    run_on_screen(&mut world, 2..=2);
    assert_eq!(sizes(&world), []);
}

#[test]
fn a_conflict_waits_for_its_answer_and_writes_nothing_by_itself() {
    let (mut world, stage) = screen(Box::new(|_| go("away")));
    run_on_screen(&mut world, 1..=6);
    let tasks: Vec<TaskId> = (1..=6).map(|n| row(n).id).collect();
    world.changed_by_others = tasks.iter().copied().take(3).collect();
    world.send(Event::Input(Command::Commit(tasks.clone())));
    assert_eq!((world.at(1), world.at(3)), (9, 3));
    assert_eq!(
        (world.state.held.len(), world.state.conflicts.len()),
        (0, 3)
    );
    assert_eq!(world.looked_at, 3, "the other side is asked for by itself");
    let resolve = |task: usize, how| {
        Event::Input(Command::Resolve {
            tasks: vec![tasks[task]],
            how,
        })
    };
    // Skip: ours is gone, nothing is sent.
    let commits = world.commits.len();
    world.send(resolve(0, OnConflict::Skip));
    assert_eq!(
        (world.state.conflicts.len(), world.commits.len()),
        (2, commits)
    );
    // Run again on theirs: held for review, as any dry run.
    let launches = world.launches.len();
    world.changed_by_others.clear();
    world.send(resolve(1, OnConflict::Rerun));
    assert_eq!(world.launches.len(), launches + 1);
    assert_eq!(
        (world.state.held.len(), world.state.conflicts.len()),
        (1, 1)
    );
    // Overwrite: written, and only this way with the flag.
    assert_eq!(world.overwrites, 0);
    world.send(resolve(2, OnConflict::Overwrite));
    assert_eq!(world.overwrites, 1);
    assert!(world.state.conflicts.is_empty());
    assert_eq!(world.state.queues[&stage].rows.len(), 8);
}

#[test]
fn conflicts_of_a_live_run_wait_too_but_tasks_that_left_do_not() {
    let (mut world, _) = screen(Box::new(|_| go("away")));
    world.state.live = true;
    world.changed_by_others = [row(1).id].into();
    world
        .stages
        .get_mut(&stage_id(1))
        .unwrap()
        .retain(|r| r.id != row(2).id);
    run_on_screen(&mut world, 1..=4);
    let waiting: Vec<TaskId> = world.state.conflicts.keys().copied().collect();
    assert_eq!(waiting, [row(1).id]);
    assert_eq!(world.state.run.as_ref().unwrap().totals.conflicts, 2);
}

#[test]
fn one_commit_is_one_operation_with_the_command_that_does_the_same() {
    let (mut world, _) = screen(Box::new(|l| {
        go(if l.stage == stage_id(1) {
            "next"
        } else {
            "done"
        })
    }));
    world.stages.insert(stage_id(2), vec![row(50)]);
    world.send(Event::Input(Command::OpenStage(stage_id(2))));
    run_on_screen(&mut world, 1..=2);
    let spec = RunSpec {
        source: Source::Tasks(stage_id(2), vec![row(50)]),
        ..RunSpec::default()
    };
    world.send(Event::Input(Command::Run(Box::new(spec))));
    let tasks: Vec<TaskId> = world.state.held.keys().copied().collect();
    assert_eq!(tasks.len(), 3);
    world.send(Event::Input(Command::Commit(tasks)));
    assert_eq!(world.books.len(), 2, "two stages, two batches");
    assert_eq!(world.books[0], world.books[1]);
    assert_eq!(world.closed, [world.books[0].id]);
    let twin = wb_core::twin::quoted(&world.books[0].words);
    let project = project().hash;
    assert!(
        twin.starts_with(&format!(
            "run --project-hash {project} --stage first --stage second --task "
        )),
        "{twin}"
    );
    assert_eq!(twin.matches("--task").count(), 3);
    // A live run is one operation too.
    world.state.live = true;
    world.books.clear();
    let spec = RunSpec {
        source: Source::Tasks(stage_id(1), (3..=12).map(row).collect()),
        batch_size: 4,
        ..RunSpec::default()
    };
    world.send(Event::Input(Command::Run(Box::new(spec))));
    assert_eq!(world.books.len(), 3, "three batches");
    assert!(world.books.iter().all(|b| b.id == world.books[0].id));
    assert_eq!(world.closed.len(), 2);
}

#[test]
fn rate_and_time_limit_change_while_a_run_goes_on() {
    let (mut world, stage) = screen(Box::new(|_| go("away")));
    world.hold = true;
    run_on_screen(&mut world, 1..=6);
    assert_eq!(world.launches[0].deadline_ms, None);
    world.send(Event::Input(Command::Timeout(Some(1500))));
    world.send(Event::Input(Command::Rate(Some(20.0))));
    world.send(Event::Input(Command::Concurrency(3)));
    assert_eq!(world.rates, [Some(20.0)]);
    world.hold = false;
    world.send(Event::Tick(Millis(1)));
    let limits: Vec<Option<u64>> = world.launches.iter().map(|l| l.deadline_ms).collect();
    assert_eq!(
        limits,
        [
            None,
            Some(1500),
            Some(1500),
            Some(1500),
            Some(1500),
            Some(1500)
        ]
    );
    assert_eq!(world.most_running, 4);
    world.send(Event::Input(Command::Rate(Some(-1.0))));
    assert_eq!((world.rates.len(), world.state.rate), (1, Some(20.0)));
    // A step has the same limit; without one the settings hold again.
    let step = |world: &mut World, n| {
        world.send(Event::Input(Command::Open {
            stage,
            task: row(n).id,
        }));
        world.send(Event::Input(Command::ToEnd));
        world.launches.last().unwrap().deadline_ms
    };
    assert_eq!(step(&mut world, 7), Some(1500));
    world.state.options.timeout_ms = Some(9000);
    world.send(Event::Input(Command::Timeout(None)));
    assert_eq!(step(&mut world, 8), Some(9000));
}

#[test]
fn an_undo_is_looked_at_before_it_may_be_written() {
    let (mut world, _) = screen(Box::new(|_| go("away")));
    let op = |id: i64, kind: &str| Op {
        id,
        kind: kind.into(),
        began: Millis(0),
        words: vec![],
        undoes: None,
        interrupted: false,
        under_way: false,
        here: true,
        tasks: 2,
        done: 2,
        open: 0,
        undone: 0,
    };
    world.ops = vec![op(3, "undo"), op(2, "commit"), op(1, "run")];
    world.send(Event::Input(Command::UndoNewest));
    let open = |world: &World| world.state.journal.open.clone().unwrap();
    assert_eq!(open(&world).id, 2, "the newest that is no undo itself");
    assert!(matches!(open(&world).undo, Undoing::Reviewed(_)));
    assert_eq!(world.undone, [] as [i64; 0]);
    world.state.options.read_only = true;
    world.send(Event::Input(Command::Undo(2)));
    world.state.options.read_only = false;
    world.send(Event::Input(Command::Undo(1)));
    assert_eq!(
        world.undone,
        [] as [i64; 0],
        "read-only, and not the one looked at"
    );
    world.send(Event::Input(Command::Undo(2)));
    assert_eq!(world.undone, [2]);
    let Undoing::Over(done) = open(&world).undo else {
        panic!("{:?}", open(&world))
    };
    assert_eq!(done.restored, 2);
    world.send(Event::Input(Command::OpenOp(1)));
    world.send(Event::Input(Command::Undo(1)));
    assert_eq!(world.undone, [2], "opened is not looked at");
}

#[test]
fn late_news_of_another_task_changes_nothing() {
    let mut world = World::new(3, 0, Box::new(|_| go("away")));
    let before = world.state.clone();
    let done = JobEvent::Done {
        job: JobId(999),
        result: Err(Fault::new(FaultKind::Agent, "late")),
        crashed: false,
        run_us: 0,
    };
    world.send(Event::Job(done));
    world.send(Event::Commit {
        batch: BatchId(77),
        results: vec![(row(1).id, Committed::Done)],
    });
    world.send(Event::Prefetch {
        batch: BatchId(77),
        results: vec![],
    });
    assert_eq!(world.state, before);
}
