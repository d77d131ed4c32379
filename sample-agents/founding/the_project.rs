//! The project, by the type of the parameter.

use agent_abi::prelude::*;

#[stage("your_stage_name")]
fn my_agent(project: &Project) -> Result<Route> {
    if project.title() != "Founding" {
        bail!("another project: {}", project.title());
    }
    let stage = project.stage("your_stage_name")?;
    Ok(Route::to(&stage.pathways()[0]))
}

export![my_agent];
