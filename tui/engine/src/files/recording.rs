//! The file that a session is recorded in: for its owner alone, written from its beginning, and never over another one
//! unless that was asked for.

use rustix::fs::{Mode, OFlags, open};
use std::fs::{File, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use wb_core::error::{Error, ErrorKind};

/// Makes the file, empty.
///
/// # Errors
/// It exists and is not to be replaced, it is not a plain file, or it cannot be written.
pub fn create_recording(path: &Path, replace: bool) -> Result<File, Error> {
    let shown = path.display();
    if path.symlink_metadata().is_ok() {
        if !replace {
            let text = format!("--record: {shown} exists already; nothing was recorded");
            return Err(Error::new(ErrorKind::Refused, text)
                .hint("name another file, or replace this one with --yes"));
        }
        if !path.is_file() {
            let text = format!("--record: {shown} is not a plain file");
            return Err(Error::new(ErrorKind::Usage, text));
        }
    }
    let new = if replace { OFlags::TRUNC } else { OFlags::EXCL };
    let flags = OFlags::CREATE | OFlags::WRONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | new;
    let opened = open(path, flags, Mode::RUSR | Mode::WUSR).map_err(std::io::Error::from);
    let file = opened.map(File::from).and_then(|file| {
        // One that is replaced may have been readable by others.
        file.set_permissions(Permissions::from_mode(0o600))?;
        Ok(file)
    });
    file.map_err(|error| {
        let text = format!("--record: cannot write {shown}: {error}");
        Error::new(ErrorKind::Usage, text)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn a_recording_is_its_owners_and_replaces_a_file_only_when_asked() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("session.jsonl");
        let mode = || path.metadata().unwrap().permissions().mode() & 0o777;
        create_recording(&path, false).unwrap();
        assert_eq!(mode(), 0o600);
        std::fs::write(&path, "older").unwrap();
        std::fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
        let error = create_recording(&path, false).unwrap_err();
        assert_eq!(error.kind, ErrorKind::Refused);
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "older");
        create_recording(&path, true)
            .unwrap()
            .write_all(b"new")
            .unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "new");
        assert_eq!(mode(), 0o600);
        let error = create_recording(dir.path(), true).unwrap_err();
        assert_eq!(error.kind, ErrorKind::Usage);
    }
}
