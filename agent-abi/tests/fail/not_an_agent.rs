#![allow(unused_variables)]

use agent_abi::prelude::*;

fn helper(task: &Task) -> Route {
    Route::stay()
}

export![helper];

fn main() {}
