//! The face without a screen: `run`, `plan`, `compare`, `exec`, and the commands that write without agents.

mod apply;
mod compare;
mod exec;
#[cfg(test)]
#[path = "../../../tests/fuzz/workbench.rs"]
mod fuzz;
mod intake;
mod journal;
mod live;
mod output;
mod progress;
mod resume;
mod review;
mod run;
mod specs;
mod undo;

pub use apply::apply;
pub use compare::compare;
pub use exec::exec;
pub use journal::journal;
pub use resume::resume;
pub use review::review;
pub use run::{plan, run};
pub use undo::undo;
