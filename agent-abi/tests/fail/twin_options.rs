use agent_abi::prelude::*;

#[stage("one")]
fn one(#[depends(twin("8d7a0c0e-56f1-4b0c-9d4e-6a3a4a8f1b11", labels = true))] other: Option<Twin>) -> Route {
    let _ = other;
    Route::stay()
}

#[stage("three", params(every: HashMap))]
fn three() -> Route {
    Route::stay()
}

fn main() {}
