//! Names that people give, as the compiler and rustfmt take them.

use super::*;
use serde_json::{Value, json};
use std::io::Write;
use std::process::{Command, Stdio};
use wb_core::work::Project;

fn radio(name: &str, hash: &str, options: Value) -> Value {
    json!({"id": "1", "name": name, "type": "radio", "featureNodeHash": hash, "options": options})
}

fn option(label: &str, hash: &str, nested: Value) -> Value {
    json!({"id": "1", "label": label, "value": "v", "featureNodeHash": hash, "options": nested})
}

fn object(name: &str, hash: &str, attributes: Value) -> Value {
    json!({"id": "1", "name": name, "color": "#000000", "shape": "bounding_box",
        "featureNodeHash": hash, "attributes": attributes})
}

fn project(objects: Value, classifications: Value) -> Project {
    let doc = json!({
        "project_hash": "00000000-0000-0000-0000-000000000001",
        "title": "Street `*/ <b> \u{1b}[31m",
        "ontology": {"objects": objects, "classifications": classifications},
        "stages": [],
    });
    let workflow = serde_json::from_value(json!({"edges": [], "stages": [
        {"id": "aaaaaaaa-0000-0000-0000-000000000001", "title": "Pre-label", "kind": "Agent", "pathways": [
            {"id": "cccccccc-0000-0000-0000-000000000001", "name": "skip", "to": "bbbbbbbb-0000-0000-0000-000000000001"},
            {"id": "cccccccc-0000-0000-0000-000000000002", "name": "done", "to": "bbbbbbbb-0000-0000-0000-000000000001"},
            {"id": "dddddddd-0000-0000-0000-000000000003", "name": "done", "to": "bbbbbbbb-0000-0000-0000-000000000002"},
        ]},
        {"id": "bbbbbbbb-0000-0000-0000-000000000001", "title": "Annotate", "kind": "Annotation", "pathways": []},
    ]}));
    Project {
        hash: wb_core::ids::ProjectHash(uuid::Uuid::nil()),
        title: "Street `*/ <b> \u{1b}[31m".to_owned(),
        workflow: workflow.unwrap(),
        viewer: false,
        doc: serde_json::from_value(doc).unwrap(),
        json: "".into(),
    }
}

fn street() -> Project {
    let shade = |hash: &str| {
        radio(
            "Shade",
            hash,
            json!([option("Dark", &format!("{hash}d"), json!([]))]),
        )
    };
    let colour = radio(
        "Colour",
        "colour01",
        json!([
            option("Red", "red00001", json!([shade("shade001")])),
            option("Blue", "blue0001", json!([shade("shade002")])),
        ]),
    );
    let weather = radio(
        "Weather",
        "weather2",
        json!([option("Sunny", "sunny001", json!([]))]),
    );
    let weather = json!({"id": "1", "featureNodeHash": "weather1", "attributes": [weather]});
    project(
        json!([object("Vehicle", "vehicle1", json!([colour]))]),
        json!([weather]),
    )
}

/// The items of a file, without their identities.
fn paths(text: &str) -> Vec<String> {
    let line = |item: NamedItem| format!("{} = {}", item.path, item.value);
    items(text).into_iter().map(line).collect()
}

/// The text is as rustfmt would leave it.
fn is_formatted(text: &str) {
    let mut rustfmt = Command::new("rustfmt")
        .args(["--edition", "2024", "--emit", "stdout"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = rustfmt.stdin.take().unwrap();
    stdin.write_all(text.as_bytes()).unwrap();
    drop(stdin);
    let output = rustfmt.wait_with_output().unwrap();
    assert_eq!(String::from_utf8(output.stdout).unwrap(), text);
}

/// The same, and it compiles without a warning.
fn is_clean(text: &str) {
    is_formatted(text);
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("ontology.rs"), text).unwrap();
    let lib = "#![allow(mixed_script_confusables, uncommon_codepoints)]\nmod ontology;\n";
    std::fs::write(dir.path().join("lib.rs"), lib).unwrap();
    let output = Command::new("rustc")
        .args([
            "--edition",
            "2024",
            "--crate-type",
            "lib",
            "--emit",
            "metadata",
            "-Dwarnings",
            "lib.rs",
        ])
        .current_dir(dir.path())
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}\n{text}");
}

