//! What authenticates requests, and which variable it comes from: the same variables with the same precedence as
//! `encord-agents`, and after them a bearer token and the ssh-agent.

use super::{Bearer, SettingsError};
use crate::key::{Key, KeyError, KeyFile, Locked, agent};
use std::fmt;
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// How often a person may mistype a passphrase.
const ATTEMPTS: u32 = 3;

/// What authenticates requests.
#[derive(Clone, Debug)]
pub enum Credential {
    /// Signs each request.
    Key(Key),
    /// Is sent with each request instead of a signature.
    Token(Bearer),
}

impl From<Key> for Credential {
    fn from(key: Key) -> Self {
        Self::Key(key)
    }
}

impl fmt::Display for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key(key) => {
                write!(f, "Ed25519 key {}", key.fingerprint())?;
                match key.comment() {
                    "" => Ok(()),
                    comment => write!(f, " {comment}"),
                }
            }
            Self::Token(_) => f.write_str("bearer token"),
        }
    }
}

/// Where a credential comes from.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Origin {
    /// The program made it.
    Program,
    /// `ENCORD_SSH_KEY`.
    Text,
    /// A file, most often that of `ENCORD_SSH_KEY_FILE`.
    File(PathBuf),
    /// `ENCORD_BEARER_TOKEN`.
    Token,
    /// `SSH_AUTH_SOCK`.
    Agent,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Program => f.write_str("this program"),
            Self::Text => f.write_str(TEXT),
            Self::File(path) => write!(f, "{FILE} ({})", path.display()),
            Self::Token => f.write_str(TOKEN),
            Self::Agent => f.write_str("ssh-agent (SSH_AUTH_SOCK)"),
        }
    }
}

const TEXT: &str = "ENCORD_SSH_KEY";
const FILE: &str = "ENCORD_SSH_KEY_FILE";
const PASSPHRASE: &str = "ENCORD_SSH_KEY_PASSPHRASE";
const FINGERPRINT: &str = "ENCORD_SSH_KEY_FINGERPRINT";
const TOKEN: &str = "ENCORD_BEARER_TOKEN";
const AGENT: &str = "SSH_AUTH_SOCK";

/// What is asked of the person when a key has a passphrase and the environment does not.
#[derive(Clone, Debug)]
pub struct PassphraseRequest {
    /// Variable or path of the key.
    pub place: String,
    /// `SHA256:…` of its public half.
    pub fingerprint: String,
    /// 1, then 2 and 3 after wrong ones.
    pub attempt: u32,
}

/// How such a request ends.
pub enum Passphrase {
    /// What the person typed.
    Entered(Zeroizing<String>),
    /// The person declined.
    Declined,
    /// There is no terminal, or asking is not allowed.
    Unavailable,
}

/// Where settings are read from.
#[derive(Clone, Copy)]
pub struct Environment<'a> {
    /// The value of a variable.
    pub var: &'a dyn Fn(&str) -> Option<String>,
    /// Reads a file.
    pub read: &'a dyn Fn(&Path) -> std::io::Result<Vec<u8>>,
    /// Asks for a passphrase.
    pub ask: &'a dyn Fn(&PassphraseRequest) -> Passphrase,
}

