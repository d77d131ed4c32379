//! The local project: an Encord of one's own on loopback, over an embedded database.
//!
//! [`serve()`] starts a server that speaks the API of Encord, both generations of it, well enough that
//! its own Python clients run against it unchanged. Data are made from a [`Scenario`], a folder of
//! one's own media, or a file that describes a whole world; faults can be injected ([`FaultSpec`]).
//! It knows nothing of the workbench's client, so that it cannot agree with that client's mistakes.

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

pub use endpoint::{Counters, Endpoint, EndpointCount, Target};
pub use error::LocalError;
pub use fault::{FaultAction, FaultSpec};
pub use serve::{ServeOptions, Served, remove_data, serve};
pub use world::SCENARIO_SCHEMA;
pub use world::builtin::Scenario;
