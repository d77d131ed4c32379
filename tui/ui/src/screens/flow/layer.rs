//! Flow as a layer: its actions, hints and what it copies.

use super::move_cursor;
use crate::actions::{self, Action, Hints, Scope};
use crate::layer::{Handled, Layer, WHEEL};
use crate::overlays::moved;
use crate::panes::PaneName;
use crate::{Screen, Ui, copy, outside};
use crossterm::event::KeyEvent;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use wb_core::code_place::CodePlace;
use wb_core::command::Command;
use wb_core::run::Source;
use wb_core::state::State;

/// More stages are worth a hint at filtering and folding.
const MANY: usize = 12;

/// The Flow screen; its cursors are in [`super::FlowCursor`].
pub struct Flow;

impl Layer for Flow {
    fn scope(&self) -> Scope {
        Scope::Flow
    }

    fn typing(&self, ui: &Ui) -> bool {
        ui.flow.typing.is_some()
    }

    /// The stages follow every letter of the filter.
    fn on_text(&mut self, key: &KeyEvent, ui: &mut Ui, state: &State) -> Handled {
        match ui.flow.typing.as_mut().and_then(|(line, _)| line.key(key)) {
            Some(changed) => {
                if changed {
                    typed(ui, state);
                }
                Handled::done()
            }
            None => Handled::No,
        }
    }

    fn on_paste(&mut self, text: &str, ui: &mut Ui, state: &State) -> Vec<Command> {
        if let Some((line, _)) = &mut ui.flow.typing {
            line.insert(text.trim());
            typed(ui, state);
        }
        Vec::new()
    }

    fn on(&mut self, action: Action, ui: &mut Ui, state: &State) -> Handled {
        if ui.flow.typing.is_some() && !action.moves() {
            return on_typing(action, ui, state);
        }
        match action {
            Action::In => Handled::Stay(ui.go(Screen::Queue)),
            Action::Out if ui.unqueues(state) => Handled::Stay(vec![Command::CancelQueuedStep]),
            Action::Out if !ui.flow.filter().is_empty() => {
                ui.flow.set_filter("");
                Handled::done()
            }
            _ if !action.moves() => Handled::No,
            _ => match ui.focus() {
                PaneName::Main => {
                    move_cursor(ui, action, state);
                    Handled::done()
                }
                PaneName::Activity => {
                    ui.flow.activity_back = moved(ui.flow.activity_back, action, ui.page());
                    Handled::done()
                }
                _ => Handled::No,
            },
        }
    }

    /// In the drawing it goes from box to box.
    fn wheel_rows(&self, ui: &Ui) -> usize {
        let in_drawing = ui.in_main() && !ui.flow.lists(ui.room);
        if in_drawing { 1 } else { WHEEL }
    }

    fn hints(&self, ui: &Ui, state: &State) -> Hints {
        use Action::*;
        if ui.flow.typing.is_some() {
            return vec![
                (In, "keep".into()),
                (Out, "as before".into()),
                (Up, "".into()),
                (Down, "select".into()),
            ];
        }
        let stages = state
            .project
            .as_ref()
            .map_or(0, |p| p.workflow.stages.len());
        let mut all = vec![
            In, StepFirst, RunSome, RunEvery, Review, Watching, Builds, Drawing,
        ];
        if stages > MANY {
            all.extend([FilterStages, Fold]);
        }
        all.extend([Conflicts, Journal, Mode, Refresh]);
        let mut hints = actions::hints(ui, state, &all);
        if ui.unqueues(state) || !ui.flow.filter().is_empty() {
            hints.splice(..0, actions::hints(ui, state, &[Out]));
        }
        hints
    }

    fn lines(&mut self, ui: &mut Ui, state: &State) -> Option<Vec<String>> {
        Some(super::lines::lines(ui, state))
    }

    fn choose(&mut self, row: usize, ui: &mut Ui, state: &State) -> Option<Vec<Command>> {
        let project = state.project.as_ref()?;
        ui.stage = Some(*super::in_order(&project.workflow, &ui.flow).get(row)?);
        Some(Vec::new())
    }

    fn code_place(&self, ui: &Ui, state: &State) -> Option<CodePlace> {
        outside::compile_error(state).or_else(|| outside::agent_place(ui.stage, state))
    }

    fn draw(&mut self, ui: &mut Ui, buf: &mut Buffer, area: Rect, state: &State) {
        super::draw(ui, buf, area, state);
    }

    fn value(&self, ui: &Ui, _: &State) -> Option<(String, String)> {
        Some(("the stage's UUID".to_owned(), ui.stage?.to_string()))
    }

    fn shell_command(&self, ui: &Ui, state: &State) -> Option<Vec<String>> {
        Some(copy::of_source(state, Source::Stages(vec![ui.stage?])))
    }
}

/// The filter has changed: it holds at once.
fn typed(ui: &mut Ui, state: &State) {
    ui.flow.typed();
    super::select_shown(ui, state);
}

fn on_typing(action: Action, ui: &mut Ui, state: &State) -> Handled {
    match action {
        Action::In => ui.flow.typing = None,
        Action::Out => {
            let before = ui.flow.typing.take().map(|(_, before)| before);
            ui.flow.set_filter(&before.unwrap_or_default());
            super::select_shown(ui, state);
        }
        Action::Quit | Action::Suspend => return Handled::No,
        _ => {}
    }
    Handled::done()
}
