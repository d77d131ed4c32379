//! The same library built in another cargo profile or for a named target: a new build there counts as a rebuild.

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
        let twins = |l: &Library| {
            let of = l.path.clone();
            let twin = move |path: &PathBuf| Self {
                path: path.clone(),
                of: of.clone(),
            };
            l.twins.iter().map(twin).collect::<Vec<_>>()
        };
        libraries.iter().flat_map(twins).collect()
    }
}
