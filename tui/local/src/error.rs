//! What can go wrong: starting the server ([`LocalError`]) and answering one request ([`Refusal`]).
//!
//! `routes::reply` turns a refusal into a response (v2 status or legacy envelope).

use std::path::PathBuf;

use thiserror::Error;

/// Why the local project could not be started or stopped.
#[derive(Debug, Error)]
#[non_exhaustive]
#[allow(missing_docs, reason = "a field's name and the message explain it")]
pub enum LocalError {
    /// The options are invalid or contradict each other.
    #[error("{0}")]
    Options(String),
    /// A file that the options name could not be read or written.
    #[error("{what} {}: {source}", path.display())]
    File {
        /// What failed, as the beginning of a sentence ("cannot read").
        what: &'static str,
        path: PathBuf,
        source: std::io::Error,
    },
    /// A file was read but its content is invalid.
    #[error("{}: {problem}", path.display())]
    Content { path: PathBuf, problem: String },
    /// The scenario cannot be created.
    #[error("{0}")]
    World(String),
    /// No socket could be bound.
    #[error(
        "cannot listen on 127.0.0.1:{port}: {source}; choose another --port, or 0 for a free one"
    )]
    Bind { port: u16, source: std::io::Error },
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

/// Why one request is refused, with a sentence for the caller. Each kind has one place in both error
/// envelopes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// The request is not what the endpoint takes, or names something that does not exist (any longer).
    Invalid(String),
    /// Signature missing, wrong, too old, or by an unknown key.
    Unauthenticated(String),
    /// No such project, item or row for this caller.
    Forbidden(String),
    /// The resource does not exist.
    NotFound(String),
    /// The name or place is taken.
    Exists(String),
    /// The platform serves this call; a local project does not.
    NotServed(String),
    /// An object without its entry in `object_answers`.
    Answers(String),
    /// The body is larger than the server takes.
    TooLarge(String),
    /// The path exists, but not for this method, or the legacy query is unknown.
    Method(String),
    /// The server itself failed.
    Internal(String),
}

impl Refusal {
    /// The sentence for the caller.
    pub(crate) fn message(&self) -> &str {
        self.parts().2
    }

    /// The v2 status and, for the legacy envelope, its code.
    pub(crate) fn codes(&self) -> (u16, &'static str) {
        let (status, code, _) = self.parts();
        (status, code)
    }

    fn parts(&self) -> (u16, &'static str, &str) {
        match self {
            Self::Invalid(m) => (400, "INVALID_ARGUMENTS_ERROR", m),
            Self::Unauthenticated(m) => (401, "AUTHENTICATION_ERROR", m),
            Self::Forbidden(m) => (403, "AUTHORISATION_ERROR", m),
            Self::NotFound(m) => (404, "RESOURCE_NOT_FOUND_ERROR", m),
            Self::Exists(m) => (409, "RESOURCE_EXISTS_ERROR", m),
            Self::NotServed(m) => (501, "INVALID_ARGUMENTS_ERROR", m),
            Self::Answers(m) => (400, "ANSWER_DICTIONARY_ERROR", m),
            Self::TooLarge(m) => (413, "INVALID_ARGUMENTS_ERROR", m),
            Self::Method(m) => (405, "METHOD_NOT_ALLOWED_ERROR", m),
            Self::Internal(m) => (500, "UNKNOWN_ERROR", m),
        }
    }
}

/// Macros that make a refusal of one kind from a format string, as `format!` makes a text.
macro_rules! refusals {
    ($($name:ident $kind:ident,)+) => {
        refusals! { ($) $($name $kind,)+ }
    };
    (($d:tt) $($name:ident $kind:ident,)+) => {$(
        macro_rules! $name {
            ($d($d part:tt)+) => { $crate::error::Refusal::$kind(format!($d($d part)+)) };
        }
        pub(crate) use $name;
    )+};
}

refusals! {
    exists Exists,
    forbidden Forbidden,
    internal Internal,
    invalid Invalid,
    not_found NotFound,
    not_served NotServed,
    unauthenticated Unauthenticated,
}

impl From<rusqlite::Error> for Refusal {
    fn from(error: rusqlite::Error) -> Self {
        tracing::error!(%error, "database");
        let advice = match error.sqlite_error_code() {
            Some(rusqlite::ErrorCode::DiskFull) => {
                "; nothing of this request was written: free some space and send it again"
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
