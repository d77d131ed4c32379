//! A Rust agent library that panics, for the tests of the host.

use agent_abi::prelude::*;

#[stage("panics")]
fn panics(task: &Task) -> Result<Route> {
    deep_inside(task.title())
}

#[inline(never)]
fn deep_inside(title: &str) -> Result<Route> {
    panic!("cannot bear \"{title}\"")
}

#[stage("refuses")]
fn refuses(_task: &Task) -> Result<Route> {
    bail!("not today")
}

#[stage("routes")]
fn routes(_task: &Task) -> Result<Route> {
    Ok(Route::to("complete").priority(0.25))
}

export![panics, refuses, routes];
