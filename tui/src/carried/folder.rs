//! A folder that holds carried sources: what a newer program replaces in it, and which files a person has changed
//! since. A record in the folder has the hash of each file as it was written. Whether changed files are refused, moved
//! away or lost is left to the callers.

use super::{Files, VERSION};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::io;
use std::path::{Component, Path, PathBuf};
use wb_core::error::{Error, ErrorKind};
use wb_core::text::clean;

/// The record's name. It belongs to the sources: whoever commits them commits it too.
const RECORD: &str = ".workbench-sources.json";
/// Largest record, in bytes.
const LARGEST: u64 = 4 << 20;

/// What was written last.
#[derive(Serialize, Deserialize, Debug, Default, PartialEq, Eq)]
struct Record {
    version: String,
    /// SHA-256 of each file.
    files: BTreeMap<String, String>,
}

/// Carried sources and the folder that they belong in.
pub struct SourceFolder {
    dir: PathBuf,
    files: Files,
    /// `None`: nothing was written here, or the record is gone.
    before: Option<Record>,
}

impl SourceFolder {
    /// Reads the record, if there is one.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn open(dir: &Path, files: Files) -> Result<Self, Error> {
        let record = dir.join(RECORD);
        let unreadable = |why: String| {
            let text = format!("cannot read {}: {why}", record.display());
            Error::new(ErrorKind::Settings, text)
        };
        let before: Option<Record> = match wb_host::read_named_text(&record, LARGEST) {
            Ok(text) => Some(serde_json::from_str(&text).map_err(|e| unreadable(e.to_string()))?),
            Err(_) if record.symlink_metadata().is_err() => None,
            Err(error) => return Err(unreadable(error.to_string())),
        };
        // It comes with whatever a person cloned; files that it names are removed.
        let mut names = before.iter().flat_map(|record| record.files.keys());
        if let Some(name) = names.find(|name| !is_inside(name)) {
            return Err(unreadable(format!("it names {}", clean(name))));
        }
        Ok(Self {
            dir: dir.to_owned(),
            files,
            before,
        })
    }

    /// Version of the sources that were written last.
    #[must_use]
    pub fn version(&self) -> Option<&str> {
        self.before.as_ref().map(|record| record.version.as_str())
    }

    /// Whether other sources were written last.
    #[must_use]
    pub fn is_outdated(&self) -> bool {
        self.before.as_ref() != Some(&self.record())
    }

    /// Files that writing would replace or remove although they are not as they were written. One that has
    /// its new content already, or that is gone, loses nothing.
    #[must_use]
    pub fn edited(&self) -> Vec<String> {
        let written = self.before.as_ref().map(|record| &record.files);
        let names = self
            .files
            .keys()
            .chain(written.into_iter().flat_map(|w| w.keys()));
        let mut edited: Vec<String> = names
            .filter(|name| {
                let Some(there) = self.content(name) else {
                    return false;
                };
                let hash = written.and_then(|w| w.get(*name));
                self.files.get(*name) != Some(&there) && hash != Some(&hash_of(&there))
            })
            .cloned()
            .collect();
        edited.sort();
        edited.dedup();
        edited
    }

    /// Writes each file that differs, removes those that are no longer carried, and returns how many.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub fn write(&self) -> Result<usize, Error> {
        let mut changed = 0;
        for (name, content) in &self.files {
            if self.content(name).as_ref() != Some(content) {
                changed += 1;
                self.put(name, content)?;
            }
        }
        let gone = self.before.iter().flat_map(|record| record.files.keys());
        for name in gone.filter(|name| !self.files.contains_key(*name)) {
            changed += usize::from(std::fs::remove_file(self.dir.join(name)).is_ok());
        }
        if self.is_outdated() {
            let mut record = serde_json::to_vec_pretty(&self.record()).unwrap_or_default();
            record.push(b'\n');
            self.put(RECORD, &record)?;
        }
        Ok(changed)
    }

    /// Writes the files that are not there.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub fn restore(&self) -> Result<(), Error> {
        let missing = |name: &str| self.dir.join(name).symlink_metadata().is_err();
        for (name, content) in self.files.iter().filter(|(name, _)| missing(name)) {
            self.put(name, content)?;
        }
        Ok(())
    }

    /// Moves files into a new folder beside the others, and returns its path.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub fn move_away(&self, names: &[String]) -> Result<PathBuf, Error> {
        let aside = (1..u32::MAX)
            .map(|n| self.dir.join(format!("edited-{n}")))
            .find(|dir| dir.symlink_metadata().is_err())
            .unwrap_or_else(|| self.dir.join("edited"));
        for name in names {
            let (from, to) = (self.dir.join(name), aside.join(name));
            let folder = to.parent().unwrap_or(&aside);
            std::fs::create_dir_all(folder)
                .and_then(|()| std::fs::rename(&from, &to))
                .map_err(|error| failed("move", &from, &error))?;
        }
        Ok(aside)
    }

    fn record(&self) -> Record {
        let hashes = self.files.iter();
        Record {
            version: VERSION.to_owned(),
            files: hashes.map(|(name, c)| (name.clone(), hash_of(c))).collect(),
        }
    }

    /// `None` when it is not there. A file that cannot be read counts as changed.
    fn content(&self, name: &str) -> Option<Vec<u8>> {
        let path = self.dir.join(name);
        match std::fs::read(&path) {
            Ok(content) => Some(content),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => Some(error.to_string().into_bytes()),
        }
    }

    /// In one step: a program that reads the file meanwhile sees the old or the new content.
    fn put(&self, name: &str, content: &[u8]) -> Result<(), Error> {
        let path = self.dir.join(name);
        let part = path.with_extension(format!("part-{}", std::process::id()));
        std::fs::create_dir_all(path.parent().unwrap_or(&self.dir))
            .and_then(|()| std::fs::write(&part, content))
            .and_then(|()| std::fs::rename(&part, &path))
            .map_err(|error| failed("write", &path, &error))
    }
}

