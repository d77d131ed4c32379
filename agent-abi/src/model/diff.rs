//! What changed between two states of a label row: objects and classifications by their hashes.
//!
//! How a change is drawn is left to the screen.

use super::described::{LabelFacts, answers};
use super::labels::ChangedPart;
use super::{Classification, LabelRow, Object, Ontology};
use serde_json::Value;
use std::collections::{HashMap, HashSet};

/// What happened to a label.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LabelChangeKind {
    /// It is new.
    Added,
    /// It is gone.
    Removed,
    /// It is there in both, but not the same.
    Changed,
}

/// One changed label.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct LabelChange {
    /// What happened.
    pub kind: LabelChangeKind,
    /// Whether it is an object (else a classification).
    pub is_object: bool,
    /// Its kind in the ontology.
    pub name: String,
    /// Its hash.
    pub hash: String,
    /// Frames it is on or was on, ascending ranges, both ends included.
    pub frames: Vec<(u64, u64)>,
    /// A text a person can read: place, shape, answers; `before → after` for a change.
    pub detail: String,
    /// The same as fields; of a removed label as it was.
    pub facts: Box<LabelFacts>,
}

/// Lists what differs, in the order of their first frames, names and hashes. Who made a label and when does not
/// count.
#[must_use]
pub fn diff(before: &LabelRow, after: &LabelRow) -> Vec<LabelChange> {
    let mut out = Vec::new();
    compare((before, after), None, &mut out);
    for part in after.changed_parts(before) {
        compare((&part.before, &part.after), Some(&part), &mut out);
    }
    out.sort_by(|one, other| place_of(one).cmp(&place_of(other)));
    out
}

/// Part, first frame, name, hash.
fn place_of(change: &LabelChange) -> (Option<&str>, u64, &str, &str) {
    let first = change.frames.first().map_or(0, |(from, _)| *from);
    (
        change.facts.part.as_deref(),
        first,
        &change.name,
        &change.hash,
    )
}

/// A label reduced to what counts. Nothing of it is copied: most labels are the same in both rows.
pub(super) struct Fact<'r> {
    pub hash: &'r str,
    name: &'r str,
    /// The part of a data group that it lies on.
    pub part: Option<&'r str>,
    /// Frames or ranges.
    pub frames: Vec<(u64, u64)>,
    /// Everything else that is compared.
    pub values: Vec<&'r Value>,
    /// Its authors, beside the values.
    pub answers: &'r Value,
    /// Its dynamic answers.
    actions: &'r Value,
    pub label: Label<'r>,
}

