//! What is due because time has passed.

use super::State;
use crate::command::Shown;
use crate::error::ErrorKind;
use crate::event::Effect;
use crate::ids::{Millis, StageId};

/// A platform that did not answer is asked for the project again this often, in milliseconds.
const AGAIN_MS: u64 = 20_000;

impl State {
    pub(super) fn tick(&mut self, now: Millis) -> Vec<Effect> {
        self.now = now;
        let mut effects = self.hold_over();
        self.opening_over();
        effects.extend(self.stop_leaving_agents());
        if self.options.screen {
            effects.extend(self.refresh_what_is_due(now));
        }
        effects
    }

    fn refresh_what_is_due(&mut self, now: Millis) -> Vec<Effect> {
        let silent = self
            .project_error
            .as_ref()
            .is_some_and(|f| f.kind == ErrorKind::Network);
        if self.project.is_none() && silent && now.since(self.asked) >= AGAIN_MS {
            self.asked = now;
            return self.read_project().into_iter().collect();
        }
        if self.queues.values().any(|queue| queue.loading) {
            return Vec::new();
        }
        let shown = |stage: StageId| match self.shown {
            Shown::Stages => true,
            Shown::Stage(one) => one == stage,
            Shown::Nothing => false,
        };
        let all = self.queues.iter();
        let due = all.filter(|(stage, queue)| shown(**stage) && queue.is_due(now));
        let first = due.min_by_key(|(_, queue)| queue.due_order());
        let first = first.map(|(stage, _)| *stage);
        first
            .and_then(|stage| self.list(stage))
            .into_iter()
            .collect()
    }
}
