#![allow(unused_variables)]

use agent_abi::prelude::*;

fn plain() -> f64 {
    0.5
}

#[stage("a")]
fn unmarked(#[depends(plain)] value: &f64) -> Route {
    Route::stay()
}

struct Db;

#[stage("b")]
fn no_provider(#[depends] db: &Db) -> Route {
    Route::stay()
}

#[stage("c")]
fn arg_in_agent(#[arg] limit: f64) -> Route {
    Route::stay()
}

fn main() {}
