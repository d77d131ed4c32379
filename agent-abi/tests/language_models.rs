//! Schemas for language models, and their answers: the form of encord-agents' `OntologyDataModel`, whose own schema
//! and answers of the same ontology stand here.
#![allow(clippy::unwrap_used)] // a test may stop anywhere

use agent_abi::model::{Ontology, Picture};
use agent_abi::prelude::*;
use agent_abi::testing::{ontology_of, task};

fn option(label: &str, value: &str, hash: &str, attributes: Value) -> Value {
    json!({"id": hash, "label": label, "value": value, "featureNodeHash": hash, "options": attributes})
}

fn attribute(name: &str, kind: &str, hash: &str, options: Value) -> Value {
    json!({"id": hash, "name": name, "type": kind, "featureNodeHash": hash, "required": false, "options": options})
}

fn editor() -> Value {
    let signs = json!([
        option("Wet Road", "wet_road", "opt00013", json!([])),
        option("Umbrellas", "umbrellas", "opt00014", json!([])),
    ]);
    let rainy = json!([
        attribute("How much", "text", "att00012", json!([])),
        attribute("Signs", "checklist", "att00013", signs),
    ]);
    let weather = json!([
        option("Rainy", "rainy", "opt00011", rainy),
        option("Sunny!", "sunny!", "opt00012", json!([])),
    ]);
    let light = json!([
        option("Dim", "dim", "opt00021", json!([])),
        option("Very bright", "very_bright", "opt00022", json!([])),
    ]);
    let colour = json!([
        option("Red", "red", "opt00001", json!([])),
        option("Blue", "blue", "opt00002", json!([])),
    ]);
    let mut speed = attribute("Speed", "numeric", "att00002", json!([]));
    speed["dynamic"] = json!(true);
    let object = |name: &str, hash: &str, attributes: Value| json!({"id": hash, "name": name, "color": "#D33115", "shape": "bounding_box", "featureNodeHash": hash, "attributes": attributes});
    let class = |hash: &str, attribute: Value| json!({"id": hash, "featureNodeHash": hash, "attributes": [attribute]});
    json!({
        "objects": [
            object("Car", "obj00001", json!([attribute("Colour", "radio", "att00001", colour), speed])),
            object("Bus", "obj00002", json!([])),
            object("Bike lane", "obj00003", json!([])),
        ],
        "classifications": [
            class("cls00001", attribute("Weather, now?", "radio", "att00011", weather)),
            class("cls00002", attribute("Light", "radio", "att00021", light)),
            class("cls00003", attribute("Note", "text", "att00031", json!([]))),
        ],
    })
}

fn model() -> Ontology {
    Ontology::from_editor(&editor()).unwrap()
}

fn row() -> LabelRow {
    #[stage("s")]
    fn nothing() -> Route {
        Route::stay()
    }
    let clip = vec![Picture::filled(8, 8, [0; 3]); 4];
    let task = task("a.mp4").video(clip).ontology(ontology_of(&editor()));
    task.run::<nothing>().labels()
}

/// The answer that `OntologyDataModel` takes, its parts in another order than they are asked for.
fn answer() -> Value {
    json!({
        "note": {"value": "a street", "feature_node_hash": "att00031"},
        "weather_now": {
            "choice": {
                "signs": {"wet_road": true, "umbrellas": false, "feature_node_hash": "att00013"},
                "how_much": {"feature_node_hash": "att00012", "value": "3 mm"},
                "feature_node_hash": "opt00011",
            },
            "feature_node_hash": "att00011",
        },
        "light": {"feature_node_hash": "att00021", "choice": "Very bright"},
    })
}

/// What a schema asks for: keys, constants, options.
fn asked(schema: &Value) -> Value {
    if let Some(properties) = schema["properties"].as_object() {
        return properties
            .iter()
            .map(|(key, s)| (key.clone(), asked(s)))
            .collect();
    }
    if let Some(any) = schema["anyOf"].as_array() {
        return json!({"anyOf": any.iter().map(asked).collect::<Vec<_>>()});
    }
    let mut keys = ["const", "enum", "type"].iter();
    keys.find_map(|key| schema.get(*key)).unwrap().clone()
}

