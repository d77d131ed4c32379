#![allow(unused_variables)]

use agent_abi::prelude::*;

#[stage("review")]
fn first() -> Route {
    Route::stay()
}

#[stage("review")]
fn second() -> Route {
    Route::stay()
}

export![first, second];

fn main() {}
