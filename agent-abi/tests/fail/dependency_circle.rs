#![allow(unused_variables)]

use agent_abi::prelude::*;

#[dependency]
fn hen(#[depends(egg)] egg: &u8) -> u8 {
    *egg
}

#[dependency]
fn egg(#[depends(nest)] nest: &u8) -> u8 {
    *nest
}

#[dependency]
fn nest(task: &Task, #[depends(hen)] hen: &u8) -> u8 {
    *hen
}

#[stage("a")]
fn agent(#[depends(hen)] hen: &u8) -> Route {
    Route::stay()
}

fn main() {}
