#![allow(unused_variables)]

use agent_abi::prelude::*;

#[stage("a")]
fn maybe(task: &Task) -> Option<Route> {
    None
}

#[stage("b")]
fn text(task: &Task) -> &'static str {
    "complete"
}

#[stage("c")]
fn result_of_text(task: &Task) -> Result<String> {
    Ok("complete".to_owned())
}

fn main() {}
