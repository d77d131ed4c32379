//! What can go wrong on the way to Encord: one variant for each thing a caller may do about it.
//! How each reads to a person is left to `error`.
//!
//! No variant carries a key, a token or the query of a signed URL: texts from the platform pass
//! through [`clean()`] first.

mod clean;
mod convert;
mod obstacle;

use crate::key::agent::AgentError;
use crate::settings::{Credential, Origin, SettingsError};
pub(crate) use clean::clean;
pub use obstacle::{BadCertificate, Obstacle};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// Which request it was, for people and for Encord's support.
#[derive(Clone, Debug)]
pub struct At(pub(crate) Box<Place>);

#[derive(Clone, Debug)]
pub(crate) struct Place {
    pub domain: Arc<str>,
    pub identity: Arc<Identity>,
    /// Method and path, without the query.
    pub request: String,
    pub trace: String,
    pub attempts: u32,
    /// The HTTP status of a refusal.
    pub status: Option<u16>,
    /// Seconds that the platform's clock is ahead of ours, where an answer had the time.
    pub skew: Option<i64>,
    /// The proxy in between, with the variable that names it.
    pub proxy: Option<String>,
}

/// What authenticated a request, for people; nothing in it is secret.
#[derive(Debug)]
pub(crate) struct Identity {
    /// `key 03a107bff3ce10be` or `bearer token`, as the platform's support would look for it.
    short: String,
    /// `Ed25519 key SHA256:… me@host from ENCORD_SSH_KEY`.
    pub long: String,
    /// `ssh-ed25519 AAAA…`; a token has none.
    pub public_line: Option<String>,
}

impl Identity {
    pub fn new(credential: &Credential, origin: &Origin) -> Self {
        let long = clean(&format!("{credential} from {origin}"));
        match credential {
            Credential::Key(key) => Self {
                short: format!("key {}", key.id().get(..16).unwrap_or_default()),
                long,
                public_line: Some(key.public_line()),
            },
            Credential::Token(_) => Self {
                short: "bearer token".to_owned(),
                long,
                public_line: None,
            },
        }
    }
}

impl At {
    /// Scheme and host.
    #[must_use]
    pub fn domain(&self) -> &str {
        &self.0.domain
    }

    /// Method and path, without the query.
    #[must_use]
    pub fn request(&self) -> &str {
        &self.0.request
    }

    /// The 32 hexadecimal characters that Encord's logs know the request by.
    #[must_use]
    pub fn trace(&self) -> &str {
        &self.0.trace
    }

    pub(crate) fn identity(&self) -> &Identity {
        &self.0.identity
    }

    /// Seconds that the platform's clock is ahead of this machine's, where an answer had the time.
    #[must_use]
    pub fn skew(&self) -> Option<i64> {
        self.0.skew
    }

    /// The proxy that the request went through, with the variable of the environment that names it.
    #[must_use]
    pub fn proxy(&self) -> Option<&str> {
        self.0.proxy.as_deref()
    }

    /// `, through the proxy http://p:3128 (HTTPS_PROXY)`, or nothing.
    pub(crate) fn via(&self) -> String {
        via(self.proxy())
    }

    /// `key` or `bearer token`.
    fn credential(&self) -> &'static str {
        match self.identity().public_line {
            Some(_) => "key",
            None => "bearer token",
        }
    }

    fn host(&self) -> &str {
        let domain = self.domain();
        domain.split_once("://").map_or(domain, |(_, host)| host)
    }
}

/// How a message names the proxy that was in between.
pub(crate) fn via(proxy: Option<&str>) -> String {
    proxy.map_or_else(String::new, |proxy| format!(", through the proxy {proxy}"))
}

impl fmt::Display for At {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = &self.0;
        write!(f, "{} at {}", place.request, place.domain)?;
        write!(f, ", {}", place.identity.short)?;
        if place.attempts > 1 {
            write!(f, ", {} attempts", place.attempts)?;
        }
        write!(f, ", trace {}{}", place.trace, self.via())
    }
}

