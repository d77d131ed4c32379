//! A no-op agent that needs the task's label row and leaves it as it is.

use agent_abi::prelude::*;

#[stage("Agent 1")]
fn label_row(_labels: &LabelRow) -> Result<Route> {
    Ok(Route::to("complete"))
}

export![label_row];
