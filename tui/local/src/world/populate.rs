//! Makes a built-in project look used: tasks at several stages, and labels.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::error::Refusal;
use crate::ids::{Names, mix, short_hash, unit};
use crate::item::ItemKind;
use crate::store::catalog::{Catalog, Project};
use crate::store::items::{self, Data};
use crate::store::labels;
use crate::store::saving::{self, ReadyRow};
use crate::store::tx::Tx;
use crate::workflow::{Graph, NodeKind};

/// The maximum number of data units with labels: enough to see, and fast at any size.
const LABELLED: usize = 2_000;
/// The author of the labels.
const ANNOTATOR: &str = "annotator1@example.test";

/// The stage and priority of the `n`th task of the `project`th project. Most tasks are at the start of the
/// workflow; those of the twin project are further along.
pub(super) fn place(graph: &Graph, names: Names, project: u64, n: u64, task: Uuid) -> (usize, f64) {
    let draw = names.number(1_000 + project, n);
    let priority = match draw % 10 {
        0 => 0.9,
        1 | 2 => 0.25,
        _ => 0.5,
    };
    let first = graph.first_for(task);
    let others: Vec<usize> = (0..graph.nodes.len())
        .filter(|s| *s != first && !matches!(graph.nodes[*s].kind, NodeKind::Router { .. }))
        .collect();
    let elsewhere = if project == 0 { 0.25 } else { 0.8 };
    // The first few tasks stay at the start, where a newcomer expects them.
    if others.is_empty() || n < 6 || unit(mix(draw)) >= elsewhere {
        return (first, priority);
    }
    (
        others[(mix(draw ^ 1) % others.len() as u64) as usize],
        priority,
    )
}

/// Adds label rows to some tasks of every project.
pub(super) fn labels(tx: &Tx<'_>, catalog: &Catalog, names: Names) -> Result<(), Refusal> {
    let annotator = tx.on_behalf_of(ANNOTATOR);
    for (place, project) in catalog.projects.iter().enumerate() {
        let Some(dataset) = project.datasets.first() else {
            continue;
        };
        let stage_of = tx.prepare("SELECT stage FROM task WHERE project = ?1 AND data = ?2");
        let mut stage_of = stage_of?;
        for (n, data) in items::list(tx, Some(dataset.id), false, 0, LABELLED)?
            .iter()
            .enumerate()
        {
            let stage: usize = stage_of.query_row([project.id, data.id], |r| r.get(0))?;
            let waiting = stage == project.graph.first_for(Uuid::nil());
            let share = match (place, waiting) {
                (0, true) => 0.08,
                (0, false) => 0.9,
                _ => 0.7,
            };
            let draw = names.number(2_000 + place as u64, n as u64);
            if unit(draw) < share {
                label(&annotator, project, data, mix(draw))?;
            }
        }
    }
    Ok(())
}

fn label(tx: &Tx<'_>, project: &Project, data: &Data, draw: u64) -> Result<(), Refusal> {
    labels::create(tx, project, &[data.hash], "main")?;
    let hash: Uuid = tx.query_row(
        "SELECT hash FROM label WHERE project = ?1 AND data = ?2 AND branch = 'main'",
        [project.id, data.id],
        |r| r.get(0),
    )?;
    let text = labels_of(data, draw, tx.now).to_string();
    let row = ReadyRow::read(&text, tx.actor, tx.now)?;
    saving::save(tx, project, vec![(hash, row)])?;
    Ok(())
}

/// Realistic labels: an object if the type of data can have one, and the weather.
fn labels_of(data: &Data, draw: u64, now: i64) -> Value {
    let object = short_hash(draw);
    let mut answers = json!({&object: {"objectHash": object, "classifications": []}});
    let (name, color, feature) = match draw % 3 {
        0 => ("Car", "#D33115", "CarBox01"),
        1 => ("Bright region", "#FCDC00", "BrightB1"),
        _ => ("Car", "#D33115", "CarBox01"),
    };
    let part = |n: u64, from: f64, to: f64| {
        from + (unit(mix(draw ^ n)) * (to - from) * 1000.0).round() / 1000.0
    };
    let boxed = json!({
        "name": name, "color": color, "shape": "bounding_box", "value": name.to_lowercase().replace(' ', "_"),
        "createdAt": crate::time::long(now), "lastEditedAt": crate::time::long(now), "confidence": 1.0,
        "objectHash": object, "featureHash": feature, "manualAnnotation": true,
        "boundingBox": {"x": part(1, 0.05, 0.5), "y": part(2, 0.05, 0.5), "w": part(3, 0.15, 0.4), "h": part(4, 0.15, 0.4)},
    });
    let units = match data.kind {
        ItemKind::Image => {
            json!({data.hash.to_string(): {"labels": {"objects": [boxed], "classifications": []}}})
        }
        ItemKind::Video => json!({data.hash.to_string(): {"labels": {
            "0": {"objects": [boxed], "classifications": []}, "10": {"objects": [boxed], "classifications": []}}}}),
        _ => {
            answers = json!({});
            json!({})
        }
    };
    json!({
        "data_units": units, "object_answers": answers, "object_actions": {}, "spaces": {},
        "classification_answers": weather(data, mix(draw ^ 9)),
    })
}

fn weather(data: &Data, draw: u64) -> Value {
    let label = match data.metadata().text("weather").as_deref() {
        Some("Night") => ("Night", "night", "WeathNig"),
        Some("Cloudy") => ("Cloudy", "cloudy", "WeathClo"),
        _ => ("Sunny", "sunny", "WeathSun"),
    };
    let hash = short_hash(draw);
    json!({&hash: {
        "classificationHash": hash, "featureHash": "WeathCl1", "spaces": {}, "range": [[0, 0]],
        "confidence": 1.0, "manualAnnotation": true,
        "classifications": [{
            "name": "Weather", "value": "weather", "featureHash": "WeathAt1", "manualAnnotation": true,
            "answers": [{"name": label.0, "value": label.1, "featureHash": label.2}],
        }],
    }})
}
