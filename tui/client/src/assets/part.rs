//! An unfinished download on disk: its bytes, and beside them a note of how far they can be vouched for.
//!
//! The note names the validator of the file upstream, how many bytes had arrived, and their SHA-256. A later process goes on from there when the bytes are unchanged; otherwise it starts
//! over. The file is locked while it grows: a second process takes a file of its own.

use super::cache::failed;
use super::content::{Digests, HEAD, Promised};
use crate::error::ClientError;
use crate::http::unpack::{Packing, unpack_file};
use crate::key::hex;
use serde::{Deserialize, Serialize};
use sha2::Digest;
use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// After so many new bytes they are noted.
const NOTE_EACH: u64 = 4 << 20;

/// An unfinished download.
pub(super) struct Part {
    path: PathBuf,
    file: File,
    have: u64,
    /// Of what there is.
    digests: Digests,
    /// The strong `ETag` or the date that the bytes belong to.
    pub validator: Option<String>,
    /// The whole length, where an answer announced it.
    pub total: Option<u64>,
    /// The digests that the store has announced.
    pub promised: Promised,
    /// How the bytes are packed.
    pub packing: Option<Packing>,
    noted: u64,
    /// Whether another process has the common file.
    own: bool,
    kept: bool,
}

/// How far the bytes can be vouched for.
#[derive(Serialize, Deserialize)]
struct Note {
    validator: String,
    total: Option<u64>,
    have: u64,
    sha256: String,
}

impl Part {
    /// Opens the unfinished download of the file at `path`, where there is one. Blocks.
    pub fn open(path: &Path) -> Result<Self, ClientError> {
        let common = with_end(path, "part");
        for _ in 0..3 {
            let file = open(&common)?;
            if file.try_lock().is_err() {
                break;
            }
            // Between opening and locking, its last owner may have put it in its place.
            if same(&file, &common) {
                return Self::resumed(common, file);
            }
        }
        let own = with_end(path, &format!("{}.part", uuid::Uuid::new_v4().simple()));
        let file = open(&own)?;
        let mut part = Self::empty(own, file);
        part.own = true;
        Ok(part)
    }

    fn empty(path: PathBuf, file: File) -> Self {
        Self {
            path,
            file,
            have: 0,
            digests: Digests::default(),
            validator: None,
            total: None,
            promised: Promised::default(),
            packing: None,
            noted: 0,
            own: false,
            kept: false,
        }
    }

    fn resumed(path: PathBuf, file: File) -> Result<Self, ClientError> {
        let mut part = Self::empty(path, file);
        let note = fs::read(part.note_path()).ok();
        let note: Option<Note> = note.and_then(|text| serde_json::from_slice(&text).ok());
        if let Some(note) = note
            && part.vouches(&note)
        {
            tracing::debug!(have = note.have, "an unfinished download is gone on with");
            (part.have, part.noted) = (note.have, note.have);
            (part.validator, part.total) = (Some(note.validator), note.total);
            let cut = part.file.set_len(part.have);
            let end = cut.and_then(|()| part.file.seek(SeekFrom::Start(part.have)));
            end.map_err(|source| failed(&part.path, source))?;
        } else {
            part.restart()?;
        }
        Ok(part)
    }

    /// Whether the bytes are those of the note; they are in the digest then.
    fn vouches(&mut self, note: &Note) -> bool {
        let long_enough = self
            .file
            .metadata()
            .is_ok_and(|meta| meta.len() >= note.have);
        if !long_enough || self.file.rewind().is_err() {
            return false;
        }
        let (mut left, mut buffer) = (note.have, vec![0; 1 << 16]);
        while left > 0 {
            let most = buffer
                .len()
                .min(usize::try_from(left).unwrap_or(usize::MAX));
            match self.file.read(&mut buffer[..most]) {
                Ok(0) | Err(_) => return false,
                Ok(n) => {
                    self.digests.update(&buffer[..n]);
                    left -= n as u64;
                }
            }
        }
        hex(&self.digests.sha256.clone().finalize()) == note.sha256
    }

    /// Where the bytes are.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// How many bytes there are.
    pub fn have(&self) -> u64 {
        self.have
    }

    /// Throws away what there is.
    pub fn restart(&mut self) -> Result<(), ClientError> {
        let _ = fs::remove_file(self.note_path()); // there is none, most of the time
        (self.have, self.noted) = (0, 0);
        self.digests = Digests::default();
        (self.promised, self.packing) = (Promised::default(), None);
        let cut = self.file.set_len(0);
        cut.and_then(|()| self.file.rewind())
            .map_err(|source| failed(&self.path, source))
    }