/// Structured outputs take objects only with all properties required and no others.
fn is_strict(schema: &Value) -> bool {
    let keys = |value: &Value| -> Vec<String> {
        let map = value.as_object().unwrap();
        map.keys().cloned().collect()
    };
    let below = |list: &Value| list.as_array().into_iter().flatten().all(is_strict);
    match schema.get("properties") {
        None => below(&schema["anyOf"]),
        Some(properties) => {
            let mut required: Vec<String> =
                serde_json::from_value(schema["required"].clone()).unwrap();
            let mut all = keys(properties);
            required.sort();
            all.sort();
            required == all
                && schema["additionalProperties"] == false
                && properties.as_object().unwrap().values().all(is_strict)
        }
    }
}

#[test]
fn a_schema_asks_for_what_the_python_package_asks_for() {
    // `OntologyDataModel(classifications).model_json_schema`, with its references resolved.
    let python = json!({
        "weather_now": {
            "feature_node_hash": "att00011",
            "choice": {"anyOf": [
                {
                    "feature_node_hash": "opt00011",
                    "how_much": {"feature_node_hash": "att00012", "value": "string"},
                    "signs": {"feature_node_hash": "att00013", "wet_road": "boolean", "umbrellas": "boolean"},
                },
                {"feature_node_hash": "opt00012", "title": "Sunny"},
            ]},
        },
        "light": {"feature_node_hash": "att00021", "choice": ["Dim", "Very bright"]},
        "note": {"feature_node_hash": "att00031", "value": "string"},
    });
    let ontology = model();
    let schema = ontology.json_schema();
    assert_eq!(asked(&schema), python);
    assert!(is_strict(&schema), "{schema}");
    let one = ontology.classification("Light").unwrap().json_schema();
    assert_eq!(asked(&one), json!({"light": python["light"]}));
    let car = ontology.object("Car").unwrap().json_schema();
    let colour = json!({"feature_node_hash": "att00001", "choice": ["Red", "Blue"]});
    let speed = json!({"feature_node_hash": "att00002", "value": "number"});
    let wanted =
        json!({"choice": {"feature_node_hash": "obj00001", "colour": colour, "speed": speed}});
    assert_eq!(asked(&car), wanted);
    let flat = ontology.objects_json_schema(&["Bus", "Bike lane"]).unwrap();
    assert_eq!(asked(&flat), json!({"choice": ["Bus", "Bike lane"]}));
    let several = ontology.objects_json_schema(&["Car", "Bus"]).unwrap();
    assert!(is_strict(&car) && is_strict(&flat) && is_strict(&several));
    assert!(ontology.objects_json_schema(&["Tram"]).is_err());
}

#[test]
fn answers_in_any_order_become_classifications() {
    let mut row = row();
    let hashes = row.add_json_all(&answer()).unwrap();
    assert_eq!(hashes.len(), 3);
    let check = |row: &LabelRow| {
        let weather = row.classification("Weather, now?").unwrap();
        assert_eq!(weather.answer(), Some("Rainy".into()));
        assert_eq!(weather.nested("How much"), Some("3 mm".into()));
        assert_eq!(weather.nested("Signs"), Some(["Wet Road"].into()));
        assert_eq!(weather.ranges(), [(0, 3)]);
    };
    check(&row);
    assert_eq!(
        row.classification("Light").unwrap().answer(),
        Some("Very bright".into())
    );
    assert_eq!(
        row.classification("Note").unwrap().answer(),
        Some("a street".into())
    );
    assert!(row.problems().is_empty());
    // The same answer again is not a change; another one takes its place.
    let before = row.labels().clone();
    row.add_json_all(&answer()).unwrap();
    assert_eq!(*row.labels(), before);
    let ontology = row.ontology();
    let weather = ontology.classification("Weather, now?").unwrap();
    let sunny = json!({"weather_now": {"feature_node_hash": "att00011", "choice": {"feature_node_hash": "opt00012", "title": "Sunny"}}});
    row.add_json(weather, &sunny).unwrap();
    assert_eq!(
        row.classification("Weather, now?").unwrap().answer(),
        Some("Sunny!".into())
    );
    // A kind takes its own part of an answer to all.
    row.add_json(weather, &answer()).unwrap();
    check(&row);
    row.add_json(weather, &answer()["weather_now"]).unwrap();
    check(&row);
    assert_eq!(row.classifications().len(), 3);
    // Plain answers, too.
    let plain = json!({"Light": "Dim", "weather_now": {"choice": {"title": "Rainy", "signs": ["Umbrellas"]}}});
    row.add_json_all(&plain).unwrap();
    let weather = row.classification("Weather, now?").unwrap();
    assert_eq!(weather.nested("Signs"), Some(["Umbrellas"].into()));
    assert_eq!(weather.nested("How much"), None);
}

