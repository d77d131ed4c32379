//! Labels of two states of one row held against each other: which are the same, moved, answered differently, or there
//! on one side only.
//!
//! A label that stood in the row and has kept its hash is the same label; the hash of a label that an agent adds means
//! nothing. Of the others, those of one class and kind on one part of the row are paired, the pair with the most in common first, and each label once: an overlap of at least
//! [`PAIRED`], or for lines, points and skeletons a distance of at most [`PAIRED_WITHIN`]. Classifications of one class
//! are paired when they share a frame. Confidence, and who made a label and when, do not count.

use super::counts::{ComparedLabel, LabelCounts, LabelFate};
use super::placed::{Near, Placed};
use crate::error::{Error, ErrorKind};
use crate::patch;
use crate::work::{LabelBlob, LabelChange, Outcome, RowInput};
use agent_abi::model::{LabelRow, Ontology, diff};
use agent_abi::wire::RowDoc;
use serde_json::Value;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

/// Overlap from which two labels of one class are one label.
pub const PAIRED: f64 = 0.5;
/// Distance up to which two lines, points or skeletons of one class are one label, in shares of the diagonal.
pub const PAIRED_WITHIN: f64 = 0.05;
/// Overlap from which a label has not moved.
const SAME: f64 = 0.999;
/// Differing labels of a task that are kept by themselves; all are counted.
pub const KEPT: usize = 200;

/// The labels of a task held against each other.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ComparedLabels {
    /// Those that differ, worst first, at most [`KEPT`].
    pub differing: Vec<ComparedLabel>,
    /// By class.
    pub classes: BTreeMap<String, LabelCounts>,
}

/// Compares the labels of the row as A leaves it with those as B leaves it. Labels that neither touches do not count.
///
/// # Errors
/// The row is not readable.
pub fn labels(
    ontology: &Arc<Ontology>,
    row: &RowInput,
    sides: [&Outcome; 2],
) -> Result<ComparedLabels, Error> {
    let mut found = LabelsFound::default();
    let blobs = sides.map(|side| side.labels_after.as_ref());
    if blobs == [None, None] {
        return Ok(found.labels);
    }
    let before = LabelRow::from_json(&row.json, ontology.clone())
        .map_err(|error| Error::new(ErrorKind::Upstream, error.to_string()))?;
    let after = |blob: Option<&LabelBlob>| match blob {
        None => before.clone(),
        Some(blob) => {
            let metadata = before.metadata().clone();
            LabelRow::from_doc(
                RowDoc {
                    metadata,
                    labels: blob.read(),
                },
                ontology.clone(),
            )
        }
    };
    let rows = blobs.map(after);
    let changes: Vec<LabelChange> = diff(&rows[0], &rows[1])
        .into_iter()
        .map(patch::change)
        .collect();
    found.unchanged(sides, &changes);
    let hashes: HashSet<&str> = changes.iter().map(|change| change.hash.as_str()).collect();
    let placed = [0, 1].map(|side| Placed::of(&rows[side], &hashes));
    let made = sides.map(made);
    let sides = Sides {
        rows: &rows,
        placed: &placed,
    };
    let mut groups: BTreeMap<LabelGroup<'_>, [Vec<&LabelChange>; 2]> = BTreeMap::new();
    let mut put = |side: usize, label| groups.entry(group_of(label)).or_default()[side].push(label);
    for change in &changes {
        let new = [0, 1].map(|side| made[side].get(change.hash.as_str()).copied());
        match (change.sign, new) {
            ('~', [Some(a), Some(b)]) => {
                put(0, a);
                put(1, b);
            }
            ('-', _) => put(0, change),
            ('+', _) => put(1, change),
            _ => found.pair(&sides, change, change),
        }
    }
    for [gone, new] in groups.into_values() {
        found.group(&sides, gone, new);
    }
    Ok(found.ended())
}

/// Part, whether it is an object, class.
type LabelGroup<'c> = (Option<&'c str>, bool, &'c str);

fn group_of(label: &LabelChange) -> LabelGroup<'_> {
    (
        label.facts.part.as_deref(),
        is_object(label),
        label.name.as_str(),
    )
}

pub(super) fn is_object(label: &LabelChange) -> bool {
    label.facts.kind == "object"
}

/// Labels that an outcome adds, by hash.
fn made(outcome: &Outcome) -> HashMap<&str, &LabelChange> {
    let added = outcome
        .patch
        .labels
        .iter()
        .filter(|label| label.sign == '+');
    added.map(|label| (label.hash.as_str(), label)).collect()
}

/// The row as each side leaves it, with the places of the labels that differ.
struct Sides<'r> {
    rows: &'r [LabelRow; 2],
    placed: &'r [HashMap<String, Placed>; 2],
}

