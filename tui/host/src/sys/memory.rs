//! Memory that two processes share, as a file without a name.
//!
//! Linux: a sealed memfd, so that foreign code cannot shrink it under the workbench (a shrunk
//! mapping is a bus error in whoever reads it). Elsewhere (untested): an unlinked temporary file,
//! which cannot be sealed. What lies in it is left to `page`.

use std::io;
use std::os::fd::OwnedFd;

/// A zeroed file of `len` bytes that has no name and is closed on exec.
#[cfg(target_os = "linux")]
pub(crate) fn nameless(len: u64) -> io::Result<OwnedFd> {
    use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, ftruncate, memfd_create};
    let fd = memfd_create(
        "workbench-control",
        MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING,
    )?;
    ftruncate(&fd, len)?;
    fcntl_add_seals(&fd, SealFlags::SHRINK | SealFlags::GROW | SealFlags::SEAL)?;
    Ok(fd)
}

/// A zeroed file of `len` bytes that has no name and is closed on exec.
#[cfg(not(target_os = "linux"))]
pub(crate) fn nameless(len: u64) -> io::Result<OwnedFd> {
    use std::time::{SystemTime, UNIX_EPOCH};
    let stamp = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |d| d.as_nanos());
    let path = std::env::temp_dir().join(format!("wb-control-{}-{stamp}", std::process::id()));
    let file = std::fs::OpenOptions::new()
        .read(true)
        .write(true)
        .create_new(true)
        .open(&path)?;
    std::fs::remove_file(&path)?;
    file.set_len(len)?;
    Ok(file.into())
}
