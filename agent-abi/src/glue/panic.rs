//! The panic hook of an agent library: message, place and raw frames, kept for whoever catches it.
//!
//! A library has a standard library of its own, so the host's hook never sees its panics. Frames are
//! not symbolised here: measured, that costs half a second per panic; the workbench does it from the
//! library file.
use crate::frames::frames;
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
