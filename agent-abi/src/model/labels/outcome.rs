//! What an agent gave back, applied to a label row: a whole blob, or labels by name from languages
//! without a label model.

use super::super::{Answer, BoundingBox, ModelError, ModelResult, Ontology, Point};
use super::{Classification, LabelRow, NewObject};
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
        match (shape_of(label)?, &label.answer) {
            (Some(shape), None) => self.add(object(&ontology, label, shape)?),
            (None, Some(answer)) => self.say(&ontology, label, answer),
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

    /// A classification of a frame or of the whole.
    fn say(
        &mut self,
        ontology: &Ontology,
        label: &AddLabel,
        answer: &Value,
    ) -> ModelResult<String> {
        let kind = ontology.classification(&label.name)?;
        let new = kind
            .answer(given(label, answer)?)?
            .confidence(label.confidence.unwrap_or(1.0))?;
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
    /// [`ModelError::Invalid`] when the blob is of another row, and as [`LabelRow::apply`].
    pub fn take_outcome(&mut self, outcome: &Outcome) -> ModelResult<()> {
        let mut next = self.clone();
        if let Some(labels) = &outcome.labels {
            for key in ["label_hash", "data_hash", "branch_name"] {
                let (own, theirs) = (self.labels().get(key), labels.get(key));
                if own != theirs {
                    let text = |v: Option<&Value>| {
                        v.map_or_else(|| "nothing".to_owned(), Value::to_string)
                    };
                    return Err(ModelError::Invalid(format!(
                        "the labels are of another row: {key} is {}, not {}",
                        text(theirs),
                        text(own)
                    )));
                }
            }
            if labels != self.labels() {
                *next.labels_mut() = labels.clone();
                next.index.take();
                next.timelines.clear();
                next.classified.clear();
                next.check_blob()?;
            }
        }
        for label in &outcome.add {
            next.apply(label)?;
        }
        *self = next;
        Ok(())
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

fn object<'o>(
    ontology: &'o Ontology,
    label: &AddLabel,
    shape: Drawn,
) -> ModelResult<NewObject<'o>> {
    let kind = ontology.object(&label.name)?;
    let mut new = match shape {
        Drawn::Box(area) => kind.boxed(area)?,
        Drawn::Polygon(points) => kind.polygon(&points)?,
        Drawn::Polyline(points) => kind.polyline(&points)?,
        Drawn::Point(x, y) => kind.point(x, y)?,
        Drawn::Range(from, to) => kind.range(from, to)?,
    };
    let last = label.last_frame.unwrap_or(label.frame);
    new = new
        .on_frames(label.frame, last)
        .confidence(label.confidence.unwrap_or(1.0))?;
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
