#![allow(unused_variables)]

use agent_abi::prelude::*;

#[stage("a")]
fn no_uuid(#[depends(twin("the other project"))] twin: Option<Twin>) -> Route {
    Route::stay()
}

#[stage("b")]
fn no_hash(#[depends(twin)] twin: Option<Twin>) -> Route {
    Route::stay()
}

fn main() {}
