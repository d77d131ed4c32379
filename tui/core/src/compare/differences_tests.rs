//! Differences in words.

use super::*;
use crate::error::ErrorKind;
use crate::ids::{PathwayId, StageId};
use crate::work::{Patch, Route};
use serde_json::json;
use uuid::Uuid;

fn change(sign: char, name: &str, hash: &str, detail: &str) -> LabelChange {
    LabelChange {
        sign,
        name: name.into(),
        hash: hash.into(),
        detail: detail.into(),
        ..LabelChange::default()
    }
}

fn given(way: &str, patch: Patch) -> Outcome {
    let way = if way == "stay" {
        Route::Stay
    } else {
        Route::Pathway {
            id: PathwayId(Uuid::nil()),
            name: way.into(),
            to: StageId(Uuid::nil()),
        }
    };
    Outcome {
        way,
        patch,
        labels_after: None,
        further: Vec::new(),
        steps: vec![],
        unread: vec![],
    }
}

fn lines(a: &Outcome, b: &Outcome) -> Vec<String> {
    words_of(differences(Ok(a), Ok(b)))
}

fn words_of(all: Vec<Difference>) -> Vec<String> {
    all.into_iter()
        .map(|d| {
            let side = |s: Option<String>| s.unwrap_or_else(|| "none".into());
            format!(
                "{} {}: {} | {}",
                d.sign,
                d.what,
                side(d.before),
                side(d.after)
            )
        })
        .collect()
}

#[test]
fn added_labels_with_the_same_content_are_the_same_whatever_their_hash() {
    let a = Patch {
        labels: vec![
            change('+', "Car", "h1", "box 1"),
            change('+', "Car", "h2", "box 2"),
        ],
        ..Patch::default()
    };
    let b = Patch {
        labels: vec![
            change('+', "Car", "h9", "box 2"),
            change('+', "Car", "h8", "box 1"),
        ],
        ..Patch::default()
    };
    assert_eq!(lines(&given("next", a), &given("next", b)), [""; 0]);
}

#[test]
fn every_kind_of_difference_is_reported_once() {
    let a = Patch {
        labels: vec![
            change('+', "Car", "h1", "box 1"),
            change('+', "Car", "h2", "box 2"),
            change('+', "Bus", "h3", "box 7"),
            change('~', "Dog", "k1", "box 3 → box 4"),
            change('-', "Cat", "k2", ""),
        ],
        priority: Some((None, 0.5)),
        metadata: json!({"site": "a", "lux": 4}).as_object().cloned(),
        ..Patch::default()
    };
    let b = Patch {
        labels: vec![
            change('+', "Car", "g1", "box 1"),
            change('+', "Car", "g2", "box 5"),
            change('~', "Dog", "k1", "box 3 → box 6"),
            change('+', "Tree", "g3", "box 8"),
        ],
        priority: Some((None, 0.7)),
        metadata: json!({"site": "a", "lux": 5, "new": true})
            .as_object()
            .cloned(),
        ..Patch::default()
    };
    assert_eq!(
        lines(&given("next", a), &given("stay", b)),
        [
            "~ route: next | stay",
            "~ priority: 0.5 | 0.7",
            "~ metadata lux: 4 | 5",
            "+ metadata new: none | true",
            "~ Car: box 2 | box 5",
            "- Bus: box 7 | none",
            "~ Dog: ~ box 3 → box 4 | ~ box 3 → box 6",
            "- Cat: removed | none",
            "+ Tree: none | box 8",
        ]
    );
}

#[test]
fn two_labels_that_were_there_and_changed_alike_are_still_two() {
    let of = |hashes: &[&str]| Patch {
        labels: hashes
            .iter()
            .map(|h| change('-', "Cat", h, "box 1"))
            .collect(),
        ..Patch::default()
    };
    assert_eq!(
        lines(
            &given("next", of(&["k1", "k2"])),
            &given("next", of(&["k2"]))
        ),
        ["- Cat: removed box 1 | none"]
    );
}

#[test]
fn a_fault_against_an_outcome_is_one_difference_and_equal_faults_are_none() {
    let failed = |text: &str| Error::new(ErrorKind::Agent, text);
    let labels = vec![change('+', "Car", "h1", "box 1")];
    let good = given(
        "next",
        Patch {
            labels,
            ..Patch::default()
        },
    );
    assert_eq!(
        words_of(differences(Ok(&good), Err(&failed("panic")))),
        ["~ route: next | failed: panic"]
    );
    let same = differences(Err(&failed("panic")), Err(&failed("panic")));
    assert_eq!(words_of(same), [""; 0]);
}

#[test]
fn changes_of_other_rows_new_items_and_moves_are_compared_in_their_place() {
    let other = |kind: &str, title: &str| FurtherChange {
        kind: kind.into(),
        project_title: "Twin".into(),
        title: title.into(),
        ..FurtherChange::default()
    };
    let of = |changes: Vec<FurtherChange>| Patch {
        changes,
        ..Patch::default()
    };
    let priority = |new| FurtherChange {
        priority: Some((Some(0.1), new)),
        ..other("priority", "a.jpg")
    };
    let moved = |to: &str| FurtherChange {
        to: Some(to.into()),
        ..other("move", "b.jpg")
    };
    let labels = |detail: &str| FurtherChange {
        labels: vec![change('+', "Car", "h", detail)],
        ..other("labels", "a.jpg")
    };
    let a = of(vec![labels("box 1"), priority(0.5), moved("Review")]);
    let b = of(vec![
        labels("box 2"),
        priority(0.7),
        moved("Review"),
        moved("Done"),
    ]);
    assert_eq!(
        lines(&given("next", a.clone()), &given("next", b)),
        [
            "~ also labels of \"a.jpg\" in Twin: Car: box 1 | box 2",
            "~ also priority of \"a.jpg\" in Twin: 0.5 | 0.7",
            "+ also move of \"b.jpg\" in Twin: none | Done",
        ]
    );
    let none = of(vec![priority(0.5)]);
    assert_eq!(
        lines(&given("next", a), &given("next", none)),
        [
            "- also labels of \"a.jpg\" in Twin: labels | none",
            "- also move of \"b.jpg\" in Twin: Review | none",
        ]
    );
}
