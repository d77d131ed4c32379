//! The functions of the host table, as C calls them. A panic in here must not reach foreign frames, so each
//! is caught. What they answer is left to `context`.
#![allow(unsafe_code)] // the C border

use super::context::{ABSENT, Context, FAILED, FOUND, lock};
use crate::proto::FromHost;
use agent_abi::table::{ABI_MINOR, Bytes, Frame, Host, first};
use agent_abi::wire::{Pause, input};
use std::ffi::c_void;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};
use wb_media::Picture;

/// RGB8 in `Frame::format`.
const RGB8: u32 = 1;
/// Shortest time between two progress messages.
const PROGRESS_EVERY: Duration = Duration::from_millis(50);

/// The table, still without a context.
pub(super) fn table() -> Host {
    Host {
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
        child_frame: Some(child_frame),
        checkpoint: Some(checkpoint),
    }
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
        let finest = context.log.level(&target).map_or(u32::MAX, u32::from);
        if level <= finest {
            context.log(level, &target, &message);
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
    give_frame(ctx, "wb_host.frame", None, index, out)
}

unsafe extern "C" fn child_frame(ctx: *mut c_void, child: u64, index: u64, out: *mut Frame) -> i32 {
    give_frame(ctx, "wb_host.child_frame", Some(child), index, out)
}

/// A picture of the asset, or of one of its children.
fn give_frame(
    ctx: *mut c_void,
    function: &str,
    child: Option<u64>,
    index: u64,
    out: *mut Frame,
) -> i32 {
    guarded(ctx, FAILED, |context| {
        let size = if out.is_null() {
            0
        } else {
            // SAFETY: not null; the ABI asks for a writable frame.
            unsafe { (*out).size }
        };
        if (size as usize) < first::FRAME {
            // There is no place for words in the frame itself.
            let text = format!(
                "frame {index}: wb_frame.size is {size}; set it to sizeof(wb_frame) before each call"
            );
            context.log(1, function, &text);
            return FAILED;
        }
        let picture = context.picture(child, index);
        let mut current = lock(&context.current);
        let mut answer = Frame::empty();
        let status = match picture {
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
        let room = (size as usize).min(size_of::<Frame>());
        #[allow(clippy::cast_possible_truncation)] // a few dozen bytes
        let kept = room as u32;
        answer.size = kept;
        // SAFETY: not null, and the ABI asks for `size` writable bytes.
        unsafe { fill(out, room, &answer) };
        status
    })
}

/// Writes the first `room` bytes of an answer: a library that was built before a field was appended has no place
/// for it.
///
/// # Safety
/// `room` bytes of `place` are writable.
pub(super) unsafe fn fill<T>(place: *mut T, room: usize, answer: &T) {
    let answer = std::ptr::from_ref(answer).cast::<u8>();
    // SAFETY: as promised; an answer has as many bytes as its type, and is not where it is copied to.
    unsafe { answer.copy_to_nonoverlapping(place.cast(), room.min(size_of::<T>())) };
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
        give(context, answered, out)
    })
}

unsafe extern "C" fn checkpoint(
    ctx: *mut c_void,
    name: Bytes,
    value: Bytes,
    replaced: *mut Bytes,
) -> i32 {
    guarded(ctx, FAILED, |context| {
        // SAFETY: the ABI asks for valid bytes during the call.
        let value = unsafe { value.as_slice() };
        let edited = context.pause(Pause::new("checkpoint", &text(name)), value);
        give(context, edited, replaced)
    })
}

/// Lends an answer until the run ends.
fn give(context: &Context, answered: Result<Option<Vec<u8>>, String>, out: *mut Bytes) -> i32 {
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
}
