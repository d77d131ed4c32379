//! The library store: copies of libraries that nobody but the workbench can change.
//!
//! A loaded library whose file is overwritten in place crashes its process, and one that was
//! deleted gives empty backtraces: hosts open copies, kept until the last host that has one open
//! is gone. Each copy lies in a folder like the original's: the libraries that it needs from there
//! are copied too, everything else beside it is linked, so that `$ORIGIN` and `dladdr` lead to the
//! same places.

use crate::companions::Companions;
use crate::files::Fingerprint;
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::hash::{BuildHasher, RandomState};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, symlink};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// Entries of one folder that are linked; in larger ones the rest is not found by `$ORIGIN`.
const LINKS: usize = 10_000;

/// One copy; its folder is deleted with the last reference.
#[derive(Debug)]
pub(crate) struct StagedCopy {
    path: PathBuf,
    /// `None` when somebody else keeps it.
    folder: Option<PathBuf>,
}

impl StagedCopy {
    /// A file that somebody else keeps.
    pub(crate) fn foreign(path: PathBuf) -> Arc<Self> {
        Arc::new(Self { path, folder: None })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for StagedCopy {
    fn drop(&mut self) {
        if let Some(folder) = &self.folder {
            let _ = fs::remove_dir_all(folder);
        }
    }
}

/// A library that another one needs, as it was when it was copied.
struct Kept {
    copy: PathBuf,
    hash: String,
}

/// The folder of this process, which it holds by a lock: numbers of processes mean nothing to
/// another container.
pub(crate) struct LibraryStore {
    dir: PathBuf,
    lock: File,
    next: AtomicU64,
    /// Copies of needed libraries: each content is copied once, and linked by those that need it.
    kept: Mutex<HashMap<Fingerprint, Kept>>,
}

impl LibraryStore {
    /// Makes this process's folder in `root` and clears away those that nobody holds.
    pub(crate) fn open(root: &Path) -> io::Result<Self> {
        make_private(root)?;
        // Libraries must be named absolutely: the loader searches for bare names elsewhere.
        let root = std::path::absolute(root)?;
        let (dir, lock) = hold(&root)?;
        clear_abandoned(&root, &dir);
        make_private(&dir.join("needed"))?;
        Ok(Self {
            dir,
            lock,
            next: AtomicU64::new(1),
            kept: Mutex::default(),
        })
    }

    /// Copies the needed libraries, unless they are here already; returns the content of all of them
    /// by one hash, empty when there is none.
    pub(crate) fn keep(&self, companions: &Companions) -> io::Result<String> {
        let mut all = Sha256::new();
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        for (path, fingerprint) in companions.present() {
            let one = match kept.entry(fingerprint) {
                Entry::Occupied(known) => known.into_mut(),
                Entry::Vacant(new) => {
                    let copy = self.dir.join("needed").join(self.number());
                    let hash = copy_and_hash(path, fingerprint, &copy)?;
                    new.insert(Kept { copy, hash })
                }
            };
            all.update(path.as_os_str().as_encoded_bytes());
            all.update(one.hash.as_bytes());
        }
        let any = companions.present().next().is_some();
        Ok(if any {
            hex(&all.finalize())
        } else {
            String::new()
        })
    }

    /// Writes a copy of a library; what it needs must have been [kept](Self::keep).
    pub(crate) fn put(
        &self,
        library: &Path,
        content: &[u8],
        companions: &Companions,
    ) -> io::Result<Arc<StagedCopy>> {
        let folder = self.dir.join(self.number());
        // From here on whatever goes wrong takes the folder with it.
        let mut staged = StagedCopy {
            path: PathBuf::new(),
            folder: Some(folder.clone()),
        };
        let name = library.file_name().unwrap_or(library.as_os_str());
        let mirror = Mirror {
            original: companions.root(library),
            copy: folder,
        };
        make_private(&mirror.copy)?;
        link_all(&mirror.original, &mirror.copy);
        staged.path = mirror.place(&companions.folder(library))?.join(name);
        fresh(&staged.path)?.write_all(content)?;
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        for (path, fingerprint) in companions.present() {
            let (Some(parent), Some(name), Some(one)) =
                (path.parent(), path.file_name(), kept.get(&fingerprint))
            else {
                continue;
            };
            let here = mirror.place(parent)?.join(name);
            remove(&here)?;
            fs::hard_link(&one.copy, &here).or_else(|_| fs::copy(&one.copy, &here).map(drop))?;
        }
        kept.retain(|_, one| {
            let used = fs::metadata(&one.copy).is_ok_and(|m| m.nlink() > 1);
            used || fs::remove_file(&one.copy).is_err()
        });
        Ok(Arc::new(staged))
    }

    fn number(&self) -> String {
        self.next.fetch_add(1, Ordering::Relaxed).to_string()
    }
}

impl Drop for LibraryStore {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(self.dir.join("needed"));
        // Only when it is empty: hosts may still have copies open.
        if fs::remove_dir(&self.dir).is_ok() {
            let _ = fs::remove_file(lock_of(&self.dir));
        }
        let _ = self.lock.unlock();
    }
}

/// A folder of the store that looks like an original one, as far down as it has been made.
struct Mirror {
    original: PathBuf,
    copy: PathBuf,
}

impl Mirror {
    /// The copy's counterpart of a folder below the original: a folder of its own with links, not a
    /// link itself.
    fn place(&self, folder: &Path) -> io::Result<PathBuf> {
        let mut original = self.original.clone();
        let mut copy = self.copy.clone();
        let below = folder.strip_prefix(&self.original);
        for part in below.map_err(io::Error::other)?.components() {
            original.push(part);
            copy.push(part);
            if fs::symlink_metadata(&copy).is_ok_and(|m| m.is_dir()) {
                continue;
            }
            remove(&copy)?;
            make_private(&copy)?;
            link_all(&original, &copy);
        }
        Ok(copy)
    }
}

/// Links everything in one folder into another. What cannot be linked is not found there.
fn link_all(from: &Path, into: &Path) {
    let entries = fs::read_dir(from).into_iter().flatten().flatten();
    for entry in entries.take(LINKS) {
        let _ = symlink(entry.path(), into.join(entry.file_name()));
    }
}

fn make_private(dir: &Path) -> io::Result<()> {
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(dir)
}

fn remove(file: &Path) -> io::Result<()> {
    match fs::remove_file(file) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => Err(e),
        _ => Ok(()),
    }
}

