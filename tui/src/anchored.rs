//! A terminal backend that survives characters of a width that the terminal does not agree on.
//!
//! Between cells that lie side by side the cursor is not moved. A terminal that takes a character for wider
//! or narrower than we do (a newer script, an emoji, in tmux anything its tables do not know) would shift the
//! rest of the row. Behind such characters the cursor is therefore placed again: the damage stays where it is.

use ratatui::backend::{Backend, ClearType, WindowSize};
use ratatui::buffer::Cell;
use ratatui::layout::{Position, Size};

/// Draws through another backend.
pub struct Anchored<B>(pub B);

/// Whether every terminal takes one column for it: Latin, and what we draw with.
fn is_simple(cell: &Cell) -> bool {
    cell.symbol().chars().all(|c| {
        c < '\u{300}'
            || matches!(c, '\u{2010}'..='\u{2027}' | '\u{2190}'..='\u{21ff}' | '\u{2500}'..='\u{25ff}')
    })
}

impl<B: Backend> Backend for Anchored<B> {
    type Error = B::Error;

    fn draw<'a, I>(&mut self, content: I) -> Result<(), Self::Error>
    where
        I: Iterator<Item = (u16, u16, &'a Cell)>,
    {
        let cells: Vec<_> = content.collect();
        // Each call begins with a placed cursor.
        for run in cells.chunk_by(|a, b| is_simple(a.2) || !is_simple(b.2)) {
            self.0.draw(run.iter().copied())?;
        }
        Ok(())
    }

    fn append_lines(&mut self, n: u16) -> Result<(), Self::Error> {
        self.0.append_lines(n)
    }

    fn hide_cursor(&mut self) -> Result<(), Self::Error> {
        self.0.hide_cursor()
    }

    fn show_cursor(&mut self) -> Result<(), Self::Error> {
        self.0.show_cursor()
    }

    fn get_cursor_position(&mut self) -> Result<Position, Self::Error> {
        self.0.get_cursor_position()
    }

    fn set_cursor_position<P: Into<Position>>(&mut self, position: P) -> Result<(), Self::Error> {
        self.0.set_cursor_position(position)
    }

    fn clear(&mut self) -> Result<(), Self::Error> {
        self.0.clear()
    }

    fn clear_region(&mut self, region: ClearType) -> Result<(), Self::Error> {
        self.0.clear_region(region)
    }

    fn size(&self) -> Result<Size, Self::Error> {
        self.0.size()
    }

    fn window_size(&mut self) -> Result<WindowSize, Self::Error> {
        self.0.window_size()
    }

    fn flush(&mut self) -> Result<(), Self::Error> {
        self.0.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ratatui::backend::CrosstermBackend;
    use ratatui::buffer::Buffer;
    use ratatui::layout::Rect;
    use ratatui::style::Style;

    fn drawn(text: &str) -> String {
        let mut buf = Buffer::empty(Rect::new(0, 0, 30, 1));
        buf.set_string(0, 0, text, Style::new());
        let mut out = Vec::new();
        let mut backend = Anchored(CrosstermBackend::new(&mut out));
        let blank = Buffer::empty(buf.area);
        backend.draw(blank.diff(&buf).into_iter()).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn the_cursor_is_placed_behind_characters_that_terminals_disagree_about() {
        let moves = |text: &str| drawn(text).matches('H').count();
        assert_eq!(moves("plain─│…→ä"), 1, "nothing is risky");
        // Two scripts that some terminals do not know, and one more character behind each run.
        assert_eq!(moves("ab\u{16d40}\u{16d41}c\u{11bc0}d"), 3);
        assert!(drawn("\u{16d40}|next").contains("\u{1b}[1;2H|"));
    }
}
