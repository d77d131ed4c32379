//! Labels copied from one row into another as they are: every frame, answer and note of who made them.
//!
//! Finding what is to be copied, and what stands in for a kind that this ontology does not have, is left to
//! the agent.

use super::super::ontology::by_hash;
use super::super::{Attribute, ModelError, ModelResult};
use super::new::{NewClassification, Span};
use super::{Classification, LabelRow, Object};
use serde_json::{Value, json};
use std::sync::Arc;

impl LabelRow {
    /// Copies an object of another row, or of a clone of this one, with a new hash, which is given back.
    /// Everything else is copied verbatim: geometry on all frames, ranges, answers that hold for the whole and
    /// for frames, confidence, authors and dates. Both ontologies must have its kind and what was answered,
    /// with the same feature hashes.
    ///
    /// ```
    /// # use agent_abi::prelude::*;
    /// # fn carry(labels: &mut LabelRow, twin: &LabelRow) -> Result<()> {
    /// for car in twin.objects_named("Car") {
    ///     labels.copy_object(&car)?;
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ModelError::Unknown`] when this ontology has no such kind, [`ModelError::Invalid`] when it has not the
    /// attributes that were answered, or the data do not have the frames; nothing is changed then.
    pub fn copy_object(&mut self, object: &Object<'_>) -> ModelResult<String> {
        self.check_copy(object)?;
        let hash = self.fresh_hash(object.name());
        self.put_copy(object, &hash)?;
        Ok(hash)
    }

    /// The same under the hash that the object has there, so that both rows can be compared by hash.
    ///
    /// # Errors
    /// As [`LabelRow::copy_object`], and [`ModelError::Invalid`] when this row has that hash already:
    /// [`LabelRow::remove`] it first.
    pub fn copy_object_with_hash(&mut self, object: &Object<'_>) -> ModelResult<()> {
        self.check_copy(object)?;
        let hash = object.hash();
        let taken = |key: &&str| self.labels()[*key].get(hash).is_some();
        if ["object_answers", "classification_answers"]
            .iter()
            .any(taken)
        {
            return Err(ModelError::Invalid(format!(
                "this label row already has a label with the hash {hash}; remove it first, or copy with a new hash (copy_object)"
            )));
        }
        self.put_copy(object, hash)
    }

    /// That an object of another row fits here.
    fn check_copy(&self, object: &Object<'_>) -> ModelResult<()> {
        self.check_blob()?;
        let kinds = self.ontology.objects.iter();
        let known = kinds
            .clone()
            .find(|k| k.feature_hash == object.feature_hash());
        let Some(kind) = known else {
            return Err(ModelError::Unknown(format!(
                "the ontology has no object \"{}\" with the feature hash {}; to copy it to another kind, add that one with its geometry",
                object.name(),
                object.feature_hash()
            )));
        };
        check_answers(&kind.name, &kind.attributes, object.answers())?;
        check_answers(&kind.name, &kind.attributes, object.actions())?;
        let frames = object.frames();
        let on_ranges = frames.is_empty();
        if on_ranges != self.data_type().has_ranges()
            || object.html_ranges().is_empty() == (on_ranges && self.is_html())
        {
            return Err(ModelError::Invalid(format!(
                "\"{}\" is a {} and does not fit on data of the type {}",
                object.name(),
                object.shape().word(),
                self.data_type().word()
            )));
        }
        for frame in frames {
            self.check_frame(frame)?;
            let mask = object
                .on_frame(frame)
                .and_then(|drawn| drawn.get("bitmask"));
            self.check_mask(mask, &self.unit_of(frame)?)?;
        }
        Ok(())
    }

    /// Writes an object that fits.
    fn put_copy(&mut self, object: &Object<'_>, hash: &str) -> ModelResult<()> {
        let with_hash = |entry: &Value| {
            let mut entry = entry.clone();
            entry["objectHash"] = json!(hash);
            entry
        };
        for frame in object.frames() {
            let unit = self.unit_of(frame)?;
            if let Some(drawn) = object.on_frame(frame) {
                self.draw_on(&unit, frame, hash, with_hash(drawn))?;
            }
        }
        let answers = object.section("object_answers").map_or_else(
            || json!({"objectHash": hash, "classifications": []}),
            with_hash,
        );
        self.section_mut("object_answers")
            .insert(hash.to_owned(), answers);
        if let Some(actions) = object.section("object_actions") {
            let actions = with_hash(actions);
            self.section_mut("object_actions")
                .insert(hash.to_owned(), actions);
        }
        let known = self.index_mut().entry(hash.to_owned()).or_default();
        object.feature_hash().clone_into(&mut known.feature);
        Ok(())
    }

    /// Copies every object of another row. Gives the new hashes, in the order of [`LabelRow::objects`].
    ///
    /// # Errors
    /// As [`LabelRow::copy_object`]; objects before the one that does not fit are copied.
    pub fn copy_objects(&mut self, from: &Self) -> ModelResult<Vec<String>> {
        from.objects().iter().map(|o| self.copy_object(o)).collect()
    }

    /// Copies a classification of another row, with nested answers, frames, confidence, authors and dates. As in
    /// [`LabelRow::replace`], its frames have this answer afterwards and no other of its kind, and what is there
    /// already is not a change. Gives the hash of the classification that holds.
    ///
    /// # Errors
    /// [`ModelError::Unknown`] when this ontology has no such kind, [`ModelError::Invalid`] when it has not the
    /// attributes that were answered, or the data do not have the frames; nothing is changed then.
    pub fn copy_classification(&mut self, from: &Classification<'_>) -> ModelResult<String> {
        let ontology = Arc::clone(&self.ontology);
        let mut kinds = ontology.classifications.iter();
        let Some(kind) = kinds.find(|kind| kind.feature_hash == from.feature_hash()) else {
            return Err(ModelError::Unknown(format!(
                "the ontology has no classification \"{}\" with the feature hash {}",
                from.title(),
                from.feature_hash()
            )));
        };
        check_answers(kind.title(), &kind.attributes, from.answers())?;
        let span = match from.ranges() {
            ranges if kind.global || ranges.is_empty() => Span::Default,
            ranges => Span::Frames(ranges),
        };
        let new = NewClassification {
            classification: kind,
            span,
            confidence: from.confidence(),
            manual: from.entry()["manualAnnotation"].as_bool(),
            answers: from.answers().to_vec(),
        };
        let known: Vec<String> = (self.classifications().iter())
            .map(|c| c.hash().to_owned())
            .collect();
        let hash = self.replace(&new)?;
        if !known.contains(&hash) {
            let entry = &mut self.labels_mut()["classification_answers"][&hash];
            for note in ["createdBy", "createdAt", "lastEditedBy", "lastEditedAt"] {
                entry[note] = from.entry()[note].clone();
            }
        }
        Ok(hash)
    }

    /// Copies every classification of another row, as [`LabelRow::copy_classification`] does. Gives the hashes of
    /// those that hold.
    ///
    /// # Errors
    /// As [`LabelRow::copy_classification`]; classifications before the one that does not fit are copied.
    pub fn copy_classifications(&mut self, from: &Self) -> ModelResult<Vec<String>> {
        let all = from.classifications();
        all.iter().map(|c| self.copy_classification(c)).collect()
    }
}

/// That a kind has the attributes that were answered.
fn check_answers(name: &str, attributes: &[Attribute], entries: &[Value]) -> ModelResult<()> {
    let feature = |entry: &&Value| entry["featureHash"].as_str().map(str::to_owned);
    for entry in entries {
        let hash = feature(&entry).unwrap_or_default();
        if by_hash(attributes, &hash).is_none() {
            return Err(ModelError::Invalid(format!(
                "\"{name}\" has no attribute \"{}\" with the feature hash {hash} in this ontology",
                entry["name"].as_str().unwrap_or_default()
            )));
        }
    }
    Ok(())
}