impl Sides<'_> {
    /// How near two labels lie; classifications that share a frame, and shapes of an unknown kind with the same
    /// geometry, lie in one place.
    fn near(&self, a: &LabelChange, b: &LabelChange) -> Near {
        let placed = (self.placed[0].get(&a.hash)).zip(self.placed[1].get(&b.hash));
        match placed.filter(|_| is_object(a)) {
            Some((one, two)) => one.near(two),
            None => Near {
                same_frames: a.facts.frames == b.facts.frames,
                ..Near::default()
            },
        }
    }

    /// Whether both have the same answers.
    fn same_answers(&self, a: &str, b: &str) -> bool {
        answers(&self.rows[0], a) == answers(&self.rows[1], b)
    }
}

/// Answers of a label, as they are in the row, but for whether a person gave them.
fn answers(row: &LabelRow, hash: &str) -> [Value; 3] {
    let given = |section: &str, key: &str| {
        let mut value = row.labels()[section][hash][key].clone();
        without_makers(&mut value);
        if value.as_array().is_some_and(Vec::is_empty) {
            Value::Null
        } else {
            value
        }
    };
    [
        given("object_answers", "classifications"),
        given("object_actions", "actions"),
        given("classification_answers", "classifications"),
    ]
}

fn without_makers(value: &mut Value) {
    match value {
        Value::Object(map) => {
            map.remove("manualAnnotation");
            map.values_mut().for_each(without_makers);
        }
        Value::Array(list) => list.iter_mut().for_each(without_makers),
        _ => {}
    }
}

#[derive(Default)]
pub(super) struct LabelsFound {
    labels: ComparedLabels,
}

impl LabelsFound {
    /// Labels that both sides changed alike, under one hash.
    fn unchanged(&mut self, sides: [&Outcome; 2], changes: &[LabelChange]) {
        let differing: HashSet<&str> = changes.iter().map(|change| change.hash.as_str()).collect();
        let of = |outcome: &'_ Outcome| -> HashSet<String> {
            let all = outcome
                .patch
                .labels
                .iter()
                .filter(|label| label.sign != '-');
            all.map(|label| label.hash.clone()).collect()
        };
        let second = of(sides[1]);
        for label in sides[0]
            .patch
            .labels
            .iter()
            .filter(|label| label.sign != '-')
        {
            if second.contains(&label.hash) && !differing.contains(label.hash.as_str()) {
                let bare = ["point", "polyline", "skeleton"];
                let shape = label
                    .facts
                    .shape
                    .as_deref()
                    .filter(|shape| !bare.contains(shape));
                self.count(&label.name, None, shape.map(|_| 1.0));
            }
        }
    }

    pub(super) fn count(&mut self, name: &str, fate: Option<LabelFate>, overlap: Option<f64>) {
        if let Some(counts) = self.labels.classes.get_mut(name) {
            return counts.count(fate, overlap);
        }
        let counts = self.labels.classes.entry(name.to_owned()).or_default();
        counts.count(fate, overlap);
    }

    /// Keeps a label that differs.
    pub(super) fn keep(&mut self, label: ComparedLabel) {
        self.labels.differing.push(label);
    }

    /// A label that both have.
    fn pair(&mut self, sides: &Sides<'_>, a: &LabelChange, b: &LabelChange) {
        let near = sides.near(a, b);
        let same_answers = sides.same_answers(&a.hash, &b.hash);
        let here = match (near.overlap, near.distance) {
            (Some(overlap), _) => overlap >= SAME && near.same_frames,
            (None, Some(distance)) => distance <= 1.0 - SAME && near.same_frames,
            (None, None) => near.same_frames && same_facts(a, b),
        };
        let fate = match (same_answers, here) {
            (true, true) => None,
            (true, false) => Some(LabelFate::Moved),
            (false, _) => Some(LabelFate::Changed),
        };
        self.count(&b.name, fate, near.overlap);
        let Some(fate) = fate else { return };
        let details = if std::ptr::eq(a, b) {
            let (was, is) = a.sides();
            [was, is].map(str::to_owned)
        } else {
            [a.detail.clone(), b.detail.clone()]
        };
        self.labels.differing.push(ComparedLabel {
            fate,
            name: b.name.clone(),
            hashes: [a, b].map(|one| Some(one.hash.clone())),
            frame: first_frame(b),
            overlap: near.overlap,
            distance: near.distance,
            details: details.map(Some),
        });
    }

    /// A label of one side only.
    fn alone(&mut self, label: &LabelChange, fate: LabelFate) {
        self.count(&label.name, Some(fate), None);
        let side = usize::from(fate == LabelFate::Added);
        let (mut hashes, mut details) = ([None, None], [None, None]);
        hashes[side] = Some(label.hash.clone());
        details[side] = Some(label.detail.clone());
        self.labels.differing.push(ComparedLabel {
            fate,
            name: label.name.clone(),
            hashes,
            frame: first_frame(label),
            overlap: None,
            distance: None,
            details,
        });
    }

    /// Labels of one class with other hashes: the nearest are paired, the rest is of one side only.
    fn group(&mut self, sides: &Sides<'_>, gone: Vec<&LabelChange>, new: Vec<&LabelChange>) {
        let mut pairs = candidates(sides, &gone, &new);
        pairs.sort_by(|a, b| b.2.total_cmp(&a.2).then((a.0, a.1).cmp(&(b.0, b.1))));
        let (mut gone, mut new): (Vec<_>, Vec<_>) = (
            gone.into_iter().map(Some).collect(),
            new.into_iter().map(Some).collect(),
        );
        for (a, b, _) in pairs {
            if let (Some(one), Some(two)) = (gone[a], new[b]) {
                (gone[a], new[b]) = (None, None);
                self.pair(sides, one, two);
            }
        }
        gone.into_iter()
            .flatten()
            .for_each(|one| self.alone(one, LabelFate::Removed));
        new.into_iter()
            .flatten()
            .for_each(|one| self.alone(one, LabelFate::Added));
    }

    /// The worst labels first: those of one side, then those with other answers, then by what their overlap lacks.
    pub(super) fn ended(mut self) -> ComparedLabels {
        let differing = &mut self.labels.differing;
        differing.sort_by(|a, b| {
            let near = |one: &ComparedLabel| one.overlap.unwrap_or(0.0);
            (a.fate.cmp(&b.fate)).then(near(a).total_cmp(&near(b)))
        });
        differing.truncate(KEPT);
        self.labels
    }
}

