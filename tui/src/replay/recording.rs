//! Reads a recording line by line, plain or compressed. What the lines mean is left to [`wb_ui::recording`].

use flate2::read::MultiGzDecoder;
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};
use wb_core::error::{Error, ErrorKind};
use wb_ui::recording::{FORMAT, NotPlayable, RecordedLine, RecordingHeader};

/// The first bytes of a compressed file.
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// Longest first line, in bytes: of a file that is something else not all is read.
const HEADER: usize = 64 << 20;

/// A recording that is being read.
pub struct Recording {
    /// Its first line.
    pub header: RecordingHeader,
    path: PathBuf,
    lines: Box<dyn BufRead + Send>,
    /// Lines that were read, without the first.
    number: u64,
    cut: bool,
}

impl Recording {
    /// Opens a recording.
    ///
    /// # Errors
    /// There is no such file, it is something else, or a newer version wrote it.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let shown = path.display();
        let failed = |error: io::Error| Error::new(ErrorKind::Usage, format!("{shown}: {error}"));
        let file = wb_host::open_regular(path).map_err(|error| {
            let text = format!("{shown}: {error}");
            Error::new(ErrorKind::Usage, text)
                .hint("record a session first: workbench --record FILE")
        })?;
        let mut file = BufReader::new(file);
        let compressed = file.fill_buf().map_err(failed)?.starts_with(&GZIP);
        let mut lines: Box<dyn BufRead + Send> = match compressed {
            true => Box::new(BufReader::new(MultiGzDecoder::new(file))),
            false => Box::new(file),
        };
        let foreign = || {
            Error::new(ErrorKind::Usage, format!("{shown} is not a recording"))
                .hint("a recording is made by: workbench --record FILE")
        };
        let mut first = Vec::new();
        let (read, _) = read_line(&mut lines, &mut first, HEADER).map_err(|_| foreign())?;
        let text = std::str::from_utf8(&first).map_err(|_| foreign())?;
        if !read {
            return Err(foreign());
        }
        let header = RecordingHeader::read(text).map_err(|why| match why {
            NotPlayable::Foreign => foreign(),
            NotPlayable::Newer(format) => {
                let text = format!(
                    "{shown} uses recording format v{format}; this version supports v{FORMAT} only"
                );
                Error::new(ErrorKind::Settings, text).hint("use the version that recorded it")
            }
            NotPlayable::Damaged { version, why } => other_version(path, 1, &version, &why),
        })?;
        Ok(Self {
            header,
            path: path.to_owned(),
            lines,
            number: 0,
            cut: false,
        })
    }

    /// The next line; `None` at the end, also of a file whose last line was not written to its end.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn next_line(&mut self) -> Result<Option<RecordedLine>, Error> {
        let mut bytes = Vec::new();
        let (whole, read) = match read_line(&mut self.lines, &mut bytes, usize::MAX) {
            Ok(read) => read,
            // Compressed, and not to its end.
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => (false, true),
            Err(error) => {
                let text = format!("{}: {error}", self.path.display());
                return Err(Error::new(ErrorKind::Settings, text));
            }
        };
        if !whole {
            self.cut |= read;
            return Ok(None);
        }
        self.number += 1;
        match serde_json::from_slice(&bytes) {
            Ok(line) => Ok(Some(line)),
            Err(error) => {
                let version = &self.header.workbench;
                Err(other_version(
                    &self.path,
                    self.number + 1,
                    version,
                    &error.to_string(),
                ))
            }
        }
    }

    /// How many lines were read so far, without the first.
    #[must_use]
    pub const fn number(&self) -> u64 {
        self.number
    }

    /// Whether it ended in the middle of a line.
    #[must_use]
    pub const fn was_cut(&self) -> bool {
        self.cut
    }
}

/// Reads a line without its end: whether it was whole, and whether there was anything of it.
fn read_line(lines: &mut dyn BufRead, into: &mut Vec<u8>, most: usize) -> io::Result<(bool, bool)> {
    loop {
        let buffered = match lines.fill_buf() {
            Ok(buffered) => buffered,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        if buffered.is_empty() {
            return Ok((false, !into.is_empty()));
        }
        let end = buffered.iter().position(|byte| *byte == b'\n');
        into.extend_from_slice(&buffered[..end.unwrap_or(buffered.len())]);
        let used = end.map_or(buffered.len(), |end| end + 1);
        lines.consume(used);
        if end.is_some() {
            return Ok((true, true));
        }
        if into.len() > most {
            return Err(io::Error::other("the first line is too long"));
        }
    }
}

fn other_version(path: &Path, line: u64, version: &str, why: &str) -> Error {
    let text = format!("{}: line {line} cannot be read", path.display());
    let error = Error::new(ErrorKind::Settings, text).because(why.to_owned());
    match version == env!("CARGO_PKG_VERSION") {
        true => error.hint("the file is damaged; what comes before that line: --to EVENT"),
        false => error.hint(format!(
            "it was recorded by workbench {version}: use that version"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(text: &str) -> Error {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file");
        std::fs::write(&path, text).unwrap();
        Recording::open(&path).err().unwrap()
    }

    #[test]
    fn another_file_is_a_mistake_of_the_command_line_and_a_newer_one_of_the_version() {
        for other in [
            "",
            "{}\n",
            "text\n",
            "{\"workbench_plan\": 3}\n",
            "{\"workbench_recording\":1",
        ] {
            let error = refusal(other);
            assert_eq!(error.kind, ErrorKind::Usage, "{other}");
            assert!(error.summary.contains("is not a recording"), "{error}");
        }
        let error = refusal("{\"workbench_recording\": 9, \"new\": []}\n");
        assert_eq!(error.kind, ErrorKind::Settings);
        assert!(error.summary.contains("format v9"), "{error}");
        let error = refusal("{\"workbench_recording\": 1, \"workbench\": \"0.0.1\"}\n");
        assert_eq!(error.kind, ErrorKind::Settings);
        assert!(error.hints[0].contains("0.0.1"), "{error}");
    }
}
