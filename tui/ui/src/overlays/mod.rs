//! What opens above the screens: questions, conditions, edited values, review, conflicts, journal, watched tasks,
//! comparisons, builds, the errors of a first build, messages, help, palette. Each is a [`crate::layer::Layer`] in a
//! file of its own.

pub mod ask;
pub mod builds;
pub mod columns;
pub mod compare;
pub mod condition;
pub mod conflicts;
pub mod edit_list;
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

use crate::Ui;
use crate::actions::Action;
use crate::panes::PaneName;

/// A row number after a moving action; drawing limits it to the last row.
pub fn moved(at: usize, action: Action, page: usize) -> usize {
    match action {
        Action::Up => at.saturating_sub(1),
        Action::Down => at.saturating_add(1),
        Action::PageUp => at.saturating_sub(page),
        Action::PageDown => at.saturating_add(page),
        Action::HalfUp => at.saturating_sub((page / 2).max(1)),
        Action::HalfDown => at.saturating_add((page / 2).max(1)),
        Action::Top => 0,
        Action::Bottom => usize::MAX / 2,
        _ => at,
    }
}

/// The cursor of a list with details beside it.
#[derive(Default)]
pub struct ListCursor {
    /// The chosen row.
    pub at: usize,
    /// The first row in sight.
    pub top: usize,
}

impl ListCursor {
    /// Goes into the details or out of them, or chooses another of `count` rows; returns whether the action was one of
    /// these.
    pub fn on(&mut self, action: Action, count: usize, ui: &mut Ui) -> bool {
        let in_list = ui.in_main();
        match action {
            Action::In | Action::Right if in_list && count > 0 => ui.set_focus(PaneName::Details),
            Action::In | Action::Right => {}
            Action::Out | Action::Left if !in_list => ui.set_focus(PaneName::Main),
            Action::Left => {}
            _ if !action.moves() || !in_list => return false,
            _ => self.choose(moved(self.at, action, ui.page()), count),
        }
        true
    }

    /// Chooses a row, if there are so many, else the last.
    pub fn choose(&mut self, row: usize, count: usize) {
        self.at = row.min(count.saturating_sub(1));
    }
}
