//! What is true: workflow, queue, builds, runs, errors and the one function that changes them.
//!
//! No I/O, no clock, no threads here; time and answers arrive as events, requests leave as effects.

pub mod background;
pub mod build;
pub mod code_place;
pub mod command;
pub mod compare;
pub mod comparing;
pub mod counted;
pub mod digits;
pub mod error;
pub mod event;
pub mod figures;
pub mod filter;
#[cfg(test)]
#[path = "../../../tests/fuzz/core.rs"]
mod fuzz;
pub mod ids;
pub mod journal;
pub mod labels;
pub mod ledger;
pub mod limits;
pub mod loading;
pub mod marks;
pub mod patch;
pub mod pause;
pub mod queue;
pub mod run;
pub mod saved_view;
pub mod secret;
pub mod shared;
pub mod span;
pub mod state;
pub mod step;
pub mod text;
pub mod watch;
pub mod work;
pub mod workflow;
