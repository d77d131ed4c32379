//! End to end: the real program against its own server, headless and in a pseudo-terminal.

#![allow(clippy::unwrap_used)] // helpers of tests

#[path = "../support/mod.rs"]
mod support;

mod again;
mod authors;
mod background;
mod bad_input;
mod changed_project;
mod compare;
mod concurrency;
mod cpp;
mod crash;
mod debugger;
mod documents;
mod editor;
mod exec;
mod filters;
mod folders;
mod guards;
mod hang_up;
mod held;
mod hidden;
mod hostile;
mod hosts;
mod items;
mod journal;
mod keeping;
mod keys;
mod killed;
mod lifetimes;
mod limits;
mod linear;
mod local_server;
mod log_lines;
mod logs;
mod machine;
mod monkey;
mod names;
mod network;
mod new;
mod new_from_project;
mod odd_files;
mod opening;
mod outcomes;
mod outputs;
mod panes;
mod pictures;
mod plans;
mod preflight;
mod real_agents;
mod rebuilds;
mod recordings;
mod refused;
mod reload;
mod resources;
mod run;
mod samples;
mod screen;
mod sealed;
mod soak;
mod stdout;
mod terminal;
mod waiting;
mod weaknesses;
