//! Tasks of a stage: listed, acted on, moved; priorities.

use std::collections::HashSet;

use crate::people;
use crate::routes::prelude::*;
use crate::store::tasks::{self, Action, ActionKind, Assignee, TaskFilter};
use crate::store::{history, reviews};

pub(super) async fn list(call: Call, AtStage(project, stage): AtStage, pairs: Pairs) -> Reply {
    let after = pairs.after()?;
    let filter = TaskFilter {
        emails: pairs.texts("userEmails"),
        data_hashes: pairs.uuids("dataHashes")?,
        datasets: pairs.uuids("datasetHashes")?,
        title_contains: pairs.first("dataTitleContains").map(str::to_owned),
        statuses: pairs.texts("statuses"),
    };
    let (here, size) = (project.clone(), call.page_size);
    let read = move |db: &_| tasks::page(db, &here, stage, &filter, after, size + 1);
    let found = call.store.read(read).await?;
    if call.injected.conflict
        && let Some(task) = found.first()
    {
        people::intrude(&call.app, &project, stage, task.uuid).await?;
    }
    json_reply(&Page::cut(found, size, |t| token(t.id)))
}

/// One action as sent.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ActionDto {
    task_uuid: Uuid,
    #[serde(flatten)]
    kind: ActionKind,
    assignee: Option<String>,
    #[serde(default)]
    retain_assignee: bool,
    /// Whether the reviews of single labels follow the decision about the task.
    #[serde(default = "yes", alias = "rejectLabelReviews")]
    approve_label_reviews: bool,
}

fn yes() -> bool {
    true
}

impl TryFrom<ActionDto> for Action {
    type Error = Refusal;

    fn try_from(dto: ActionDto) -> Result<Self, Refusal> {
        let assignee = match dto.assignee {
            Some(email) => Assignee::This(email),
            None if dto.kind == ActionKind::Assign => {
                return Err(invalid!("ASSIGN needs an `assignee`"));
            }
            None if dto.retain_assignee => Assignee::Same,
            None => Assignee::Nobody,
        };
        Ok(Self {
            task: dto.task_uuid,
            kind: dto.kind,
            assignee,
        })
    }
}

pub(super) async fn actions(
    call: Call,
    AtStage(project, stage): AtStage,
    Sent(sent): Sent<Vec<ActionDto>>,
) -> Reply {
    let leaves_reviews = sent.iter().filter(|a| !a.approve_label_reviews);
    let leaves_reviews: HashSet<Uuid> = leaves_reviews.map(|a| a.task_uuid).collect();
    let actions = sent.into_iter().map(Action::try_from);
    let actions: Vec<Action> = actions.collect::<Result<_, _>>()?;
    if call.injected.conflict
        && let Some(action) = actions.first()
    {
        people::intrude(&call.app, &project, stage, action.task).await?;
    }
    call.change(move |tx| {
        let changed = tasks::act(tx, &project, stage, &actions)?;
        for action in &actions {
            if !leaves_reviews.contains(&action.task) {
                reviews::follow(tx, &project, action)?;
            }
            history::note(tx, &project, stage, action)?;
        }
        Ok(changed)
    })
    .await
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct MoveDto {
    task_uuids: Vec<Uuid>,
    destination_stage_uuid: Uuid,
}

pub(super) async fn move_tasks(
    call: Call,
    AtStage(project, origin): AtStage,
    Sent(sent): Sent<MoveDto>,
) -> Reply {
    let wanted = sent.destination_stage_uuid;
    let destination = project.graph.stage(wanted).map(|(number, _)| number);
    let missing = || invalid!("the project has no stage {wanted}");
    let destination = destination.ok_or_else(missing)?;
    call.change(move |tx| {
        let moved = &sent.task_uuids;
        for task in moved {
            history::note_move(tx, &project, origin, *task)?;
        }
        tasks::move_tasks(tx, &project, Some(origin), moved, destination)
    })
    .await
}

#[derive(Debug, Deserialize)]
pub(super) struct PrioritiesDto {
    priorities: Vec<(Uuid, f64)>,
}

pub(super) async fn priorities(
    call: Call,
    InProject(project): InProject,
    Sent(sent): Sent<PrioritiesDto>,
) -> Reply {
    call.change(move |tx| tasks::set_priorities(tx, &project, &sent.priorities))
        .await
}
