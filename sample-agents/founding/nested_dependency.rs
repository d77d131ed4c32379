//! A dependency of one's own that uses the label row and another input.

use agent_abi::prelude::*;

struct Facts {
    data_title: String,
    metadata: Value,
}

/// Custom dependencies can use whatever agents can.
#[dependency]
fn my_custom_dependency(labels: &LabelRow, storage_item: &StorageItem) -> Facts {
    Facts {
        data_title: labels.title().to_owned(),
        metadata: json!(storage_item.client_metadata()),
    }
}

#[stage("my_stage")]
fn my_agent(#[depends(my_custom_dependency)] facts: &Facts) -> Result<Route> {
    if facts.data_title.is_empty() {
        bail!("no title");
    }
    let away = facts.metadata["site"] == "cam2";
    Ok(Route::to(if away { "next_stage" } else { "complete" }))
}

export![my_agent];