#[test]
fn an_answer_that_cannot_be_read_is_refused_whole() {
    let refused = |change: &dyn Fn(&mut Value)| {
        let mut row = row();
        let mut answer = answer();
        change(&mut answer);
        let error = row.add_json_all(&answer).unwrap_err().to_string();
        assert!(!row.changed(), "{error}");
        error
    };
    let text = refused(&|a| a["light"]["choice"] = json!("Very brite"));
    assert!(
        text.contains("not an option of \"Light\". Did you mean \"Very bright\"?"),
        "{text}"
    );
    let text = refused(&|a| a["note"]["value"] = json!(3));
    assert!(text.contains("\"Note\" takes a text"), "{text}");
    let text = refused(&|a| a["note"]["feature_node_hash"] = json!("att00099"));
    assert!(text.contains("att00099, not att00031"), "{text}");
    let text = refused(&|a| {
        let choice = a["weather_now"]["choice"].as_object_mut().unwrap();
        choice.remove("how_much");
        choice.insert("how_mutch".to_owned(), json!({"value": "3 mm"}));
    });
    assert!(
        text.contains("\"how_mutch\" in the answer") && text.contains("\"how_much\""),
        "{text}"
    );
    let text = refused(&|a| a["weather_now"]["choice"]["signs"]["snow"] = json!(true));
    assert!(
        text.contains("no option \"snow\"; its options are wet_road, umbrellas"),
        "{text}"
    );
    let text = refused(&|a| a["weather_now"]["choice"]["signs"]["wet_road"] = json!("yes"));
    assert!(text.contains("true or false"), "{text}");
    let text = refused(&|a| *a = json!({}));
    assert!(text.contains("no classification is answered"), "{text}");
    let text = refused(&|a| *a = json!("Sunny"));
    assert!(text.contains("not a JSON object"), "{text}");
}

#[test]
fn the_attributes_of_objects_are_answered_too() {
    let mut row = row();
    let ontology = row.ontology();
    let answer = json!({"choice": {
        "speed": {"feature_node_hash": "att00002", "value": 50},
        "colour": {"feature_node_hash": "att00001", "choice": "Blue"},
        "feature_node_hash": "obj00001",
    }});
    let kind = ontology.chosen_object(&answer).unwrap();
    assert_eq!(kind.name, "Car");
    let car = kind
        .bounding_box(0.1, 0.1, 0.2, 0.2)
        .unwrap()
        .on_frames(1, 2);
    let hash = row.add(car.answer_json(&answer).unwrap()).unwrap();
    let is = |row: &LabelRow, colour: &str, speed: i32| {
        let car = row.object(&hash).unwrap();
        assert_eq!(car.answer("Colour"), Some(colour.into()));
        assert_eq!(car.answer_on("Speed", 2), Some(speed.into()));
        assert_eq!(car.answer_on("Speed", 3), None);
    };
    is(&row, "Blue", 50);
    row.answer_json(&hash, &json!({"colour": "Red", "speed": 60}))
        .unwrap();
    is(&row, "Red", 60);
    let before = row.labels().clone();
    let other = json!({"choice": {"feature_node_hash": "obj00002"}});
    let error = row.answer_json(&hash, &other).unwrap_err().to_string();
    assert!(error.contains("not about \"Car\""), "{error}");
    let half = json!({"colour": "Blue", "speed": "fast"});
    assert!(row.answer_json(&hash, &half).is_err());
    assert_eq!(*row.labels(), before);
    assert!(row.answer_json("nothing", &half).is_err());
    // One without attributes is chosen by its name.
    let lane = json!({"choice": "Bike lane"});
    let kind = ontology.chosen_object(&lane).unwrap();
    let _lane = kind
        .bounding_box(0.1, 0.1, 0.2, 0.2)
        .unwrap()
        .answer_json(&lane)
        .unwrap();
    assert!(ontology.chosen_object(&json!({})).is_err());
}
