//! What is reported of a state folder that cannot be used: what is wrong with it, and which folder to name instead.

use rustix::fs::{StatVfsMountFlags, statvfs};
use std::io;
use std::path::Path;
use wb_core::error::{Error, ErrorKind};

/// Names the state folder, and takes precedence over the settings.
pub(crate) const VARIABLE: &str = "WORKBENCH_STATE";

/// Why a folder cannot hold the state.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Unusable {
    /// Mounted read-only.
    ReadOnly,
    /// No permission to write.
    Forbidden,
    /// No space left, or the user's quota is used up.
    Full,
    /// A file is in its place, or in that of a folder above it.
    Blocked,
    /// Mounted so that nothing in it can be executed or loaded.
    NoExec,
    /// A setting names a folder with other files in it.
    SomebodyElses,
    /// Whatever else the system reports.
    Other(String),
}

impl Unusable {
    /// What an error of the system means.
    pub(crate) fn because(error: &io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::ReadOnlyFilesystem => Self::ReadOnly,
            io::ErrorKind::PermissionDenied => Self::Forbidden,
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::Full,
            io::ErrorKind::NotADirectory | io::ErrorKind::AlreadyExists => Self::Blocked,
            _ => Self::Other(error.to_string()),
        }
    }

    /// The error for a person.
    pub(crate) fn error(&self, folder: &Path) -> Error {
        let folder = folder.display();
        let text = match self {
            Self::ReadOnly => format!("the state folder {folder} is on a read-only file system"),
            Self::Forbidden => format!("no permission to write to the state folder {folder}"),
            Self::Full => format!("the file system of the state folder {folder} is full"),
            Self::Blocked => {
                format!("the state folder {folder} cannot be made: a file is in its place")
            }
            Self::NoExec => format!(
                "agent libraries cannot be loaded from {folder}: its file system is mounted noexec"
            ),
            Self::SomebodyElses => format!(
                "{folder} cannot be the state folder: it has files that the workbench did not put there"
            ),
            Self::Other(why) => format!("the state folder {folder} cannot be used: {why}"),
        };
        let error = Error::new(ErrorKind::Settings, format!("{text}; no task was touched"));
        let error = match self {
            Self::Full => error.hint("make room there"),
            Self::Blocked => error.hint("move that file away"),
            _ => error,
        };
        let which = match self {
            Self::SomebodyElses => "an empty folder, or one that is to be made",
            _ => "a folder elsewhere",
        };
        error.hint(format!(
            "name {which}: {VARIABLE}=PATH, or state = \"PATH\" in workbench.toml"
        ))
    }
}

/// What to do about a database in this folder that failed, where a full file system is the reason: SQLite may report
/// that as any error of a file.
pub(crate) fn advice_if_full(folder: &Path) -> Option<String> {
    /// A page of a database and one of its log.
    const LEAST: u64 = 8 << 10;
    let stat = statvfs(folder).ok()?;
    let full = stat.f_bavail.saturating_mul(stat.f_frsize) < LEAST
        || stat.f_files > 0 && stat.f_favail == 0;
    full.then(|| {
        format!(
            "the file system of {} is full: make room there, or name another state folder with {VARIABLE}=PATH",
            folder.display()
        )
    })
}

/// Whether the file system of a folder is mounted so that no library can be loaded from it.
pub(crate) fn is_noexec(folder: &Path) -> bool {
    statvfs(folder).is_ok_and(|stat| stat.f_flag.contains(StatVfsMountFlags::NOEXEC))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_reason_is_named_with_the_folder_and_what_to_do() {
        for (number, part) in [
            (30, "is on a read-only file system"),
            (13, "no permission to write to the state folder s"),
            (28, "is full"),
            (122, "is full"),
            (20, "a file is in its place"),
            (17, "a file is in its place"),
            (5, "cannot be used: Input/output error"),
        ] {
            let system = io::Error::from_raw_os_error(number);
            let error = Unusable::because(&system).error(Path::new("s"));
            assert!(error.summary.contains(part), "{error:?}");
            assert_eq!(error.kind.exit_code(), 3);
            let hints = error.hints.join("\n");
            assert!(hints.contains("WORKBENCH_STATE=PATH"), "{hints}");
            assert!(hints.contains("state = \"PATH\""), "{hints}");
        }
        let error = Unusable::NoExec.error(Path::new("s/cache"));
        assert!(
            error
                .summary
                .contains("from s/cache: its file system is mounted noexec")
        );
    }
}
