//! The data folder of a server: a given one (`--data`), or a temporary one that is removed with the process.
//!
//! Each running server holds a lock on its folder, which the system releases when the process ends,
//! however it ends. A temporary folder whose lock is free was left by a killed server: the next server
//! without `--data` removes it. In a given folder, the next server removes partial uploads only.

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::error::LocalError;
use crate::media::PART;
use crate::private;

/// Temporary folders begin with this.
const PREFIX: &str = "workbench-local-";
const LOCK: &str = "lock";
/// The files that a server keeps in its folder.
const OWN: [&str; 9] = [
    LOCK,
    super::open::DATABASE,
    "project.db-wal",
    "project.db-shm",
    "project.db-journal",
    "project.unfinished",
    super::open::KEY,
    super::open::SECRET,
    super::open::TOKEN,
];
/// The folder of uploaded files.
pub(super) const UPLOADS: &str = "uploads";
/// Attempts to lock a new folder before another server removes it as a leftover.
const TRIES: usize = 8;

/// A folder that no other server uses.
pub(super) struct Folder {
    pub path: PathBuf,
    /// Keeps other servers out; released when the process ends.
    _lock: File,
    /// Removed together with the server.
    scratch: Option<TempDir>,
}

impl Folder {
    /// The given folder, created if needed, or a temporary one.
    pub(super) fn open(data: Option<&Path>) -> Result<Self, LocalError> {
        match data {
            Some(folder) => Self::own(folder),
            None => Self::temporary(&std::env::temp_dir()),
        }
    }

    /// Whether the folder is removed with the process.
    pub(super) fn is_temporary(&self) -> bool {
        self.scratch.is_some()
    }

    fn own(folder: &Path) -> Result<Self, LocalError> {
        if is_shared(folder) {
            return Err(LocalError::content(
                folder,
                "this folder is shared with other users (sticky bit set); use a folder of your own, e.g. a new one inside it",
            ));
        }
        // An existing one may be a link; its target is restricted below.
        if !folder.is_dir() {
            private::folder(folder)
                .map_err(|e| LocalError::file("cannot make the folder", folder, e))?;
        }
        let path = folder
            .canonicalize()
            .map_err(|e| LocalError::file("cannot open", folder, e))?;
        let lock = lock(&path)?.ok_or_else(|| in_use(&path))?;
        remove_parts(&path.join(UPLOADS));
        restrict(&path);
        Ok(Self {
            path,
            _lock: lock,
            scratch: None,
        })
    }

    fn temporary(base: &Path) -> Result<Self, LocalError> {
        for _ in 0..TRIES {
            let mut builder = tempfile::Builder::new();
            builder.prefix(PREFIX);
            #[cfg(unix)]
            builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700));
            let scratch = builder
                .tempdir_in(base)
                .map_err(|e| LocalError::file("cannot make a folder in", base, e))?;
            let path = scratch.path().to_owned();
            private::restrict(&path)
                .map_err(|e| LocalError::file("cannot change the mode of", &path, e))?;
            // Before it was locked, another server may have removed it as a leftover.
            if let Ok(Some(lock)) = lock(&path)
                && path.join(LOCK).exists()
            {
                sweep(base, &path);
                return Ok(Self {
                    path,
                    _lock: lock,
                    scratch: Some(scratch),
                });
            }
        }
        Err(LocalError::content(
            base,
            "no temporary folder could be locked there; choose a folder with --data",
        ))
    }
}

/// Whether the folder is shared with other users, like `/tmp`. Its mode must not change.
fn is_shared(folder: &Path) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        fs::metadata(folder).is_ok_and(|f| f.permissions().mode() & 0o1002 == 0o1002)
    }
    #[cfg(not(unix))]
    false
}

/// Restricts the folder and the server's files in it to the owner: an older server, or a person, may have
/// created them with a wider mode. A failure is logged.
fn restrict(folder: &Path) {
    let uploads = folder.join(UPLOADS);
    let uploaded = fs::read_dir(&uploads).into_iter().flatten().flatten();
    let own = OWN.iter().map(|name| folder.join(name));
    let all = [folder.to_owned(), uploads.clone()].into_iter().chain(own);
    for path in all.chain(uploaded.map(|e| e.path())) {
        if let Err(error) = private::restrict(&path) {
            tracing::warn!(path = %path.display(), %error, "cannot restrict the mode; other users may be able to read this");
        }
    }
}

/// Removes a server's folder with everything in it. Does nothing if the folder is missing.
///
/// # Errors
/// A running server has it open, or it cannot be removed.
pub fn remove_data(folder: &Path) -> Result<(), LocalError> {
    if !folder.exists() {
        return Ok(());
    }
    // Held until everything is removed: no server may start in between.
    let _lock = lock(folder)?.ok_or_else(|| in_use(folder))?;
    fs::remove_dir_all(folder).map_err(|e| LocalError::file("cannot remove", folder, e))
}

fn in_use(folder: &Path) -> LocalError {
    LocalError::content(
        folder,
        "another server has this folder open; stop it, or choose another --data folder",
    )
}

