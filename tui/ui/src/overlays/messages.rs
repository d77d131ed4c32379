//! The message log, newest first; the chosen message with its details.

use super::moved;
use crate::Ui;
use crate::actions::{self, Action, Hints, Scope};
use crate::layer::{Handled, Layer};
use crate::screens::activity;
use crate::text::plural;
use crate::widgets::{lines, list, overlay, padded, wrapped};
use ratatui::buffer::Buffer;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::Line;
use wb_core::state::{Activity, State};

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
        let st = ui.st;
        let count = state.activity.len();
        let right = format!("{}, newest first", plural(count, "line"));
        let inner = overlay(buf, area, "Messages", &right, &st);
        let room = padded(inner);
        if count == 0 {
            let nothing = Line::styled("Nothing has happened yet.", st.dim);
            lines(buf, room, &[nothing], 0);
            return;
        }
        self.at = self.at.min(count - 1);
        let newest_first = |place: usize| &state.activity[count - 1 - place];
        let details = details(ui, newest_first(self.at), usize::from(room.width));
        let details_h = u16::try_from(details.len())
            .unwrap_or(u16::MAX)
            .clamp(1, room.height / 2);
        let [above, rule, below] = Layout::vertical([
            Constraint::Fill(1),
            Constraint::Length(1),
            Constraint::Length(details_h),
        ])
        .areas(inner);
        let columns = usize::from(above.width).saturating_sub(2);
        self.top = list(ui, buf, above, self.top, (self.at, count), |ui, place| {
            activity::row(ui, newest_first(place), columns)
        });
        let rule = padded(rule);
        let line = "─".repeat(usize::from(rule.width));
        buf.set_string(rule.x, rule.y, line, st.border);
        lines(buf, padded(below), &details, 0);
    }

    /// The chosen message with its details.
    fn value(&self, ui: &Ui, state: &State) -> Option<(String, String)> {
        let chosen = state.activity.iter().rev().nth(self.at)?;
        let detail = chosen.detail.iter().map(|d| format!("\n{d}"));
        let text = chosen.text.clone() + &detail.collect::<String>();
        Some(("the message".to_owned(), ui.keyed(&text)))
    }
}

/// The chosen message in full.
fn details(ui: &Ui, chosen: &Activity, columns: usize) -> Vec<Line<'static>> {
    let st = &ui.st;
    let style = if chosen.bad { st.bad } else { st.strong };
    let mut all = wrapped(&ui.keyed(&chosen.text), columns, style);
    let rest = chosen.detail.iter();
    all.extend(rest.flat_map(|d| wrapped(&ui.keyed(d), columns, st.text)));
    all
}
