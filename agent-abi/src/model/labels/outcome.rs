//! What an agent gave back, applied to a label row: a whole blob, or labels by name from languages
//! without a label model.

use super::super::{
    Answer, BoundingBox, ModelError, ModelResult, Ontology, OntologyClassification, OntologyObject,
    Point,
};
use super::{Classification, LabelRow, NewClassification, NewObject, Part};
use crate::wire::{AddLabel, Outcome};
use serde_json::Value;
use std::sync::Arc;

impl LabelRow {
    /// Applies a label named by an agent without a label model; gives its hash.
    ///
    /// # Errors
    /// As [`LabelRow::add`] and [`LabelRow::classify`], and [`ModelError::Invalid`] when it is neither an
    /// object with one shape nor a classification with an answer.
    pub fn apply(&mut self, label: &AddLabel) -> ModelResult<String> {
        let ontology = Arc::clone(&self.ontology);
        if let Some(hash) = label.hash.as_deref() {
            return self
                .apply_to(hash, label, &ontology)
                .map(|()| hash.to_owned());
        }
        match (shape_of(label)?, &label.answer) {
            (Some(shape), None) => {
                let kind = ontology.object(&label.name)?;
                self.add(object(kind, label, shape)?)
            }
            (None, Some(answer)) => self.classify_as(&ontology, label, answer),
            (Some(_), Some(_)) => refuse(
                label,
                "an object takes no answer; its questions are answered under \"attributes\"",
            ),
            (None, None) => refuse(
                label,
                "has neither a shape (boundingBox, polygon, polyline, point, range) nor an answer",
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
            return match shape_of(label)? {
                Some(shape) if label.answer.is_none() => {
                    self.add_to(hash, &object(kind, label, shape)?)
                }
                _ => refuse(label, &format!("to the object {hash} one shape is added")),
            };
        }
        let entry = &self.labels()["classification_answers"][hash];
        let Some(feature) = entry["featureHash"].as_str() else {
            return Err(ModelError::Unknown(format!(
                "there is no object or classification with the hash {hash}"
            )));
        };
        let kind = ontology.classification(feature)?;
        match &label.answer {
            Some(answer) if named(kind.title(), feature) => {
                let range = entry["range"].clone();
                self.answer_again(hash, &answered(kind, label, answer)?, range);
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
        let new = answered(kind, label, answer)?;
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

    /// Applies what an agent gave back: its whole blob, when it gave one, then its labels by name.
    /// Everything or nothing.
    ///
    /// # Errors
    /// [`ModelError::Invalid`] when the blob is of another row or no whole one, and as [`LabelRow::apply`].
    pub fn take_outcome(&mut self, outcome: &Outcome) -> ModelResult<()> {
        *self = self.after(outcome.labels.clone(), &outcome.add)?;
        Ok(())
    }

    /// The row as an agent left it: with the whole blob that it gave back, if it gave one, and with labels by
    /// name added to that. What lies at most 1e-6 outside of the picture is taken back to the edge.
    ///
    /// # Errors
    /// As [`LabelRow::take_outcome`].
    pub fn after(&self, labels: Option<Value>, add: &[AddLabel]) -> ModelResult<Self> {
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
        for label in add {
            next.apply(label)?;
        }
        Ok(next)
    }
}

/// The shape of a label by name.
enum Drawn {
    Box(BoundingBox),
    Polygon(Vec<Point>),
    Polyline(Vec<Point>),
    Point(f64, f64),
    Range(u64, u64),
}

fn refuse<T>(label: &AddLabel, why: &str) -> ModelResult<T> {
    Err(ModelError::Invalid(format!("\"{}\": {why}", label.name)))
}

fn shape_of(label: &AddLabel) -> ModelResult<Option<Drawn>> {
    let points = |list: &Vec<[f64; 2]>| list.iter().map(|[x, y]| Point { x: *x, y: *y }).collect();
    let mut found = Vec::new();
    if let Some(area) = &label.bounding_box {
        let Some(area) = BoundingBox::from_value(area) else {
            return refuse(label, "a box has x, y, w and h, 0 to 1");
        };
        found.push(Drawn::Box(area));
    }
    found.extend(label.polygon.as_ref().map(points).map(Drawn::Polygon));
    found.extend(label.polyline.as_ref().map(points).map(Drawn::Polyline));
    found.extend(label.point.map(|[x, y]| Drawn::Point(x, y)));
    found.extend(label.range.map(|[from, to]| Drawn::Range(from, to)));
    if found.len() > 1 {
        return refuse(label, "one shape makes one object; here are several");
    }
    Ok(found.pop())
}

fn answered<'o>(
    kind: &'o OntologyClassification,
    label: &AddLabel,
    answer: &Value,
) -> ModelResult<NewClassification<'o>> {
    let new = kind.answer(given(label, answer)?)?;
    match label.confidence {
        Some(confidence) => new.confidence(confidence),
        None => Ok(new),
    }
}

fn object<'o>(
    kind: &'o OntologyObject,
    label: &AddLabel,
    shape: Drawn,
) -> ModelResult<NewObject<'o>> {
    let mut new = match shape {
        Drawn::Box(area) => kind.boxed(area)?,
        Drawn::Polygon(points) => kind.polygon(&points)?,
        Drawn::Polyline(points) => kind.polyline(&points)?,
        Drawn::Point(x, y) => kind.point(x, y)?,
        Drawn::Range(from, to) => kind.range(from, to)?,
    };
    let last = label.last_frame.unwrap_or(label.frame);
    new = new.on_frames(label.frame, last);
    if let Some(confidence) = label.confidence {
        new = new.confidence(confidence)?;
    }
    // A nested question can be answered only after the one above it, in whatever order they came.
    let mut open: Vec<(&String, &Value)> = label.attributes.iter().collect();
    while !open.is_empty() {
        let (before, mut later, mut why) = (open.len(), Vec::new(), None);
        for (name, answer) in open {
            match new.clone().answer(name, given(label, answer)?) {
                Ok(answered) => new = answered,
                Err(error) => {
                    why.get_or_insert(error);
                    later.push((name, answer));
                }
            }
        }
        match why {
            Some(error) if later.len() == before => return Err(error),
            _ => open = later,
        }
    }
    Ok(new)
}

fn given(label: &AddLabel, answer: &Value) -> ModelResult<Answer> {
    match Answer::given(answer) {
        Some(answer) => Ok(answer),
        None => refuse(
            label,
            &format!("an answer is a text, a number or a list of texts, not {answer}"),
        ),
    }
}
