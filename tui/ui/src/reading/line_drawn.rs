//! A line on the screen, cut at its room, with the matches of a search marked.

use crate::text::width;
use crate::theme::Styles;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};
use ratatui::text::Line;
use std::ops::Range;

/// Columns before a match that would stand beyond the room.
const BEFORE: usize = 8;

/// A place in bytes, and whether the search stands on it.
pub type LineMark = (Range<usize>, bool);

/// Draws a line; the match at `here` is in sight, however long the line is.
pub fn line(buf: &mut Buffer, row: Rect, line: &Line<'_>, marks: &[LineMark], here: Option<usize>) {
    let room = usize::from(row.width);
    let from = here.map_or(0, |here| first_byte(line, here, marks, room));
    let (mut byte, mut used) = (0, 0);
    let mut put = |used: usize, symbol: &str, style: Style| {
        let x = row.x + u16::try_from(used).unwrap_or(u16::MAX);
        buf.set_stringn(x, row.y, symbol, room - used, style);
    };
    if from > 0 {
        put(0, "…", line.style);
        used = 1;
    }
    for grapheme in line.styled_graphemes(Style::new()) {
        let (begin, symbol) = (byte, grapheme.symbol);
        byte += symbol.len();
        if begin < from {
            continue;
        }
        let columns = width(symbol);
        if used + columns > room {
            put(room.saturating_sub(1), "…", grapheme.style);
            break;
        }
        let mark = marks
            .iter()
            .find(|(place, _)| place.start < byte && begin < place.end);
        let style = mark.map_or(grapheme.style, |(_, here)| marked(grapheme.style, *here));
        put(used, symbol, style);
        used += columns;
    }
}

/// The byte from which a line is drawn, so that a match is in its room.
fn first_byte(line: &Line<'_>, here: usize, marks: &[LineMark], room: usize) -> usize {
    let end = marks
        .iter()
        .find(|(place, _)| place.start == here)
        .map_or(here, |(place, _)| place.end);
    let (mut byte, mut used) = (0, 0);
    let mut places = Vec::new();
    for grapheme in line.styled_graphemes(Style::new()) {
        if byte >= end {
            break;
        }
        places.push((byte, used));
        byte += grapheme.symbol.len();
        used += width(grapheme.symbol);
    }
    if used < room {
        return 0;
    }
    let column = places
        .iter()
        .rfind(|(byte, _)| *byte <= here)
        .map_or(0, |(_, used)| *used);
    let first = places.iter().find(|(_, used)| used + BEFORE >= column);
    first.map_or(0, |(byte, _)| *byte)
}

/// A match: underlined, and reversed where the search stands on it. No colour is needed to see it.
fn marked(style: Style, here: bool) -> Style {
    let style = style.add_modifier(Modifier::UNDERLINED | Modifier::BOLD);
    match here {
        true => style
            .add_modifier(Modifier::REVERSED)
            .remove_modifier(Modifier::DIM),
        false => style,
    }
}

/// Shades the line of a cursor.
pub fn cursor(buf: &mut Buffer, row: Rect, st: &Styles) {
    buf.set_style(row, st.selected);
}

/// Marks the matches in a line that was drawn already.
pub fn mark(buf: &mut Buffer, row: Rect, marks: impl Fn(&str) -> Vec<LineMark>) {
    let mut text = String::new();
    let mut cells = Vec::new();
    let mut x = row.x;
    while x < row.right() {
        let symbol = buf[(x, row.y)].symbol();
        cells.push((x, text.len()));
        text.push_str(symbol);
        x += u16::try_from(width(symbol)).unwrap_or(1).max(1);
    }
    for (place, here) in marks(text.trim_end()) {
        for (x, _) in cells.iter().filter(|(_, byte)| place.contains(byte)) {
            let cell = &mut buf[(*x, row.y)];
            let style = marked(cell.style(), false);
            cell.set_style(style);
            if here {
                cell.modifier.toggle(Modifier::REVERSED);
            }
        }
    }
}
