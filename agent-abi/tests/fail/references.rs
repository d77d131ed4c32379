#![allow(unused_variables)]

use agent_abi::prelude::*;

#[derive(serde::Deserialize)]
struct Limits {
    limit: f64,
}

#[stage("a")]
fn frame_by_reference(frame: &Frame<'_>) -> Route {
    Route::stay()
}

#[stage("b")]
fn params_by_reference(limits: &Params<Limits>) -> Route {
    Route::stay()
}

#[stage("c")]
fn params_unwrapped(limits: Limits) -> Route {
    Route::stay()
}

#[stage("d")]
fn optional_task(task: Option<Task>) -> Route {
    Route::stay()
}

fn main() {}
