//! Comparisons of tasks with figures that are computed by hand.

use super::*;
use crate::error::ErrorKind;
use crate::ids::{PathwayId, StageId, TaskId};
use crate::patch::judge;
use crate::patch::tests::inputs;
use crate::work::Inputs;
use crate::workflow::{Pathway, Stage, StageKind};
use serde_json::{Value, json};
use uuid::Uuid;

fn ontology() -> Arc<Ontology> {
    let object = |id: &str, name: &str, shape: &str| {
        json!({"id": id, "name": name, "color": "#D33115", "shape": shape,
            "featureNodeHash": format!("{name}00001"), "attributes": []})
    };
    let mut car = object("1", "Car", "bounding_box");
    let option = |n: u32, label: &str| json!({"id": format!("1.1.{n}"), "label": label, "value": label, "featureNodeHash": format!("Opt0000{n}")});
    car["attributes"] = json!([{"id": "1.1", "name": "Colour", "type": "radio", "required": false,
        "dynamic": false, "featureNodeHash": "Colour01", "options": [option(1, "red"), option(2, "blue")]}]);
    let objects = [
        car,
        object("2", "Road", "polygon"),
        object("3", "Path", "polyline"),
    ];
    let editor = json!({"objects": objects, "classifications": []});
    Arc::new(Ontology::from_editor(&editor).unwrap())
}

fn stage() -> Stage {
    let pathway = |n: u128, name: &str| Pathway {
        id: PathwayId(Uuid::from_u128(n)),
        name: name.into(),
        to: StageId(Uuid::from_u128(n + 10)),
    };
    Stage {
        id: StageId(Uuid::from_u128(1)),
        title: "pre-label".into(),
        kind: StageKind::Agent,
        pathways: vec![pathway(5, "auto"), pathway(6, "review")],
    }
}

/// The same row as a video of three frames.
fn video() -> Inputs {
    let mut inputs = inputs(true);
    let row = inputs.labels.as_mut().unwrap();
    let mut doc: Value = serde_json::from_str(&row.json).unwrap();
    doc["metadata"] = json!({"data_type": "VIDEO", "number_of_frames": 3, "frames_per_second": 10});
    doc["labels"]["data_type"] = json!("video");
    doc["labels"]["data_units"]["u"]["data_type"] = json!("video/mp4");
    doc["labels"]["data_units"]["u"]["labels"] = json!({});
    row.json = doc.to_string().into();
    inputs
}

fn on(inputs: &Inputs, answer: &Value) -> Outcome {
    let text = answer.to_string();
    judge(&stage(), &ontology(), inputs, text.as_bytes()).unwrap()
}

fn against(inputs: &Inputs, a: &Outcome, b: &Outcome) -> TaskComparison {
    let side = |given| Side {
        given: Ok(given),
        run_us: Some(1_000),
    };
    compare(&ontology(), inputs.labels.as_ref(), side(a), side(b))
}

/// Two answers of agents for a still without labels.
fn both(a: &Value, b: &Value) -> TaskComparison {
    let inputs = inputs(true);
    against(&inputs, &on(&inputs, a), &on(&inputs, b))
}

fn car([x, y, w, h]: [f64; 4]) -> Value {
    json!({"name": "Car", "boundingBox": {"x": x, "y": y, "w": w, "h": h}})
}

fn figures(counts: &LabelCounts) -> [usize; 5] {
    [
        counts.same,
        counts.moved,
        counts.changed,
        counts.added,
        counts.removed,
    ]
}

fn close(found: Option<f64>, wanted: f64) {
    let found = found.unwrap();
    assert!((found - wanted).abs() < 1e-9, "{found} instead of {wanted}");
}

#[test]
fn labels_with_new_hashes_are_paired_by_their_overlap_whatever_their_order() {
    // Moved by a fifth of its width: 0.32 of 0.48. The second one is where it was, the third on one side only.
    let a = json!({"route": "auto", "add": [car([0.1, 0.1, 0.2, 0.2]), car([0.5, 0.5, 0.2, 0.2]), car([0.8, 0.1, 0.1, 0.1])]});
    let b =
        json!({"route": "auto", "add": [car([0.5, 0.5, 0.2, 0.2]), car([0.14, 0.1, 0.2, 0.2])]});
    let differs = both(&a, &b);
    assert_eq!(figures(&differs.counts), [1, 1, 0, 0, 1]);
    // (1 + 2/3) / 2: what is on one side only has no overlap.
    close(differs.counts.mean_overlap(), 5.0 / 6.0);
    assert!(!differs.changed_route && differs.differs());
    let fates: Vec<_> = differs.labels.iter().map(|label| label.fate).collect();
    assert_eq!(fates, [LabelFate::Removed, LabelFate::Moved]);
    close(differs.labels[1].overlap, 2.0 / 3.0);
    assert_eq!(differs.label_words(), "-1 moved 1 overlap 0.83");
    assert_eq!(differs.classes.keys().collect::<Vec<_>>(), ["Car"]);
}

