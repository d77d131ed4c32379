//! The frames of panes: quiet ones, the bright one where the keys act, and the one around an overlay. Which pane that is,
//! is left to [`crate::panes`].

use crate::Ui;
use crate::panes::{DrawnPane, PaneName};
use crate::reading::first_number;
use crate::text::{fit, width};
use crate::theme::Styles;
use crate::widgets::{padded, scrollbar};
use ratatui::buffer::{Buffer, Cell};
use ratatui::layout::{Constraint, Direction, Layout, Margin, Rect, Spacing};
use ratatui::style::{Color, Modifier, Style};
use ratatui::symbols::merge::MergeStrategy;
use ratatui::text::Line;
use ratatui::widgets::{Block, BorderType, Clear, Widget};
use std::hash::Hash;

/// Draws a frame with a title at the left and a note at the right; returns the room inside. Lines that lie on others
/// are joined with them.
pub fn frame(buf: &mut Buffer, area: Rect, title: &str, right: &str, st: &Styles) -> Rect {
    let block = Block::bordered()
        .border_type(BorderType::Rounded)
        .border_style(st.border)
        .merge_borders(MergeStrategy::Fuzzy);
    let inner = block.inner(area);
    block.render(area, buf);
    let room = usize::from(area.width.saturating_sub(4));
    let title = fit(title, room);
    let mut used = 0;
    if !title.is_empty() && area.height > 0 {
        used = width(&title) + 2;
        // Not in the colour of the border below it.
        let style = Style::reset().patch(st.text).patch(st.title);
        buf.set_string(area.x + 2, area.y, format!(" {title} "), style);
    }
    let left = room.saturating_sub(used + 1);
    if !right.is_empty() && left > 6 && area.height > 0 {
        let right = fit(right, left.saturating_sub(2));
        let w = u16::try_from(width(&right) + 2).unwrap_or(0);
        let style = Style::reset().patch(st.text).patch(st.dim);
        let x = area.right().saturating_sub(w + 2);
        buf.set_string(x, area.y, format!(" {right} "), style);
    }
    inner
}

/// Draws a frame that is bright in any case.
pub fn bright(buf: &mut Buffer, area: Rect, title: &str, right: &str, st: &Styles) -> Rect {
    let inner = frame(buf, area, title, right, st);
    brighten(buf, area, title_columns(area, title), st);
    inner
}

/// The columns that a title takes on a frame.
fn title_columns(area: Rect, title: &str) -> u16 {
    let room = usize::from(area.width.saturating_sub(4));
    match width(&fit(title, room)) {
        0 => 0,
        columns => u16::try_from(columns + 2).unwrap_or(0),
    }
}

/// Clears an area for an overlay and frames it.
pub fn cleared(buf: &mut Buffer, area: Rect, title: &str, right: &str, st: &Styles) -> Rect {
    Clear.render(area, buf);
    buf.set_style(area, st.text);
    frame(buf, area, title, right, st)
}

/// Draws a frame as the one that keys act in. Without colours its lines are thick.
pub fn brighten(buf: &mut Buffer, area: Rect, title: u16, st: &Styles) {
    let thick = st.focus.fg.is_none();
    let edge = area.intersection(buf.area);
    for at in edge.positions() {
        let sides = [at.x == area.x, at.x + 1 == area.right()];
        let ends = [at.y == area.y, at.y + 1 == area.bottom()];
        if !(sides.contains(&true) || ends.contains(&true)) {
            continue;
        }
        let cell = &mut buf[at];
        let in_title = ends[0] && (area.x + 2..area.x + 2 + title).contains(&at.x);
        if in_title {
            cell.set_style(st.focus);
        } else if is_line(cell) {
            let quiet = Style::reset().patch(st.text);
            cell.set_style(quiet.patch(st.focus));
            if thick {
                cell.merge_symbol(thick_line(sides, ends), MergeStrategy::Exact);
            }
        }
    }
}

fn is_line(cell: &Cell) -> bool {
    let first = cell.symbol().chars().next();
    first.is_some_and(|c| ('\u{2500}'..='\u{257f}').contains(&c))
}

/// The part of a thick frame on these sides and ends.
const fn thick_line([left, right]: [bool; 2], [top, bottom]: [bool; 2]) -> &'static str {
    match (left, right, top, bottom) {
        (true, _, true, _) => "┏",
        (_, true, true, _) => "┓",
        (true, _, _, true) => "┗",
        (_, true, _, true) => "┛",
        (true, ..) | (_, true, ..) => "┃",
        _ => "━",
    }
}

/// Makes everything in an area quiet, because something lies above it.
pub fn dim(buf: &mut Buffer, area: Rect, st: &Styles) {
    let quiet = Style::reset().patch(st.text).patch(st.behind);
    for at in area.intersection(buf.area).positions() {
        let cell = &mut buf[at];
        match (cell.fg, cell.bg) {
            // Parts of pictures stay what they are, darker.
            (Color::Rgb(..), _) | (_, Color::Rgb(..)) => {
                (cell.fg, cell.bg) = (darker(cell.fg), darker(cell.bg));
            }
            _ => {
                let reversed = cell.modifier & Modifier::REVERSED;
                cell.set_style(quiet);
                cell.modifier |= reversed;
            }
        }
    }
}

fn darker(colour: Color) -> Color {
    match colour {
        Color::Rgb(r, g, b) => Color::Rgb(r / 3, g / 3, b / 3),
        other => other,
    }
}

