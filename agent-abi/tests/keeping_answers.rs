//! Answers, ranges and labels by hash: what an agent does not change of them stays as it is.
#![allow(clippy::unwrap_used)] // a test may stop anywhere

#[path = "rows/drawn.rs"]
mod drawn;

use agent_abi::model::{HtmlRange, LabelRow};
use agent_abi::wire::{AddLabel, RowDoc};
use drawn::*;
use serde_json::{Value, json};

#[test]
fn another_answer_keeps_what_stands_beside_it() {
    let answer = |name: &str, hash: &str, answers: Value| {
        json!({"name": name, "value": "v", "featureHash": hash,
        "answers": answers, "manualAnnotation": false, "newField": [1], "createdBy": "ann@example.test"})
    };
    let option = |name: &str, hash: &str| json!({"name": name, "value": "v", "featureHash": hash, "newField": 5});
    let answers = json!([
        answer("Colour", "AttColor", json!([option("Red", "OptRed")])),
        answer("Extras", "AttExtra", json!([option("Roof", "OptRoof")]))
    ]);
    let entry =
        json!({"objectHash": "h", "classifications": answers, "objectNumber": 7, "newField": 1});
    let area = json!({"x": 0.1, "y": 0.1, "w": 0.1, "h": 0.1});
    let labels =
        json!({"objects": [drawn("bounding_box", "boundingBox", area)], "classifications": []});
    let mut row = row("IMAGE", labels, json!({"object_answers": {"h": entry}}));
    row.answer("h", "Colour", "Red").unwrap();
    row.answer("h", "Extras", ["Roof"]).unwrap();
    assert!(!row.changed(), "the same answers are not a change");

    row.answer("h", "Colour", "Blue").unwrap();
    row.answer("h", "Extras", ["Tow", "Roof"]).unwrap();
    let now = &row.labels()["object_answers"]["h"];
    assert_eq!(
        (&now["objectNumber"], &now["newField"]),
        (&json!(7), &json!(1))
    );
    for entry in now["classifications"].as_array().unwrap() {
        assert_eq!(
            (&entry["newField"], &entry["createdBy"]),
            (&json!([1]), &json!("ann@example.test"))
        );
    }
    assert_eq!(
        now["classifications"][0]["answers"][0]["featureHash"],
        "OptBlue"
    );
    assert_eq!(
        now["classifications"][1]["answers"][1],
        option("Roof", "OptRoof")
    );
    assert_eq!(now["classifications"][1]["answers"][0]["name"], "Tow");
}

#[test]
fn another_dynamic_answer_keeps_what_stands_beside_it() {
    let action = |speed: Value, range: Value| {
        json!({"name": "Speed", "value": "speed", "featureHash": "AttSpeed",
        "answers": speed, "manualAnnotation": false, "dynamic": true, "range": range, "shouldPropagate": true, "newField": 1})
    };
    let area = json!({"x": 0.1, "y": 0.1, "w": 0.1, "h": 0.1});
    for second in [None, Some(action(json!(9), json!([[2, 3]])))] {
        let frame = json!({"objects": [drawn("bounding_box", "boundingBox", area.clone())], "classifications": []});
        let mut actions = vec![action(json!(30), json!([[0, 9]]))];
        let tangled = second.is_some();
        actions.extend(second);
        let section = json!({"h": {"objectHash": "h", "actions": actions, "newField": 2}});
        let mut row = row(
            "VIDEO",
            json!({"0": frame}),
            json!({"object_actions": section}),
        );
        row.answer_on("h", "Speed", 30, 5, 6).unwrap();
        assert!(!row.changed(), "the same number is not a change");
        row.answer_on("h", "Speed", 50, 4, 6).unwrap();
        row.answer_on("h", "Speed", 60, 4, 6).unwrap();
        let entry = &row.labels()["object_actions"]["h"];
        assert_eq!(entry["newField"], 2);
        let actions = entry["actions"].as_array().unwrap();
        assert_eq!(actions.len(), if tangled { 3 } else { 2 });
        for action in actions {
            assert_eq!(
                (&action["newField"], &action["shouldPropagate"]),
                (&json!(1), &json!(true))
            );
        }
        assert_eq!(
            row.object("h").unwrap().answer_on("Speed", 5),
            Some(60.into())
        );
    }
}

