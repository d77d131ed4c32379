//! A journal and a platform in memory, for tests of the machines and of the state that drives them.

use super::*;
use crate::event::{Effect, Event};
use crate::ids::{DataHash, PathwayId, StageId, TaskId};
use crate::journal::Op;
use crate::work::wire::ProjectDoc;
use crate::work::{Committed, Project, RowInput, RowMetadata, Written};
use crate::workflow::{Pathway, Stage, StageKind, Workflow};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use uuid::Uuid;

/// The stage of an agent.
pub(crate) const AGENT: StageId = StageId(Uuid::from_u128(1));
/// Where its tasks go.
pub(crate) const COMPLETE: StageId = StageId(Uuid::from_u128(2));

pub(crate) fn pathway() -> Pathway {
    Pathway {
        id: PathwayId(Uuid::from_u128(3)),
        name: "complete".into(),
        to: COMPLETE,
    }
}

pub(crate) fn project() -> Arc<Project> {
    let stage = |id, title: &str, kind, pathways| Stage {
        id,
        title: title.into(),
        kind,
        pathways,
    };
    let doc = ProjectDoc {
        project_hash: Uuid::from_u128(7),
        title: "P".into(),
        description: String::new(),
        ontology: serde_json::Value::Null,
        ontology_title: String::new(),
        stages: vec![],
        datasets: vec![],
    };
    Arc::new(Project {
        hash: ProjectHash(doc.project_hash),
        title: "P".into(),
        viewer: false,
        workflow: Workflow {
            stages: vec![
                stage(AGENT, "agent", StageKind::Agent, vec![pathway()]),
                stage(COMPLETE, "Complete", StageKind::Done, vec![]),
            ],
            edges: vec![],
        },
        json: "{}".into(),
        doc,
    })
}

/// A change of a task of a data unit that writes nothing.
pub(crate) fn change(task: u128, unit: u128) -> Change {
    let (task, unit) = (Uuid::from_u128(task), Uuid::from_u128(unit));
    Change {
        title: format!("task {}", task.as_u128()).into(),
        ..Change::empty(TaskId(task), AGENT, DataHash(unit))
    }
}

/// A task of the platform.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Task {
    pub data: DataHash,
    pub stage: StageId,
    pub priority: f64,
}

/// An entry of the journal.
#[derive(Clone, Debug)]
struct Entry {
    change: Change,
    result: Option<Committed>,
}

/// What survives a crash: the journal on disk, and the platform.
#[derive(Clone, Debug, Default)]
pub(crate) struct Memory {
    pub tasks: BTreeMap<TaskId, Task>,
    entries: Vec<Entry>,
    /// How many changes were sent.
    pub sent: usize,
    /// The tasks of the plan that is applied.
    pub plan: Vec<PlannedTask>,
}

impl Memory {
    pub(crate) fn with_tasks(n: u128) -> Self {
        let task = |n| Task {
            data: DataHash(Uuid::from_u128(100 + n)),
            stage: AGENT,
            priority: 0.5,
        };
        Self {
            tasks: (1..=n)
                .map(|n| (TaskId(Uuid::from_u128(n)), task(n)))
                .collect(),
            ..Self::default()
        }
    }

    /// What an agent gives for task `n`: another priority, and the task is complete.
    pub(crate) fn outcome(&self, n: u128) -> Change {
        Change {
            priority: Some(0.25),
            pathway: Some(pathway().id),
            to: Some(COMPLETE),
            ..change(n, 100 + n)
        }
    }

    fn entry(&mut self, id: i64) -> &mut Entry {
        let place = usize::try_from(id - 1).unwrap();
        &mut self.entries[place]
    }

    fn send(&mut self, change: &Change) -> Committed {
        self.sent += 1;
        let Some(task) = self.tasks.get_mut(&change.task) else {
            return Committed::AlreadyMoved;
        };
        if task.stage != change.stage {
            return Committed::AlreadyMoved;
        }
        task.priority = change.priority.unwrap_or(task.priority);
        task.stage = change.to.unwrap_or(task.stage);
        Committed::Done
    }

