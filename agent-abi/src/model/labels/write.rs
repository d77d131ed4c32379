//! Changes to a label row: add, extend, remove. Each either happens whole or not at all. Answers to what is
//! there already are in `answering`.

use super::super::answer::snake;
use super::super::{HtmlRange, ModelError, ModelResult, OntologyClassification};
use super::LabelRow;
use super::answers::put;
use super::index::{Place, take_out};
use super::new::{NewClassification, NewLabel, NewObject, Span, forwards};
use super::place::merged;
use super::read::ranges;
use super::track::Track;
use serde_json::{Value, json};

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

    /// Shows an existing object on more frames. On a frame where it is already, its geometry changes, and its
    /// confidence where one is given; who made it stays, and so does all else ([`LabelRow::object_mut`]).
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

    /// Takes an object or a classification away, from all parts of a data group that have it; whether it was there.
    pub fn remove(&mut self, hash: &str) -> bool {
        const SECTIONS: [&str; 3] = ["object_answers", "object_actions", "classification_answers"];
        let on_parts = self.is_group() && self.remove_from_parts(hash);
        let object = self.index_mut().remove(hash);
        let noted = |key: &&str| self.labels()[*key].get(hash).is_some();
        let noted: Vec<&str> = SECTIONS.into_iter().filter(noted).collect();
        if object.is_none() && noted.is_empty() {
            return on_parts;
        }
        self.timelines.remove(hash);
        for section in noted {
            self.section_mut(section).remove(hash);
            if section == "classification_answers" {
                self.classified.clear();
            }
        }
        let units = self.labels_mut().get_mut("data_units");
        if let Some(units) = units.and_then(Value::as_object_mut) {
            for place in object.unwrap_or_default().places {
                take_out(units, &place, hash);
            }
        }
        true
    }

    fn add_object(&mut self, new: &NewObject<'_>, known: Option<&str>) -> ModelResult<String> {
        self.refuse_whole_group(&new.object.name)?;
        let frames = self.object_frames(new)?;
        let now = self.now();
        let hash = known.map_or_else(|| self.fresh_hash(&new.object.name), str::to_owned);
        // All places are looked up before the first is written.
        let mut places = Vec::with_capacity(frames.len());
        let mut parts = new.geometry.iter();
        let mask = parts.find(|(key, _)| key == "bitmask");
        for frame in &frames {
            let unit = self.unit_of(*frame)?;
            self.check_mask(mask.map(|(_, mask)| mask), &unit)?;
            places.push(unit);
        }
        let value = frame_object(new, &hash, &now);
        for (frame, unit) in frames.iter().zip(&places) {
            let place = self.index().get(&hash).and_then(|known| known.on(*frame));
            match place.cloned() {
                Some(place) => self.redraw_at(&place, &hash, new, &now),
                None => self.draw_on(unit, *frame, &hash, value.clone())?,
            }
        }
        self.write_answers(new, &hash, &now);
        let entry = self.index_mut().entry(hash.clone()).or_default();
        entry.feature.clone_from(&new.object.feature_hash);
        Ok(hash)
    }

    /// Draws an object on a frame where it is not yet.
    pub(super) fn draw_on(
        &mut self,
        unit: &str,
        frame: u64,
        hash: &str,
        value: Value,
    ) -> ModelResult<()> {
        let by_frame = self.is_by_frame();
        let objects = self.objects_on(unit, frame)?;
        let place = Place {
            frame,
            unit: unit.into(),
            by_frame,
            at: objects.len(),
        };
        objects.push(value);
        let known = self.index_mut().entry(hash.to_owned()).or_default();
        known.put(place);
        Ok(())
    }

    /// Draws an object otherwise on a frame where it is: its geometry changes, and its confidence and authors where given.
    /// Who made it and when stays, as all else does. The same geometry is not a change.
    fn redraw_at(&mut self, place: &Place, hash: &str, new: &NewObject<'_>, now: &str) {
        let Some(before) = self.drawn_at(place, hash) else {
            return;
        };
        let mut after = before.clone();
        for (key, geometry) in &new.geometry {
            overlay(&mut after[&**key], geometry);
        }
        if let Some(confidence) = new.confidence {
            after["confidence"] = json!(confidence);
        }
        if let Some(manual) = new.manual {
            after["manualAnnotation"] = json!(manual);
        }
        if after == *before {
            return;
        }
        edited(&mut after, now);
        self.labels_mut();
        if let Some(slot) = self.drawn_at_mut(place, hash) {
            *slot = after;
        }
    }

    /// The answers and actions of an object; for audio and text all of it.
    fn write_answers(&mut self, new: &NewObject<'_>, hash: &str, now: &str) {
        let on_ranges = !new.ranges.is_empty() || !new.html.is_empty();
        let known = self.labels()["object_answers"].get(hash).is_some();
        if !known || on_ranges || !new.answers.is_empty() {
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
            if on_ranges {
                write_ranges(entry, new, now);
            }
        }
        if new.actions.is_empty() {
            return;
        }
        let mut line = self.timeline(hash);
        for action in &new.actions {
            for span in ranges(action) {
                let actions = self.actions_mut(hash);
                line.put(actions, action.clone(), span, &new.object.attributes);
            }
        }
        self.timelines.insert(hash.to_owned(), line);
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
                    "\"{}\" classifies the whole: leave the frames out",
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
        let meets = |span: &(u64, u64)| before.on(*span).next().is_some();
        if kind.global && !before.is_empty() || wanted.iter().any(meets) {
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
            "confidence": new.confidence.unwrap_or(1.0),
            "manualAnnotation": new.manual != Some(false),
        });
        self.section_mut("classification_answers")
            .insert(hash.clone(), entry);
        let spans = if kind.global { vec![(0, 0)] } else { wanted };
        let all = self.classified_ranges(kind);
        spans.into_iter().for_each(|span| all.lay(span, 0));
        Ok(hash)
    }

    /// The ranges that a kind of classification covers; one of the whole is stored as frame 0.
    pub(super) fn classified_ranges(&mut self, kind: &OntologyClassification) -> &mut Track {
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
            let mut track = Track::default();
            list.for_each(|span| track.lay(span, 0));
            self.classified.insert(feature.to_owned(), track);
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
        "confidence": new.confidence.unwrap_or(1.0),
        "objectHash": hash,
        "featureHash": new.object.feature_hash,
        "manualAnnotation": new.manual != Some(false),
        "lastEditedAt": now,
    });
    for (key, geometry) in &new.geometry {
        value[&**key] = geometry.clone();
    }
    value
}

