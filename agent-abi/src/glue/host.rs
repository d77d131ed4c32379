//! The host's C functions as a [`Source`].
#![allow(unsafe_code)] // the C border

use crate::inject::{RawFrame, Source};
use crate::table::{Bytes, Frame, Host};
use crate::wire::{Pause, call};
use std::marker::PhantomData;
use std::mem::offset_of;
use std::sync::atomic::{AtomicPtr, Ordering};

/// The host's table as `init` got it, which is valid as long as the process.
static HOST: AtomicPtr<Host> = AtomicPtr::new(std::ptr::null_mut());

/// Keeps the table for the log lines of threads without an attempt.
pub(super) fn remember(host: *const Host) {
    HOST.store(host.cast_mut(), Ordering::Release);
}

/// Calls a function with the host of this process, where there is one.
pub(super) fn with_host(ask: &mut dyn FnMut(&dyn Source)) {
    let host = HOST.load(Ordering::Acquire);
    if host.is_null() {
        return;
    }
    // SAFETY: the table that `init` gets stays valid, and its functions may be called on any thread at any time.
    let source = unsafe { HostSource::new(host) };
    ask(&source);
}

/// A host, for the time of one call.
pub(super) struct HostSource<'t> {
    host: *const Host,
    _call: PhantomData<&'t Host>,
}

/// A function of the host's, when its table is long enough to have it.
macro_rules! function {
    ($self:ident . $name:ident) => {{
        let end = offset_of!(Host, $name) + size_of::<usize>();
        // SAFETY: `new` promises a table of at least the fixed part; `size` covers the field.
        unsafe {
            if ((*$self.host).size as usize) < end {
                None
            } else {
                (&raw const (*$self.host).$name).read()
            }
        }
    }};
}

impl HostSource<'_> {
    /// Wraps the pointer.
    ///
    /// # Safety
    /// `host` is valid for as long as the value lives, and its functions may be called on this thread.
    pub(super) unsafe fn new(host: *const Host) -> Self {
        assert!(!host.is_null(), "the host gave no table of functions");
        Self {
            host,
            _call: PhantomData,
        }
    }

    fn context(&self) -> *mut std::ffi::c_void {
        // SAFETY: promised in `new`; `ctx` belongs to the fixed part.
        unsafe { (*self.host).ctx }
    }

    /// Text of the host's, valid until the call ends.
    fn text(&self, bytes: Bytes) -> Result<&str, String> {
        // SAFETY: the host keeps what it lends until `run` returns, and `self` lives no longer.
        let bytes = unsafe { bytes.as_slice() };
        std::str::from_utf8(bytes).map_err(|e| format!("the host gave text that is not UTF-8: {e}"))
    }

    /// What the host answered to a question for a picture.
    fn decoded(&self, code: i32, raw: Frame) -> Result<Option<RawFrame<'_>>, String> {
        match code {
            0 if raw.format == 1 => {}
            0 => {
                return Err(format!(
                    "the host gave a picture in the unknown format {}",
                    raw.format
                ));
            }
            1 => return Ok(None),
            _ => return Err(self.text(raw.error).unwrap_or_default().to_owned()),
        }
        // SAFETY: the host keeps the pixels until they are released or `run` returns; `model::Frame`
        // releases them when it is dropped and lends them no longer than that.
        let data = unsafe {
            Bytes {
                ptr: raw.data,
                len: raw.len,
            }
            .as_slice()
        };
        let Frame {
            width,
            height,
            stride,
            index,
            pts_us,
            handle,
            ..
        } = raw;
        Ok(Some(RawFrame {
            data,
            width,
            height,
            stride,
            index,
            pts_us,
            handle,
        }))
    }
}

