//! The message log, newest first; the chosen message with its details.

use super::moved;
use crate::Hit;
use crate::Ui;
use crate::actions::{self, Action, Hints, Scope};
use crate::layer::{Handled, Layer};
use crate::screens::activity;
use crate::text::{plural, wrap};
use crate::widgets::{lines, overlay, scroll_to, scrollbar, shade};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use wb_core::state::State;

/// Cursor, counted from the newest.
#[derive(Default)]
pub struct Messages {
    at: usize,
    top: usize,
}

impl Layer for Messages {
    fn scope(&self) -> Scope {
        Scope::List
    }

    fn opened_by(&self) -> Option<Action> {
        Some(Action::Messages)
    }

    fn on(&mut self, action: Action, _: &mut Ui, state: &State) -> Handled {
        if !action.moves() {
            return Handled::No;
        }
        self.at = moved(self.at, action, 10).min(state.activity.len().saturating_sub(1));
        Handled::done()
    }

    fn on_click(&mut self, row: usize, _: &mut Ui, _: &State) -> bool {
        self.at = row;
        false
    }

    fn hints(&self, ui: &Ui, state: &State) -> Hints {
        actions::hints(ui, state, &[Action::Up, Action::Down, Action::Out])
    }

    fn draw(&mut self, ui: &mut Ui, buf: &mut Buffer, area: Rect, state: &State) {
        draw(ui, buf, area, self, state);
    }

    /// The chosen message with its details.
    fn value(&self, ui: &Ui, state: &State) -> Option<(String, String)> {
        let chosen = state.activity.iter().rev().nth(self.at)?;
        let detail = chosen.detail.iter().map(|d| format!("\n{d}"));
        let text = chosen.text.clone() + &detail.collect::<String>();
        Some(("the message".to_owned(), ui.keyed(&text)))
    }
}

fn draw(ui: &mut Ui, buf: &mut Buffer, area: Rect, pane: &mut Messages, state: &State) {
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
    let mut detail: Vec<Line<'_>> = wrap(&ui.keyed(&chosen.text), columns)
        .into_iter()
        .map(|t| Line::styled(t, if chosen.bad { st.bad } else { st.strong }))
        .collect();
    for text in chosen
        .detail
        .iter()
        .flat_map(|d| wrap(&ui.keyed(d), columns))
    {
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
        crate::widgets::line(buf, list, y, &activity::row(ui, what, columns));
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
