#![allow(unused_variables)]

use agent_abi::prelude::*;

#[stage("a", routes = "complete")]
fn one_route() -> Route {
    Route::to("complete")
}

#[stage("b", timeout = 30)]
fn a_number() -> Route {
    Route::stay()
}

#[stage("c", include = client_metadata)]
fn not_in_brackets() -> Route {
    Route::stay()
}

#[stage("d", idempotent = true)]
fn a_switch_is_a_word() -> Route {
    Route::stay()
}

#[stage("e", serial, serial)]
fn twice() -> Route {
    Route::stay()
}

#[stage("f", include(client_metdata))]
fn typo() -> Route {
    Route::stay()
}

#[stage(" ")]
fn no_name() -> Route {
    Route::stay()
}

export![one_route, a_number, not_in_brackets, a_switch_is_a_word, twice, typo, no_name];

fn main() {}
