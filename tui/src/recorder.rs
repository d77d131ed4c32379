//! Writes a session to a file while it goes on, in a thread of its own: the screen never waits for it. What the lines hold
//! is left to [`wb_ui::recording`].

#[cfg(test)]
mod tests;
mod writer;

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};
use wb_core::error::{Error, ErrorKind};
use wb_core::event::{Event, JobEvent, Upstream};
use wb_core::work::Outcome;
use wb_engine::files;
use wb_ui::recording::{RecordedEntry, RecordedLine, RecordingHeader};
use writer::{Out, write};

/// Entries that may wait to be written.
const WAITING: usize = 8_192;
/// Tasks that may wait to be written: a listing of a million must not be in memory twice. Documents count as the tasks
/// that would take as much memory.
const WAITING_ROWS: usize = 65_536;
/// The end of the program waits this long for the disk.
const PATIENCE: Duration = Duration::from_secs(10);

/// The recorder of this process, for reports of crashes.
static CURRENT: OnceLock<Recorder> = OnceLock::new();

/// A file that is to be recorded in.
pub struct RecordingFile {
    path: PathBuf,
    file: File,
    /// Whether pictures, texts and sounds that are shown go into it.
    pub pictures: bool,
}

impl RecordingFile {
    /// Makes the file: before anything else is begun.
    ///
    /// # Errors
    /// As [`files::create_recording`].
    pub fn create(path: &Path, replace: bool, pictures: bool) -> Result<Self, Error> {
        Ok(Self {
            path: std::path::absolute(path).unwrap_or_else(|_| path.to_owned()),
            file: files::create_recording(path, replace)?,
            pictures,
        })
    }

    /// Begins to record.
    ///
    /// # Errors
    /// The header cannot be written, or there is no thread for it.
    pub fn begin(self, header: &RecordingHeader) -> Result<Recorder, Error> {
        let failed = |why: String| {
            let text = format!("--record: cannot write {}: {why}", self.path.display());
            Error::new(ErrorKind::Usage, text)
        };
        let json = header.to_json().map_err(|e| failed(e.to_string()))?;
        let mut out = Out::of(self.file, &self.path);
        writeln!(out, "{json}")
            .and_then(|()| out.flush())
            .map_err(|e| failed(e.to_string()))?;
        let (send, messages) = sync_channel(WAITING);
        let shared = Arc::new(RecorderState::default());
        let thread = std::thread::Builder::new().name("wb-record".into());
        let theirs = Arc::clone(&shared);
        let write = move || write(out, &messages, &theirs);
        thread.spawn(write).map_err(|e| failed(e.to_string()))?;
        let recorder = Recorder {
            send,
            begun: Instant::now(),
            shared,
            pictures: self.pictures,
            path: self.path.into(),
        };
        let _ = CURRENT.set(recorder.clone());
        Ok(recorder)
    }
}

/// Records a session.
#[derive(Clone)]
pub struct Recorder {
    send: SyncSender<RecorderMessage>,
    begun: Instant,
    shared: Arc<RecorderState>,
    path: Arc<Path>,
    /// Whether pictures, texts and sounds go into it.
    pub pictures: bool,
}

enum RecorderMessage {
    /// An entry, and how many rows it holds.
    Line(RecordedLine, usize),
    /// Everything so far is to be on disk; ends the writer, or goes on.
    Flush { last: bool, done: SyncSender<()> },
}

/// What both threads know.
#[derive(Default)]
struct RecorderState {
    rows: AtomicUsize,
    /// Entries that were left out since the last one that was taken.
    missing: AtomicU64,
    /// Entries that were left out in all.
    lost: AtomicU64,
    failure: Mutex<Option<String>>,
}

/// Bytes of a document that count as a task.
const ROW: usize = 256;

