//! Queue as a layer: its actions and hints, the filter while it is typed, what it copies.

use crate::actions::{self, Action, Hints, Scope, watchable};
use crate::layer::{Handled, Layer};
use crate::{Screen, Ui, copy, outside};
use crossterm::event::KeyEvent;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use wb_core::code_place::CodePlace;
use wb_core::command::Command;
use wb_core::ids::DataHash;
use wb_core::run::Source;
use wb_core::state::State;
use wb_core::work::TaskRow;

/// Tasks that a command lists one by one; with more it would be too long to read.
const NAMED: usize = 50;

/// The Queue screen; its cursors are in [`super::QueueCursor`].
pub struct Queue;

impl Layer for Queue {
    fn scope(&self) -> Scope {
        Scope::Queue
    }

    fn typing(&self, ui: &Ui) -> bool {
        ui.queue.typing.is_some()
    }

    /// The queue follows every letter of the filter.
    fn on_text(&mut self, key: &KeyEvent, ui: &mut Ui, _: &State) -> Handled {
        match ui.queue.typing.as_mut().and_then(|(line, _)| line.key(key)) {
            Some(true) => Handled::Stay(typed(ui)),
            Some(false) => Handled::done(),
            None => Handled::No,
        }
    }

    fn on_paste(&mut self, text: &str, ui: &mut Ui, _: &State) -> Vec<Command> {
        let Some((line, _)) = &mut ui.queue.typing else {
            return Vec::new();
        };
        line.insert(text.trim());
        typed(ui)
    }

    fn on(&mut self, action: Action, ui: &mut Ui, state: &State) -> Handled {
        if action.moves() {
            if !ui.in_main() {
                return Handled::No;
            }
            if let Some(stage) = ui.stage {
                let page = ui.page();
                ui.queue.move_cursor(stage, action, page, state);
            }
            return Handled::done();
        }
        if ui.queue.typing.is_some() {
            return on_typing(action, ui);
        }
        match action {
            Action::In => Handled::Stay(ui.dispatch(Action::Step, state)),
            Action::Out if ui.unqueues(state) => Handled::Stay(vec![Command::CancelQueuedStep]),
            Action::Out => {
                let queue = ui.stage.and_then(|s| Some((s, state.queues.get(&s)?)));
                let nothing_matches =
                    queue.filter(|(_, q)| q.view.is_empty() && !q.filter_text.is_empty());
                if let Some((stage, _)) = nothing_matches {
                    let text = String::new();
                    return Handled::Stay(vec![Command::Filter { stage, text }]);
                }
                Handled::Stay(ui.go(Screen::Flow))
            }
            _ => Handled::No,
        }
    }

    fn on_click(&mut self, row: usize, ui: &mut Ui, state: &State) -> bool {
        let queue = ui.stage.and_then(|s| Some((s, state.queues.get(&s)?)));
        let Some((stage, _)) = queue.filter(|(_, q)| q.at(row).is_some()) else {
            return false;
        };
        ui.queue.go_to(stage, row, state);
        true
    }

    fn lines(&mut self, ui: &mut Ui, state: &State) -> Option<Vec<String>> {
        if let Some((_, before)) = &ui.queue.typing {
            return Some(vec![format!(
                "Filter, now \"{}\": type it, e.g. status:new. An empty line shows all tasks; out leaves it as it is.",
                crate::text::clean(before)
            )]);
        }
        Some(super::lines::lines(ui, state))
    }

    fn choose(&mut self, row: usize, ui: &mut Ui, state: &State) -> Option<Vec<Command>> {
        self.on_click(row, ui, state).then(Vec::new)
    }

    fn hints(&self, ui: &Ui, state: &State) -> Hints {
        use Action::*;
        if ui.queue.typing.is_some() {
            return vec![
                (In, "keep".into()),
                (Out, "as before".into()),
                (NextPane, "complete".into()),
                (Up, "".into()),
                (Down, "move".into()),
            ];
        }
        let all = [
            Step,
            Filter,
            Mark,
            RunMarked,
            RunMatching,
            MarkAll,
            Groups,
            WatchTask,
            Sort,
            Columns,
            Review,
            Preview,
            Builds,
        ];
        let mut hints = actions::hints(ui, state, &all);
        if ui.unqueues(state) {
            hints.splice(..0, actions::hints(ui, state, &[Out]));
        }
        hints
    }

    fn code_place(&self, ui: &Ui, state: &State) -> Option<CodePlace> {
        outside::compile_error(state).or_else(|| outside::agent_place(ui.stage, state))
    }

    fn data(&self, ui: &Ui, state: &State) -> Option<DataHash> {
        let stage = ui.stage?;
        Some(state.queues.get(&stage)?.at(ui.queue.place(stage))?.data)
    }

    fn draw(&mut self, ui: &mut Ui, buf: &mut Buffer, area: Rect, state: &State) {
        super::draw(ui, buf, area, state);
    }

    fn value(&self, ui: &Ui, state: &State) -> Option<(String, String)> {
        let (_, rows) = watchable(ui, Action::WatchTask, state)?;
        let all: Vec<String> = rows.iter().map(|r| r.id.to_string()).collect();
        Some((crate::text::plural(all.len(), "task UUID"), all.join("\n")))
    }

    /// The marked tasks while they are few, or what the filter leaves.
    fn shell_command(&self, ui: &Ui, state: &State) -> Option<Vec<String>> {
        let stage = ui.stage?;
        let queue = state.queues.get(&stage)?;
        if (1..=NAMED).contains(&queue.marks.len()) {
            let source = Source::Tasks(stage, queue.chosen(0));
            return Some(copy::of_source(state, source));
        }
        let mut words = copy::of_source(state, Source::Stages(vec![stage]));
        if !queue.filter.is_empty() {
            words.extend(["--filter".to_owned(), queue.filter_text.clone()]);
        }
        Some(words)
    }

    fn unread_rows(&self, ui: &Ui, state: &State) -> Vec<TaskRow> {
        super::unread_rows(ui, state)
    }
}

/// The filter as it is typed now.
fn typed(ui: &Ui) -> Vec<Command> {
    let (Some((line, _)), Some(stage)) = (&ui.queue.typing, ui.stage) else {
        return Vec::new();
    };
    let text = line.text.clone();
    vec![Command::Filter { stage, text }]
}

fn on_typing(action: Action, ui: &mut Ui) -> Handled {
    match action {
        Action::In => ui.queue.typing = None,
        Action::Out => {
            let before = ui.queue.typing.take().map(|(_, before)| before);
            let filter = |stage| Command::Filter {
                stage,
                text: before.unwrap_or_default(),
            };
            return Handled::Stay(ui.stage.map(filter).into_iter().collect());
        }
        Action::NextPane => {
            if let Some((line, _)) = &mut ui.queue.typing
                && let Some(rest) = completion(&line.text[..line.at])
            {
                line.insert(rest);
                return Handled::Stay(typed(ui));
            }
        }
        Action::Quit | Action::Suspend => return Handled::No,
        _ => {}
    }
    Handled::done()
}

/// The rest of a field's name that is being typed.
fn completion(text: &str) -> Option<&'static str> {
    let word = text.rsplit([' ', '|', '-']).next()?;
    if word.is_empty() {
        return None;
    }
    wb_core::filter::FIELDS
        .iter()
        .find_map(|f| f.strip_prefix(word).filter(|rest| !rest.is_empty()))
}
