#![allow(unused_variables)]

use agent_abi::prelude::*;

#[dependency]
fn model() -> f64 {
    0.5
}

#[stage("a")]
fn agent(#[depends(model)] model: &String) -> Route {
    Route::stay()
}

fn main() {}
