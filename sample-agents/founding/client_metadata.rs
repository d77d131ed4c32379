//! The client metadata come with the label row when they are asked for.

use agent_abi::prelude::*;

#[stage("Agent 1", include(client_metadata))]
fn my_agent(labels: &LabelRow) -> Route {
    match labels.client_metadata().and_then(|m| m["site"].as_str()) {
        Some("cam1") => Route::to("complete"),
        _ => Route::stay(),
    }
}

export![my_agent];
