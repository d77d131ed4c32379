//! Pause points: where a task is to wait for a person, and under which condition.

use super::{Condition, PausePlace, PlaceKind};
use crate::error::Error;
use crate::work::{Outcome, TaskRow};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// What a pause point is set on.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PointKind {
    /// The task as listed, before anything else.
    Task,
    /// Something that was fetched for the task, by its name.
    Input,
    /// The parameters of the settings.
    Parameters,
    /// A parameter that the workbench gives.
    Parameter,
    /// A dependency that the library makes.
    Dependency,
    /// Before the agent's own code.
    Call,
    /// A checkpoint.
    Checkpoint,
    /// Something that the outcome would write: `labels`, `priority`, `metadata`, `further`, `move`.
    Effect,
    /// The outcome.
    Outcome,
    /// The outcome's check against workflow and ontology.
    Validation,
    /// What a commit would write.
    Review,
    /// An attempt without an outcome.
    Error,
}

/// A place of an agent, in any task of a stage.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct PointAt {
    /// What sort of place.
    #[serde(rename = "at")]
    pub kind: PointKind,
    /// Its name; empty where there is only one of its kind.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
}

impl PointAt {
    /// A place of this kind that has no name of its own.
    #[must_use]
    pub const fn only(kind: PointKind) -> Self {
        let name = String::new();
        Self { kind, name }
    }

    /// A place of this kind and name.
    #[must_use]
    pub fn named(kind: PointKind, name: &str) -> Self {
        let name = name.to_owned();
        Self { kind, name }
    }

    /// The place that a running attempt has reached.
    #[must_use]
    pub fn of(place: &PausePlace) -> Self {
        match place.kind {
            PlaceKind::Parameter => Self::named(PointKind::Parameter, &place.name),
            PlaceKind::Dependency => Self::named(PointKind::Dependency, &place.name),
            PlaceKind::Call => Self::only(PointKind::Call),
            PlaceKind::Checkpoint | PlaceKind::Refused => {
                Self::named(PointKind::Checkpoint, &place.name)
            }
        }
    }

    /// Whether a running attempt can wait there; elsewhere it has ended.
    #[must_use]
    pub const fn is_inside(&self) -> bool {
        use PointKind::{Call, Checkpoint, Dependency, Parameter};
        matches!(self.kind, Parameter | Dependency | Call | Checkpoint)
    }

    /// Whether a task waits there before its agent is called.
    #[must_use]
    pub const fn is_before(&self) -> bool {
        use PointKind::{Input, Parameters, Task};
        matches!(self.kind, Task | Input | Parameters)
    }

    /// It in a sentence.
    #[must_use]
    pub fn words(&self) -> String {
        let name = self.name.split(':').next().unwrap_or_default();
        match self.kind {
            PointKind::Task => "the task".to_owned(),
            PointKind::Input => format!("input {name}"),
            PointKind::Parameters => "the parameters".to_owned(),
            PointKind::Validation => "the validation".to_owned(),
            PointKind::Review => "the review".to_owned(),
            PointKind::Parameter => format!("parameter {name}"),
            PointKind::Dependency => format!("dependency {name}"),
            PointKind::Call => "the call".to_owned(),
            PointKind::Checkpoint => format!("checkpoint \"{name}\""),
            PointKind::Effect => format!("effect {name}"),
            PointKind::Outcome => "the outcome".to_owned(),
            PointKind::Error => "an error".to_owned(),
        }
    }
}

/// A place where tasks of a stage wait for a person.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct PausePoint {
    /// Where.
    pub at: PointAt,
    /// When; `None`: always.
    pub condition: Option<Condition>,
}

/// How the pause point at a place changes.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub enum PointChange {
    /// It is set, without a condition; one that is there is removed.
    Toggled,
    /// It has this condition.
    If(Box<Condition>),
}