/// A new file in place of whatever is there.
fn fresh(path: &Path) -> io::Result<File> {
    remove(path)?;
    let mut options = OpenOptions::new();
    options.write(true).create_new(true).mode(0o600).open(path)
}

/// Copies a file that must stay as it is meanwhile; gives the hash of its content.
fn copy_and_hash(from: &Path, fingerprint: Fingerprint, to: &Path) -> io::Result<String> {
    let mut original = crate::files::open_regular(from)?;
    let mut copy = fresh(to)?;
    let mut hash = Sha256::new();
    let mut chunk = vec![0; 1 << 20];
    loop {
        match original.read(&mut chunk) {
            Ok(0) => break,
            Ok(n) => {
                hash.update(&chunk[..n]);
                copy.write_all(&chunk[..n])?;
            }
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
    if Fingerprint::of(&original.metadata()?) != fingerprint {
        let _ = fs::remove_file(to);
        return Err(io::ErrorKind::ResourceBusy.into());
    }
    Ok(hex(&hash.finalize()))
}

/// First 16 hex digits.
pub(crate) fn hex(digest: &[u8]) -> String {
    digest[..8].iter().map(|b| format!("{b:02x}")).collect()
}

/// Begins the name of each process's folder.
pub(crate) const STORE: &str = "store-";

fn lock_of(dir: &Path) -> PathBuf {
    dir.with_extension("lock")
}

/// A new folder and the lock beside it, which ends with this process however it ends.
fn hold(root: &Path) -> io::Result<(PathBuf, File)> {
    loop {
        let random = RandomState::new().hash_one(std::process::id());
        let dir = root.join(format!("{STORE}{random:016x}"));
        let mut options = OpenOptions::new();
        options.write(true).create_new(true).mode(0o600);
        let lock = match options.open(lock_of(&dir)) {
            Ok(lock) => lock,
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists => continue,
            Err(e) => return Err(e),
        };
        match lock.try_lock() {
            // Where the file system does not support locks, nothing is cleared away either.
            Ok(()) | Err(TryLockError::Error(_)) => {}
            Err(TryLockError::WouldBlock) => continue,
        }
        // Another process may have cleared the file away before it was locked.
        let id = |m: fs::Metadata| (m.dev(), m.ino());
        let named = fs::metadata(lock_of(&dir)).map(id);
        if named.ok() == lock.metadata().map(id).ok() {
            make_private(&dir)?;
            return Ok((dir, lock));
        }
    }
}

/// Removes the folders whose locks nobody holds.
fn clear_abandoned(root: &Path, mine: &Path) {
    for entry in fs::read_dir(root).into_iter().flatten().flatten() {
        let dir = entry.path().with_extension("");
        let ours = dir
            .file_name()
            .is_some_and(|n| n.to_string_lossy().starts_with(STORE));
        if !ours || dir == mine {
            continue;
        }
        let lock = match File::open(lock_of(&dir)) {
            Ok(lock) => Some(lock),
            Err(e) if e.kind() == io::ErrorKind::NotFound => None,
            Err(_) => continue,
        };
        // The lock is made before the folder and goes after it.
        if lock.as_ref().is_none_or(|lock| lock.try_lock().is_ok()) {
            let _ = fs::remove_dir_all(&dir);
            let _ = fs::remove_file(lock_of(&dir));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(store: &LibraryStore, library: &Path, content: &[u8]) -> Arc<StagedCopy> {
        store.put(library, content, &Companions::default()).unwrap()
    }

    #[test]
    fn a_copy_lives_as_long_as_somebody_holds_it() {
        let root = tempfile::tempdir().unwrap();
        let store = LibraryStore::open(root.path()).unwrap();
        let copy = put(&store, Path::new("/x/libagent.so"), b"content");
        let other = Arc::clone(&copy);
        let path = copy.path().to_owned();
        drop(copy);
        assert_eq!(fs::read(&path).unwrap(), b"content");
        assert!(path.ends_with("libagent.so"), "it keeps its name");
        drop(other);
        assert!(!path.exists());
    }

    #[test]
    fn what_lies_beside_a_library_or_one_folder_up_is_found_from_its_copy() {
        let (root, home) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let at = |name: &str| home.path().join(name);
        fs::create_dir_all(at("agents/data")).unwrap();
        fs::create_dir_all(at("lib")).unwrap();
        fs::write(at("agents/data/model.bin"), b"model").unwrap();
        fs::write(at("agents/libagent.so"), b"original").unwrap();
        fs::write(at("lib/libother.so"), b"other").unwrap();
        let store = LibraryStore::open(root.path()).unwrap();
        let copy = put(&store, &at("agents/libagent.so"), b"copied");
        let beside = |name: &str| fs::read(copy.path().with_file_name(name)).unwrap();
        assert_eq!(beside("libagent.so"), b"copied");
        assert_eq!(beside("data/model.bin"), b"model");
        assert_eq!(beside("../lib/libother.so"), b"other");
        drop(copy);
        assert_eq!(fs::read(at("agents/libagent.so")).unwrap(), b"original");
        assert!(at("lib/libother.so").exists() && at("agents/data/model.bin").exists());
    }

    #[test]
    fn a_store_belongs_to_whoever_holds_its_lock_whatever_the_process_id() {
        let root = tempfile::tempdir().unwrap();
        let living = LibraryStore::open(root.path()).unwrap();
        let copy = put(&living, Path::new("/x/libagent.so"), b"content");
        let dead = LibraryStore::open(root.path()).unwrap();
        let left = put(&dead, Path::new("/x/libagent.so"), b"left");
        let (dir, lock) = (dead.dir.clone(), lock_of(&dead.dir));
        // As after `kill -9`: the lock is gone, everything else is there.
        dead.lock.unlock().unwrap();
        std::mem::forget((dead, Arc::clone(&left)));
        for name in ["1", "notes", "4194999"] {
            fs::create_dir(root.path().join(name)).unwrap();
        }
        let again = LibraryStore::open(root.path()).unwrap();
        assert!(!dir.exists() && !lock.exists() && !left.path().exists());
        assert_eq!(fs::read(copy.path()).unwrap(), b"content");
        assert!(
            ["1", "notes", "4194999"]
                .iter()
                .all(|n| root.path().join(n).exists())
        );
        drop((copy, living, again));
        assert_eq!(
            fs::read_dir(root.path()).unwrap().count(),
            3,
            "nothing is left behind"
        );
    }
}
