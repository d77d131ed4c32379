//! An agent that adds one box to the task's label row.

use agent_abi::prelude::*;

#[stage("Agent 1")]
fn save(labels: &mut LabelRow) -> Result<Route> {
    let ontology = labels.ontology();
    let car = ontology.object("Car")?;
    labels.add(car.bounding_box(0.1, 0.2, 0.3, 0.4)?.on_frame(0))?;
    Ok(Route::to("complete"))
}

export![save];
