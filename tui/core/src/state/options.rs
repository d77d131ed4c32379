//! What a person allowed at start, and how careful writes must be.

use crate::ids::StageId;
use crate::pause::PausePoint;
use crate::run::OnDuplicate;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

/// How careful writes to a project must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Level {
    /// A commit is not even asked about twice.
    Sandbox,
    /// A commit asks.
    Staging,
    /// A commit needs the project's title typed, a command needs `--confirm TITLE`.
    Protected,
}

impl Level {
    /// Reads the word of a settings file.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        match word {
            "sandbox" => Some(Self::Sandbox),
            "staging" => Some(Self::Staging),
            "protected" => Some(Self::Protected),
            _ => None,
        }
    }

    /// The word.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Sandbox => "sandbox",
            Self::Staging => "staging",
            Self::Protected => "PROTECTED",
        }
    }
}

/// What the person allowed at start.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Options {
    /// Where upstream is, for the screen: `api.encord.com`, `local project`.
    pub upstream: String,
    /// How careful writes must be, when the settings state it.
    pub level: Option<Level>,
    /// Title of a protected project that was confirmed at start; without it, each write asks for it.
    pub confirm: Option<String>,
    /// No command that writes.
    pub read_only: bool,
    /// Outcomes are held until they are committed from review.
    pub dry_run: bool,
    /// Agent libraries and folders of them, in the order in which their agents take their turns.
    pub libraries: Vec<PathBuf>,
    /// The library files of these that are there at the start.
    pub awaited: Vec<PathBuf>,
    /// Where a library was looked for, for the empty state.
    pub agents: Vec<String>,
    /// Workflow specification with the edges that the API does not return.
    pub specification: Option<serde_json::Value>,
    /// The screen lists queues and counts; a headless run does not.
    pub screen: bool,
    /// Held outcomes are kept on disk, and are there again at the next start.
    pub keeps_held: bool,
    /// Why no run of this screen can go on without it.
    pub no_background: Option<String>,
    /// Builds that are kept when they are no longer active, so that newer ones can be compared with them.
    pub kept_builds: usize,
    /// Limit of one attempt in milliseconds, unless the agent declares its own.
    pub timeout_ms: Option<u64>,
    /// Requests a second at most, to begin with.
    pub rate: Option<f64>,
    /// Pause points that were set earlier, by stage.
    pub points: BTreeMap<StageId, Vec<PausePoint>>,
    /// Parameters of the settings, by the title of a stage or its UUID.
    #[serde(with = "crate::shared")]
    pub params: Arc<BTreeMap<String, serde_json::Value>>,
    /// What happens to labels that stand there already.
    pub on_duplicate: OnDuplicate,
}
