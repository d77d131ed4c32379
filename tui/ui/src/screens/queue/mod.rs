//! Queue: the tasks of one stage as a table that looks at the visible rows only, the filter, the
//! preview of the task under the cursor.

use crate::actions::Action;
use crate::keys::Line as Typed;
use crate::text::{clean, fit, number};
use crate::{PictureWish, Room, Ui};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Modifier;
use ratatui::text::{Line, Span};
use std::collections::HashMap;
use wb_core::ids::{StageId, TaskId};
use wb_core::queue::LastResult;
use wb_core::state::State;

mod layer;
mod preview;
mod table;

use preview::{preview, strip_preview};
use table::table;

pub use layer::Queue;

/// Cursors by stage, and the filter while it is typed.
#[derive(Default)]
pub struct Pane {
    cursors: HashMap<StageId, Cursor>,
    /// The line being typed, and the filter that Esc brings back.
    pub typing: Option<(Typed, String)>,
    /// Picture shown or not, when a person chose.
    pub picture: Option<bool>,
    rows: usize,
}

#[derive(Clone, Copy, Default)]
struct Cursor {
    place: usize,
    top: usize,
    task: Option<TaskId>,
}

impl Pane {
    /// Place of the cursor in the view of a stage.
    pub fn place(&self, stage: StageId) -> usize {
        self.cursors.get(&stage).map_or(0, |c| c.place)
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

    pub fn move_cursor(&mut self, stage: StageId, action: Action, state: &State) {
        let place = self.place(stage);
        let page = self.rows.saturating_sub(1).max(1);
        let next = match action {
            Action::Up => place.saturating_sub(1),
            Action::Down => place + 1,
            Action::PageUp => place.saturating_sub(page),
            Action::PageDown => place + page,
            Action::Top => 0,
            Action::Bottom => usize::MAX,
            _ => place,
        };
        self.go_to(stage, next, state);
    }

    pub fn begin_filter(&mut self, stage: Option<StageId>, state: &State) {
        let before = stage
            .and_then(|s| state.queues.get(&s))
            .map_or_else(String::new, |q| q.filter_text.clone());
        self.typing = Some((Typed::new(&before), before));
    }
}

/// The picture for the preview.
pub fn picture_wish(ui: &Ui, state: &State) -> Option<PictureWish> {
    let stage = ui
        .stage
        .filter(|_| ui.queue.shows_picture(ui.room) && !ui.room.narrow())?;
    let row = state.queues.get(&stage)?.at(ui.queue.place(stage))?;
    Some(PictureWish {
        task: row.id,
        data: row.data,
        path: None,
    })
}

pub fn draw(ui: &mut Ui, buf: &mut Buffer, area: Rect, state: &State) {
    let Some(stage) = ui.stage else { return };
    top_line(ui, buf, Rect { height: 1, ..area }, stage, state);
    let body = Rect {
        y: area.y + 1,
        height: area.height - 1,
        ..area
    };
    if ui.room.tiny() {
        table(ui, buf, body, stage, state);
    } else if ui.room.narrow() {
        let strip = 5.min(body.height / 3);
        table(
            ui,
            buf,
            Rect {
                height: body.height - strip,
                ..body
            },
            stage,
            state,
        );
        let below = Rect {
            y: body.bottom() - strip,
            height: strip,
            ..body
        };
        strip_preview(ui, buf, below, stage, state);
    } else {
        let aside = match ui.room.w {
            160.. => body.width * 2 / 5,
            120.. => 40,
            _ => 36,
        };
        table(
            ui,
            buf,
            Rect {
                width: body.width - aside,
                ..body
            },
            stage,
            state,
        );
        let beside = Rect {
            x: body.right() - aside,
            width: aside,
            ..body
        };
        preview(ui, buf, beside, stage, state);
    }
}

fn no_filter(ui: &Ui) -> Span<'static> {
    let key = ui.key_of(Action::Filter);
    Span::styled(format!("none ({key})"), ui.st.dim)
}

/// Stage, filter (typed or in force), how many match, order.
fn top_line(ui: &Ui, buf: &mut Buffer, area: Rect, stage: StageId, state: &State) {
    let st = &ui.st;
    let queue = state.queues.get(&stage);
    let title = fit(state.stage_title(stage), 24);
    let mut left = Line::from(vec![
        Span::raw(" "),
        Span::styled(title, st.strong),
        Span::styled("   filter ", st.dim),
    ]);
    match &ui.queue.typing {
        Some((line, _)) => {
            let (before, under, after) = line.parts();
            let under = if under.is_empty() { " " } else { under };
            left.spans.extend([
                Span::raw(before.to_owned()),
                Span::styled(under.to_owned(), st.text.add_modifier(Modifier::REVERSED)),
                Span::raw(after.to_owned()),
            ]);
        }
        None => match queue
            .map(|q| q.filter_text.as_str())
            .filter(|t| !t.is_empty())
        {
            Some(text) => left.push_span(Span::styled(clean(text).into_owned(), st.accent)),
            None => left.push_span(no_filter(ui)),
        },
    }
    let right = match queue {
        Some(q) if q.filter_error.is_some() => {
            let error = q.filter_error.as_deref().unwrap_or_default();
            Line::styled(
                format!("✗ {} ", fit(error, usize::from(area.width) / 2)),
                st.bad,
            )
        }
        Some(q) => {
            let marks = if q.marks.is_empty() {
                String::new()
            } else {
                format!("{} marked · ", number(q.marks.len() as u64))
            };
            let shown = if q.filter.is_empty() {
                number(q.rows.len() as u64)
            } else {
                format!(
                    "{} of {}",
                    number(q.view.len() as u64),
                    number(q.rows.len() as u64)
                )
            };
            let sort = if ui.room.tiny() {
                String::new()
            } else {
                format!(" · sort: {}", q.sort.word())
            };
            Line::from(vec![
                Span::styled(marks, st.accent),
                Span::raw(shown),
                Span::styled(format!("{sort} "), st.dim),
            ])
        }
        None => Line::default(),
    };
    crate::widgets::split_line(buf, area, 0, &left, &right);
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
