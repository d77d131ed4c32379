#![allow(unused_variables)]

use agent_abi::prelude::*;

#[stage("a")]
fn by_value(count: u32) -> Route {
    Route::stay()
}

#[stage("b")]
fn by_reference(task: &Task, name: &String) -> Route {
    Route::stay()
}

fn main() {}