#[test]
fn everything_of_an_ontology_is_found_below_what_it_belongs_to() {
    let text = NamesFile::Ontology.of(&street()).unwrap();
    assert!(is_generated(&text));
    is_clean(&text);
    assert_eq!(
        paths(&text),
        [
            "VEHICLE = \"Vehicle\"",
            "vehicle::COLOUR = \"Colour\"",
            "vehicle::colour::RED = \"Red\"",
            // Two attributes of the vehicle have this name: the hash finds the right one.
            "vehicle::colour::red::SHADE = \"shade001\"",
            "vehicle::colour::red::shade::DARK = \"Dark\"",
            "vehicle::colour::BLUE = \"Blue\"",
            "vehicle::colour::blue::SHADE = \"shade002\"",
            "vehicle::colour::blue::shade::DARK = \"Dark\"",
            "WEATHER = \"Weather\"",
            "weather::SUNNY = \"Sunny\"",
        ]
    );
    assert_eq!(text, NamesFile::Ontology.of(&street()).unwrap());
    let text = NamesFile::Pathways.of(&street()).unwrap();
    is_clean(&text);
    assert_eq!(
        paths(&text),
        [
            "PRE_LABEL = \"Pre-label\"",
            "pre_label::SKIP = \"skip\"",
            "pre_label::DONE_CCCCCCCC = \"cccccccc-0000-0000-0000-000000000002\"",
            "pre_label::DONE_DDDDDDDD = \"dddddddd-0000-0000-0000-000000000003\"",
        ]
    );
}

#[test]
fn whatever_people_call_things_becomes_an_item() {
    let titles = [
        ("TrafficLight", "TRAFFIC_LIGHT"),
        ("type", "TYPE"),
        ("Self", "SELF"),
        ("str", "STR"),
        ("4 wheels", "_4_WHEELS"),
        ("Größe", "GRÖSSE"),
        ("車", "車"),
        ("e\u{301}tat", "ÉTAT"),
        ("N/A", "N_A"),
        ("🚗", "OBJECT_CAR_0001"),
        ("", "OBJECT_NONE0001"),
        ("_", "OBJECT_LINE0001"),
        ("\" \\ {} \u{1b}[0m", "_0M"),
        ("m²", "M"),
        (
            "a-very-long-name, as some people write whole sentences into their ontologies",
            "A_VERY_LONG_NAME_AS_SOME_PEOPLE_WRITE_WHOLE_SENTENCES_INTO_THEIR_ONTOLOGIES",
        ),
    ];
    let hashes = [
        "h1", "h2", "h3", "h4", "h5", "h6", "h7", "h8", "h9", "Car+0001", "none0001", "line0001",
        "h11", "h12", "h13",
    ];
    let nested = |hash: &str| {
        json!([radio(
            "Same",
            &format!("{hash}a"),
            json!([option("type", &format!("{hash}o"), json!([]))])
        )])
    };
    let objects: Vec<Value> = (titles.iter().zip(hashes))
        .map(|((title, _), hash)| object(title, hash, nested(hash)))
        .collect();
    let text = NamesFile::Ontology
        .of(&project(objects.into(), json!([])))
        .unwrap();
    is_clean(&text);
    let all = items(&text);
    let names: Vec<&str> = all
        .iter()
        .map(|i| i.path.as_str())
        .filter(|p| !p.contains("::"))
        .collect();
    assert_eq!(names, titles.map(|(_, name)| name));
    assert!(all.iter().any(|i| i.path == "type_::same::TYPE"), "{text}");
}

#[test]
fn equal_identifiers_differ_by_identity_and_never_by_order() {
    let [a, b, c] = [("Car", "AbC+1"), ("car", "abc/1"), ("CAR", "xyz")]
        .map(|(title, hash)| object(title, hash, json!([])));
    let named = |objects: &[&Value]| {
        let text = NamesFile::Ontology
            .of(&project(json!(objects), json!([])))
            .unwrap();
        is_clean(&text);
        let mut all: Vec<String> = items(&text)
            .into_iter()
            .map(|i| format!("{} {}", i.id, i.path))
            .collect();
        all.sort();
        all
    };
    let expected = ["AbC+1 CAR_ABC_1", "abc/1 CAR_ABC_1_2", "xyz CAR_XYZ"];
    assert_eq!(named(&[&a, &b, &c]), expected);
    assert_eq!(named(&[&c, &b, &a]), expected);
    assert_eq!(named(&[&c]), ["xyz CAR"]);
}

