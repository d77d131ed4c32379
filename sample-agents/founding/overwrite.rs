//! A stage taken over by another library: this one is loaded beside `overwritten` and keeps its order.
//! (A rebuild of the same library replaces its agents by itself.)

use agent_abi::prelude::*;

#[stage("stage_1", overwrite)]
fn stage_1_again() -> Route {
    Route::to("next")
}

export![stage_1_again];
