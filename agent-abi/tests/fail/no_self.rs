#![allow(unused_variables)]

use agent_abi::prelude::*;

struct Agents;

impl Agents {
    #[stage("a")]
    fn agent(&self, task: &Task) -> Route {
        Route::stay()
    }
}

#[stage("b")]
struct NotAFunction;

#[stage("c")]
unsafe fn unsafe_agent() -> Route {
    Route::stay()
}

fn main() {}
