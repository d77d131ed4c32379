//! Labels to be added: where they go, their confidence, their attributes.
//! Their shapes are left to `shapes`.

use super::super::answer::encode;
use super::super::{
    Answer, Attribute, HtmlRange, ModelError, ModelResult, OntologyClassification, OntologyObject,
    share,
};
use super::answers::{chosen, locate, put};
use super::shapes::Geometry;
use super::timeline::Timeline;
use serde_json::{Value, json};

/// Where a label goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Span {
    /// The default: the first frame for an object, the whole for a classification.
    Default,
    /// Ranges of frames, both ends included.
    Frames(Vec<(u64, u64)>),
}

/// An object to be added with [`super::LabelRow::add`].
#[derive(Clone, Debug)]
#[must_use = "an object is there only once it was added to a label row"]
pub struct NewObject<'o> {
    pub(super) object: &'o OntologyObject,
    /// Geometry keys of a frame object; empty for audio and text.
    pub(super) geometry: Geometry,
    /// Milliseconds or characters.
    pub(super) ranges: Vec<(u64, u64)>,
    /// Stretches of an HTML page.
    pub(super) html: Vec<HtmlRange>,
    pub(super) span: Span,
    /// As given; on an existing object, what was not given stays as it is.
    pub(super) confidence: Option<f64>,
    pub(super) manual: Option<bool>,
    pub(super) answers: Vec<Value>,
    /// Dynamic answers with their ranges.
    pub(super) actions: Vec<Value>,
    pub(super) timeline: Box<Timeline>,
}

/// A classification to be added with [`super::LabelRow::add`].
#[derive(Clone, Debug)]
#[must_use = "a classification is there only once it was added to a label row"]
pub struct NewClassification<'o> {
    pub(super) classification: &'o OntologyClassification,
    pub(super) span: Span,
    /// As given; on an existing object, what was not given stays as it is.
    pub(super) confidence: Option<f64>,
    pub(super) manual: Option<bool>,
    pub(super) answers: Vec<Value>,
}

/// What [`super::LabelRow::add`] takes.
#[derive(Clone, Debug)]
pub enum NewLabel<'o> {
    /// An object.
    Object(NewObject<'o>),
    /// A classification.
    Classification(NewClassification<'o>),
}

impl<'o> From<NewObject<'o>> for NewLabel<'o> {
    fn from(object: NewObject<'o>) -> Self {
        Self::Object(object)
    }
}

impl<'o> From<NewClassification<'o>> for NewLabel<'o> {
    fn from(classification: NewClassification<'o>) -> Self {
        Self::Classification(classification)
    }
}

impl NewObject<'_> {
    /// On this frame (0 for stills; the number of the image in a group). Without any: frame 0.
    pub fn on_frame(self, frame: u64) -> Self {
        self.on_frames(frame, frame)
    }

    /// On these frames too, both ends included. A range that runs backwards is refused by
    /// [`super::LabelRow::add`].
    pub fn on_frames(mut self, from: u64, to: u64) -> Self {
        extend(&mut self.span, from, to);
        self
    }

    /// How sure the maker is, 0 to 1, give or take 1e-6; 1 by default.
    ///
    /// # Errors
    /// [`ModelError::Invalid`] outside 0 to 1.
    pub fn confidence(mut self, confidence: impl Into<f64>) -> ModelResult<Self> {
        self.confidence = Some(share("a confidence", confidence.into())?);
        Ok(self)
    }

    /// Whether it counts as made by a person; true by default, as in the Python SDK.
    pub const fn manual(mut self, manual: bool) -> Self {
        self.manual = Some(manual);
        self
    }

    /// One more stretch of audio or text.
    ///
    /// # Errors
    /// As [`OntologyObject::range`].
    pub fn and_range(mut self, from: u64, to: u64) -> ModelResult<Self> {
        self.ranges.extend(self.object.range(from, to)?.ranges);
        Ok(self)
    }

    /// One more stretch of an HTML page.
    ///
    /// # Errors
    /// As [`OntologyObject::html_range`].
    pub fn and_html_range(mut self, range: HtmlRange) -> ModelResult<Self> {
        self.html.extend(self.object.html_range(range)?.html);
        Ok(self)
    }

    /// Answers an attribute that holds for the whole object, nested ones too.
    ///
    /// # Errors
    /// [`ModelError::Unknown`] for a name that is not there, [`ModelError::Invalid`] for an answer of
    /// the wrong sort, a dynamic attribute, or a nested one whose option was not chosen before.
    pub fn answer(mut self, attribute: &str, answer: impl Into<Answer>) -> ModelResult<Self> {
        let all = &self.object.attributes;
        let found = self.locate(attribute, (0, 0))?;
        if found.dynamic {
            return Err(ModelError::Invalid(format!(
                "\"{}\" may change from frame to frame: give the frames it holds on (answer_on)",
                found.name
            )));
        }
        put(
            &mut self.answers,
            encode(found, &answer.into(), self.manual != Some(false))?,
            all,
        );
        Ok(self)
    }

    /// Answers a dynamic attribute on frames, both ends included. Their earlier answers are
    /// replaced.
    ///
    /// # Errors
    /// As [`NewObject::answer`], and when the attribute is not dynamic or the range runs backwards.
    pub fn answer_on(
        mut self,
        attribute: &str,
        answer: impl Into<Answer>,
        from: u64,
        to: u64,
    ) -> ModelResult<Self> {
        forwards(from, to)?;
        let found = self.locate(attribute, (from, to))?;
        if !found.dynamic {
            return Err(ModelError::Invalid(format!(
                "\"{}\" holds for the whole object: leave the frames out (answer)",
                found.name
            )));
        }
        let entry = encode(found, &answer.into(), self.manual != Some(false))?;
        let (actions, all) = (&mut self.actions, &self.object.attributes);
        self.timeline.put(actions, entry, (from, to), all);
        Ok(self)
    }
}

