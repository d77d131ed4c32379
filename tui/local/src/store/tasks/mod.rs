//! Tasks: listed page by page (`list`); acted on, moved and prioritised (`act`).
//!
//! A task has no UUID of its own in the database: it is the data hash under the project's mask, so
//! that one index finds data units, their items and their tasks.

mod act;
mod list;

pub(crate) use act::{
    Action, ActionKind, Then, act, complete_or_reopen, move_tasks, set_priorities, task_at,
};
pub(crate) use list::{TaskFilter, page};

/// `status` of a task by its number in the database.
pub(crate) const STATUSES: [&str; 6] = [
    "NEW",
    "ASSIGNED",
    "RELEASED",
    "SKIPPED",
    "REOPENED",
    "COMPLETED",
];
pub(crate) const NEW: usize = 0;
pub(super) const ASSIGNED: usize = 1;
pub(super) const RELEASED: usize = 2;
pub(super) const REOPENED: usize = 4;
pub(crate) const COMPLETED: usize = 5;
