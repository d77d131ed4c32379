//! Runs without a screen, as a screen and the commands look at them. Keeping that in the state folder is left to the engine.

use crate::counted::number;
use crate::ids::{Millis, ProjectHash, StageId};
use serde::{Deserialize, Serialize};

/// Where a run without a screen is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BackgroundState {
    /// Its process works.
    #[default]
    Running,
    /// It finishes what is under way, and takes no further tasks.
    Stopping,
    /// It has reached its end.
    Finished,
    /// It was stopped before its end.
    Stopped,
    /// Its process is gone and has not reported an end.
    Died,
}

impl BackgroundState {
    /// Whether its process lives.
    #[must_use]
    pub const fn is_alive(self) -> bool {
        matches!(self, Self::Running | Self::Stopping)
    }

    /// The word for it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Stopping => "stopping",
            Self::Finished => "finished",
            Self::Stopped => "stopped",
            Self::Died => "died",
        }
    }
}

/// A run without a screen: how far it is, or how it ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BackgroundRun {
    /// Its number in this folder.
    pub run: u64,
    /// Its project.
    pub project: ProjectHash,
    /// Whether it began on a screen and goes on in the background; otherwise it is a command.
    pub background: bool,
    /// Outcomes are held for review, and nothing is written.
    pub holds: bool,
    /// Its stages.
    pub stage_uuids: Vec<StageId>,
    /// Title of the stage that it is at.
    pub stage: String,
    /// When it began, on the screen.
    pub began: Millis,
    /// When this was noted.
    pub noted: Millis,
    /// When it ended.
    pub ended: Option<Millis>,
    /// Tasks that are done, with those that the screen had done.
    pub done: u64,
    /// All of its tasks, when that is known.
    pub all: Option<u64>,
    /// Of those that are done: failed.
    pub failed: u64,
    /// Tasks a second.
    pub rate: f64,
    /// Its process.
    pub pid: u32,
    /// Where it is.
    pub state: BackgroundState,
    /// The exit code of its command.
    pub exit_code: Option<u8>,
    /// How it ended, in a line.
    pub summary: Option<String>,
}

impl BackgroundRun {
    /// `4,120 of 10,000`
    #[must_use]
    pub fn progress(&self) -> String {
        match self.all {
            Some(all) => format!("{} of {}", number(self.done), number(all.max(self.done))),
            None => number(self.done),
        }
    }

    /// `run #18 in the background`
    #[must_use]
    pub fn name(&self) -> String {
        match self.background {
            true => format!("run #{} in the background", self.run),
            false => format!("run #{} without a screen", self.run),
        }
    }
}
