//! The same library built in the other cargo profile (debug or release): a new build there counts as a rebuild.

use crate::library::Library;
use std::path::PathBuf;

/// A second place where a library may be built to.
#[derive(Clone, Debug)]
pub struct Twin {
    /// The place.
    pub path: PathBuf,
    /// The library that it is.
    pub of: PathBuf,
}

impl Twin {
    /// The twins of some libraries.
    #[must_use]
    pub fn of_all(libraries: &[Library]) -> Vec<Self> {
        let twin = |l: &Library| {
            let path = l.twin.clone()?;
            Some(Self {
                path,
                of: l.path.clone(),
            })
        };
        libraries.iter().filter_map(twin).collect()
    }
}
