//! Changes to a label row: add, classify, answer, remove. Each either happens whole or not at all.

use super::super::answer::{encode, snake};
use super::super::when::long_date;
use super::super::{Answer, BoundingBox, ModelError, ModelResult};
use super::new::{NewClassification, NewLabel, NewObject, Span, locate, put};
use super::read::{ranges, sequence};
use super::{DataType, LabelRow};
use crate::wire::AddLabel;
use serde_json::{Map, Value, json};
use std::sync::Arc;
use std::time::SystemTime;
use uuid::Uuid;

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
        let range = self.whole();
        let now = self.now();
        let entry = &self.labels()["classification_answers"][first];
        if rest.is_empty()
            && entry["range"] == range
            && same_answers(&entry["classifications"], &new.answers)
        {
            return Ok(first.clone());
        }
        for hash in rest {
            self.remove(hash);
        }
        let entry = &mut self.labels_mut()["classification_answers"][first];
        entry["classifications"] = Value::Array(new.answers);
        entry["range"] = range;
        entry["lastEditedAt"] = json!(now);
        Ok(first.clone())
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
                .any(|section| self.section(section).any(|(k, _)| k == hash));
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

    /// Applies a label named by an agent without a label model; gives its hash.
    ///
    /// # Errors
    /// As [`LabelRow::add`] and [`LabelRow::classify`], and [`ModelError::Invalid`] when it says
    /// neither a box nor an answer.
    pub fn apply(&mut self, label: &AddLabel) -> ModelResult<String> {
        let ontology = Arc::clone(&self.ontology);
        let confidence = label.confidence.unwrap_or(1.0);
        if let Some(area) = &label.bounding_box {
            let area = BoundingBox::from_value(area)
                .ok_or_else(|| ModelError::Invalid("a box has x, y, w and h, 0 to 1".to_owned()))?;
            let object = ontology.object(&label.name)?.boxed(area)?;
            let object = object.on_frame(label.frame).confidence(confidence)?;
            return match &label.answer {
                None => self.add(object),
                Some(_) => Err(ModelError::Invalid(format!(
                    "\"{}\": a box takes no answer here",
                    label.name
                ))),
            };
        }
        let Some(answer) = &label.answer else {
            return Err(ModelError::Invalid(format!(
                "\"{}\" has neither a boundingBox nor an answer",
                label.name
            )));
        };
        let new = ontology
            .classification(&label.name)?
            .answer(answer.as_str())?
            .confidence(confidence)?;
        self.add(new.on_frame(label.frame))
    }

    fn add_object(&mut self, new: &NewObject<'_>, known: Option<&str>) -> ModelResult<String> {
        let frames = self.object_frames(new)?;
        let now = self.now();
        let hash = known.map_or_else(|| self.fresh_hash(&new.object.name), str::to_owned);
        let value = frame_object(new, &hash, &now);
        // All places are looked up before the first is written.
        let mut places = Vec::with_capacity(frames.len());
        for frame in &frames {
            places.push(self.unit_of(*frame)?);
        }
        for (frame, unit) in frames.iter().zip(&places) {
            let objects = self.objects_on(unit, *frame)?;
            match objects
                .iter_mut()
                .find(|o| o["objectHash"] == hash.as_str())
            {
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
        if !new.ranges.is_empty() {
            let mut all = ranges(entry);
            all.extend(&new.ranges);
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
        let range = match &new.span {
            Span::Default => self.whole(),
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
                c.ranges()
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

    fn object_frames(&self, new: &NewObject<'_>) -> ModelResult<Vec<u64>> {
        let data = self.data_type();
        if data.has_ranges() != new.geometry.is_empty() {
            return Err(ModelError::Invalid(format!(
                "\"{}\" is a {} and does not fit on data of the type {}",
                new.object.name,
                new.object.shape.word(),
                data.word()
            )));
        }
        if data.has_ranges() {
            return Ok(Vec::new());
        }
        let list = match &new.span {
            Span::Default => vec![(0, 0)],
            Span::Frames(list) => list.clone(),
        };
        for (_, to) in &list {
            self.check_frame(*to)?;
        }
        let mut frames: Vec<u64> = list.into_iter().flat_map(|(from, to)| from..=to).collect();
        frames.sort_unstable();
        frames.dedup();
        Ok(frames)
    }

    fn check_frame(&self, frame: u64) -> ModelResult<()> {
        match self.frame_count() {
            Some(count) if frame >= count && !self.data_type().has_ranges() => {
                Err(ModelError::Invalid(format!(
                    "there is no frame {frame}: \"{}\" has {count}, counted from 0",
                    self.title()
                )))
            }
            // Without a count a wild range would be written out frame by frame.
            None if frame > 10_000_000 => Err(ModelError::Invalid(format!(
                "frame {frame} is beyond any video"
            ))),
            _ => Ok(()),
        }
    }

    /// Every frame of the data unit, as a `range`.
    fn whole(&self) -> Value {
        let last = match self.data_type() {
            data if data.has_ranges() => 0,
            _ => self.frame_count().map_or(0, |count| count - 1),
        };
        json!([[0, last]])
    }

    /// Key of the data unit that carries a frame.
    fn unit_of(&self, frame: u64) -> ModelResult<String> {
        let units = self
            .units()
            .ok_or_else(|| ModelError::Malformed("the label row has no data_units".to_owned()))?;
        let found = match self.data_type() {
            DataType::ImgGroup => units.iter().find(|(_, unit)| sequence(unit) == frame),
            DataType::Image | DataType::Video | DataType::Pdf => units.iter().next(),
            other => {
                let text = format!(
                    "drawing on data of the type {} is not supported yet",
                    other.word()
                );
                return Err(ModelError::Invalid(text));
            }
        };
        let (key, _) =
            found.ok_or_else(|| ModelError::Invalid(format!("the data have no image {frame}")))?;
        Ok(key.clone())
    }

    /// The list of objects on a frame, made when it is not there.
    fn objects_on(&mut self, unit: &str, frame: u64) -> ModelResult<&mut Vec<Value>> {
        let by_frame = matches!(self.data_type(), DataType::Video | DataType::Pdf);
        let mut labels = &mut self.labels_mut()["data_units"][unit]["labels"];
        if by_frame {
            if labels.is_null() {
                *labels = json!({});
            }
            labels = &mut labels[frame.to_string()];
        }
        if labels.is_null()
            || labels
                .as_object()
                .is_some_and(|map| !map.contains_key("objects"))
        {
            let classifications = labels
                .get("classifications")
                .cloned()
                .unwrap_or_else(|| json!([]));
            *labels = json!({"objects": [], "classifications": classifications});
        }
        labels["objects"].as_array_mut().ok_or_else(|| {
            ModelError::Malformed(format!("the objects of frame {frame} are no list"))
        })
    }

    fn check_blob(&self) -> ModelResult<()> {
        if self
            .labels()
            .get("data_units")
            .is_some_and(Value::is_object)
        {
            return Ok(());
        }
        Err(ModelError::Malformed(
            "the label row has no data_units; it cannot be written to".to_owned(),
        ))
    }

    fn labels_mut(&mut self) -> &mut Value {
        self.changed = true;
        self.labels.get_mut()
    }

    fn section_mut(&mut self, key: &str) -> &mut Map<String, Value> {
        let section = &mut self.labels_mut()[key];
        if !section.is_object() {
            *section = json!({});
        }
        section.as_object_mut().expect("was just made")
    }

    fn now(&self) -> String {
        long_date(self.clock.unwrap_or_else(SystemTime::now))
    }

    /// Eight characters of the base64 alphabet. They depend on the row and on what was made in it
    /// before, so that the same agent on the same input gives the same labels.
    fn fresh_hash(&mut self, name: &str) -> String {
        let key = |key: &str| self.fact(key).map(Value::to_string).unwrap_or_default();
        let seed = ["label_hash", "data_hash", "branch_name", "last_edited_at"]
            .map(key)
            .join("/");
        loop {
            self.made += 1;
            let uuid = Uuid::new_v5(
                &Uuid::NAMESPACE_OID,
                format!("{seed}/{name}/{}", self.made).as_bytes(),
            );
            let hash = short(uuid);
            let taken = ["object_answers", "classification_answers"]
                .iter()
                .any(|section| self.section(section).any(|(k, _)| k == hash));
            if !taken && self.object(&hash).is_none() {
                return hash;
            }
        }
    }
}

fn short(uuid: Uuid) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let bits = uuid.as_bytes()[..6]
        .iter()
        .fold(0u64, |bits, byte| bits << 8 | u64::from(*byte));
    (0..8)
        .map(|i| char::from(ALPHABET[(bits >> (42 - 6 * i) & 63) as usize]))
        .collect()
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
        value[*key] = geometry.clone();
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

/// Sorted ranges with neighbours joined, as JSON.
fn merged(mut list: Vec<(u64, u64)>) -> Value {
    list.sort_unstable();
    let mut out: Vec<(u64, u64)> = Vec::with_capacity(list.len());
    for (from, to) in list {
        match out.last_mut() {
            Some((_, end)) if from <= end.saturating_add(1) => *end = (*end).max(to),
            _ => out.push((from, to)),
        }
    }
    json!(out)
}
