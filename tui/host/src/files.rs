//! Reading files that a person names or drops into a folder, without blocking and up to a size limit:
//! a named pipe without a writer, `/dev/zero` and a file of several gigabytes are errors.

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::fs::{File, FileType, Metadata, OpenOptions};
use std::io::{self, ErrorKind, Read};
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt};
use std::path::Path;
use std::time::{Duration, Instant};

/// Time limit for reading a pipe to its end.
const PATIENCE: Duration = Duration::from_secs(10);

/// Identity, size and times of a file; if they are equal, nobody wrote to it in between.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Fingerprint {
    inode: (u64, u64),
    size: u64,
    written: (i64, i64),
    changed: (i64, i64),
}

impl Fingerprint {
    /// Of the file at this place.
    pub(crate) fn at(path: &Path) -> Option<Self> {
        std::fs::metadata(path).ok().map(|meta| Self::of(&meta))
    }

    pub(crate) fn of(meta: &Metadata) -> Self {
        Self {
            inode: (meta.dev(), meta.ino()),
            size: meta.size(),
            written: (meta.mtime(), meta.mtime_nsec()),
            changed: (meta.ctime(), meta.ctime_nsec()),
        }
    }
}

/// Reads a file that a person named: a file, or a pipe with a writer, such as `<(command)` of a shell.
///
/// # Errors
/// It cannot be read, has more than `most` bytes, or is a pipe that gives nothing.
pub fn read_named(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    let (file, meta) = open(path)?;
    if meta.is_file() || meta.is_dir() {
        return read_all(file, &meta, most);
    }
    let until = Instant::now() + PATIENCE;
    let (mut all, mut chunk) = (Vec::new(), [0; 8192]);
    loop {
        match (&file).read(&mut chunk) {
            Ok(0) if all.is_empty() && meta.file_type().is_fifo() => {
                return Err(io::Error::other("nobody writes to this named pipe"));
            }
            Ok(0) => return Ok(all),
            Ok(n) => all.extend_from_slice(&chunk[..n]),
            Err(e) if e.kind() == ErrorKind::Interrupted => {}
            Err(e) if e.kind() == ErrorKind::WouldBlock => wait(&file, until)?,
            Err(e) => return Err(e),
        }
        if all.len() as u64 > most {
            return Err(too_large(most));
        }
    }
}

/// The same as text.
///
/// # Errors
/// As [`read_named`]; or it is not UTF-8.
pub fn read_named_text(path: &Path, most: u64) -> io::Result<String> {
    let not_text = |_| io::Error::new(ErrorKind::InvalidData, "it is not UTF-8 text");
    String::from_utf8(read_named(path, most)?).map_err(not_text)
}

/// Opens a file that a person named, to be read piece by piece. Does not wait for a pipe's writer.
///
/// # Errors
/// It cannot be opened, or is not a regular file.
pub fn open_regular(path: &Path) -> io::Result<File> {
    let (file, meta) = open(path)?;
    regular(&meta)?;
    Ok(file)
}

/// Largest library that is read, in bytes.
const LARGEST_LIBRARY: u64 = 2_000_000_000;

/// Reads a library, as the watcher does: nothing but a regular file of at most 2 GB.
///
/// # Errors
/// It is something else, or cannot be read.
pub fn read_library(path: &Path) -> io::Result<Vec<u8>> {
    read_regular(path, LARGEST_LIBRARY)
}

/// Reads a file that was found, not named: nothing but a regular file.
fn read_regular(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    let (file, meta) = open(path)?;
    regular(&meta)?;
    read_all(file, &meta, most)
}

fn open(path: &Path) -> io::Result<(File, Metadata)> {
    let mut options = OpenOptions::new();
    // Otherwise opening a pipe waits for its writer, and a terminal becomes ours.
    options
        .read(true)
        .custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY);
    let file = options.open(path)?;
    let meta = file.metadata()?;
    Ok((file, meta))
}

fn regular(meta: &Metadata) -> io::Result<()> {
    if meta.is_file() {
        return Ok(());
    }
    let text = format!("it is not a regular file but {}", kind(meta.file_type()));
    Err(io::Error::new(ErrorKind::InvalidInput, text))
}