#[test]
fn of_several_that_overlap_the_nearest_pair_goes_first_and_each_label_counts_once() {
    // Both of B overlap the one of A by more than half; the nearer one is its pair, the other is new.
    let a = json!({"add": [car([0.1, 0.1, 0.4, 0.4])]});
    let b = json!({"add": [car([0.15, 0.1, 0.4, 0.4]), car([0.11, 0.1, 0.4, 0.4])]});
    let differs = both(&a, &b);
    assert_eq!(figures(&differs.counts), [0, 1, 0, 1, 0]);
    close(differs.counts.mean_overlap(), 0.39 / 0.41);
}

#[test]
fn less_than_half_of_an_overlap_is_another_label_and_so_is_another_class() {
    // A third of an overlap.
    let a = json!({"add": [car([0.1, 0.1, 0.2, 0.2])]});
    let b = json!({"add": [car([0.2, 0.1, 0.2, 0.2])]});
    assert_eq!(figures(&both(&a, &b).counts), [0, 0, 0, 1, 1]);
    let points = [[0.1, 0.1], [0.3, 0.1], [0.3, 0.3], [0.1, 0.3]];
    let road = json!({"add": [{"name": "Road", "polygon": points}]});
    let differs = both(&a, &road);
    assert_eq!(figures(&differs.classes["Car"]), [0, 0, 0, 0, 1]);
    assert_eq!(figures(&differs.classes["Road"]), [0, 0, 0, 1, 0]);
}

#[test]
fn other_answers_change_a_label_that_has_not_moved() {
    let coloured = |colour: &str| {
        let mut car = car([0.1, 0.1, 0.2, 0.2]);
        car["attributes"] = json!({"Colour": colour});
        json!({"add": [car]})
    };
    let differs = both(&coloured("red"), &coloured("blue"));
    assert_eq!(figures(&differs.counts), [0, 0, 1, 0, 0]);
    close(differs.labels[0].overlap, 1.0);
    assert!(!both(&coloured("red"), &coloured("red")).differs());
}

#[test]
fn lines_are_paired_by_the_distance_of_their_points() {
    let line = |x: f64| {
        let points = [[x, 0.1], [x, 0.9]];
        json!({"add": [{"name": "Path", "polyline": points}]})
    };
    // The picture is square: a hundredth of its width is that over √2 of the diagonal.
    let differs = both(&line(0.5), &line(0.51));
    assert_eq!(figures(&differs.counts), [0, 1, 0, 0, 0]);
    close(differs.labels[0].distance, 0.01 / 2f64.sqrt());
    assert_eq!(differs.counts.mean_overlap(), None);
    assert_eq!(
        figures(&both(&line(0.2), &line(0.8)).counts),
        [0, 0, 0, 1, 1]
    );
}

#[test]
fn a_track_overlaps_over_all_its_frames() {
    let track = |frames: &[(u64, f64)]| {
        let shape = |(frame, x): &(u64, f64)| {
            let area = json!({"boundingBox": {"x": x, "y": 0.1, "w": 0.2, "h": 0.2}});
            (frame.to_string(), area)
        };
        let frames: serde_json::Map<_, _> = frames.iter().map(shape).collect();
        json!({"add": [{"name": "Car", "frames": frames}]})
    };
    let inputs = video();
    let a = on(&inputs, &track(&[(0, 0.1), (1, 0.1)]));
    let b = on(&inputs, &track(&[(0, 0.1), (1, 0.14), (2, 0.14)]));
    // Common 0.04 + 0.032, either 0.04 + 0.048 + 0.04.
    let differs = against(&inputs, &a, &b);
    assert_eq!(figures(&differs.counts), [0, 1, 0, 0, 0]);
    close(differs.labels[0].overlap, 0.072 / 0.128);
}

#[test]
fn a_label_that_was_there_is_the_same_label_however_far_it_moves() {
    let empty = inputs(true);
    let made = on(&empty, &json!({"add": [car([0.1, 0.1, 0.2, 0.2])]}));
    let mut inputs = inputs(true);
    let row = inputs.labels.as_mut().unwrap();
    let mut doc: Value = serde_json::from_str(&row.json).unwrap();
    doc["labels"] = made.labels_after.clone().unwrap().read();
    row.json = doc.to_string().into();
    let hash = made.patch.labels[0].hash.clone();
    let mut labels = doc["labels"].clone();
    labels["data_units"]["u"]["labels"]["objects"][0]["boundingBox"]["x"] = json!(0.7);
    let moved = on(&inputs, &json!({"labels": labels}));
    let untouched = on(&inputs, &json!({}));
    let differs = against(&inputs, &untouched, &moved);
    assert_eq!(figures(&differs.counts), [0, 1, 0, 0, 0]);
    assert_eq!(differs.labels[0].hashes, [Some(hash.clone()), Some(hash)]);
    close(differs.labels[0].overlap, 0.0);
    // Both moved it alike: one label, the same.
    assert_eq!(
        figures(&against(&inputs, &moved, &moved).counts),
        [1, 0, 0, 0, 0]
    );
    let removed = on(&inputs, &json!({"remove": [differs.labels[0].hashes[0]]}));
    assert_eq!(
        figures(&against(&inputs, &untouched, &removed).counts),
        [0, 0, 0, 0, 1]
    );
    // Labels that neither side touches do not count.
    assert_eq!(
        figures(&against(&inputs, &untouched, &untouched).counts),
        [0; 5]
    );
}

