//! What a run in the background is to do, as JSON in its folder. It has no keys: the process reads them as every command does,
//! from the environment that it inherits.

use super::RunFolder;
use crate::flags::Flags;
use crate::saved::RunRequest;
use serde::{Deserialize, Serialize};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use wb_core::error::{Error, ErrorKind};
use wb_core::ids::{StageId, TaskId};
use wb_core::run::{DoneBefore, RunSpec};

/// The file, in the folder of the run.
const FILE: &str = "request.json";

// Read by the program that has written it: what it does not know would be a limit that is passed over.
/// What is left of a run of the screen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BackgroundRequest {
    /// Options of every command.
    pub flags: Flags,
    /// What the command would be asked that does the same.
    pub run: RunRequest,
    /// The words of that command.
    pub words: Vec<String>,
    /// Limit of one attempt that a person typed, in milliseconds.
    pub typed_timeout_ms: Option<u64>,
    /// Only these tasks.
    pub chosen: Option<HashSet<TaskId>>,
    /// Tasks that are done and still wait at their stage.
    pub done: HashSet<TaskId>,
    /// How many tasks of each stage are done.
    pub spent: HashMap<StageId, usize>,
    /// What the screen has done of it.
    pub before: DoneBefore,
}

impl BackgroundRequest {
    /// What the run of this folder is to do.
    ///
    /// # Errors
    /// It was not started on a screen, or what is there cannot be read.
    pub fn of(folder: &RunFolder) -> Result<Self, Error> {
        let path = folder.dir.join(FILE);
        let text = std::fs::read_to_string(&path).map_err(|error| error.to_string());
        text.and_then(|text| serde_json::from_str(&text).map_err(|error| error.to_string()))
            .map_err(|error| {
                let text = format!("{} cannot be read: {error}", path.display());
                Error::new(ErrorKind::Settings, text)
            })
    }

    pub(super) fn write(&self, folder: &RunFolder) -> Result<(), Error> {
        let text = serde_json::to_vec(self).map_err(|error| {
            let text = format!("what is left of the run cannot be noted: {error}");
            Error::new(ErrorKind::Usage, text).hint("a path that is not UTF-8 cannot be kept")
        })?;
        let written = folder.write(FILE, &text);
        written.map_err(|error| super::unusable(&folder.dir, &error))
    }

    /// What is asked of a run, with which tasks are left of it.
    #[must_use]
    pub fn narrow(&self, spec: RunSpec) -> RunSpec {
        let left_out = spec.left_out.union(&self.done).copied().collect();
        RunSpec {
            // Names are compared one by one; this is a set of the same tasks.
            only: Vec::new(),
            chosen: self.chosen.clone(),
            left_out: Arc::new(left_out),
            spent: Arc::new(self.spent.clone()),
            // As on the screen, where each stage runs on what is there now.
            chain: false,
            ..spec
        }
    }
}
