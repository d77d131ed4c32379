//! Agents for checks against the Python SDK: what they copied is compared there. Built as a library:
//! `cargo build -p agent-abi --example copies`.
//!
//! "Agent 1" copies every object and takes the old one away. "Agent 2" copies every object into the row of the
//! twin project. Both do so on each part of a data group.

use agent_abi::prelude::*;

#[stage("Agent 1", routes = ["second"])]
fn copies(labels: &mut LabelRow) -> Result<Route> {
    let before = labels.clone();
    copy_all(&before, labels)?;
    for old in before.objects() {
        labels.remove(old.hash());
    }
    for (n, part) in before.parts().iter().enumerate() {
        let mut now = labels.part_mut(n)?;
        for old in part.objects() {
            now.remove(old.hash());
        }
    }
    Ok(Route::to("second"))
}

#[stage("Agent 2", routes = ["complete"])]
fn into_the_twin(
    labels: &LabelRow,
    #[depends(twin("50416b6c-a951-55d0-9647-9c92d63df5a6"))] twin: &mut Twin,
) -> Result<Route> {
    copy_all(labels, &mut twin.labels)?;
    Ok(Route::to("complete"))
}

export![copies, into_the_twin];

/// Copies every object of a row, or of each of its parts, into the same place of another row.
fn copy_all(from: &LabelRow, to: &mut LabelRow) -> Result<()> {
    to.copy_objects(from)?;
    for (n, part) in from.parts().iter().enumerate() {
        to.part_mut(n)?.copy_objects(part)?;
    }
    Ok(())
}
