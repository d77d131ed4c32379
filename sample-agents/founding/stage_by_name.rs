//! A stage by its name, a pathway by its name.

use agent_abi::prelude::*;

#[stage("Agent 1")]
fn my_agent(_labels: &LabelRow) -> Route {
    Route::to("complete")
}

export![my_agent];
