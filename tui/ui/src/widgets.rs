//! Small things that every screen is made of: a pane with its titles, lines of text, scrolling.

use crate::text::{fit, width};
use crate::theme::{Styles, ascii};
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, BorderType, Clear, Widget};
use std::borrow::Cow;

/// A pane's frame; gives the room inside.
pub fn pane(
    buf: &mut Buffer,
    area: Rect,
    title: &str,
    right: &str,
    focused: bool,
    st: &Styles,
) -> Rect {
    let border = if focused { st.focus } else { st.border };
    let block = Block::bordered()
        .border_type(BorderType::Rounded)
        .border_style(border);
    let inner = block.inner(area);
    block.render(area, buf);
    let room = usize::from(area.width.saturating_sub(4));
    let title = fit(title, room);
    let mut used = 0;
    if !title.is_empty() && area.height > 0 {
        used = width(&title) + 2;
        let style = if focused {
            st.title.patch(st.focus)
        } else {
            st.title
        };
        buf.set_string(area.x + 2, area.y, format!(" {title} "), style);
    }
    let left = room.saturating_sub(used + 1);
    if !right.is_empty() && left > 6 && area.height > 0 {
        let right = fit(right, left.saturating_sub(2));
        let w = u16::try_from(width(&right) + 2).unwrap_or(0);
        buf.set_string(
            area.right().saturating_sub(w + 2),
            area.y,
            format!(" {right} "),
            st.dim,
        );
    }
    inner
}

/// Wipes an area for an overlay and frames it.
pub fn overlay(buf: &mut Buffer, area: Rect, title: &str, right: &str, st: &Styles) -> Rect {
    Clear.render(area, buf);
    buf.set_style(area, st.text);
    pane(buf, area, title, right, true, st)
}

/// A rectangle of at most this size in the middle of another.
pub fn centred(area: Rect, w: u16, h: u16) -> Rect {
    let (w, h) = (w.min(area.width), h.min(area.height));
    Rect::new(
        area.x + (area.width - w) / 2,
        area.y + (area.height - h) / 2,
        w,
        h,
    )
}

/// The first `rows` of an area, and what is below them.
pub fn above(area: Rect, rows: u16) -> (Rect, Rect) {
    let rows = rows.min(area.height);
    let rest = Rect {
        y: area.y + rows,
        height: area.height - rows,
        ..area
    };
    (
        Rect {
            height: rows,
            ..area
        },
        rest,
    )
}

/// The first `columns` of an area, and what is beside them.
pub fn beside(area: Rect, columns: u16) -> (Rect, Rect) {
    let columns = columns.min(area.width);
    let rest = Rect {
        x: area.x + columns,
        width: area.width - columns,
        ..area
    };
    (
        Rect {
            width: columns,
            ..area
        },
        rest,
    )
}

/// Draws lines from the top, leaving `skip` out; what does not fit is cut.
pub fn lines(buf: &mut Buffer, area: Rect, all: &[Line<'_>], skip: usize) {
    let rows = usize::from(area.height);
    for (row, line) in all.iter().skip(skip).take(rows).enumerate() {
        let y = area.y + u16::try_from(row).unwrap_or(0);
        buf.set_line(area.x, y, line, area.width);
    }
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

/// Paints a whole row in a style, over what stands there.
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

/// A thumb at the right border when there is more than fits.
pub fn scrollbar(
    buf: &mut Buffer,
    inner: Rect,
    top: usize,
    rows: usize,
    count: usize,
    st: &Styles,
) {
    if count <= rows || inner.height < 3 {
        return;
    }
    let track = usize::from(inner.height);
    let size = (rows * track / count).clamp(1, track);
    let last = count - rows;
    let start = (top.min(last) * (track - size)).div_ceil(last.max(1));
    for i in start..start + size {
        let y = inner.y + u16::try_from(i).unwrap_or(0);
        buf[(inner.right(), y)].set_symbol("█").set_style(st.dim);
    }
}

/// `name   value` with the name dim and ten columns wide.
pub fn field<'a>(st: &Styles, name: &str, value: impl Into<String>) -> Line<'a> {
    Line::from(vec![
        Span::styled(crate::text::left(name, 10), st.dim),
        Span::raw(crate::text::clean(&value.into()).into_owned()),
    ])
}

/// Takes what steers a terminal out of every cell, whoever has drawn it. Within `picture` a cell may hold
/// the escape sequence that draws pixels.
pub fn guard(buf: &mut Buffer, picture: Option<Rect>) {
    let area = buf.area;
    for (i, cell) in buf.content.iter_mut().enumerate() {
        let symbol = cell.symbol();
        let Cow::Owned(safe) = crate::text::clean(symbol) else {
            continue;
        };
        let (x, y) = (i % usize::from(area.width), i / usize::from(area.width));
        #[allow(clippy::cast_possible_truncation)] // both lie within the area
        let place = Position::new(area.x + x as u16, area.y + y as u16);
        if symbol.starts_with('\u{1b}') && picture.is_some_and(|p| p.contains(place)) {
            continue;
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_steers_a_terminal_but_those_of_a_picture() {
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
        let mut shown = buf.clone();
        guard(&mut shown, Some(Rect::new(7, 4, 2, 1)));
        let row = |y: u16, to: u16| (2..to).map(|x| shown[(x, y)].symbol()).collect::<String>();
        assert_eq!(row(3, 8), "  a ی\u{200c} ");
        assert_eq!(shown[(7, 4)].symbol(), pixels);
        assert_eq!(shown[(8, 4)].symbol(), " ");
        guard(&mut buf, None);
        assert_eq!(buf[(7, 4)].symbol(), " ", "not where no picture is");
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
