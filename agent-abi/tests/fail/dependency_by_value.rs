#![allow(unused_variables)]

use agent_abi::prelude::*;

struct Connection;

#[dependency]
fn connection() -> Connection {
    Connection
}

#[stage("a")]
fn agent(#[depends(connection)] connection: Connection) -> Route {
    Route::stay()
}

fn main() {}
