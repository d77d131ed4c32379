//! What of a stepped task lies around its agent's places: what is looked at before the call, and after the end. Each is
//! a row of the timeline, a stop of a step, and a place of a pause point. Places inside of the agent are left to
//! [`crate::pause`].

use crate::error::Error;
use crate::pause::{PointAt, PointKind};
use crate::work::{Inputs, Outcome};

/// One of them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum StepRow {
    /// The task as listed.
    Task,
    /// What was fetched, by its place in the timings.
    Input(usize),
    /// The parameters of the settings.
    Parameters,
    /// Something that the outcome would write.
    Effect(HeldEffect),
    /// The outcome, or the error.
    Outcome,
    /// What the outcome was checked against.
    Validation,
    /// What a commit would write.
    Review,
}

/// Something that an outcome would write.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum HeldEffect {
    /// Labels of the own row.
    Labels,
    /// The priority.
    Priority,
    /// The client metadata.
    Metadata,
    /// A change beyond the own row, by its place among them.
    Further(usize),
    /// The move.
    Move,
}

impl HeldEffect {
    /// As pause points name it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Labels => "labels",
            Self::Priority => "priority",
            Self::Metadata => "metadata",
            Self::Further(_) => "further",
            Self::Move => "move",
        }
    }

    /// All that an outcome has, in the order of writing.
    #[must_use]
    pub fn of(outcome: &Outcome) -> Vec<Self> {
        let patch = &outcome.patch;
        let own = [
            (Self::Labels, !patch.labels.is_empty()),
            (Self::Priority, patch.priority.is_some()),
            (Self::Metadata, patch.metadata.is_some()),
        ];
        let own = own.into_iter().filter(|(_, is)| *is);
        let mut all: Vec<Self> = own.map(|(effect, _)| effect).collect();
        all.extend((0..patch.changes.len()).map(Self::Further));
        all.extend(outcome.way.to().map(|_| Self::Move));
        all
    }
}

impl StepRow {
    /// What is looked at before the call.
    #[must_use]
    pub fn before(inputs: &Inputs, parameters: bool) -> Vec<Self> {
        let mut all = vec![Self::Task];
        all.extend((0..inputs.timings.len()).map(Self::Input));
        all.extend(parameters.then_some(Self::Parameters));
        all
    }

    /// What is looked at after the end.
    #[must_use]
    pub fn after(result: Result<&Outcome, &Error>) -> Vec<Self> {
        let Ok(outcome) = result else {
            return vec![Self::Outcome];
        };
        let mut all: Vec<Self> = (HeldEffect::of(outcome).into_iter())
            .map(Self::Effect)
            .collect();
        all.extend([Self::Outcome, Self::Validation, Self::Review]);
        all
    }

    /// The place of its pause points; `inputs` name what was fetched, `failed` is how the attempt ended.
    #[must_use]
    pub fn at(self, inputs: Option<&Inputs>, failed: bool) -> PointAt {
        match self {
            Self::Task => PointAt::only(PointKind::Task),
            Self::Input(place) => {
                let timing = inputs.and_then(|inputs| inputs.timings.get(place));
                let name = timing.map_or("", |timing| timing.what.as_str());
                PointAt::named(PointKind::Input, name)
            }
            Self::Parameters => PointAt::only(PointKind::Parameters),
            Self::Effect(effect) => PointAt::named(PointKind::Effect, effect.name()),
            Self::Outcome if failed => PointAt::only(PointKind::Error),
            Self::Outcome => PointAt::only(PointKind::Outcome),
            Self::Validation => PointAt::only(PointKind::Validation),
            Self::Review => PointAt::only(PointKind::Review),
        }
    }
}
