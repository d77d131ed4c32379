//! Settings of a connection, and how they are read from the environment. Keys and tokens are left to `credentials`.

mod credentials;

use crate::error::ClientError;
use crate::http::Limits;
use crate::key::KeyError;
use crate::key::agent::AgentError;
pub use credentials::{Credential, Environment, Origin, Passphrase, PassphraseRequest};
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;
use zeroize::Zeroizing;

/// The default domain.
pub const DEFAULT_DOMAIN: &str = "https://api.encord.com";

/// A bearer token; never shown.
#[derive(Clone)]
pub struct Bearer(pub(crate) Zeroizing<Box<str>>);

impl Bearer {
    /// Wraps a token.
    ///
    /// # Errors
    /// [`SettingsError::Token`] when it is empty or holds characters that no header may hold.
    pub fn new(token: &str) -> Result<Self, SettingsError> {
        let token = token.trim();
        if token.is_empty() || !token.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(SettingsError::Token);
        }
        Ok(Self(Zeroizing::new(token.into())))
    }
}

impl fmt::Debug for Bearer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Bearer(…)")
    }
}

/// How to reach Encord. `Debug` shows no secret.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Origin: scheme, host and perhaps a port, without a path or a trailing `/`.
    pub domain: String,
    /// Authenticates every request.
    pub credential: Credential,
    /// Where the credential comes from.
    pub origin: Origin,
    /// At most so many requests per second; `None` is unlimited.
    pub rate: Option<f64>,
    /// How long one request may wait for the beginning of its answer, once it has been sent.
    pub timeout: Duration,
    /// How fast the answer must arrive from then on, and how long all of it may take.
    pub limits: Limits,
    /// How long a connection may take to be made.
    pub connect_timeout: Duration,
    /// How long one request may wait between its attempts, all waits together.
    pub patience: Duration,
    /// Refuse to make a [`crate::Writer`].
    pub read_only: bool,
}

/// What is wrong with the settings. The text includes what to do.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// No variable is set.
    #[error(
        "no Encord key: set ENCORD_SSH_KEY_FILE to the path of your private key \
         (or ENCORD_SSH_KEY to its text), or load an Ed25519 key into ssh-agent"
    )]
    NoKey,
    /// No variable is set, and the ssh-agent has no key for us.
    #[error("no Encord key: neither ENCORD_SSH_KEY_FILE nor ENCORD_SSH_KEY is set, and {0}")]
    Agent(AgentError),
    /// `ENCORD_SSH_KEY` holds a path.
    #[error(
        "ENCORD_SSH_KEY holds the path of a file, but it takes the text of the key; \
         did you mean ENCORD_SSH_KEY_FILE?"
    )]
    PathAsKey,
    /// `ENCORD_SSH_KEY_FILE` holds the text of a key.
    #[error(
        "ENCORD_SSH_KEY_FILE holds the text of a key, but it takes a path; \
         did you mean ENCORD_SSH_KEY?"
    )]
    KeyAsPath,
    /// The file is missing or not a regular file.
    #[error("ENCORD_SSH_KEY_FILE names {path}, and there is no such file")]
    NoFile {
        /// As expanded.
        path: PathBuf,
    },
    /// The file cannot be read.
    #[error("the key file {path} cannot be read: {source}")]
    File {
        /// As expanded.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The text is not a usable key.
    #[error("the key in {place} cannot be used: {error}")]
    Key {
        /// Variable or path.
        place: String,
        /// Why.
        error: KeyError,
    },
    /// The domain is not an origin.
    #[error(
        "ENCORD_DOMAIN `{domain}` {why}; give scheme and host only, \
         as in https://api.encord.com or https://api.us.encord.com"
    )]
    Domain {
        /// As given, without what may be a secret.
        domain: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// The rate limit is not a positive number.
    #[error("a rate limit of {0} requests per second makes no sense; give a number above 0")]
    Rate(f64),
    /// The bearer token is unusable.
    #[error(
        "the bearer token (ENCORD_BEARER_TOKEN) is empty or has characters that an HTTP header cannot have"
    )]
    Token,
    /// The certificates that a variable names cannot be used.
    #[error("{variable} names {path}, and {why}")]
    Certificates {
        /// The variable.
        variable: &'static str,
        /// As given.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
}

impl Settings {
    /// Settings with the usual limits: 180 s until an answer begins, 15 s to connect, 90 s of waiting
    /// between attempts, [`Limits::DEFAULT`], no rate limit. Before the first answer of all, a request is
    /// given up much sooner: after 30 s without an answer, and after a minute in all.
    ///
    /// # Errors
    /// [`SettingsError::Domain`].
    pub fn new(domain: &str, credential: impl Into<Credential>) -> Result<Self, ClientError> {
        Ok(Self {
            domain: origin(domain)?,
            credential: credential.into(),
            origin: Origin::Program,
            rate: None,
            timeout: Duration::from_secs(180),
            limits: Limits::DEFAULT,
            connect_timeout: Duration::from_secs(15),
            patience: Duration::from_secs(90),
            read_only: false,
        })
    }

    /// Settings for a domain and the file of a key.
    ///
    /// # Errors
    /// [`SettingsError`].
    pub fn from_key_file(domain: &str, path: &Path) -> Result<Self, ClientError> {
        Self::new(domain, credentials::key_from_file(path)?)
    }

    /// Reads `ENCORD_SSH_KEY`, `ENCORD_SSH_KEY_FILE` and `ENCORD_DOMAIN` as `encord-agents` does:
    /// the key text wins over the file, an empty text counts as absent, `~` is the home folder, an
    /// empty domain is the default. Names are also found in lower case. Without a key comes
    /// `ENCORD_BEARER_TOKEN`, then the ssh-agent.
    ///
    /// # Errors
    /// [`SettingsError`], each with its cure; no text of a key appears in it.
    pub fn from_env(environment: Environment<'_>) -> Result<Self, ClientError> {
        let (credential, origin) = environment.credential()?;
        let domain = environment.filled("ENCORD_DOMAIN");
        let domain = domain.unwrap_or_else(|| DEFAULT_DOMAIN.to_owned());
        Ok(Self {
            origin,
            ..Self::new(&domain, credential)?
        })
    }

    /// The origin that `ENCORD_DOMAIN` names, when it names one; no key is needed.
    ///
    /// # Errors
    /// [`SettingsError::Domain`].
    pub fn named_domain(
        env: impl Fn(&str) -> Option<String>,
    ) -> Result<Option<String>, ClientError> {
        let named = env("ENCORD_DOMAIN").or_else(|| env("encord_domain"));
        let named = named.filter(|text| !text.trim().is_empty());
        Ok(named.map(|domain| origin(&domain)).transpose()?)
    }
}

/// Checks that a domain is an origin and gives it without a trailing `/`.
fn origin(domain: &str) -> Result<String, SettingsError> {
    let bad = |why| SettingsError::Domain {
        // Whatever stands before an `@` may be a password.
        domain: domain.rsplit('@').next().unwrap_or_default().to_owned(),
        why,
    };
    let text = domain.trim().trim_end_matches('/');
    match domain.trim().split_once("://") {
        None => return Err(bad("has no scheme")),
        Some((_, host)) if host.trim_matches('/').is_empty() => return Err(bad("has no host")),
        Some(_) => {}
    }
    let url = reqwest::Url::parse(text).map_err(|_| bad("is no URL"))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(bad("is neither http nor https"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(bad("holds a user name"));
    }
    if url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
        return Err(bad("has more than an origin"));
    }
    Ok(url.origin().ascii_serialization())
}

#[cfg(test)]
mod tests;
