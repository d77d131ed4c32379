//! Foreign code at arm's length: agent libraries are watched, copied, probed and run, never opened
//! in the workbench's own process.
//!
//! [`Hosts`] is the whole of it for the rest of the program: give it libraries to watch and jobs
//! to run, read [`HostEvent`]s. Which library answers for which stage, what is fetched before a
//! job and what is written after it is left to others: nothing is ever written upstream here.
//!
//! ```text
//! watch ─ settle ─ check ─ read twice ─ copy ─ probe ──► Probed / Rejected        (watch, store, elf)
//!                                                │
//! activate ◄──────── the engine claims ◄─────────┘
//! run ─► pool ─► link ═ socket, control page, pipes ═ host process ─► thread ─► pool ─► Done
//! ```
//!
//! The pool decides; it is a pure machine of news and effects. `core` performs the effects, and
//! threads turn sockets, processes and time into news:
//!
//! ```text
//! thread (one per host) ─┐                        ┌─► link: sockets, control pages, signals
//! watch, spawn, symbols ─┼─ news ─► Pool ─ effects ┼─► spawn, symbols
//! Hosts (the program) ───┘                        └─► events
//! ```

mod asking;
mod calls;
mod captured;
mod child;
mod companions;
mod config;
mod core;
mod elf;
mod events;
mod failure;
mod files;
#[cfg(test)]
#[path = "../../../tests/fuzz/host.rs"]
mod fuzz;
mod hosts;
mod jobs;
mod link;
mod output;
mod page;
mod place;
mod pool;
mod proto;
mod ready;
mod report;
mod resources;
mod spawn;
mod store;
mod symbols;
mod sys;
mod thread;
mod watch;
mod wire;

pub use calls::{Asked, DISCARD, FETCH_AGAIN};
pub use child::child_main;
pub use config::{HostConfig, HostError, secret_variables};
pub use elf::is_other_library;
pub use events::HostEvent;
pub use files::{open_regular, read_library, read_named, read_named_text};
pub use hosts::Hosts;
pub use jobs::{JobRequest, JobResult};
pub use report::bytes;
pub use sys::private::keep_private;
pub use sys::usage::memory_of_machine;
pub use wb_core::build::Probed;
