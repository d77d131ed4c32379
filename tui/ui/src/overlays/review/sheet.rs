//! The contact sheet: thumbnails of the tasks of one group with their labels, to go through hundreds by looking.
//! Only the page in sight and the next one are decoded.

use super::super::ask::Ask;
use super::{Group, taken};
use crate::Hit;
use crate::Ui;
use crate::actions::{self, Action, Hints, Scope};
use crate::layer::{Handled, Layer};
use crate::linear_text::{COLUMNS, PAGE, numbered, text};
use crate::picture::{Look, Subject, side_word};
use crate::screens::queue::labels_word;
use crate::text::{clean, fit, fit_middle, number, width};
use crate::theme::Styles;
use crate::widgets::line;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use wb_core::command::Command;
use wb_core::ids::{StageId, TaskId};
use wb_core::state::{Held, State};

/// The smallest cell: a thumbnail that shows something, and a line below.
const CELL: (u16, u16) = (25, 9);

/// The tasks of a group as thumbnails.
pub struct Sheet {
    stage: StageId,
    name: String,
    tasks: Vec<TaskId>,
    /// How many outcomes were held when the tasks were last compared with them.
    held: usize,
    at: usize,
    /// Cells across and down, as last drawn.
    grid: (usize, usize),
}

impl Sheet {
    pub fn new(group: &Group, at: usize) -> Self {
        Self {
            stage: group.stage,
            name: group.name.clone(),
            tasks: group.tasks.clone(),
            held: 0,
            at,
            grid: (1, 1),
        }
    }

    /// Tasks that are no longer held leave.
    fn follow(&mut self, state: &State) {
        if self.held != state.held.len() {
            self.held = state.held.len();
            self.tasks.retain(|task| state.held.contains_key(task));
        }
        self.at = self.at.min(self.tasks.len().saturating_sub(1));
    }

    fn task(&self) -> Option<TaskId> {
        self.tasks.get(self.at).copied()
    }

    fn move_cursor(&mut self, action: Action) {
        let (columns, rows) = self.grid;
        let (at, page) = (self.at, columns * rows);
        let half = (rows / 2).max(1) * columns;
        let last = self.tasks.len().saturating_sub(1);
        self.at = match action {
            Action::Left => at.saturating_sub(1),
            Action::Right => at + 1,
            Action::Up => at.checked_sub(columns).unwrap_or(at),
            // From the row above the last one into its last cell.
            Action::Down if at / columns < last / columns => at + columns,
            Action::PageUp => at.saturating_sub(page),
            Action::PageDown => at + page,
            Action::HalfUp => at.saturating_sub(half),
            Action::HalfDown => at + half,
            Action::Top => 0,
            Action::Bottom => last,
            _ => at,
        }
        .min(last);
    }

    /// The cells of a page: of which task, and where.
    fn cells(&mut self, area: Rect) -> Vec<(usize, Rect)> {
        let columns = (area.width / CELL.0).max(1);
        let rows = (area.height / CELL.1).max(1);
        self.grid = (usize::from(columns), usize::from(rows));
        let page = self.grid.0 * self.grid.1;
        let first = self.at / page * page;
        let (w, h) = (area.width / columns, area.height / rows);
        let places = (0..rows).flat_map(|y| (0..columns).map(move |x| (x, y)));
        let place = |(x, y)| Rect::new(area.x + x * w, area.y + y * h, w - 1, h);
        (first..self.tasks.len()).zip(places.map(place)).collect()
    }
}

impl Layer for Sheet {
    fn scope(&self) -> Scope {
        Scope::Review
    }

    fn opened_by(&self) -> Option<Action> {
        Some(Action::ContactSheet)
    }

    fn is_over(&self, state: &State) -> bool {
        !self.tasks.iter().any(|task| state.held.contains_key(task))
    }

    fn wheel_rows(&self, _: &Ui) -> usize {
        1
    }

    fn on(&mut self, action: Action, ui: &mut Ui, state: &State) -> Handled {
        self.follow(state);
        match action {
            _ if action.moves() || matches!(action, Action::Left | Action::Right) => {
                self.move_cursor(action);
            }
            Action::Out => return Handled::Close(Vec::new()),
            Action::In => {
                if let Some(task) = self.task() {
                    return Handled::CloseAll(ui.open_task(self.stage, task, state));
                }
            }
            Action::Toggle => {
                let Some(task) = self.task() else {
                    return Handled::done();
                };
                let on = !state.held.get(&task).is_some_and(|held| held.taken);
                self.move_cursor(Action::Right);
                let tasks = vec![task];
                return Handled::Stay(vec![Command::Take { tasks, on }]);
            }
            Action::DropAll => {
                let tasks = self.task().into_iter().collect();
                return Handled::Stay(ui.ask(Ask::Drop(tasks), state));
            }
            Action::CommitAll => {
                let tasks = taken(state, usize::MAX);
                if !tasks.is_empty() {
                    return Handled::Stay(ui.ask(Ask::Commit(tasks), state));
                }
                ui.notice = Some("nothing selected ({key:Toggle} selects a task)".into());
            }
            Action::ReviewPicture => ui.beside.turn_side(),
            _ => return Handled::No,
        }
        Handled::done()
    }

