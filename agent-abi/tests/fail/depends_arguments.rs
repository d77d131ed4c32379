#![allow(unused_variables)]

use agent_abi::prelude::*;

#[dependency]
fn model(#[arg] limit: f64) -> f64 {
    limit
}

#[stage("a")]
fn missing(#[depends(model)] model: &f64) -> Route {
    Route::stay()
}

#[stage("b")]
fn wrong(#[depends(model("high"))] model: &f64) -> Route {
    Route::stay()
}

fn main() {}
