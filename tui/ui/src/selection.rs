//! Text that is selected with the mouse: what is dragged over inside one pane, never its frame or another pane. The
//! pane stands still meanwhile. On release the text is copied; wrapped lines are one line again.

use crate::Ui;
use crate::text::{Wrapped, plural, width};
use crate::widgets::goes_on;
use ratatui::buffer::{Buffer, Cell};
use ratatui::layout::{Position, Rect};
use ratatui::style::Modifier;
use ratatui::text::Line;

/// Cells of a pane, and its rows that go on from the row above.
type SeenPane = (Vec<Cell>, Vec<(u16, Wrapped)>);

/// What is dragged over.
#[derive(Debug)]
pub struct DraggedText {
    /// The inside of the pane.
    area: Rect,
    from: Position,
    to: Position,
    /// What the pane showed when it began.
    seen: Option<SeenPane>,
    /// Whether the button was released.
    over: bool,
}

impl DraggedText {
    /// Rows and the columns selected in each, in the order of reading.
    fn rows(&self) -> impl Iterator<Item = Rect> {
        let order = |at: &Position| (at.y, at.x);
        let (first, last) = match order(&self.from) <= order(&self.to) {
            true => (self.from, self.to),
            false => (self.to, self.from),
        };
        let area = self.area;
        (first.y..=last.y).map(move |y| {
            let x = if y == first.y { first.x } else { area.x };
            let end = if y == last.y {
                last.x + 1
            } else {
                area.right()
            };
            Rect::new(x, y, end.saturating_sub(x), 1)
        })
    }
}

impl Ui {
    /// The button went down in a pane: a selection may begin here.
    pub(crate) fn press_at(&mut self, at: Position) {
        let inside = self.pane_at(at).map(|pane| pane.inner);
        let inside = inside.filter(|inside| inside.contains(at));
        self.pressed = inside.map(|inside| (inside, at));
        self.dragged = None;
    }

    /// The pointer moved with the button down.
    pub(crate) fn drag_to(&mut self, at: Position) {
        let Some((area, from)) = self.pressed.filter(|(area, _)| !area.is_empty()) else {
            return;
        };
        let to = Position {
            x: at.x.clamp(area.x, area.right() - 1),
            y: at.y.clamp(area.y, area.bottom() - 1),
        };
        match &mut self.dragged {
            Some(dragged) => dragged.to = to,
            None if to == from => {}
            None => {
                let (seen, over) = (None, false);
                self.dragged = Some(DraggedText {
                    area,
                    from,
                    to,
                    seen,
                    over,
                });
            }
        }
    }

    /// The button went up: the next frame copies what is selected.
    pub(crate) fn release(&mut self) {
        self.pressed = None;
        if let Some(dragged) = &mut self.dragged {
            dragged.over = true;
        }
    }

    /// Nothing is selected any more.
    pub(crate) fn end_selection(&mut self) {
        (self.pressed, self.dragged) = (None, None);
    }

    /// Notes whether a row goes on from the one above.
    pub(crate) fn note_wrapped(&mut self, row: Rect, line: &Line<'_>) {
        self.wrapped.extend(goes_on(line).map(|how| (row, how)));
    }

    /// Shows what is selected in its pane as it was, and copies it once the button was released.
    pub(crate) fn draw_selection(&mut self, buf: &mut Buffer) {
        let Some(mut dragged) = self.dragged.take() else {
            return;
        };
        let area = dragged.area.intersection(buf.area);
        if area != dragged.area {
            // The window became smaller.
            self.pressed = None;
            return;
        }
        let (cells, joined) = dragged.seen.get_or_insert_with(|| {
            let cells = area.positions().map(|at| buf[at].clone()).collect();
            let here = self
                .wrapped
                .iter()
                .filter(|(row, _)| area.contains(row.as_position()));
            (cells, here.map(|(row, how)| (row.y, *how)).collect())
        });
        for (at, cell) in area.positions().zip(cells.iter()) {
            buf[at] = cell.clone();
        }
        let joined = joined.clone();
        let how = |y: u16| {
            joined
                .iter()
                .find(|(row, _)| *row == y)
                .map(|(_, how)| *how)
        };
        let text = selected(buf, dragged.rows(), how);
        for at in dragged
            .rows()
            .flat_map(|row| row.positions().collect::<Vec<_>>())
        {
            buf[at].modifier.toggle(Modifier::REVERSED);
        }
        if !dragged.over {
            self.dragged = Some(dragged);
            return;
        }
        let what = plural(text.lines().count(), "line");
        let text = wb_core::text::clean_lines(&text).into_owned();
        self.copy((!text.trim().is_empty()).then_some((what, text)));
    }
}

/// The letters of some rows; those of a wrapped line are one line.
fn selected(
    buf: &Buffer,
    rows: impl Iterator<Item = Rect>,
    how: impl Fn(u16) -> Option<Wrapped>,
) -> String {
    let mut all = String::new();
    for (n, row) in rows.enumerate() {
        let mut text = String::new();
        let mut x = row.x;
        while x < row.right() {
            let symbol = buf[(x, row.y)].symbol();
            text.push_str(symbol);
            // A wide letter has the next cell too.
            x += u16::try_from(width(symbol)).unwrap_or(1).max(1);
        }
        let text = text.trim_end();
        match how(row.y).filter(|_| n > 0) {
            _ if n == 0 => all.push_str(text),
            None => {
                all.push('\n');
                all.push_str(text);
            }
            Some(Wrapped::AtBlank) => {
                all.push(' ');
                all.push_str(text.trim_start());
            }
            Some(Wrapped::InWord) => all.push_str(text.trim_start()),
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use ratatui::style::Style;

    #[test]
    fn rows_are_joined_where_they_were_wrapped_and_wide_letters_are_taken_once() {
        let mut buf = Buffer::empty(Rect::new(0, 0, 12, 4));
        for (y, text) in ["  漢字 one", "  two thr", "  ee", "end"]
            .into_iter()
            .enumerate()
        {
            buf.set_string(0, u16::try_from(y).unwrap(), text, Style::new());
        }
        let how = |y| match y {
            1 => Some(Wrapped::AtBlank),
            2 => Some(Wrapped::InWord),
            _ => None,
        };
        assert_eq!(
            selected(&buf, buf.area.rows(), how),
            "  漢字 one two three\nend"
        );
    }

    #[test]
    fn a_selection_reads_from_its_first_letter_to_its_last_whichever_way_it_was_made() {
        let (a, b) = (Position::new(4, 1), Position::new(2, 3));
        for (from, to) in [(a, b), (b, a)] {
            let area = Rect::new(1, 1, 8, 4);
            let dragged = DraggedText {
                area,
                from,
                to,
                seen: None,
                over: false,
            };
            let rows: Vec<Rect> = dragged.rows().collect();
            assert_eq!(
                rows,
                [
                    Rect::new(4, 1, 5, 1),
                    Rect::new(1, 2, 8, 1),
                    Rect::new(1, 3, 2, 1)
                ]
            );
        }
    }
}
