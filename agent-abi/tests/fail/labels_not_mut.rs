#![allow(unused_variables)]

use agent_abi::prelude::*;

#[stage("a")]
fn by_shared_reference(labels: &LabelRow) -> Result<Route> {
    labels.classify("Weather", "Sunny")?;
    Ok(Route::stay())
}

#[stage("b")]
fn by_value(labels: LabelRow) -> Route {
    Route::stay()
}

#[stage("c")]
fn twice(labels: &mut LabelRow, again: &mut LabelRow) -> Route {
    Route::stay()
}

export![by_shared_reference, by_value, twice];

fn main() {}
