//! What the visible screen needs of the engine, and asks for by itself: stages to be listed, label rows to be read.

use crate::{Screen, Ui};
use wb_core::command::{Command, Shown};
use wb_core::ids::{Millis, TaskId};
use wb_core::state::State;

impl Ui {
    /// The command that reads what the visible screen shows of label rows and does not have yet; the same ones not again
    /// at once, should they not be readable.
    pub fn missing_facts(&mut self, state: &State) -> Option<Command> {
        /// Milliseconds.
        const AGAIN: u64 = 10_000;
        let stage = self.stage?;
        if state
            .queues
            .get(&stage)
            .is_none_or(|q| q.asking || q.loading)
        {
            return None;
        }
        let rows = self.top(|layer| layer.unread_rows(self, state));
        let first = rows.first()?.id;
        let before = self.asked.replace((first, state.now));
        let again = |(task, at): (TaskId, Millis)| task == first && state.now.since(at) < AGAIN;
        if before.is_some_and(again) {
            self.asked = before;
            return None;
        }
        Some(Command::Know { stage, rows })
    }

    /// The command that names the stages in sight, when these are others than before.
    pub fn shown_stages(&mut self) -> Option<Command> {
        let shown = match (self.screen, self.stage) {
            (Screen::Flow, _) => Shown::Stages,
            (Screen::Queue | Screen::Task, Some(stage)) => Shown::Stage(stage),
            (Screen::Run, _) | (_, None) => Shown::Nothing,
        };
        let before = std::mem::replace(&mut self.shown, shown);
        (before != shown).then_some(Command::Show(shown))
    }
}
