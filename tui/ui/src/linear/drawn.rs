//! The lines of a layer that has none of its own: it is drawn in one pane, and its text is taken off the drawing without
//! frames and bars.

use crate::linear_text::words;
use crate::text::width;
use crate::{Room, Ui};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use wb_core::state::State;

/// Narrow enough that panes stand above each other.
const SIZE: Rect = Rect::new(0, 0, 99, 120);

/// What is topmost, in lines.
pub(super) fn lines(ui: &mut Ui, state: &State) -> Vec<String> {
    let mut buf = Buffer::empty(SIZE);
    let room = std::mem::replace(
        &mut ui.room,
        Room {
            w: SIZE.width,
            h: SIZE.height,
        },
    );
    ui.draw_top(&mut buf, SIZE, state);
    ui.room = room;
    ui.hits.clear();
    text_of(&buf)
}

/// The text of a drawing: no frames, no bars, no blank lines.
fn text_of(buf: &Buffer) -> Vec<String> {
    let row = |y| {
        let mut line = String::new();
        let mut x = 0;
        while x < buf.area.width {
            let symbol = buf[(x, y)].symbol();
            line.push_str(symbol);
            x += u16::try_from(width(symbol)).unwrap_or(1).max(1);
        }
        words(&line)
    };
    (0..buf.area.height)
        .map(row)
        .filter(|line| !line.is_empty())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_of_a_drawing_has_no_frames_and_no_bars() {
        let drawn = Buffer::with_lines([
            "╭─ Builds ─╮",
            "│▌ #1  ok  │",
            "│          │",
            "╰──────────╯",
        ]);
        assert_eq!(text_of(&drawn), ["Builds", "#1  ok"]);
    }
}
