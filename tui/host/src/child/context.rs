//! What a library may ask of its host while it runs: documents, pictures and answers of the current task.
//!
//! Asked from any of the agent's threads, also from one that was left running after its task: then there
//! is no task, and nothing to be had. How it is asked, from C, is in `functions`.
#![allow(unsafe_code)] // the table is shared between threads

use super::incoming::Incoming;
use super::{encode, functions, send};
use crate::calls::{DISCARD, FETCH_AGAIN};
use crate::link::NO_JOB;
use crate::output::Budget;
use crate::page::ControlPage;
use crate::proto::{FromHost, Message};
use agent_abi::logs::Filter;
use agent_abi::table::{Bytes, Host};
use agent_abi::wire::{AssetDoc, call as calls, input};
use std::collections::HashMap;
use std::io;
use std::ops::Range;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use wb_media::{MediaError, Picture, Source};

pub(super) const FOUND: i32 = 0;
pub(super) const ABSENT: i32 = 1;
pub(super) const FAILED: i32 = 2;
const NO_TASK: &str = "calls are answered only while a task runs";
/// How often a waiting call checks whether its attempt is still wanted.
const LOOK_UP: Duration = Duration::from_millis(20);

/// The writing half of the socket, for every thread.
pub(super) struct Reporter {
    socket: Mutex<UnixStream>,
}

impl Reporter {
    pub(super) fn new(socket: UnixStream) -> Self {
        Self {
            socket: Mutex::new(socket),
        }
    }

    pub(super) fn send(&self, header: &FromHost, parts: &[&[u8]]) -> io::Result<()> {
        send(&lock(&self.socket), header, parts)
    }
}

/// The named documents of one task, kept as they arrived.
#[derive(Default)]
pub(super) struct Documents {
    message: Option<Arc<Message>>,
    ranges: Vec<(String, Range<usize>)>,
}

impl Documents {
    /// Finds the documents in a message.
    ///
    /// # Errors
    /// The lengths do not fit the message.
    pub(super) fn new(parts: &[(String, usize)], message: Arc<Message>) -> io::Result<Self> {
        let mut at = 0_usize;
        let mut ranges = Vec::with_capacity(parts.len());
        for (name, len) in parts {
            let end = at.saturating_add(*len);
            ranges.push((name.clone(), at..end));
            at = end;
        }
        if at != message.parts().len() {
            return Err(io::Error::other("documents that do not fit their message"));
        }
        Ok(Self {
            message: Some(message),
            ranges,
        })
    }

    pub(super) fn get(&self, name: &str) -> Option<&[u8]> {
        let message = self.message.as_ref()?;
        let (_, range) = self.ranges.iter().find(|(n, _)| n == name)?;
        message.parts().get(range.clone())
    }

    /// Borrowed for as long as the documents live; empty when there is no such document.
    pub(super) fn borrow(&self, name: &str) -> Bytes {
        self.get(name)
            .filter(|bytes| !bytes.is_empty())
            .map_or(Bytes::EMPTY, Bytes::borrow)
    }
}

#[derive(Default)]
pub(super) struct Current {
    pub(super) job: Option<u64>,
    pub(super) documents: Documents,
    pub(super) project: Option<Arc<Vec<u8>>>,
    /// Of the asset, and of those of its children that pictures were asked of.
    sources: HashMap<Option<u64>, Result<Option<Source>, NoPicture>>,
    pub(super) frames: HashMap<u64, Picture>,
    pub(super) next_frame: u64,
    /// Files that were downloaded again during this task, with where they are now.
    again: HashMap<PathBuf, PathBuf>,
    /// Texts and answers that the agent may read until its run ends.
    texts: Vec<Vec<u8>>,
    pub(super) progress: Option<Instant>,
    pub(super) budget: Budget,
}

/// Behind every pointer that a library is given.
pub(super) struct Context {
    table: Host,
    page: &'static ControlPage,
    pub(super) reporter: Arc<Reporter>,
    incoming: Arc<Incoming>,
    calls: AtomicU64,
    /// The job whose places are reported, or [`NO_JOB`].
    pub(super) looked_at: AtomicU64,
    /// Libraries of Rust filter by themselves before they format a line; this holds for all.
    pub(super) log: Filter,
    pub(super) current: Mutex<Current>,
}

// SAFETY: the table holds a pointer to this very struct and plain functions; it is not changed
// after it was built. Everything else in here is Send and Sync.
unsafe impl Send for Context {}
// SAFETY: as above.
unsafe impl Sync for Context {}

