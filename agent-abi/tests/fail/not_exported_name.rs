#![allow(unused_variables)]

use agent_abi::prelude::*;

mod more {
    use agent_abi::prelude::*;

    #[stage("b")]
    fn hidden() -> Route {
        Route::stay()
    }
}

#[stage("a")]
fn prelabel() -> Route {
    Route::stay()
}

export![prelabl, more::hidden];

fn main() {}