pub(super) enum Label<'r> {
    Object(Object<'r>),
    /// An object on a part of a data group, as it stands on its first frame there.
    OnPart(&'r Value),
    Classification(Classification<'r>),
}

impl Fact<'_> {
    /// Whether both are the same but for who and when.
    pub(super) fn same(&self, other: &Fact<'_>) -> bool {
        self.part == other.part
            && self.frames == other.frames
            && self.values.len() == other.values.len()
            && (self.values.iter().zip(&other.values)).all(|(one, other)| same(one, other))
    }

    /// Its fields; what it is drawn as on `frame`.
    fn describe(&self, row: &LabelRow, frame: Option<u64>) -> LabelFacts {
        let mut facts = LabelFacts::default();
        let ontology = row.ontology();
        match &self.label {
            Label::Object(object) => {
                facts.put(row, &self.frames);
                let html = self.answers["range_html"].as_array();
                facts.html = html.cloned().unwrap_or_default();
                let kind = (object.feature_hash(), object.shape());
                self.object(&mut facts, &ontology, (kind.0, kind.1.word()));
                let drawn = frame.and_then(|frame| Some((frame, object.on_frame(frame)?)));
                if let Some((frame, entry)) = drawn {
                    facts.draw(entry, row.size_at(frame));
                    facts.geometry_frame = (self.count() > 1).then_some(frame);
                }
            }
            // Parts are compared as rows of their own.
            Label::OnPart(_) => {}
            Label::Classification(class) => {
                facts.kind = "classification".to_owned();
                // Of a sound or a text it is about the whole.
                if !row.data_type().has_ranges() {
                    facts.put(row, &self.frames);
                }
                let mut kinds = ontology.classifications.iter();
                let kind = kinds.find(|kind| kind.feature_hash == class.feature_hash());
                let attributes = kind.map_or(&[][..], |kind| &kind.attributes);
                facts.answers = answers(&self.answers["classifications"], attributes);
                let sure = self.answers["confidence"].as_f64();
                facts.confidence = sure.filter(|sure| *sure < 1.0);
            }
        }
        facts
    }

    /// Shape and answers of an object of the kind with that feature hash, dynamic answers too.
    fn object(&self, facts: &mut LabelFacts, ontology: &Ontology, (kind, shape): (&str, &str)) {
        facts.kind = "object".to_owned();
        facts.shape = Some(shape.to_owned());
        let mut kinds = ontology.objects.iter();
        let kind = kinds.find(|known| known.feature_hash == kind);
        let attributes = kind.map_or(&[][..], |kind| &kind.attributes);
        facts.answers = answers(&self.answers["classifications"], attributes);
        facts.answers.extend(answers(self.actions, attributes));
    }

    /// Frames that it is on.
    fn count(&self) -> u64 {
        self.frames
            .iter()
            .map(|(from, to)| to.saturating_sub(*from) + 1)
            .sum()
    }

    /// The first frame that both are on and where they differ, else the first one.
    fn first_difference(&self, other: &Fact<'_>) -> Option<u64> {
        let (Label::Object(one), Label::Object(two)) = (&self.label, &other.label) else {
            return self.frames.first().map(|(from, _)| *from);
        };
        let frames = one.frames();
        let differs = |frame: &&u64| match (one.on_frame(**frame), two.on_frame(**frame)) {
            (Some(one), Some(two)) => !same(one, two),
            _ => false,
        };
        frames
            .iter()
            .find(differs)
            .or_else(|| frames.first())
            .copied()
    }
}

pub(super) fn facts(row: &LabelRow, objects: bool) -> Vec<Fact<'_>> {
    if objects {
        let mut all = on_parts(row);
        let known: HashSet<&str> = all.iter().map(|fact| fact.hash).collect();
        let others = row.every_object().into_iter();
        let others = others.filter(|object| !known.contains(object.hash()));
        all.extend(others.map(|object| of_object(row, object)));
        all
    } else {
        let all = row.every_classification().into_iter();
        all.map(|class| of_classification(row, class)).collect()
    }
}

/// Those that are not on a part that is compared by itself.
fn facts_of_the_whole(row: &LabelRow, objects: bool) -> Vec<Fact<'_>> {
    let mut all = facts(row, objects);
    all.retain(|fact| match &fact.label {
        Label::OnPart(_) => false,
        Label::Object(object) if !object.frames().is_empty() => true,
        _ => !row.only_on_known_parts(fact.answers),
    });
    all
}

/// The place of each label; of two with one hash the first counts.
fn places<'f>(facts: &'f [Fact<'_>]) -> HashMap<&'f str, usize> {
    let all = facts.iter().enumerate().rev();
    all.map(|(i, fact)| (fact.hash, i)).collect()
}

/// Adds what differs between the rows, which may be those of a part of a data group.
fn compare(rows: (&LabelRow, &LabelRow), part: Option<&ChangedPart>, out: &mut Vec<LabelChange>) {
    for is_object in [true, false] {
        compare_some(rows, is_object, part, out);
    }
}

fn compare_some(
    rows: (&LabelRow, &LabelRow),
    is_object: bool,
    part: Option<&ChangedPart>,
    out: &mut Vec<LabelChange>,
) {
    let before = facts_of_the_whole(rows.0, is_object);
    let after = facts_of_the_whole(rows.1, is_object);
    let (old_places, new_places) = (places(&before), places(&after));
    let data = rows.1.data_type();
    let change = |kind, fact: &Fact<'_>, mut was: Option<LabelFacts>, mut facts: LabelFacts| {
        for facts in was.iter_mut().chain([&mut facts]) {
            facts.part = part.map(|part| part.name.clone());
            facts.part_file = part.and_then(|part| part.file.clone());
        }
        let detail = facts.phrase(was.as_ref(), &data);
        if let Some(was) = was {
            facts.keep_before(was);
        }
        LabelChange {
            kind,
            is_object,
            name: fact.name.to_owned(),
            hash: fact.hash.to_owned(),
            frames: fact.frames.clone(),
            detail,
            facts: Box::new(facts),
        }
    };
    let first = |fact: &Fact<'_>| fact.frames.first().map(|(from, _)| *from);
    for new in &after {
        match old_places.get(new.hash).map(|i| &before[*i]) {
            None => {
                let facts = new.describe(rows.1, first(new));
                out.push(change(LabelChangeKind::Added, new, None, facts));
            }
            Some(old) if !old.same(new) => {
                let frame = new.first_difference(old);
                let (was, is) = (old.describe(rows.0, frame), new.describe(rows.1, frame));
                out.push(change(LabelChangeKind::Changed, new, Some(was), is));
            }
            Some(_) => {}
        }
    }
    let gone = before.iter();
    for old in gone.filter(|old| !new_places.contains_key(old.hash)) {
        let facts = old.describe(rows.0, first(old));
        out.push(change(LabelChangeKind::Removed, old, None, facts));
    }
}

