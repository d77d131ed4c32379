//! A dependency with an argument of its own, given at the place of use.

use agent_abi::prelude::*;

#[dependency]
fn my_dependency(task: &Task, #[arg] arg2: i32) -> String {
    format!("{} {arg2}", task.title())
}

#[stage("my_stage")]
fn my_agent(#[depends(my_dependency(42))] dep: &str) -> Route {
    Route::to(if dep.ends_with("42") {
        "complete"
    } else {
        "next_stage"
    })
}

export![my_agent];
