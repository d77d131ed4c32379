//! Options that every command takes, and how their values are written.
//!
//! Parsing a command line is left to the binary; settings files hold some of the same values.

use serde::{Deserialize, Serialize};
use std::ffi::OsString;
use std::fmt;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use wb_client::{Passphrase, PassphraseRequest};
use wb_core::span;

/// Options of every command, as far as the engine needs them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Flags {
    /// Project hash as written.
    pub project_hash: Option<String>,
    /// Where to look for agents; each value may hold several paths (see [`paths`]).
    pub agents: Vec<PathBuf>,
    /// Hold all writes.
    pub dry_run: bool,
    /// Refuse every writing request.
    pub read_only: bool,
    /// Machine-readable output.
    pub json: bool,
    /// No colours, boxes or animation.
    pub plain: bool,
    /// Title of the protected project that may be written to.
    pub confirm: Option<String>,
    /// Titles of further projects that may be written to.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub also_confirm: Vec<String>,
    /// Settings file in place of the usual ones.
    pub config: Option<PathBuf>,
    /// Workflow specification.
    pub workflow: Option<PathBuf>,
    /// Limit for opening a library.
    pub load_timeout: Option<Duration>,
    /// Bytes of memory of each host; `u64::MAX` for no limit.
    pub memory: Option<u64>,
    /// Which log lines of agents are kept.
    #[serde(default)]
    pub log: Option<String>,
    /// How much of what agents log is reported: 0 to 2.
    pub verbose: u8,
    /// The words of the command, for the journal. They hold no secrets: none are taken as flags.
    #[serde(skip)]
    pub words: Vec<String>,
    /// Asks for the passphrase of a key; `None` where nobody is to be asked.
    #[serde(skip)]
    pub ask: Option<AskPassphrase>,
    /// The interrupted operation that `resume` continues.
    #[serde(skip)]
    pub goes_on: Option<i64>,
}

impl Flags {
    /// Titles of the projects that may be written to although they are protected.
    pub fn confirmed(&self) -> impl Iterator<Item = &String> {
        self.confirm.iter().chain(&self.also_confirm)
    }
}

/// How a person is asked for a passphrase.
#[derive(Clone)]
pub struct AskPassphrase(Arc<dyn Fn(&PassphraseRequest) -> Passphrase + Send + Sync>);

impl AskPassphrase {
    /// Asks in this way.
    pub fn new(ask: impl Fn(&PassphraseRequest) -> Passphrase + Send + Sync + 'static) -> Self {
        Self(Arc::new(ask))
    }

    /// Waits for the answer.
    #[must_use]
    pub fn passphrase(&self, request: &PassphraseRequest) -> Passphrase {
        (self.0)(request)
    }
}

impl PartialEq for AskPassphrase {
    /// Whether it is the same way of asking.
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl fmt::Debug for AskPassphrase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AskPassphrase")
    }
}

/// `2h`: a limit, or a time after which a command stops.
pub fn some_time(text: &str) -> Result<Duration, String> {
    match span::read(text).map(Duration::from_millis)? {
        Duration::ZERO => Err("must be greater than zero, e.g. 30s".into()),
        time => Ok(time),
    }
}

/// `2GB`, `512MB`, `1.5GiB`; `none` for no limit.
pub fn size(text: &str) -> Result<u64, String> {
    if text.eq_ignore_ascii_case("none") {
        return Ok(u64::MAX);
    }
    let wrong = || "write a size such as 2GB or 512MB, or none".to_owned();
    let digits = text.trim_end_matches(char::is_alphabetic);
    let number: f64 = digits.trim_end().parse().map_err(|_| wrong())?;
    let unit = match text[digits.len()..].to_ascii_uppercase().as_str() {
        "MB" | "M" => 1e6,
        "GB" | "G" => 1e9,
        "TB" | "T" => 1e12,
        "MIB" => 1024.0 * 1024.0,
        "GIB" => 1024.0 * 1024.0 * 1024.0,
        "" => return Err(format!("write the unit: {text}GB or {text}MB, or none")),
        _ => return Err(wrong()),
    };
    let bytes = number * unit;
    if !(1e6..=1e18).contains(&bytes) {
        return Err("must be at least 1MB; to lift the limit: none".into());
    }
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // in range, as just seen
    Ok(bytes as u64)
}

/// Paths with colons between them, as in `PATH`. A part that exists with its colons is one path, the longest
/// first; `\:` is a colon whatever exists.
pub fn paths(value: &Path) -> Vec<PathBuf> {
    let bytes = value.as_os_str().as_bytes();
    let (mut parts, mut part) = (Vec::new(), Vec::new());
    let mut left = bytes;
    while let Some((&first, rest)) = left.split_first() {
        left = rest;
        match (first, rest.first()) {
            (b'\\', Some(b':')) => {
                part.push(b':');
                left = &rest[1..];
            }
            (b':', _) => parts.push(std::mem::take(&mut part)),
            (byte, _) => part.push(byte),
        }
    }
    parts.push(part);
    let path = |parts: &[Vec<u8>]| PathBuf::from(OsString::from_vec(parts.join(&b':')));
    let mut found = Vec::new();
    let mut left = parts.as_slice();
    while !left.is_empty() {
        let several = (2..=left.len()).rev().find(|n| path(&left[..*n]).exists());
        let n = several.unwrap_or(1);
        found.push(path(&left[..n]));
        left = &left[n..];
    }
    found.retain(|path| !path.as_os_str().is_empty());
    found
}

/// Log directives, which stay text: hosts read them again.
///
/// # Errors
/// One of them cannot be read.
pub fn log(text: &str) -> Result<String, String> {
    agent_abi::logs::Filter::parse(text).map(|_| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_colon_parts_paths_unless_it_is_in_one_that_exists() {
        let dir = tempfile::tempdir().unwrap();
        let with = dir.path().join("a:b");
        std::fs::create_dir(&with).unwrap();
        std::fs::write(with.join("lib:x.so"), "").unwrap();
        let library = with.join("lib:x.so");
        let other = dir.path().join("other");
        let joined = |paths: &[&Path]| {
            let texts: Vec<_> = paths.iter().map(|p| p.to_str().unwrap()).collect();
            PathBuf::from(texts.join(":"))
        };
        assert_eq!(paths(&with), std::slice::from_ref(&with));
        assert_eq!(paths(&library), std::slice::from_ref(&library));
        assert_eq!(
            paths(&joined(&[&other, &library, &with])),
            [other.clone(), library, with]
        );
        assert_eq!(
            paths(Path::new("x:y")),
            [PathBuf::from("x"), PathBuf::from("y")]
        );
        assert_eq!(
            paths(Path::new("x\\:y:z")),
            [PathBuf::from("x:y"), PathBuf::from("z")]
        );
        assert_eq!(
            paths(Path::new("x::y:")),
            [PathBuf::from("x"), PathBuf::from("y")]
        );
    }

    #[test]
    fn sizes_and_limits_want_their_unit() {
        assert_eq!(size("2GB"), Ok(2_000_000_000));
        assert_eq!(size("1.5 GiB"), Ok(1_610_612_736));
        assert_eq!(size("512m"), Ok(512_000_000));
        assert_eq!(size("none"), Ok(u64::MAX));
        for text in [
            "2", "", "GB", "-1GB", "nan GB", "1e30GB", "10kB", "0GB", "2 apples",
        ] {
            assert!(size(text).is_err(), "{text}");
        }
        assert_eq!(some_time("5m"), Ok(Duration::from_secs(300)));
        assert!(some_time("30").unwrap_err().contains("30s"));
        assert!(some_time("0s").is_err());
    }
}
