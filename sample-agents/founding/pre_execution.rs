//! The project is looked at before the first task.

use agent_abi::prelude::*;

fn pre_execution_callback(project: &Project) -> Result<()> {
    // An error if there is no such thing.
    project.ontology().find("Car")?;
    Ok(())
}

#[stage("Agent stage")]
fn agent_stage(_task: &Task) -> Route {
    Route::to("labeled")
}

export![agent_stage, preflight = pre_execution_callback];