impl Context {
    /// Lives for ever: a thread of the agent's may use it at any time.
    pub(super) fn leak(
        page: &'static ControlPage,
        reporter: Arc<Reporter>,
        incoming: Arc<Incoming>,
    ) -> &'static Self {
        let table = functions::table();
        let context = Box::leak(Box::new(Self {
            table,
            page,
            reporter,
            incoming,
            calls: AtomicU64::new(0),
            looked_at: AtomicU64::new(NO_JOB),
            log: Filter::of_environment(),
            current: Mutex::default(),
        }));
        context.table.ctx = std::ptr::from_mut(context).cast();
        context
    }

    /// What libraries are handed.
    pub(super) fn table(&self) -> *const Host {
        &raw const self.table
    }

    /// A task begins.
    pub(super) fn begin(&self, job: u64, documents: Documents, project: Option<Arc<Vec<u8>>>) {
        *lock(&self.current) = Current {
            job: Some(job),
            documents,
            project,
            ..Current::default()
        };
    }

    /// The task is over: what was borrowed from it is gone.
    pub(super) fn end(&self) {
        let mut current = lock(&self.current);
        let dropped = current.budget.renew("logged");
        if let Some(text) = dropped {
            self.log_line(current.job, 2, "log", &text);
        }
        *current = Current::default();
    }

    /// Answers a call by name: here what this process can do itself, the rest in the workbench.
    /// `None`: an unknown name.
    pub(super) fn answer(&self, name: &str, question: &[u8]) -> Result<Option<Vec<u8>>, String> {
        if name == calls::ENCODE {
            return encode::encode(question).map(Some);
        }
        let job = lock(&self.current).job.ok_or(NO_TASK)?;
        if name == calls::LOADING {
            return self.loading(job, question).map(Some);
        }
        if name == calls::PAUSE {
            return self.pause_by_name(question).map(Some);
        }
        let name = name.to_owned();
        self.ask(job, |call| FromHost::Call { job, call, name }, question)
    }

    /// Asks the workbench on behalf of a job, and waits for the answer as long as the job is wanted.
    pub(super) fn ask(
        &self,
        job: u64,
        header: impl FnOnce(u64) -> FromHost,
        question: &[u8],
    ) -> Result<Option<Vec<u8>>, String> {
        let mut reading = self.incoming.lock();
        let call = self.calls.fetch_add(1, Ordering::Relaxed);
        let broken = |e: io::Error| format!("the connection to the workbench is broken: {e}");
        // Waiting for the lock may have taken longer than the task.
        let wanted = || lock(&self.current).job == Some(job) && !self.is_cancelled();
        if !wanted() {
            return Err(NO_TASK.to_owned());
        }
        self.reporter
            .send(&header(call), &[question])
            .map_err(broken)?;
        while wanted() {
            match reading.answer(call, LOOK_UP).map_err(broken)? {
                Some((FOUND, bytes)) => return Ok(Some(bytes)),
                Some((ABSENT, _)) => return Ok(None),
                Some((_, why)) => return Err(String::from_utf8_lossy(&why).into_owned()),
                None => {}
            }
        }
        Err("the attempt was stopped while it waited for an answer".to_owned())
    }

    /// Passes on that a dependency is being loaded into this host, or is loaded.
    fn loading(&self, job: u64, question: &[u8]) -> Result<Vec<u8>, String> {
        let name = serde_json::from_slice(question)
            .map_err(|e| format!("neither the name of a dependency nor null: {e}"))?;
        self.reporter
            .send(&FromHost::Loading { job, name }, &[])
            .map_err(|e| format!("the connection to the workbench is broken: {e}"))?;
        Ok(b"null".to_vec())
    }

    pub(super) fn is_cancelled(&self) -> bool {
        let wanted = self.page.requests.cancel.load(Ordering::SeqCst);
        wanted != NO_JOB && wanted == self.page.claims.job.load(Ordering::SeqCst)
    }

    /// Sends a line of whatever runs, unless that has logged too much.
    pub(super) fn log(&self, level: u32, target: &str, text: &str) {
        let mut current = lock(&self.current);
        let job = current.job;
        if current.budget.take(target.len() + text.len()) {
            drop(current); // the socket may be full for a while
            self.log_line(job, level, target, text);
        }
    }

    fn log_line(&self, job: Option<u64>, level: u32, target: &str, text: &str) {
        let header = FromHost::Log {
            job,
            level: u8::try_from(level.clamp(1, 5)).unwrap_or(3),
            target: target.len(),
        };
        // A closed connection ends this process by itself.
        let _ = self
            .reporter
            .send(&header, &[target.as_bytes(), text.as_bytes()]);
    }
}

