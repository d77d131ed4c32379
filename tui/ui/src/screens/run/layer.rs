//! Run as a layer: its actions, hints and what it copies.

use super::move_cursor;
use crate::actions::{self, Action, Hints, Scope};
use crate::layer::{Handled, Layer};
use crate::{Screen, Ui, copy, outside};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use wb_core::code_place::CodePlace;
use wb_core::command::Command;
use wb_core::ids::DataHash;
use wb_core::state::State;
use wb_core::state::shell;

/// The Run screen; its cursor is in [`super::RunCursor`].
pub struct RunScreen;

impl Layer for RunScreen {
    fn scope(&self) -> Scope {
        Scope::Run
    }

    fn on(&mut self, action: Action, ui: &mut Ui, state: &State) -> Handled {
        match action {
            Action::In => {
                let paused = !state.paused.is_empty();
                let first = if paused {
                    Action::OpenPaused
                } else {
                    Action::StepFailed
                };
                Handled::Stay(ui.dispatch(first, state))
            }
            Action::Out => Handled::Stay(ui.go(Screen::Flow)),
            _ if action.moves() && ui.in_main() => {
                move_cursor(ui, action, state);
                Handled::done()
            }
            _ => Handled::No,
        }
    }

    fn on_click(&mut self, row: usize, ui: &mut Ui, _: &State) -> bool {
        ui.run.at = row;
        true
    }

    fn lines(&mut self, ui: &mut Ui, state: &State) -> Option<Vec<String>> {
        Some(super::lines::lines(ui, state))
    }

    fn choose(&mut self, row: usize, ui: &mut Ui, state: &State) -> Option<Vec<Command>> {
        (row < state.failures.len()).then(|| {
            ui.run.at = row;
            Vec::new()
        })
    }

    fn hints(&self, ui: &Ui, state: &State) -> Hints {
        use Action::*;
        let all = [
            OpenPaused,
            Pause,
            More,
            Fewer,
            CancelRun,
            StopBackground,
            RetryGroup,
            StepFailed,
            Review,
            WatchFailed,
            Conflicts,
            Rate,
            Timeout,
            Out,
        ];
        actions::hints(ui, state, &all)
    }

    /// Of the chosen failure, or else of the agent that runs.
    fn code_place(&self, ui: &Ui, state: &State) -> Option<CodePlace> {
        let group = state.failures.get(ui.run.at);
        let place = group.and_then(|group| CodePlace::of_error(&group.first));
        let stage = group.map(|group| group.stage);
        let stage = stage.or_else(|| state.run.as_ref()?.stage());
        place.or_else(|| outside::agent_place(stage.or(ui.stage), state))
    }

    fn data(&self, ui: &Ui, state: &State) -> Option<DataHash> {
        let group = state.failures.get(ui.run.at)?;
        Some(group.rows.first()?.data)
    }

    fn draw(&mut self, ui: &mut Ui, buf: &mut Buffer, area: Rect, state: &State) {
        super::draw(ui, buf, area, state);
    }

    fn value(&self, ui: &Ui, state: &State) -> Option<(String, String)> {
        let group = state.failures.get(ui.run.at)?;
        Some(("the error".to_owned(), copy::error_text(&group.first)))
    }

    fn shell_command(&self, _: &Ui, state: &State) -> Option<Vec<String>> {
        let run = state.run.as_ref()?;
        Some(shell::run(state, &run.spec, state.writes_at_once()))
    }
}
