//! Everything that was said so far, newest first; the chosen one with what lies behind it.

use super::moved;
use crate::Hit;
use crate::Ui;
use crate::screens::activity;
use crate::text::{plural, wrap};
use crate::widgets::{lines, overlay, scroll_to, scrollbar, shade};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use wb_core::command::Verb;
use wb_core::state::State;

/// Cursor, counted from the newest.
#[derive(Default)]
pub struct Pane {
    pub at: usize,
    top: usize,
}

impl Pane {
    pub fn move_cursor(&mut self, verb: Verb, state: &State) {
        self.at = moved(self.at, verb, 10).min(state.activity.len().saturating_sub(1));
    }
}

/// The chosen message with what lies behind it.
pub fn text(pane: &Pane, state: &State) -> Option<String> {
    let chosen = state.activity.iter().rev().nth(pane.at)?;
    let detail = chosen.detail.iter().map(|d| format!("\n{d}"));
    Some(chosen.text.clone() + &detail.collect::<String>())
}

pub fn draw(ui: &mut Ui, buf: &mut Buffer, area: Rect, pane: &mut Pane, state: &State) {
    let st = ui.st;
    let count = state.activity.len();
    let inner = overlay(
        buf,
        area,
        "Messages",
        &format!("{}, newest first", plural(count, "line")),
        &st,
    );
    let room = Rect {
        x: inner.x + 1,
        width: inner.width.saturating_sub(2),
        ..inner
    };
    let columns = usize::from(room.width);
    if count == 0 {
        lines(
            buf,
            room,
            &[Line::styled("Nothing has happened yet.", st.dim)],
            0,
        );
        return;
    }
    pane.at = pane.at.min(count - 1);
    let chosen = &state.activity[count - 1 - pane.at];
    let mut detail: Vec<Line<'_>> = wrap(&chosen.text, columns)
        .into_iter()
        .map(|t| Line::styled(t, if chosen.bad { st.bad } else { st.strong }))
        .collect();
    for text in chosen.detail.iter().flat_map(|d| wrap(d, columns)) {
        detail.push(Line::from(Span::raw(text)));
    }
    let detail_h = u16::try_from(detail.len())
        .unwrap_or(u16::MAX)
        .clamp(1, room.height / 2)
        + 1;
    let list = Rect {
        height: room.height.saturating_sub(detail_h),
        ..room
    };
    let rows = usize::from(list.height);
    pane.top = scroll_to(pane.top, pane.at, rows, count);
    for (row, what) in state
        .activity
        .iter()
        .rev()
        .skip(pane.top)
        .take(rows)
        .enumerate()
    {
        let y = u16::try_from(row).unwrap_or(0);
        crate::widgets::line(
            buf,
            list,
            y,
            &activity::row(what, ui.utc_offset_s, columns, &st),
        );
        if pane.top + row == pane.at {
            shade(buf, list, y, st.selected);
        }
    }
    scrollbar(
        buf,
        Rect {
            height: list.height,
            ..inner
        },
        pane.top,
        rows,
        count,
        &st,
    );
    ui.hits.push((list, Hit::Rows(pane.top)));
    let below = Rect {
        y: list.bottom() + 1,
        height: detail_h.saturating_sub(1),
        ..room
    };
    buf.set_string(room.x, list.bottom(), "─".repeat(columns), st.border);
    lines(buf, below, &detail, 0);
}
