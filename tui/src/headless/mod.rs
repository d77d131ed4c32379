//! The face without a screen: `run` and what belongs to it.

mod output;
mod progress;
mod run;

pub use run::{resume, run};
