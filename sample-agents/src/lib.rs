//! Small useful agents, one file each. They are examples to copy from, the demo's agents, and the
//! fixtures of the reload tests.
//!
//! `prelabel` and `route` serve the demo's two agent stages; `agent_1` serves the stage of the
//! founding text. Where a project has no such stage, the workbench says so and goes on.

pub mod agent_1;
pub mod preflight;
pub mod prelabel;
pub mod priority;
pub mod route;
pub mod video;

use agent_abi::prelude::*;

export![
    prelabel::prelabel,
    route::route,
    priority::priority,
    video::video,
    agent_1::agent_1,
    preflight = preflight::preflight,
];
