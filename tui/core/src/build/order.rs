//! The order of stages and libraries: that in which a person named the libraries, those of one folder by file
//! name. Which of them opens first is chance and decides nothing.

use super::Builds;
use crate::ids::StageId;
use std::path::{Path, PathBuf};

impl Builds {
    /// No builds yet; libraries are ordered by the place of their file or folder in `roots`.
    #[must_use]
    pub fn of(roots: Vec<PathBuf>) -> Self {
        Self {
            roots,
            ..Self::default()
        }
    }

    /// Sorts libraries in the order in which they were named, those of one folder by file name.
    #[must_use]
    pub fn rank<'a>(&self, library: &'a Path) -> (usize, &'a Path) {
        let holds = |root: &PathBuf| root == library || library.parent() == Some(root);
        let root = self.roots.iter().position(holds);
        (root.unwrap_or(usize::MAX), library)
    }

    /// Bound stages in the order of execution: library by library as they were named, each in its own
    /// order. A stage that another library took over keeps the place where it was declared first.
    #[must_use]
    pub fn order(&self) -> Vec<StageId> {
        let mut libraries: Vec<_> = self.places.iter().collect();
        libraries.sort_by_key(|(library, _)| self.rank(library));
        let mut order = Vec::with_capacity(self.bindings.len());
        for stage in libraries.into_iter().flat_map(|(_, stages)| stages) {
            if self.bindings.contains_key(stage) && !order.contains(stage) {
                order.push(*stage);
            }
        }
        order
    }
}
