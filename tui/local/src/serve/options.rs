//! What to serve, and how: the options and what they may be.

use std::path::PathBuf;
use std::time::Duration;

use crate::error::LocalError;
use crate::fault::FaultSpec;
use crate::world::MOST_ITEMS;
use crate::world::builtin::Scenario;

/// What to serve, and how.
#[derive(Debug, Clone)]
pub struct ServeOptions {
    /// The built-in world; not used with `import` or `scenario_file`.
    pub scenario: Scenario,
    /// Folder of the database and the key. Reopened if it holds one. `None`: the data go with the
    /// process.
    pub data: Option<PathBuf>,
    /// How many tasks the main project has, 1 to 10,000,000. `None`: as many as the scenario likes. Not
    /// used with `import` or `scenario_file`, nor when `data` is reopened.
    pub tasks: Option<usize>,
    /// All names and all faults hang on it.
    pub seed: u64,
    /// 0 picks a free one.
    pub port: u16,
    /// Results per page, 1 to 10,000.
    pub page_size: usize,
    /// Every request of the API waits this long.
    pub latency: Duration,
    /// Faults to inject from the start.
    pub faults: Vec<FaultSpec>,
    /// A folder of one's own media instead of the scenario's.
    pub import: Option<PathBuf>,
    /// A workflow in the specification format instead of the scenario's.
    pub import_workflow: Option<PathBuf>,
    /// A whole world of one's own.
    pub scenario_file: Option<PathBuf>,
    /// Tasks per second that people annotate or review, all of them together, above 0.0 and at most
    /// 1000.0.
    pub people: Option<f64>,
}

impl Default for ServeOptions {
    fn default() -> Self {
        Self {
            scenario: Scenario::Demo,
            data: None,
            tasks: None,
            seed: 1,
            port: 0,
            page_size: 1000,
            latency: Duration::ZERO,
            faults: Vec::new(),
            import: None,
            import_workflow: None,
            scenario_file: None,
            people: None,
        }
    }
}

impl ServeOptions {
    /// Refuses what cannot be meant.
    pub(super) fn check(&self) -> Result<(), LocalError> {
        let wrong = |text: &str| Err(LocalError::Options(text.to_owned()));
        if !(1..=10_000).contains(&self.page_size) {
            return wrong("--page-size is between 1 and 10000");
        }
        let sensible = |rate: f64| rate > 0.0 && rate <= 1000.0;
        if self.people.is_some_and(|rate| !sensible(rate)) {
            return wrong("--people is a number of tasks per second, above 0 and at most 1000");
        }
        if self.tasks.is_some_and(|n| !(1..=MOST_ITEMS).contains(&n)) {
            return wrong("--tasks is between 1 and 10000000");
        }
        if self.scenario_file.is_some() && (self.import.is_some() || self.import_workflow.is_some())
        {
            return wrong(
                "--scenario-file describes everything; it does not go with --import or --import-workflow",
            );
        }
        Ok(())
    }
}