fn kind(of: FileType) -> &'static str {
    if of.is_dir() {
        "a folder"
    } else if of.is_fifo() {
        "a named pipe"
    } else if of.is_socket() {
        "a socket"
    } else {
        "a device"
    }
}

fn read_all(file: File, meta: &Metadata, most: u64) -> io::Result<Vec<u8>> {
    if meta.is_file() && meta.len() > most {
        return Err(too_large(most));
    }
    let mut all = Vec::new();
    file.take(most.saturating_add(1)).read_to_end(&mut all)?;
    if all.len() as u64 > most {
        return Err(too_large(most));
    }
    Ok(all)
}

fn too_large(most: u64) -> io::Error {
    let text = format!("it is larger than {}", crate::report::bytes(most));
    io::Error::new(ErrorKind::FileTooLarge, text)
}

fn wait(file: &File, until: Instant) -> io::Result<()> {
    let left = until.saturating_duration_since(Instant::now());
    let limit = Timespec::try_from(left).ok();
    match poll(&mut [PollFd::new(file, PollFlags::IN)], limit.as_ref()) {
        Ok(0) => {
            let text = format!("no data and no end of file within {} s", PATIENCE.as_secs());
            Err(io::Error::new(ErrorKind::TimedOut, text))
        }
        Ok(_) | Err(rustix::io::Errno::INTR) => Ok(()),
        Err(e) => Err(e.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use std::process::Command;

    fn pipe(dir: &Path) -> std::path::PathBuf {
        let path = dir.join("pipe");
        let made = Command::new("mkfifo").arg(&path).status().unwrap();
        assert!(made.success());
        path
    }

    #[test]
    fn a_pipe_that_nobody_writes_to_is_an_error_and_not_a_wait() {
        let dir = tempfile::tempdir().unwrap();
        let pipe = pipe(dir.path());
        let error = read_named(&pipe, 100).unwrap_err();
        assert!(error.to_string().contains("nobody writes"), "{error}");
        let error = read_regular(&pipe, 100).unwrap_err();
        assert!(error.to_string().contains("a named pipe"), "{error}");
        assert!(open_regular(&pipe).is_err());
    }

    #[test]
    fn a_pipe_with_a_writer_is_read_to_its_end() {
        let dir = tempfile::tempdir().unwrap();
        let pipe = pipe(dir.path());
        // Opened for both, so that it does not wait for the reader.
        let mut options = OpenOptions::new();
        let mut writer = options.read(true).write(true).open(&pipe).unwrap();
        writer.write_all(b"project").unwrap();
        let reader = std::thread::spawn(move || read_named_text(&pipe, 100));
        // Once it is empty somebody has read it, and waits for the rest.
        while rustix::io::ioctl_fionread(&writer).unwrap() > 0 {
            std::thread::yield_now();
        }
        writer.write_all(b" = 1").unwrap();
        drop(writer);
        assert_eq!(reader.join().unwrap().unwrap(), "project = 1");
    }

    #[test]
    fn what_has_no_end_or_is_too_large_is_refused_after_so_many_bytes() {
        let dir = tempfile::tempdir().unwrap();
        let link = dir.path().join("link");
        std::os::unix::fs::symlink("/dev/zero", &link).unwrap();
        let error = read_named(&link, 1_000_000).unwrap_err();
        assert_eq!(error.to_string(), "it is larger than 1 MB");
        let error = read_regular(&link, 1_000_000).unwrap_err();
        assert!(error.to_string().contains("a device"), "{error}");
        let sparse = dir.path().join("sparse");
        File::create(&sparse).unwrap().set_len(3 << 30).unwrap();
        for error in [
            read_named(&sparse, 1000).unwrap_err(),
            read_regular(&sparse, 1000).unwrap_err(),
        ] {
            assert_eq!(error.kind(), ErrorKind::FileTooLarge);
        }
        assert!(read_named(dir.path(), 1000).is_err());
        assert_eq!(read_named(Path::new("/dev/null"), 1000).unwrap(), b"");
    }
}