#[test]
fn another_answer_to_a_classification_keeps_who_gave_the_first() {
    let entry = json!({
        "classificationHash": "c", "featureHash": "ClsSky", "range": [[0, 0]], "spaces": {"s": {"range": []}},
        "classifications": [{"name": "Sky", "value": "sky", "featureHash": "AttSky", "answers": "grey", "newField": 1}],
        "createdBy": "ann@example.test", "createdAt": "Mon, 01 Jun 2026 10:00:00 UTC", "confidence": 0.25,
        "lastEditedBy": "ben@example.test", "lastEditedAt": "Tue, 02 Jun 2026 10:00:00 UTC",
        "manualAnnotation": false, "reviews": [1], "newField": 2,
    });
    let sections = json!({"classification_answers": {"c": entry}});
    let row = row(
        "IMAGE",
        json!({"objects": [], "classifications": []}),
        sections,
    );
    let kept = but(
        entry,
        json!({"classifications": [
        {"name": "Sky", "value": "sky", "featureHash": "AttSky", "answers": "blue", "newField": 1, "manualAnnotation": true}]}),
    );
    let by_title = |mut row: LabelRow| {
        row.classify("Sky", "blue").unwrap();
        row
    };
    let by_hash = |mut row: LabelRow| {
        row.answer("c", "Sky", "blue").unwrap();
        row
    };
    let by_name = |mut row: LabelRow| {
        row.apply(&serde_json::from_value(json!({"name": "Sky", "answer": "blue"})).unwrap())
            .unwrap();
        row
    };
    let by_both = |mut row: LabelRow| {
        row.apply(&serde_json::from_value(json!({"hash": "c", "answer": "blue"})).unwrap())
            .unwrap();
        row
    };
    for row in [
        by_title(row.clone()),
        by_hash(row.clone()),
        by_name(row.clone()),
        by_both(row.clone()),
    ] {
        assert_eq!(row.labels()["classification_answers"]["c"], kept);
    }
    let mut row = row;
    let sure: AddLabel =
        serde_json::from_value(json!({"name": "Sky", "answer": "grey", "confidence": 0.5}))
            .unwrap();
    row.apply(&sure).unwrap();
    let now = &row.labels()["classification_answers"]["c"];
    assert_eq!(
        (&now["confidence"], &now["createdBy"]),
        (&json!(0.5), &json!("ann@example.test"))
    );
}

#[test]
fn more_ranges_keep_who_made_the_first() {
    let entry = |more: Value| {
        let mut entry = drawn("audio", "range", json!([[0, 10]]));
        for (key, value) in more.as_object().unwrap() {
            entry[key] = value.clone();
        }
        entry["classifications"] = json!([]);
        entry
    };
    let sound = entry(json!({}));
    let mut audio = row("AUDIO", json!({}), json!({"object_answers": {"h": sound}}));
    let kinds = audio.ontology();
    let kind = kinds.object("audio").unwrap();
    audio.add_to("h", &kind.range(20, 30).unwrap()).unwrap();
    let now = &audio.labels()["object_answers"]["h"];
    assert_eq!(*now, but(sound, json!({"range": [[0, 10], [20, 30]]})));

    let place = |offset: u64| json!({"xpath": "/p", "offset": offset, "newField": 1});
    let stretch = json!([{"start": place(0), "end": place(3), "newField": 2}]);
    let word = entry(
        json!({"featureHash": "kind-text", "shape": "text", "range": [], "range_html": stretch}),
    );
    let mut page = row(
        "PLAIN_TEXT",
        json!({}),
        json!({"object_answers": {"h": word}}),
    );
    let mut doc = RowDoc {
        metadata: page.metadata().clone(),
        labels: page.into_labels(),
    };
    doc.metadata["file_type"] = json!("text/html");
    page = LabelRow::from_doc(doc, kinds.clone());
    let more = kinds
        .object("text")
        .unwrap()
        .html_range(HtmlRange::new(("/p", 5), ("/p", 6)))
        .unwrap();
    page.add_to("h", &more).unwrap();
    let now = &page.labels()["object_answers"]["h"];
    assert_eq!(
        (
            &now["range_html"][0],
            now["range_html"].as_array().unwrap().len()
        ),
        (&stretch[0], 2)
    );
    assert_eq!(
        (&now["createdBy"], &now["manualAnnotation"]),
        (&json!("ann@example.test"), &json!(false))
    );
}

#[test]
fn labels_by_name_move_what_is_there_by_its_hash() {
    let area = json!({"x": 0.1, "y": 0.1, "w": 0.1, "h": 0.1});
    let row = image("bounding_box", "boundingBox", area);
    let apply = |add: Value| {
        let mut row = row.clone();
        let hash = row
            .apply(&serde_json::from_value(add).unwrap())
            .map_err(|e| e.to_string())?;
        assert_eq!(hash, "h");
        Ok(first(&row))
    };
    let moved = json!({"x": 0.5, "y": 0.5, "w": 0.25, "h": 0.25});
    let found = but(first(&row), json!({"boundingBox": moved}));
    for name in [json!("bounding_box"), json!("kind-bounding_box"), json!("")] {
        assert_eq!(
            apply(json!({"hash": "h", "name": name, "boundingBox": moved})),
            Ok(found.clone())
        );
    }
    let sure = but(found.clone(), json!({"confidence": 1.0}));
    assert_eq!(
        apply(json!({"hash": "h", "boundingBox": moved, "confidence": 1.000_000_1})),
        Ok(sure)
    );
    let refused: [(Value, &str); 4] = [
        (
            json!({"hash": "x", "boundingBox": moved}),
            "no object or classification with the hash x",
        ),
        (
            json!({"hash": "h", "name": "polygon", "boundingBox": moved}),
            "the object h is a \"bounding_box\"",
        ),
        (json!({"hash": "h", "answer": "x"}), "one shape"),
        (
            json!({"hash": "h", "point": [0.5, 0.5]}),
            "is a bounding_box in the ontology",
        ),
    ];
    for (add, why) in refused {
        let error: Result<Value, String> = apply(add);
        assert!(error.clone().unwrap_err().contains(why), "{error:?}");
    }
}
