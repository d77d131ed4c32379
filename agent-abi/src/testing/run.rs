//! What a run in a test gave, and the source it was fed from.

use crate::inject::{Finished, RawFrame, Source};
use crate::model::{LabelRow, Ontology, Picture};
use crate::table::status;
use crate::wire::{EncodeQuestion, Failure, Outcome, RowDoc, StepDoc, call};
use serde_json::{Map, Value};
use std::cell::{Cell, RefCell};
use std::sync::Arc;

/// A line that the agent logged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogLine {
    /// 1 error … 5 trace.
    pub level: u32,
    /// The module, in most cases.
    pub target: String,
    /// The text.
    pub message: String,
}

/// How an agent did on a [`super::TestTask`].
#[derive(Debug)]
pub struct Run {
    result: Result<Outcome, (i32, Failure)>,
    row: RowDoc,
    editor: Value,
    logs: Vec<LogLine>,
    progress: Option<f64>,
    held: i64,
}

impl Run {
    pub(super) fn new(finished: Finished, row: RowDoc, editor: Value, feed: Feed) -> Self {
        let result = match finished {
            Finished::Done(outcome) => Ok(outcome),
            Finished::Failed(code, failure) => Err((code, failure)),
        };
        let (progress, held) = (feed.progress.get(), feed.held.get());
        Self {
            result,
            row,
            editor,
            logs: feed.logs.into_inner(),
            progress,
            held,
        }
    }

    /// The outcome.
    ///
    /// # Panics
    /// With the failure's text, when there is none: what a test wants.
    #[must_use]
    #[track_caller]
    pub fn outcome(&self) -> &Outcome {
        match &self.result {
            Ok(outcome) => outcome,
            Err((_, failure)) => panic!(
                "the agent failed: {}{}{}",
                failure.message,
                failure
                    .chain
                    .iter()
                    .map(|cause| format!("\n  because {cause}"))
                    .collect::<String>(),
                failure
                    .location
                    .as_deref()
                    .map(|place| format!("\n  at {place}"))
                    .unwrap_or_default(),
            ),
        }
    }

    /// The pathway, by name or UUID as the agent gave it; `None`: the task stays.
    ///
    /// # Panics
    /// When the agent failed.
    #[must_use]
    #[track_caller]
    pub fn route(&self) -> Option<&str> {
        self.outcome().route.as_deref()
    }

    /// The priority that it set.
    ///
    /// # Panics
    /// When the agent failed.
    #[must_use]
    #[track_caller]
    pub fn priority(&self) -> Option<f64> {
        self.outcome().priority
    }

    /// The client metadata that it set.
    ///
    /// # Panics
    /// When the agent failed.
    #[must_use]
    #[track_caller]
    pub fn metadata(&self) -> Option<&Map<String, Value>> {
        self.outcome().client_metadata.as_ref()
    }

    /// The labels after the run, changed or not.
    ///
    /// # Panics
    /// When the agent failed.
    #[must_use]
    #[track_caller]
    pub fn labels(&self) -> LabelRow {
        let labels = self
            .outcome()
            .labels
            .clone()
            .unwrap_or_else(|| self.row.labels.clone());
        let ontology = Ontology::from_editor(&self.editor).expect("the run has read it already");
        LabelRow::from_doc(
            RowDoc {
                metadata: self.row.metadata.clone(),
                labels,
            },
            Arc::new(ontology),
        )
    }

    /// The label blob after the run, for [`super::TestTask::labels`].
    ///
    /// # Panics
    /// When the agent failed.
    #[must_use]
    #[track_caller]
    pub fn into_labels(self) -> Value {
        self.labels().into_labels()
    }

    /// Whether the labels are part of the outcome.
    ///
    /// # Panics
    /// When the agent failed.
    #[must_use]
    #[track_caller]
    pub fn changed_labels(&self) -> bool {
        self.outcome().labels.is_some()
    }

    /// Why there is no outcome.
    #[must_use]
    pub fn failure(&self) -> Option<&Failure> {
        self.result.as_ref().err().map(|(_, failure)| failure)
    }