/// Locks a folder; `None` if another process holds the lock.
fn lock(folder: &Path) -> Result<Option<File>, LocalError> {
    let path = folder.join(LOCK);
    let file = private::file(&path).map_err(|e| LocalError::file("cannot write", &path, e))?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(e)) => Err(LocalError::file("cannot lock", &path, e)),
    }
}

/// Removes partial uploads of a killed server, which were never acknowledged. Failures are ignored.
fn remove_parts(uploads: &Path) {
    let Ok(entries) = fs::read_dir(uploads) else {
        return;
    };
    for entry in entries.flatten() {
        let is_part = entry
            .file_name()
            .to_str()
            .is_some_and(|n| n.starts_with(PART));
        if is_part && fs::remove_file(entry.path()).is_ok() {
            tracing::info!(path = %entry.path().display(), "removed a partial upload");
        }
    }
}

/// Removes the folders of killed servers. Failures are ignored.
fn sweep(base: &Path, own: &Path) {
    let Ok(entries) = fs::read_dir(base) else {
        return;
    };
    for path in entries.flatten().map(|e| e.path()) {
        let named = path
            .file_name()
            .and_then(|n| n.to_str())
            .is_some_and(|n| n.starts_with(PREFIX));
        if named && path != own && same_owner(&path, own) && is_dead(&path) {
            tracing::info!(path = %path.display(), "removed the folder of a killed server");
        }
    }
}

/// Removes the folder if its lock is free, and returns whether it did. A folder without a lock file is not
/// a server's, or not yet.
fn is_dead(folder: &Path) -> bool {
    let Ok(file) = File::open(folder.join(LOCK)) else {
        return false;
    };
    file.try_lock().is_ok() && fs::remove_dir_all(folder).is_ok()
}

/// Whether both are real folders of the same user. Links are never followed.
#[cfg(unix)]
fn same_owner(one: &Path, other: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    let owner = |path: &Path| {
        let facts = fs::symlink_metadata(path).ok()?;
        facts.is_dir().then(|| facts.uid())
    };
    owner(one).is_some_and(|uid| owner(other) == Some(uid))
}

/// Whether both are real folders of the same user. False where owners are unknown.
#[cfg(not(unix))]
fn same_owner(_one: &Path, _other: &Path) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_folder_of_a_killed_server_is_removed_and_that_of_a_running_one_stays() {
        let base = tempfile::tempdir().unwrap();
        let living = Folder::temporary(base.path()).unwrap();
        let dead = base.path().join(format!("{PREFIX}dead"));
        let foreign = base.path().join(format!("{PREFIX}foreign"));
        let other = base.path().join("other");
        for folder in [&dead, &foreign, &other] {
            fs::create_dir(folder).unwrap();
        }
        for folder in [&dead, &other] {
            fs::write(folder.join(LOCK), b"").unwrap();
            fs::write(folder.join("project.db"), b"x").unwrap();
        }
        let new = Folder::temporary(base.path()).unwrap();
        assert!(!dead.exists(), "its lock is free");
        assert!(living.path.join(LOCK).exists() && new.path.join(LOCK).exists());
        assert!(foreign.exists(), "it has no lock file");
        assert!(other.exists(), "its name has another prefix");
        let path = new.path.clone();
        drop(new);
        assert!(!path.exists(), "it is removed with its server");
    }

    #[test]
    fn partial_uploads_are_removed_and_complete_ones_stay() {
        let base = tempfile::tempdir().unwrap();
        let uploads = base.path().join(UPLOADS);
        fs::create_dir(&uploads).unwrap();
        let (part, whole) = (
            uploads.join(format!("{PART}aB3")),
            uploads.join("6a1f0c52-3b58-4c35-9d0b-0d6a4f1e7a01"),
        );
        for file in [&part, &whole] {
            fs::write(file, b"x").unwrap();
        }
        let held = Folder::open(Some(base.path())).unwrap();
        assert!(!part.exists() && whole.exists());
        // While a server has the folder open, partial uploads are in progress.
        fs::write(&part, b"x").unwrap();
        assert!(Folder::open(Some(base.path())).is_err() && part.exists());
        drop(held);
    }

    #[cfg(unix)]
    #[test]
    fn a_link_into_another_folder_is_left_alone() {
        let (base, target) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        fs::write(target.path().join(LOCK), b"").unwrap();
        let link = base.path().join(format!("{PREFIX}link"));
        std::os::unix::fs::symlink(target.path(), &link).unwrap();
        let _new = Folder::temporary(base.path()).unwrap();
        assert!(target.path().join(LOCK).exists() && link.symlink_metadata().is_ok());
    }

    #[test]
    fn only_one_server_at_a_time_opens_a_folder() {
        let base = tempfile::tempdir().unwrap();
        let first = Folder::open(Some(base.path())).unwrap();
        let refusal = Folder::open(Some(base.path())).err().unwrap().to_string();
        assert!(refusal.contains("another server"), "{refusal}");
        let refusal = remove_data(base.path()).unwrap_err().to_string();
        assert!(refusal.contains("another server"), "{refusal}");
        drop(first);
        Folder::open(Some(base.path())).unwrap();
        remove_data(base.path()).unwrap();
        assert!(!base.path().exists());
        remove_data(base.path()).unwrap();
    }
}
