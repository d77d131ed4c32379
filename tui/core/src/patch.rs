//! From what an agent gave to what it means: the outcome checked against the workflow, and the
//! label differences a person reviews.
//!
//! What differs between two label rows is known to the authors' crate; writing is left to the
//! client, drawing to the screen.

use crate::fault::{Fault, FaultKind, clip};
use crate::work::{Inputs, LabelBlob, LabelChange, Outcome, Patch, Way};
use crate::workflow::{Stage, nearest};
use agent_abi::model::{LabelChangeKind, LabelRow, Ontology, diff};
use agent_abi::wire;
use serde_json::Value;
use std::sync::Arc;

/// Reads an agent's answer and checks it: the pathway exists, the priority is in 0 to 1, labels
/// are only given by agents that were lent a label row.
///
/// # Errors
/// A fault of the agent's; the task stays where it is.
pub fn judge(
    stage: &Stage,
    ontology: &Arc<Ontology>,
    inputs: &Inputs,
    answer: &[u8],
) -> Result<Outcome, Fault> {
    let given: wire::Outcome = serde_json::from_slice(answer).map_err(|error| {
        Fault::new(
            FaultKind::Agent,
            format!("the agent's answer is no outcome: {error}"),
        )
        .hint("an outcome is JSON such as {\"route\":\"complete\"}; see agent_abi::wire::Outcome")
    })?;
    let way = way(stage, given.route.as_deref())?;
    if let Some(p) = given.priority
        && !(0.0..=1.0).contains(&p)
    {
        return Err(Fault::new(
            FaultKind::Agent,
            format!("priority {p} is outside 0 to 1"),
        ));
    }
    let (labels, labels_after) = labels(ontology, inputs, given.labels, &given.add)?;
    let priority = given
        .priority
        .map(|new| (inputs.labels.as_ref().and_then(|l| l.priority), new));
    let patch = Patch {
        labels,
        priority,
        metadata: given.client_metadata,
    };
    Ok(Outcome {
        way,
        patch,
        labels_after,
        steps: given.steps.into_iter().take(STEPS).map(bounded).collect(),
    })
}

/// Steps of one attempt that are kept.
const STEPS: usize = 500;
/// Longest text of a step, in bytes.
const STEP: usize = 4 << 10;

fn bounded(step: wire::StepDoc) -> wire::StepDoc {
    wire::StepDoc {
        kind: clip(step.kind, STEP),
        name: clip(step.name, STEP),
        value: clip(step.value, STEP),
        ..step
    }
}

fn way(stage: &Stage, route: Option<&str>) -> Result<Way, Fault> {
    let Some(route) = route else {
        return Ok(Way::Stay);
    };
    if let Some(p) = stage.pathway(route) {
        return Ok(Way::Pathway {
            id: p.id,
            name: p.name.clone(),
            to: p.to,
        });
    }
    let names: Vec<&str> = stage.pathways.iter().map(|p| p.name.as_str()).collect();
    let mut fault = Fault::new(
        FaultKind::Agent,
        format!(
            "no pathway \"{route}\" leaves stage \"{}\"; there are: {}",
            stage.title,
            names.join(", ")
        ),
    );
    if let Some(near) = nearest(route, names.into_iter()).first() {
        fault = fault.hint(format!("did the agent mean \"{near}\"?"));
    }
    Err(fault)
}

type Labels = (Vec<LabelChange>, Option<LabelBlob>);

fn labels(
    ontology: &Arc<Ontology>,
    inputs: &Inputs,
    after: Option<Value>,
    add: &[wire::AddLabel],
) -> Result<Labels, Fault> {
    if after.is_none() && add.is_empty() {
        return Ok((Vec::new(), None));
    }
    let Some(row) = &inputs.labels else {
        let text = "the agent changed labels but was lent no label row";
        return Err(Fault::new(FaultKind::Agent, text).hint(
            "ask for the label row: `labels: &mut LabelRow`, or WB_NEED_LABEL_ROW_WRITE in C",
        ));
    };
    let before = LabelRow::from_json(&row.json, ontology.clone()).map_err(|error| {
        Fault::new(
            FaultKind::Upstream,
            format!("the label row is not readable: {error}"),
        )
    })?;
    let labels = after.unwrap_or_else(|| before.labels().clone());
    let doc = wire::RowDoc {
        metadata: before.metadata().clone(),
        labels,
    };
    let mut after = LabelRow::from_doc(doc, ontology.clone());
    for label in add {
        after.apply(label).map_err(|error| {
            Fault::new(
                FaultKind::Agent,
                format!("the agent's label cannot be added: {error}"),
            )
        })?;
    }
    let changes: Vec<LabelChange> = diff(&before, &after).into_iter().map(change).collect();
    let kept = (!changes.is_empty()).then(|| LabelBlob::new(&after.into_labels()));
    Ok((changes, kept))
}

/// What differs between two documents of the same label row, for people.
///
/// # Errors
/// One of them is not readable.
pub fn between(
    ontology: &Arc<Ontology>,
    before: &str,
    after: &str,
) -> Result<Vec<LabelChange>, Fault> {
    let read = |json: &str| {
        LabelRow::from_json(json, ontology.clone()).map_err(|error| {
            let text = format!("the label row is not readable: {error}");
            Fault::new(FaultKind::Upstream, text)
        })
    };
    let (before, after) = (read(before)?, read(after)?);
    Ok(diff(&before, &after).into_iter().map(change).collect())
}

