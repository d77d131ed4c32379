//! What an agent gives back: where the task goes, and with it a priority, metadata and further changes.
//!
//! Labels are not here: what was changed in `&mut LabelRow` is part of the outcome on its own.
//! Whether the pathway exists is checked by the workbench, which has the workflow.

use crate::change::Change;
use crate::wire::PathwayDoc;
use serde_json::Value;
use uuid::Uuid;

/// The answer of an agent.
///
/// ```
/// use agent_abi::prelude::*;
/// let route = Route::to("complete").priority(0.7).metadata(json!({"seen": true}));
/// # let _ = route;
/// ```
#[derive(Clone, Debug, PartialEq)]
#[must_use = "a route does something only when the agent returns it"]
pub struct Route {
    pub(crate) to: Option<Target>,
    /// Whether `to` is a stage.
    pub(crate) stage: bool,
    pub(crate) priority: Option<f64>,
    pub(crate) metadata: Option<Value>,
    pub(crate) also: Vec<Change>,
}

/// A pathway or a stage, by name or by UUID.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target(pub(crate) String);

impl Route {
    /// The task leaves by this pathway: its name, its UUID, or a [`PathwayDoc`] of the stage.
    pub fn to(pathway: impl Into<Target>) -> Self {
        Self {
            to: Some(pathway.into()),
            ..Self::stay()
        }
    }

    /// The task is moved to this stage of its project, of any kind, whatever the pathways are: its title or UUID. To the
    /// stage that it is at: it stays.
    ///
    /// ```
    /// use agent_abi::prelude::*;
    /// use agent_abi::testing::task;
    ///
    /// #[stage("triage")]
    /// fn triage(task: &Task) -> Route {
    ///     match task.title().contains("test") {
    ///         true => Route::to_stage("Archive"),
    ///         false => Route::to("annotate"),
    ///     }
    /// }
    ///
    /// assert_eq!(task("test.jpg").run::<triage>().to_stage(), Some("Archive"));
    /// assert_eq!(task("a.jpg").run::<triage>().route(), Some("annotate"));
    /// ```
    pub fn to_stage(stage: impl Into<Target>) -> Self {
        Self {
            stage: true,
            ..Self::to(stage)
        }
    }

    /// The task stays where it is; the next run takes it up again.
    pub const fn stay() -> Self {
        Self {
            to: None,
            stage: false,
            priority: None,
            metadata: None,
            also: Vec::new(),
        }
    }

    /// Sets the priority of the task, 0 to 1. 0.0 counts; what lies at most 1e-6 beyond is taken back to
    /// the edge, anything further is an error of the attempt, and nothing is written.
    pub fn priority(mut self, priority: impl Into<f64>) -> Self {
        self.priority = Some(priority.into());
        self
    }

    /// Replaces the client metadata of the storage item as a whole by this JSON object. To change
    /// single entries take `&mut StorageItem` instead.
    pub fn metadata(mut self, object: impl Into<Value>) -> Self {
        self.metadata = Some(object.into());
        self
    }

    /// Changes something beyond the task's own row with this outcome.
    pub fn also(mut self, change: Change) -> Self {
        self.also.push(change);
        self
    }

    /// The pathway, as it was given.
    #[must_use]
    pub fn pathway(&self) -> Option<&str> {
        let target = self.to.as_ref().filter(|_| !self.stage);
        target.map(|target| target.0.as_str())
    }
}

impl From<&str> for Target {
    fn from(name: &str) -> Self {
        Self(name.to_owned())
    }
}

impl From<String> for Target {
    fn from(name: String) -> Self {
        Self(name)
    }
}

impl From<&String> for Target {
    fn from(name: &String) -> Self {
        Self(name.clone())
    }
}

impl From<Uuid> for Target {
    fn from(uuid: Uuid) -> Self {
        Self(uuid.to_string())
    }
}

impl From<&PathwayDoc> for Target {
    fn from(pathway: &PathwayDoc) -> Self {
        Self(pathway.uuid.to_string())
    }
}
