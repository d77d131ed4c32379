//! Questions. Only the key of "yes" confirms a write: neither the key that goes in nor a repeated key
//! does. In a protected project the answer is its title, typed in full. Numbers are left to
//! [`super::number`].

mod words;

use crate::actions::{self, Action, Hints, Scope};
use crate::layer::{Handled, Layer};
use crate::text::fit;
use crate::widgets::{centred, hanging, lines, typed_spans};
use crate::{Screen, Ui, keys};
use crossterm::event::KeyEvent;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use wb_core::command::Command;
use wb_core::ids::{StageId, TaskId};
use wb_core::run::{OnConflict, RunSpec};
use wb_core::state::State;
use wb_core::state::shell;
use wb_core::work::TaskRow;
use words::words;

/// What is asked.
pub enum Ask {
    /// Write these outcomes.
    Commit(Vec<TaskId>),
    /// Write every batch as it finishes, from now on.
    Live,
    /// Leave although something runs or is held.
    Quit,
    /// Start this run.
    Run(Box<RunSpec>),
    /// Run failed tasks of a stage again and write them.
    Retry(StageId, Vec<TaskRow>),
    /// Discard held outcomes.
    Drop(Vec<TaskId>),
    /// Write our labels over somebody else's.
    Overwrite(Vec<TaskId>),
    /// Undo an operation.
    Undo(i64),
    /// Finish the writes that interrupted commands began.
    Finish,
    /// Stop the run of this number, which goes on in the background.
    StopBackground(u64),
}

impl Ask {
    /// Whether the answer yes lets something be written.
    const fn writes(&self) -> bool {
        matches!(
            self,
            Self::Commit(_) | Self::Live | Self::Overwrite(_) | Self::Undo(_) | Self::Finish
        )
    }

    /// The arguments of `workbench` that do the same in a shell.
    fn shell_command(&self, state: &State) -> Option<Vec<String>> {
        match self {
            Self::Commit(tasks) => Some(shell::commit(state, tasks, false)),
            Self::Overwrite(tasks) => Some(shell::commit(state, tasks, true)),
            Self::Undo(op) => Some(shell::undo(state, *op)),
            Self::Finish => Some(shell::resume(state)),
            Self::Run(spec) => Some(shell::run(state, spec, state.writes_at_once())),
            Self::StopBackground(run) => {
                let words = ["attach", &run.to_string(), "--stop"].map(str::to_owned);
                Some(words.to_vec())
            }
            Self::Live | Self::Quit | Self::Retry(..) | Self::Drop(_) => None,
        }
    }

    fn command(&self) -> Command {
        match self {
            Self::Commit(tasks) => Command::Commit(tasks.clone()),
            Self::Live => Command::Live(true),
            Self::Quit => Command::Quit,
            Self::Drop(tasks) => Command::Drop(tasks.clone()),
            Self::Run(spec) => Command::Run(spec.clone()),
            Self::Retry(stage, rows) => Command::Retry {
                stage: *stage,
                rows: rows.clone(),
            },
            Self::Overwrite(tasks) => Command::Resolve {
                tasks: tasks.clone(),
                how: OnConflict::Overwrite,
            },
            Self::Undo(op) => Command::Undo(*op),
            Self::Finish => Command::Finish,
            Self::StopBackground(run) => Command::StopBackground(*run),
        }
    }
}

/// A question, and the title of a protected project as far as it is typed.
pub struct Question {
    ask: Ask,
    /// Present when the title is the answer.
    title: Option<keys::Line>,
}

impl Question {
    /// Asks; a write to a protected project needs its title typed.
    pub fn new(ask: Ask, state: &State) -> Self {
        let title = (ask.writes() && state.needs_title()).then(keys::Line::default);
        Self { ask, title }
    }
}

impl Layer for Question {
    fn scope(&self) -> Scope {
        Scope::Question
    }

    fn typing(&self, _: &Ui) -> bool {
        self.title.is_some()
    }

    fn on_text(&mut self, key: &KeyEvent, _: &mut Ui, _: &State) -> Handled {
        match self.title.as_mut().and_then(|line| line.key(key)) {
            Some(_) => Handled::done(),
            None => Handled::No,
        }
    }

    /// A title may be pasted; it is still entered by hand.
    fn on_paste(&mut self, text: &str, _: &mut Ui, _: &State) -> Vec<Command> {
        if let Some(line) = &mut self.title {
            line.insert(text.trim());
        }
        Vec::new()
    }

    fn on(&mut self, action: Action, ui: &mut Ui, state: &State) -> Handled {
        match (action, &self.title) {
            (Action::Yes, None) => return self.yes(ui, None),
            (Action::Quit, None) if matches!(self.ask, Ask::Quit) => return self.yes(ui, None),
            (Action::DropAndQuit, None) if matches!(self.ask, Ask::Quit) => {
                return Handled::Close(drop_and_quit(state));
            }
            (Action::GoOnInBackground, None) if matches!(self.ask, Ask::Quit) => {
                return Handled::Close(vec![Command::GoOnInBackground]);
            }
            (Action::PlanAndQuit, None) if matches!(self.ask, Ask::Quit) => {
                return Handled::Close(vec![Command::PlanAndQuit]);
            }
            (Action::In, Some(line)) => {
                let title = line.text.clone();
                if is_title(&title, state) {
                    return self.yes(ui, Some(title));
                }
                ui.notice = Some("that is not the project's title; nothing was written".into());
            }
            (Action::No, None) | (Action::Out, _) => return Handled::Close(Vec::new()),
            (Action::CopyCommand | Action::Quit | Action::Suspend, _) => return Handled::No,
            _ => {}
        }
        Handled::done()
    }

