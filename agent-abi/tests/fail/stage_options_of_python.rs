#![allow(unused_variables)]

use agent_abi::prelude::*;

#[stage("a", label_row_metadata_include_args = args)]
fn include() -> Route {
    Route::stay()
}

#[stage("b", include_client_metadata = true)]
fn metadata() -> Route {
    Route::stay()
}

#[stage("c", label_row_initialise_labels_args = args)]
fn initialise() -> Route {
    Route::stay()
}

#[stage("d", include_reviews)]
fn reviews() -> Route {
    Route::stay()
}

fn main() {}
