//! The library whose first stage `overwrite` takes over.

use agent_abi::prelude::*;

#[stage("stage_1")]
fn stage_1() -> Result<Route> {
    bail!("this definition is replaced")
}

#[stage("stage_2")]
fn stage_2() -> Route {
    Route::to("next")
}

export![stage_1, stage_2];
