//! Plans that were damaged, edited or made for something else are refused, and what is shown is what would
//! be written.

use super::file::{completed, packing, write_line};
use super::*;
use crate::files::OutFile;
use flate2::read::MultiGzDecoder;
use flate2::write::GzEncoder;
use serde_json::json;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

const STAGE: u128 = 1;

fn id(n: u128) -> String {
    Uuid::from_u128(n).to_string()
}

fn header() -> Value {
    let pathway = |n: u128, name: &str| json!({"id": id(n), "name": name, "to": id(n + 100)});
    json!({
        "workbench_plan": FORMAT, "id": id(7), "project": id(8), "project_title": "P",
        "upstream": "127.0.0.1:1", "made": 0, "workbench": "0", "builds": [],
        "stages": [{"id": id(STAGE), "title": "pre-label", "kind": "Agent",
            "pathways": [pathway(11, "annotate"), pathway(12, "done"), pathway(13, "done")]}],
        "ontology": {"objects": [{"id": "1", "name": "Car", "color": "#D33115", "shape": "bounding_box",
            "featureNodeHash": "CarBox01"}], "classifications": []},
    })
}

/// The labels of a row with these boxes, each by its hash and left edge.
fn labels(boxes: &[(&str, f64)]) -> Value {
    let objects: Vec<Value> = boxes
        .iter()
        .map(|(hash, x)| {
            json!({"name": "Car", "value": "car", "objectHash": hash, "featureHash": "CarBox01",
                "shape": "bounding_box", "boundingBox": {"x": x, "y": 0.1, "w": 0.1, "h": 0.1}})
        })
        .collect();
    let answers: serde_json::Map<String, Value> = boxes
        .iter()
        .map(|(hash, _)| {
            (
                (*hash).to_owned(),
                json!({"objectHash": hash, "classifications": []}),
            )
        })
        .collect();
    json!({"data_hash": "u", "data_type": "image", "object_answers": answers,
        "classification_answers": {}, "object_actions": {},
        "data_units": {"u": {"data_hash": "u", "data_title": "t", "data_type": "image/png",
            "data_sequence": 0, "width": 10, "height": 10,
            "labels": {"objects": objects, "classifications": []}}}})
}

/// A task that gets a box and leaves by a pathway.
fn line(n: u128, pathway: u128) -> Value {
    let row = json!({"metadata": {"data_type": "IMAGE"}, "labels": labels(&[])});
    json!({
        "task": id(n), "data": id(n + 1000), "title": "t", "stage": id(STAGE), "branch": "main",
        "status": "NEW", "created": 0, "updated": 0, "assignee": null, "build": "b", "attempts": 1,
        "run_ms": 1.0, "fault": null,
        "deed": {
            "task": id(n), "stage": id(STAGE), "data": id(n + 1000), "title": "t", "branch": "main",
            "before": {"label_hash": null, "priority": 0.5, "item": null, "json": row.to_string()},
            "labels_after": labels(&[("abcd1234", 0.25)]), "priority": 0.75, "metadata": null,
            "item": null, "pathway": id(pathway), "to": id(pathway + 100),
        },
    })
}

/// Writes a plan with a footer that fits.
fn write(dir: &Path, name: &str, header: &Value, lines: &[Value]) -> PathBuf {
    let path = dir.join(name);
    let mut out = packing(OutFile::create(&path).unwrap());
    write_line(&mut out, header).unwrap();
    for line in lines {
        write_line(&mut out, line).unwrap();
    }
    let found = Found {
        outcomes: lines.len() as u64,
        changes: lines.iter().filter(|l| !l["deed"].is_null()).count() as u64,
    };
    completed(out, found).unwrap().finish().unwrap();
    path
}

fn unpacked(path: &Path) -> String {
    let mut text = String::new();
    MultiGzDecoder::new(std::fs::File::open(path).unwrap())
        .read_to_string(&mut text)
        .unwrap();
    text
}

fn pack(path: &Path, text: &str) {
    let file = std::fs::File::create(path).unwrap();
    let mut out = GzEncoder::new(file, flate2::Compression::fast());
    out.write_all(text.as_bytes()).unwrap();
    out.finish().unwrap();
}

