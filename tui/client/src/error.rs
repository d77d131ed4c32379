//! What can go wrong on the way to Encord: one variant for each thing a caller may do about it,
//! and how each reads as a [`Fault`].
//!
//! No variant carries a key, a token or the query of a signed URL: texts from the platform pass
//! through [`clean`] first.

use crate::settings::SettingsError;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use wb_core::fault::{Fault, FaultKind};

/// Which request it was, for people and for Encord's support.
#[derive(Clone, Debug)]
pub struct At(pub(crate) Box<Place>);

#[derive(Clone, Debug)]
pub(crate) struct Place {
    pub domain: Arc<str>,
    pub key_id: Arc<str>,
    /// Method and path, without the query.
    pub request: String,
    pub trace: String,
    pub attempts: u32,
    /// Seconds that the platform's clock is ahead of ours, where an answer said so.
    pub skew: Option<i64>,
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

    fn host(&self) -> &str {
        let domain = self.domain();
        domain.split_once("://").map_or(domain, |(_, host)| host)
    }
}

impl fmt::Display for At {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = &self.0;
        write!(f, "{} at {}", place.request, place.domain)?;
        write!(
            f,
            ", key {}",
            place.key_id.get(..16).unwrap_or(&place.key_id)
        )?;
        if place.attempts > 1 {
            write!(f, ", {} attempts", place.attempts)?;
        }
        write!(f, ", trace {}", place.trace)
    }
}

