#![allow(unused_variables)]

use agent_abi::prelude::*;

#[stage("a")]
fn agent(task: Task) -> Route {
    Route::stay()
}

fn main() {}
