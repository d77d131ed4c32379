//! An agent for checks against the Python SDK: every object is copied, the old one taken away, and the whole row
//! compared there. Built as a library: `cargo build -p agent-abi --example copies`.

use agent_abi::prelude::*;

#[stage("Agent 1", routes = ["complete", "second"])]
fn copies(labels: &mut LabelRow) -> Result<Route> {
    let before = labels.clone();
    labels.copy_objects(&before)?;
    for old in before.objects() {
        labels.remove(old.hash());
    }
    Ok(Route::to("second"))
}

export![copies];
