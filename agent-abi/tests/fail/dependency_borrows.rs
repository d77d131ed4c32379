#![allow(unused_variables)]

use agent_abi::prelude::*;

#[dependency]
fn title(task: &Task) -> &str {
    task.title()
}

#[dependency]
fn first(frame: Frame<'_>) -> Result<Frame<'_>> {
    Ok(frame)
}

#[dependency]
fn greeting(#[arg] name: &str) -> String {
    format!("hello {name}")
}

#[stage("a")]
fn agent(
    #[depends(title)] title: &str,
    #[depends(first)] first: &Frame<'_>,
    #[depends(greeting("you"))] greeting: &str,
) -> Route {
    Route::stay()
}

export![agent];

fn main() {}