    fn lines(&mut self, ui: &mut Ui, state: &State) -> Option<Vec<String>> {
        let (title, text, yes, no) = words(&self.ask, state);
        let mut all = vec![title];
        all.extend(text.iter().map(|text| ui.keyed(text)));
        all.push(match &self.title {
            None => format!("yes: {yes}. no: {no}."),
            Some(_) => {
                let project = state.project.as_ref().map_or("", |p| p.title.as_str());
                format!(
                    "This project is PROTECTED. Type its title, {project}, to {yes}; out: {no}."
                )
            }
        });
        Some(all)
    }

    fn hints(&self, ui: &Ui, state: &State) -> Hints {
        if self.title.is_some() {
            return vec![
                (Action::In, "when the title is typed".into()),
                (Action::Out, "no".into()),
            ];
        }
        let mut all = vec![Action::Yes, Action::No];
        if matches!(self.ask, Ask::Quit) {
            all.extend([
                Action::GoOnInBackground,
                Action::PlanAndQuit,
                Action::DropAndQuit,
            ]);
        }
        all.extend(self.ask.shell_command(state).map(|_| Action::CopyCommand));
        actions::hints(ui, state, &all)
    }

    fn draw(&mut self, ui: &mut Ui, buf: &mut Buffer, area: Rect, state: &State) {
        let st = ui.st;
        let (title, text, yes, no) = words(&self.ask, state);
        let columns = area.width.saturating_sub(4).min(72);
        let inside = usize::from(columns).saturating_sub(6);
        let mut all = vec![Line::default()];
        for part in text {
            let (mark, text) = match part.strip_prefix("• ") {
                Some(item) => ("  • ", item),
                None => ("  ", part.as_str()),
            };
            all.extend(hanging(mark, st.text, &ui.keyed(text), inside + 2, st.text));
        }
        all.push(Line::default());
        match &self.title {
            Some(line) => all.extend(title_lines(ui, line, (yes, no), inside, state)),
            None => {
                all.push(ui.keyed_line(&format!("  {{key:Yes}} {yes}      {{key:No}} {no}")));
            }
        }
        let height = u16::try_from(all.len() + 2).unwrap_or(u16::MAX);
        let place = centred(area, columns, height);
        let title = fit(&title, usize::from(columns).saturating_sub(6));
        let inner = ui.overlay(buf, place, (&title, ""));
        lines(
            buf,
            inner,
            &all,
            all.len().saturating_sub(usize::from(inner.height)),
        );
    }

    fn shell_command(&self, _: &Ui, state: &State) -> Option<Vec<String>> {
        self.ask.shell_command(state)
    }
}

impl Question {
    /// Does what was asked, with the project's title as it was typed.
    fn yes(&self, ui: &mut Ui, title: Option<String>) -> Handled {
        let command = match title {
            None => self.ask.command(),
            Some(title) => Command::Confirm {
                title,
                then: Box::new(self.ask.command()),
            },
        };
        if matches!(self.ask, Ask::Run(_) | Ask::Retry(..)) {
            ui.screen = Screen::Run;
            return Handled::CloseAll(vec![command]);
        }
        Handled::Close(vec![command])
    }
}

/// Discards everything that is held, those in conflict too, and leaves.
fn drop_and_quit(state: &State) -> Vec<Command> {
    let held = state.held.keys().copied().collect();
    let tasks = state.conflicts.keys().copied().collect();
    let how = OnConflict::Skip;
    let all = [Command::Drop(held), Command::Resolve { tasks, how }];
    all.into_iter().chain([Command::Quit]).collect()
}

fn is_title(typed: &str, state: &State) -> bool {
    let title = state.project.as_ref().map(|p| p.title.trim());
    title == Some(typed.trim())
}

/// The line in which the title of a protected project is typed.
fn title_lines<'a>(
    ui: &Ui,
    line: &keys::Line,
    (yes, no): (&'static str, &'static str),
    columns: usize,
    state: &State,
) -> Vec<Line<'a>> {
    let st = &ui.st;
    let project = state.project.as_ref().map_or("", |p| p.title.as_str());
    let ask = format!("This project is PROTECTED. Type its title to {yes}:");
    let mut all = hanging("  ", st.warn, &ask, columns + 2, st.warn);
    all.push(Line::styled(format!("  {}", fit(project, columns)), st.dim));
    let mut typed = Line::from("  ");
    typed.spans.extend(typed_spans(line, st.strong));
    all.push(typed);
    all.push(Line::default());
    let (enter, style) = match is_title(&line.text, state) {
        true => (yes, st.key),
        false => ("when the title is complete", st.dim),
    };
    all.push(Line::from(vec![
        Span::styled(format!("  {}", ui.key_of(Action::In)), style),
        Span::raw(format!(" {enter}      ")),
        Span::styled(ui.key_of(Action::Out), st.key),
        Span::raw(format!(" {no}")),
    ]));
    all
}
