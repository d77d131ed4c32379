//! Whose writes are under way, and whose process is gone. Numbers of processes are given out again, after
//! a crash in a container even the same one at once; so each process that opens a journal holds a lock on
//! a file of its own, which ends with it however it ends.

use std::collections::HashMap;
use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// The folder of the files, beside the journal.
const FOLDER: &str = "alive";
/// Names of holders are larger than any number of a process, which older journals have.
const PROCESSES: i64 = u32::MAX as i64;

/// What this process holds, by folder.
static HELD: Mutex<Option<HashMap<PathBuf, (i64, File)>>> = Mutex::new(None);

/// The name under which this process writes into the journal of a folder. Where the folder knows no locks
/// it is the number of the process.
pub(super) fn me(dir: &Path) -> i64 {
    let mut held = HELD.lock().unwrap_or_else(PoisonError::into_inner);
    let held = held.get_or_insert_default();
    let key = dir.canonicalize().unwrap_or_else(|_| dir.to_owned());
    // A folder may have been removed and made again meanwhile.
    if let Some((name, file)) = held.get(&key)
        && stands(file, &path(&key, *name))
    {
        return *name;
    }
    match hold(&key) {
        Ok((name, file)) => {
            sweep(&key, name);
            held.insert(key, (name, file));
            name
        }
        Err(error) => {
            tracing::warn!(%error, "no lock can be held beside the journal");
            i64::from(std::process::id())
        }
    }
}

/// Whether the process of this name lives.
pub(super) fn alive(dir: &Path, name: i64) -> bool {
    if name <= PROCESSES {
        return i32::try_from(name)
            .ok()
            .and_then(rustix::process::Pid::from_raw)
            .is_some_and(|pid| rustix::process::test_kill_process(pid).is_ok());
    }
    match File::open(path(dir, name)) {
        Ok(file) => matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)),
        Err(_) => false,
    }
}

fn path(dir: &Path, name: i64) -> PathBuf {
    dir.join(FOLDER).join(name.to_string())
}

fn hold(dir: &Path) -> std::io::Result<(i64, File)> {
    let mut folder = DirBuilder::new();
    folder.recursive(true).mode(0o700);
    folder.create(dir.join(FOLDER))?;
    loop {
        let name = new_name();
        let path = path(dir, name);
        let mut options = OpenOptions::new();
        options.write(true).create_new(true).mode(0o600);
        let file = match options.open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => continue,
            Err(error) => return Err(error),
        };
        // Another process may look at the file, or sweep it away, before it is locked.
        match file.try_lock() {
            Ok(()) if stands(&file, &path) => return Ok((name, file)),
            Ok(()) | Err(TryLockError::WouldBlock) => {}
            Err(TryLockError::Error(error)) => return Err(error),
        }
    }
}

/// A name that no other process has. No clock is asked: it may be wrong, even before 1970.
fn new_name() -> i64 {
    let random = uuid::Uuid::new_v4().as_u64_pair().0 >> 1;
    i64::try_from(random).unwrap_or(i64::MAX).max(PROCESSES + 1)
}

/// Whether a file still has its name.
fn stands(file: &File, path: &Path) -> bool {
    file.metadata()
        .is_ok_and(|file| identity(path) == Some((file.dev(), file.ino())))
}

/// Device and number of the file of this name.
pub(super) fn identity(path: &Path) -> Option<(u64, u64)> {
    let found = std::fs::metadata(path).ok()?;
    Some((found.dev(), found.ino()))
}

/// Removes the files of processes that are gone.
fn sweep(dir: &Path, me: i64) {
    let Ok(files) = std::fs::read_dir(dir.join(FOLDER)) else {
        return;
    };
    for found in files.flatten() {
        let name = found.file_name().to_str().and_then(|n| n.parse().ok());
        if name.is_some_and(|name: i64| name != me)
            && let Ok(file) = File::open(found.path())
            && file.try_lock().is_ok()
        {
            let _ = std::fs::remove_file(found.path());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_lives_as_long_as_its_lock_and_is_swept_away_later() {
        let dir = tempfile::tempdir().unwrap();
        let mine = me(dir.path());
        assert_eq!(me(dir.path()), mine, "one name for one process");
        assert!(alive(dir.path(), mine));
        let (other, file) = hold(dir.path()).unwrap();
        assert!(alive(dir.path(), other) && other != mine);
        sweep(dir.path(), mine);
        assert!(path(dir.path(), other).exists(), "it lives");
        drop(file);
        assert!(!alive(dir.path(), other));
        sweep(dir.path(), mine);
        assert!(!path(dir.path(), other).exists() && alive(dir.path(), mine));
    }

    #[test]
    fn numbers_of_processes_in_older_journals_are_still_known() {
        let dir = tempfile::tempdir().unwrap();
        assert!(alive(dir.path(), i64::from(std::process::id())));
        assert!(!alive(dir.path(), i64::from(i32::MAX)));
    }
}