/// A [`PausePoint`] in a file.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct SavedPoint {
    /// Where.
    #[serde(flatten)]
    pub at: PointAt,
    /// The condition as it was typed.
    #[serde(default, rename = "if", skip_serializing_if = "Option::is_none")]
    pub condition: Option<String>,
}

impl PausePoint {
    /// As it is saved.
    #[must_use]
    pub fn saved(&self) -> SavedPoint {
        SavedPoint {
            at: self.at.clone(),
            condition: self.condition.as_ref().map(|c| c.text().to_owned()),
        }
    }

    /// A saved one; `None` where a later version has written its condition.
    #[must_use]
    pub fn read(saved: SavedPoint) -> Option<Self> {
        let condition = match saved.condition {
            Some(text) => Some(Condition::parse(&text).ok()?),
            None => None,
        };
        let at = saved.at;
        Some(Self { at, condition })
    }

    /// It in a sentence, with its condition.
    #[must_use]
    pub fn words(&self) -> String {
        match &self.condition {
            Some(condition) => format!("{} if {}", self.at.words(), condition.text()),
            None => self.at.words(),
        }
    }

    /// Whether a task is to wait there. A condition that cannot be evaluated holds, so that a person sees why:
    /// the error comes with it.
    #[must_use]
    pub fn holds(&self, scene: &Sight) -> Option<Option<String>> {
        let Some(condition) = &self.condition else {
            return Some(None);
        };
        match condition.holds(super::Scene::new(&scene.value, &scene.facts)) {
            Ok(true) => Some(None),
            Ok(false) => None,
            Err(why) => Some(Some(why)),
        }
    }
}

/// Largest document of an input whose values a condition sees, in bytes: of larger ones it sees the facts alone.
const LARGEST: usize = 1 << 20;

/// What a condition sees of a task at a place.
#[derive(Clone, Debug)]
pub struct Sight {
    value: Value,
    facts: Value,
}

impl Sight {
    /// At a place inside of the agent, which has run for so many milliseconds.
    #[must_use]
    pub fn inside(row: &TaskRow, place: &PausePlace, ran_ms: u64) -> Self {
        let value = serde_json::from_str(&place.value);
        let mut facts = facts(row);
        facts["name"] = place.name.as_str().into();
        facts["ms"] = ran_ms.into();
        Self {
            value: value.unwrap_or_else(|_| Value::from(&*place.value)),
            facts,
        }
    }

    /// Before the agent is called: of what was fetched or set, its document, and how long it took to fetch.
    #[must_use]
    pub fn before(row: &TaskRow, document: Option<&str>, ms: f64) -> Self {
        let mut facts = facts(row);
        facts["ms"] = ms.into();
        let document = document.unwrap_or("null");
        let value = match document.len() {
            ..=LARGEST => serde_json::from_str(document).unwrap_or_default(),
            _ => Value::Null,
        };
        Self { value, facts }
    }

    /// At the end of an attempt.
    #[must_use]
    #[allow(clippy::cast_precision_loss)] // milliseconds
    pub fn ended(row: &TaskRow, result: Result<&Outcome, &Error>, run_us: u64) -> Self {
        let mut facts = facts(row);
        facts["ms"] = (run_us as f64 / 1000.0).into();
        match result {
            Ok(outcome) => {
                let (added, changed, removed) = outcome.patch.counts();
                facts["route"] = outcome.way.name().into_owned().into();
                facts["labels"] = json!({"added": added, "changed": changed, "removed": removed});
                facts["priority"] = outcome
                    .patch
                    .priority
                    .map_or(Value::Null, |(_, p)| p.into());
            }
            Err(error) => facts["error"] = error.summary.clone().into(),
        }
        let value = Value::Null;
        Self { value, facts }
    }
}

fn facts(row: &TaskRow) -> Value {
    json!({
        "title": &*row.title, "status": row.status.wire().to_lowercase(), "branch": &*row.branch,
        "route": null, "error": null, "priority": null, "labels": null,
    })
}
