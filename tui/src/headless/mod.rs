//! The face without a screen: `run`, `plan`, `compare`, `exec`, and the commands that write without agents.

mod apply;
mod attach;
mod batch;
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
mod runs;
mod specs;
mod undo;
#[cfg(feature = "broker")]
mod worker;

pub use apply::apply;
pub use attach::attach;
pub use compare::compare;
pub use exec::exec;
pub use journal::journal;
pub use resume::resume;
pub use review::review;
pub use run::{background, plan, run};
pub use runs::runs;
pub use undo::undo;
#[cfg(feature = "broker")]
pub use worker::worker;
