//! What a library may ask of its host while it runs: the functions of the host table.
//!
//! Every function may be called from any of the agent's threads, also from one that was left
//! running after its task: then there is no task, and nothing to be had. A panic in here must not
//! reach foreign frames, so each is caught.
#![allow(unsafe_code)] // the C border

use super::incoming::Incoming;
use super::{encode, send};
use crate::link::NO_JOB;
use crate::output::Budget;
use crate::page::ControlPage;
use crate::pixels::{Picture, PixelError, Source};
use crate::proto::{FromHost, Message};
use agent_abi::table::{ABI_MINOR, Bytes, Frame, Host};
use agent_abi::wire::{AssetDoc, call as calls, input};
use std::collections::HashMap;
use std::ffi::c_void;
use std::io;
use std::ops::Range;
use std::os::unix::net::UnixStream;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

const FOUND: i32 = 0;
const ABSENT: i32 = 1;
const FAILED: i32 = 2;
/// RGB8 in `Frame::format`.
const RGB8: u32 = 1;
/// Shortest time between two progress messages.
const PROGRESS_EVERY: Duration = Duration::from_millis(50);
/// How often a waiting call looks whether its attempt is still wanted.
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

    fn get(&self, name: &str) -> Option<&[u8]> {
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
struct Current {
    job: Option<u64>,
    documents: Documents,
    project: Option<Arc<Vec<u8>>>,
    source: Option<Result<Option<Source>, String>>,
    frames: HashMap<u64, Picture>,
    next_frame: u64,
    /// Texts and answers that the agent may read until its run ends.
    texts: Vec<Vec<u8>>,
    progress: Option<Instant>,
    budget: Budget,
}

/// Behind every pointer that a library is given.
pub(super) struct Context {
    table: Host,
    page: &'static ControlPage,
    reporter: Arc<Reporter>,
    incoming: Arc<Incoming>,
    calls: AtomicU64,
    current: Mutex<Current>,
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
        let table = Host {
            #[allow(clippy::cast_possible_truncation)] // a few dozen bytes
            size: size_of::<Host>() as u32,
            minor: u32::from(ABI_MINOR),
            ctx: std::ptr::null_mut(),
            log: Some(log),
            input: Some(read_input),
            frame: Some(frame),
            frame_release: Some(frame_release),
            progress: Some(progress),
            is_cancelled: Some(is_cancelled),
            call: Some(call),
        };
        let context = Box::leak(Box::new(Self {
            table,
            page,
            reporter,
            incoming,
            calls: AtomicU64::new(0),
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
        let dropped = current.budget.renew();
        if let Some(text) = dropped {
            self.log_line(2, "log", &text);
        }
        *current = Current::default();
    }

    /// Answers a call by name: here what this process can do itself, the rest in the workbench.
    /// `None`: nobody knows the name.
    fn answer(&self, name: &str, question: &[u8]) -> Result<Option<Vec<u8>>, String> {
        if name == calls::ENCODE {
            return encode::encode(question).map(Some);
        }
        let no_task = "calls are answered only while a task runs";
        let job = lock(&self.current).job.ok_or(no_task)?;
        let mut reading = self.incoming.lock();
        let call = self.calls.fetch_add(1, Ordering::Relaxed);
        let name = name.to_owned();
        let broken = |e: io::Error| format!("the connection to the workbench is broken: {e}");
        // Waiting for the lock may have taken longer than the task.
        let wanted = || lock(&self.current).job == Some(job) && !self.is_cancelled();
        if !wanted() {
            return Err(no_task.to_owned());
        }
        self.reporter
            .send(&FromHost::Call { job, call, name }, &[question])
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

    fn is_cancelled(&self) -> bool {
        let wanted = self.page.cancel.load(Ordering::SeqCst);
        wanted != NO_JOB && wanted == self.page.job.load(Ordering::SeqCst)
    }

    fn log_line(&self, level: u32, target: &str, text: &str) {
        let header = FromHost::Log {
            level: u8::try_from(level.clamp(1, 5)).unwrap_or(3),
            target: target.len(),
        };
        // A closed connection ends this process by itself.
        let _ = self
            .reporter
            .send(&header, &[target.as_bytes(), text.as_bytes()]);
    }
}

impl Current {
    fn picture(&mut self, index: u64) -> Result<Option<Picture>, String> {
        if self.source.is_none() {
            let opened = self.open_asset();
            self.source = Some(opened);
        }
        match &mut self.source {
            Some(Ok(Some(source))) => match source.frame(index) {
                Err(PixelError::NoPictures { .. }) => Ok(None),
                other => other.map_err(|e| e.to_string()),
            },
            // A text or a sound has no first picture: that is absence, not failure.
            Some(Ok(None)) => Ok(None),
            Some(Err(why)) => Err(why.clone()),
            None => Err("the task has no asset".into()),
        }
    }

    fn open_asset(&self) -> Result<Option<Source>, String> {
        let json = self
            .documents
            .get(input::ASSET)
            .ok_or("the task has no asset; declare that the agent needs frames")?;
        let asset: AssetDoc = serde_json::from_slice(json)
            .map_err(|e| format!("the asset document is broken: {e}"))?;
        let children: Vec<PathBuf> = asset
            .children
            .iter()
            .map(|c| c.path.clone().into())
            .collect();
        let mime = asset.mime_type.as_deref();
        match Source::open(Path::new(&asset.path), mime, &asset.item_type, &children) {
            Ok(source) => Ok(Some(source)),
            Err(PixelError::NoPictures { .. }) => Ok(None),
            Err(error) => Err(error.to_string()),
        }
    }

    /// Keeps bytes until the run ends and lends them.
    fn lend(&mut self, bytes: Vec<u8>) -> Bytes {
        self.texts.push(bytes);
        let kept = self.texts.last().filter(|bytes| !bytes.is_empty());
        kept.map_or(Bytes::EMPTY, |bytes| Bytes::borrow(bytes))
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Runs a function of the table; `otherwise` when it panics or the context is none.
fn guarded<T>(ctx: *mut c_void, otherwise: T, body: impl FnOnce(&'static Context) -> T) -> T {
    // SAFETY: the only context that libraries are ever given is leaked; null is checked.
    let Some(context) = (unsafe { ctx.cast::<Context>().as_ref() }) else {
        return otherwise;
    };
    catch_unwind(AssertUnwindSafe(|| body(context))).unwrap_or(otherwise)
}

/// Text that a library lends for the length of a call.
fn text(bytes: Bytes) -> String {
    // SAFETY: the ABI asks for valid bytes during the call.
    String::from_utf8_lossy(unsafe { bytes.as_slice() }).into_owned()
}

unsafe extern "C" fn log(ctx: *mut c_void, level: u32, target: Bytes, message: Bytes) {
    guarded(ctx, (), |context| {
        let (target, message) = (text(target), text(message));
        let fits = lock(&context.current)
            .budget
            .take(target.len() + message.len());
        if fits {
            context.log_line(level, &target, &message);
        }
    });
}

unsafe extern "C" fn read_input(ctx: *mut c_void, name: Bytes, out: *mut Bytes) -> i32 {
    guarded(ctx, FAILED, |context| {
        let name = text(name);
        let current = lock(&context.current);
        let found = if name == input::PROJECT {
            current.project.as_deref().map(Vec::as_slice)
        } else {
            current.documents.get(&name)
        };
        let answer = found.map_or(Bytes::EMPTY, Bytes::borrow);
        if !out.is_null() {
            // SAFETY: not null; the ABI asks for a writable place.
            unsafe { out.write(answer) };
        }
        if found.is_some() { FOUND } else { ABSENT }
    })
}

unsafe extern "C" fn frame(ctx: *mut c_void, index: u64, out: *mut Frame) -> i32 {
    guarded(ctx, FAILED, |context| {
        // SAFETY: the ABI asks for a writable frame whose `size` is set; null is checked.
        if out.is_null() || unsafe { (*out).size as usize } < size_of::<Frame>() {
            return FAILED;
        }
        let mut current = lock(&context.current);
        let mut answer = Frame::empty();
        let status = match current.picture(index) {
            Ok(None) => ABSENT,
            Ok(Some(picture)) => {
                current.next_frame += 1;
                let handle = current.next_frame;
                answer = describe(&picture, handle);
                // Moving the picture does not move its pixels.
                current.frames.insert(handle, picture);
                FOUND
            }
            Err(why) => {
                answer.error = current.lend(why.into_bytes());
                FAILED
            }
        };
        // SAFETY: writable and large enough, as seen above.
        unsafe { out.write(answer) };
        status
    })
}

fn describe(picture: &Picture, handle: u64) -> Frame {
    Frame {
        format: RGB8,
        data: picture.rgb.as_ptr(),
        len: picture.rgb.len(),
        width: picture.width,
        height: picture.height,
        stride: picture.stride,
        index: picture.index,
        pts_us: picture.pts_us,
        handle,
        ..Frame::empty()
    }
}

unsafe extern "C" fn frame_release(ctx: *mut c_void, handle: u64) {
    guarded(ctx, (), |context| {
        lock(&context.current).frames.remove(&handle);
    });
}

unsafe extern "C" fn progress(ctx: *mut c_void, fraction: f64) {
    guarded(ctx, (), |context| {
        let mut current = lock(&context.current);
        let recent = current
            .progress
            .is_some_and(|at| at.elapsed() < PROGRESS_EVERY);
        if current.job.is_none() || !fraction.is_finite() || (recent && fraction < 1.0) {
            return;
        }
        current.progress = Some(Instant::now());
        drop(current);
        let fraction = fraction.clamp(0.0, 1.0);
        let _ = context.reporter.send(&FromHost::Progress { fraction }, &[]);
    });
}

unsafe extern "C" fn is_cancelled(ctx: *mut c_void) -> i32 {
    guarded(ctx, 0, |context| i32::from(context.is_cancelled()))
}

unsafe extern "C" fn call(ctx: *mut c_void, name: Bytes, question: Bytes, out: *mut Bytes) -> i32 {
    guarded(ctx, FAILED, |context| {
        // SAFETY: the ABI asks for valid bytes during the call.
        let answered = context.answer(&text(name), unsafe { question.as_slice() });
        let (status, bytes) = match answered {
            Ok(Some(bytes)) => (FOUND, bytes),
            Ok(None) => (ABSENT, Vec::new()),
            Err(why) => (FAILED, why.into_bytes()),
        };
        if !out.is_null() {
            let lent = lock(&context.current).lend(bytes);
            // SAFETY: not null; the ABI asks for a writable place.
            unsafe { out.write(lent) };
        }
        status
    })
}
