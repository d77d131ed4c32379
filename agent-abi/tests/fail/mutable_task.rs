#![allow(unused_variables)]

use agent_abi::prelude::*;

#[stage("a")]
fn agent(task: &mut Task) -> Route {
    Route::stay()
}

fn main() {}