/// The objects on the parts of a data group.
fn on_parts(row: &LabelRow) -> Vec<Fact<'_>> {
    let mut facts: Vec<Fact<'_>> = Vec::new();
    let mut places: HashMap<(&str, &str), usize> = HashMap::new();
    for (part, frame, object) in row.objects_on_parts() {
        let Some(hash) = object.get("objectHash").and_then(Value::as_str) else {
            continue;
        };
        let place = *places.entry((part, hash)).or_insert_with(|| {
            facts.push(Fact {
                hash,
                name: object["name"].as_str().unwrap_or_default(),
                part: Some(row.part_name(part)),
                frames: Vec::new(),
                values: Vec::new(),
                answers: &row.labels()["object_answers"][hash],
                actions: &row.labels()["object_actions"][hash]["actions"],
                label: Label::OnPart(object),
            });
            facts.len() - 1
        });
        facts[place].frames.push((frame, frame));
        facts[place].values.push(object);
    }
    for fact in &mut facts {
        let frames: Vec<u64> = fact.frames.iter().map(|(frame, _)| *frame).collect();
        fact.frames = joined(&frames);
        fact.values.extend([fact.answers, fact.actions]);
    }
    facts
}

fn of_object<'r>(row: &'r LabelRow, object: Object<'r>) -> Fact<'r> {
    let frames = object.frames();
    let mut values: Vec<&Value> = (frames.iter().filter_map(|f| object.on_frame(*f))).collect();
    let answers = &row.labels()["object_answers"][object.hash()];
    let actions = &row.labels()["object_actions"][object.hash()]["actions"];
    values.extend([answers, actions]);
    let frames = if frames.is_empty() {
        object.ranges()
    } else {
        joined(&frames)
    };
    Fact {
        hash: object.hash(),
        name: object.name(),
        part: row.part_of_answer("object_answers", object.hash()),
        frames,
        values,
        answers,
        actions,
        label: Label::Object(object),
    }
}

fn of_classification<'r>(row: &'r LabelRow, classification: Classification<'r>) -> Fact<'r> {
    let entry = &row.labels()["classification_answers"][classification.hash()];
    Fact {
        hash: classification.hash(),
        name: classification.title(),
        part: row.part_of_answer("classification_answers", classification.hash()),
        frames: classification.ranges(),
        // Those of a data group name their parts in the answer itself.
        values: vec![
            &entry["classifications"],
            &entry["confidence"],
            &entry["spaces"],
        ],
        answers: entry,
        actions: &Value::Null,
        label: Label::Classification(classification),
    }
}

/// Who made it and when.
pub(super) const NOISE: [&str; 6] = [
    "createdAt",
    "createdBy",
    "lastEditedAt",
    "lastEditedBy",
    "manualAnnotation",
    "objectNumber",
];

/// Whether two values are the same but for who and when.
fn same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Object(one), Value::Object(other)) => {
            let counts = |(key, _): &(&String, &Value)| !NOISE.contains(&key.as_str());
            one.iter().filter(counts).count() == other.iter().filter(counts).count()
                && (one.iter().filter(counts))
                    .all(|(key, value)| other.get(key).is_some_and(|other| same(value, other)))
        }
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| same(one, other))
        }
        (one, other) => one == other,
    }
}

fn joined(frames: &[u64]) -> Vec<(u64, u64)> {
    let mut out: Vec<(u64, u64)> = Vec::new();
    for frame in frames {
        match out.last_mut() {
            Some((_, end)) if *end + 1 == *frame => *end = *frame,
            _ => out.push((*frame, *frame)),
        }
    }
    out
}