impl Source for HostSource<'_> {
    fn input(&self, name: &str) -> Result<Option<&str>, String> {
        let Some(input) = function!(self.input) else {
            return Ok(None);
        };
        let mut bytes = Bytes::EMPTY;
        // SAFETY: a function of the host's, with its own context and borrowed arguments.
        let code = unsafe {
            input(
                self.context(),
                Bytes::borrow(name.as_bytes()),
                &raw mut bytes,
            )
        };
        match code {
            0 => self.text(bytes).map(Some),
            1 => Ok(None),
            _ => Err(self.text(bytes).unwrap_or_default().to_owned()),
        }
    }

    fn frame(&self, index: u64) -> Result<Option<RawFrame<'_>>, String> {
        let Some(frame) = function!(self.frame) else {
            return Err("this host decodes no pictures".to_owned());
        };
        let mut raw = Frame::empty();
        // SAFETY: a function of the host's; `raw` is ours and holds its own size.
        let code = unsafe { frame(self.context(), index, &raw mut raw) };
        self.decoded(code, raw)
    }

    fn child_frame(&self, child: u64, index: u64) -> Result<Option<RawFrame<'_>>, String> {
        let Some(frame) = function!(self.child_frame) else {
            return Err(
                "this workbench gives no pictures of single files of a group: update it, or decode the file yourself (AssetPath)"
                    .to_owned(),
            );
        };
        let mut raw = Frame::empty();
        // SAFETY: as in `frame`.
        let code = unsafe { frame(self.context(), child, index, &raw mut raw) };
        self.decoded(code, raw)
    }

    fn release(&self, handle: u64) {
        if let Some(release) = function!(self.frame_release) {
            // SAFETY: a function of the host's; the handle is one that it gave and that is given back once.
            unsafe { release(self.context(), handle) }
        }
    }

    fn log(&self, level: u32, target: &str, message: &str) {
        if let Some(log) = function!(self.log) {
            let (target, message) = (
                Bytes::borrow(target.as_bytes()),
                Bytes::borrow(message.as_bytes()),
            );
            // SAFETY: a function of the host's, with borrowed arguments.
            unsafe { log(self.context(), level, target, message) }
        }
    }

    fn progress(&self, share: f64) {
        if let Some(progress) = function!(self.progress) {
            // SAFETY: a function of the host's.
            unsafe { progress(self.context(), share) }
        }
    }

    fn is_cancelled(&self) -> bool {
        // SAFETY: a function of the host's.
        function!(self.is_cancelled)
            .is_some_and(|is_cancelled| unsafe { is_cancelled(self.context()) } == 1)
    }

    fn call(&self, name: &str, question: &[u8]) -> Result<Option<Vec<u8>>, String> {
        let Some(call) = function!(self.call) else {
            return Ok(None);
        };
        let mut bytes = Bytes::EMPTY;
        // SAFETY: a function of the host's, with its own context and borrowed arguments.
        let code = unsafe {
            call(
                self.context(),
                Bytes::borrow(name.as_bytes()),
                Bytes::borrow(question),
                &raw mut bytes,
            )
        };
        match code {
            // SAFETY: the host keeps what it lends until `run` returns; copied right here.
            0 => Ok(Some(unsafe { bytes.as_slice() }.to_vec())),
            1 => Ok(None),
            _ => Err(self.text(bytes).unwrap_or_default().to_owned()),
        }
    }
    fn pauses(&self) -> bool {
        // An older host would answer that it does not know the name, over a socket.
        let known = function!(self.checkpoint).is_some();
        known && matches!(self.call(call::PAUSE, b""), Ok(Some(answer)) if answer == b"true")
    }

    fn pause(&self, at: &Pause, value: &[u8]) -> Result<Option<String>, String> {
        if !at.is_plain() {
            let mut question = serde_json::to_vec(at).map_err(|error| error.to_string())?;
            question.push(b'\n');
            question.extend_from_slice(value);
            let answer = self.call(call::PAUSE, &question)?.unwrap_or_default();
            let text = String::from_utf8(answer).map_err(|error| error.to_string())?;
            return Ok((!text.is_empty()).then_some(text));
        }
        let Some(checkpoint) = function!(self.checkpoint) else {
            return Ok(None);
        };
        let mut bytes = Bytes::EMPTY;
        // SAFETY: a function of the host's, with its own context and borrowed arguments.
        let code = unsafe {
            checkpoint(
                self.context(),
                Bytes::borrow(at.name.as_bytes()),
                Bytes::borrow(value),
                &raw mut bytes,
            )
        };
        match code {
            0 => self.text(bytes).map(|text| Some(text.to_owned())),
            1 => Ok(None),
            _ => Err(self.text(bytes).unwrap_or_default().to_owned()),
        }
    }
}
