//! The folder for journal, caches, logs and the demo: made on first need, readable by its owner alone, and
//! ignored by git. A command that only reads does without it where it cannot be written. What is reported of a
//! folder that cannot be used is left to `unusable`.

use super::unusable::{Unusable, VARIABLE, is_noexec};
use rustix::fs::Access;
use std::fs::{DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, Once, OnceLock, PoisonError};
use tempfile::TempDir;
use wb_core::error::Error;

/// The folder, in the folder that a command is started in, unless a setting names another one.
const STATE: &str = ".workbench";
/// Rights of everybody but the owner.
const OTHERS: u32 = 0o077;
/// What keeps the folder out of git.
const IGNORE: &str = "*\n";

/// The folder that the settings name.
static NAMED: OnceLock<PathBuf> = OnceLock::new();

/// The folder in use instead, while the command runs.
static SCRATCH: Mutex<Scratch> = Mutex::new(Scratch::Refused);

enum Scratch {
    /// The state must last.
    Refused,
    /// A temporary folder will do.
    Allowed,
    /// It is in use.
    Used(TempDir),
}

/// Keeps the state in this folder from now on. The first call decides.
pub fn keep_state_in(folder: PathBuf) {
    let _ = NAMED.set(folder);
}

/// The state folder as settings or environment name it, whether it is there or not.
#[must_use]
pub fn state_folder() -> PathBuf {
    let named = NAMED.get().cloned().or_else(of_environment);
    named.unwrap_or_else(|| STATE.into())
}

/// The folder that the environment names.
pub(crate) fn of_environment() -> Option<PathBuf> {
    let named = std::env::var_os(VARIABLE).filter(|folder| !folder.is_empty());
    named.map(PathBuf::from)
}

/// A part of the state folder, made when missing.
///
/// # Errors
/// The folder cannot be made or used.
pub fn state_dir(part: &str) -> Result<PathBuf, Error> {
    let dir = root()?.join(part);
    make(&dir).map_err(|error| Unusable::because(&error).error(&dir))?;
    Ok(dir)
}

/// The folder for files of tasks and for copies of agent libraries, which are loaded from there.
///
/// # Errors
/// The folder cannot be made or used, or libraries cannot be loaded from it.
pub fn cache_dir() -> Result<PathBuf, Error> {
    let dir = state_dir("cache")?;
    if !is_noexec(&dir) {
        return Ok(dir);
    }
    let refused = Unusable::NoExec.error(&dir);
    // Where the state need not last, libraries are loaded from a temporary folder.
    if !use_scratch(&mut scratch()).map_err(|_| refused.clone())? {
        return Err(refused);
    }
    let dir = state_dir("cache")?;
    match is_noexec(&dir) {
        true => Err(Unusable::NoExec.error(&dir)),
        false => Ok(dir),
    }
}

/// A file of an earlier command in the state folder, when it is there.
#[must_use]
pub fn existing(name: &str) -> Option<PathBuf> {
    let path = state_folder().join(name);
    path.exists().then_some(path)
}

/// From now on a state folder that cannot be written is replaced by a temporary one: for commands whose
/// state nobody needs afterwards.
pub fn allow_scratch() {
    *scratch() = Scratch::Allowed;
}

/// Removes the temporary folder, if there is one.
pub fn remove_scratch() {
    *scratch() = Scratch::Refused;
}

/// What is wrong with the state folder, for the person; each problem once.
pub fn take_note() -> Option<String> {
    note().take()
}

fn note() -> std::sync::MutexGuard<'static, Option<String>> {
    static NOTE: Mutex<Option<String>> = Mutex::new(None);
    NOTE.lock().unwrap_or_else(PoisonError::into_inner)
}

fn scratch() -> std::sync::MutexGuard<'static, Scratch> {
    SCRATCH.lock().unwrap_or_else(PoisonError::into_inner)
}

fn root() -> Result<PathBuf, Error> {
    let mut scratch = scratch();
    if let Scratch::Used(dir) = &*scratch {
        return Ok(dir.path().to_owned());
    }
    let path = state_folder();
    if is_somebody_elses(&path) {
        return Err(Unusable::SomebodyElses.error(&path));
    }
    let usable = make(&path).and_then(|()| {
        rustix::fs::access(&path, Access::WRITE_OK | Access::EXEC_OK).map_err(Into::into)
    });
    let Err(error) = usable else {
        static FIRST: Once = Once::new();
        FIRST.call_once(|| close_off(&path));
        return Ok(path);
    };
    match use_scratch(&mut scratch) {
        Ok(true) => match &*scratch {
            Scratch::Used(dir) => Ok(dir.path().to_owned()),
            _ => Err(Unusable::because(&error).error(&path)),
        },
        Ok(false) => Err(Unusable::because(&error).error(&path)),
        Err(error) => Err(Unusable::because(&error).error(&std::env::temp_dir())),
    }
}

/// Begins to use a temporary folder where that will do; whether it does.
fn use_scratch(scratch: &mut Scratch) -> io::Result<bool> {
    if matches!(scratch, Scratch::Allowed) {
        let dir = tempfile::Builder::new().prefix("workbench-").tempdir()?;
        *scratch = Scratch::Used(dir);
    }
    Ok(matches!(scratch, Scratch::Used(_)))
}

/// Whether a folder that a setting names holds something that no workbench put there: its files would be closed to
/// others and hidden from git.
fn is_somebody_elses(path: &Path) -> bool {
    let ours = path.file_name().is_some_and(|name| name == STATE)
        || path.join("journal.db").exists()
        || std::fs::read_to_string(path.join(".gitignore")).is_ok_and(|text| text == IGNORE);
    let mut entries = std::fs::read_dir(path).into_iter().flatten();
    !ours && entries.next().is_some()
}

