//! Small useful agents, one file each. They are examples to copy from, the demo's agents, and the
//! fixtures of the reload tests.
//!
//! `prelabel` and `route` serve the demo's two agent stages. The feature `all` exports the others too:
//! `workbench serve --scenario samples` has a stage for each. Where a project has no such stage, the
//! workbench reports it and goes on.

pub mod agent_1;
pub mod preflight;
pub mod prelabel;
pub mod priority;
pub mod route;
pub mod route_by;
pub mod twin;
pub mod validate;
pub mod video;

use agent_abi::prelude::*;

#[cfg(not(feature = "all"))]
export![
    prelabel::prelabel,
    route::route,
    preflight = preflight::preflight,
];

#[cfg(feature = "all")]
export![
    prelabel::prelabel,
    route::route,
    priority::priority,
    video::video,
    twin::transfer,
    validate::validate,
    route_by::route_by,
    agent_1::agent_1,
    preflight = preflight::preflight,
];
