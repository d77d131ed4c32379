//! What is true: workflow, queue, builds, runs, faults and the one function that changes them.
//!
//! No I/O, no clock, no threads here; time and news arrive as events, wishes leave as effects.

pub mod build;
pub mod fault;
pub mod ids;
pub mod work;
pub mod workflow;