    /// Adds bytes. Blocks for no longer than the disk takes them.
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), ClientError> {
        let added = self.file.write_all(bytes);
        added.map_err(|source| failed(&self.path, source))?;
        self.digests.update(bytes);
        self.have += bytes.len() as u64;
        if self.have - self.noted >= NOTE_EACH {
            self.note()?;
        }
        Ok(())
    }

    /// Notes how far the bytes can be vouched for, so that another process can go on from here.
    pub fn note(&mut self) -> Result<(), ClientError> {
        let Some(validator) = self
            .validator
            .clone()
            .filter(|_| !self.own && self.have > 0)
        else {
            return Ok(());
        };
        let note = Note {
            validator,
            total: self.total,
            have: self.have,
            sha256: hex(&self.digests.sha256.clone().finalize()),
        };
        let place = self.note_path();
        let new = with_end(&place, "new");
        // Not forced to the disk: after a power cut the digest shows whether the bytes are there.
        let text = serde_json::to_vec(&note).map_err(std::io::Error::from);
        let mut out = open(&new)?;
        let written = text.and_then(|text| {
            out.set_len(0)?;
            out.write_all(&text)
        });
        let written = written.and_then(|()| fs::rename(&new, &place));
        written.map_err(|source| failed(&place, source))?;
        self.noted = self.have;
        Ok(())
    }

    /// The name of a digest that is not the one that the store has announced.
    pub fn differs(&self) -> Option<&'static str> {
        self.digests.differ(&self.promised)
    }

    /// Undoes the packing of a complete download: its bytes are those of the file from now on. Gives the
    /// file's length and its first bytes. `None`: it cannot be undone; the reason.
    pub async fn unpack(
        &mut self,
        limit: u64,
    ) -> Result<Result<(u64, Vec<u8>), String>, ClientError> {
        if let Some(packing) = self.packing.take() {
            let plain = with_end(&self.path, "new");
            let mut from = open(&self.path)?;
            let mut to = open(&plain)?;
            let work = move || {
                to.set_len(0)?;
                unpack_file(packing, &mut from, &mut to, limit).map(|size| (to, size))
            };
            let done = tokio::task::spawn_blocking(work).await;
            match done.map_err(std::io::Error::other).flatten() {
                Ok((file, size)) => {
                    // The lock goes with the file that is left behind: what has this name is ours still.
                    fs::rename(&plain, &self.path).map_err(|source| failed(&self.path, source))?;
                    let _ = file.try_lock();
                    (self.file, self.have) = (file, size);
                }
                Err(error) => {
                    let _ = fs::remove_file(&plain);
                    return Ok(Err(format!("what came cannot be unpacked ({error})")));
                }
            }
        }
        let mut head = Vec::new();
        let read = File::open(&self.path).and_then(|f| f.take(HEAD as u64).read_to_end(&mut head));
        read.map_err(|source| failed(&self.path, source))?;
        Ok(Ok((self.have, head)))
    }

    /// The download is complete: everything is on disk, and only the file itself is left.
    pub async fn finish(&mut self) -> Result<(), ClientError> {
        // Small files are many, and cheap to load again should a power cut empty one.
        if self.have >= NOTE_EACH {
            let disk = |source| failed(&self.path, source);
            let file = self.file.try_clone().map_err(disk)?;
            let synced = tokio::task::spawn_blocking(move || file.sync_all()).await;
            synced
                .map_err(std::io::Error::other)
                .flatten()
                .map_err(disk)?;
        }
        let _ = fs::remove_file(self.note_path());
        self.kept = true;
        Ok(())
    }

    fn note_path(&self) -> PathBuf {
        with_end(&self.path, "note")
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        // Nobody else would ever go on with it.
        if !self.kept && (self.own || self.noted == 0) {
            let _ = fs::remove_file(&self.path);
        }
    }
}

fn with_end(path: &Path, end: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(end);
    PathBuf::from(name)
}

fn open(path: &Path) -> Result<File, ClientError> {
    let mut options = File::options();
    options.create(true).truncate(false).read(true).write(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    options.open(path).map_err(|source| failed(path, source))
}

/// Whether a path still leads to an open file.
fn same(file: &File, path: &Path) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        let id = |meta: fs::Metadata| (meta.dev(), meta.ino());
        let (Ok(ours), Ok(there)) = (file.metadata().map(id), fs::metadata(path).map(id)) else {
            return false;
        };
        ours == there
    }
    #[cfg(not(unix))]
    {
        let _ = (file, path);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn begun(path: &Path, bytes: &[u8]) -> Part {
        let mut part = Part::open(path).unwrap();
        part.validator = Some("\"v1\"".to_owned());
        part.total = Some(100);
        part.write(bytes).unwrap();
        part
    }

    #[tokio::test]
    async fn a_later_process_goes_on_where_an_earlier_one_noted_its_bytes() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.png");
        let mut part = begun(&path, b"0123456789");
        part.note().unwrap();
        part.write(b"not noted").unwrap();
        drop(part);
        let mut part = Part::open(&path).unwrap();
        assert_eq!((part.have(), part.total), (10, Some(100)));
        assert_eq!(part.validator.as_deref(), Some("\"v1\""));
        part.write(b"ab").unwrap();
        part.finish().await.unwrap();
        assert_eq!(fs::read(part.path()).unwrap(), b"0123456789ab");
        assert_eq!(
            fs::read_dir(dir.path()).unwrap().count(),
            1,
            "no note is left"
        );
    }

    #[test]
    fn bytes_that_are_not_those_of_the_note_are_thrown_away() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.png");
        for spoilt in [&b"0123456780"[..], b"012", b""] {
            let mut part = begun(&path, b"0123456789");
            part.note().unwrap();
            let place = part.path().to_owned();
            drop(part);
            fs::write(place, spoilt).unwrap();
            let part = Part::open(&path).unwrap();
            assert_eq!((part.have(), &part.validator), (0, &None), "{spoilt:?}");
        }
    }

    #[test]
    fn what_cannot_be_gone_on_with_leaves_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.png");
        let mut part = Part::open(&path).unwrap();
        part.write(b"no validator").unwrap();
        part.note().unwrap();
        drop(part);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
    }

    #[tokio::test]
    async fn two_at_once_have_a_file_each_and_a_finished_one_is_never_touched() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.png");
        let mut first = begun(&path, b"first");
        // Opened, and not locked yet, when the first one finishes.
        let opened = open(first.path()).unwrap();
        let second = begun(&path, b"second");
        assert_ne!(first.path(), second.path());
        first.finish().await.unwrap();
        fs::rename(first.path(), &path).unwrap();
        assert!(
            !same(&opened, first.path()),
            "it is no longer the unfinished one"
        );
        drop((first, second));
        assert_eq!(fs::read(&path).unwrap(), b"first");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }
}
