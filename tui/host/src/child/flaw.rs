//! Why a library is refused, and what is checked of everything in its tables.
#![allow(unsafe_code)] // the C border

use agent_abi::table::{Bytes, Host, Out, status};
use std::ffi::c_void;

const MAX_TEXT: usize = 1 << 20;

/// Why a library is refused.
pub(super) struct Flaw {
    pub reason: String,
    pub hints: Vec<String>,
}

impl Flaw {
    pub(super) fn new(reason: impl Into<String>, hint: impl Into<String>) -> Self {
        Self {
            reason: reason.into(),
            hints: vec![hint.into()],
        }
    }
}

/// How a resource answers, as in the C table.
pub(super) type AnswerFn = unsafe extern "C" fn(*const c_void, Bytes, *const Host, *mut Out) -> i32;

/// What a function that opens something came to.
pub(super) fn opened(status: i32, out: &mut Out, what: &str) -> Result<(), Flaw> {
    let written = super::run::collect(out);
    if status == status::OK {
        return Ok(());
    }
    let text = match &written {
        Ok((_, bytes)) => String::from_utf8_lossy(bytes).into_owned(),
        Err(defect) => defect.clone(),
    };
    let failure: Option<agent_abi::wire::Failure> = serde_json::from_str(&text).ok();
    let place = failure.as_ref().and_then(|f| f.location.clone());
    let place = place.map_or_else(String::new, |place| format!(" ({place})"));
    let chain = failure.as_ref().map_or_else(Vec::new, |f| f.chain.clone());
    let message = failure.map_or(text, |f| f.message);
    let causes = chain.iter().filter(|cause| **cause != message);
    let causes: String = causes.map(|cause| format!(": {cause}")).collect();
    Err(Flaw::new(
        format!("{what} failed: {}{causes}{place}", message.trim()),
        "the message is the library's own",
    ))
}

pub(super) fn text_of(bytes: Bytes, what: &str) -> Result<String, Flaw> {
    if bytes.len > MAX_TEXT || (bytes.ptr.is_null() && bytes.len > 0) {
        return Err(Flaw::new(
            format!("its {what} makes no sense ({} bytes)", bytes.len),
            "texts in the table are pointer and length",
        ));
    }
    // SAFETY: static memory of the library, as the table promises.
    let slice = unsafe { bytes.as_slice() };
    String::from_utf8(slice.to_vec()).map_err(|_| {
        Flaw::new(
            format!("its {what} is not UTF-8"),
            "texts in the table are UTF-8",
        )
    })
}
