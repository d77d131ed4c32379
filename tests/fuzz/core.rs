//! Fuzz targets of the core: the filter language, workflow specifications, the answers of agents.

mod check;

use crate::filter::{Facts, Filter};
use crate::ids::{BuildId, DataHash, Millis, PathwayId, StageId, TaskId};
use crate::patch::judge;
use crate::queue::LastResult;
use crate::work::{Inputs, RowInput, TaskRow, TaskStatus};
use crate::workflow::{Pathway, Stage, StageKind, Workflow, without_trailing_commas};
use agent_abi::model::Ontology;
use serde_json::{Value, json};
use std::sync::Arc;
use uuid::Uuid;

check::target!(filter_language, filter);
check::target!(workflow_specification, specification);
check::target!(agent_answer, answer);

fn row() -> TaskRow {
    TaskRow {
        id: TaskId(Uuid::nil()),
        data: DataHash(Uuid::nil()),
        created: Millis(0),
        updated: Millis(0),
        title: "straße cam3_night.jpg".into(),
        assignee: Some("ann@example.test".into()),
        last_actioned_by: None,
        branch: "main".into(),
        status: TaskStatus::New,
    }
}

fn filter(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else {
        return;
    };
    let row = row();
    let last = LastResult {
        build: BuildId(42),
        text: "skip".into(),
        failed: false,
        pathway: None,
        group: None,
        labels: (4, 0, 0),
        ms: 1.0,
        at: Millis(0),
    };
    match Filter::parse(text) {
        Ok(filter) => {
            for result in [None, Some(&last)] {
                let now = Millis(i64::MAX);
                let facts = Facts {
                    row: &row,
                    now,
                    result,
                    known: None,
                };
                let _ = filter.matches(&facts);
            }
        }
        Err(why) => assert!(!why.trim().is_empty(), "an error has a reason"),
    }
}

fn specification(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else {
        return;
    };
    let tolerant = without_trailing_commas(text);
    if let Ok(strict) = serde_json::from_str::<Value>(text) {
        let same: Value = serde_json::from_str(&tolerant).unwrap();
        assert_eq!(strict, same, "what is JSON already stays as it is");
    }
    let Ok(value) = serde_json::from_str(&tolerant) else {
        return;
    };
    let mut workflow = Workflow {
        stages: (1..4).map(stage).collect(),
        edges: Vec::new(),
    };
    workflow.learn_edges(&value);
    let known = |id: StageId| workflow.stage(id).is_some();
    let ends = |edge: &crate::workflow::Edge| known(edge.to) && edge.from.is_none_or(known);
    assert!(
        workflow.edges.iter().all(ends),
        "edges join stages of the project"
    );
}

fn stage(n: u128) -> Stage {
    Stage {
        id: StageId(Uuid::from_u128(n)),
        title: format!("Stage {n}"),
        kind: StageKind::Agent,
        pathways: vec![Pathway {
            id: PathwayId(Uuid::from_u128(10 + n)),
            name: "annotate".into(),
            to: StageId(Uuid::from_u128(n + 1)),
        }],
    }
}

/// The first line is what the platform sent (an ontology), the second the label row, the rest is what
/// the agent answered.
fn answer(input: &[u8]) {
    let mut lines = input.splitn(3, |byte| *byte == b'\n');
    let mut next = || lines.next().unwrap_or_default();
    let (ontology, labels, answer) = (next(), next(), next());
    let editor = serde_json::from_slice(ontology)
        .unwrap_or_else(|_| json!({"objects": [], "classifications": []}));
    let Ok(ontology) = Ontology::from_editor(&editor) else {
        return;
    };
    let labels = std::str::from_utf8(labels)
        .ok()
        .filter(|text| !text.is_empty());
    let inputs = Inputs {
        row: row(),
        task_json: "{}".into(),
        labels: labels.map(|text| RowInput {
            label_hash: None,
            priority: Some(0.5),
            item: None,
            json: text.into(),
        }),
        item_json: None,
        asset_json: None,
        fetched: Millis(0),
        timings: Vec::new(),
    };
    match judge(&stage(1), &Arc::new(ontology), &inputs, answer) {
        Ok(outcome) => {
            let within = |(_, new): (Option<f64>, f64)| (0.0..=1.0).contains(&new);
            assert!(outcome.patch.priority.is_none_or(within));
            assert!(inputs.labels.is_some() || outcome.labels_after.is_none());
        }
        Err(fault) => assert!(!fault.summary.trim().is_empty()),
    }
}
