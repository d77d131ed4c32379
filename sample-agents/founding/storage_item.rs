//! The storage item; its client metadata are read and changed. There is one notation: what is lent to be
//! changed can be read too, so one parameter is enough.

use agent_abi::prelude::*;

#[stage("your_stage_name")]
fn my_agent(storage_item: &mut StorageItem) -> Route {
    let name = storage_item.name().to_owned();
    storage_item.set_metadata("seen", name);
    Route::to("next")
}

export![my_agent];