impl Environment<'_> {
    /// The value of a variable, whose name may be in lower case.
    pub(super) fn get(&self, name: &str) -> Option<String> {
        (self.var)(name).or_else(|| (self.var)(&name.to_lowercase()))
    }

    /// The same, if there is more in it than blanks.
    pub(super) fn filled(&self, name: &str) -> Option<String> {
        self.get(name).filter(|text| !text.trim().is_empty())
    }

    /// The credential that the environment names.
    pub(super) fn credential(&self) -> Result<(Credential, Origin), SettingsError> {
        let (text, file) = (self.filled(TEXT).map(Zeroizing::new), self.filled(FILE));
        if text.is_some() && file.is_some() {
            tracing::warn!("{TEXT} and {FILE} are both set; {TEXT} is used");
        }
        if let Some(text) = text {
            return Ok((self.key_of_text(&text)?.into(), Origin::Text));
        }
        if let Some(path) = file {
            return self.key_of_file(&path);
        }
        if let Some(token) = self.filled(TOKEN) {
            return Ok((Credential::Token(Bearer::new(&token)?), Origin::Token));
        }
        let Some(socket) = self.filled(AGENT) else {
            return Err(SettingsError::NoKey);
        };
        let fingerprint = self.filled(FINGERPRINT);
        let key = agent::key(Path::new(&socket), fingerprint.as_deref());
        Ok((key.map_err(SettingsError::Agent)?.into(), Origin::Agent))
    }

    fn key_of_text(&self, text: &str) -> Result<Key, SettingsError> {
        let found = Key::read(text.as_bytes());
        // Only short single lines can be paths; the file system is asked about nothing that may be a key.
        let line = text.trim();
        let path_like = !line.contains('\n') && line.len() < 4096 && found.is_err();
        if path_like && !line.contains("PRIVATE KEY") && self.expand_home(line).exists() {
            return Err(SettingsError::PathAsKey);
        }
        self.opened(found, TEXT)
    }

    fn key_of_file(&self, path: &str) -> Result<(Credential, Origin), SettingsError> {
        let path = path.trim();
        // What `-----BEGIN` and the magic bytes of a key are in base64.
        let encoded = ["LS0tLS1CRUdJTi", "b3BlbnNzaC1rZXktdjE"];
        let is_text = path.contains("PRIVATE KEY") || path.contains('\n');
        if is_text || encoded.iter().any(|start| path.starts_with(start)) {
            return Err(SettingsError::KeyAsPath);
        }
        let path = self.expand_home(path);
        let key = self.opened(
            Key::read(&contents(&path, self.read)?),
            &path.display().to_string(),
        )?;
        Ok((key.into(), Origin::File(path)))
    }

    /// The key, decrypted where it needs to be.
    fn opened(&self, found: Result<KeyFile, KeyError>, place: &str) -> Result<Key, SettingsError> {
        let refused = |error| SettingsError::Key {
            place: place.to_owned(),
            error,
        };
        match found.map_err(refused)? {
            KeyFile::Key(key) => Ok(key),
            KeyFile::Locked(locked) => self.unlocked(&locked, place).map_err(refused),
        }
    }

    fn unlocked(&self, locked: &Locked, place: &str) -> Result<Key, KeyError> {
        // Taken as it is: blanks may belong to it.
        if let Some(passphrase) = self.get(PASSPHRASE).filter(|text| !text.is_empty()) {
            let unlocked = locked.unlock(&Zeroizing::new(passphrase));
            return unlocked.map_err(|_| KeyError::WrongVariable);
        }
        let mut request = PassphraseRequest {
            place: place.to_owned(),
            fingerprint: locked.fingerprint(),
            attempt: 1,
        };
        loop {
            let passphrase = match (self.ask)(&request) {
                Passphrase::Entered(passphrase) => passphrase,
                Passphrase::Declined => return Err(KeyError::NotEntered),
                Passphrase::Unavailable => return Err(KeyError::Locked),
            };
            match locked.unlock(&passphrase) {
                Err(KeyError::WrongPassphrase) if request.attempt < ATTEMPTS => {
                    request.attempt += 1;
                }
                unlocked => return unlocked,
            }
        }
    }

    fn expand_home(&self, path: &str) -> PathBuf {
        let rest = path.strip_prefix("~/").or((path == "~").then_some(""));
        match (rest, (self.var)("HOME").filter(|home| !home.is_empty())) {
            (Some(rest), Some(home)) => Path::new(&home).join(rest),
            _ => PathBuf::from(path),
        }
    }
}

/// The key in a file, without a passphrase.
pub(super) fn key_from_file(path: &Path) -> Result<Key, SettingsError> {
    let bytes = contents(path, |path| std::fs::read(path))?;
    let found = Key::read(&bytes).and_then(|found| match found {
        KeyFile::Key(key) => Ok(key),
        KeyFile::Locked(_) => Err(KeyError::Locked),
    });
    found.map_err(|error| SettingsError::Key {
        place: path.display().to_string(),
        error,
    })
}

fn contents(
    path: &Path,
    read: impl Fn(&Path) -> std::io::Result<Vec<u8>>,
) -> Result<Zeroizing<Vec<u8>>, SettingsError> {
    if !path.exists() {
        return Err(SettingsError::NoFile {
            path: path.to_owned(),
        });
    }
    read(path)
        .map(Zeroizing::new)
        .map_err(|source| SettingsError::File {
            path: path.to_owned(),
            source,
        })
}