/// Whether two labels without a known place are described alike. A change has what it was beside it.
fn same_facts(a: &LabelChange, b: &LabelChange) -> bool {
    let was = a.facts.before.as_deref();
    let moved = was.is_some_and(|was| was.geometry.is_some() || !was.html.is_empty());
    !moved && a.facts.html == b.facts.html && a.facts.geometry == b.facts.geometry
}

fn first_frame(label: &LabelChange) -> u64 {
    label.facts.frames.first().map_or(0, |[from, _]| *from)
}

/// Pairs that may be one label, with how much they have in common: place in `gone`, place in `new`, 0 to 1. Only labels
/// that lie above each other somewhere are looked at.
fn candidates(
    sides: &Sides<'_>,
    gone: &[&LabelChange],
    new: &[&LabelChange],
) -> Vec<(usize, usize, f64)> {
    let across = |side: usize, label: &LabelChange| {
        let placed = sides.placed[side].get(&label.hash).and_then(Placed::across);
        placed.unwrap_or((f64::NEG_INFINITY, f64::INFINITY))
    };
    let sorted = |side: usize, all: &[&LabelChange]| {
        let each = all.iter().enumerate();
        let mut all: Vec<(usize, (f64, f64))> =
            each.map(|(at, label)| (at, across(side, label))).collect();
        all.sort_by(|a, b| a.1.0.total_cmp(&b.1.0));
        all
    };
    let (ones, twos) = (sorted(0, gone), sorted(1, new));
    let widest = twos
        .iter()
        .map(|(_, (from, to))| to - from)
        .fold(0.0, f64::max);
    let (mut first, mut pairs) = (0, Vec::new());
    for (a, (from, to)) in ones {
        let from = from - PAIRED_WITHIN;
        while twos
            .get(first)
            .is_some_and(|(_, (left, _))| left + widest < from)
        {
            first += 1;
        }
        let reach = twos[first..]
            .iter()
            .take_while(|(_, (left, _))| *left <= to + PAIRED_WITHIN);
        for (b, _) in reach.filter(|(_, (_, right))| *right >= from) {
            let common = in_common(sides, gone[a], new[*b]);
            pairs.extend(common.map(|common| (a, *b, common)));
        }
    }
    pairs
}

/// How much two labels of one class have in common, if that is enough to be one label.
fn in_common(sides: &Sides<'_>, a: &LabelChange, b: &LabelChange) -> Option<f64> {
    if !is_object(a) {
        let shares = |[from, to]: &[u64; 2]| {
            b.facts
                .frames
                .iter()
                .any(|[first, last]| first <= to && from <= last)
        };
        let anywhere = a.facts.frames.is_empty() && b.facts.frames.is_empty();
        // Of several on a frame those with the same answers are one.
        let alike = if sides.same_answers(&a.hash, &b.hash) {
            1.0
        } else {
            PAIRED
        };
        return (anywhere || a.facts.frames.iter().any(shares)).then_some(alike);
    }
    let near = sides.near(a, b);
    match (near.overlap, near.distance) {
        (Some(overlap), _) => (overlap >= PAIRED).then_some(overlap),
        (None, Some(distance)) => {
            (distance <= PAIRED_WITHIN).then(|| 1.0 - distance / PAIRED_WITHIN * (1.0 - PAIRED))
        }
        (None, None) => (same_facts(a, b) && near.same_frames).then_some(1.0),
    }
}
