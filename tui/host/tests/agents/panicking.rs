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

#[stage("says no")]
fn says_no(_task: &Task) -> Result<Route> {
    bail!("not today")
}

#[stage("routes")]
fn routes(_task: &Task) -> Result<Route> {
    Ok(Route::to("complete").priority(0.25))
}

export![panics, says_no, routes];
