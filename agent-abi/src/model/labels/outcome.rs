//! What an agent gave back, applied to a label row: a whole blob, or labels by name from languages
//! without a label model.

use super::super::ontology::paths_to;
use super::super::{ModelError, ModelResult, Ontology};
use super::named::{classification, given, is_object, objects, refuse};
use super::{Classification, LabelRow, Part};
use crate::wire::{AddLabel, AnswerLabel, Outcome};
use serde_json::Value;
use std::sync::Arc;

impl LabelRow {
    /// Applies a label named by an agent without a label model; gives its hash.
    ///
    /// # Errors
    /// As [`LabelRow::add`] and [`LabelRow::classify`], and [`ModelError::Invalid`] when it is neither an
    /// object with one shape nor a classification with an answer.
    pub fn apply(&mut self, label: &AddLabel) -> ModelResult<String> {
        // A new answer is that of the label on every part.
        let (known, shared) = (label.hash.as_deref(), label.answer.is_some());
        let mut given = None;
        for part in self.meant(label.part.as_deref(), known, shared)? {
            let own = AddLabel {
                part: None,
                ..label.clone()
            };
            given = Some(self.part_mut(&part)?.apply(&own)?);
        }
        if let Some(hash) = given {
            return Ok(hash);
        }
        let ontology = Arc::clone(&self.ontology);
        if let Some(hash) = label.hash.as_deref() {
            return self
                .apply_to(hash, label, &ontology)
                .map(|()| hash.to_owned());
        }
        if is_object(label)? {
            let parts = objects(ontology.object(&label.name)?, &ontology, label)?;
            let mut parts = parts.into_iter();
            let Some(first) = parts.next() else {
                return refuse(label, "there is no shape");
            };
            let hash = self.add(first)?;
            for part in parts {
                self.add_to(&hash, &part)?;
            }
            return Ok(hash);
        }
        match &label.answer {
            Some(answer) => self.classify_as(&ontology, label, answer),
            None => refuse(
                label,
                "has neither a shape (boundingBox, polygon, bitmask, …, or frames with one each) nor an answer",
            ),
        }
    }

    /// To a label that is there: another geometry, more frames, answers.
    fn apply_to(&mut self, hash: &str, label: &AddLabel, ontology: &Ontology) -> ModelResult<()> {
        let named = |name: &str, feature: &str| {
            label.name.is_empty() || label.name == name || label.name == feature
        };
        if let Some(feature) = self.kind_of(hash) {
            let kind = ontology.object(feature)?;
            if !named(&kind.name, feature) {
                return refuse(label, &format!("the object {hash} is a \"{}\"", kind.name));
            }
            if !is_object(label)? {
                return refuse(label, &format!("to the object {hash} one shape is added"));
            }
            let parts = objects(kind, ontology, label)?;
            return parts.iter().try_for_each(|part| self.add_to(hash, part));
        }
        let entry = &self.labels()["classification_answers"][hash];
        let Some(feature) = entry["featureHash"].as_str() else {
            return Err(no_label(hash));
        };
        let kind = ontology.classification(feature)?;
        match &label.answer {
            Some(answer) if named(kind.title(), feature) => {
                let range = entry["range"].clone();
                self.answer_again(hash, &classification(kind, label, answer)?, range);
                Ok(())
            }
            _ => refuse(
                label,
                &format!("{hash} is an answer to \"{}\"", kind.title()),
            ),
        }
    }

