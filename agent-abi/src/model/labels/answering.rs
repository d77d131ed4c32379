//! Answers to what is in a label row already: classifications, objects, frames of an object. Each either
//! happens whole or not at all.

use super::super::answer::encode;
use super::super::{Answer, Attribute, Choice, ModelError, ModelResult, OntologyObject};
use super::LabelRow;
use super::answers::{chosen, locate, put, same_answer};
use super::new::{NewClassification, forwards};
use super::timeline::Timeline;
use super::write::edited;
use serde_json::{Value, json};
use std::sync::Arc;

impl LabelRow {
    /// Answers a classification for the whole data unit, by title. What was answered before is
    /// replaced, nested answers only where another option is chosen; the same answer is not a change. Gives
    /// the classification's hash, with which [`LabelRow::answer`] answers nested questions.
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
        self.answer_again(first, &new, whole);
        Ok(first.clone())
    }

    /// New answers and range for a classification that is there; the same ones are not a change.
    pub(super) fn answer_again(&mut self, hash: &str, new: &NewClassification<'_>, range: Value) {
        let entry = &self.labels()["classification_answers"][hash];
        let before = entry["classifications"].as_array();
        let mut answers = before.cloned().unwrap_or_default();
        for answer in &new.answers {
            put(&mut answers, answer.clone(), &new.classification.attributes);
        }
        let fields = [
            ("confidence", new.confidence.map(Value::from)),
            ("manualAnnotation", new.manual.map(Value::from)),
        ];
        let holds = |(key, value): &(&str, Option<Value>)| {
            value.as_ref().is_none_or(|value| entry[*key] == *value)
        };
        let same = entry["range"] == range && fields.iter().all(holds);
        if same && same_answers(&entry["classifications"], &answers) {
            return;
        }
        let now = self.now();
        self.classified.clear();
        let entry = &mut self.labels_mut()["classification_answers"][hash];
        entry["classifications"] = Value::Array(answers);
        entry["range"] = range;
        for (key, value) in fields {
            if let Some(value) = value {
                entry[key] = value;
            }
        }
        edited(entry, &now);
    }

    /// Answers an attribute of an object that is already there, or a question of a classification, nested
    /// ones too. An answer that was asked for only by another option goes with it.
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
        let (section, owner, attributes) = match self.kind_of(hash) {
            Some(feature) => {
                let kind = ontology.object(feature)?;
                ("object_answers", kind.name.as_str(), &kind.attributes)
            }
            None => {
                let entry = &self.labels()["classification_answers"][hash];
                let feature = entry["featureHash"].as_str();
                let kind = ontology.classification(feature.ok_or_else(|| unknown(hash))?)?;
                ("classification_answers", kind.title(), &kind.attributes)
            }
        };
        let entries = self.labels()[section][hash]["classifications"].as_array();
        let before = entries.cloned().unwrap_or_default();
        let found = locate(attributes, attribute, owner, |above, choice| {
            before.iter().any(|e| chosen(e, above, choice))
        })?;
        if found.dynamic {
            return Err(ModelError::Invalid(format!(
                "\"{}\" may change from frame to frame: give the frames it holds on (answer_on)",
                found.name
            )));
        }
        let entry = encode(found, &answer.into(), true)?;
        let is_answered = |old: &Value| {
            old["featureHash"] == entry["featureHash"]
                && same_answer(&old["answers"], &entry["answers"])
        };
        if before.iter().any(is_answered) {
            return Ok(());
        }
        let mut entries = before;
        put(&mut entries, entry, attributes);
        let now = self.now();
        let hash_value = json!(hash);
        let slot = self
            .section_mut(section)
            .entry(hash)
            .or_insert_with(|| json!({"objectHash": hash_value}));
        slot["classifications"] = Value::Array(entries);
        if slot.get("lastEditedAt").is_some() {
            edited(slot, &now);
        }
        Ok(())
    }

    /// Answers a dynamic attribute of an object that is already there, on frames, both ends included.
    /// Their earlier answers are replaced.
    ///
    /// # Errors
    /// As [`LabelRow::answer`], and when the attribute is not dynamic, the range runs backwards or the
    /// data have no such frame.
    pub fn answer_on(
        &mut self,
        hash: &str,
        attribute: &str,
        answer: impl Into<Answer>,
        from: u64,
        to: u64,
    ) -> ModelResult<()> {
        self.check_blob()?;
        forwards(from, to)?;
        self.check_frame(to)?;
        let ontology = Arc::clone(&self.ontology);
        let feature = self.kind_of(hash).ok_or_else(|| unknown(hash))?;
        let kind = ontology.object(feature)?;
        let mut line = self.timeline(hash);
        let result = self.lay_answer(
            hash,
            kind,
            (attribute, answer.into()),
            (from, to),
            &mut line,
        );
        self.timelines.insert(hash.to_owned(), line);
        result
    }

    fn lay_answer(
        &mut self,
        hash: &str,
        kind: &OntologyObject,
        (attribute, answer): (&str, Answer),
        span: (u64, u64),
        line: &mut Timeline,
    ) -> ModelResult<()> {
        let list = |section: &str, key: &str| {
            let found = self.labels()[section][hash][key].as_array();
            found.map_or(&[][..], Vec::as_slice)
        };
        let answers = list("object_answers", "classifications");
        let actions = list("object_actions", "actions");
        let is_chosen = |above: &Attribute, choice: &Choice| {
            if above.dynamic {
                line.chosen(actions, above, choice, span)
            } else {
                answers.iter().any(|e| chosen(e, above, choice))
            }
        };
        let found = locate(&kind.attributes, attribute, &kind.name, is_chosen)?;
        if !found.dynamic {
            return Err(ModelError::Invalid(format!(
                "\"{}\" holds for the whole object: leave the frames out (answer)",
                found.name
            )));
        }
        let entry = encode(found, &answer, true)?;
        if !line.is_answered(actions, &entry, span) {
            let actions = self.actions_mut(hash);
            line.put(actions, entry, span, &kind.attributes);
        }
        Ok(())
    }

    /// The timeline of an object, to be put back when its answers were given.
    pub(super) fn timeline(&mut self, hash: &str) -> Timeline {
        let known = self.timelines.remove(hash);
        known.unwrap_or_else(|| {
            let actions = self.labels()["object_actions"][hash]["actions"].as_array();
            Timeline::of(actions.map_or(&[], Vec::as_slice))
        })
    }

    /// The dynamic answers of an object, made when there are none.
    pub(super) fn actions_mut(&mut self, hash: &str) -> &mut Vec<Value> {
        let entry = self
            .section_mut("object_actions")
            .entry(hash)
            .or_insert_with(|| json!({"objectHash": hash}));
        let actions = &mut entry["actions"];
        if !actions.is_array() {
            *actions = json!([]);
        }
        actions.as_array_mut().expect("was just made")
    }

    /// Feature hash of the object with this hash.
    pub(super) fn kind_of(&self, hash: &str) -> Option<&str> {
        self.index().get(hash).map(|known| known.feature.as_str())
    }
}

pub(super) fn unknown(hash: &str) -> ModelError {
    ModelError::Unknown(format!(
        "there is no object or classification with the hash {hash}"
    ))
}

/// Equal but for whether a person made them.
pub(super) fn same_answers(old: &Value, new: &[Value]) -> bool {
    let core = |v: &Value| (v["featureHash"].clone(), v["answers"].clone());
    old.as_array().is_some_and(|old| {
        old.len() == new.len() && old.iter().zip(new).all(|(a, b)| core(a) == core(b))
    })
}
