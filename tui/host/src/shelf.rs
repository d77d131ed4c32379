//! Copies of libraries that nobody but the workbench can change.
//!
//! A loaded library whose file is overwritten in place crashes its process, and one that was
//! deleted gives empty backtraces: hosts open copies, kept until the last host that has one open
//! is gone.

use crate::sys::exit;
use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// One copy; its file is deleted with the last reference.
#[derive(Debug)]
pub(crate) struct StagedCopy {
    path: PathBuf,
    ours: bool,
}

impl StagedCopy {
    /// A file that somebody else keeps.
    pub(crate) fn foreign(path: PathBuf) -> Arc<Self> {
        Arc::new(Self { path, ours: false })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for StagedCopy {
    fn drop(&mut self) {
        if self.ours {
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// The folder of this process.
pub(crate) struct Shelf {
    dir: PathBuf,
    next: AtomicU64,
}

impl Shelf {
    /// Makes this process's folder in `root` and clears away those of dead processes.
    pub(crate) fn open(root: &Path) -> io::Result<Self> {
        let mut private = fs::DirBuilder::new();
        private.recursive(true).mode(0o700);
        private.create(root)?;
        clear_dead(root);
        // Libraries must be named absolutely: the loader searches for bare names elsewhere.
        let dir = std::path::absolute(root)?.join(std::process::id().to_string());
        private.create(&dir)?;
        Ok(Self {
            dir,
            next: AtomicU64::new(1),
        })
    }

    /// Writes a copy that appears under its name only when it is whole.
    pub(crate) fn put(
        &self,
        library: &Path,
        hash: &str,
        content: &[u8],
    ) -> io::Result<Arc<StagedCopy>> {
        let stem = library.file_stem().map(|s| s.to_string_lossy());
        let stem = stem.as_deref().unwrap_or("library");
        let ending = std::env::consts::DLL_SUFFIX;
        loop {
            let n = self.next.fetch_add(1, Ordering::Relaxed);
            let path = self.dir.join(format!("{stem}-{hash}-{n}{ending}"));
            let partial = path.with_extension("tmp");
            let file = fs::OpenOptions::new()
                .write(true)
                .create_new(true)
                .mode(0o600)
                .open(&partial);
            let mut file = match file {
                Err(e) if e.kind() == io::ErrorKind::AlreadyExists => continue,
                other => other?,
            };
            let written = file
                .write_all(content)
                .and_then(|()| fs::rename(&partial, &path));
            if let Err(error) = written {
                let _ = fs::remove_file(&partial);
                return Err(error);
            }
            return Ok(Arc::new(StagedCopy { path, ours: true }));
        }
    }
}

impl Drop for Shelf {
    fn drop(&mut self) {
        let _ = fs::remove_dir(&self.dir); // only when it is empty
    }
}

fn clear_dead(root: &Path) {
    for entry in fs::read_dir(root).into_iter().flatten().flatten() {
        let pid = entry.file_name().to_str().and_then(|n| n.parse().ok());
        if pid.is_some_and(|pid| !exit::exists(pid)) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_lives_as_long_as_somebody_holds_it() {
        let root = tempfile::tempdir().unwrap();
        let shelf = Shelf::open(root.path()).unwrap();
        let copy = shelf
            .put(Path::new("/x/libagent.so"), "abc", b"content")
            .unwrap();
        let other = Arc::clone(&copy);
        let path = copy.path().to_owned();
        drop(copy);
        assert_eq!(fs::read(&path).unwrap(), b"content");
        drop(other);
        assert!(!path.exists());
    }

    #[test]
    fn folders_of_dead_processes_are_cleared_and_others_are_left() {
        let root = tempfile::tempdir().unwrap();
        let mut child = std::process::Command::new("true").spawn().unwrap();
        let dead = child.id();
        child.wait().unwrap();
        for name in [dead.to_string(), "1".into(), "notes".into()] {
            fs::create_dir(root.path().join(&name)).unwrap();
            fs::write(root.path().join(&name).join("f"), b"x").unwrap();
        }
        let _shelf = Shelf::open(root.path()).unwrap();
        assert!(!root.path().join(dead.to_string()).exists());
        assert!(root.path().join("1").exists());
        assert!(root.path().join("notes").exists());
    }
}
