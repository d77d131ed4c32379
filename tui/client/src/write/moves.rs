//! Moving tasks: through a pathway, or from any stage to any other.
//!
//! Neither is safe to repeat: a task that has moved is refused. Whether a move arrived is seen by asking
//! which tasks are still at the stage, and where those that are not have gone: at the destination, the move
//! arrived. The platform applies a request whole or not at all, so that one task at its destination speaks
//! for the others of its request, which somebody has moved on since. Where none is, somebody else took them
//! elsewhere. The API does not report who brought a task to the same destination: after a lost answer, or
//! a refusal that may be a gateway's, it counts as ours; after the platform's own refusal it does not.

use super::bundle::{Bundle, Doubt, Fate, Seen, WriteCounter, drive};
use super::{Writer, to_bytes};
use crate::error::{ClientError, Meaning};
use crate::http::retry::Repeat;
use futures_util::future::BoxFuture;
use serde::Serialize;
use serde_json::json;
use std::collections::{BTreeMap, HashSet};
use std::time::Duration;
use uuid::Uuid;
use wb_core::error::Error;
use wb_core::ids::{DataHash, PathwayId, ProjectHash, StageId, TaskId};
use wb_core::work::Committed;

/// One task to be moved.
#[derive(Clone, Copy)]
pub(crate) struct Move {
    pub task: TaskId,
    pub data: DataHash,
    pub way: Way,
    /// Where it leads, as far as the workflow is known.
    pub to: Option<StageId>,
}

/// How it is moved.
#[derive(Clone, Copy)]
pub(crate) enum Way {
    Pathway(PathwayId),
    To(StageId),
}

/// Moves from one stage; all of them by pathways, or all of them to one stage.
pub(crate) struct Moves<'a> {
    pub writer: &'a Writer,
    pub project: ProjectHash,
    pub from: StageId,
    pub moves: &'a [Move],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Action {
    task_uuid: Uuid,
    action: &'static str,
    pathway_uuid: Uuid,
}

impl Bundle for Moves<'_> {
    fn send<'a>(&'a self, members: &'a [usize]) -> BoxFuture<'a, Result<(), ClientError>> {
        Box::pin(async move {
            let mut actions = Vec::with_capacity(members.len());
            let mut tasks = Vec::new();
            let mut destination = None;
            for i in members {
                let one = &self.moves[*i];
                match one.way {
                    Way::Pathway(pathway) => actions.push(Action {
                        task_uuid: one.task.0,
                        action: "PATHWAY_ACTION",
                        pathway_uuid: pathway.0,
                    }),
                    Way::To(stage) => {
                        destination = Some(stage);
                        tasks.push(one.task);
                    }
                }
            }
            let stage = format!("/projects/{}/workflow/stages/{}", self.project, self.from);
            let (path, body) = match destination {
                None => (format!("{stage}/actions"), to_bytes(&actions)?),
                Some(to) => (
                    format!("{stage}/move-tasks"),
                    to_bytes(&json!({"taskUuids": tasks, "destinationStageUuid": to}))?,
                ),
            };
            self.writer
                .write("POST", &path, body, Repeat::AskFirst)
                .await
        })
    }

    fn look<'a>(
        &'a self,
        members: &'a [usize],
        doubt: Doubt,
    ) -> BoxFuture<'a, Result<Vec<Seen>, ClientError>> {
        Box::pin(async move {
            let asked: Vec<(TaskId, DataHash)> = members
                .iter()
                .map(|i| (self.moves[*i].task, self.moves[*i].data))
                .collect();
            let reader = &self.writer.reader;
            let there = reader.still_at(self.project, self.from, &asked).await?;
            let arrived = match doubt {
                Doubt::None => HashSet::new(),
                Doubt::Refused | Doubt::Lost => self.arrived(members, &there).await?,
            };
            let seen = members.iter().map(|i| {
                let task = &self.moves[*i].task;
                let ours = match doubt {
                    // Ours was sent and has arrived, for this task or for another of the same request.
                    Doubt::Lost => !arrived.is_empty(),
                    _ => arrived.contains(task),
                };
                if there.contains(task) {
                    Seen::Waiting
                } else if ours {
                    Seen::Arrived
                } else {
                    Seen::Ended(Fate::Gone)
                }
            });
            Ok(seen.collect())
        })
    }

    fn pause(&self, time: Duration) -> BoxFuture<'_, ()> {
        Box::pin(self.writer.reader.wire.sleep(time))
    }

    fn counter(&self) -> &WriteCounter {
        &self.writer.counters.moves
    }
}

impl Moves<'_> {
    /// Which of the members that have left their stage are where they were sent. Those whose destination
    /// cannot be asked count as arrived: ours was sent, and they are gone.
    async fn arrived(
        &self,
        members: &[usize],
        there: &HashSet<TaskId>,
    ) -> Result<HashSet<TaskId>, ClientError> {
        let mut gone: BTreeMap<Option<StageId>, Vec<(TaskId, DataHash)>> = BTreeMap::new();
        for one in members.iter().map(|i| &self.moves[*i]) {
            if !there.contains(&one.task) {
                gone.entry(one.to).or_default().push((one.task, one.data));
            }
        }
        let mut arrived = HashSet::new();
        for (to, tasks) in gone {
            let reader = &self.writer.reader;
            let found = match to {
                Some(to) => reader.still_at(self.project, to, &tasks).await,
                None => Ok(tasks.iter().map(|(task, _)| *task).collect()),
            };
            match found {
                Ok(found) => arrived.extend(found),
                Err(error) if error.meaning() == Meaning::Stop => return Err(error),
                Err(error) => {
                    tracing::warn!(%error, "the destination of tasks that have left cannot be asked");
                    arrived.extend(tasks.iter().map(|(task, _)| *task));
                }
            }
        }
        Ok(arrived)
    }
}

impl Writer {
    /// Moves tasks from one stage to any other, in bundles of 500: `Done`, `AlreadyMoved` (somebody
    /// else did) or `Refused`, in the order given.
    pub(super) async fn move_tasks(
        &self,
        project: ProjectHash,
        from: StageId,
        to: StageId,
        tasks: &[(TaskId, DataHash)],
    ) -> Vec<(TaskId, Committed)> {
        self.reader.forget_ahead();
        let moves: Vec<Move> = tasks
            .iter()
            .map(|(task, data)| Move {
                task: *task,
                data: *data,
                way: Way::To(to),
                to: Some(to),
            })
            .collect();
        let bundle = Moves {
            writer: self,
            project,
            from,
            moves: &moves,
        };
        let mut results: Vec<(TaskId, Committed)> = tasks
            .iter()
            .map(|(task, _)| (*task, Committed::Done))
            .collect();
        for (i, fate) in drive(&bundle, (0..moves.len()).collect(), 500).await {
            results[i].1 = committed(fate);
        }
        results
    }
}

/// A fate as the engine's result.
pub(crate) fn committed(fate: Fate) -> Committed {
    match fate {
        Fate::Applied => Committed::Done,
        Fate::Gone => Committed::AlreadyMoved,
        Fate::Conflict(by) => Committed::Conflict { by },
        Fate::Refused(failure) => Committed::Refused(about_move(failure)),
    }
}

fn about_move(mut failure: Error) -> Error {
    failure.summary = format!("the task was not moved: {}", failure.summary);
    failure
}
