//! The parts that screens are made of: lists, wrapped text, lines. Frames are left to [`crate::frames`].

use crate::text::{Wrapped, width, wrap_marked};
use crate::theme::{Styles, ascii};
use crate::{Hit, Ui, keys};
use ratatui::buffer::Buffer;
use ratatui::layout::{Alignment, Constraint, Margin, Rect};
use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Scrollbar, ScrollbarOrientation, ScrollbarState, StatefulWidget};
use std::borrow::Cow;

/// The room inside a frame, without the column beside each border.
pub fn padded(inner: Rect) -> Rect {
    inner.inner(Margin::new(1, 0))
}

/// A rectangle of at most this size in the middle of another.
pub fn centred(area: Rect, w: u16, h: u16) -> Rect {
    area.centered(Constraint::Length(w), Constraint::Length(h))
}

/// Draws lines from the top, leaving `skip` out; what does not fit is cut.
pub fn lines(buf: &mut Buffer, area: Rect, all: &[Line<'_>], skip: usize) {
    for (row, line) in area.rows().zip(all.iter().skip(skip)) {
        buf.set_line(row.x, row.y, line, row.width);
    }
}

/// Draws a list: the rows in sight, made one by one, with the one at the cursor `at` selected. A click
/// selects a row. Gives the first row in sight, which moves no more than it must.
pub fn list<'a>(
    ui: &mut Ui,
    buf: &mut Buffer,
    area: Rect,
    top: usize,
    (at, count): (usize, usize),
    line: impl Fn(&Ui, usize) -> Line<'a>,
) -> usize {
    let top = scroll_to(top, at, usize::from(area.height), count);
    for (place, row) in (top..count).zip(area.rows()) {
        buf.set_line(row.x, row.y, &line(ui, place), row.width);
        if place == at {
            buf.set_style(row, ui.st.selected);
        }
    }
    scrollbar(buf, area, top, count, &ui.st);
    ui.panes.set_rows(area);
    ui.hits.push((area, Hit::Rows(top)));
    top
}

/// A text in lines of at most so many columns.
pub fn wrapped(text: &str, columns: usize, style: Style) -> Vec<Line<'static>> {
    hanging("", style, text, columns, style)
}

/// A text in lines of at most so many columns: the first one behind a mark, the others indented as far.
pub fn hanging(
    mark: &str,
    mark_style: Style,
    text: &str,
    columns: usize,
    style: Style,
) -> Vec<Line<'static>> {
    let indent = width(mark);
    let mut mark = Some(Span::styled(mark.to_owned(), mark_style));
    wrap_marked(text, columns.saturating_sub(indent))
        .into_iter()
        .map(|(text, how)| {
            let first = mark.take().unwrap_or_else(|| " ".repeat(indent).into());
            let line = Line::from(vec![first, Span::styled(text, style)]);
            going_on(line, how)
        })
        .collect()
}

