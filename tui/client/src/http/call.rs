//! One request to the API before it is sent: what, where, whether it writes, whether it may be sent
//! again. A writing one needs the door.

use crate::http::retry::{ATTEMPTS, Repeat};
use crate::write::Door;
use bytes::Bytes;
use std::time::Duration;
use wb_core::ids::{DatasetHash, ProjectHash};
use wb_core::work::wire::text;

const LEGACY: &str = "/public";

/// One request to the API.
pub(crate) struct Call<'a> {
    pub(super) method: &'static str,
    pub(super) target: String,
    pub(super) body: Option<Bytes>,
    pub(super) repeat: Repeat,
    /// Attempts, when the platform fails on it.
    pub(super) tries: u32,
    /// The door stands for "this writes".
    pub(super) door: Option<&'a Door>,
    /// What a request to the legacy API is about.
    pub(super) legacy: Option<LegacyScope>,
    /// For people: `labelrow GET`.
    pub(super) name: Option<&'static str>,
    /// Bytes of the answer beyond which it is not read further.
    pub(super) limit: usize,
    /// The 32 hexadecimal characters that the platform's logs know the request by.
    trace: String,
}

/// What a request to the legacy API is about.
#[derive(Clone, Copy)]
pub(crate) enum LegacyScope {
    Project(ProjectHash),
    Dataset(DatasetHash),
}

impl LegacyScope {
    /// The headers that name it.
    pub(super) fn headers(self) -> (&'static str, String) {
        match self {
            Self::Project(hash) => ("project", hash.to_string()),
            Self::Dataset(hash) => ("dataset", hash.to_string()),
        }
    }
}

impl From<ProjectHash> for LegacyScope {
    fn from(hash: ProjectHash) -> Self {
        Self::Project(hash)
    }
}

impl From<DatasetHash> for LegacyScope {
    fn from(hash: DatasetHash) -> Self {
        Self::Dataset(hash)
    }
}

/// Largest answer that is read at all, in bytes.
const LARGEST: usize = 1 << 29;

impl<'a> Call<'a> {
    /// A read of the v2 API.
    pub fn get(target: String) -> Self {
        Self {
            method: "GET",
            target,
            body: None,
            repeat: Repeat::Safe,
            tries: ATTEMPTS,
            door: None,
            legacy: None,
            name: None,
            limit: LARGEST,
            trace: uuid::Uuid::new_v4().simple().to_string(),
        }
    }

    /// A read of the v2 API that takes a body.
    pub fn ask(target: String, body: Vec<u8>) -> Self {
        Self {
            method: "POST",
            body: Some(outgoing(body)),
            ..Self::get(target)
        }
    }

    /// A write of the v2 API.
    pub fn write(
        door: &'a Door,
        method: &'static str,
        target: String,
        body: Vec<u8>,
        repeat: Repeat,
    ) -> Self {
        Self {
            method,
            body: Some(outgoing(body)),
            repeat,
            door: Some(door),
            ..Self::get(target)
        }
    }

    /// A request to the legacy API in the scope of a project or dataset; `door` is there when it writes.
    pub fn legacy(
        name: &'static str,
        scope: impl Into<LegacyScope>,
        body: Vec<u8>,
        door: Option<&'a Door>,
    ) -> Self {
        Self {
            method: "POST",
            body: Some(outgoing(body)),
            repeat: if door.is_some() {
                Repeat::AskFirst
            } else {
                Repeat::Safe
            },
            door,
            legacy: Some(scope.into()),
            name: Some(name),
            ..Self::get(LEGACY.to_owned())
        }
    }

    /// Sending it twice does the same as sending it once.
    pub fn repeatable(mut self) -> Self {
        self.repeat = Repeat::Safe;
        self
    }

    /// Fewer attempts than usual.
    pub fn tries(mut self, tries: u32) -> Self {
        self.tries = tries;
        self
    }

    /// A larger answer is not read to its end, and is [`crate::ClientError::TooMuch`].
    pub fn limit(mut self, bytes: usize) -> Self {
        self.limit = self.limit.min(bytes);
        self
    }

    /// How long its body may take on its way.
    pub fn sending(&self) -> Duration {
        sending(self.body.as_ref().map_or(0, Bytes::len))
    }

    /// What the platform's logs know the request by; the same for each attempt.
    pub fn trace(&self) -> &str {
        &self.trace
    }

    /// The target without its query.
    pub fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
    }
}

/// How long so many bytes may take on their way.
pub(super) const fn sending(bytes: usize) -> Duration {
    Duration::from_secs(bytes as u64 / super::SENT_PER_SECOND)
}

/// A body as the platform reads it: halves of surrogate pairs, which Rust's texts hold stand-ins for, are
/// themselves again.
fn outgoing(body: Vec<u8>) -> Bytes {
    text::restore_halves(&body).unwrap_or(body).into()
}

/// An answer as everything here reads it, with those stand-ins.
pub(super) fn incoming(body: Bytes) -> Bytes {
    text::from_platform(&body).map_or(body, Bytes::from)
}
