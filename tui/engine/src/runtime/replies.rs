//! What answers to agents are made of: documents in a row, and the reason where there is none.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use wb_core::error::Error;

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

pub(super) fn text_of(error: &Error) -> String {
    match &error.cause {
        Some(cause) => format!("{}: {cause}", error.summary),
        None => error.summary.clone(),
    }
}

/// A JSON list of documents.
pub(super) fn list<'a>(documents: impl Iterator<Item = &'a str>) -> Arc<str> {
    let all: Vec<&str> = documents.collect();
    format!("[{}]", all.join(",")).into()
}
