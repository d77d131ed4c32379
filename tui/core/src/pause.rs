//! Places that a running attempt reaches and waits at, where somebody looks at it.
//!
//! What follows from them is left to [`crate::state`].

mod condition;
mod points;
mod text;

pub use condition::{Condition, ConditionError, Scene};
pub use points::{PausePoint, PointAt, PointChange, PointKind, SavedPoint, Sight};
use serde::{Deserialize, Serialize};
pub use text::{Difference, difference, pretty};

use std::sync::Arc;

/// What sort of place it is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub enum PlaceKind {
    /// A parameter that the workbench gives.
    Parameter,
    /// A dependency that the library makes.
    Dependency,
    /// Before the agent's own code.
    Call,
    /// A checkpoint of the agent's.
    Checkpoint,
    /// A checkpoint whose edited value did not fit.
    Refused,
}

impl PlaceKind {
    /// The kind that an agent names; one that is not known is a checkpoint.
    #[must_use]
    pub fn of(word: &str) -> Self {
        match word {
            "parameter" => Self::Parameter,
            "dependency" => Self::Dependency,
            "call" => Self::Call,
            "refused" => Self::Refused,
            _ => Self::Checkpoint,
        }
    }
}

/// A place that a running attempt has reached.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct PausePlace {
    /// What sort of place.
    pub kind: PlaceKind,
    /// Its name; a parameter is named with its type, `frame: Frame`.
    pub name: String,
    /// Its value: JSON for a checkpoint, a word or nothing for others. Without secrets.
    #[serde(with = "crate::shared")]
    pub value: Arc<str>,
    /// Whether the value is whole, so that it may be edited.
    pub editable: bool,
}

impl PausePlace {
    /// It in a sentence: `checkpoint "detections"`.
    #[must_use]
    pub fn words(&self) -> String {
        let name = self.name.split(':').next().unwrap_or_default();
        match self.kind {
            PlaceKind::Parameter => format!("parameter {name}"),
            PlaceKind::Dependency => format!("dependency {name}"),
            PlaceKind::Call => "the call".to_owned(),
            PlaceKind::Checkpoint | PlaceKind::Refused => format!("checkpoint \"{name}\""),
        }
    }
}
