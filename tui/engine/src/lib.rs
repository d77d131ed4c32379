//! The engine behind the screen and the commands: performs the effects that the core decides on, notes every
//! write in a journal before it is sent, and prepares sessions.
//!
//! It writes nothing to stdout and reads no command line: messages for a person are returned, or passed to a [`Notify`].

pub mod attempt_limit;
pub mod background;
pub mod builder;
mod cargo_program;
pub mod chosen;
mod clock;
pub mod config;
mod database;
pub mod files;
pub mod flags;
#[cfg(test)]
mod flow_tests;
#[cfg(test)]
mod further_tests;
pub mod history;
pub mod host_limits;
#[cfg(test)]
mod item_tests;
pub mod journal;
pub mod library;
mod loading;
#[cfg(test)]
mod local_world;
pub mod max_time;
pub mod operation;
pub mod outage;
pub mod params;
pub mod plan;
pub mod preflight;
pub mod pushed;
pub mod runtime;
pub mod saved;
pub mod screen_store;
pub mod session;
pub mod typed_names;
pub mod upstream;

/// Receives one-line messages for the person while a command works.
pub type Notify = fn(&str);
