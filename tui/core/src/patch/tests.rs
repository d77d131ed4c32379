//! Outcomes judged.

use super::*;
use crate::ids::{DataHash, Millis, PathwayId, StageId, TaskId};
use crate::work::{RowInput, TaskRow, TaskStatus};
use crate::workflow::{Pathway, StageKind};
use serde_json::json;
use uuid::Uuid;

pub(super) fn stage() -> Stage {
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

pub(super) fn ontology() -> Arc<Ontology> {
    let editor = json!({"objects": [{"id": "1", "name": "Car", "color": "#D33115",
        "shape": "bounding_box", "featureNodeHash": "CarBox01"}], "classifications": []});
    Arc::new(Ontology::from_editor(&editor).unwrap())
}

pub(crate) fn inputs(labels: bool) -> Inputs {
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

fn given(answer: &Value, labels: bool) -> Result<Outcome, Error> {
    judge(
        &stage(),
        &ontology(),
        &inputs(labels),
        answer.to_string().as_bytes(),
    )
}

#[test]
fn a_wrong_pathway_is_answered_with_the_right_ones() {
    let error = given(&json!({"route": "anotate"}), false).unwrap_err();
    assert!(error.summary.contains("there are: annotate") && !error.retry);
    assert_eq!(error.hints, ["did the agent mean \"annotate\"?"]);
}

#[test]
fn a_pathway_is_found_by_uuid_too_and_nothing_means_stay() {
    let uuid = Uuid::from_u128(5).to_string();
    assert!(matches!(
        given(&json!({"route": uuid}), false).unwrap().way,
        Route::Pathway { .. }
    ));
    assert_eq!(given(&json!({}), false).unwrap().way, Route::Stay);
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
fn keys_that_nothing_reads_come_with_the_outcome() {
    let outcome = text(r#"{"route": "annotate", "prioriti": 1}"#).unwrap();
    assert_eq!(
        outcome.unread,
        ["\"prioriti\" (did you mean \"priority\"?)"]
    );
    let whole = r#"{"route": "annotate", "priority": 1, "add": [], "steps": []}"#;
    assert_eq!(text(whole).unwrap().unread, [""; 0]);
}

#[test]
fn an_answer_that_is_not_an_outcome_is_an_error_of_the_agent() {
    let error = judge(&stage(), &ontology(), &inputs(false), b"complete").unwrap_err();
    assert_eq!(error.kind, ErrorKind::Agent);
}

fn text(answer: &str) -> Result<Outcome, Error> {
    judge(&stage(), &ontology(), &inputs(true), answer.as_bytes())
}

/// The row with something more in it.
fn with(labels: &str) -> Inputs {
    let mut inputs = inputs(true);
    let row = inputs.labels.as_mut().unwrap();
    row.json = format!(r#"{{"metadata": {{"data_type": "IMAGE", "client_metadata": {{"n": 1.10, "big": 18446744073709551617}}}}, "labels": {labels}}}"#).into();
    inputs
}

#[test]
fn an_answer_that_is_not_an_object_or_has_nothing_known_is_refused() {
    for (answer, why) in [
        ("[]", "not a JSON object"),
        (r#"["annotate", 0.5]"#, "not a JSON object"),
        ("7", "not a JSON object"),
        ("null", "not a JSON object"),
        (r#""annotate""#, "not a JSON object"),
        ("complete", "expected value"),
        ("", "EOF"),
        (r#"{"rout": "annotate"}"#, "none of the names"),
        (r#"{"data_units": "boo"}"#, "none of the names"),
        (r#"{"delete": ["h"], "zzz": 1}"#, "none of the names"),
        (
            r#"{"remove": ["h"]}"#,
            "changes of labels are refused: there is no object or classification with the hash h",
        ),
        (
            r#"{"route": "annotate", "answer": [7]}"#,
            "label 1 of \"answer\" is not a JSON object",
        ),
        (
            r#"{"route": "annotate", "route": "annotate"}"#,
            "duplicate field",
        ),
        (r#"{"route": 7}"#, "invalid type"),
        (r#"{"client_metadata": [1]}"#, "invalid type"),
        (r#"{"add": {"name": "Car"}}"#, "invalid type"),
        (
            r#"{"add": [["Car", null, 0]]}"#,
            "label 1 of \"add\" is not a JSON object",
        ),
        (
            r#"{"priority": 1e400}"#,
            "a priority is 0 to 1, not 1.7976931348623157e308",
        ),
        (r#"{"priority": NaN}"#, "expected value"),
        (
            r#"{"priority": 1.01}"#,
            "a priority is 0 to 1, not 1.01 (0.01 beyond)",
        ),
        (r#"{"priority": -0.5}"#, "(0.5 beyond)"),
    ] {
        let error = text(answer).unwrap_err();
        assert_eq!((error.kind, error.retry), (ErrorKind::Agent, false));
        assert!(error.summary.contains(why), "{answer}: {}", error.summary);
    }
    let error = text(r#"{"rout": "annotate"}"#).unwrap_err();
    let near = "did the agent mean \"route\"?".to_owned();
    assert!(error.hints.contains(&near), "{:?}", error.hints);
    for answer in [
        "{}",
        " {\n}",
        r#"{"route": null}"#,
        r#"{"steps": []}"#,
        r#"{"route": "annotate", "new": 1}"#,
    ] {
        assert!(text(answer).is_ok(), "{answer}");
    }
}

#[test]
fn numbers_that_rounding_puts_beyond_the_edge_are_taken_back() {
    let outcome = text(r#"{"priority": 1.0000001}"#).unwrap();
    assert_eq!(outcome.patch.priority, Some((Some(0.5), 1.0)));
    let outcome = text(r#"{"priority": -0.00000003}"#).unwrap();
    assert_eq!(outcome.patch.priority, Some((Some(0.5), 0.0)));
    for label in [
        r#""boundingBox": {"x": 0.5, "y": 0.5, "w": 0.50000006, "h": 0.1}"#,
        r#""boundingBox": {"x": -0.00000003, "y": 0.5, "w": 0.2, "h": 0.1}"#,
        r#""confidence": 1.0000001, "boundingBox": {"x": 0.5, "y": 0.5, "w": 0.1, "h": 0.1}"#,
    ] {
        let answer = format!(r#"{{"add": [{{"name": "Car", {label}}}]}}"#);
        let after = text(&answer).unwrap().labels_after.unwrap().read();
        let object = &after["data_units"]["u"]["labels"]["objects"][0];
        let number = |path: &str| object.pointer(path).and_then(Value::as_f64).unwrap();
        assert!(number("/boundingBox/x") >= 0.0 && number("/confidence") <= 1.0);
        assert!(number("/boundingBox/x") + number("/boundingBox/w") <= 1.0);
    }
    let far =
        r#"{"add": [{"name": "Car", "boundingBox": {"x": 0.5, "y": 0.5, "w": 0.6, "h": 0.1}}]}"#;
    let error = text(far).unwrap_err();
    assert!(
        error.summary.contains("0.1 beyond the right edge") && error.summary.contains("clamped")
    );
}

#[test]
fn labels_that_are_not_a_whole_row_are_refused_before_they_are_an_outcome() {
    for (labels, why) in [
        ("{}", "not a whole label row"),
        ("[]", "not a whole label row"),
        (r#""boo""#, "not a whole label row"),
        (r#"{"data_units": "boo"}"#, "not a whole label row"),
        (r#"{"data_units": {}}"#, "the data unit u is missing"),
        (
            r#"{"data_units": {"u": {"labels": {}}, "v": {"labels": {}}}}"#,
            "none of that hash",
        ),
        (
            r#"{"data_units": {"u": {"labels": {"objects": [{"objectHash": "h"}]}}}, "object_answers": {}}"#,
            "no entry in",
        ),
        (
            r#"{"data_hash": "other", "data_units": {"u": {"labels": {}}}}"#,
            "of another row",
        ),
    ] {
        let answer = format!(r#"{{"route": "annotate", "labels": {labels}}}"#);
        let error = text(&answer).unwrap_err();
        assert_eq!((error.kind, error.retry), (ErrorKind::Agent, false));
        assert!(error.summary.contains(why), "{labels}: {}", error.summary);
    }
    assert!(text(r#"{"route": "annotate", "labels": null}"#).is_ok());
}

#[test]
fn an_agent_that_reads_numbers_as_f64_gives_their_digits_back() {
    let note = r#"[18446744073709551616, 1.10, 0.1000000000000000055, -0.0, 1e+400]"#;
    let unit = |labels: &str, note: &str| {
        format!(
            r#"{{"data_units": {{"u": {{"labels": {{"objects": {labels}, "classifications": []}}, "note": {note}}}}},
        "object_answers": {{"h": {{"n": {note}}}}}, "object_actions": {{}}, "classification_answers": {{}}}}"#
        )
    };
    let object = |x: &str, note: &str| {
        format!(
            r#"[{{"objectHash": "h", "featureHash": "CarBox01", "name": "Car", "shape": "bounding_box", "new": {note},
        "boundingBox": {{"x": {x}, "y": 0.1, "w": 0.10, "h": 0.1}}}}]"#
        )
    };
    let inputs = with(&unit(&object("0.10", note), note));
    let lossy = "[1.8446744073709552e19, 1.1, 0.1, 0.0, 1.7976931348623157e308]";
    let given = unit(&object("0.2", lossy), lossy);
    let answer = format!(
        r#"{{"labels": {given}, "client_metadata": {{"n": 1.1, "big": 1.8446744073709552e19, "own": 2.5}}}}"#
    );
    let outcome = judge(&stage(), &ontology(), &inputs, answer.as_bytes()).unwrap();
    assert_eq!(outcome.patch.counts(), (0, 1, 0));
    let wanted: Value = serde_json::from_str(&unit(&object("0.2", note), note)).unwrap();
    let mut wanted = wanted.to_string();
    wanted = wanted.replace(r#""w":0.1,"#, r#""w":0.10,"#);
    assert_eq!(outcome.labels_after.unwrap().read().to_string(), wanted);
    let metadata = Value::Object(outcome.patch.metadata.unwrap()).to_string();
    assert_eq!(
        metadata,
        r#"{"big":18446744073709551617,"n":1.10,"own":2.5}"#
    );

    // Nothing but digits: nothing to write.
    let answer = format!(r#"{{"labels": {}}}"#, unit(&object("0.1", lossy), lossy));
    let outcome = judge(&stage(), &ontology(), &inputs, answer.as_bytes()).unwrap();
    assert_eq!(
        (outcome.patch.counts(), outcome.labels_after),
        ((0, 0, 0), None)
    );
}

#[test]
fn what_cannot_be_read_is_a_fault_and_not_empty() {
    let deep = format!("{}{}", "[".repeat(200), "]".repeat(200));
    let broken = with(&format!(r#"{{"data_units": {{}}, "deep": {deep}}}"#));
    let add = br#"{"add": [{"name": "Car", "boundingBox": {"x": 0, "y": 0, "w": 1, "h": 1}}]}"#;
    let error = judge(&stage(), &ontology(), &broken, add).unwrap_err();
    assert!(
        error.kind == ErrorKind::Upstream && error.summary.contains("cannot be read"),
        "{error}"
    );

    let mut inputs = inputs(true);
    inputs.item_json = Some(r#"{"clientMetadata": "{\"a\": NaN}"}"#.into());
    let set = br#"{"client_metadata": {"a": 1}}"#;
    let error = judge(&stage(), &ontology(), &inputs, set).unwrap_err();
    assert!(error.summary.contains("client metadata"), "{error}");
    assert!(judge(&stage(), &ontology(), &inputs, b"{\"route\": \"annotate\"}").is_ok());
}

#[test]
fn labels_on_a_part_of_a_group_are_a_change() {
    let blob = |labels: &str| {
        format!(
            r#"{{"data_units": {{"u": {{"labels": {{}}}}}}, "spaces": {{"s": {{"labels": {labels}}}}}, "object_answers": {{"h": {{}}}}}}"#
        )
    };
    let inputs = with(&blob("{}"));
    let answer = |labels: &str| format!(r#"{{"labels": {}}}"#, blob(labels));
    let objects = answer(r#"{"objects": [{"objectHash": "h"}]}"#);
    let outcome = judge(&stage(), &ontology(), &inputs, objects.as_bytes()).unwrap();
    assert_eq!(outcome.patch.counts(), (1, 0, 0));
    assert!(outcome.labels_after.is_some());
    let other = answer(r#"{"classifications": [{"classificationHash": "h"}]}"#);
    let outcome = judge(&stage(), &ontology(), &inputs, other.as_bytes()).unwrap();
    assert_eq!(outcome.patch.counts(), (0, 1, 0));
    let same = judge(&stage(), &ontology(), &inputs, answer("{}").as_bytes()).unwrap();
    assert_eq!(same.labels_after, None);
}

#[test]
fn half_a_surrogate_pair_of_an_agent_can_be_read() {
    let outcome = text(r#"{"client_metadata": {"note": "x\ud83d"}}"#).unwrap();
    assert_eq!(outcome.patch.metadata.unwrap()["note"], "x\u{10D83D}");
}
