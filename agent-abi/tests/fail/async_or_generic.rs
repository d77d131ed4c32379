#![allow(unused_variables)]

use agent_abi::prelude::*;

#[stage("a")]
async fn waits() -> Route {
    Route::stay()
}

#[stage("b")]
fn generic<T: Default>(value: T) -> Route {
    Route::stay()
}

fn main() {}
