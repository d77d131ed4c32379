//! Events of libraries and of the compiler. What follows from them is left to `state/builds.rs`.

use crate::build::Probed;
use crate::ids::BuildId;
use crate::loading::Opening;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// News of a library.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum BuildEvent {
    /// A new content could be opened.
    Probed(Box<Probed>),
    /// A new content is being opened.
    Opening {
        /// The watched file.
        library: PathBuf,
        /// What of it.
        part: Opening,
    },
    /// A new content cannot be used.
    Rejected {
        /// The watched file.
        library: PathBuf,
        /// Its content.
        hash: String,
        /// Why.
        reason: String,
        /// What to do.
        hints: Vec<String>,
    },
    /// The watched file is gone.
    Removed(PathBuf),
    /// Libraries that were not heard of yet are not waited for any longer.
    Overdue,
    /// A host died outside a job.
    HostDied {
        /// Which build it had opened.
        build: BuildId,
        /// What happened.
        reason: String,
    },
    /// A build that the workbench started is running.
    Compiling {
        /// The last line of its output.
        line: String,
    },
    /// Something about the builds that the workbench starts is worth a person's attention.
    Warning(String),
    /// A build that the workbench started has written a library here.
    Written {
        /// The library.
        library: PathBuf,
        /// Where; any place.
        place: PathBuf,
    },
    /// It has begun, or has come further.
    Crates(CrateProgress),
    /// A build that the workbench started has ended.
    Compiled {
        /// Milliseconds it took.
        result: Result<u64, CompileFailure>,
    },
}

/// How far a build is, in crates: the one that is built and all that it needs, procedural macros and what only
/// build scripts need included.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct CrateProgress {
    /// Finished.
    pub done: usize,
    /// Those of them that an earlier build had compiled.
    pub fresh: usize,
    /// All of them; `None` until cargo has listed them.
    pub total: Option<usize>,
    /// The crate whose compilation began last.
    pub newest: String,
}

impl CrateProgress {
    /// The number of the crate being compiled and how many there are; never more than that.
    #[must_use]
    pub fn place(&self) -> Option<(usize, usize)> {
        let total = self.total.filter(|total| *total > 0)?.max(self.done);
        Some(((self.done + 1).min(total), total))
    }

    /// The finished part, from 0 to 1.
    #[must_use]
    pub fn part(&self) -> f64 {
        let total = self.total.unwrap_or(0).max(self.done).max(1);
        #[allow(clippy::cast_precision_loss)] // a bar
        let part = self.done as f64 / total as f64;
        part
    }

    /// Whether nothing was compiled before, where cargo has listed the crates: of other builds that is not known.
    #[must_use]
    pub const fn is_first(&self) -> bool {
        self.total.is_some() && self.fresh == 0
    }
}

/// An error of a compiler.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct CompileError {
    /// Its place and its message: `src/lib.rs:88:18: mismatched types`.
    pub short: String,
    /// The whole of it, with the lines of source that it is about.
    pub rendered: String,
}

/// Why agents did not compile.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct CompileFailure {
    /// The first error with its place: `src/lib.rs:88:18: mismatched types`. `None` where the compiler was not
    /// reached.
    pub first: Option<String>,
    /// Each error that cargo reported; none where something else was run.
    pub errors: Vec<CompileError>,
    /// Everything that the compiler, cargo or the build command reported.
    pub messages: String,
}

impl From<String> for CompileFailure {
    fn from(messages: String) -> Self {
        Self {
            messages,
            ..Self::default()
        }
    }
}

impl From<&str> for CompileFailure {
    fn from(messages: &str) -> Self {
        messages.to_owned().into()
    }
}
