//! Rows that somebody else changed after the agent read them: what the agent read, their version and
//! ours; and the three answers, for one task or for all of its stage.
//!
//! Requests and writes are left to the engine; overwriting asks first.

mod sides;

use super::ask::Ask;
use super::moved;
use crate::actions::{self, Action, Hints, Scope};
use crate::layer::{Handled, Layer};
use crate::text::{clean, fit, fit_middle, left, number, plural};
use crate::theme::Styles;
use crate::widgets::{lines, list, list_and_details, overlay, padded, pane as frame};
use crate::{Screen, Ui};
use ratatui::buffer::Buffer;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::{Line, Span};
use sides::sides;
use wb_core::command::Command;
use wb_core::ids::TaskId;
use wb_core::run::OnConflict;
use wb_core::state::{State, Theirs};

/// Cursor, and whether an answer is for all tasks of the stage.
#[derive(Default)]
pub struct Conflicts {
    at: usize,
    top: usize,
    all: bool,
    /// Reading the sides instead of choosing a task.
    inside: bool,
    scroll: usize,
}

impl Conflicts {
    fn task(&self, state: &State) -> Option<TaskId> {
        state.conflicts.keys().nth(self.at).copied()
    }

    /// Requests their version of the task under the cursor, unless that was done.
    pub fn look(&self, state: &State) -> Vec<Command> {
        let task = self.task(state);
        let unasked = task
            .and_then(|t| state.conflicts.get(&t))
            .is_some_and(|c| matches!(c.theirs, Theirs::Unasked));
        match task {
            Some(task) if unasked => vec![Command::Theirs(vec![task])],
            _ => Vec::new(),
        }
    }

    fn move_cursor(&mut self, action: Action, state: &State) {
        if self.inside {
            self.scroll = moved(self.scroll, action, 10);
            return;
        }
        self.scroll = 0;
        let last = state.conflicts.len().saturating_sub(1);
        self.at = moved(self.at, action, 10).min(last);
    }

    /// The tasks that an answer applies to.
    fn chosen(&self, state: &State) -> Vec<TaskId> {
        let Some(task) = self.task(state) else {
            return Vec::new();
        };
        let stage = state.conflicts.get(&task).map(|c| c.ours.stage);
        if !self.all {
            return vec![task];
        }
        let same = state
            .conflicts
            .iter()
            .filter(|(_, c)| Some(c.ours.stage) == stage);
        same.map(|(task, _)| *task).collect()
    }
}

impl Layer for Conflicts {
    fn scope(&self) -> Scope {
        Scope::Conflicts
    }

    fn opened_by(&self) -> Option<Action> {
        Some(Action::Conflicts)
    }

    fn on(&mut self, action: Action, ui: &mut Ui, state: &State) -> Handled {
        let tasks = self.chosen(state);
        match action {
            Action::In | Action::Right => self.inside = true,
            Action::Out | Action::Left if self.inside => {
                (self.inside, self.scroll) = (false, 0);
            }
            Action::Left => {}
            _ if action.moves() => {
                self.move_cursor(action, state);
                return Handled::Stay(self.look(state));
            }
            Action::AllOfGroup => self.all = !self.all,
            Action::Skip => {
                let how = OnConflict::Skip;
                return Handled::Stay(vec![Command::Resolve { tasks, how }]);
            }
            Action::RerunTheirs => {
                ui.screen = Screen::Run;
                let how = OnConflict::Rerun;
                return Handled::CloseAll(vec![Command::Resolve { tasks, how }]);
            }
            Action::Overwrite => return Handled::Stay(ui.ask(Ask::Overwrite(tasks), state)),
            _ => return Handled::No,
        }
        Handled::done()
    }

    fn on_click(&mut self, row: usize, _: &mut Ui, state: &State) -> bool {
        self.inside = false;
        self.at = row;
        self.move_cursor(Action::Conflicts, state);
        true
    }

    fn hints(&self, ui: &Ui, state: &State) -> Hints {
        use Action::*;
        let mut all = actions::hints(ui, state, &[Skip, RerunTheirs, Overwrite, AllOfGroup]);
        if !state.conflicts.is_empty() && !self.inside {
            all.push((In, "read on".into()));
        }
        all.extend(actions::hints(ui, state, &[Out]));
        all
    }

