//! Further changes judged.

use super::super::tests::{inputs, ontology, stage};
use super::super::wanted::FurtherDataset;
use super::super::{judge_as, wanted};
use super::*;
use crate::ids::{DatasetHash, FolderId};
use crate::work::{Outcome, WritePhase};
use crate::workflow::{Stage, StageKind, Workflow};
use serde_json::{Value, json};
use uuid::Uuid;

const OWN: u128 = 50;
const TWIN: u128 = 51;

fn text(n: u128) -> String {
    Uuid::from_u128(n).to_string()
}

fn project(title: &str) -> FurtherProject {
    let stage = |n: u128, title: &str| Stage {
        id: StageId(Uuid::from_u128(n)),
        title: title.into(),
        kind: StageKind::Other("REVIEW".into()),
        pathways: vec![],
    };
    let workflow = Workflow {
        stages: vec![stage(60, "Annotate"), stage(61, "Review")],
        ..Workflow::default()
    };
    FurtherProject {
        title: title.into(),
        workflow,
        ontology: ontology(),
        datasets: Vec::new(),
    }
}

/// The twin's row, which has the same data unit, and what its tasks are.
fn around(tasks: &[(u128, u128)]) -> FurtherInputs {
    let row = |tasks_too| FurtherInput {
        row: WantedRow {
            project: ProjectHash(Uuid::from_u128(TWIN)),
            data: inputs(true).row.data,
            branch: MAIN.to_owned(),
            tasks: tasks_too,
        },
        labels: Ok(inputs(true).labels),
        tasks: Ok((tasks.iter())
            .map(|(task, at)| {
                (
                    TaskId(Uuid::from_u128(*task)),
                    StageId(Uuid::from_u128(*at)),
                )
            })
            .collect()),
    };
    FurtherInputs {
        own: Some(ProjectHash(Uuid::from_u128(OWN))),
        projects: [(OWN, "Own"), (TWIN, "Twin")]
            .map(|(n, title)| (ProjectHash(Uuid::from_u128(n)), Ok(project(title))))
            .into(),
        rows: vec![row(false), row(true)],
        datasets: [(
            (ProjectHash(Uuid::from_u128(OWN)), Some("Questions".into())),
            Ok(FurtherDataset {
                hash: DatasetHash(Uuid::from_u128(80)),
                title: "Questions".into(),
                folder: Some(FolderId(Uuid::from_u128(81))),
            }),
        )]
        .into(),
        folder: None,
    }
}

fn given(changes: &Value) -> Result<Outcome, Error> {
    answered(&json!({"route": "annotate", "changes": changes}))
}

fn answered(answer: &Value) -> Result<Outcome, Error> {
    let answer = answer.to_string();
    judge_as(
        None,
        &stage(),
        &ontology(),
        &inputs(true),
        &around(&[(70, 60)]),
        answer.as_bytes(),
    )
}

fn car() -> Value {
    json!([{"name": "Car", "boundingBox": {"x": 0.1, "y": 0.2, "w": 0.3, "h": 0.4}}])
}

#[test]
fn further_changes_are_looked_up_and_put_in_the_order_of_writing() {
    let outcome = given(&json!([
        {"kind": "move", "project": text(TWIN), "to": "Review"},
        {"kind": "priority", "project": text(TWIN), "priority": 0.75},
        {"kind": "labels", "project": text(TWIN), "add": car()},
        {"kind": "metadata", "item_uuid": text(80), "client_metadata": {"seen": 1}},
    ]))
    .unwrap();
    let phases: Vec<WritePhase> = outcome.further.iter().map(Further::phase).collect();
    assert_eq!(
        phases,
        [
            WritePhase::Labels,
            WritePhase::Values,
            WritePhase::Values,
            WritePhase::Moves
        ]
    );
    let lines: Vec<String> = outcome.patch.changes.iter().map(|c| c.headline()).collect();
    assert_eq!(
        lines,
        [
            "labels of \"t\" in Twin".to_owned(),
            "priority 0.75 of \"t\" in Twin".to_owned(),
            format!("metadata of {} in Own", text(80)),
            "\"t\" moves to \"Review\" in Twin".to_owned(),
        ]
    );
    let labels = &outcome.patch.changes[0].labels;
    assert_eq!(
        (labels.len(), labels[0].sign, &*labels[0].name),
        (1, '+', "Car")
    );
    let moved = &outcome.further[3].row().unwrap().change;
    assert_eq!(moved.task, TaskId(Uuid::from_u128(70)));
    assert_eq!(
        (moved.stage, moved.to),
        (
            StageId(Uuid::from_u128(60)),
            Some(StageId(Uuid::from_u128(61)))
        )
    );
}