#[test]
fn what_was_archived_is_not_named_but_keeps_its_name_from_others() {
    let mut old = object("Car", "old", json!([]));
    old["archived"] = json!(true);
    let text = NamesFile::Ontology.of(&project(
        json!([old, object("Car", "new", json!([]))]),
        json!([]),
    ));
    assert_eq!(paths(&text.unwrap()), ["CAR = \"new\""]);
}

#[test]
fn drift_names_what_was_added_renamed_and_removed() {
    let before = NamesFile::Ontology.of(&street()).unwrap();
    assert!(Drift::between(&before, &before).is_empty());
    let mut after = street();
    let objects = &mut after.doc.ontology["objects"];
    objects[0]["name"] = json!("Car");
    objects[0]["attributes"][0]["options"][0]["label"] = json!("Crimson");
    let options = objects[0]["attributes"][0]["options"]
        .as_array_mut()
        .unwrap();
    options[1] = option("Green", "green001", json!([]));
    let after = NamesFile::Ontology.of(&after).unwrap();
    // However somebody formatted it since.
    let formatted = before
        .replace("    ", "\t")
        .replace("= \"Red\"", "=\n\"Red\"");
    let drift = Drift::between(&formatted, &after);
    assert!(drift.breaks());
    let lines = drift.lines("ontology");
    for line in [
        "ontology::VEHICLE (\"Vehicle\") is now ontology::CAR (\"Car\")",
        "ontology::vehicle::colour::RED (\"Red\") is now ontology::car::colour::CRIMSON (\"Crimson\")",
        "ontology::vehicle::colour::BLUE (\"Blue\") is gone",
        "ontology::car::colour::GREEN (\"Green\") is new",
    ] {
        assert!(
            lines.iter().any(|l| l == line),
            "{line}\n{}",
            lines.join("\n")
        );
    }
    // What only moved with the object that was renamed is not listed.
    assert!(!lines.iter().any(|l| l.contains("COLOUR")), "{lines:?}");
    let added = Drift::between("", &after);
    assert!(!added.breaks() && !added.is_empty());
}

#[test]
fn a_crate_has_a_file_for_each_agent_stage_in_their_order() {
    let mut project = street();
    let mut stage = |title: &str, n: u8| {
        let mut copy = project.workflow.stages[0].clone();
        copy.id = wb_core::ids::StageId(uuid::Uuid::from_u128(n.into()));
        copy.title = title.to_owned();
        if n == 2 {
            copy.pathways.clear();
        }
        project.workflow.stages.push(copy);
    };
    stage("Ontology", 1);
    stage("Büro", 2);
    stage(
        "a stage with a name that is so long that its function has to be broken into lines",
        3,
    );
    stage("Stage 10", 4);
    stage("Stage 9", 5);
    let files = sources(&project).unwrap();
    let text = |path: &str| {
        let file = files.iter().find(|(p, _)| p.to_str() == Some(path));
        file.unwrap_or_else(|| panic!("{path}: {files:?}"))
            .1
            .clone()
    };
    for (path, text) in &files {
        assert!(path.starts_with("src"), "{path:?}");
        is_formatted(text);
    }
    assert_eq!(files.len(), 9);
    let lib = text("src/lib.rs");
    let at = |word: &str| lib.find(word).unwrap_or_else(|| panic!("{word}: {lib}"));
    // The name of a generated module is taken.
    assert!(lib.contains("#[path = \"büro.rs\"]\nmod büro;"), "{lib}");
    let exported = ["pre_label::pre_label", "ontology_00000000::", "büro::büro"].map(at);
    assert!(exported.is_sorted(), "{lib}");
    assert!(lib.contains("mixed_script_confusables"), "{lib}");
    let stub = text("src/pre_label.rs");
    for line in [
        "#[stage(\"Pre-label\")]",
        "    // Route::to(crate::pathways::pre_label::SKIP) to Annotate",
        "    Ok(Route::stay())",
    ] {
        assert!(stub.lines().any(|l| l == line), "{line}\n{stub}");
    }
    assert!(text("src/büro.rs").contains("No pathway leaves this stage yet"));
    project.workflow.stages.retain(|s| s.title == "Annotate");
    assert!(
        sources(&project)
            .unwrap_err()
            .summary
            .contains("no agent stage")
    );
}
