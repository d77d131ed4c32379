//! A text on the screen: which lines are in sight, the cursor where there is something to choose, matches of a
//! search, and the keys that scroll and fold.

use super::page::{Folded, TextPage};
use super::search::{LineSpot, OF_A_LINE, TextSearch};
use super::{json_line, line_drawn};
use crate::Ui;
use crate::panes::PaneName;
use crate::widgets::{goes_on, padded, scrollbar};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Line;

/// Bytes of a line that may be needed for so many columns.
const fn needed(columns: u16) -> usize {
    1024 + columns as usize * 8
}

/// A way to move in a text, or to fold in it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PageStep {
    Up,
    Down,
    HalfUp,
    HalfDown,
    PageUp,
    PageDown,
    Top,
    Bottom,
    /// What begins or ends on the line of the cursor.
    FoldLine,
    FoldAll,
}

/// Where a text stands in its pane.
#[derive(Default, Debug)]
pub struct PageView {
    /// The first line in sight.
    top: LineSpot,
    /// The line of the cursor, in a text with documents.
    at: LineSpot,
    folds: Folded,
    /// Rows that the newest frame had room for.
    rows: usize,
}

impl PageView {
    /// Moves in a text, or folds in it; returns whether that was possible.
    pub fn go(&mut self, step: PageStep, page: &TextPage<'_>) -> bool {
        let page_rows = self.rows.saturating_sub(1).max(1);
        match step {
            PageStep::Up => self.step(page, 1, false),
            PageStep::Down => self.step(page, 1, true),
            PageStep::HalfUp => self.step(page, page_rows.div_ceil(2), false),
            PageStep::HalfDown => self.step(page, page_rows.div_ceil(2), true),
            PageStep::PageUp => self.step(page, page_rows, false),
            PageStep::PageDown => self.step(page, page_rows, true),
            PageStep::Top => {
                self.top = page.first().unwrap_or_default();
                self.at = self.top;
            }
            PageStep::Bottom => {
                self.at = page.last(&self.folds).unwrap_or_default();
                self.top = self.at;
            }
            PageStep::FoldLine => return self.fold(page),
            PageStep::FoldAll => {
                self.folds.turn_all();
                (self.top, self.at) = (
                    page.in_sight(self.top, &self.folds),
                    page.in_sight(self.at, &self.folds),
                );
            }
        }
        true
    }

    fn step(&mut self, page: &TextPage<'_>, rows: usize, down: bool) {
        let folds = &self.folds;
        let go = |from: LineSpot| {
            let mut spot = page.in_sight(from, folds);
            for _ in 0..rows {
                let next = match down {
                    true => page.next(spot, folds),
                    false => page.previous(spot, folds),
                };
                let Some(next) = next else { break };
                spot = next;
            }
            spot
        };
        if page.has_json() {
            self.at = go(self.at);
            if rows > 1 {
                self.top = go(self.top);
            }
        } else {
            self.top = go(self.top);
        }
    }

    /// Folds or opens what begins or ends on the line of the cursor.
    fn fold(&mut self, page: &TextPage<'_>) -> bool {
        self.at = page.in_sight(self.at, &self.folds);
        let LineSpot { part, line } = self.at;
        let Some(doc) = page.doc(part).filter(|doc| line < doc.len()) else {
            return false;
        };
        let opens = match doc.kind(line) {
            super::json::JsonKind::Closes => doc.parent(line),
            _ => Some(line),
        };
        let Some(opens) = opens.filter(|line| self.folds.change(part).turn(doc, *line)) else {
            return false;
        };
        self.at.line = opens;
        true
    }

    /// Goes to a line, and opens what hides it.
    pub fn show(&mut self, page: &TextPage<'_>, spot: LineSpot) {
        if let Some(doc) = page.doc(spot.part) {
            self.folds.change(spot.part).show(doc, spot.line);
        }
        self.at = spot;
    }

    /// The value of the document at the cursor, as text of about so many bytes at most.
    pub fn value(&self, page: &TextPage<'_>, most: usize) -> Option<String> {
        let LineSpot { part, line } = page.in_sight(self.at, &self.folds);
        let doc = page.doc(part).filter(|doc| line < doc.len())?;
        let opens = match doc.kind(line) {
            super::json::JsonKind::Closes => doc.parent(line)?,
            _ => line,
        };
        Some(json_line::copied(doc, opens, most))
    }

    /// Keeps the room full, and the line that is looked at in sight.
    fn settle(&mut self, page: &TextPage<'_>, rows: usize, kept: Option<LineSpot>) {
        self.rows = rows;
        let folds = &self.folds;
        let back = |from: LineSpot, rows: usize| {
            let before = |spot: &LineSpot| page.previous(*spot, folds);
            std::iter::successors(Some(from), before)
                .take(rows)
                .last()
                .unwrap_or(from)
        };
        let Some(last) = page.last(folds) else {
            return;
        };
        self.top = page.in_sight(self.top, folds);
        if let Some(kept) = kept {
            let kept = page.in_sight(kept, folds);
            self.top = self.top.min(kept).max(back(kept, rows));
        }
        self.top = self.top.min(back(last, rows));
    }

    /// Draws what is in sight inside a frame, with a scrollbar on its border.
    pub fn draw(
        &mut self,
        ui: &mut Ui,
        buf: &mut Buffer,
        inner: Rect,
        pane: PaneName,
        page: &TextPage<'_>,
    ) {
        let inner = ui.search_room(buf, inner, pane);
        let room = padded(inner);
        let st = ui.st;
        let mut found = None;
        if let Some(search) = ui.search_in(pane) {
            let sight = if page.has_json() { self.at } else { self.top };
            found = search.look(page, sight);
        }
        if let Some(spot) = found {
            self.show(page, spot);
        }
        let cursor = page.has_json();
        ui.reading.json |= cursor;
        self.settle(
            page,
            usize::from(room.height),
            found.or(cursor.then_some(self.at)),
        );
        let search = ui.search_in(pane);
        let search = search.map(|search| &*search);
        let at = page.in_sight(self.at, &self.folds);
        let mut spot = page.first().map(|_| self.top);
        let mut wrapped = Vec::new();
        for row in room.rows() {
            let Some(here) = spot else { break };
            let cursor = cursor && here == at;
            let line = self.draw_line(buf, row, page, here, cursor, search);
            wrapped.extend(goes_on(&line).map(|how| (row, how)));
            spot = page.next(here, &self.folds);
        }
        ui.wrapped.extend(wrapped);
        let (place, all) = page.place(self.top);
        scrollbar(buf, inner, place, all, &st);
    }

    fn draw_line<'a>(
        &self,
        buf: &mut Buffer,
        row: Rect,
        page: &'a TextPage<'_>,
        spot: LineSpot,
        cursor: bool,
        search: Option<&TextSearch>,
    ) -> Line<'a> {
        let here = search.and_then(|search| search.here(spot));
        let most = if here.is_some() {
            OF_A_LINE
        } else {
            needed(row.width)
        };
        let line = page.line(spot, &self.folds, most);
        let marks = search.filter(|search| search.needle().is_some());
        let marks = marks.map_or_else(Vec::new, |search| search.marks(spot, &line.to_string()));
        line_drawn::line(buf, row, &line, &marks, here);
        // A match that the search stands on shows the place by itself.
        if cursor && here.is_none() {
            line_drawn::cursor(buf, row, &page.st);
        }
        line
    }
}
