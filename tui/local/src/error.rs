//! What can go wrong: starting the server ([`LocalError`]) and answering one request ([`Refusal`]).
//!
//! How a refusal looks on the wire (v2 status or legacy envelope) is decided in `routes`.

use std::path::PathBuf;

use thiserror::Error;

/// Why the local project could not be started or stopped.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum LocalError {
    /// The command's options contradict each other or cannot be met.
    #[error("{0}")]
    Options(String),
    /// A file that the options name could not be read or written.
    #[error("{what} {}: {source}", path.display())]
    File {
        /// What was tried, as the beginning of a sentence ("cannot read").
        what: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A file was read but does not hold what it should.
    #[error("{}: {problem}", path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// What is wrong with it and what to do.
        problem: String,
    },
    /// The world that is asked for cannot be made.
    #[error("{0}")]
    World(String),
    /// No socket could be bound.
    #[error(
        "cannot listen on 127.0.0.1:{port}: {source}; choose another --port, or 0 for a free one"
    )]
    Bind {
        /// The port that was asked for.
        port: u16,
        /// What the system said.
        source: std::io::Error,
    },
    /// The embedded database failed.
    #[error("the local database failed: {0}")]
    Database(#[from] rusqlite::Error),
    /// A key could not be read or written.
    #[error("the server's key: {0}")]
    Key(String),
}

impl LocalError {
    pub(crate) fn file(what: &'static str, path: &std::path::Path, source: std::io::Error) -> Self {
        Self::File {
            what,
            path: path.to_owned(),
            source,
        }
    }

    pub(crate) fn content(path: &std::path::Path, problem: impl Into<String>) -> Self {
        Self::Content {
            path: path.to_owned(),
            problem: problem.into(),
        }
    }
}

/// Why one request is refused. Each kind has one place in both error envelopes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// The request is not what the endpoint takes, or names what is not (any longer) there.
    Invalid(String),
    /// Signature missing, wrong, too old, or by an unknown key.
    Unauthenticated(String),
    /// No such project, item or row for this caller.
    Forbidden(String),
    /// The resource is not there.
    NotFound(String),
    /// Something of this name or in this place is there already.
    Exists(String),
    /// The platform has this call, a local project has not.
    NotServed(String),
    /// An object without its entry in `object_answers`.
    Answers(String),
    /// The body is larger than the server takes.
    TooLarge(String),
    /// This server knows the path, but not the method or the legacy query.
    Method(String),
    /// The server itself failed.
    Internal(String),
}

impl Refusal {
    /// The sentence for the caller.
    pub(crate) fn message(&self) -> &str {
        match self {
            Self::Invalid(m)
            | Self::Unauthenticated(m)
            | Self::Forbidden(m)
            | Self::NotFound(m)
            | Self::Exists(m)
            | Self::NotServed(m)
            | Self::Answers(m)
            | Self::TooLarge(m)
            | Self::Method(m)
            | Self::Internal(m) => m,
        }
    }

    /// The v2 status and, for the legacy envelope, its code.
    pub(crate) fn codes(&self) -> (u16, &'static str) {
        match self {
            Self::Invalid(_) => (400, "INVALID_ARGUMENTS_ERROR"),
            Self::Unauthenticated(_) => (401, "AUTHENTICATION_ERROR"),
            Self::Forbidden(_) => (403, "AUTHORISATION_ERROR"),
            Self::NotFound(_) => (404, "RESOURCE_NOT_FOUND_ERROR"),
            Self::Exists(_) => (409, "RESOURCE_EXISTS_ERROR"),
            Self::NotServed(_) => (501, "INVALID_ARGUMENTS_ERROR"),
            Self::Answers(_) => (400, "ANSWER_DICTIONARY_ERROR"),
            Self::TooLarge(_) => (413, "INVALID_ARGUMENTS_ERROR"),
            Self::Method(_) => (405, "METHOD_NOT_ALLOWED_ERROR"),
            Self::Internal(_) => (500, "UNKNOWN_ERROR"),
        }
    }
}

impl From<rusqlite::Error> for Refusal {
    fn from(error: rusqlite::Error) -> Self {
        tracing::error!(%error, "database");
        let advice = match error.sqlite_error_code() {
            Some(rusqlite::ErrorCode::DiskFull) => {
                "; nothing of this request was written: make room, and send it again"
            }
            _ => "",
        };
        Self::Internal(format!("the local database failed: {error}{advice}"))
    }
}

impl From<serde_json::Error> for Refusal {
    fn from(error: serde_json::Error) -> Self {
        Self::Invalid(format!("the body is not what this endpoint takes: {error}"))
    }
}