    fn draw(&mut self, ui: &mut Ui, buf: &mut Buffer, area: Rect, state: &State) {
        let st = ui.st;
        let count = state.conflicts.len();
        let title = format!(
            "Conflicts: {} changed by somebody else",
            plural(count, "task")
        );
        let inner = overlay(buf, area, &title, "nothing of ours was written", &st);
        let room = padded(inner);
        if count == 0 {
            let all = [
                Line::default(),
                Line::styled(" Nothing is in conflict.", st.good),
                Line::default(),
                Line::styled(
                    " Just before a row is written it is compared with what the agent saw.",
                    st.dim,
                ),
            ];
            lines(buf, room, &all, 0);
            return;
        }
        self.at = self.at.min(count - 1);
        let foot = footer(self, state, usize::from(room.width), &st);
        let foot_h = u16::try_from(foot.len()).unwrap_or(0).min(room.height / 2);
        let [body, below] =
            Layout::vertical([Constraint::Fill(1), Constraint::Length(foot_h)]).areas(room);
        lines(buf, below, &foot, 0);
        let tasks = u16::try_from(count + 2).unwrap_or(u16::MAX);
        let tasks = tasks.min(body.height / 3).max(3);
        let [list, details] = list_and_details(body, ui.room.narrow(), tasks, body.width * 2 / 5);
        draw_list(ui, buf, list, self, state);
        draw_sides(ui, buf, details, self, state);
    }
}

fn draw_list(ui: &mut Ui, buf: &mut Buffer, area: Rect, pane: &mut Conflicts, state: &State) {
    let st = ui.st;
    let count = state.conflicts.len();
    let place = format!("{}/{}", number((pane.at + 1) as u64), number(count as u64));
    let inner = frame(buf, area, "Tasks", &place, !pane.inside, &st);
    let title_w = usize::from(inner.width).saturating_sub(16).max(8);
    let chosen = pane.chosen(state);
    let tasks: Vec<_> = state.conflicts.iter().collect();
    pane.top = list(ui, buf, inner, pane.top, (pane.at, count), |_, place| {
        let (task, conflict) = tasks[place];
        let title = &conflict.ours.inputs.row.title;
        let stage = fit(state.stage_title(conflict.ours.stage), 12);
        Line::from(vec![
            Span::styled(if chosen.contains(task) { "▌" } else { " " }, st.accent),
            Span::styled("! ", st.warn),
            Span::raw(left(&fit_middle(title, title_w), title_w)),
            Span::styled(format!(" {stage}"), st.dim),
        ])
    });
}

fn draw_sides(ui: &Ui, buf: &mut Buffer, area: Rect, pane: &mut Conflicts, state: &State) {
    let st = &ui.st;
    let Some(conflict) = pane.task(state).and_then(|t| state.conflicts.get(&t)) else {
        return;
    };
    let title = fit_middle(
        &conflict.ours.inputs.row.title,
        usize::from(area.width).saturating_sub(24),
    );
    let right = format!("build {}", conflict.ours.build);
    let inner = frame(buf, area, &title, &right, false, st);
    let room = padded(inner);
    let sides = sides(conflict, state, usize::from(room.width), st);
    lines(buf, room, &sides, 0);
}

fn footer<'a>(pane: &Conflicts, state: &State, columns: usize, st: &Styles) -> Vec<Line<'a>> {
    let n = pane.chosen(state).len();
    let stage = pane
        .task(state)
        .and_then(|t| state.conflicts.get(&t))
        .map_or("–", |c| state.stage_title(c.ours.stage));
    let whom = if pane.all {
        format!("all {} of {}", number(n as u64), clean(stage))
    } else {
        "this task".to_owned()
    };
    let held = if state.live && !state.options.read_only {
        "LIVE: its outcome is written"
    } else {
        "its outcome is held for review"
    };
    let answer = |key: &'static str, text: String| {
        Line::from(vec![
            Span::styled(format!("  {key}  "), st.key),
            Span::raw(fit(&text, columns.saturating_sub(5))),
        ])
    };
    vec![
        Line::from(vec![
            Span::styled("The answer is for ", st.dim),
            Span::styled(fit(&whom, columns.saturating_sub(18)), st.strong),
        ]),
        answer(
            "t",
            "keep theirs: our outcome is discarded, the task stays".into(),
        ),
        answer("r", format!("run the agent again on theirs; {held}")),
        answer(
            "O",
            "write ours over theirs (asks; an undo brings theirs back)".into(),
        ),
    ]
}
