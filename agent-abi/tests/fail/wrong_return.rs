#![allow(unused_variables)]

use agent_abi::prelude::*;

#[stage("a")]
fn text(task: &Task) -> String {
    task.title().to_owned()
}

#[stage("b")]
fn nothing(task: &Task) {
    info!("{}", task.title());
}

#[stage("c")]
fn done(task: &Task) -> Result<()> {
    Ok(())
}

fn main() {}
