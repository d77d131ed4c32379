//! The columns of the queue's table, to be shown or hidden.

use super::moved;
use crate::Ui;
use crate::actions::{self, Action, Hints, Scope};
use crate::layer::{Handled, Layer};
use crate::screens::queue::Column;
use crate::text::left;
use crate::widgets::{centred, list};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use wb_core::state::State;

/// The chosen row.
#[derive(Default)]
pub struct ColumnList {
    at: usize,
}

impl ColumnList {
    fn turn(&self, ui: &mut Ui) {
        let column = Column::ALL[self.at];
        let mut shown = ui.queue.shown_columns();
        match shown.iter().position(|c| *c == column) {
            Some(_) if column == Column::Title => {
                ui.notice = Some("the title is always shown".to_owned());
            }
            Some(at) => drop(shown.remove(at)),
            None => shown.push(column),
        }
        ui.queue.columns = Some(shown);
    }
}

impl Layer for ColumnList {
    fn scope(&self) -> Scope {
        Scope::Queue
    }

    fn opened_by(&self) -> Option<Action> {
        Some(Action::Columns)
    }

    fn on(&mut self, action: Action, ui: &mut Ui, _: &State) -> Handled {
        match action {
            Action::In | Action::Mark => self.turn(ui),
            Action::MarkNone => ui.queue.columns = None,
            _ if action.moves() => {
                self.at = moved(self.at, action, ui.page()).min(Column::ALL.len() - 1);
            }
            _ => return Handled::No,
        }
        Handled::done()
    }

    fn on_click(&mut self, row: usize, _: &mut Ui, _: &State) -> bool {
        self.at = row.min(Column::ALL.len() - 1);
        true
    }

    fn hints(&self, ui: &Ui, state: &State) -> Hints {
        let mut all: Hints = vec![
            (Action::Mark, "show or hide".into()),
            (Action::MarkNone, "as there is room".into()),
        ];
        all.extend(actions::hints(
            ui,
            state,
            &[Action::Up, Action::Down, Action::Out],
        ));
        all
    }

    fn draw(&mut self, ui: &mut Ui, buf: &mut Buffer, area: Rect, _: &State) {
        let st = ui.st;
        let count = Column::ALL.len();
        let place = centred(area, 66, u16::try_from(count).unwrap_or(0) + 2);
        let right = match ui.queue.columns {
            Some(_) => "",
            None => "as there is room",
        };
        let inner = ui.overlay(buf, place, ("Columns", right));
        let shown = ui.queue.shown_columns();
        list(ui, buf, inner, 0, (self.at, count), |_, row| {
            let column = Column::ALL[row];
            let mark = if shown.contains(&column) {
                " [x] "
            } else {
                " [ ] "
            };
            Line::from(vec![
                Span::styled(mark, st.key),
                Span::raw(left(column.name(), 12)),
                Span::styled(column.help(), st.dim),
            ])
        });
    }
}
