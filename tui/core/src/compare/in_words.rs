//! Labels of two results held against each other where their rows are not at hand: by the words of their patches, and
//! boxes by where they lie. Labels of whole rows are left to [`super::labels`].

use super::counts::{ComparedLabel, LabelFate};
use super::differences::{label_pairs, words};
use super::labels::{ComparedLabels, LabelsFound, is_object};
use crate::work::{LabelChange, Outcome};
use serde_json::Value;

/// Compares what two outcomes change of the labels.
pub fn in_words(one: &Outcome, two: &Outcome) -> ComparedLabels {
    let mut found = LabelsFound::default();
    for (a, b) in label_pairs(&one.patch.labels, &two.patch.labels) {
        let Some(label) = a.or(b) else { continue };
        let overlap = a.zip(b).and_then(|(a, b)| box_overlap(a, b));
        let fate = match (a, b) {
            (None, _) => LabelFate::Added,
            (_, None) => LabelFate::Removed,
            (Some(a), Some(b)) if is_object(a) && a.facts.answers == b.facts.answers => {
                LabelFate::Moved
            }
            _ => LabelFate::Changed,
        };
        found.count(&label.name, Some(fate), overlap);
        found.keep(ComparedLabel {
            fate,
            name: label.name.clone(),
            hashes: [None, None],
            frame: label.facts.geometry_frame.unwrap_or(0),
            overlap,
            distance: None,
            details: [a, b].map(|label| label.map(words)),
        });
    }
    found.ended()
}

/// Area that two boxes share, of the area that they cover together; nothing for other shapes, and for boxes apart.
fn box_overlap(a: &LabelChange, b: &LabelChange) -> Option<f64> {
    let sides = |label: &LabelChange| -> Option<[f64; 4]> {
        let geometry = label.facts.geometry.as_ref()?.get("boundingBox")?;
        let plain = label.facts.shape.as_deref() == Some("bounding_box");
        let side = |name: &str| geometry.get(name).and_then(Value::as_f64);
        let all = [side("x")?, side("y")?, side("w")?, side("h")?];
        plain.then_some(all)
    };
    let ([ax, ay, aw, ah], [bx, by, bw, bh]) = (sides(a)?, sides(b)?);
    let shared = |from: [f64; 2], to: [f64; 2]| (to[0].min(to[1]) - from[0].max(from[1])).max(0.0);
    let both = shared([ax, bx], [ax + aw, bx + bw]) * shared([ay, by], [ay + ah, by + bh]);
    let all = aw * ah + bw * bh - both;
    (both > 0.0 && all > 0.0).then(|| both / all)
}