fn refusal(path: &Path) -> Error {
    match Plan::verified(path) {
        Ok(_) => panic!("{} was taken:\n{}", path.display(), unpacked(path)),
        Err(error) => error,
    }
}

#[test]
fn what_is_shown_is_computed_from_what_would_be_written() {
    let dir = tempfile::tempdir().unwrap();
    let mut task = line(21, 11);
    // Whoever wrote this plan recomputed its digest: then the change is shown.
    task["deed"]["labels_after"] = labels(&[("abcd1234", 0.5), ("efgh5678", 0.7)]);
    task["deed"]["priority"] = json!(0.125);
    task["patch"] = json!({"labels": []});
    let path = write(dir.path(), "p", &header(), &[task]);
    let mut plan = Plan::verified(&path).unwrap();
    let line = plan.next_line().unwrap().unwrap();
    let patch = line.patch(&plan.ontology).unwrap();
    let shown: Vec<_> = patch
        .labels
        .iter()
        .map(|l| (l.sign, &*l.name, &*l.detail))
        .collect();
    assert_eq!(
        shown,
        [
            ('+', "Car", "box 50 %, 10 %, 10 × 10 %"),
            ('+', "Car", "box 70 %, 10 %, 10 × 10 %")
        ]
    );
    assert_eq!(patch.priority, Some((Some(0.5), 0.125)));
    assert_eq!(line.route.as_deref(), Some("annotate"));
    assert!(plan.next_line().unwrap().is_none());
}

#[test]
fn labels_that_are_written_without_a_visible_difference_are_shown() {
    let dir = tempfile::tempdir().unwrap();
    let mut task = line(21, 11);
    task["deed"]["labels_after"] = labels(&[]);
    let mut plan = Plan::verified(&write(dir.path(), "p", &header(), &[task])).unwrap();
    let line = plan.next_line().unwrap().unwrap();
    let patch = line.patch(&plan.ontology).unwrap();
    assert_eq!(patch.labels.len(), 1, "{patch:?}");
    assert_eq!(patch.labels[0].sign, '~');
}

#[test]
fn of_two_pathways_with_one_name_the_one_that_is_written_is_shown() {
    let dir = tempfile::tempdir().unwrap();
    let path = write(dir.path(), "p", &header(), &[line(21, 12), line(22, 13)]);
    let mut plan = Plan::verified(&path).unwrap();
    for n in [12, 13] {
        let line = plan.next_line().unwrap().unwrap();
        assert_eq!(line.route, Some(format!("done ({})", id(n))));
    }
}

#[test]
fn an_edited_plan_is_refused_wherever_it_was_edited() {
    let dir = tempfile::tempdir().unwrap();
    let path = write(dir.path(), "p", &header(), &[line(21, 11), line(22, 11)]);
    let text = unpacked(&path);
    let edited = dir.path().join("edited");
    for (from, to) in [
        ("0.25", "0.35"),
        ("\"priority\":0.75", "\"priority\":0.05"),
        ("\"project_title\":\"P\"", "\"project_title\":\"Q\""),
        ("127.0.0.1:1", "127.0.0.1:2"),
        ("\"outcomes\":2", "\"outcomes\":3"),
        ("\"attempts\":1", "\"attempts\": 1"),
        ("\"name\":\"annotate\"", "\"name\":\"complete\""),
        (&*id(11), &*id(12)),
        ("\"sha256\":\"", "\"sha256\":\"0"),
    ] {
        assert!(text.contains(from), "{from}");
        pack(&edited, &text.replacen(from, to, 1));
        let error = refusal(&edited);
        assert_eq!(error.kind, ErrorKind::Settings, "{from}: {error}");
        assert!(error.summary.contains("edited cannot be used"), "{error}");
    }
}

