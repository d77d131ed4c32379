//! Stages are worked through in the order of `export!`: one run takes a task through both.

use agent_abi::prelude::*;

#[stage("stage_1")]
fn stage_1() -> Route {
    Route::to("next")
}

#[stage("stage_2")]
fn stage_2() -> Route {
    Route::to("next")
}

export![stage_1, stage_2];
