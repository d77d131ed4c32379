//! The C functions of a resource. Its process opens one value and keeps it on its main thread.
#![allow(unsafe_code)] // the C border

use super::{Answer, answer, failure, install};
use crate::error::Error;
use crate::inject::{Resource, answer_of};
use crate::table::{self, Bytes, Host, Out, status};
use std::any::Any;
use std::cell::RefCell;
use std::ffi::c_void;
use std::panic::{AssertUnwindSafe, catch_unwind};

thread_local! {
    /// The value that this process exists for.
    static OPEN: RefCell<Option<Box<dyn Any>>> = const { RefCell::new(None) };
}

/// For `export!`: the static entry of a resource.
#[must_use]
#[allow(clippy::cast_possible_truncation)] // a few dozen bytes
pub const fn resource<R: Resource>() -> table::Resource {
    table::Resource {
        size: size_of::<table::Resource>() as u32,
        reserved: 0,
        spec: Bytes::of(R::SPEC),
        open: Some(open::<R>),
        answer: Some(ask::<R>),
        user: std::ptr::null(),
    }
}

/// For `export!`: what [`resource`] declares.
#[must_use]
pub const fn resource_spec<R: Resource>() -> &'static str {
    R::SPEC
}

/// Drops the value, when the process is asked to leave.
pub(super) fn close() {
    drop(OPEN.take());
}

/// # Safety
/// `out` is null or valid for writing.
unsafe extern "C" fn open<R: Resource>(_: *const c_void, _: *const Host, out: *mut Out) -> i32 {
    install(Some(std::any::type_name::<R>()));
    let guarded = catch_unwind(|| match R::open() {
        Ok(value) => {
            OPEN.set(Some(Box::new(value)));
            (status::OK, Answer::Nothing)
        }
        Err(error) => (status::ERROR, Answer::Failure(failure(&error))),
    });
    // SAFETY: promised by the caller.
    unsafe { answer(guarded, out) }
}

/// # Safety
/// The pointers are valid as described in [`table`], until this returns.
unsafe extern "C" fn ask<R: Resource>(
    _: *const c_void,
    question: Bytes,
    _: *const Host,
    out: *mut Out,
) -> i32 {
    install(Some(std::any::type_name::<R>()));
    let guarded = catch_unwind(AssertUnwindSafe(|| {
        // SAFETY: promised by the caller.
        let question = unsafe { question.as_slice() };
        // Taken out: a value that panicked half-way is not asked again.
        let taken = OPEN.take().and_then(|value| value.downcast::<R>().ok());
        let Some(mut value) = taken else {
            let error = Error::new("the resource is not open in this process");
            return (status::UNSUPPORTED, Answer::Failure(failure(&error)));
        };
        let bytes = answer_of(&mut *value, question);
        OPEN.set(Some(value));
        (status::OK, Answer::Bytes(bytes))
    }));
    // SAFETY: promised by the caller.
    unsafe { answer(guarded, out) }
}
