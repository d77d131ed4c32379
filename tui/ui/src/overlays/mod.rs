//! What opens above the screens: questions, review, conflicts, journal, watched tasks, builds, messages,
//! help, palette. Each is a [`crate::layer::Layer`] in a file of its own.

pub mod ask;
pub mod builds;
pub mod conflicts;
pub mod help;
pub mod journal;
pub mod messages;
pub mod number;
pub mod palette;
pub mod review;
pub mod watch;

use crate::actions::Action;

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
