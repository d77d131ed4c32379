//! A stage by its UUID, a pathway by its UUID.

use agent_abi::prelude::*;

const COMPLETE: Uuid = Uuid::from_u128(0x49a7_86f3_5edf_4b94_aff0_3da9_042d_3bf0);

#[stage("6011c844-fb26-438b-b465-0b0825951015")]
fn my_agent(_labels: &LabelRow) -> Route {
    Route::to(COMPLETE)
}

export![my_agent];
