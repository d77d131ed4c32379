//! A no-op agent for the first stage of the `large` scenario.

use agent_abi::prelude::*;

#[stage("pre-label")]
fn large(_task: &Task) -> Result<Route> {
    Ok(Route::to("annotate"))
}

export![large];
