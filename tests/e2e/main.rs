//! End to end: the real program against its own server, headless and in a pseudo-terminal.

#![allow(clippy::unwrap_used)] // helpers of tests

#[path = "../support/mod.rs"]
mod support;

mod again;
mod authors;
mod bad_input;
mod concurrency;
mod crash;
mod exec;
mod filters;
mod guards;
mod hang_up;
mod hostile;
mod hosts;
mod journal;
mod lifetimes;
mod new;
mod odd_files;
mod opening;
mod plans;
mod reload;
mod run;
mod screen;
mod terminal;
mod weaknesses;
