//! Files and folders that only their owner can read, whatever the umask and even if they existed before.

use std::fs::{self, File, Permissions};
use std::io;
use std::path::Path;

/// Opens a file for writing, creating it if needed. Existing content is kept.
pub(crate) fn file(path: &Path) -> io::Result<File> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(path)?;
    // The umask may have removed the owner's rights, and an existing file may have a wider mode.
    restrict_file(&file)?;
    Ok(file)
}

/// Sets an open file's mode to 0600.
pub(crate) fn restrict_file(file: &File) -> io::Result<()> {
    mode(0o600).map_or(Ok(()), |mode| file.set_permissions(mode))
}

/// Creates a folder and its parents if needed, and sets its mode to 0700.
pub(crate) fn folder(path: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)?;
    restrict(path)
}

/// Sets a file's mode to 0600 or a folder's to 0700. Missing paths and symlinks are left alone.
pub(crate) fn restrict(path: &Path) -> io::Result<()> {
    let facts = match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        found => found?,
    };
    let wanted = match facts.file_type() {
        kind if kind.is_dir() => mode(0o700),
        kind if kind.is_file() => mode(0o600),
        _ => None,
    };
    match wanted {
        Some(wanted) if !has(&facts, &wanted) => fs::set_permissions(path, wanted),
        _ => Ok(()),
    }
}

#[cfg(unix)]
fn mode(bits: u32) -> Option<Permissions> {
    Some(std::os::unix::fs::PermissionsExt::from_mode(bits))
}

#[cfg(unix)]
fn has(facts: &fs::Metadata, wanted: &Permissions) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    facts.permissions().mode() & 0o7777 == wanted.mode()
}

#[cfg(not(unix))]
fn mode(_bits: u32) -> Option<Permissions> {
    None
}

#[cfg(not(unix))]
fn has(_facts: &fs::Metadata, _wanted: &Permissions) -> bool {
    true
}
