//! `Route::stay()` leaves a task in its stage.

use agent_abi::prelude::*;

#[stage("Agent 1")]
fn my_agent(labels: &LabelRow) -> Route {
    if labels.title().starts_with('2') {
        return Route::stay();
    }
    Route::to("complete")
}

export![my_agent];
