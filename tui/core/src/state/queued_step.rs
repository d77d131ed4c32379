//! The task that a person has asked to step before its stage had an agent: it is opened when one is active. How
//! agents come is left to `state/builds.rs`.

use super::*;

/// A task to step once its stage has an agent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueuedStep {
    /// Its stage.
    pub stage: StageId,
    /// The task.
    pub task: TaskId,
    /// Its title.
    pub title: String,
}

impl State {
    /// Whether a stage without an agent may get one soon: libraries are being compiled or opened.
    #[must_use]
    pub fn agent_coming(&self, stage: StageId) -> bool {
        self.agent(stage).is_none() && self.libraries_coming()
    }

    /// Whether libraries are being compiled or opened.
    #[must_use]
    pub fn libraries_coming(&self) -> bool {
        self.compiling.as_ref().is_some_and(|c| c.failed.is_none())
            || !self.awaited.is_empty()
            || !self.arrived.is_empty()
    }

    /// Queues the task instead of any other.
    pub(super) fn queue_step(&mut self, stage: StageId, task: TaskId, title: &str) {
        let next = QueuedStep {
            stage,
            task,
            title: title.to_owned(),
        };
        if self.queued_step.as_ref() == Some(&next) {
            return;
        }
        self.info(
            Kind::Task,
            format!("{title}: queued, opens as soon as the agents are loaded"),
        );
        self.queued_step = Some(next);
    }

    pub(super) fn cancel_queued_step(&mut self) -> Vec<Effect> {
        if let Some(step) = self.queued_step.take() {
            self.info(Kind::Task, format!("{}: no longer queued", step.title));
        }
        Vec::new()
    }

    /// Opens the queued task once its stage has an agent. After a build that failed it stays queued: the next
    /// build may succeed. Where nothing is on its way any more, opening it reports why it cannot be stepped.
    pub(super) fn step_queued(&mut self) -> Vec<Effect> {
        let Some(step) = &self.queued_step else {
            return Vec::new();
        };
        let failed = self.compiling.as_ref().is_some_and(|c| c.failed.is_some());
        if self.agent(step.stage).is_none() && (failed || self.libraries_coming()) {
            return Vec::new();
        }
        let (stage, task) = (step.stage, step.task);
        self.queued_step = None;
        self.open(stage, task)
    }
}
