//! What a run in a test gave.

use super::feed::Feed;
use crate::inject::{Finished, OverheardLine};
use crate::model::{LabelRow, Ontology};
use crate::table::status;
use crate::wire::{ChangeDoc, Failure, Outcome, RowDoc, StepDoc};
use serde_json::{Map, Value};
use std::sync::Arc;

/// A line that the agent logged.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
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
    thread_logs: Vec<LogLine>,
    progress: Option<f64>,
    held: i64,
}

impl Run {
    pub(super) fn new(
        finished: Finished,
        row: RowDoc,
        editor: Value,
        feed: Feed,
        thread_logs: Vec<OverheardLine>,
    ) -> Self {
        let result = match finished {
            Finished::Done(outcome) => Ok(outcome),
            Finished::Failed(code, failure) => Err((code, failure)),
        };
        let line = |(level, target, message)| LogLine {
            level,
            target,
            message,
        };
        let (progress, held) = (feed.progress.get(), feed.held.get());
        Self {
            result,
            row,
            editor,
            logs: feed.logs.into_inner(),
            thread_logs: thread_logs.into_iter().map(line).collect(),
            progress,
            held,
        }
    }

    /// The outcome.
    ///
    /// # Panics
    /// With the failure's text, when there is none.
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

    /// The pathway, by name or UUID as the agent gave it; `None`: the task stays, or moves [`Run::to_stage`].
    ///
    /// # Panics
    /// When the agent failed.
    #[must_use]
    #[track_caller]
    pub fn route(&self) -> Option<&str> {
        self.outcome().route.as_deref()
    }

    /// The stage that it moves the task to without a pathway, by title or UUID as the agent gave it.
    ///
    /// # Panics
    /// When the agent failed.
    #[must_use]
    #[track_caller]
    pub fn to_stage(&self) -> Option<&str> {
        self.outcome().stage.as_deref()
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

    /// What it changed beyond the task's own row: changed twins, then those of [`crate::Route::also`].
    ///
    /// # Panics
    /// When the agent failed.
    #[must_use]
    #[track_caller]
    pub fn changes(&self) -> &[ChangeDoc] {
        &self.outcome().changes
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

    /// What threads logged that the agent started, and those of other tests that ran at the same time: a thread does
    /// not show whose it is. Wait for threads before the agent returns.
    #[must_use]
    pub fn thread_logs(&self) -> &[LogLine] {
        &self.thread_logs
    }

    /// What it logged on its own thread.
    #[must_use]
    pub fn logs(&self) -> &[LogLine] {
        &self.logs
    }

    /// The progress it reported last.
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
