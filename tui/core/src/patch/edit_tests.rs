//! Outcomes that a person edits.

use super::super::tests::{inputs, ontology, stage};
use super::super::{judge, label_text};
use super::*;
use serde_json::json;

/// An outcome that adds a car and goes to be annotated.
fn car() -> Outcome {
    let car = json!({"name": "Car", "boundingBox": {"x": 0.1, "y": 0.2, "w": 0.3, "h": 0.4}});
    let answer = json!({"route": "annotate", "add": [car]}).to_string();
    judge(&stage(), &ontology(), &inputs(true), answer.as_bytes()).unwrap()
}

fn edit(outcome: &Outcome, edit: OutcomeEdit) -> Result<Outcome, Error> {
    let task = EditTask {
        stage: stage().id,
        inputs: Arc::new(inputs(true)),
        outcome: Arc::new(outcome.clone()),
        edit,
    };
    edited(&ontology(), &stage(), &task)
}

#[test]
fn a_route_is_one_of_the_stage_and_a_priority_is_a_share() {
    let stays = edit(&car(), OutcomeEdit::Route(None)).unwrap();
    assert_eq!(stays.way, Route::Stay);
    assert_eq!(stays.patch.edited, ["route"]);
    let route = Some("annotate".to_owned());
    let same = edit(&car(), OutcomeEdit::Route(route.clone())).unwrap();
    assert_eq!(same, car_like(&same));
    let back = edit(&stays, OutcomeEdit::Route(route)).unwrap();
    assert!(matches!(&back.way, Route::Pathway { name, .. } if name == "annotate"));
    let error = edit(&car(), OutcomeEdit::Route(Some("anotate".into()))).unwrap_err();
    assert!(error.summary.contains("there are: annotate"), "{error:?}");
    let first = edit(&car(), OutcomeEdit::Priority(Some(0.9))).unwrap();
    assert_eq!(first.patch.priority, Some((Some(0.5), 0.9)));
    let error = edit(&car(), OutcomeEdit::Priority(Some(7.0))).unwrap_err();
    assert!(
        error
            .summary
            .contains("the edit of \"priority\" is refused"),
        "{error:?}"
    );
}

/// Hashes of added labels differ from run to run.
fn car_like(other: &Outcome) -> Outcome {
    assert!(other.patch.edited.is_empty());
    other.clone()
}

#[test]
fn a_label_is_moved_as_json_and_the_ontology_and_the_picture_bound_it() {
    let outcome = car();
    let label = &outcome.patch.labels[0];
    let text = label_text::text(label).unwrap();
    let doc: Value = serde_json::from_str(&text).unwrap();
    let expected = json!({"frame": 0, "boundingBox": {"x": 0.1, "y": 0.2, "w": 0.3, "h": 0.4}, "attributes": {}});
    assert_eq!(doc, expected);
    let typed = |text: String| edit(&outcome, OutcomeEdit::Label(label.hash.clone(), text));
    let same = typed(text.clone()).unwrap();
    assert_eq!(same, outcome);
    let moved = typed(text.replace("0.1", "0.5")).unwrap();
    let after = moved.labels_after.as_ref().unwrap().read();
    let object = &after["data_units"]["u"]["labels"]["objects"][0];
    assert_eq!(object["boundingBox"]["x"], 0.5);
    assert_eq!(object["objectHash"], label.hash.as_str());
    assert!(
        moved.patch.labels[0].detail.contains("50 %"),
        "{:?}",
        moved.patch.labels
    );
    let name = format!("label Car #{}", label.hash);
    assert_eq!(moved.patch.edited, [name]);
    for (wrong, why) in [
        (text.replace("0.3", "3.3"), "refused"),
        (
            text.replace("frame", "frme"),
            "\"frme\" is not known; there are",
        ),
        (
            text.replace("\"attributes\": {}", "\"attributes\": {\"Colour\": 1}"),
            "Colour",
        ),
        ("[1,".to_owned(), "line 1"),
    ] {
        let error = typed(wrong).unwrap_err();
        assert!(error.summary.contains(why), "{error:?}");
    }
}

#[test]
fn a_label_that_is_removed_is_neither_shown_nor_written() {
    let outcome = car();
    let hash = outcome.patch.labels[0].hash.clone();
    let none = edit(&outcome, OutcomeEdit::RemoveLabel(hash.clone())).unwrap();
    assert_eq!((none.patch.labels.len(), &none.labels_after), (0, &None));
    assert_eq!(none.patch.edited, [format!("label Car #{hash} removed")]);
    let error = edit(&none, OutcomeEdit::RemoveLabel(hash)).unwrap_err();
    assert!(error.summary.contains("no label"), "{error:?}");
}
