//! Reviews of single labels, listed and decided while their task is in a review stage.

use crate::routes::prelude::*;
use crate::store::reviews::{self, Review};
use crate::store::tasks;
use crate::workflow::NodeKind;

fn require_review_stage(project: &Project, stage: usize) -> Result<(), Refusal> {
    let node = &project.graph.nodes[stage];
    if matches!(node.kind, NodeKind::Review { .. }) {
        return Ok(());
    }
    Err(invalid!(
        "stage \"{}\" is of type {}; only REVIEW stages have reviews",
        node.title,
        node.kind.name()
    ))
}

pub(super) async fn list(
    call: Call,
    AtStage(project, stage): AtStage,
    TaskId(task): TaskId,
    pairs: Pairs,
) -> Reply {
    require_review_stage(&project, stage)?;
    let read = call.store.read(move |db| reviews::list(db, &project, task));
    let statuses: Vec<&str> = pairs.all("statuses").collect();
    let mut found = read.await?;
    found.retain(|r| statuses.is_empty() || statuses.contains(&r.status.as_str()));
    let one = |r: Review| json!({"reviewUuid": r.uuid, "status": r.status, "labelType": r.label_type, "labelId": r.label_id});
    json_reply(&Page::<Value>::whole(found.into_iter().map(one)))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Decision {
    review_uuid: Uuid,
    action: DecisionKind,
    comment: Option<String>,
    comment_tags: Option<Vec<String>>,
}

#[derive(Clone, Copy, PartialEq, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
enum DecisionKind {
    Approve,
    Reject,
    Reopen,
}

/// Decides about labels, or about none if one decision is impossible.
pub(super) async fn act(
    call: Call,
    AtStage(project, stage): AtStage,
    TaskId(task): TaskId,
    Sent(sent): Sent<Vec<Decision>>,
) -> Reply {
    require_review_stage(&project, stage)?;
    call.change(move |tx| {
        tasks::task_at(tx, &project, stage, task)?;
        let known = reviews::list(tx, &project, task)?;
        for decision in &sent {
            let status = match decision.action {
                DecisionKind::Approve => "APPROVED",
                DecisionKind::Reject => "REJECTED",
                DecisionKind::Reopen => "REOPENED",
            };
            let review = known.iter().find(|r| r.uuid == decision.review_uuid);
            let review = review.ok_or_else(|| {
                invalid!(
                    "task {task} has no review {}. Nothing of this request was applied",
                    decision.review_uuid
                )
            })?;
            reviews::decide(tx, task, review, status)?;
            comment(tx, &project, task, review, decision)?;
        }
        Ok(sent.len())
    })
    .await
}

/// A rejection with a comment is an issue about the label.
fn comment(
    tx: &Tx<'_>,
    project: &Project,
    task: Uuid,
    review: &Review,
    decision: &Decision,
) -> Result<(), Refusal> {
    let Some(text) = &decision.comment else {
        return Ok(());
    };
    if decision.action != DecisionKind::Reject {
        return Ok(());
    }
    let tags = decision.comment_tags.clone().unwrap_or_default();
    let data = project.data_of(task);
    let body = json!({
        "anchor": {"type": "annotation", "dataUuid": data, "annotationId": review.label_id},
        "comment": text, "author": tx.actor, "tags": tags,
    });
    let key = RecordKind::ISSUE.of(project.uuid, Uuid::new_v4());
    records::put(tx, key, &data.to_string(), &body)
}
