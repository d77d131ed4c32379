//! Memory that two processes share, as a file without a name.
//!
//! Linux: a sealed memfd, so that foreign code cannot shrink it under the workbench (a shrunk
//! mapping is a bus error in whoever reads it). Elsewhere (untested): an unlinked temporary file,
//! which cannot be sealed. What lies in it is left to `page`.

use std::io;
use std::os::fd::OwnedFd;

/// A zeroed file of `len` bytes that is closed on exec; what it is called is seen in
/// `/proc/PID/maps` only.
#[cfg(target_os = "linux")]
pub(crate) fn nameless(called: &str, len: u64) -> io::Result<OwnedFd> {
    use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, ftruncate, memfd_create};
    let fd = memfd_create(called, MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING)?;
    ftruncate(&fd, len)?;
    fcntl_add_seals(&fd, SealFlags::SHRINK | SealFlags::GROW)?;
    Ok(fd)
}

/// From now on nobody can map the file to write to it; mappings that are there stay as they are.
#[cfg(target_os = "linux")]
pub(crate) fn freeze(fd: &OwnedFd) -> io::Result<()> {
    use rustix::fs::{SealFlags, fcntl_add_seals};
    match fcntl_add_seals(fd, SealFlags::FUTURE_WRITE | SealFlags::SEAL) {
        // Before Linux 5.1 there is no such seal; the host still maps the page read-only.
        Err(rustix::io::Errno::INVAL) => Ok(()),
        sealed => Ok(sealed?),
    }
}

/// Nothing can be sealed here.
#[cfg(not(target_os = "linux"))]
pub(crate) fn freeze(_: &OwnedFd) -> io::Result<()> {
    Ok(())
}

/// A zeroed file of `len` bytes that has no name and is closed on exec.
#[cfg(not(target_os = "linux"))]
pub(crate) fn nameless(called: &str, len: u64) -> io::Result<OwnedFd> {
    use std::hash::{BuildHasher, RandomState};
    use std::os::unix::fs::OpenOptionsExt;
    let random = RandomState::new().hash_one(called);
    let path = std::env::temp_dir().join(format!("{called}-{random:016x}"));
    let file = std::fs::OpenOptions::new()
        .read(true)
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&path)?;
    std::fs::remove_file(&path)?;
    file.set_len(len)?;
    Ok(file.into())
}