/// Why there is no picture, and the file that may be to blame.
#[derive(Clone)]
struct NoPicture {
    why: String,
    file: Option<PathBuf>,
}

impl From<MediaError> for NoPicture {
    fn from(error: MediaError) -> Self {
        Self {
            why: error.to_string(),
            file: error.doubtful_file().map(Path::to_owned),
        }
    }
}

impl From<String> for NoPicture {
    fn from(why: String) -> Self {
        Self { why, file: None }
    }
}

impl Context {
    /// A picture of the task's asset, or of one of its children. A file that cannot be decoded is downloaded again, once; what is still
    /// bad then is not kept.
    pub(super) fn picture(
        &self,
        child: Option<u64>,
        index: u64,
    ) -> Result<Option<Picture>, String> {
        let bad = match lock(&self.current).picture(child, index) {
            Ok(picture) => return Ok(picture),
            Err(bad) => bad,
        };
        let Some(file) = bad
            .file
            .filter(|f| !lock(&self.current).again.contains_key(f))
        else {
            return Err(bad.why);
        };
        let name = file.as_os_str().as_encoded_bytes();
        // Nobody may be there to download anything: then the matter is as it was.
        let Ok(Some(place)) = self.answer(FETCH_AGAIN, name) else {
            return Err(bad.why);
        };
        let place = PathBuf::from(String::from_utf8_lossy(&place).into_owned());
        let mut current = lock(&self.current);
        current.sources.clear();
        current.again.insert(file, place.clone());
        current.again.insert(place.clone(), place.clone());
        let picture = current.picture(child, index);
        drop(current);
        picture.map_err(|still| {
            if still.file.is_some() {
                // Nothing in the answer matters here.
                let _ = self.answer(DISCARD, place.as_os_str().as_encoded_bytes());
            }
            format!("{} (it was downloaded again, and is the same)", still.why)
        })
    }
}

impl Current {
    fn picture(&mut self, child: Option<u64>, index: u64) -> Result<Option<Picture>, NoPicture> {
        if !self.sources.contains_key(&child) {
            let opened = self.open(child);
            self.sources.insert(child, opened);
        }
        match self.sources.get_mut(&child) {
            Some(Ok(Some(source))) => match source.frame(index) {
                Err(MediaError::NoPictures { .. }) => Ok(None),
                other => Ok(other?),
            },
            // A text or a sound has no first picture: that is absence, not failure.
            Some(Ok(None)) => Ok(None),
            Some(Err(bad)) => Err(bad.clone()),
            None => Err("the task has no asset".to_owned().into()),
        }
    }

    fn open(&self, child: Option<u64>) -> Result<Option<Source>, NoPicture> {
        let json = self.documents.get(input::ASSET).ok_or_else(|| {
            "the task has no asset; declare that the agent needs frames".to_owned()
        })?;
        let mut asset: AssetDoc = serde_json::from_slice(json)
            .map_err(|e| format!("the asset document is broken: {e}"))?;
        if let Some(child) = child {
            let count = asset.children.len();
            let place = usize::try_from(child).ok().filter(|place| *place < count);
            let place = place.ok_or_else(|| {
                format!("there is no file {child}: the asset has {count} children, counted from 0")
            })?;
            asset = asset.children.swap_remove(place);
        }
        let now = |path: &str| {
            let path = PathBuf::from(path);
            self.again.get(&path).cloned().unwrap_or(path)
        };
        let children: Vec<PathBuf> = asset.children.iter().map(|c| now(&c.path)).collect();
        let mime = asset.mime_type.as_deref();
        match Source::open(&now(&asset.path), mime, &asset.item_type, &children) {
            Ok(source) => Ok(Some(source)),
            Err(MediaError::NoPictures { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Keeps bytes until the run ends and lends them.
    pub(super) fn lend(&mut self, bytes: Vec<u8>) -> Bytes {
        self.texts.push(bytes);
        let kept = self.texts.last().filter(|bytes| !bytes.is_empty());
        kept.map_or(Bytes::EMPTY, |bytes| Bytes::borrow(bytes))
    }
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
