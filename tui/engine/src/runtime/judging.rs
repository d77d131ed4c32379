//! Answers of agents on their way to outcomes: what their further changes name is read first. Judging and comparing them
//! is left to the core.

use super::excerpts::{may_have_excerpts, with_excerpts};
use super::{JobFacts, World};
use std::sync::Arc;
use wb_core::comparing::CompareTask;
use wb_core::error::{Error, ErrorKind};
use wb_core::event::Event;
use wb_core::patch::{EditTask, FurtherInputs, edited, judge_as, wanted};
use wb_core::run::OnDuplicate;
use wb_core::work::Outcome;

/// Answers up to this size are judged in place; larger ones, and those whose review shows the text of a file, on a
/// thread of their own, so that the screen never waits for a large label row or a disk.
const SMALL: usize = 16 * 1024;
/// Large answers that are judged at a time: each takes some fifty times its size meanwhile.
pub(super) const JUDGES: usize = 2;

impl World {
    /// Compares what two sides gave for a task, on a thread of its own: rows may be large.
    pub(super) fn compare(&self, task: Arc<CompareTask>) {
        let (news, judges) = (self.news.clone(), Arc::clone(&self.judges));
        let ontology = self.ontology.clone().unwrap_or_default();
        tokio::spawn(async move {
            let turn = judges.acquire_owned().await;
            tokio::task::spawn_blocking(move || {
                let differs = Box::new(task.compare(&ontology));
                drop(turn);
                let _ = news.blocking_send(Event::Compared(task.of, task.inputs.row.id, differs));
            });
        });
    }

    /// Edits an outcome and checks what results, on a thread of its own: rows may be large.
    pub(super) fn edit_outcome(&self, task: Arc<EditTask>) {
        let (news, judges) = (self.news.clone(), Arc::clone(&self.judges));
        let (project, ontology) = (self.project.clone(), self.ontology.clone());
        tokio::spawn(async move {
            let turn = judges.acquire_owned().await;
            tokio::task::spawn_blocking(move || {
                let stage = project.as_ref().and_then(|p| p.workflow.stage(task.stage));
                let result = match (stage, ontology) {
                    (Some(stage), Some(ontology)) => edited(&ontology, stage, &task)
                        .map(|outcome| Arc::new(with_excerpts(outcome, &task.inputs))),
                    _ => Err(Error::new(
                        ErrorKind::Settings,
                        "the project has no such stage any more",
                    )),
                };
                drop(turn);
                let _ = news.blocking_send(Event::OutcomeEdited(task, result));
            });
        });
    }

    /// Judges an answer; `None` when the event comes later by itself.
    pub(super) fn judge(
        &self,
        facts: JobFacts,
        answer: Vec<u8>,
        event: impl FnOnce(Result<Arc<Outcome>, Error>, bool) -> Event + Send + 'static,
    ) -> Option<Event> {
        let (Some(project), Some(ontology)) = (self.project.clone(), self.ontology.clone()) else {
            let error = Error::new(
                ErrorKind::Upstream,
                "the project's ontology is not readable, so no outcome can be checked",
            );
            return Some(event(Err(error), false));
        };
        let author = match self.on_duplicate {
            OnDuplicate::Skip => self.reader.known_me(),
            OnDuplicate::Add => None,
        };
        let wanted = wanted(project.hash, &facts.inputs, &answer);
        let around = wanted.map(|wanted| {
            let (answers, own) = (self.answers.clone(), (project.clone(), ontology.clone()));
            let seen = Arc::clone(&facts.seen);
            async move { answers.around(own, wanted, &seen).await }
        });
        let reads = may_have_excerpts(&facts.inputs);
        let small = around.is_none() && answer.len() <= SMALL && !reads;
        let decide = move |around: FurtherInputs| match project.workflow.stage(facts.stage) {
            Some(stage) => {
                let author = author.as_deref();
                let judged = judge_as(author, stage, &ontology, &facts.inputs, &around, &answer);
                judged.map(|outcome| Arc::new(with_excerpts(outcome, &facts.inputs)))
            }
            None => Err(Error::new(
                ErrorKind::Settings,
                "the project has no such stage any more",
            )),
        };
        if small {
            return Some(event(decide(FurtherInputs::default()), false));
        }
        let (news, judges) = (self.news.clone(), Arc::clone(&self.judges));
        tokio::spawn(async move {
            let around = match around {
                Some(around) => around.await,
                None => FurtherInputs::default(),
            };
            let turn = judges.acquire_owned().await;
            tokio::task::spawn_blocking(move || {
                let judged = event(decide(around), false);
                drop(turn);
                let _ = news.blocking_send(judged);
            });
        });
        None
    }
}