/// A failed request.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
#[allow(missing_docs)] // `message` is the platform's own text, `at` the request
pub enum ClientError {
    /// The settings are wrong: nothing was sent.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// The ssh-agent did not sign: nothing was sent.
    #[error("a request could not be signed: {0}; no task was touched by it")]
    Unsigned(#[from] AgentError),
    /// No writer may be made in this process.
    #[error("this process may only read (--read-only), so nothing can be written")]
    ReadOnly,
    /// 401: the key is unknown there, or the clock is wrong.
    #[error("{} does not know this {} (401): {message}", .at.host(), .at.credential())]
    Unauthenticated { message: String, at: At },
    /// 403: known, but not allowed.
    #[error("{} refused this {} for the request (403): {message}", .at.host(), .at.credential())]
    Forbidden { message: String, at: At },
    /// 404.
    #[error("not found: {message}")]
    NotFound { message: String, at: At },
    /// 400, 422 and their legacy kin: the request was understood and refused; nothing was applied.
    #[error("refused as invalid: {message}")]
    Invalid { message: String, at: At },
    /// Any other refusal; nothing was applied.
    #[error("refused ({code}): {message}")]
    Refused {
        code: String,
        message: String,
        at: At,
    },
    /// 413: send less at once.
    #[error("the request was too large for the platform")]
    TooLarge { at: At },
    /// The answer is larger than fits: ask for less at once.
    #[error("{} answered with more than {} MB at once", .at.host(), .limit / 1_000_000)]
    TooMuch { limit: usize, at: At },
    /// The platform failed on this request again and again (5xx).
    #[error("{} failed on the request ({status}): {message}", .at.host())]
    Failing {
        status: u16,
        message: String,
        at: At,
    },
    /// 429 for longer than the patience lasts.
    #[error("{} still asks us to slow down after {} s of waiting", .at.host(), .waited.as_secs())]
    StillLimited {
        waited: Duration,
        /// How long it asked us to wait last.
        asked: Option<Duration>,
        at: At,
    },
    /// No connection, no answer: nothing was read and nothing was written.
    #[error("{} cannot be reached: {why}{}; no task was touched by this request", .at.host(), .at.via())]
    Unreachable { why: Obstacle, at: At },
    /// Sent, but the answer is lost: it may or may not have been applied. Ask before repeating.
    #[error("the answer of {} was lost ({why}); the request may have been applied", .at.host())]
    Lost {
        why: String,
        /// The platform answered with a 5xx rather than not at all.
        answered: bool,
        at: At,
    },
    /// The answer makes no sense: broken JSON, a missing field, a web page.
    #[error("{} gave an answer that makes no sense: {what}", .at.host())]
    Nonsense { what: String, at: At },
    /// There is no such project.
    #[error("there is no project {hash}: {message}")]
    NoProject {
        hash: wb_core::ids::ProjectHash,
        message: String,
        at: At,
    },
    /// The project has no workflow.
    #[error("project \"{title}\" is not a workflow project, so it has no agent stages")]
    NotWorkflow { title: String },
    /// A file could not be downloaded.
    #[error("the file of {item} could not be downloaded: {why}")]
    Download {
        /// The storage item.
        item: String,
        why: String,
        /// Whether another attempt makes sense.
        retry: bool,
        /// Whether a store answered: then it is this file that is the matter, not the way to all of them.
        answered: bool,
    },
    /// The text of a new item could not be uploaded; nothing was made of it.
    #[error("the text of \"{title}\" could not be uploaded: {why}")]
    Upload {
        /// The item's title.
        title: String,
        why: String,
        /// Whether a store or the platform answered: then it is this text that is the matter.
        answered: bool,
    },
    /// The cache folder failed us.
    #[error("the cache {path} failed: {source}")]
    Cache {
        path: String,
        source: std::io::Error,
    },
    /// A violated assumption of ours.
    #[error("a bug in the client: {0}")]
    Bug(String),
}

/// Whether the message of a refusal was made from a web page: a platform refuses in JSON.
pub(crate) fn is_web_page(message: &str) -> bool {
    message.starts_with("a web page")
}

/// What a bundle of writes may conclude from an error.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Meaning {
    /// Nothing was applied; a smaller bundle may pass.
    Refused,
    /// It may have been applied.
    Doubt,
    /// Nothing further will pass either.
    Stop,
}

impl ClientError {
    /// A refusal that concerns one item whose folder or file was readable before, not the caller.
    pub(crate) fn about(self, item: &str) -> Self {
        match self {
            Self::Forbidden { message, .. } | Self::NotFound { message, .. } => Self::Download {
                item: item.to_owned(),
                why: format!("the platform does not show it any more: {message}"),
                retry: false,
                answered: true,
            },
            other => other,
        }
    }

    /// Whether the platform itself refused the request for what it asks, at the first attempt. Any other
    /// refusal may be the word of a gateway, which does not know whether the request was applied.
    pub(crate) fn is_of_the_platform(&self) -> bool {
        let Self::Invalid { message, at } = self else {
            return false;
        };
        at.0.status == Some(400) && at.0.attempts <= 1 && !is_web_page(message)
    }

    pub(crate) fn meaning(&self) -> Meaning {
        match self {
            Self::Forbidden { .. }
            | Self::NotFound { .. }
            | Self::Invalid { .. }
            | Self::Refused { .. }
            | Self::TooLarge { .. }
            | Self::TooMuch { .. }
            | Self::Failing { .. }
            | Self::Upload { answered: true, .. } => Meaning::Refused,
            Self::Lost { .. } | Self::Nonsense { .. } => Meaning::Doubt,
            _ => Meaning::Stop,
        }
    }

    /// The request it is about, where there was one.
    #[must_use]
    pub fn at(&self) -> Option<&At> {
        match self {
            Self::Unauthenticated { at, .. }
            | Self::Forbidden { at, .. }
            | Self::NotFound { at, .. }
            | Self::NoProject { at, .. }
            | Self::Invalid { at, .. }
            | Self::Refused { at, .. }
            | Self::TooLarge { at }
            | Self::TooMuch { at, .. }
            | Self::Failing { at, .. }
            | Self::StillLimited { at, .. }
            | Self::Unreachable { at, .. }
            | Self::Lost { at, .. }
            | Self::Nonsense { at, .. } => Some(at),
            _ => None,
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::key::Key;
    use crate::key::tests::seed;

    pub(crate) fn at() -> At {
        At(Box::new(Place {
            domain: "https://api.encord.com".into(),
            identity: Arc::new(Identity::new(
                &Credential::Key(Key::from_seed(&seed())),
                &Origin::Text,
            )),
            request: "GET /v2/public/projects/x".to_owned(),
            trace: "0123".to_owned(),
            attempts: 1,
            status: None,
            skew: Some(400),
            proxy: None,
        }))
    }
}
