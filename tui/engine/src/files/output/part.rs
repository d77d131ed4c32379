//! The file that is written beside another one and takes its name when it is whole. Whoever writes it holds a
//! lock on it, so that what a process left that was killed is known and removed by the next one.

use std::ffi::{OsStr, OsString};
use std::fs::{File, Permissions, TryLockError};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;
use tempfile::NamedTempFile;

/// The name ends so.
const SUFFIX: &str = ".part";
/// Letters and digits between the name and its end.
const RANDOM: usize = 6;
/// Files that were taken for abandoned between their making and their lock, in a row.
const AGAIN: usize = 20;

/// Begins the file for `name` in a folder, once those that nobody writes any more are gone.
///
/// # Errors
/// It cannot be made.
pub fn begin(folder: &Path, name: &OsStr) -> std::io::Result<NamedTempFile> {
    let mut prefix = OsString::from(".");
    prefix.push(name);
    prefix.push(".");
    remove_abandoned(folder, &prefix);
    let mut again = 0;
    loop {
        let part = tempfile::Builder::new()
            .prefix(&prefix)
            .suffix(SUFFIX)
            .rand_bytes(RANDOM)
            .permissions(Permissions::from_mode(0o600))
            .tempfile_in(folder)?;
        // Where nothing can be locked, nothing is taken for abandoned either.
        let _ = part.as_file().try_lock();
        again += 1;
        if is_at(part.as_file(), part.path()) || again == AGAIN {
            return Ok(part);
        }
    }
}

/// Removes the files of processes that were killed while they wrote.
fn remove_abandoned(folder: &Path, prefix: &OsStr) {
    let is_one = |name: &OsStr| {
        let random = name.as_bytes().strip_prefix(prefix.as_bytes());
        let random = random.and_then(|rest| rest.strip_suffix(SUFFIX.as_bytes()));
        random.is_some_and(|r| r.len() == RANDOM && r.iter().all(u8::is_ascii_alphanumeric))
    };
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    for entry in entries.filter(|entry| is_one(&entry.file_name())) {
        let path = entry.path();
        if is_abandoned(&path) {
            let _ = std::fs::remove_file(&path);
        }
    }
}

/// Whether it is a plain file of this user on which nobody holds a lock.
fn is_abandoned(path: &Path) -> bool {
    let flags = rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK;
    let opened = File::options()
        .read(true)
        .custom_flags(flags.bits().cast_signed())
        .open(path);
    let Ok(file) = opened else { return false };
    let ours = |m: std::fs::Metadata| m.is_file() && m.uid() == rustix::process::geteuid().as_raw();
    // A lock of our own would go with the file: it is removed while it is held.
    let free = match file.try_lock() {
        Ok(()) => true,
        Err(TryLockError::WouldBlock | TryLockError::Error(_)) => false,
    };
    free && file.metadata().is_ok_and(ours) && is_at(&file, path)
}

/// Whether this open file is the one under that name.
fn is_at(file: &File, path: &Path) -> bool {
    let of = |m: std::fs::Metadata| (m.dev(), m.ino());
    match (file.metadata(), path.symlink_metadata()) {
        (Ok(file), Ok(there)) => of(file) == of(there),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(folder: &Path) -> Vec<String> {
        let entries = std::fs::read_dir(folder).unwrap().flatten();
        let mut names: Vec<String> = entries
            .map(|e| e.file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn what_nobody_writes_any_more_is_removed_and_everything_else_stays() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path();
        let name = OsStr::new("p.wbplan");
        let living = begin(folder, name).unwrap();
        let other = begin(folder, OsStr::new("q.wbplan")).unwrap();
        let kept = [
            ".p.wbplan.part",
            ".p.wbplan.abc.part",
            ".p.wbplan.ab-def.part",
            ".p.wbplan.abcdef.part.bak",
            "p.wbplan.abcdef.part",
            ".xp.wbplan.abcdef.part",
        ];
        for file in kept.iter().chain(&[".p.wbplan.abcdef.part"]) {
            std::fs::write(folder.join(file), "x").unwrap();
        }
        std::os::unix::fs::symlink("p.wbplan.abcdef.part", folder.join(".p.wbplan.aaaaaa.part"))
            .unwrap();
        std::fs::create_dir(folder.join(".p.wbplan.bbbbbb.part")).unwrap();
        let before = parts(folder).len();
        let mine = begin(folder, name).unwrap();
        let after = parts(folder);
        assert_eq!(after.len(), before, "one is gone, one is new: {after:?}");
        assert!(!after.contains(&".p.wbplan.abcdef.part".to_owned()));
        assert!(kept.iter().all(|file| after.contains(&(*file).to_owned())));
        for file in [&living, &other, &mine] {
            assert!(is_at(file.as_file(), file.path()));
        }
    }
}
