//! The agent of the founding text: one stage, one pathway, and the task is done.

use agent_abi::prelude::*;

/// Sends every task on.
#[stage("Agent 1", routes = ["complete"], idempotent)]
pub fn agent_1(labels: &LabelRow) -> Route {
    debug!("{}: {} objects", labels.title(), labels.objects().len());
    Route::to("complete")
}

#[cfg(test)]
mod tests {
    use super::*;
    use agent_abi::testing::task;

    #[test]
    fn every_task_is_complete() {
        assert_eq!(task("a.jpg").run::<agent_1>().route(), Some("complete"));
    }
}
