//! The message log, newest first; the chosen message with its details.

use super::moved;
use crate::Ui;
use crate::actions::{self, Action, Hints, Scope};
use crate::frames::{cleared, foot_of};
use crate::layer::{Handled, Layer};
use crate::panes::PaneName;
use crate::screens::activity;
use crate::text::{clean, plural};
use crate::widgets::{lines, list, padded, wrapped};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
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

    fn on(&mut self, action: Action, ui: &mut Ui, state: &State) -> Handled {
        match action {
            Action::In | Action::Right if ui.in_main() => ui.set_focus(PaneName::Details),
            Action::Out | Action::Left if !ui.in_main() => ui.set_focus(PaneName::Main),
            _ if action.scrolls() && ui.in_main() => {
                let last = state.activity.len().saturating_sub(1);
                self.at = moved(self.at, action, ui.page()).min(last);
            }
            _ => return Handled::No,
        }
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
        let title = ("Messages", &*right);
        if count == 0 {
            let room = padded(ui.overlay(buf, area, title));
            let nothing = Line::styled("Nothing has happened yet.", st.dim);
            lines(buf, room, &[nothing], 0);
            return;
        }
        self.at = self.at.min(count - 1);
        let newest_first = |place: usize| &state.activity[count - 1 - place];
        let text = |place| search_text(newest_first(place));
        let rows = (self.at, count);
        let found = ui.search_rows(PaneName::Main, state.noted as u64, rows, text);
        self.at = found.unwrap_or(self.at);
        cleared(buf, area, "", "", &st);
        let chosen = newest_first(self.at);
        let columns = usize::from(area.width).saturating_sub(4);
        let details = details(ui, chosen, columns);
        let details_h = u16::try_from(details.len()).unwrap_or(u16::MAX);
        let [above, below] = foot_of(area, details_h.clamp(1, area.height / 2));
        if let Some(above) = ui.panes.place(PaneName::Main, above) {
            let inner = ui.pane(buf, PaneName::Main, above, title);
            let inner = ui.search_room(buf, inner, PaneName::Main);
            self.top = list(ui, buf, inner, self.top, (self.at, count), |ui, place| {
                activity::row(ui, newest_first(place), columns)
            });
            ui.mark_found(buf, inner, PaneName::Main);
        }
        if let Some(below) = ui.panes.place(PaneName::Details, below) {
            let inner = ui.pane(buf, PaneName::Details, below, ("", ""));
            let about = (chosen.at, &chosen.text);
            ui.pane_text(buf, PaneName::Details, inner, &details, about);
            ui.mark_found(buf, inner, PaneName::Main);
        }
    }

    /// The chosen message with its details.
    fn value(&self, ui: &Ui, state: &State) -> Option<(String, String)> {
        let chosen = state.activity.iter().rev().nth(self.at)?;
        let detail = chosen.detail.iter().map(|d| format!("\n{d}"));
        let text = chosen.text.clone() + &detail.collect::<String>();
        Some(("the message".to_owned(), ui.keyed(&text)))
    }
}

/// What a search looks at: more than the list has room for.
fn search_text(message: &Activity) -> String {
    let all = [message.kind.word(), &message.text];
    let all = all
        .into_iter()
        .chain(message.detail.iter().map(String::as_str));
    let all: Vec<_> = all.map(clean).collect();
    all.join(" ")
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
