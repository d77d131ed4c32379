//! The local server: Encord's API on loopback over an embedded database.
//!
//! [`serve()`] starts a server that implements both generations of Encord's API well enough for Encord's own
//! Python packages to run against it unchanged. Its data come from a [`Scenario`], a folder of your own
//! media, or a scenario file; faults can be injected ([`FaultSpec`]). It shares no code with the
//! workbench's client, so that the two cannot agree on a mistake.

mod app;
mod auth;
mod endpoint;
mod error;
mod fault;

mod ids;
mod item;
mod keys;
mod media;
mod people;
mod private;
mod routes;
mod serve;
mod store;
mod structure;
mod suggest;
mod table;
mod time;
mod workflow;
mod world;

pub use endpoint::{Counters, Endpoint, EndpointCount, FaultTarget};
pub use error::LocalError;
pub use fault::{FaultAction, FaultSpec};
pub use serve::{ServeOptions, Served, remove_data, serve};
pub use world::SCENARIO_SCHEMA;
pub use world::builtin::Scenario;
