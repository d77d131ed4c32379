//! A file that a person names with a flag: a plan, a report, lines of JSON.
//!
//! A plain file is written under another name beside it and takes its name when it is whole, so that a
//! reader sees the old one or the new one. Anything but a plain file (a device, a pipe) is written in place.
//! Links are followed.

use std::ffi::OsStr;
use std::fs::{File, Permissions};
use std::io::{self, BufWriter, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use tempfile::NamedTempFile;
use wb_core::error::{Error, ErrorKind};

mod part;

/// Links in a row; more of them lead in a circle.
const LINKS: usize = 40;

/// A file that is being written. Without [`OutFile::finish`] a plain file stays as it was.
pub struct OutFile(Kind);

enum Kind {
    InPlace(BufWriter<File>),
    Whole(Box<Whole>),
}

struct Whole {
    part: BufWriter<NamedTempFile>,
    target: PathBuf,
    /// The file that is replaced.
    old: Option<std::fs::Metadata>,
}

/// Where bytes go in the end.
enum Place {
    /// An open file of this process, such as `/dev/stdout`.
    Open(File),
    /// Anything but a plain file.
    Special(PathBuf),
    /// A plain file that is there, or none yet.
    Plain(PathBuf, Option<std::fs::Metadata>),
}

/// Begins a file that a flag names. Waits where a pipe has no reader yet.
///
/// # Errors
/// It cannot be written: reported before anything is run.
pub async fn begin(flag: &'static str, path: &Path) -> Result<OutFile, Error> {
    let named = path.to_owned();
    let opened = tokio::task::spawn_blocking(move || OutFile::create(&named)).await;
    let opened = opened.unwrap_or_else(|error| Err(io::Error::other(error)));
    opened.map_err(|error| {
        let text = format!(
            "{flag}: cannot write {}: {error}; nothing was run",
            path.display()
        );
        Error::new(ErrorKind::Usage, text)
    })
}

impl OutFile {
    /// Begins a file.
    ///
    /// # Errors
    /// It cannot be written; nothing was changed.
    pub fn create(path: &Path) -> io::Result<Self> {
        let in_place = |file| Ok(Self(Kind::InPlace(BufWriter::new(file))));
        let (target, old) = match place(path)? {
            Place::Open(file) => return in_place(file),
            Place::Special(path) => return in_place(File::options().write(true).open(path)?),
            Place::Plain(target, old) => (target, old),
        };
        if old.is_some() {
            // A file that its owner protected is not replaced because its folder is writable.
            rustix::fs::access(&target, rustix::fs::Access::WRITE_OK)?;
        }
        let part = BufWriter::new(part::begin(parent(&target), name(&target)?)?);
        Ok(Self(Kind::Whole(Box::new(Whole { part, target, old }))))
    }

    /// Gives what was written so far its name, and goes on behind it: for a file that grows without an end.
    ///
    /// # Errors
    /// As [`OutFile::finish`].
    pub fn publish(self) -> io::Result<Self> {
        let mut out = match self.0 {
            Kind::InPlace(out) => out,
            Kind::Whole(whole) => {
                let target = whole.target.clone();
                whole.finish()?;
                BufWriter::new(File::options().append(true).open(target)?)
            }
        };
        out.flush()?;
        Ok(Self(Kind::InPlace(out)))
    }

    /// Completes the file: on disk under its name when this returns.
    ///
    /// # Errors
    /// It could not be written; a plain file is as it was.
    pub fn finish(self) -> io::Result<()> {
        match self.0 {
            Kind::InPlace(mut out) => out.flush(),
            Kind::Whole(whole) => whole.finish(),
        }
    }
}

impl Write for OutFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.0 {
            Kind::InPlace(out) => out.write(bytes),
            Kind::Whole(whole) => whole.part.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.0 {
            Kind::InPlace(out) => out.flush(),
            Kind::Whole(whole) => whole.part.flush(),
        }
    }
}

impl Whole {
    fn finish(self) -> io::Result<()> {
        let (target, old) = (self.target, self.old);
        let part = self
            .part
            .into_inner()
            .map_err(io::IntoInnerError::into_error)?;
        if let Some(old) = &old {
            // Only a privileged process can keep another owner; then the mode is kept for that owner.
            let _ = std::os::unix::fs::fchown(part.as_file(), Some(old.uid()), Some(old.gid()));
            let mode = old.permissions().mode() & 0o7777;
            part.as_file()
                .set_permissions(Permissions::from_mode(mode))?;
        }
        part.as_file().sync_all()?;
        match part.persist(&target) {
            Ok(_) => {}
            // The file itself is mounted, as in a container: it cannot be replaced, only rewritten.
            Err(error) if error.error.kind() == io::ErrorKind::ResourceBusy => {
                let mut from = error.file.reopen()?;
                let mut to = File::options().write(true).truncate(true).open(&target)?;
                io::copy(&mut from, &mut to)?;
                to.sync_all()?;
            }
            Err(error) => return Err(error.error),
        }
        File::open(parent(&target)).and_then(|folder| folder.sync_all())
    }
}

/// Finds where a path leads.
fn place(path: &Path) -> io::Result<Place> {
    let mut path = path.to_owned();
    for _ in 0..LINKS {
        if let Some(open) = open_file(&path)? {
            return Ok(Place::Open(open));
        }
        let found = match path.symlink_metadata() {
            Ok(found) => found,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Ok(Place::Plain(path, None));
            }
            Err(error) => return Err(error),
        };
        if found.is_symlink() {
            path = parent(&path).join(std::fs::read_link(&path)?);
        } else if found.is_file() {
            return Ok(Place::Plain(path, Some(found)));
        } else if found.is_dir() {
            return Err(io::ErrorKind::IsADirectory.into());
        } else {
            return Ok(Place::Special(path));
        }
    }
    Err(io::Error::other("too many links"))
}

/// A file that this process has open already, named as `/dev/stdout` and `/dev/fd/N` lead to it.
fn open_file(path: &Path) -> io::Result<Option<File>> {
    let folder = parent(path).canonicalize().unwrap_or_default();
    if folder != Path::new(&format!("/proc/{}/fd", std::process::id())) {
        return Ok(None);
    }
    let file = match path.file_name().and_then(|n| n.to_str()) {
        Some("1") => io::stdout().as_fd().try_clone_to_owned()?.into(),
        Some("2") => io::stderr().as_fd().try_clone_to_owned()?.into(),
        // What is there already stays.
        _ => File::options().append(true).open(path)?,
    };
    Ok(Some(file))
}

fn name(path: &Path) -> io::Result<&OsStr> {
    Ok(path.file_name().ok_or(io::ErrorKind::InvalidInput)?)
}

fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}
