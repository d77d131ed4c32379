#![allow(unused_variables)]

use agent_abi::prelude::*;

#[stage("a")]
fn agent(labels: &mut LabelRow, again: &LabelRow) -> Route {
    Route::stay()
}

export![agent];

fn main() {}