fn make(dir: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(dir)
}

/// Takes a folder and what lies in it away from everybody but the owner, and keeps it out of git.
/// Whatever made it (an older version, a person, another umask) may have left it open.
fn close_off(root: &Path) {
    // A folder that was closed all the while has only few files that an older version left open.
    let open = root
        .metadata()
        .is_ok_and(|m| m.permissions().mode() & OTHERS != 0);
    if let Err(error) = narrow(root)
        && error.kind() != io::ErrorKind::ReadOnlyFilesystem
    {
        *note() = Some(format!(
            "note: other users may be able to read {}: its mode cannot be changed ({error})",
            root.display()
        ));
    }
    narrow_all(root, if open { usize::MAX } else { 1 });
    let ignore = private().create_new(true).open(root.join(".gitignore"));
    if let Ok(mut ignore) = ignore {
        let _ = ignore.write_all(IGNORE.as_bytes());
    }
}

fn narrow_all(dir: &Path, depth: usize) {
    for entry in std::fs::read_dir(dir).into_iter().flatten().flatten() {
        let (path, kind) = (entry.path(), entry.file_type());
        let Ok(kind) = kind else { continue };
        if kind.is_symlink() {
            continue;
        }
        let _ = narrow(&path);
        if kind.is_dir() && depth > 0 {
            narrow_all(&path, depth - 1);
        }
    }
}

/// Leaves a file or folder the rights of its owner only.
fn narrow(path: &Path) -> io::Result<()> {
    let metadata = path.metadata()?;
    let mode = metadata.permissions().mode() & 0o7777;
    let wanted = match metadata.is_dir() {
        true => 0o700,
        false => mode & !OTHERS,
    };
    match mode == wanted {
        true => Ok(()),
        false => std::fs::set_permissions(path, Permissions::from_mode(wanted)),
    }
}

/// How a file for its owner alone is opened to be written.
#[must_use]
pub fn private() -> OpenOptions {
    let mut options = File::options();
    options.write(true).mode(0o600);
    options
}

/// A umask that takes rights from the owner would make our own files unusable; what it takes from others
/// stays taken.
pub fn owner_rights_stay() {
    use rustix::fs::Mode;
    let mask = rustix::process::umask(Mode::from_raw_mode(OTHERS));
    rustix::process::umask(mask & Mode::from_raw_mode(OTHERS));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(path: &Path) -> u32 {
        path.metadata().unwrap().permissions().mode() & 0o7777
    }

    #[test]
    fn a_folder_that_was_open_is_closed_with_everything_in_it() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().join("state");
        let deep = root.join("cache/a/b");
        std::fs::create_dir_all(&deep).unwrap();
        for (path, open) in [
            (root.join("journal.db"), 0o644),
            (root.join("journal.db-wal"), 0o666),
            (deep.join("x.jpg"), 0o444),
            (deep.join("agent.so"), 0o755),
        ] {
            std::fs::write(&path, "x").unwrap();
            std::fs::set_permissions(&path, Permissions::from_mode(open)).unwrap();
        }
        for path in [&root, &root.join("cache"), &deep] {
            std::fs::set_permissions(path, Permissions::from_mode(0o755)).unwrap();
        }
        close_off(&root);
        for (path, closed) in [
            (root.clone(), 0o700),
            (root.join("cache"), 0o700),
            (deep.clone(), 0o700),
            (root.join("journal.db"), 0o600),
            (root.join("journal.db-wal"), 0o600),
            (root.join(".gitignore"), 0o600),
            (deep.join("x.jpg"), 0o400),
            (deep.join("agent.so"), 0o700),
        ] {
            assert_eq!(mode(&path), closed, "{}", path.display());
        }
        let ignore = std::fs::read_to_string(root.join(".gitignore")).unwrap();
        assert_eq!(ignore, "*\n");
    }

    #[test]
    fn what_a_link_in_the_folder_points_to_keeps_its_mode() {
        let dir = tempfile::tempdir().unwrap();
        let (root, other) = (dir.path().join("state"), dir.path().join("other"));
        std::fs::create_dir(&root).unwrap();
        std::fs::write(&other, "x").unwrap();
        std::fs::set_permissions(&other, Permissions::from_mode(0o644)).unwrap();
        std::os::unix::fs::symlink(&other, root.join("link")).unwrap();
        close_off(&root);
        assert_eq!(mode(&other), 0o644);
    }

    #[test]
    fn a_folder_with_files_of_a_person_is_not_taken_for_a_state_folder() {
        let dir = tempfile::tempdir().unwrap();
        let folder = |name: &str, files: &[(&str, &str)]| {
            let path = dir.path().join(name);
            std::fs::create_dir(&path).unwrap();
            for (file, text) in files {
                std::fs::write(path.join(file), text).unwrap();
            }
            path
        };
        for ours in [
            dir.path().join("missing"),
            folder("empty", &[]),
            folder(".workbench", &[("x", "")]),
            folder("older", &[("journal.db", "")]),
            folder("used", &[(".gitignore", "*\n"), ("log", "")]),
        ] {
            assert!(!is_somebody_elses(&ours), "{}", ours.display());
        }
        for other in [
            folder("home", &[("thesis.tex", "")]),
            folder("repository", &[(".gitignore", "target\n")]),
        ] {
            assert!(is_somebody_elses(&other), "{}", other.display());
        }
    }

    #[test]
    fn a_gitignore_that_somebody_wrote_stays() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join(".gitignore"), "cache\n").unwrap();
        close_off(dir.path());
        let kept = std::fs::read_to_string(dir.path().join(".gitignore")).unwrap();
        assert_eq!(kept, "cache\n");
    }
}