fn change(change: agent_abi::model::LabelChange) -> LabelChange {
    let sign = match change.kind {
        LabelChangeKind::Added => '+',
        LabelChangeKind::Changed => '~',
        LabelChangeKind::Removed => '-',
    };
    LabelChange {
        sign,
        name: change.name,
        hash: change.hash,
        detail: change.detail,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::{DataHash, Millis, PathwayId, StageId, TaskId};
    use crate::work::{RowInput, TaskRow, TaskStatus};
    use crate::workflow::{Pathway, StageKind};
    use serde_json::json;
    use uuid::Uuid;

    fn stage() -> Stage {
        let pathway = Pathway {
            id: PathwayId(Uuid::from_u128(5)),
            name: "annotate".into(),
            to: StageId(Uuid::from_u128(6)),
        };
        Stage {
            id: StageId(Uuid::from_u128(1)),
            title: "pre-label".into(),
            kind: StageKind::Agent,
            pathways: vec![pathway],
        }
    }

    fn ontology() -> Arc<Ontology> {
        let editor = json!({"objects": [{"id": "1", "name": "Car", "color": "#D33115",
            "shape": "bounding_box", "featureNodeHash": "CarBox01"}], "classifications": []});
        Arc::new(Ontology::from_editor(&editor).unwrap())
    }

    fn inputs(labels: bool) -> Inputs {
        let unit = json!({"data_hash": "u", "data_title": "t", "data_type": "image/png",
            "data_sequence": 0, "width": 10, "height": 10, "labels": {"objects": [], "classifications": []}});
        let doc = json!({"metadata": {"data_type": "IMAGE"}, "labels": {"data_hash": "u",
            "data_type": "image", "data_units": {"u": unit}, "object_answers": {},
            "classification_answers": {}, "object_actions": {}}});
        let row = TaskRow {
            id: TaskId(Uuid::from_u128(2)),
            data: DataHash(Uuid::from_u128(3)),
            created: Millis(0),
            updated: Millis(0),
            title: "t".into(),
            assignee: None,
            last_actioned_by: None,
            branch: "main".into(),
            status: TaskStatus::New,
        };
        let labels = labels.then(|| RowInput {
            label_hash: None,
            priority: Some(0.5),
            item: None,
            json: doc.to_string().into(),
        });
        Inputs {
            row,
            task_json: "{}".into(),
            labels,
            item_json: None,
            asset_json: None,
            fetched: Millis(0),
            timings: vec![],
        }
    }

    fn given(answer: &Value, labels: bool) -> Result<Outcome, Fault> {
        judge(
            &stage(),
            &ontology(),
            &inputs(labels),
            answer.to_string().as_bytes(),
        )
    }

    #[test]
    fn a_wrong_pathway_is_answered_with_the_right_ones() {
        let fault = given(&json!({"route": "anotate"}), false).unwrap_err();
        assert!(fault.summary.contains("there are: annotate") && !fault.retry);
        assert_eq!(fault.hints, ["did the agent mean \"annotate\"?"]);
    }

    #[test]
    fn a_pathway_is_found_by_uuid_too_and_nothing_means_stay() {
        let uuid = Uuid::from_u128(5).to_string();
        assert!(matches!(
            given(&json!({"route": uuid}), false).unwrap().way,
            Way::Pathway { .. }
        ));
        assert_eq!(given(&json!({}), false).unwrap().way, Way::Stay);
    }

    #[test]
    fn priority_zero_counts_and_two_is_refused() {
        assert_eq!(
            given(&json!({"priority": 0.0}), true)
                .unwrap()
                .patch
                .priority,
            Some((Some(0.5), 0.0))
        );
        assert!(given(&json!({"priority": 2.0}), true).is_err());
    }

    #[test]
    fn a_label_added_by_name_becomes_a_patch_and_a_blob() {
        let add = json!({"route": "annotate", "add": [{"name": "Car",
            "boundingBox": {"x": 0.1, "y": 0.2, "w": 0.3, "h": 0.4}}]});
        let outcome = given(&add, true).unwrap();
        assert_eq!(outcome.patch.counts(), (1, 0, 0));
        assert_eq!(outcome.patch.labels[0].name, "Car");
        let after = outcome.labels_after.unwrap().read();
        assert_eq!(
            after.pointer("/data_units/u/labels/objects/0/boundingBox/w"),
            Some(&json!(0.3))
        );
        assert!(
            given(&add, false)
                .unwrap_err()
                .summary
                .contains("lent no label row")
        );
        let unknown =
            json!({"add": [{"name": "Cra", "boundingBox": {"x": 0, "y": 0, "w": 1, "h": 1}}]});
        assert!(given(&unknown, true).unwrap_err().summary.contains("Car"));
    }

    #[test]
    fn an_answer_that_is_no_outcome_is_the_agents_fault() {
        let fault = judge(&stage(), &ontology(), &inputs(false), b"complete").unwrap_err();
        assert_eq!(fault.kind, FaultKind::Agent);
    }
}
