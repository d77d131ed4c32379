//! The task and its label row, by the types of the parameters.

use agent_abi::prelude::*;

#[stage("your_stage_name")]
fn my_agent(task: &Task, label_row: &mut LabelRow) -> Result<Route> {
    let text = format!(
        "{} {} {}",
        task.uuid(),
        task.title(),
        label_row.dataset_title()
    );
    label_row.classify("Notes", text)?;
    Ok(Route::to("next"))
}

export![my_agent];