/// A request that did not end as wished.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
#[allow(missing_docs)] // `message` is the platform's own text, `at` the request
pub enum ClientError {
    /// The settings are wrong: nothing was sent.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// No writer may be made in this process.
    #[error("this process may only read (--read-only), so nothing can be written")]
    ReadOnly,
    /// 401: the key is unknown there, or the clock is wrong.
    #[error("{} does not know this key (401): {message}", .at.host())]
    Unauthenticated { message: String, at: At },
    /// 403: known, but not allowed.
    #[error("{} refused this key for the request (403): {message}", .at.host())]
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
    /// No connection, no answer.
    #[error("{} cannot be reached: {why}", .at.host())]
    Unreachable { why: String, at: At },
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
    #[error("project \"{title}\" is no workflow project, so it has no agent stages")]
    NotWorkflow { title: String },
    /// A file could not be downloaded.
    #[error("the file of {item} could not be downloaded: {why}")]
    Download {
        /// The storage item.
        item: String,
        why: String,
        /// Whether another attempt makes sense.
        retry: bool,
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
    pub(crate) fn meaning(&self) -> Meaning {
        match self {
            Self::Forbidden { .. }
            | Self::NotFound { .. }
            | Self::Invalid { .. }
            | Self::Refused { .. }
            | Self::TooLarge { .. }
            | Self::Failing { .. } => Meaning::Refused,
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
            | Self::Failing { at, .. }
            | Self::StillLimited { at, .. }
            | Self::Unreachable { at, .. }
            | Self::Lost { at, .. }
            | Self::Nonsense { at, .. } => Some(at),
            _ => None,
        }
    }

    fn kind(&self) -> FaultKind {
        match self {
            // Without a usable key nobody is logged in.
            Self::Settings(
                SettingsError::NoKey
                | SettingsError::PathAsKey
                | SettingsError::KeyAsPath
                | SettingsError::NoFile { .. }
                | SettingsError::File { .. }
                | SettingsError::Key { .. }
                | SettingsError::Token,
            ) => FaultKind::Access,
            Self::Settings(_) | Self::NoProject { .. } | Self::NotWorkflow { .. } => {
                FaultKind::Settings
            }
            Self::ReadOnly => FaultKind::Refused,
            Self::Unauthenticated { .. } | Self::Forbidden { .. } => FaultKind::Access,
            Self::StillLimited { .. } | Self::Unreachable { .. } | Self::Lost { .. } => {
                FaultKind::Network
            }
            Self::NotFound { .. }
            | Self::Invalid { .. }
            | Self::Refused { .. }
            | Self::TooLarge { .. }
            | Self::Failing { .. }
            | Self::Nonsense { .. } => FaultKind::Upstream,
            Self::Download { retry, .. } => {
                if *retry {
                    FaultKind::Network
                } else {
                    FaultKind::Upstream
                }
            }
            Self::Cache { .. } => FaultKind::Settings,
            Self::Bug(_) => FaultKind::Bug,
        }
    }

    fn worth_another_attempt(&self) -> bool {
        match self {
            Self::StillLimited { .. }
            | Self::Unreachable { .. }
            | Self::Lost { .. }
            | Self::Failing { .. } => true,
            Self::Download { retry, .. } => *retry,
            _ => false,
        }
    }

    fn hints(&self) -> Vec<String> {
        match self {
            Self::Unauthenticated { at, .. } => {
                let mut hints = Vec::new();
                if let Some(skew) = at.0.skew.filter(|s| s.abs() > 60) {
                    hints.push(format!(
                        "this machine's clock is {} s off the platform's: set it, signatures carry the time",
                        skew.abs()
                    ));
                }
                hints.push(wrong_region(at));
                hints.push(format!(
                    "else add the public half of key {} under Settings > Public keys",
                    at.0.key_id
                ));
                hints
            }
            Self::Forbidden { at, .. } => vec![
                wrong_region(at),
                "else check the project hash, and that the key's owner has a role in the project that may do this".to_owned(),
            ],
            Self::NoProject { at, .. } => vec![
                "check --project-hash: the project's page on the platform has it in its address"
                    .to_owned(),
                wrong_region(at),
            ],
            Self::NotFound { at, .. } => vec![
                format!("check the identity in {}", at.request()),
                wrong_region(at),
            ],
            Self::StillLimited { asked, .. } => {
                let ask = asked.map(|a| format!(" (the platform asked for {} s)", a.as_secs()));
                vec![format!(
                    "try again later{}, or send less: --rate N/s",
                    ask.unwrap_or_default()
                )]
            }
            Self::Unreachable { why, .. } if why.contains("certificate") => vec![
                "if a proxy of yours opens TLS, set SSL_CERT_FILE to its certificates".to_owned(),
            ],
            Self::Unreachable { at, .. } => vec![format!(
                "check the network, HTTPS_PROXY and ENCORD_DOMAIN ({})",
                at.domain()
            )],
            Self::Lost { .. } => {
                vec!["look at the task upstream before it is run again".to_owned()]
            }
            Self::Failing { at, .. } => vec![format!(
                "the platform's own fault: try again later; its support finds the request by trace {}",
                at.trace()
            )],
            Self::Nonsense { at, .. } => vec![format!(
                "is ENCORD_DOMAIN ({}) an Encord API, with no proxy or login page in between?",
                at.domain()
            )],
            Self::ReadOnly => vec!["leave out --read-only".to_owned()],
            Self::NotWorkflow { .. } => {
                vec!["choose a project with a workflow and an agent stage".to_owned()]
            }
            Self::Cache { .. } => {
                vec!["make room, or make the folder writable".to_owned()]
            }
            Self::TooLarge { .. } => vec!["use a smaller --task-batch-size".to_owned()],
            _ => Vec::new(),
        }
    }
}

fn wrong_region(at: &At) -> String {
    let other = if at.domain().contains("api.us.encord.com") {
        "https://api.encord.com"
    } else {
        "https://api.us.encord.com"
    };
    format!(
        "a wrong region looks like a wrong key: this was {}; try ENCORD_DOMAIN={other}",
        at.domain()
    )
}

impl From<&ClientError> for Fault {
    fn from(error: &ClientError) -> Self {
        let mut fault = Self::new(error.kind(), error.to_string());
        fault.hints = error.hints();
        fault.retry = error.worth_another_attempt();
        fault.cause = error.at().map(ToString::to_string);
        fault
    }
}

impl From<ClientError> for Fault {
    fn from(error: ClientError) -> Self {
        Self::from(&error)
    }
}

/// Makes text from outside fit for a screen and a log: one line, no control codes, at most 300
/// characters, and of each URL only what stands before its query (a signed URL's secret).
pub(crate) fn clean(text: &str) -> String {
    let mut out = String::with_capacity(text.len().min(320));
    for word in text.split_whitespace() {
        if !out.is_empty() {
            out.push(' ');
        }
        let shown = match word.find("://") {
            Some(scheme) if word.contains('@') => &word[..scheme + 3],
            Some(scheme) => word[scheme..]
                .find('?')
                .map_or(word, |query| &word[..scheme + query]),
            None => word,
        };
        out.extend(shown.chars().filter(|c| !c.is_control()));
        if shown.len() < word.len() {
            out.push('…');
        }
        if out.chars().count() > 300 {
            out = out.chars().take(299).collect();
            out.push('…');
            break;
        }
    }
    out
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn at() -> At {
        At(Box::new(Place {
            domain: "https://api.encord.com".into(),
            key_id: "03a107bff3ce10be1d70dd18e74bc09967e4d6309ba50d5f1ddc8664125531b8".into(),
            request: "GET /v2/public/projects/x".to_owned(),
            trace: "0123".to_owned(),
            attempts: 1,
            skew: Some(400),
        }))
    }

    #[test]
    fn a_wrong_key_speaks_of_region_clock_and_key() {
        let fault = Fault::from(ClientError::Unauthenticated {
            message: "unknown key".to_owned(),
            at: at(),
        });
        assert_eq!(fault.kind, FaultKind::Access);
        let text = fault.hints.join("\n");
        assert!(
            text.contains("ENCORD_DOMAIN=https://api.us.encord.com"),
            "{text}"
        );
        assert!(text.contains("clock is 400 s off"), "{text}");
        assert!(text.contains("03a107bff3ce"), "{text}");
        let cause = fault.cause.unwrap();
        assert!(cause.contains("GET /v2/public/projects/x") && cause.contains("trace 0123"));
    }

    #[test]
    fn cleaned_text_has_no_query_of_a_url_and_no_control_codes() {
        let text =
            clean("see https://store/x?X-Sig=geheim\u{1b}[31m and\nmore https://u:geheim@h/");
        assert!(
            !text.contains("geheim") && !text.contains('\u{1b}'),
            "{text}"
        );
        assert!(text.starts_with("see https://store/x… and more"), "{text}");
        assert_eq!(clean(&"a".repeat(5000)).chars().count(), 300);
    }
}