#[test]
fn a_change_that_changes_nothing_is_left_out() {
    let outcome = given(&json!([
        {"kind": "move", "project": text(TWIN), "to": "Annotate"},
        {"kind": "labels", "project": text(TWIN), "labels": serde_json::from_str::<Value>(
            &inputs(true).labels.unwrap().json).unwrap()["labels"]},
    ]))
    .unwrap();
    assert!(outcome.further.is_empty() && outcome.patch.changes.is_empty());
}

#[test]
fn a_wrong_change_is_refused_by_its_number() {
    for (change, why) in [
        (json!({"kind": "label"}), "there is no such kind"),
        (json!({"kind": "labels"}), "it needs \"labels\""),
        (
            json!({"kind": "labels", "priority": 1, "add": car()}),
            "does not take \"priority\"",
        ),
        (
            json!({"kind": "labels", "add": car()}),
            "the task's own row",
        ),
        (
            json!({"kind": "priority", "priority": 0.5}),
            "the task's own row",
        ),
        (
            json!({"kind": "priority", "project": text(TWIN), "priority": 2}),
            "0 to 1",
        ),
        (
            json!({"kind": "move", "project": text(TWIN), "to": "Revue"}),
            "no stage \"Revue\"",
        ),
        (
            json!({"kind": "move", "project": text(TWIN), "task_uuid": text(71), "to": "Review"}),
            "there is no such task",
        ),
        (
            json!({"kind": "labels", "project": text(99), "add": car()}),
            "was not read",
        ),
    ] {
        let error =
            given(&json!([{"kind": "priority", "project": text(TWIN), "priority": 0}, change]))
                .unwrap_err();
        assert_eq!(error.kind, ErrorKind::Agent);
        assert!(
            error.summary.starts_with("change 2 of \"changes\"") && error.summary.contains(why),
            "{change}: {}",
            error.summary
        );
    }
    let twice = json!({"kind": "priority", "project": text(TWIN), "priority": 0.5});
    let error = given(&json!([twice, twice])).unwrap_err();
    assert!(error.summary.contains("changed twice"), "{}", error.summary);
    let many: Vec<Value> = (0..=MAX_FURTHER as u128)
        .map(|n| json!({"kind": "metadata", "item_uuid": text(n), "client_metadata": {}}))
        .collect();
    let error = given(&json!(many)).unwrap_err();
    assert!(error.summary.contains("at most 60"), "{}", error.summary);
}

#[test]
fn what_is_read_before_an_answer_is_judged_is_named_once() {
    let own = ProjectHash(Uuid::from_u128(OWN));
    let read = |answer: &Value| wanted(own, &inputs(true), answer.to_string().as_bytes());
    assert_eq!(read(&json!({"route": "changes"})), None);
    let change = json!({"kind": "labels", "project": text(TWIN), "add": car()});
    let wanted = read(&json!({"changes": [change, change,
        {"kind": "metadata", "item_uuid": text(80), "client_metadata": {}}]}))
    .unwrap();
    assert_eq!(wanted.projects, [own, ProjectHash(Uuid::from_u128(TWIN))]);
    assert_eq!(wanted.rows, [around(&[]).rows[0].row.clone()]);
}

