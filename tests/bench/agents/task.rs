//! A no-op agent that needs the task only.

use agent_abi::prelude::*;

#[stage("Agent 1")]
fn task_only(_task: &Task) -> Result<Route> {
    Ok(Route::to("complete"))
}

export![task_only];
