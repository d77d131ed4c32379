//! What an agent library needs from around its own file: the libraries that its run path finds by
//! `$ORIGIN`, and those that these need.
//!
//! Found as the system's loader would (ELF; elsewhere there are none). A needed library that is
//! not there yet counts as well: when it comes, the agent library is checked again.

use crate::elf::{self, Links};
use crate::files::{Fingerprint, open_regular};
use std::collections::{BTreeMap, VecDeque};
use std::path::{Path, PathBuf};

/// Libraries that are followed, at most.
const MOST: usize = 512;

/// Everything that was looked for.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct Companions {
    /// Files and their fingerprints; `None` where there is none.
    files: BTreeMap<PathBuf, Option<Fingerprint>>,
    /// Folders that run paths name.
    folders: Vec<PathBuf>,
}

/// A library whose needs are to be met.
struct Object {
    origin: PathBuf,
    links: Links,
    /// Folders of the old kind of run path, which holds for what is needed further down too.
    inherited: Vec<PathBuf>,
}

impl Companions {
    /// Of a library with this content.
    pub(crate) fn of(library: &Path, content: &[u8]) -> Self {
        let mut found = Self::default();
        let Some(links) = elf::links(content) else {
            return found;
        };
        let mut open = VecDeque::from([Object {
            origin: found.folder(library),
            links,
            inherited: Vec::new(),
        }]);
        while let Some(object) = open.pop_front() {
            found.follow(&object, &mut open);
        }
        found
    }

    fn follow(&mut self, object: &Object, open: &mut VecDeque<Object>) {
        let expanded = |paths: &[String]| -> Vec<PathBuf> {
            let here = paths.iter().filter_map(|path| expand(path, &object.origin));
            here.collect()
        };
        let links = &object.links;
        let (mut search, mut inherited) = (expanded(&links.runpath), object.inherited.clone());
        if links.runpath.is_empty() {
            inherited.splice(0..0, expanded(&links.rpath));
            search.clone_from(&inherited);
        }
        let folders = search.iter().filter_map(|dir| dir.canonicalize().ok());
        self.folders.extend(folders);
        for name in &links.needed {
            let candidates = match name.contains('/') {
                true => expand(name, &object.origin).into_iter().collect(),
                false => search.iter().map(|dir| dir.join(name)).collect(),
            };
            self.find(candidates, inherited.clone(), open);
        }
    }

    /// The first of these files that is there, and what it needs itself.
    fn find(
        &mut self,
        candidates: Vec<PathBuf>,
        inherited: Vec<PathBuf>,
        open: &mut VecDeque<Object>,
    ) {
        for path in candidates {
            let path = canonical_folder(&path);
            if self.files.len() >= MOST || self.files.get(&path).is_some_and(Option::is_some) {
                return;
            }
            let file = open_regular(&path).ok();
            let seen = file.as_ref().and_then(|f| f.metadata().ok());
            self.files
                .insert(path.clone(), seen.map(|m| Fingerprint::of(&m)));
            let Some(file) = file else { continue };
            let cache = object::ReadCache::new(file);
            if let (Some(links), Some(origin)) = (elf::links(&cache), path.parent()) {
                let origin = origin.to_owned();
                open.push_back(Object {
                    origin,
                    links,
                    inherited,
                });
            }
            return;
        }
    }

    /// Whether a change of this file concerns the library.
    pub(crate) fn concern(&self, path: &Path) -> bool {
        self.files.contains_key(path)
    }

    /// Whether all files are as they were.
    pub(crate) fn stand(&self) -> bool {
        self.files
            .iter()
            .all(|(path, seen)| Fingerprint::at(path) == *seen)
    }

    /// The files that are there.
    pub(crate) fn present(&self) -> impl Iterator<Item = (&Path, Fingerprint)> {
        self.files
            .iter()
            .filter_map(move |(path, seen)| seen.map(|seen| (path.as_path(), seen)))
    }

    /// The folder that a library lies in, without links.
    pub(crate) fn folder(&self, library: &Path) -> PathBuf {
        let folder = library.parent().unwrap_or(Path::new("/"));
        folder.canonicalize().unwrap_or_else(|_| folder.to_owned())
    }

    /// The folder above the library's own that holds everything that run paths name.
    pub(crate) fn root(&self, library: &Path) -> PathBuf {
        let own = self.folder(library);
        let mut root = own.parent().unwrap_or(&own);
        let files = self.present().filter_map(|(path, _)| path.parent());
        for folder in files.chain(self.folders.iter().map(PathBuf::as_path)) {
            while !folder.starts_with(root) {
                match root.parent() {
                    Some(above) => root = above,
                    None => break,
                }
            }
        }
        root.to_owned()
    }
}

/// A path of a run path that begins with the folder of the library that names it.
fn expand(path: &str, origin: &Path) -> Option<PathBuf> {
    let rest = path
        .strip_prefix("$ORIGIN")
        .or_else(|| path.strip_prefix("${ORIGIN}"))?;
    match rest.strip_prefix('/') {
        Some(below) => Some(origin.join(below)),
        None => rest.is_empty().then(|| origin.to_owned()),
    }
}

/// The path with no links and no `..` but in its last part.
fn canonical_folder(path: &Path) -> PathBuf {
    let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else {
        return path.to_owned();
    };
    folder
        .canonicalize()
        .map_or_else(|_| path.to_owned(), |folder| folder.join(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_begins_with_the_origin_is_followed() {
        let origin = Path::new("/home/agents");
        let cases = [
            ("$ORIGIN", Some("/home/agents")),
            ("${ORIGIN}", Some("/home/agents")),
            ("$ORIGIN/", Some("/home/agents/")),
            ("$ORIGIN/../lib", Some("/home/agents/../lib")),
            ("${ORIGIN}/deps", Some("/home/agents/deps")),
            ("$ORIGINAL", None),
            ("/usr/lib", None),
            ("", None),
        ];
        for (path, wanted) in cases {
            assert_eq!(expand(path, origin), wanted.map(PathBuf::from), "{path}");
        }
    }
}
