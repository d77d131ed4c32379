//! The panic hook of an agent library: message, place and raw frames, kept for whoever catches it.
//!
//! A library has a standard library of its own, so the host's hook never sees its panics. Frames are
//! not symbolised here: measured, that costs half a second per panic; the workbench does it from the
//! library file.
#![allow(unsafe_code)] // the unwinder and the dynamic linker are C

use crate::inject::{emit, on_attempt};
use crate::wire::Failure;
use std::cell::RefCell;
use std::sync::{Mutex, Once, PoisonError};

thread_local! {
    static NOTE: RefCell<Option<Failure>> = const { RefCell::new(None) };
}

/// Installs the hook, once per library.
pub(super) fn install_hook() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        std::panic::set_hook(Box::new(|info| {
            let payload = info.payload();
            let text = payload
                .downcast_ref::<&str>()
                .map(|text| (*text).to_owned());
            let text = text.or_else(|| payload.downcast_ref::<String>().cloned());
            let note = Failure {
                message: text.unwrap_or_else(|| "a panic without text".to_owned()),
                location: info
                    .location()
                    .map(|place| format!("{}:{}", place.file(), place.line())),
                retry: true,
                frames: frames(),
                ..Failure::default()
            };
            // Nobody comes to fetch it: a thread of the agent's own, or a build that aborts.
            if cfg!(panic = "abort") || !on_attempt() {
                let place = note.location.as_deref().unwrap_or("unknown place");
                let text = format!("panicked at {place}: {}", note.message);
                match cfg!(panic = "abort") {
                    // The last words on stderr become part of the error.
                    true => eprintln!("{text}"),
                    false => emit(log::Level::Error, "panic", &text),
                }
                remember_elsewhere(&note);
                return;
            }
            // The first panic is the cause; one in a destructor behind it is not.
            let _ = NOTE.try_with(|cell| {
                if let Ok(mut cell) = cell.try_borrow_mut() {
                    cell.get_or_insert(note);
                }
            });
        }));
    });
}

/// The last panic on a thread without an attempt. A thread pool carries it to the thread that waits, where no hook
/// runs again.
static ELSEWHERE: Mutex<Option<Failure>> = Mutex::new(None);

fn remember_elsewhere(note: &Failure) {
    if let Ok(mut last) = ELSEWHERE.try_lock() {
        *last = Some(note.clone());
    }
}

/// What the hook saw on this thread since it was asked last, or on another thread.
pub(super) fn take_note() -> Option<Failure> {
    let here = NOTE.with_borrow_mut(Option::take);
    let mut elsewhere = ELSEWHERE.lock().unwrap_or_else(PoisonError::into_inner);
    let elsewhere = elsewhere.take();
    here.or(elsewhere)
}

/// Instruction pointers of this library's frames, innermost first, relative to its load address.
#[cfg(unix)]
pub(crate) fn frames() -> Vec<u64> {
    let mut pointers: Vec<usize> = Vec::with_capacity(64);
    // SAFETY: the unwinder calls `collect` with the pointer given here, before it returns.
    unsafe {
        ffi::_Unwind_Backtrace(ffi::collect, (&raw mut pointers).cast());
    }
    let own = ffi::base_of(install_hook as *const () as usize);
    let own_only = pointers
        .into_iter()
        .filter(|pointer| own.is_some() && ffi::base_of(*pointer) == own);
    own_only
        .map(|pointer| (pointer - own.unwrap_or(0)) as u64)
        .collect()
}

#[cfg(not(unix))]
pub(crate) fn frames() -> Vec<u64> {
    Vec::new()
}

#[cfg(unix)]
mod ffi {
    use std::ffi::{c_char, c_int, c_void};

    #[repr(C)]
    struct DlInfo {
        file_name: *const c_char,
        file_base: *mut c_void,
        symbol_name: *const c_char,
        symbol_address: *mut c_void,
    }

    // SAFETY: both are as their C headers declare them; the standard library links them already.
    unsafe extern "C" {
        pub(super) fn _Unwind_Backtrace(
            visit: extern "C" fn(*mut c_void, *mut c_void) -> c_int,
            argument: *mut c_void,
        ) -> c_int;
        fn _Unwind_GetIP(context: *mut c_void) -> usize;
        fn dladdr(address: *const c_void, info: *mut DlInfo) -> c_int;
    }

    /// One frame; 0 means go on, anything else stops.
    pub(super) extern "C" fn collect(context: *mut c_void, pointers: *mut c_void) -> c_int {
        // SAFETY: `frames` passes its own vector, and nobody else touches it meanwhile.
        let pointers = unsafe { &mut *pointers.cast::<Vec<usize>>() };
        // SAFETY: the unwinder's own context.
        pointers.push(unsafe { _Unwind_GetIP(context) });
        c_int::from(pointers.len() == pointers.capacity())
    }

    /// Load address of the file that holds this code.
    pub(super) fn base_of(address: usize) -> Option<usize> {
        let mut info = DlInfo {
            file_name: std::ptr::null(),
            file_base: std::ptr::null_mut(),
            symbol_name: std::ptr::null(),
            symbol_address: std::ptr::null_mut(),
        };
        // SAFETY: `dladdr` only looks the address up and fills in `info`.
        let known = unsafe { dladdr(address as *const c_void, &raw mut info) } != 0;
        known.then_some(info.file_base as usize)
    }
}