    /// A classification of a frame or of the whole.
    fn classify_as(
        &mut self,
        ontology: &Ontology,
        label: &AddLabel,
        answer: &Value,
    ) -> ModelResult<String> {
        let kind = ontology.classification(&label.name)?;
        let new = classification(kind, label, answer)?;
        // The agent sees no labels, so it cannot know what was answered before: its answer counts.
        let here = |c: &Classification<'_>| {
            let mut ranges = c.ranges().into_iter();
            c.feature_hash() == kind.feature_hash
                && (kind.global || ranges.any(|(from, to)| (from..=to).contains(&label.frame)))
        };
        let known = self.classifications().into_iter().find(here);
        let Some(hash) = known.map(|c| c.hash().to_owned()) else {
            return self.add(match label.last_frame {
                _ if kind.global => new,
                Some(last) => new.on_frames(label.frame, last),
                None => new.on_frame(label.frame),
            });
        };
        let range = self.labels()["classification_answers"][&hash]["range"].clone();
        self.answer_again(&hash, &new, range);
        Ok(hash)
    }

    /// Answers a question of a label that is there, named by an agent without a label model.
    ///
    /// # Errors
    /// As [`LabelRow::answer`] and [`LabelRow::answer_on`].
    pub fn apply_answer(&mut self, answer: &AnswerLabel) -> ModelResult<()> {
        let hash = answer.hash.as_str();
        let own = AnswerLabel {
            part: None,
            ..answer.clone()
        };
        // Only frames are those of a part; the answer is that of the label on every part.
        let parts = self.meant(answer.part.as_deref(), Some(hash), answer.frames.is_none())?;
        if !parts.is_empty() {
            let mut parts = parts.iter();
            return parts.try_for_each(|part| self.part_mut(part)?.apply_answer(&own));
        }
        let ontology = Arc::clone(&self.ontology);
        let label = AddLabel {
            hash: Some(hash.to_owned()),
            ..AddLabel::default()
        };
        let value = given(&label, &answer.value)?;
        let Some(kind) = self.kind_of(hash) else {
            if answer.frames.is_some() {
                return refuse(&label, "only answers of objects change from frame to frame");
            }
            let entry = &self.labels()["classification_answers"][hash];
            let feature = entry["featureHash"].as_str();
            let feature = feature.ok_or_else(|| no_label(hash))?;
            let title = ontology.classification(feature)?.title();
            return self.answer(hash, answer.name.as_deref().unwrap_or(title), value);
        };
        let Some(name) = answer.name.as_deref() else {
            return refuse(
                &label,
                "an answer of an object names the attribute (\"name\")",
            );
        };
        let paths = paths_to(&ontology.object(kind)?.attributes, name);
        let dynamic = paths.iter().any(|(_, attribute)| attribute.dynamic);
        let frames = match &answer.frames {
            Some(spans) => spans.iter().map(|[from, to]| (*from, *to)).collect(),
            None if dynamic => self.frames_of(hash),
            None => return self.answer(hash, name, value),
        };
        for (from, to) in frames {
            self.answer_on(hash, name, value.clone(), from, to)?;
        }
        Ok(())
    }

    /// Every frame of an object.
    fn frames_of(&self, hash: &str) -> Vec<(u64, u64)> {
        let frames = self.object(hash).map(|object| object.frames());
        let frames = frames.unwrap_or_default().into_iter();
        frames.map(|frame| (frame, frame)).collect()
    }

    /// Applies what an agent gave back: its whole blob, when it gave one, then its labels by name.
    /// Everything or nothing.
    ///
    /// # Errors
    /// [`ModelError::Invalid`] when the blob is of another row or no whole one, and as [`LabelRow::apply`].
    pub fn take_outcome(&mut self, outcome: &Outcome) -> ModelResult<()> {
        *self = self.after(outcome.labels.clone(), outcome)?;
        Ok(())
    }

    /// The row as an agent left it: with the whole blob that it gave back, if it gave one, and that with what
    /// the outcome removes, adds and answers by name. What lies at most 1e-6 outside of the picture is taken
    /// back to the edge.
    ///
    /// # Errors
    /// As [`LabelRow::take_outcome`].
    pub fn after(&self, labels: Option<Value>, by_name: &Outcome) -> ModelResult<Self> {
        let mut next = match labels {
            None => self.clone(),
            Some(labels) if labels == *self.labels() => self.clone(),
            Some(labels) => {
                self.check_whole(&labels)?;
                let parts = (self.metadata.clone(), Part::of(labels));
                let ontology = Arc::clone(&self.ontology);
                let mut next = Self::from_parts(parts.0, parts.1, ontology);
                (next.clock, next.made, next.changed) = (self.clock, self.made, true);
                next.settle_edges(self);
                next
            }
        };
        for hash in &by_name.remove {
            if !next.remove(hash) {
                return Err(no_label(hash));
            }
        }
        for label in &by_name.add {
            next.apply(label)?;
        }
        for answer in &by_name.answer {
            next.apply_answer(answer)?;
        }
        Ok(next)
    }
}

fn no_label(hash: &str) -> ModelError {
    ModelError::Unknown(format!(
        "there is no object or classification with the hash {hash}"
    ))
}
