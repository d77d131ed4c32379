//! Changes to a label row: add, classify, answer, remove. Each either happens whole or not at all.

use super::super::answer::{encode, snake};
use super::super::{Answer, HtmlRange, ModelError, ModelResult};
use super::LabelRow;
use super::new::{NewClassification, NewLabel, NewObject, Span, locate, put};
use super::place::merged;
use super::read::{html_ranges, ranges};
use serde_json::{Map, Value, json};
use std::sync::Arc;

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
        match self.object(hash) {
            Some(known) if known.feature_hash() == object.object.feature_hash => {}
            _ => {
                return Err(ModelError::Unknown(format!(
                    "there is no \"{}\" with the hash {hash}",
                    object.object.name
                )));
            }
        }
        self.add_object(object, Some(hash)).map(drop)
    }

    /// Answers a classification for the whole data unit, by title. What was answered before is
    /// replaced; the same answer is no change. Gives the classification's hash.
    ///
    /// # Errors
    /// [`ModelError::Unknown`] for a title or an option that is not in the ontology,
    /// [`ModelError::Invalid`] for an answer of the wrong sort.
    pub fn classify(&mut self, title: &str, answer: impl Into<Answer>) -> ModelResult<String> {
        self.check_blob()?;
        let ontology = Arc::clone(&self.ontology);
        let new = ontology.classification(title)?.answer(answer)?;
        let feature = new.classification.feature_hash.as_str();
        let old: Vec<String> = self
            .classifications()
            .iter()
            .filter(|c| c.feature_hash() == feature)
            .map(|c| c.hash().to_owned())
            .collect();
        let Some((first, rest)) = old.split_first() else {
            return self.add_classification(&new);
        };
        for hash in rest {
            self.remove(hash);
        }
        let whole = self.whole_for(new.classification);
        self.answer_again(first, new.answers, whole);
        Ok(first.clone())
    }

    /// New answers and range for a classification that is there; the same ones are no change.
    pub(super) fn answer_again(&mut self, hash: &str, answers: Vec<Value>, range: Value) {
        let entry = &self.labels()["classification_answers"][hash];
        if entry["range"] == range && same_answers(&entry["classifications"], &answers) {
            return;
        }
        let now = self.now();
        let entry = &mut self.labels_mut()["classification_answers"][hash];
        entry["classifications"] = Value::Array(answers);
        entry["range"] = range;
        entry["lastEditedAt"] = json!(now);
    }

    /// Answers an attribute of an object that is already there.
    ///
    /// # Errors
    /// [`ModelError::Unknown`] for a hash, an attribute or an option that is not there,
    /// [`ModelError::Invalid`] for an answer of the wrong sort.
    pub fn answer(
        &mut self,
        hash: &str,
        attribute: &str,
        answer: impl Into<Answer>,
    ) -> ModelResult<()> {
        self.check_blob()?;
        let ontology = Arc::clone(&self.ontology);
        let Some(object) = self.object(hash) else {
            return Err(ModelError::Unknown(format!(
                "there is no object with the hash {hash}"
            )));
        };
        let kind = ontology.object(object.feature_hash())?;
        let answered = &self.labels()["object_answers"][hash]["classifications"];
        let mut entries = answered.as_array().cloned().unwrap_or_default();
        let found = locate(&kind.attributes, attribute, &kind.name, &entries)?;
        if found.dynamic {
            return Err(ModelError::Invalid(format!(
                "\"{}\" may change from frame to frame",
                found.name
            )));
        }
        let entry = encode(found, &answer.into(), true)?;
        if entries.contains(&entry) {
            return Ok(());
        }
        put(&mut entries, entry);
        let hash_value = json!(hash);
        let slot = self
            .section_mut("object_answers")
            .entry(hash)
            .or_insert_with(|| json!({"objectHash": hash_value}));
        slot["classifications"] = Value::Array(entries);
        Ok(())
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
            put(&mut answers, answer.clone());
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
        if new.actions.is_empty() {
            return;
        }
        let entry = self
            .section_mut("object_actions")
            .entry(hash)
            .or_insert_with(|| json!({"objectHash": hash, "actions": []}));
        if let Some(actions) = entry["actions"].as_array_mut() {
            for (answer, span) in &new.actions {
                let mut action = answer.clone();
                action["dynamic"] = json!(true);
                action["range"] = merged(span.clone());
                action["shouldPropagate"] = json!(false);
                actions.push(action);
            }
        }
    }

    fn add_classification(&mut self, new: &NewClassification<'_>) -> ModelResult<String> {
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
                list.iter().try_for_each(|(_, to)| self.check_frame(*to))?;
                merged(list.clone())
            }
        };
        let wanted = ranges(&json!({"range": range}));
        let feature = new.classification.feature_hash.as_str();
        let overlap = self
            .classifications()
            .iter()
            .filter(|c| c.feature_hash() == feature)
            .any(|c| {
                kind.global
                    || c.ranges()
                        .iter()
                        .any(|(a, b)| wanted.iter().any(|(from, to)| a <= to && from <= b))
            });
        if overlap {
            return Err(ModelError::Invalid(format!(
                "\"{}\" is already answered there; use classify to replace the answer",
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
        Ok(hash)
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

/// Equal but for whether a person made them.
fn same_answers(old: &Value, new: &[Value]) -> bool {
    let core = |v: &Value| (v["featureHash"].clone(), v["answers"].clone());
    old.as_array().is_some_and(|old| {
        old.len() == new.len() && old.iter().zip(new).all(|(a, b)| core(a) == core(b))
    })
}
