//! Attempts of a stepped task: the places that one reaches, and what earlier ones came to.

use crate::ids::BuildId;
use crate::pause::PausePlace;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// How far a stepped attempt runs by itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub enum Until {
    /// To the next place.
    #[default]
    Next,
    /// To the next pause point, or its end.
    End,
    /// To its end, past pause points.
    Return,
    /// To the place of this number, counted from 0.
    Place(usize),
}

/// A place that the stepped attempt has reached.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Reached {
    /// Which, with the value that was there.
    pub place: PausePlace,
    /// How long the agent had run, in milliseconds.
    pub ran_ms: u64,
    /// What a person edited the value to.
    pub edited: Option<Arc<str>>,
}

/// An attempt that another one has followed.
#[derive(Clone, PartialEq, Debug)]
pub struct PastAttempt {
    /// Its number, from 1.
    pub number: u32,
    /// The build that it ran on.
    pub build: BuildId,
    /// The places that it reached.
    pub places: Vec<Reached>,
    /// Its route, or its error.
    pub text: String,
    /// Labels added, changed, removed.
    pub labels: (usize, usize, usize),
    /// How long the agent ran, in microseconds.
    pub run_us: u64,
}

impl PastAttempt {
    /// Attempts that are kept.
    pub const KEPT: usize = 20;
}