#[test]
fn lines_that_are_missing_doubled_or_in_another_order_are_found() {
    let dir = tempfile::tempdir().unwrap();
    let path = write(dir.path(), "p", &header(), &[line(21, 11), line(22, 11)]);
    let text = unpacked(&path);
    let lines: Vec<&str> = text.lines().collect();
    let &[header, one, two, footer] = lines.as_slice() else {
        panic!("{text}");
    };
    let edited = dir.path().join("edited");
    for (what, lines) in [
        ("a task is missing", vec![header, one, footer]),
        ("a task is doubled", vec![header, one, two, two, footer]),
        ("another order", vec![header, two, one, footer]),
        ("no end", vec![header, one, two]),
        ("two ends", vec![header, one, two, footer, footer]),
        ("goes on", vec![header, one, two, footer, one]),
        ("twice the same", [&lines[..], &lines[..]].concat()),
        ("empty lines", vec![header, "", one, two, footer]),
        ("no header", vec![one, two, footer]),
        ("nothing", vec![]),
    ] {
        pack(&edited, &format!("{}\n", lines.join("\n")));
        let error = refusal(&edited);
        assert!(error.summary.contains("edited"), "{what}: {error}");
    }
    // Without the last line break, and two packed files one after the other.
    pack(&edited, text.trim_end());
    refusal(&edited);
    let packed = std::fs::read(&path).unwrap();
    std::fs::write(&edited, [&packed[..], &packed[..]].concat()).unwrap();
    refusal(&edited);
    std::fs::write(&edited, [&packed[..], b"x"].concat()).unwrap();
    refusal(&edited);
}

#[test]
fn a_plan_that_was_cut_short_is_refused_wherever_it_ends() {
    let dir = tempfile::tempdir().unwrap();
    let path = write(dir.path(), "p", &header(), &[line(21, 11)]);
    let packed = std::fs::read(&path).unwrap();
    let cut = dir.path().join("cut");
    for length in 0..packed.len() {
        std::fs::write(&cut, &packed[..length]).unwrap();
        assert!(
            Plan::verified(&cut).is_err(),
            "{length} of {}",
            packed.len()
        );
    }
    let text = unpacked(&path);
    for length in (0..text.len()).step_by(7) {
        pack(&cut, &text[..length]);
        assert!(Plan::verified(&cut).is_err(), "{length} of {}", text.len());
    }
}

#[test]
fn a_line_that_contradicts_what_it_writes_is_refused_whatever_its_digest() {
    let dir = tempfile::tempdir().unwrap();
    let with = |change: &dyn Fn(&mut Value)| {
        let mut task = line(21, 11);
        change(&mut task);
        refusal(&write(dir.path(), "p", &header(), &[task]))
            .into_facts()
            .summary
    };
    assert!(with(&|t| t["task"] = json!(id(99))).contains("does not match its description"));
    assert!(with(&|t| t["data"] = json!(id(99))).contains("does not match its description"));
    assert!(with(&|t| t["title"] = json!("another")).contains("does not match its description"));
    let error = Error::new(ErrorKind::Agent, "failed");
    assert!(with(&|t| t["fault"] = json!(error)).contains("does not match its description"));
    assert!(with(&|t| t["deed"]["pathway"] = json!(id(99))).contains("unknown pathway"));
    assert!(with(&|t| t["deed"]["to"] = json!(id(99))).contains("unknown pathway"));
    let stage = |t: &mut Value| {
        t["stage"] = json!(id(99));
        t["deed"]["stage"] = json!(id(99));
    };
    assert!(with(&stage).contains("does not list"));
    let twice = write(dir.path(), "p", &header(), &[line(21, 11), line(21, 12)]);
    assert!(refusal(&twice).summary.contains("in it twice"));
}

#[test]
fn another_format_is_refused_with_its_number() {
    let dir = tempfile::tempdir().unwrap();
    for format in [1, 2, 4, 4_000_000_000_u64] {
        let mut other = header();
        other["workbench_plan"] = json!(format);
        let error = refusal(&write(dir.path(), "p", &other, &[]));
        assert!(
            error.summary.contains(&format!("format v{format};")),
            "{error}"
        );
        assert_eq!(error.kind, ErrorKind::Settings);
    }
    let mut none = header();
    none["workbench_plan"] = json!("3");
    let error = refusal(&write(dir.path(), "p", &none, &[]));
    assert!(error.summary.contains("is not a plan"), "{error}");
}