#[test]
fn a_new_item_is_written_first_and_reads_with_its_text() {
    let outcome = given(&json!([
        {"kind": "issue", "comment": "unclear"},
        {"kind": "item", "title": "q.txt", "text": "Car\nor van?", "dataset": "Questions",
            "client_metadata": {"score": 0.25}},
    ]))
    .unwrap();
    let kinds: Vec<&str> = outcome.further.iter().map(Further::kind).collect();
    assert_eq!(kinds, ["item", "issue"]);
    let item = outcome.further[0].item().unwrap();
    assert_eq!(item.folder, FolderId(Uuid::from_u128(81)));
    assert!(item.mirrored && !item.delete);
    assert_eq!(item.metadata()["workbench_item"], item.key.to_string());
    assert_eq!(
        outcome.patch.lines()[..3],
        [
            "also new text item \"q.txt\" (11 bytes) in dataset Questions",
            "  \"Car or van?\"",
            "  {\"score\":0.25}",
        ]
    );
    let json = serde_json::to_value(&outcome.patch.changes[0]).unwrap();
    assert_eq!(json["kind"], "item");
    assert_eq!(json["item"]["text"], "Car\nor van?");
    let file = serde_json::to_string(&outcome.further[0]).unwrap();
    let read: Further = serde_json::from_str(&file).unwrap();
    assert_eq!(read, outcome.further[0]);
}

#[test]
fn items_of_other_folders_are_linked_and_wrong_ones_are_refused() {
    let item = |more: Value| {
        let mut item =
            json!({"kind": "item", "title": "q.txt", "text": "?", "dataset": "Questions"});
        let more = more.as_object().unwrap().clone();
        item.as_object_mut().unwrap().extend(more);
        item
    };
    let elsewhere = given(&json!([item(json!({"folder": text(90)}))])).unwrap();
    assert!(!elsewhere.further[0].item().unwrap().mirrored);
    let wrong = |changes: &Value| given(changes).unwrap_err().into_facts().summary;
    let twice = wrong(&json!([
        item(json!({})),
        item(json!({"client_metadata": {"n": 1}}))
    ]));
    assert!(twice.ends_with("it is changed twice"), "{twice}");
    let unit = wrong(&json!([item(json!({"data_hash": text(1)}))]));
    assert!(unit.ends_with("it does not take \"data_hash\""), "{unit}");
    let no_text = wrong(&json!([{"kind": "item", "title": "q.txt"}]));
    assert!(no_text.ends_with("it needs \"text\""), "{no_text}");
    let other = wrong(&json!([{"kind": "issue", "comment": "a", "folder": text(90)}]));
    assert!(other.ends_with("it does not take \"folder\""), "{other}");
}

#[test]
fn a_task_moves_to_any_stage_of_its_project() {
    let answer = json!({"stage": "Review"});
    let own = ProjectHash(Uuid::from_u128(OWN));
    let needed = wanted(own, &inputs(true), answer.to_string().as_bytes()).unwrap();
    assert_eq!((needed.projects, needed.rows), (vec![own], vec![]));
    let review = StageId(Uuid::from_u128(61));
    let by_uuid = answered(&json!({"stage": text(61)})).unwrap().way;
    let way = answered(&answer).unwrap().way;
    assert_eq!((way.to(), way.pathway()), (Some(review), None));
    assert_eq!((&*way.name(), &by_uuid), ("stage Review", &way));

    let outcome = answered(&json!({"stage": "Review", "priority": 0.25})).unwrap();
    let change = crate::run::item(&outcome, &inputs(true), stage().id).unwrap();
    assert_eq!(
        (change.to, change.pathway, change.direct),
        (Some(review), None, true)
    );

    let misspelt = answered(&json!({"stage": "Reviw"})).unwrap_err();
    assert_eq!(misspelt.hints, ["did you mean \"Review\"?"]);
    assert!(misspelt.unknown_name, "it may be new in the project");
    let both = answered(&json!({"stage": "Review", "route": "annotate"})).unwrap_err();
    assert!(both.summary.contains("give one of them"), "{both:?}");
}
