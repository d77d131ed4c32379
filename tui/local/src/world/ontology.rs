//! The built-in ontology: boxes, polygons, text and sound, nested attributes, and classifications of
//! all three kinds.

use serde_json::{Value, json};

use crate::structure::completed;
use crate::world::OntologySpec;

/// The built-in ontology as a part of a world.
pub(crate) fn spec() -> OntologySpec {
    OntologySpec {
        id: None,
        title: "Street scenes".to_owned(),
        description: "Vehicles, people, words and sounds".to_owned(),
        structure: None,
    }
}

/// Whether a structure can be completed to what clients need.
pub(super) fn check(spec: &OntologySpec) -> Result<(), String> {
    match &spec.structure {
        Some(structure) => completed(structure).map(drop),
        None => Ok(()),
    }
}

/// Its structure, as `editor` of the API.
pub(crate) fn structure() -> Value {
    json!({"objects": objects(), "classifications": classifications()})
}

fn option(id: &str, label: &str, hash: &str) -> Value {
    let value = label.to_lowercase().replace(' ', "_");
    json!({"id": id, "label": label, "value": value, "featureNodeHash": hash, "archived": false})
}

fn attribute(
    id: &str,
    name: &str,
    kind: &str,
    dynamic: bool,
    hash: &str,
    options: Option<Vec<Value>>,
) -> Value {
    let mut out = json!({
        "id": id, "name": name, "type": kind, "required": false, "dynamic": dynamic, "archived": false,
        "featureNodeHash": hash,
    });
    if let Some(options) = options {
        out["options"] = Value::Array(options);
    }
    out
}

fn object(
    id: &str,
    name: &str,
    color: &str,
    shape: &str,
    hash: &str,
    attributes: Vec<Value>,
) -> Value {
    json!({
        "id": id, "name": name, "color": color, "shape": shape, "featureNodeHash": hash, "required": false,
        "archived": false, "attributes": attributes,
    })
}

fn objects() -> Value {
    let mut red = option("1.1.1", "Red", "CarColRd");
    red["options"] = json!([attribute(
        "1.1.1.1", "Shade", "text", false, "CarShade", None
    )]);
    let colours = vec![
        red,
        option("1.1.2", "Blue", "CarColBl"),
        option("1.1.3", "Black", "CarColBk"),
        option("1.1.4", "White", "CarColWh"),
    ];
    let moving = vec![
        option("1.3.1", "Fast", "CarMovFa"),
        option("1.3.2", "Slow", "CarMovSl"),
    ];
    let car = vec![
        attribute("1.1", "Colour", "radio", false, "CarCol01", Some(colours)),
        attribute("1.2", "Plate", "text", false, "CarPlat1", None),
        attribute("1.3", "Moving", "checklist", true, "CarMov01", Some(moving)),
    ];
    json!([
        object("1", "Car", "#D33115", "bounding_box", "CarBox01", car),
        object("2", "Person", "#E27300", "polygon", "PersPol1", Vec::new()),
        object(
            "3",
            "Bright region",
            "#FCDC00",
            "bounding_box",
            "BrightB1",
            Vec::new()
        ),
        object("4", "Word", "#16406C", "text", "WordTxt1", Vec::new()),
        object("5", "Sound", "#FE9200", "audio", "SoundAu1", Vec::new()),
    ])
}

fn classifications() -> Value {
    let weather = vec![
        option("1.1.1", "Sunny", "WeathSun"),
        option("1.1.2", "Cloudy", "WeathClo"),
        option("1.1.3", "Night", "WeathNig"),
    ];
    let tags = vec![
        option("3.1.1", "Blurry", "TagsBlur"),
        option("3.1.2", "Dark", "TagsDark"),
        option("3.1.3", "Crowded", "TagsCrow"),
    ];
    let whole = |id: &str, hash: &str, attribute: Value| json!({"id": id, "featureNodeHash": hash, "attributes": [attribute]});
    json!([
        whole(
            "1",
            "WeathCl1",
            attribute("1.1", "Weather", "radio", false, "WeathAt1", Some(weather))
        ),
        whole(
            "2",
            "NotesCl1",
            attribute("2.1", "Notes", "text", false, "NotesAt1", None)
        ),
        whole(
            "3",
            "TagsCl01",
            attribute("3.1", "Tags", "checklist", false, "TagsAt01", Some(tags))
        ),
    ])
}