    /// One of [`crate::table::status`].
    #[must_use]
    pub fn status(&self) -> i32 {
        self.result
            .as_ref()
            .map_or_else(|(code, _)| *code, |_| status::OK)
    }

    /// The timed parts of the run.
    #[must_use]
    pub fn steps(&self) -> &[StepDoc] {
        match &self.result {
            Ok(outcome) => &outcome.steps,
            Err((_, failure)) => &failure.steps,
        }
    }

    /// What it logged.
    #[must_use]
    pub fn logs(&self) -> &[LogLine] {
        &self.logs
    }

    /// The progress it told last.
    #[must_use]
    pub const fn progress(&self) -> Option<f64> {
        self.progress
    }

    /// How many pictures it did not give back: 0 in a sound agent.
    #[must_use]
    pub const fn frames_held(&self) -> i64 {
        self.held
    }
}

/// A source in memory.
pub(super) struct Feed {
    documents: Vec<(&'static str, String)>,
    pictures: Vec<Picture>,
    answers: Vec<(String, Value)>,
    cancelled: bool,
    logs: RefCell<Vec<LogLine>>,
    progress: Cell<Option<f64>>,
    held: Cell<i64>,
}

impl Feed {
    pub(super) fn new(
        documents: Vec<(&'static str, String)>,
        pictures: Vec<Picture>,
        answers: Vec<(String, Value)>,
        cancelled: bool,
    ) -> Self {
        let (logs, progress, held) = (RefCell::default(), Cell::new(None), Cell::new(0));
        Self {
            documents,
            pictures,
            answers,
            cancelled,
            logs,
            progress,
            held,
        }
    }
}

impl Source for Feed {
    fn input(&self, name: &str) -> Result<Option<&str>, String> {
        Ok(self
            .documents
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, text)| text.as_str()))
    }

    fn frame(&self, index: u64) -> Result<Option<RawFrame<'_>>, String> {
        let Some(picture) = usize::try_from(index)
            .ok()
            .and_then(|i| self.pictures.get(i))
        else {
            return Ok(None);
        };
        self.held.set(self.held.get() + 1);
        let (width, height) = (picture.width, picture.height);
        let pts_us = i64::try_from(index).unwrap_or(0) * 100_000;
        Ok(Some(RawFrame {
            data: &picture.data,
            width,
            height,
            stride: width * 3,
            index,
            pts_us,
            handle: index + 1,
        }))
    }

    fn release(&self, _: u64) {
        self.held.set(self.held.get() - 1);
    }

    fn log(&self, level: u32, target: &str, message: &str) {
        let (target, message) = (target.to_owned(), message.to_owned());
        self.logs.borrow_mut().push(LogLine {
            level,
            target,
            message,
        });
    }

    fn progress(&self, share: f64) {
        self.progress.set(Some(share));
    }

    fn is_cancelled(&self) -> bool {
        self.cancelled
    }

    fn call(&self, name: &str, question: &[u8]) -> Result<Option<Vec<u8>>, String> {
        if name == call::ENCODE {
            return ppm(question).map(Some);
        }
        let asked: Value = serde_json::from_slice(question).map_err(|e| e.to_string())?;
        let about = format!("{name} {}", asked["project"].as_str().unwrap_or_default());
        let known = |(known, _): &&(String, Value)| known == name || *known == about;
        let answer = self.answers.iter().find(known);
        let none = (name == call::TWIN).then(|| b"null".to_vec());
        Ok(answer.map(|(_, value)| value.to_string().into()).or(none))
    }
}

/// A file that needs no codec: a PPM of the same size and pixels, whatever was asked for.
fn ppm(question: &[u8]) -> Result<Vec<u8>, String> {
    let end = question.iter().position(|b| *b == b'\n');
    let (head, pixels) = question.split_at(end.ok_or("no question")?);
    let asked: EncodeQuestion = serde_json::from_slice(head).map_err(|e| e.to_string())?;
    let mut file = format!("P6 {} {} 255\n", asked.width, asked.height).into_bytes();
    for row in pixels[1..].chunks(asked.stride as usize) {
        file.extend_from_slice(&row[..asked.width as usize * 3]);
    }
    Ok(file)
}
