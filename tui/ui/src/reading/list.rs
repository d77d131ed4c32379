//! A search in a list: its rows are its lines, and the row of a match is chosen.

use super::find::Needle;
use super::line_drawn;
use super::search::{LineSpot, Searchable};
use crate::Ui;
use crate::panes::PaneName;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Line;
use std::hash::{DefaultHasher, Hash, Hasher};

/// The rows of a list, as text.
struct ListText<F> {
    stamp: u64,
    /// The number of the first one.
    first: usize,
    count: usize,
    text: F,
}

impl<F: Fn(usize) -> String> Searchable for ListText<F> {
    fn stamp(&self) -> u64 {
        self.stamp
    }

    fn after(&self, spot: Option<LineSpot>) -> Option<LineSpot> {
        let line = spot.map_or(0, |spot| spot.line + 1).max(self.first);
        (line < self.first + self.count).then_some(LineSpot { part: 0, line })
    }

    fn line_text(&self, spot: LineSpot, _: &Needle) -> Option<String> {
        Some((self.text)(spot.line - self.first))
    }

    fn size(&self, _: LineSpot) -> usize {
        0
    }

    fn comes(&self) -> bool {
        false
    }
}

/// The number of the first of these lines, which it keeps when lines come at the end and older ones go: `total` is how
/// many there were.
pub fn first_number(count: usize, total: Option<u64>) -> usize {
    let total = total.and_then(|total| usize::try_from(total).ok());
    total.map_or(0, |total| total.saturating_sub(count))
}

/// Marks what was typed wherever it stands in rows that were drawn.
pub fn mark_typed(buf: &mut Buffer, area: Rect, typed: &str) {
    if let Some(needle) = Needle::new(typed) {
        mark_needle(buf, area, &needle);
    }
}

fn mark_needle(buf: &mut Buffer, area: Rect, needle: &Needle) {
    for row in area.rows() {
        let places = |text: &str| {
            let places = needle.all_in(text).into_iter();
            places.map(|place| (place, false)).collect()
        };
        line_drawn::mark(buf, row, places);
    }
}

impl Ui {
    /// Looks further in a list whose row `at` is chosen; gives the row to choose instead. `stamp` is another number
    /// whenever rows are others than before.
    pub(crate) fn search_rows(
        &mut self,
        pane: PaneName,
        stamp: u64,
        (at, count): (usize, usize),
        text: impl Fn(usize) -> String,
    ) -> Option<usize> {
        let search = self.search_in(pane)?;
        let first = 0;
        let text = ListText {
            stamp,
            first,
            count,
            text,
        };
        let sight = LineSpot { part: 0, line: at };
        search.look(&text, sight).map(|spot| spot.line)
    }

    /// Looks further in the lines of a pane, of which `top` is the first in sight; gives the one to bring into sight.
    pub(crate) fn search_lines<'a>(
        &mut self,
        pane: PaneName,
        (about, total): (impl Hash, Option<u64>),
        (top, count): (usize, usize),
        line: &impl Fn(usize) -> Line<'a>,
    ) -> Option<usize> {
        let search = self.search_in(pane)?;
        let text = |at: usize| line(at).to_string();
        let mut stamp = DefaultHasher::new();
        about.hash(&mut stamp);
        // Lines that only come and go keep their numbers; others may be replaced.
        if total.is_none() {
            (0..count).for_each(|at| text(at).hash(&mut stamp));
        }
        let first = first_number(count, total);
        let text = ListText {
            stamp: stamp.finish(),
            first,
            count,
            text,
        };
        let sight = LineSpot {
            part: 0,
            line: first + top,
        };
        search
            .look(&text, sight)
            .map(|spot| spot.line.saturating_sub(first))
    }

    /// Draws a line of a pane, with what is searched in it marked.
    pub(crate) fn draw_read(
        &mut self,
        buf: &mut Buffer,
        row: Rect,
        pane: PaneName,
        number: usize,
        line: &Line<'_>,
    ) {
        let spot = LineSpot {
            part: 0,
            line: number,
        };
        self.note_wrapped(row, line);
        let search = self.search_in(pane);
        let search = search.filter(|search| search.needle().is_some());
        let (marks, here) = search.map_or_else(Default::default, |search| {
            (search.marks(spot, &line.to_string()), search.here(spot))
        });
        line_drawn::line(buf, row, line, &marks, here);
    }

    /// Marks what was found in the rows of a list that was drawn, or in the details of the chosen one.
    pub(crate) fn mark_found(&mut self, buf: &mut Buffer, area: Rect, pane: PaneName) {
        let search = self.search_in(pane);
        if let Some(needle) = search.and_then(|search| search.needle()) {
            mark_needle(buf, area, needle);
        }
    }
}
