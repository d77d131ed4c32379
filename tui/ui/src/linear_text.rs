//! Drawn lines as text, for linear mode: without frames and bars, rows with their numbers.

use ratatui::text::Line;

/// Rows of a list that are read at once.
pub const PAGE: usize = 20;

/// Columns of a line: nothing is cut, short of what nobody would listen to.
pub const COLUMNS: usize = 1000;

/// A line of a list, with the number that chooses it.
pub fn numbered(place: usize, text: impl AsRef<str>) -> String {
    format!("{}. {}", place + 1, text.as_ref().trim())
}

/// A drawn line as text.
pub fn text(line: &Line<'_>) -> String {
    words(&line.to_string())
}

/// Drawn lines as text, without the blank ones.
pub fn texts<'a>(lines: &'a [Line<'_>]) -> impl Iterator<Item = String> + 'a {
    lines.iter().map(text).filter(|line| !line.is_empty())
}

/// A drawn line without frames and bars, its columns set apart by two blanks.
pub fn words(line: &str) -> String {
    let line = line.replace(is_drawn, " ");
    let parts = line.split("  ").map(str::trim);
    let parts: Vec<&str> = parts.filter(|part| !part.is_empty()).collect();
    parts.join("  ")
}

/// Lines, corners and blocks.
fn is_drawn(c: char) -> bool {
    ('\u{2500}'..='\u{259f}').contains(&c)
}
