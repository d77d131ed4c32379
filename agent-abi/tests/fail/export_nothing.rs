#![allow(unused_variables)]

use agent_abi::prelude::*;

export![];

#[stage("a")]
fn agent() -> Route {
    Route::stay()
}

export![agent, prefligth = agent];

fn main() {}
