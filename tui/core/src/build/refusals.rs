//! The libraries whose newest content was refused, and why. Whether a content is refused is decided by those that open
//! it, and by the claims of [`Builds`](super::Builds).

use crate::error::Error;
use crate::ids::Millis;
use std::path::{Path, PathBuf};

/// A library whose newest content was refused.
#[derive(Clone, Debug, PartialEq)]
pub struct Refusal {
    /// The watched file.
    pub library: PathBuf,
    /// Why, and what to do.
    pub error: Error,
    /// When.
    pub at: Millis,
}

/// Every library that is refused now.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Refusals(Vec<Refusal>);

impl Refusals {
    /// A content of a library was refused.
    pub fn add(&mut self, library: PathBuf, error: Error, at: Millis) {
        self.remove(&library);
        self.0.push(Refusal { library, error, at });
    }

    /// A library is open, or gone.
    pub fn remove(&mut self, library: &Path) {
        self.0.retain(|refusal| refusal.library != library);
    }

    /// Why a library is refused; `None`: it is not.
    #[must_use]
    pub fn of(&self, library: &Path) -> Option<&Error> {
        let found = self.0.iter().find(|refusal| refusal.library == library);
        found.map(|refusal| &refusal.error)
    }

    /// All of them, the newest last.
    #[must_use]
    pub fn all(&self) -> &[Refusal] {
        &self.0
    }
}
