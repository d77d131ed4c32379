//! The options of a server, and their limits.

use std::path::PathBuf;
use std::time::Duration;

use crate::error::LocalError;
use crate::fault::FaultSpec;
use crate::world::MOST_ITEMS;
use crate::world::builtin::Scenario;

/// The options of a server.
#[derive(Debug, Clone)]
pub struct ServeOptions {
    /// The built-in scenario; ignored with `import` or `scenario_file`.
    pub scenario: Scenario,
    /// Folder of the database and the key. An existing database is reopened. `None`: the data are removed
    /// with the process.
    pub data: Option<PathBuf>,
    /// How many tasks the main project has, 1 to 10,000,000. `None`: the scenario's default. Ignored with
    /// `import` or `scenario_file`, and when `data` is reopened.
    pub tasks: Option<usize>,
    /// Determines all generated names and which requests faults affect.
    pub seed: u64,
    /// 0 chooses a free one.
    pub port: u16,
    /// Results per page, 1 to 10,000.
    pub page_size: usize,
    /// Added to every request of the API.
    pub latency: Duration,
    /// Faults to inject from the start.
    pub faults: Vec<FaultSpec>,
    /// A folder of your own media instead of the scenario's.
    pub import: Option<PathBuf>,
    /// A workflow in the specification format instead of the scenario's.
    pub import_workflow: Option<PathBuf>,
    /// A scenario file of your own.
    pub scenario_file: Option<PathBuf>,
    /// Tasks per second that simulated people annotate or review in total, above 0.0 and at most 1000.0.
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
    /// Refuses invalid values and combinations.
    pub(super) fn check(&self) -> Result<(), LocalError> {
        let wrong = |text: &str| Err(LocalError::Options(text.to_owned()));
        if !(1..=10_000).contains(&self.page_size) {
            return wrong("--page-size must be between 1 and 10000");
        }
        let sensible = |rate: f64| rate > 0.0 && rate <= 1000.0;
        if self.people.is_some_and(|rate| !sensible(rate)) {
            return wrong("--people must be above 0 and at most 1000 tasks per second");
        }
        if self.tasks.is_some_and(|n| !(1..=MOST_ITEMS).contains(&n)) {
            return wrong("--tasks must be between 1 and 10000000");
        }
        if self.scenario_file.is_some() && (self.import.is_some() || self.import_workflow.is_some())
        {
            return wrong("--scenario-file cannot be combined with --import or --import-workflow");
        }
        Ok(())
    }
}
