//! What opens above the screens: questions, conditions, edited values, review, conflicts, journal, watched tasks,
//! comparisons, builds, the errors of a first build, messages, help, palette. Each is a [`crate::layer::Layer`] in a
//! file of its own.

pub mod ask;
pub mod builds;
pub mod columns;
pub mod compare;
pub mod condition;
pub mod conflicts;
pub mod edit_value;
pub mod errors;
pub mod first_failure;
pub mod groups;
pub mod help;
pub mod journal;
pub mod messages;
pub mod number;
pub mod palette;
pub mod review;
pub mod watch;

use crate::actions::Action;
use crate::layer::Handled;
use crate::theme::Styles;
use crate::widgets::scrolled;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Line;

/// A row number after a moving action; drawing limits it to the last row.
pub fn moved(at: usize, action: Action, page: usize) -> usize {
    match action {
        Action::Up => at.saturating_sub(1),
        Action::Down => at + 1,
        Action::PageUp => at.saturating_sub(page),
        Action::PageDown => at + page,
        Action::Top => 0,
        Action::Bottom => usize::MAX / 2,
        _ => at,
    }
}

/// Lines that fill an overlay, from one of them on.
#[derive(Default)]
pub struct ScrolledLines {
    top: usize,
}

impl ScrolledLines {
    /// Scrolls; other actions are left to others.
    pub fn on(&mut self, action: Action) -> Handled {
        if !action.moves() {
            return Handled::No;
        }
        self.top = moved(self.top, action, 10);
        Handled::done()
    }

    /// Draws what is in sight.
    pub fn draw(&mut self, buf: &mut Buffer, inner: Rect, all: &[Line<'_>], st: &Styles) {
        self.top = scrolled(buf, inner, all, self.top, st);
    }
}

/// The cursor of a list with details beside it.
#[derive(Default)]
pub struct ListCursor {
    /// The chosen row.
    pub at: usize,
    /// The first row in sight.
    pub top: usize,
    /// Whether the details are scrolled instead of choosing a row.
    pub inside: bool,
    /// The first line of the details in sight.
    pub scroll: usize,
}

impl ListCursor {
    /// Goes into the details or out of them, chooses another of `count` rows, or scrolls; returns whether the
    /// action was one of these.
    pub fn on(&mut self, action: Action, count: usize) -> bool {
        match action {
            Action::In | Action::Right => self.inside = count > 0,
            Action::Out | Action::Left if self.inside => (self.inside, self.scroll) = (false, 0),
            Action::Left => {}
            _ if !action.moves() => return false,
            _ if self.inside => self.scroll = moved(self.scroll, action, 10),
            _ => self.choose(moved(self.at, action, 10), count),
        }
        true
    }

    /// Chooses a row, if there are so many, else the last.
    pub fn choose(&mut self, row: usize, count: usize) {
        let at = row.min(count.saturating_sub(1));
        let top = self.top;
        *self = Self {
            at,
            top,
            ..Self::default()
        };
    }
}