impl<'o> NewObject<'o> {
    fn locate(&self, attribute: &str, span: (u64, u64)) -> ModelResult<&'o Attribute> {
        let object = self.object;
        locate(
            &object.attributes,
            attribute,
            &object.name,
            |above, choice| {
                if above.dynamic {
                    self.timeline.chosen(&self.actions, above, choice, span)
                } else {
                    self.answers.iter().any(|e| chosen(e, above, choice))
                }
            },
        )
    }
}

impl OntologyClassification {
    /// Answers its question: text, a number, an option by its label, or a list of options.
    ///
    /// # Errors
    /// [`ModelError::Unknown`] for an option that is not there, [`ModelError::Invalid`] for an answer of
    /// the wrong sort.
    pub fn answer(&self, answer: impl Into<Answer>) -> ModelResult<NewClassification<'_>> {
        let first = self.attributes.first().ok_or_else(|| {
            ModelError::Malformed(format!(
                "the classification {} has no question",
                self.feature_hash
            ))
        })?;
        Ok(NewClassification {
            classification: self,
            span: Span::Default,
            confidence: None,
            manual: None,
            answers: vec![encode(first, &answer.into(), true)?],
        })
    }
}

impl NewClassification<'_> {
    /// On this frame. Without any: the whole data unit.
    pub fn on_frame(self, frame: u64) -> Self {
        self.on_frames(frame, frame)
    }

    /// On these frames too, both ends included.
    pub fn on_frames(mut self, from: u64, to: u64) -> Self {
        extend(&mut self.span, from, to);
        self
    }

    /// How sure the maker is, 0 to 1, give or take 1e-6; 1 by default.
    ///
    /// # Errors
    /// [`ModelError::Invalid`] outside 0 to 1.
    pub fn confidence(mut self, confidence: impl Into<f64>) -> ModelResult<Self> {
        self.confidence = Some(share("a confidence", confidence.into())?);
        Ok(self)
    }

    /// Whether it counts as made by a person; true by default, as in the Python SDK.
    pub fn manual(mut self, manual: bool) -> Self {
        self.manual = Some(manual);
        for answer in &mut self.answers {
            answer["manualAnnotation"] = json!(manual);
        }
        self
    }

    /// Answers a question nested in the chosen option.
    ///
    /// # Errors
    /// As [`NewObject::answer`].
    pub fn nested(mut self, attribute: &str, answer: impl Into<Answer>) -> ModelResult<Self> {
        let all = &self.classification.attributes;
        let owner = self.classification.title();
        let found = locate(all, attribute, owner, |above, choice| {
            self.answers.iter().any(|e| chosen(e, above, choice))
        })?;
        put(
            &mut self.answers,
            encode(found, &answer.into(), self.manual != Some(false))?,
            all,
        );
        Ok(self)
    }
}

fn extend(span: &mut Span, from: u64, to: u64) {
    let range = (from, to);
    match span {
        Span::Default => *span = Span::Frames(vec![range]),
        Span::Frames(ranges) => ranges.push(range),
    }
}

/// A range of frames has its ends in order.
pub(super) fn forwards(from: u64, to: u64) -> ModelResult<()> {
    if from <= to {
        return Ok(());
    }
    Err(ModelError::Invalid(format!(
        "the frames {from} to {to} run backwards"
    )))
}