    fn on_click(&mut self, cell: usize, _: &mut Ui, _: &State) -> bool {
        self.at = cell.min(self.tasks.len().saturating_sub(1));
        true
    }

    fn hints(&self, ui: &Ui, state: &State) -> Hints {
        use Action::*;
        let mut all = actions::hints(ui, state, &[Toggle, CommitAll]);
        all.push((In, "step it".into()));
        let rest = [ReviewPicture, Out, PrevFrame, NextFrame, DropAll];
        all.extend(actions::hints(ui, state, &rest));
        all
    }

    fn draw(&mut self, ui: &mut Ui, buf: &mut Buffer, area: Rect, state: &State) {
        self.follow(state);
        let stage = clean(state.stage_title(self.stage));
        let side = ui.beside.side();
        let title = format!(
            "{} at {stage}: {}",
            self.name,
            side_word(side).to_lowercase()
        );
        let count = self.tasks.len();
        let right = format!("{}/{}", number(self.at + 1), number(count));
        let inner = ui.overlay(buf, area, (&title, &right));
        let cells = self.cells(inner);
        for (place, cell) in &cells {
            let Some(held) = self.tasks.get(*place).and_then(|task| state.held.get(task)) else {
                continue;
            };
            draw_cell(ui, buf, *cell, held, *place == self.at);
            ui.hits
                .extend(cell.rows().map(|row| (row, Hit::Rows(*place))));
        }
        let next = cells.last().map_or(count, |(place, _)| place + 1);
        for task in self.tasks.iter().skip(next).take(cells.len()) {
            if let Some(held) = state.held.get(task) {
                ui.pictures.want_thumbnail(&Subject::held(held));
            }
        }
    }

    fn lines(&mut self, ui: &mut Ui, state: &State) -> Option<Vec<String>> {
        self.follow(state);
        let first = self.at / PAGE * PAGE;
        let places = (first..self.tasks.len()).take(PAGE);
        let row = |place: usize| {
            let held = state.held.get(&self.tasks[place])?;
            let line = task_line(held, false, COLUMNS, &ui.st);
            Some(numbered(place, text(&line)))
        };
        let mut all = vec![format!("{}:", self.name)];
        all.extend(places.filter_map(row));
        all.push("[x] is selected for the commit.".into());
        Some(all)
    }

    fn choose(&mut self, row: usize, _: &mut Ui, state: &State) -> Option<Vec<Command>> {
        self.follow(state);
        (row < self.tasks.len()).then(|| {
            self.at = row;
            Vec::new()
        })
    }

    fn value(&self, _: &Ui, _: &State) -> Option<(String, String)> {
        let task = self.task()?;
        Some(("the task's UUID".to_owned(), task.to_string()))
    }
}

/// The thumbnail, and its line below.
fn draw_cell(ui: &mut Ui, buf: &mut Buffer, cell: Rect, held: &Held, chosen: bool) {
    let st = ui.st;
    let below = cell.height.saturating_sub(2);
    let picture = Rect {
        height: below,
        ..cell
    };
    let look = Look {
        side: ui.beside.side(),
        small: true,
        chosen,
    };
    ui.pictures
        .draw(buf, picture, &Subject::held(held), look, &st);
    let text = task_line(held, chosen, usize::from(cell.width), &st);
    line(buf, cell, below, &text);
    if chosen {
        let row = Rect::new(cell.x, cell.y + below, cell.width, 1);
        buf.set_style(row.intersection(*buf.area()), st.selected);
    }
}

/// Whether a task is selected, its title, what changes.
fn task_line<'a>(held: &Held, chosen: bool, columns: usize, st: &Styles) -> Line<'a> {
    let mark = if held.taken { "[x]" } else { "[ ]" };
    let labels = fit(&labels_word(held.outcome.patch.counts()), 11);
    let room = columns.saturating_sub(6 + width(&labels));
    let title = fit_middle(&held.inputs.row.title, room);
    Line::from(vec![
        Span::styled(if chosen { "▌" } else { " " }, st.accent),
        Span::styled(format!("{mark} "), st.key),
        Span::raw(format!("{title} ")),
        Span::styled(labels, st.dim),
    ])
}
