//! The engine against a small made-up world: effects are answered at once, in order, and
//! everything is counted. No network, no processes, no clock.

#![allow(clippy::unwrap_used)] // helpers of tests

mod batches;
mod builds;
mod compare;
mod earlier_runs;
mod figures;
mod ledger;
mod listing;
mod loading;
mod made;
mod names;
mod order;
mod pausing;
mod queued;
mod runs;
mod screen;
mod screen_runs;
mod time_up;
mod watch;
mod world;
