//! Changes to a label row: add, extend, remove. Each either happens whole or not at all. Answers to what is
//! there already are in `answering`.

use super::super::answer::snake;
use super::super::{HtmlRange, ModelError, ModelResult, OntologyClassification};
use super::LabelRow;
use super::answers::{put, put_on};
use super::new::{NewClassification, NewLabel, NewObject, Span, forwards};
use super::place::merged;
use super::read::{html_ranges, ranges};
use serde_json::{Map, Value, json};

impl LabelRow {
    /// Adds an object or a classification; gives its new hash.
    ///
    /// # Errors
    /// [`ModelError::Invalid`] when the data have no such frame, cannot carry this label, or already
    /// have that classification there; nothing is changed then.
    pub fn add<'o>(&mut self, label: impl Into<NewLabel<'o>>) -> ModelResult<String> {
        self.check_blob()?;
        match label.into() {
            NewLabel::Object(object) => self.add_object(&object, None),
            NewLabel::Classification(classification) => self.add_classification(&classification),
        }
    }

    /// Shows an existing object on more frames; a frame it is already on gets the new geometry.
    ///
    /// # Errors
    /// As [`LabelRow::add`], and [`ModelError::Unknown`] when there is no such object of that kind.
    pub fn add_to(&mut self, hash: &str, object: &NewObject<'_>) -> ModelResult<()> {
        self.check_blob()?;
        match self.kind_of(hash) {
            Some(known) if known == object.object.feature_hash => {}
            _ => {
                return Err(ModelError::Unknown(format!(
                    "there is no \"{}\" with the hash {hash}",
                    object.object.name
                )));
            }
        }
        self.add_object(object, Some(hash)).map(drop)
    }

    /// Takes an object or a classification away; whether it was there.
    pub fn remove(&mut self, hash: &str) -> bool {
        let known = self.object(hash).is_some()
            || ["object_answers", "object_actions", "classification_answers"]
                .iter()
                .any(|section| {
                    self.labels()
                        .get(*section)
                        .is_some_and(|s| s.get(hash).is_some())
                });
        if !known {
            return false;
        }
        self.kinds.remove(hash);
        self.classified.clear();
        for section in ["object_answers", "object_actions", "classification_answers"] {
            if self.labels().get(section).is_some() {
                self.section_mut(section).remove(hash);
            }
        }
        let units = self
            .labels_mut()
            .get_mut("data_units")
            .and_then(Value::as_object_mut);
        for unit in units.into_iter().flat_map(Map::values_mut) {
            let Some(labels) = unit.get_mut("labels").and_then(Value::as_object_mut) else {
                continue;
            };
            if labels.get("objects").is_some_and(Value::is_array) {
                without(labels, hash);
            } else {
                labels
                    .values_mut()
                    .filter_map(Value::as_object_mut)
                    .for_each(|frame| without(frame, hash));
                let bare = |key: &str, frame: &Value| {
                    let list = frame.get(key).and_then(Value::as_array);
                    list.is_none_or(Vec::is_empty)
                };
                labels
                    .retain(|_, frame| !bare("objects", frame) || !bare("classifications", frame));
            }
        }
        true
    }

    fn add_object(&mut self, new: &NewObject<'_>, known: Option<&str>) -> ModelResult<String> {
        let frames = self.object_frames(new)?;
        let now = self.now();
        let hash = known.map_or_else(|| self.fresh_hash(&new.object.name), str::to_owned);
        let value = frame_object(new, &hash, &now);
        // All places are looked up before the first is written.
        let mut places = Vec::with_capacity(frames.len());
        for frame in &frames {
            let unit = self.unit_of(*frame)?;
            self.check_mask(new, &unit)?;
            places.push(unit);
        }
        for (frame, unit) in frames.iter().zip(&places) {
            let objects = self.objects_on(unit, *frame)?;
            // A new hash is on no frame yet; looking for it would make many additions slow.
            let old = known.and_then(|hash| objects.iter_mut().find(|o| o["objectHash"] == hash));
            match old {
                Some(old) => *old = value.clone(),
                None => objects.push(value.clone()),
            }
        }
        self.write_answers(new, &hash, &now);
        let kind = &new.object.feature_hash;
        self.kinds.insert(hash.clone(), kind.clone());
        Ok(hash)
    }

    /// The answers and actions of an object; for audio and text all of it.
    fn write_answers(&mut self, new: &NewObject<'_>, hash: &str, now: &str) {
        let entry = self
            .section_mut("object_answers")
            .entry(hash)
            .or_insert_with(|| json!({"objectHash": hash, "classifications": []}));
        let mut answers = entry["classifications"]
            .as_array()
            .cloned()
            .unwrap_or_default();
        for answer in &new.answers {
            put(&mut answers, answer.clone(), &new.object.attributes);
        }
        entry["classifications"] = Value::Array(answers);
        if !new.ranges.is_empty() || !new.html.is_empty() {
            let mut all = ranges(entry);
            all.extend(&new.ranges);
            if !new.html.is_empty() {
                let mut html = html_ranges(entry);
                html.extend(new.html.iter().cloned());
                entry["range_html"] = html.iter().map(HtmlRange::to_value).collect();
            }
            let created = entry
                .get("createdAt")
                .cloned()
                .unwrap_or_else(|| json!(now));
            for (key, value) in [
                ("featureHash", json!(new.object.feature_hash)),
                ("name", json!(new.object.name)),
                ("color", json!(new.object.color)),
                ("shape", json!(new.object.shape.word())),
                ("value", json!(snake(&new.object.name))),
                ("range", merged(all)),
                ("createdBy", Value::Null),
                ("createdAt", created),
                ("lastEditedBy", Value::Null),
                ("lastEditedAt", json!(now)),
                ("manualAnnotation", json!(new.manual)),
            ] {
                entry[key] = value;
            }
        }
        for action in &new.actions {
            for span in ranges(action) {
                let actions = self.actions_mut(hash);
                put_on(actions, action.clone(), span, &new.object.attributes);
            }
        }
    }

    pub(super) fn add_classification(
        &mut self,
        new: &NewClassification<'_>,
    ) -> ModelResult<String> {
        let kind = new.classification;
        let range = match &new.span {
            Span::Default => self.whole_for(kind),
            Span::Frames(_) if kind.global => {
                return Err(ModelError::Invalid(format!(
                    "\"{}\" is said once of the whole: leave the frames out",
                    kind.title()
                )));
            }
            Span::Frames(list) => {
                for (from, to) in list {
                    forwards(*from, *to)?;
                    self.check_frame(*to)?;
                }
                merged(list.clone())
            }
        };
        let wanted = ranges(&json!({"range": range}));
        let feature = new.classification.feature_hash.as_str();
        let before = self.classified_ranges(kind);
        let meets = |(a, b): &(u64, u64)| wanted.iter().any(|(from, to)| a <= to && from <= b);
        if kind.global && !before.is_empty() || before.iter().any(meets) {
            return Err(ModelError::Invalid(format!(
                "\"{}\" is already answered there; use classify to replace the answer of the whole, or remove it first",
                new.classification.title()
            )));
        }
        let now = self.now();
        let hash = self.fresh_hash(new.classification.title());
        let entry = json!({
            "classifications": new.answers,
            "classificationHash": hash,
            "featureHash": feature,
            "spaces": {},
            "range": range,
            "createdBy": null,
            "createdAt": now,
            "lastEditedBy": null,
            "lastEditedAt": now,
            "confidence": new.confidence,
            "manualAnnotation": new.manual,
        });
        self.section_mut("classification_answers")
            .insert(hash.clone(), entry);
        self.classified_ranges(kind)
            .extend(if kind.global { vec![(0, 0)] } else { wanted });
        Ok(hash)
    }

    /// The ranges that a kind of classification is said of; one of the whole stands as frame 0.
    fn classified_ranges(&mut self, kind: &OntologyClassification) -> &mut Vec<(u64, u64)> {
        let feature = kind.feature_hash.as_str();
        if !self.classified.contains_key(feature) {
            let all = self.classifications();
            let own = all.iter().filter(|c| c.feature_hash() == feature);
            let list = own.flat_map(|c| {
                if kind.global {
                    vec![(0, 0)]
                } else {
                    c.ranges()
                }
            });
            let list = list.collect();
            self.classified.insert(feature.to_owned(), list);
        }
        self.classified.entry(feature.to_owned()).or_default()
    }
}

fn frame_object(new: &NewObject<'_>, hash: &str, now: &str) -> Value {
    let mut value = json!({
        "name": new.object.name,
        "color": new.object.color,
        "shape": new.object.shape.word(),
        "value": snake(&new.object.name),
        "createdAt": now,
        "createdBy": null,
        "confidence": new.confidence,
        "objectHash": hash,
        "featureHash": new.object.feature_hash,
        "manualAnnotation": new.manual,
        "lastEditedAt": now,
    });
    for (key, geometry) in &new.geometry {
        value[&**key] = geometry.clone();
    }
    value
}

fn without(labels: &mut Map<String, Value>, hash: &str) {
    if let Some(objects) = labels.get_mut("objects").and_then(Value::as_array_mut) {
        objects.retain(|o| o["objectHash"] != hash);
    }
}
