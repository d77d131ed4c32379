//! Two stages: the first adds labels, the second looks at them.

use agent_abi::prelude::*;

#[stage("prelabel")]
fn prelabel_task(labels: &mut LabelRow) -> Result<Route> {
    let ontology = labels.ontology();
    labels.add(ontology.object("Car")?.bounding_box(0.1, 0.2, 0.3, 0.4)?)?;
    Ok(Route::to("review").priority(0.75))
}

#[stage("validate")]
fn validate_task(labels: &LabelRow) -> Result<Route> {
    if labels.objects().is_empty() {
        bail!("{} has no labels", labels.title());
    }
    Ok(Route::to("complete"))
}

export![prelabel_task, validate_task];