/// A list and the details of its chosen row, inside the frame of an overlay: one above the other where room is narrow,
/// else side by side. They share the line between them.
pub fn list_and_details(area: Rect, narrow: bool, rows: u16, columns: u16) -> [Rect; 2] {
    let (direction, first) = match narrow {
        true => (Direction::Vertical, rows),
        false => (Direction::Horizontal, columns),
    };
    Layout::new(direction, [Constraint::Length(first), Constraint::Fill(1)])
        .spacing(Spacing::Overlap(1))
        .areas(area)
}

/// The panes of an overlay, and a part below them with so many lines, if there are any.
pub fn foot_of(area: Rect, lines: u16) -> [Rect; 2] {
    let foot = if lines > 0 { lines + 2 } else { 1 };
    Layout::vertical([Constraint::Fill(1), Constraint::Length(foot)])
        .spacing(Spacing::Overlap(1))
        .areas(area)
}

/// A part above the panes of an overlay with so many lines, and the panes.
pub fn head_of(area: Rect, lines: u16) -> [Rect; 2] {
    Layout::vertical([Constraint::Length(lines), Constraint::Fill(1)]).areas(area)
}

impl Ui {
    /// Draws the frame of a pane and notes where it is; returns the room inside.
    pub(crate) fn pane(
        &mut self,
        buf: &mut Buffer,
        name: PaneName,
        area: Rect,
        (title, right): (&str, &str),
    ) -> Rect {
        let inner = frame(buf, area, title, right, &self.st);
        self.note_pane(name, area, inner, title);
        inner
    }

    fn note_pane(&mut self, name: PaneName, area: Rect, inner: Rect, title: &str) {
        self.panes.add(DrawnPane {
            name,
            area,
            inner,
            title: title_columns(area, title),
            rows: usize::from(inner.height),
            scrolls: false,
        });
    }

    /// Notes a part between the lines of an overlay's frame that is only shown; returns the room inside.
    pub(crate) fn still_pane(&mut self, area: Rect) -> Rect {
        let inner = area.inner(Margin::new(1, 0));
        self.note_pane(PaneName::Still, area, inner, "");
        inner
    }

    /// Clears an area for an overlay that is one pane.
    pub(crate) fn overlay(
        &mut self,
        buf: &mut Buffer,
        area: Rect,
        (title, right): (&str, &str),
    ) -> Rect {
        let inner = cleared(buf, area, title, right, &self.st);
        self.note_pane(PaneName::Main, area, inner, title);
        inner
    }

    /// Clears an area for an overlay of several panes; returns the place of their frames, which share its lines.
    pub(crate) fn overlay_of_panes(
        &mut self,
        buf: &mut Buffer,
        area: Rect,
        (title, right): (&str, &str),
    ) -> Rect {
        cleared(buf, area, title, right, &self.st);
        let below = Rect {
            y: area.y.saturating_add(1),
            height: area.height.saturating_sub(1),
            ..area
        };
        self.panes.set_whole(below);
        below
    }

    /// Draws the lines in sight of a pane's text, made one by one, with a scrollbar on the frame. `about` names what they
    /// are about: lines about something else begin at their start.
    pub(crate) fn pane_lines<'a>(
        &mut self,
        buf: &mut Buffer,
        name: PaneName,
        inner: Rect,
        (count, about): (usize, impl Hash),
        line: impl Fn(usize) -> Line<'a>,
    ) {
        self.pane_rows(buf, name, inner, (count, about, None), line);
    }

    /// The same for a text that grows at its end, of which there were so many lines: the end is shown until it is
    /// scrolled.
    pub(crate) fn pane_tail<'a>(
        &mut self,
        buf: &mut Buffer,
        name: PaneName,
        inner: Rect,
        (count, total, about): (usize, u64, impl Hash),
        line: impl Fn(usize) -> Line<'a>,
    ) {
        self.pane_rows(buf, name, inner, (count, about, Some(total)), line);
    }

    /// Draws lines, and looks further for what is searched in them.
    fn pane_rows<'a>(
        &mut self,
        buf: &mut Buffer,
        name: PaneName,
        inner: Rect,
        (count, about, total): (usize, impl Hash, Option<u64>),
        line: impl Fn(usize) -> Line<'a>,
    ) {
        let inner = self.search_room(buf, inner, name);
        let rows = (inner.height, count);
        let mut top = self.panes.first_line(name, rows, &about, total);
        if let Some(found) = self.search_lines(name, (&about, total), (top, count), &line) {
            self.panes.show_line(name, rows, found);
            top = self.panes.first_line(name, rows, &about, total);
        }
        let first = first_number(count, total);
        for (row, at) in padded(inner).rows().zip(top..count) {
            self.draw_read(buf, row, name, first + at, &line(at));
        }
        scrollbar(buf, inner, top, count, &self.st);
    }

    /// The same for lines that are there already.
    pub(crate) fn pane_text(
        &mut self,
        buf: &mut Buffer,
        name: PaneName,
        inner: Rect,
        all: &[Line<'_>],
        about: impl Hash,
    ) {
        self.pane_lines(buf, name, inner, (all.len(), about), |at| all[at].clone());
    }

    /// Draws the frame of the pane that has the focus.
    pub(crate) fn brighten_focus(&self, buf: &mut Buffer) {
        let focus = self.focus();
        let drawn = self.drawn_panes().iter();
        if let Some(pane) = drawn.rev().find(|pane| pane.name == focus) {
            brighten(buf, pane.area, pane.title, &self.st);
        }
    }
}
