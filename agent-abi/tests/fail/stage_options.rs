#![allow(unused_variables)]

use agent_abi::prelude::*;

#[stage]
fn no_name() -> Route {
    Route::stay()
}

#[stage(review)]
fn no_text() -> Route {
    Route::stay()
}

#[stage("a", timeot = "30s")]
fn typo() -> Route {
    Route::stay()
}

#[stage("a", timeout = "30")]
fn no_unit() -> Route {
    Route::stay()
}

#[stage("a", include(metadata))]
fn no_such_part() -> Route {
    Route::stay()
}

fn main() {}