    fn look(&self, look: Look) -> Seen {
        let at = |stage: StageId| {
            let tasks = self.tasks.iter().filter(move |(_, t)| t.stage == stage);
            Ok(tasks.map(|(id, t)| (*id, t.data)).collect())
        };
        let priority = |data: DataHash| {
            let task = self.tasks.values().find(|t| t.data == data);
            task.map(|t| t.priority)
        };
        let row = |data| RowInput {
            label_hash: None,
            priority: priority(data),
            item: None,
            json: r#"{"labels": {}}"#.into(),
        };
        Seen {
            tasks: look.tasks.into_keys().map(|s| (s, at(s))).collect(),
            rows: look.rows.iter().map(|((d, _), _)| Ok(row(*d))).collect(),
            metadata: (look.metadata.iter())
                .map(|(data, _)| {
                    Ok(RowMetadata {
                        priority: priority(*data),
                        ..RowMetadata::default()
                    })
                })
                .collect(),
            ..Seen::default()
        }
    }

    fn standing(&self, below: i64) -> Vec<StandingEntry> {
        let reverted = |id| {
            let mut entries = self.entries.iter();
            entries.any(|e| e.change.reverts == Some(id) && e.result.is_some())
        };
        let all: Vec<(i64, &Entry)> = (1..).zip(&self.entries).collect();
        let newest_first = all.into_iter().rev();
        newest_first
            .filter(|(id, e)| *id < below && e.change.reverts.is_none() && !reverted(*id))
            .filter(|(_, e)| e.result == Some(Committed::Done))
            .map(|(id, e)| StandingEntry {
                id,
                change: e.change.clone(),
                overtaken: false,
            })
            .collect()
    }

    pub(crate) fn reply(&mut self, request: Request) -> Reply {
        match request {
            Request::Claim(Scope::All) => {
                let open = (1..).zip(&self.entries).filter(|(_, e)| e.result.is_none());
                let open = open.map(|(id, e)| OpenEntry {
                    id,
                    change: e.change.clone(),
                    written: Written::default(),
                    refused: None,
                });
                Reply::Open(Ok(open.collect()))
            }
            Request::Claim(_) | Request::OpenUndos(_) => Reply::Open(Ok(Vec::new())),
            Request::Standing { below, .. } => {
                let standing = self.standing(below);
                let last = standing.last().map(|e| e.id);
                Reply::Standing(Ok((standing, last)))
            }
            Request::Operations => Reply::Operations(Ok(vec![Op::default()])),
            Request::Applied(_) => Reply::Applied(Ok(std::collections::HashSet::new())),
            Request::PlanLines => Reply::PlanLines(Ok(PlanLines {
                tasks: std::mem::take(&mut self.plan),
                last: true,
            })),
            Request::Look(look) => Reply::Seen(Box::new(self.look(look))),
            Request::Note(changes) => {
                let noted = changes.into_iter().map(|change| {
                    let result = None;
                    self.entries.push(Entry { change, result });
                    i64::try_from(self.entries.len()).ok()
                });
                Reply::Noted(Ok(noted.collect()))
            }
            Request::Send(entries) => {
                let each = entries.into_iter().map(|id| {
                    let change = self.entry(id).change.clone();
                    self.send(&change)
                });
                Reply::Sent(each.collect())
            }
            Request::SendRest(rests) => {
                Reply::Sent(rests.iter().map(|(_, rest)| self.send(rest)).collect())
            }
            Request::NoteAnswers(answers) => {
                for answer in answers {
                    self.entry(answer.entry).result = Some(answer.result);
                }
                Reply::Stored(Ok(()))
            }
            Request::Release(_) | Request::EndOperations(_) => Reply::Stored(Ok(())),
        }
    }

    /// The events that answer these effects. With `dies_at`, nothing is performed from the first such request on: the
    /// process is dead.
    pub(crate) fn perform(
        &mut self,
        effects: Vec<Effect>,
        mut update: impl FnMut(Event) -> Vec<Effect>,
        dies_at: impl Fn(&Request) -> bool,
    ) -> Vec<Effect> {
        let mut waiting = VecDeque::from(effects);
        let mut others = Vec::new();
        while let Some(effect) = waiting.pop_front() {
            let Effect::Operation {
                operation,
                lane,
                request,
                ..
            } = effect
            else {
                others.push(effect);
                continue;
            };
            if dies_at(&request) {
                break;
            }
            let reply = self.reply(request);
            waiting.extend(update(Event::Operation {
                operation,
                lane,
                reply,
            }));
        }
        others
    }
}
