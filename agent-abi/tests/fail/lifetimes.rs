#![allow(unused_variables)]

use agent_abi::prelude::*;

#[stage("a")]
fn for_ever(labels: &'static LabelRow) -> Route {
    Route::stay()
}

#[stage("b")]
fn frame_for_ever(frame: Frame<'static>) -> Route {
    Route::stay()
}

fn main() {}