/// Marks a line as one that goes on from the one above. Lines are drawn from the left whatever their alignment is, so
/// that it can carry the mark.
fn going_on(mut line: Line<'_>, how: Option<Wrapped>) -> Line<'_> {
    line.alignment = how.map(|how| match how {
        Wrapped::AtBlank => Alignment::Left,
        Wrapped::InWord => Alignment::Right,
    });
    line
}

/// How a line goes on from the one above.
pub fn goes_on(line: &Line<'_>) -> Option<Wrapped> {
    line.alignment.and_then(|mark| match mark {
        Alignment::Left => Some(Wrapped::AtBlank),
        Alignment::Right => Some(Wrapped::InWord),
        Alignment::Center => None,
    })
}

/// A line of text while it is typed, the cursor in it reversed.
pub fn typed_spans(line: &keys::Line, style: Style) -> [Span<'static>; 3] {
    let (before, under, after) = line.parts();
    let under = if under.is_empty() { " " } else { under };
    [
        Span::styled(before.to_owned(), style),
        Span::styled(under.to_owned(), style.add_modifier(Modifier::REVERSED)),
        Span::styled(after.to_owned(), style),
    ]
}

/// One line at a row of an area, cut at its width; nothing when the row is outside.
pub fn line(buf: &mut Buffer, area: Rect, row: u16, line: &Line<'_>) {
    if row < area.height {
        buf.set_line(area.x, area.y + row, line, area.width);
    }
}

/// A line whose right part stands at the right border; the left part gives way.
pub fn split_line(buf: &mut Buffer, area: Rect, row: u16, left: &Line<'_>, right: &Line<'_>) {
    if row >= area.height {
        return;
    }
    let rw = u16::try_from(right.width())
        .unwrap_or(u16::MAX)
        .min(area.width);
    let room = area.width - rw;
    buf.set_line(
        area.x,
        area.y + row,
        left,
        room.saturating_sub(u16::from(rw > 0)),
    );
    buf.set_line(area.x + room, area.y + row, right, rw);
}

/// Applies a style to a whole row.
pub fn shade(buf: &mut Buffer, area: Rect, row: u16, style: Style) {
    if row < area.height {
        buf.set_style(Rect::new(area.x, area.y + row, area.width, 1), style);
    }
}

/// The first row to show so that the cursor is in sight, moving as little as possible.
#[must_use]
pub fn scroll_to(top: usize, at: usize, rows: usize, count: usize) -> usize {
    let rows = rows.max(1);
    let low = (at + 1).saturating_sub(rows);
    top.clamp(low, at.max(low))
        .min(count.saturating_sub(rows).max(low))
}

/// A thumb on the border at the right when there are more lines than rows.
pub fn scrollbar(buf: &mut Buffer, inner: Rect, top: usize, count: usize, st: &Styles) {
    let rows = usize::from(inner.height);
    if count <= rows || rows < 3 {
        return;
    }
    let border = Rect {
        width: inner.width + 1,
        ..inner
    };
    let mut state = ScrollbarState::new(count - rows + 1)
        .position(top)
        .viewport_content_length(rows);
    Scrollbar::new(ScrollbarOrientation::VerticalRight)
        .begin_symbol(None)
        .end_symbol(None)
        .track_symbol(None)
        .thumb_style(st.dim)
        .render(border, buf, &mut state);
}

/// `name   value` with the name dim and ten columns wide.
pub fn field<'a>(st: &Styles, name: &str, value: impl Into<String>) -> Line<'a> {
    Line::from(vec![
        Span::styled(crate::text::left(name, 10), st.dim),
        Span::raw(crate::text::clean(&value.into()).into_owned()),
    ])
}

/// Removes control characters from every cell, whoever drew it.
pub fn guard(buf: &mut Buffer) {
    for cell in &mut buf.content {
        let Cow::Owned(safe) = crate::text::clean(cell.symbol()) else {
            continue;
        };
        cell.set_symbol(if safe.is_empty() { " " } else { &safe });
    }
}

/// Drawing characters become ASCII; letters of any script stay.
pub fn to_ascii(buf: &mut Buffer) {
    for cell in &mut buf.content {
        if let Some(symbol) = ascii(cell.symbol()) {
            cell.set_symbol(symbol);
        }
    }
}

/// The same of a line of text.
pub fn ascii_text(text: &str) -> String {
    let letter = |c: char| {
        let mut bytes = [0; 4];
        let symbol: &str = c.encode_utf8(&mut bytes);
        ascii(symbol).map_or_else(|| symbol.to_owned(), str::to_owned)
    };
    text.chars().map(letter).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_keeps_an_escape_sequence() {
        let mut buf = Buffer::empty(Rect::new(2, 3, 10, 2));
        let pixels = "\u{1b}_Gpixels\u{1b}\\";
        for (x, y, symbol) in [
            (2, 3, "\u{1b}]0;title\u{7}"),
            (3, 3, "\u{9b}"),
            (4, 3, "a\u{202e}"),
            (5, 3, "\n"),
            (6, 3, "ی\u{200c}"),
            (7, 4, pixels),
            (8, 4, "\u{fff9}"),
        ] {
            buf[(x, y)].set_symbol(symbol);
        }
        guard(&mut buf);
        let row = |y: u16, to: u16| (2..to).map(|x| buf[(x, y)].symbol()).collect::<String>();
        assert_eq!(row(3, 8), "  a ی\u{200c} ");
        assert_eq!(row(4, 9), "       ");
    }

    #[test]
    fn the_cursor_is_always_in_sight_and_the_list_fills_its_pane() {
        for count in 0..12 {
            for rows in 1..6 {
                for at in 0..count {
                    for top in 0..12 {
                        let top = scroll_to(top, at, rows, count);
                        assert!(top <= at && at < top + rows, "{count} {rows} {at} {top}");
                        assert!(
                            count <= rows || top + rows <= count,
                            "{count} {rows} {at} {top}"
                        );
                    }
                }
            }
        }
    }
}
