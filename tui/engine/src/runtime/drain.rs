//! Which stage will be worked through first, known before anything has charge of it: so that its first
//! tasks can be asked for while the rest of the project is on its way.

use std::sync::{Arc, Mutex, PoisonError};
use wb_core::build::Descriptor;
use wb_core::ids::StageId;
use wb_core::workflow::Workflow;

/// What a command is going to drain. A guess: a wrong one costs one request.
#[derive(Clone, Debug, Default)]
pub struct Drain {
    /// Stages by name or UUID; empty: all that have an agent.
    only: Vec<String>,
    /// Stages of agents, by name or UUID, in the order of the libraries.
    agents: Arc<Mutex<Vec<String>>>,
}

impl Drain {
    /// The queues of these stages, or of all that have an agent.
    #[must_use]
    pub fn of(stages: &[String]) -> Self {
        Self {
            only: stages.to_vec(),
            agents: Arc::default(),
        }
    }

    /// A library declares what it has agents for.
    pub(super) fn learn(&self, library: &Descriptor) {
        let mut agents = self.agents.lock().unwrap_or_else(PoisonError::into_inner);
        agents.extend(library.agents.iter().map(|agent| agent.stage.clone()));
    }

    /// The first stage to drain, as far as libraries have declared it.
    pub(super) fn first(&self, workflow: &Workflow) -> Option<StageId> {
        let find = |name: &String| workflow.find(name).map(|stage| stage.id);
        let only: Vec<StageId> = self.only.iter().filter_map(find).collect();
        let agents = self.agents.lock().unwrap_or_else(PoisonError::into_inner);
        let mut stages = agents.iter().filter_map(find);
        stages.find(|stage| self.only.is_empty() || only.contains(stage))
    }
}