/// Whether a name is one of a file in the folder, however it is written.
fn is_inside(name: &str) -> bool {
    let path = Path::new(name);
    path.components()
        .all(|part| matches!(part, Component::Normal(_)))
}

fn hash_of(content: &[u8]) -> String {
    let hash = Sha256::digest(content);
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn failed(what: &str, path: &Path, error: &io::Error) -> Error {
    let text = format!("cannot {what} {}: {error}", path.display());
    Error::new(ErrorKind::Settings, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(all: &[(&str, &str)]) -> Files {
        all.iter()
            .map(|(name, text)| ((*name).to_owned(), text.as_bytes().to_vec()))
            .collect()
    }

    fn read(dir: &Path, name: &str) -> Option<String> {
        std::fs::read_to_string(dir.join(name)).ok()
    }

    #[test]
    fn newer_sources_replace_older_ones_and_leave_other_files_alone() {
        let dir = tempfile::tempdir().unwrap();
        let dir = dir.path();
        let old = files(&[("src/a.rs", "a1"), ("src/b.rs", "b1"), ("c", "c1")]);
        let first = SourceFolder::open(dir, old.clone()).unwrap();
        assert_eq!((first.version(), first.write().unwrap()), (None, 3));
        std::fs::write(dir.join("src/own.rs"), "own").unwrap();
        let again = SourceFolder::open(dir, old).unwrap();
        assert!(!again.is_outdated() && again.version() == Some(VERSION));
        assert_eq!(again.write().unwrap(), 0);

        let new = SourceFolder::open(dir, files(&[("src/a.rs", "a2"), ("c", "c1")])).unwrap();
        assert!(new.is_outdated() && new.edited().is_empty());
        assert_eq!(new.write().unwrap(), 2);
        assert_eq!(read(dir, "src/a.rs").as_deref(), Some("a2"));
        assert_eq!(read(dir, "src/b.rs"), None);
        assert_eq!(read(dir, "src/own.rs").as_deref(), Some("own"));
    }

    #[test]
    fn files_that_a_person_changed_are_known_and_can_be_moved_away() {
        let dir = tempfile::tempdir().unwrap();
        let dir = dir.path();
        let old = files(&[("a", "a1"), ("b", "b1"), ("c", "c1"), ("d", "d1")]);
        SourceFolder::open(dir, old).unwrap().write().unwrap();
        std::fs::write(dir.join("a"), "mine").unwrap();
        std::fs::write(dir.join("b"), "b2").unwrap();
        std::fs::write(dir.join("c"), "mine too").unwrap();
        std::fs::write(dir.join("e"), "not recorded").unwrap();
        std::fs::remove_file(dir.join("d")).unwrap();
        let new = files(&[("a", "a2"), ("b", "b2"), ("d", "d2"), ("e", "e2")]);
        let new = SourceFolder::open(dir, new).unwrap();
        assert_eq!(new.edited(), ["a", "c", "e"]);
        let aside = new.move_away(&new.edited()).unwrap();
        new.write().unwrap();
        assert_eq!(read(&aside, "a").as_deref(), Some("mine"));
        assert_eq!(read(&aside, "c").as_deref(), Some("mine too"));
        assert_eq!(read(dir, "a").as_deref(), Some("a2"));
        assert!(new.edited().is_empty());
        std::fs::write(dir.join("a"), "mine again").unwrap();
        assert_ne!(new.move_away(&new.edited()).unwrap(), aside);
    }

    #[test]
    fn without_a_record_every_file_that_differs_counts_as_changed() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("a"), "a1").unwrap();
        std::fs::write(dir.path().join("b"), "other").unwrap();
        let folder = SourceFolder::open(dir.path(), files(&[("a", "a1"), ("b", "b1")])).unwrap();
        assert_eq!(folder.edited(), ["b"]);
        for damaged in ["{", r#"{"version": "1", "files": {"../own.rs": ""}}"#] {
            std::fs::write(dir.path().join(RECORD), damaged).unwrap();
            assert!(
                SourceFolder::open(dir.path(), Files::new()).is_err(),
                "{damaged}"
            );
        }
    }
}
