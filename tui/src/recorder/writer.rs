//! The thread that writes a recording.

use super::{RecorderMessage, RecorderState};
use flate2::Compression;
use flate2::write::GzEncoder;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::sync::PoisonError;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

/// What was recorded is on disk after this time at the latest.
const FLUSH: Duration = Duration::from_secs(1);

/// The file, compressed if its name ends in `.gz`.
pub(super) enum Out {
    Plain(BufWriter<File>),
    Compressed(GzEncoder<BufWriter<File>>),
}

impl Out {
    /// A new file.
    pub(super) fn of(file: File, path: &Path) -> Self {
        let file = BufWriter::new(file);
        match path.extension().is_some_and(|ending| ending == "gz") {
            true => Self::Compressed(GzEncoder::new(file, Compression::default())),
            false => Self::Plain(file),
        }
    }

    /// Writes what a reader of the whole file expects at its end.
    pub(super) fn finish(self) -> io::Result<()> {
        match self {
            Self::Plain(mut file) => file.flush(),
            Self::Compressed(encoder) => encoder.finish()?.flush(),
        }
    }
}

impl Write for Out {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(file) => file.write(bytes),
            Self::Compressed(encoder) => encoder.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(file) => file.flush(),
            Self::Compressed(encoder) => encoder.flush(),
        }
    }
}

/// Writes entries until the last one, or until the disk refuses.
pub(super) fn write(out: Out, messages: &Receiver<RecorderMessage>, shared: &RecorderState) {
    if let Err(error) = write_all(out, messages, shared) {
        let mut failure = shared
            .failure
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        *failure = Some(error.to_string());
    }
}

fn write_all(
    mut out: Out,
    messages: &Receiver<RecorderMessage>,
    shared: &RecorderState,
) -> io::Result<()> {
    let mut flushed = Instant::now();
    let mut dirty = false;
    loop {
        match messages.recv_timeout(FLUSH) {
            Ok(RecorderMessage::Line(line, rows)) => {
                let json = line.to_json();
                drop(line);
                shared.rows.fetch_sub(rows, Ordering::Relaxed);
                match json {
                    Ok(json) => writeln!(out, "{json}")?,
                    Err(_) => shared.miss(1),
                }
                dirty = true;
            }
            Ok(RecorderMessage::Flush { last: true, done }) => {
                let finished = out.finish();
                let _ = done.try_send(());
                return finished;
            }
            Ok(RecorderMessage::Flush { done, .. }) => {
                out.flush()?;
                dirty = false;
                let _ = done.try_send(());
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return out.finish(),
        }
        if dirty && flushed.elapsed() >= FLUSH {
            out.flush()?;
            flushed = Instant::now();
            dirty = false;
        }
    }
}