/// Stretches of audio or text, beside those that are there. What stands there of who made it stays.
fn write_ranges(entry: &mut Value, new: &NewObject<'_>, now: &str) {
    let mut all = ranges(entry);
    all.extend(&new.ranges);
    let range = merged(all);
    let mut html = entry["range_html"].as_array().cloned().unwrap_or_default();
    html.extend(new.html.iter().map(HtmlRange::to_value));
    let known = entry.get("featureHash").is_some();
    if !known {
        for (key, value) in [
            ("featureHash", json!(new.object.feature_hash)),
            ("name", json!(new.object.name)),
            ("color", json!(new.object.color)),
            ("shape", json!(new.object.shape.word())),
            ("value", json!(snake(&new.object.name))),
            ("createdBy", Value::Null),
            ("createdAt", json!(now)),
            ("manualAnnotation", json!(new.manual != Some(false))),
        ] {
            entry[key] = value;
        }
    } else if let Some(manual) = new.manual {
        entry["manualAnnotation"] = json!(manual);
    }
    if known && entry["range"] == range && new.html.is_empty() {
        return;
    }
    entry["range"] = range;
    if !html.is_empty() {
        entry["range_html"] = Value::Array(html);
    }
    entry["lastEditedBy"] = Value::Null;
    edited(entry, now);
}

/// Notes that a label was edited now, by whoever saves it: the platform fills in who that is.
pub(super) fn edited(entry: &mut Value, now: &str) {
    entry["lastEditedAt"] = json!(now);
    if let Some(by) = entry.get_mut("lastEditedBy") {
        *by = Value::Null;
    }
}

/// Lays one geometry over another. Fields that this version does not know stay; of numbered points only
/// those of the new one do.
fn overlay(old: &mut Value, new: &Value) {
    let (Some(fields), Some(new_fields)) = (old.as_object_mut(), new.as_object()) else {
        old.clone_from(new);
        return;
    };
    let numbered = new_fields.keys().all(|key| key.parse::<u32>().is_ok());
    // Of two ways to draw the back of a cuboid only one may be left.
    let back = |key: &str| matches!(key, "vanishingPoint" | "scaleRatio" | "offset");
    fields.retain(|key, _| new_fields.contains_key(key) || !numbered && !back(key));
    for (key, value) in new_fields {
        overlay(fields.entry(key.as_str()).or_insert(Value::Null), value);
    }
}
