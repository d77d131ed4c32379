//! Task as a layer: its actions, hints and what it copies.

use crate::actions::{self, Action, Hints, Scope};
use crate::layer::{Handled, Layer};
use crate::panes::PaneName;
use crate::{Screen, Ui, copy, outside};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use wb_core::code_place::CodePlace;
use wb_core::command::Command;
use wb_core::ids::DataHash;
use wb_core::run::Source;
use wb_core::state::State;

/// The Task screen; its cursors are in [`super::TaskCursor`].
pub struct Task;

impl Layer for Task {
    fn scope(&self) -> Scope {
        Scope::Task
    }

    fn on(&mut self, action: Action, ui: &mut Ui, state: &State) -> Handled {
        match action {
            Action::Out => {
                if let Some(step) = &state.step {
                    ui.stage = Some(step.stage);
                }
                ui.screen = Screen::Queue;
            }
            // Time goes from left to right, whatever pane shows it.
            Action::Left | Action::Right => ui.task.move_cursor(action, 1, state),
            _ if action.moves() && ui.in_main() => {
                let page = ui.page();
                ui.task.move_cursor(action, page, state);
            }
            // On a line where something of JSON begins, to go in is to open it.
            Action::In => drop(super::move_in_tab(ui, Action::FoldJson, state)),
            _ if action.moves() && ui.focus() != PaneName::Details => return Handled::No,
            _ if super::move_in_tab(ui, action, state) => {}
            _ => return Handled::No,
        }
        Handled::done()
    }

    fn on_click(&mut self, row: usize, ui: &mut Ui, _: &State) -> bool {
        ui.task.event = Some(row);
        false
    }

    fn lines(&mut self, ui: &mut Ui, state: &State) -> Option<Vec<String>> {
        Some(super::lines::lines(ui, state))
    }

    fn choose(&mut self, row: usize, ui: &mut Ui, state: &State) -> Option<Vec<Command>> {
        let events = super::timeline::rows(state.step.as_ref()?, state).len();
        ui.task.event = (row < events).then_some(row);
        ui.task.event.map(|_| Vec::new())
    }

    fn hints(&self, ui: &Ui, state: &State) -> Hints {
        use Action::*;
        let all = [
            StepOn,
            ToEnd,
            ToReturn,
            Accept,
            CommitTask,
            Rerun,
            EditValue,
            TogglePoint,
            Fork,
            KillJob,
            NextTab,
            Right,
            FoldJson,
            Discard,
            NextTask,
            WatchOpen,
            Review,
            Conflicts,
            PrevFrame,
            NextFrame,
        ];
        actions::hints(ui, state, &all)
    }

    /// Of what failed, or else of the agent.
    fn code_place(&self, _: &Ui, state: &State) -> Option<CodePlace> {
        let step = state.step.as_ref()?;
        let error = step
            .result
            .as_ref()
            .and_then(|result| result.as_ref().err());
        let place = error.and_then(CodePlace::of_error);
        place
            .or_else(|| outside::compile_error(state))
            .or_else(|| outside::agent_place(Some(step.stage), state))
    }

    fn data(&self, _: &Ui, state: &State) -> Option<DataHash> {
        Some(state.step.as_ref()?.row.data)
    }

    fn draw(&mut self, ui: &mut Ui, buf: &mut Buffer, area: Rect, state: &State) {
        super::draw(ui, buf, area, state);
    }

    fn value(&self, ui: &Ui, state: &State) -> Option<(String, String)> {
        super::shown_text(ui, state)
    }

    fn shell_command(&self, _: &Ui, state: &State) -> Option<Vec<String>> {
        let step = state.step.as_ref()?;
        let source = Source::Tasks(step.stage, vec![step.row.clone()]);
        Some(copy::of_source(state, source))
    }
}
