#![allow(unused_variables)]

use agent_abi::prelude::*;

#[dependency(scop = host)]
fn typo() -> f64 {
    0.5
}

#[dependency(scope = hosts)]
fn no_scope() -> f64 {
    0.5
}

#[dependency(host)]
fn no_name() -> f64 {
    0.5
}

#[dependency]
fn nothing() {}

#[dependency]
fn itself(#[depends(itself)] own: &f64) -> f64 {
    *own
}

#[dependency]
async fn later() -> f64 {
    0.5
}

fn main() {}