#[test]
fn a_failure_is_worse_than_a_route_and_a_route_than_labels() {
    let inputs = inputs(true);
    let auto = on(&inputs, &json!({"route": "auto"}));
    let review = on(&inputs, &json!({"route": "review", "priority": 0.75}));
    let more = on(
        &inputs,
        &json!({"route": "auto", "add": [car([0.1, 0.1, 0.2, 0.2])]}),
    );
    let error = |text: &str| Error::new(ErrorKind::Agent, text);
    let (one, two) = (error("no model at 0x12"), error("no model at 0x34"));
    let with = |a: GivenResult<'_>, b: GivenResult<'_>| {
        let (a, b) = (
            Side {
                given: a,
                run_us: None,
            },
            Side {
                given: b,
                run_us: None,
            },
        );
        compare(&ontology(), inputs.labels.as_ref(), a, b)
    };
    let worst = [
        with(Ok(&auto), Err(&one)),
        with(Ok(&auto), Ok(&review)),
        with(Ok(&auto), Ok(&more)),
        with(Ok(&auto), Ok(&auto)),
    ];
    let severities: Vec<f64> = worst.iter().map(TaskComparison::severity).collect();
    assert!(
        severities.windows(2).all(|pair| pair[0] > pair[1]),
        "{severities:?}"
    );
    assert_eq!(severities[3], 0.0);
    assert_eq!(worst[1].priority, Some([None, Some(0.75)]));
    assert_eq!(worst[0].route_words(), "auto → failed");
    // Errors that differ in their numbers only are one error.
    assert!(!with(Err(&one), Err(&two)).differs());
    assert!(with(Err(&one), Err(&error("out of memory"))).differs());
}

fn task(n: u128, differs: TaskComparison) -> ComparedTask {
    ComparedTask {
        task: TaskId(Uuid::from_u128(n)),
        title: format!("task {n}").into(),
        differs: Arc::new(differs),
    }
}

#[test]
fn a_summary_counts_every_task_and_keeps_the_worst() {
    let auto = json!({"route": "auto", "add": [car([0.1, 0.1, 0.2, 0.2])]});
    let moved = json!({"route": "auto", "add": [car([0.14, 0.1, 0.2, 0.2])]});
    let review = json!({"route": "review", "add": [car([0.1, 0.1, 0.2, 0.2])]});
    let mut all = Comparison::default();
    for n in 0..3 {
        all.add(task(n, both(&auto, &auto)));
    }
    all.add(task(3, both(&auto, &moved)));
    all.add(task(4, both(&auto, &review)));
    assert_eq!((all.tasks, all.differing, all.changed_route), (5, 2, 1));
    assert_eq!(figures(&all.labels), [4, 1, 0, 0, 0]);
    // Four that are the same and one of 2/3.
    close(all.labels.mean_overlap(), (4.0 + 2.0 / 3.0) / 5.0);
    let pair = |a: &str, b: &str| all.routes[&(a.to_owned(), b.to_owned())];
    assert_eq!((pair("auto", "auto"), pair("auto", "review")), (4, 1));
    assert_eq!(
        all.words(),
        "1 of 5 tasks changed route, mean overlap 0.93, 1 label moved"
    );
    assert_eq!(all.times.mean_ms(), Some([1.0, 1.0]));
    all.sort(TaskOrder::Worst);
    let order: Vec<&str> = all.rows.iter().map(|row| &*row.title).collect();
    assert_eq!(order, ["task 4", "task 3", "task 0", "task 1", "task 2"]);
    all.sort(TaskOrder::Overlap);
    assert_eq!(&*all.rows[0].title, "task 3");
}

#[test]
fn a_summary_of_very_many_tasks_keeps_the_worst_of_them_only() {
    let same = TaskComparison {
        routes: ["auto".into(), "auto".into()],
        ..TaskComparison::default()
    };
    let routed = TaskComparison {
        changed_route: true,
        routes: ["auto".into(), "review".into()],
        ..same.clone()
    };
    let mut all = Comparison::default();
    let many = 4 * ROWS as u128;
    for n in 0..many {
        let worse = n % 100 == 99;
        all.add(task(n, if worse { routed.clone() } else { same.clone() }));
    }
    assert!(all.rows.len() <= 2 * ROWS, "{}", all.rows.len());
    all.sort(TaskOrder::Worst);
    assert_eq!((all.tasks, all.changed_route), (4 * ROWS, 4 * ROWS / 100));
    assert_eq!(all.rows.len(), ROWS);
    let worse = all
        .rows
        .iter()
        .filter(|row| row.differs.changed_route)
        .count();
    assert_eq!(worse, 4 * ROWS / 100);
}
