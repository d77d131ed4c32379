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
mod hidden;
mod hostile;
mod journal;
mod lifetimes;
mod network;
mod new;
mod plans;
mod reload;
mod run;
mod screen;
mod terminal;
mod weaknesses;