/// How many tasks an event lists, or how many would take as much memory.
fn rows(event: &Event) -> usize {
    let labels = |outcome: &Outcome| {
        outcome
            .labels_after
            .as_ref()
            .map_or(0, |l| l.as_str().len())
    };
    let documents = |bytes: usize| bytes / ROW + 1;
    match event {
        Event::Upstream(Upstream::Page { rows, .. }) => rows.len(),
        Event::Upstream(Upstream::Known { rows, .. }) => rows.len(),
        Event::ResultsBefore { results, .. } => results.len(),
        Event::RunRead {
            results: Ok(results),
            ..
        } => results.len(),
        Event::HeldBefore(all) | Event::HeldElsewhere(all) => {
            let sizes = all
                .iter()
                .map(|(_, held)| held.inputs.size() + labels(&held.outcome));
            documents(sizes.sum())
        }
        Event::Prefetch { results, .. } => {
            let sizes = results.iter().flatten().map(|inputs| inputs.size());
            documents(sizes.sum())
        }
        Event::Job(JobEvent::Done {
            result: Ok(outcome),
            ..
        }) => documents(labels(outcome)),
        _ => 1,
    }
}

impl Recorder {
    /// Records an event that the state takes in.
    pub fn event(&self, event: &Event) {
        let rows = rows(event);
        if self.has_room(rows) {
            self.put(RecordedEntry::Event(Box::new(event.clone())), rows);
        }
    }

    /// Records what the screen was given.
    pub fn note(&self, entry: RecordedEntry) {
        if self.has_room(1) {
            self.put(entry, 1);
        }
    }

    fn has_room(&self, rows: usize) -> bool {
        let waiting = self.shared.rows.load(Ordering::Relaxed);
        let room = waiting == 0 || waiting + rows <= WAITING_ROWS;
        if !room {
            self.shared.miss(1);
        }
        room
    }

    fn put(&self, entry: RecordedEntry, rows: usize) {
        let t = u64::try_from(self.begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        let missing = self.shared.missing.swap(0, Ordering::Relaxed);
        if missing > 0 && !self.send(t, RecordedEntry::Missing(missing), 1) {
            self.shared.missing.fetch_add(missing, Ordering::Relaxed);
            self.shared.miss(1);
            return;
        }
        if !self.send(t, entry, rows) {
            self.shared.miss(1);
        }
    }

    fn send(&self, t: u64, entry: RecordedEntry, rows: usize) -> bool {
        self.shared.rows.fetch_add(rows, Ordering::Relaxed);
        let line = RecorderMessage::Line(RecordedLine { t, entry }, rows);
        match self.send.try_send(line) {
            Ok(()) => true,
            Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => {
                self.shared.rows.fetch_sub(rows, Ordering::Relaxed);
                false
            }
        }
    }

    /// What is wrong with the recording by now, for the last row of the screen.
    #[must_use]
    pub fn problem(&self) -> Option<String> {
        let failure = self.shared.failure.lock();
        if let Some(why) = &*failure.unwrap_or_else(PoisonError::into_inner) {
            return Some(format!("the recording has stopped: {why}"));
        }
        let lost = self.shared.lost.load(Ordering::Relaxed);
        (lost > 0).then(|| "the recording has gaps: it could not be written fast enough".to_owned())
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Ends the recording: it is on disk when this returns.
    pub fn finish(&self) {
        self.note(RecordedEntry::End);
        self.flush(true, PATIENCE);
    }

    fn flush(&self, last: bool, patience: Duration) {
        let (done, answer) = sync_channel(1);
        if self
            .send
            .send(RecorderMessage::Flush { last, done })
            .is_ok()
        {
            let _ = answer.recv_timeout(patience);
        }
    }
}

/// Writes what is waiting, in a program that is about to end: gives the file of its recording, if it has one.
pub fn save_now() -> Option<PathBuf> {
    /// A crash must not hang.
    const MOMENT: Duration = Duration::from_millis(500);
    let recorder = CURRENT.get()?;
    // The queue may be full, or the panic may be the writer's.
    let (done, answer) = sync_channel(1);
    let flush = RecorderMessage::Flush { last: false, done };
    if recorder.send.try_send(flush).is_ok() {
        let _ = answer.recv_timeout(MOMENT);
    }
    Some(recorder.path.to_path_buf())
}

impl RecorderState {
    fn miss(&self, entries: u64) {
        self.missing.fetch_add(entries, Ordering::Relaxed);
        self.lost.fetch_add(entries, Ordering::Relaxed);
    }
}
