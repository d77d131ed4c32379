//! Queue: the tasks of one stage as a table that makes the visible rows only, the filter, the preview
//! of the task under the cursor.

use crate::actions::Action;
use crate::keys::Line as Typed;
use crate::overlays::moved;
use crate::text::{clean, fit, number};
use crate::widgets::{split_line, typed_spans};
use crate::{Room, Ui};
use ratatui::buffer::Buffer;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::{Line, Span};
use std::collections::HashMap;
use wb_core::ids::{StageId, TaskId};
use wb_core::queue::{LastResult, Queue as TaskQueue, Sort};
use wb_core::state::State;
use wb_core::work::TaskRow;

mod columns;
mod layer;
mod lines;
mod preview;
mod table;

use columns::Columns;
use preview::{preview, strip_preview};
use table::table;

pub use columns::{Column, status_word};
pub use layer::Queue;

/// Cursors by stage, and the filter while it is typed.
#[derive(Default)]
pub struct QueueCursor {
    cursors: HashMap<StageId, Cursor>,
    /// The line being typed, and the filter that Esc brings back.
    pub typing: Option<(Typed, String)>,
    /// Picture shown or not, once the user has chosen.
    pub picture: Option<bool>,
    /// The columns of the table, once the user has chosen.
    pub columns: Option<Vec<Column>>,
    /// The columns of the newest frame.
    drawn: Vec<Column>,
    rows: usize,
}

#[derive(Clone, Copy, Default)]
struct Cursor {
    place: usize,
    top: usize,
    task: Option<TaskId>,
}

impl QueueCursor {
    /// Place of the cursor in the view of a stage.
    pub fn place(&self, stage: StageId) -> usize {
        self.cursors.get(&stage).map_or(0, |c| c.place)
    }

    /// The chosen columns, or else those of the newest frame.
    pub fn shown_columns(&self) -> Vec<Column> {
        self.columns.clone().unwrap_or_else(|| self.drawn.clone())
    }

    /// How many rows a page has, and one.
    pub const fn set_page(&mut self, rows: usize) {
        self.rows = rows;
    }

    pub fn shows_picture(&self, room: Room) -> bool {
        self.picture.unwrap_or(room.wide())
    }

    /// The cursor stays on its task when rows come, go or change their order.
    pub fn follow(&mut self, stage: StageId, state: &State) {
        let Some(queue) = state.queues.get(&stage) else {
            return;
        };
        let cursor = self.cursors.entry(stage).or_default();
        let here = queue.at(cursor.place).map(|r| r.id);
        if here.is_some() && here == cursor.task {
            return;
        }
        let found = cursor.task.and_then(|t| queue.place_of(t));
        cursor.place = found
            .unwrap_or(cursor.place)
            .min(queue.view.len().saturating_sub(1));
        cursor.task = queue.at(cursor.place).map(|r| r.id);
    }

    pub fn go_to(&mut self, stage: StageId, place: usize, state: &State) {
        let Some(queue) = state.queues.get(&stage) else {
            return;
        };
        let cursor = self.cursors.entry(stage).or_default();
        cursor.place = place.min(queue.view.len().saturating_sub(1));
        cursor.task = queue.at(cursor.place).map(|r| r.id);
    }

    /// Moves the cursor in a pane whose pages have so many rows.
    pub fn move_cursor(&mut self, stage: StageId, action: Action, page: usize, state: &State) {
        let next = moved(self.place(stage), action, page);
        self.go_to(stage, next, state);
    }

    pub fn begin_filter(&mut self, stage: Option<StageId>, state: &State) {
        let before = stage
            .and_then(|s| state.queues.get(&s))
            .map_or_else(String::new, |q| q.filter_text.clone());
        self.typing = Some((Typed::new(&before), before));
    }
}

/// The rows of the newest frame, and a page more, whose priorities it lacks.
fn unread_rows(ui: &Ui, state: &State) -> Vec<TaskRow> {
    let stage = ui
        .stage
        .filter(|_| ui.queue.drawn.contains(&Column::Priority));
    let Some((cursor, queue)) =
        stage.and_then(|s| Some((ui.queue.cursors.get(&s)?, state.queues.get(&s)?)))
    else {
        return Vec::new();
    };
    let end = cursor.top + ui.queue.rows;
    if queue.unread(cursor.top..end).next().is_none() {
        return Vec::new();
    }
    queue
        .unread(cursor.top..end + ui.queue.rows)
        .cloned()
        .collect()
}

