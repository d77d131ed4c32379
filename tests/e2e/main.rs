//! End to end: the real program against its own server, headless and in a pseudo-terminal.

#[path = "../support/mod.rs"]
mod support;

mod bad_input;
mod hostile;
mod reload;
mod run;
mod screen;
