#![allow(unused_variables)]

use agent_abi::prelude::*;
use std::cell::RefCell;

thread_local! {
    static KEPT: RefCell<Option<Frame<'static>>> = const { RefCell::new(None) };
}

#[stage("a")]
fn agent(frame: Frame<'_>) -> Route {
    KEPT.set(Some(frame));
    Route::stay()
}

fn main() {}