pub fn draw(ui: &mut Ui, buf: &mut Buffer, area: Rect, state: &State) {
    let Some(stage) = ui.stage else { return };
    let [top, body] = Layout::vertical([Constraint::Length(1), Constraint::Fill(1)]).areas(area);
    top_line(ui, buf, top, stage, state);
    ui.panes.set_whole(body);
    if ui.room.tiny() {
        table(ui, buf, body, stage, state);
    } else if ui.room.narrow() {
        let strip = Constraint::Length(5.min(body.height / 3));
        let [tasks, below] = Layout::vertical([Constraint::Fill(1), strip]).areas(body);
        table(ui, buf, tasks, stage, state);
        strip_preview(ui, buf, below, stage, state);
    } else {
        let aside = Constraint::Length(match ui.room.w {
            160.. => body.width * 2 / 5,
            120.. => 40,
            _ => 36,
        });
        let [tasks, beside] = Layout::horizontal([Constraint::Fill(1), aside]).areas(body);
        table(ui, buf, tasks, stage, state);
        preview(ui, buf, beside, stage, state);
    }
}

/// Stage, filter (as it is typed or applied), how many match, order.
fn top_line(ui: &Ui, buf: &mut Buffer, area: Rect, stage: StageId, state: &State) {
    let st = &ui.st;
    let queue = state.queues.get(&stage);
    let title = fit(state.stage_title(stage), 24);
    let mut left = Line::from(vec![
        Span::raw(" "),
        Span::styled(title, st.strong),
        Span::styled("   filter ", st.dim),
    ]);
    let filter = queue.map_or("", |q| q.filter_text.as_str());
    match &ui.queue.typing {
        Some((line, _)) => left.spans.extend(typed_spans(line, st.text)),
        None if filter.is_empty() => {
            let none = format!("none ({})", ui.key_of(Action::Filter));
            left.push_span(Span::styled(none, st.dim));
        }
        None => left.push_span(Span::styled(clean(filter).into_owned(), st.accent)),
    }
    let right = queue.map_or_else(Line::default, |queue| counts(ui, queue, area.width));
    split_line(buf, area, 0, &left, &right);
}

/// How many tasks are marked and how many match; or what is wrong with the filter.
fn counts<'a>(ui: &Ui, queue: &TaskQueue, columns: u16) -> Line<'a> {
    let st = &ui.st;
    if let Some(error) = &queue.filter_error {
        let error = fit(error, usize::from(columns) / 2);
        return Line::styled(format!("✗ {error} "), st.bad);
    }
    let marks = match queue.marks.len() {
        0 => String::new(),
        n => format!("{} marked · ", number(n)),
    };
    let all = number(queue.rows.len());
    let shown = match queue.filter.is_empty() {
        true => all,
        false => format!("{} of {all}", number(queue.view.len())),
    };
    let sort = match ui.room.tiny() {
        true => String::new(),
        false => match (queue.sort, queue.reversed) {
            (Sort::Listed, false) => " · sort: as listed".to_owned(),
            (sort, reversed) => format!(" · sort: {} {}", sort.word(), sort.arrow(reversed)),
        },
    };
    Line::from(vec![
        Span::styled(marks, st.accent),
        Span::raw(shown),
        Span::styled(format!("{sort} "), st.dim),
    ])
}

fn result_mark(
    result: &LastResult,
    held: bool,
    st: &crate::theme::Styles,
) -> (&'static str, ratatui::style::Style) {
    match (result.failed, held) {
        (true, _) => ("✗", st.bad),
        (false, true) => ("○", st.good),
        (false, false) => ("✓", st.good),
    }
}

/// `+4 ~1 -0`; blank when no label changes.
pub fn labels_word((added, changed, removed): (usize, usize, usize)) -> String {
    if added + changed + removed == 0 {
        return String::new();
    }
    format!("+{added} ~{changed} -{removed}")
}
