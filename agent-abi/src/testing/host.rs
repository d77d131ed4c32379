//! One process that runs several tasks, and attempts that are made again. What a task is is left to `task`.

use super::{Run, TestTask};
use crate::glue::Agent;
use crate::inject::{in_host, retire_host};
use std::sync::atomic::{AtomicU64, Ordering};

/// A host process, for tests of what stays from task to task: values with `scope = host` are made once in it, and closed
/// when it is dropped. Other hosts, and [`TestTask::run`] by itself, have values of their own, also in tests that run
/// at the same time.
///
/// ```
/// use agent_abi::prelude::*;
/// use agent_abi::testing::{host, task};
///
/// #[dependency(scope = host)]
/// fn model() -> Vec<String> {
///     Vec::new()
/// }
///
/// #[stage("count")]
/// fn count(task: &Task, #[depends(model)] seen: &mut Vec<String>) -> Route {
///     seen.push(task.title().to_owned());
///     Route::to(seen.len().to_string())
/// }
///
/// let host = host();
/// assert_eq!(host.run::<count>(&task("a.jpg")).route(), Some("1"));
/// assert_eq!(host.run::<count>(&task("b.jpg")).route(), Some("2"));
/// ```
#[derive(Debug)]
pub struct TestHost(u64);

/// A host process without values yet.
#[must_use]
pub fn host() -> TestHost {
    // 0 is the process itself.
    static NUMBER: AtomicU64 = AtomicU64::new(1);
    TestHost(NUMBER.fetch_add(1, Ordering::Relaxed))
}

impl TestHost {
    /// Runs an agent on a task in this host.
    #[must_use]
    pub fn run<A: Agent>(&self, task: &TestTask) -> Run {
        in_host(self.0, || task.run::<A>())
    }

    /// Runs an agent on a task until it succeeds, fails for good, or has been tried `retries` more times, as
    /// `workbench run --num-retries` does: each attempt begins with the task as it is described. Gives all attempts in
    /// order, at least one.
    #[must_use]
    pub fn attempts<A: Agent>(&self, task: &TestTask, retries: u32) -> Vec<Run> {
        let mut runs = Vec::new();
        for number in 1..=retries.saturating_add(1) {
            let run = self.run::<A>(&task.clone().attempt(number));
            let again = run.failure().is_some_and(|failure| failure.retry);
            runs.push(run);
            if !again {
                break;
            }
        }
        runs
    }
}

impl Drop for TestHost {
    fn drop(&mut self) {
        in_host(self.0, || retire_host(self.0));
    }
}
