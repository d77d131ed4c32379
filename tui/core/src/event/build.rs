//! Events of libraries and of the compiler. What follows from them is left to `state/builds.rs`.

use crate::build::Probed;
use crate::ids::BuildId;
use std::path::PathBuf;

/// News of a library.
#[derive(Clone, Debug, PartialEq)]
pub enum BuildEvent {
    /// A new content could be opened.
    Probed(Box<Probed>),
    /// A new content is no good.
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
    /// A build that the workbench started has ended.
    Compiled {
        /// Milliseconds it took.
        result: Result<u64, CompileFailure>,
    },
}

/// Why agents did not compile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CompileFailure {
    /// The first error with its place: `src/lib.rs:88:18: mismatched types`. `None` where the compiler was not
    /// reached.
    pub first: Option<String>,
    /// Everything that the compiler, cargo or the build command reported.
    pub messages: String,
}

impl From<String> for CompileFailure {
    fn from(messages: String) -> Self {
        Self {
            first: None,
            messages,
        }
    }
}

impl From<&str> for CompileFailure {
    fn from(messages: &str) -> Self {
        messages.to_owned().into()
    }
}
