//! Settings of a connection, and how they are read from the environment: the same variables with
//! the same precedence as `encord-agents`.

use crate::error::ClientError;
use crate::http::Limits;
use crate::key::{Key, KeyError};
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The default domain.
pub const DEFAULT_DOMAIN: &str = "https://api.encord.com";

/// A bearer token; never shown.
#[derive(Clone)]
pub struct Bearer(pub(crate) Box<str>);

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
        Ok(Self(token.into()))
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
    /// Signs every request.
    pub key: Key,
    /// When set, requests bear this token instead of a signature.
    pub bearer: Option<Bearer>,
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
    /// Neither variable is set.
    #[error(
        "no Encord key: set ENCORD_SSH_KEY_FILE to the path of your private key \
         (or ENCORD_SSH_KEY to its text)"
    )]
    NoKey,
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
    #[error("the bearer token is empty or holds characters that no header may hold")]
    Token,
}

impl Settings {
    /// Settings with the usual limits: 180 s until an answer begins, 15 s to connect, 90 s of waiting
    /// between attempts, [`Limits::DEFAULT`], no rate limit. Before the first answer of all, a request is
    /// given up much sooner: after 30 s without an answer, and after a minute in all.
    ///
    /// # Errors
    /// [`SettingsError::Domain`].
    pub fn new(domain: &str, key: Key) -> Result<Self, ClientError> {
        Ok(Self {
            domain: origin(domain)?,
            key,
            bearer: None,
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
        Self::new(domain, key_from_file(path, |path| std::fs::read(path))?)
    }

    /// Reads `ENCORD_SSH_KEY`, `ENCORD_SSH_KEY_FILE` and `ENCORD_DOMAIN` as `encord-agents` does:
    /// the key text wins over the file, an empty text counts as absent, `~` is the home folder, an
    /// empty domain is the default. Names are also found in lower case. `read` reads the file.
    ///
    /// # Errors
    /// [`SettingsError`], each with its cure; no text of a key appears in it.
    pub fn from_env(
        env: impl Fn(&str) -> Option<String>,
        read: impl Fn(&Path) -> std::io::Result<Vec<u8>>,
    ) -> Result<Self, ClientError> {
        let env: &dyn Fn(&str) -> Option<String> = &env;
        let get = |name: &str| env(name).or_else(|| env(&name.to_lowercase()));
        let filled = |name: &str| get(name).filter(|text| !text.trim().is_empty());
        let key = match (filled("ENCORD_SSH_KEY"), get("ENCORD_SSH_KEY_FILE")) {
            (Some(text), file) => {
                if file.is_some_and(|path| !path.trim().is_empty()) {
                    tracing::warn!(
                        "ENCORD_SSH_KEY and ENCORD_SSH_KEY_FILE are both set; the first one is used"
                    );
                }
                key_from_text(&text, env)?
            }
            (None, Some(path)) if !path.trim().is_empty() => {
                if path.contains("PRIVATE KEY") || path.contains('\n') {
                    return Err(SettingsError::KeyAsPath.into());
                }
                key_from_file(&expand_home(path.trim(), env), read)?
            }
            _ => return Err(SettingsError::NoKey.into()),
        };
        let domain = filled("ENCORD_DOMAIN").unwrap_or_else(|| DEFAULT_DOMAIN.to_owned());
        Self::new(&domain, key)
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

fn key_from_text(text: &str, env: &dyn Fn(&str) -> Option<String>) -> Result<Key, SettingsError> {
    // Only short single lines can be paths; asking the file system about a key would be odd.
    let line = text.trim();
    let path_like = !line.contains('\n') && line.len() < 4096 && !line.contains("PRIVATE KEY");
    if path_like && expand_home(line, env).exists() {
        return Err(SettingsError::PathAsKey);
    }
    Key::from_openssh(text).map_err(|error| SettingsError::Key {
        place: "ENCORD_SSH_KEY".to_owned(),
        error,
    })
}

fn key_from_file(
    path: &Path,
    read: impl Fn(&Path) -> std::io::Result<Vec<u8>>,
) -> Result<Key, SettingsError> {
    if !path.exists() {
        return Err(SettingsError::NoFile {
            path: path.to_owned(),
        });
    }
    let bytes = read(path).map_err(|source| SettingsError::File {
        path: path.to_owned(),
        source,
    })?;
    let text = String::from_utf8_lossy(&bytes);
    Key::from_openssh(&text).map_err(|error| SettingsError::Key {
        place: path.display().to_string(),
        error,
    })
}

fn expand_home(path: &str, env: &dyn Fn(&str) -> Option<String>) -> PathBuf {
    let rest = path.strip_prefix("~/").or((path == "~").then_some(""));
    match (rest, env("HOME").filter(|home| !home.is_empty())) {
        (Some(rest), Some(home)) => Path::new(&home).join(rest),
        _ => PathBuf::from(path),
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
mod tests {
    use super::*;
    use crate::key::tests::ed25519_pem;
    use std::collections::HashMap;

    fn read(pairs: &[(&str, &str)]) -> Result<Settings, String> {
        let map: HashMap<String, String> = pairs
            .iter()
            .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
            .collect();
        Settings::from_env(|name| map.get(name).cloned(), |path| std::fs::read(path))
            .map_err(|e| e.to_string())
    }

    #[test]
    fn text_of_a_key_is_enough_and_the_domain_has_a_default() {
        let settings = read(&[("ENCORD_SSH_KEY", &ed25519_pem())]).unwrap();
        assert_eq!(settings.domain, DEFAULT_DOMAIN);
        assert!(settings.key.id().starts_with("03a107bf"));
        let lower = read(&[("encord_ssh_key", &ed25519_pem())]).unwrap();
        assert_eq!(lower.key.id(), settings.key.id());
    }

    #[test]
    fn text_wins_over_the_file_and_empty_text_counts_as_absent() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("id");
        std::fs::write(&path, ed25519_pem()).unwrap();
        let file = path.to_str().unwrap();
        read(&[("ENCORD_SSH_KEY", ""), ("ENCORD_SSH_KEY_FILE", file)]).unwrap();
        let both = read(&[
            ("ENCORD_SSH_KEY", &ed25519_pem()),
            ("ENCORD_SSH_KEY_FILE", "/nowhere"),
        ]);
        assert!(both.is_ok());
    }

    #[test]
    fn tilde_is_the_home_folder() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("id"), ed25519_pem()).unwrap();
        let home = dir.path().to_str().unwrap();
        read(&[("HOME", home), ("ENCORD_SSH_KEY_FILE", "~/id")]).unwrap();
    }

    #[test]
    fn each_mistake_names_its_cure_and_no_secret() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("id");
        std::fs::write(&path, "scrap").unwrap();
        let file = path.to_str().unwrap();
        let pem = ed25519_pem();
        for (pairs, word) in [
            (vec![], "set ENCORD_SSH_KEY_FILE"),
            (vec![("ENCORD_SSH_KEY_FILE", "")], "set ENCORD_SSH_KEY_FILE"),
            (
                vec![("ENCORD_SSH_KEY", file)],
                "did you mean ENCORD_SSH_KEY_FILE",
            ),
            (
                vec![("ENCORD_SSH_KEY_FILE", &*pem)],
                "did you mean ENCORD_SSH_KEY?",
            ),
            (
                vec![("ENCORD_SSH_KEY_FILE", "/no/such/key")],
                "no such file",
            ),
            (
                vec![("ENCORD_SSH_KEY_FILE", file)],
                "not a readable OpenSSH",
            ),
            (vec![("ENCORD_SSH_KEY", "abc")], "not a readable OpenSSH"),
            (
                vec![
                    ("ENCORD_SSH_KEY", &*pem),
                    ("ENCORD_DOMAIN", "api.encord.com"),
                ],
                "has no scheme",
            ),
            (
                vec![("ENCORD_SSH_KEY", &*pem), ("ENCORD_DOMAIN", "https://")],
                "has no host",
            ),
            (
                vec![
                    ("ENCORD_SSH_KEY", &*pem),
                    ("ENCORD_DOMAIN", "https://h/pre/fix"),
                ],
                "more than an origin",
            ),
            (
                vec![
                    ("ENCORD_SSH_KEY", &*pem),
                    ("ENCORD_DOMAIN", "https://u:geheim@h"),
                ],
                "holds a user name",
            ),
        ] {
            let error = read(&pairs).unwrap_err();
            assert!(error.contains(word), "{error} lacks {word}");
            assert!(
                !error.contains("geheim") && !error.contains("b3BlbnNzaC1r"),
                "{error}"
            );
        }
    }

    #[test]
    fn a_domain_loses_its_trailing_slash_and_nothing_else() {
        let pem = ed25519_pem();
        for (given, kept) in [
            ("https://api.us.encord.com/", "https://api.us.encord.com"),
            ("http://127.0.0.1:41233", "http://127.0.0.1:41233"),
            ("", DEFAULT_DOMAIN),
        ] {
            let settings = read(&[("ENCORD_SSH_KEY", &pem), ("ENCORD_DOMAIN", given)]).unwrap();
            assert_eq!(settings.domain, kept);
        }
    }

    #[test]
    fn debug_shows_no_secret() {
        let mut settings = read(&[("ENCORD_SSH_KEY", &ed25519_pem())]).unwrap();
        settings.bearer = Some(Bearer::new("geheim").unwrap());
        let shown = format!("{settings:?}");
        assert!(
            !shown.contains("geheim") && !shown.contains("b3BlbnNzaC1r"),
            "{shown}"
        );
    }
}
