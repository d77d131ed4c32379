//! Keys that an ssh-agent holds: what it has, and its signatures. Two messages of its protocol
//! (draft-ietf-sshm-ssh-agent) are all that is needed.
//!
//! Which key is taken is decided here; when an agent is asked at all is left to the settings.

use super::openssh::{named, number, string};
use super::{Key, Signer};
use ssh_key::public::Ed25519PublicKey;
use ssh_key::{HashAlg, PublicKey};
use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// How long an agent may take to list its keys.
const LISTING: Duration = Duration::from_secs(10);
/// How long it may take to sign: a person may have to confirm it.
const SIGNING: Duration = Duration::from_secs(60);
/// Largest answer that is read, in bytes; OpenSSH has the same limit.
const LARGEST: usize = 256 << 10;
/// Numbers of messages.
const FAILURE: u8 = 5;
const REQUEST_IDENTITIES: u8 = 11;
const IDENTITIES: u8 = 12;
const SIGN_REQUEST: u8 = 13;
const SIGNED: u8 = 14;
/// How the protocol names the kind of key and signature.
const ED25519: &[u8] = b"ssh-ed25519";

/// Why an agent is of no use.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[allow(missing_docs)] // the fields are the socket, the reason, and lines that name keys
#[non_exhaustive]
pub enum AgentError {
    /// Nobody answers.
    #[error("no ssh-agent answers at {} (SSH_AUTH_SOCK): {why}", socket.display())]
    Unreachable { socket: PathBuf, why: String },
    /// It took too long.
    #[error("the ssh-agent did not answer within {} s", SIGNING.as_secs())]
    Silent,
    /// Its answer is not one of the protocol.
    #[error("the ssh-agent sent an answer that is not part of its protocol")]
    Nonsense,
    /// It has the key and does not sign: it is locked, the key was removed, a person declined.
    #[error("the ssh-agent refused to sign with key {fingerprint}")]
    Refused { fingerprint: String },
    /// It has no key that Encord accepts.
    #[error("the ssh-agent has no Ed25519 key, and Encord accepts no other kind")]
    NoKey { held: Vec<String> },
    /// It has several.
    #[error("the ssh-agent has {} Ed25519 keys; ENCORD_SSH_KEY_FINGERPRINT chooses one", held.len())]
    Several { held: Vec<String> },
    /// It has none with that fingerprint.
    #[error(
        "the ssh-agent has no Ed25519 key with the fingerprint that ENCORD_SSH_KEY_FINGERPRINT names"
    )]
    NoSuchKey { held: Vec<String> },
}

/// The agent behind a socket. Each request makes a connection of its own, so that an agent may be restarted.
pub(crate) struct SshAgent {
    socket: PathBuf,
}

/// A key that an agent holds.
struct AgentKey {
    kind: &'static str,
    /// There for Ed25519 keys.
    public: Option<Ed25519PublicKey>,
    fingerprint: String,
    comment: String,
}

impl AgentKey {
    fn line(&self) -> String {
        let kind = self
            .kind
            .split_once(' ')
            .map_or(self.kind, |(_, kind)| kind);
        format!("{} {} ({kind})", self.fingerprint, self.comment)
    }
}

/// The key of the agent at `socket`: its only Ed25519 key, or the one with this fingerprint.
pub(crate) fn key(socket: &Path, fingerprint: Option<&str>) -> Result<Key, AgentError> {
    let agent = SshAgent {
        socket: socket.to_owned(),
    };
    let held = agent.held()?;
    let all = || held.iter().map(AgentKey::line).collect();
    let usable = || held.iter().filter_map(|held| Some((held, held.public?)));
    let lines = || usable().map(|(held, _)| held.line()).collect();
    let (held, public) = match (fingerprint, usable().count()) {
        (_, 0) => return Err(AgentError::NoKey { held: all() }),
        (Some(wanted), _) => usable()
            .find(|(held, _)| is_named(&held.fingerprint, wanted))
            .ok_or_else(|| AgentError::NoSuchKey { held: lines() })?,
        (None, 1) => usable().next().ok_or(AgentError::Nonsense)?,
        (None, _) => return Err(AgentError::Several { held: lines() }),
    };
    Ok(Key::new(
        Signer::Agent(Arc::new(agent)),
        public,
        &held.comment,
    ))
}

/// Whether a fingerprint is the one a person wrote: `SHA256:` and padding may be left out.
fn is_named(fingerprint: &str, wanted: &str) -> bool {
    let bare = |text: &str| {
        let text = text.trim().trim_end_matches('=');
        text.strip_prefix("SHA256:").unwrap_or(text).to_owned()
    };
    bare(fingerprint) == bare(wanted)
}

impl SshAgent {
    fn held(&self) -> Result<Vec<AgentKey>, AgentError> {
        let answer = self.ask(&[REQUEST_IDENTITIES], LISTING)?;
        identities(&answer).ok_or(AgentError::Nonsense)
    }

    /// The signature of a message with one of its keys.
    pub fn sign(&self, key: &Ed25519PublicKey, message: &[u8]) -> Result<[u8; 64], AgentError> {
        let public = PublicKey::from(*key);
        let mut request = vec![SIGN_REQUEST];
        push(&mut request, &public.to_bytes().unwrap_or_default());
        push(&mut request, message);
        request.extend([0; 4]); // no flags
        let answer = self.ask(&request, SIGNING)?;
        if answer.first() == Some(&FAILURE) {
            let fingerprint = public.fingerprint(HashAlg::Sha256).to_string();
            return Err(AgentError::Refused { fingerprint });
        }
        signature(&answer).ok_or(AgentError::Nonsense)
    }

    fn ask(&self, request: &[u8], limit: Duration) -> Result<Vec<u8>, AgentError> {
        let exchange = || -> io::Result<Vec<u8>> {
            let mut stream = UnixStream::connect(&self.socket)?;
            stream.set_read_timeout(Some(limit))?;
            stream.set_write_timeout(Some(limit))?;
            let mut framed = Vec::with_capacity(request.len() + 4);
            push(&mut framed, request);
            stream.write_all(&framed)?;
            let mut length = [0; 4];
            stream.read_exact(&mut length)?;
            let length = u32::from_be_bytes(length) as usize;
            if length > LARGEST {
                return Err(io::ErrorKind::InvalidData.into());
            }
            let mut answer = vec![0; length];
            stream.read_exact(&mut answer)?;
            Ok(answer)
        };
        exchange().map_err(|error| match error.kind() {
            io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => AgentError::Silent,
            io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof => AgentError::Nonsense,
            _ => AgentError::Unreachable {
                socket: self.socket.clone(),
                why: error.to_string(),
            },
        })
    }
}

/// Appends a length and as many bytes.
fn push(out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend(u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_be_bytes());
    out.extend(bytes);
}

fn identities(answer: &[u8]) -> Option<Vec<AgentKey>> {
    let mut rest = answer.strip_prefix(&[IDENTITIES])?;
    let count = number(&mut rest)?;
    (0..count).map(|_| identity(&mut rest)).collect()
}

fn identity(rest: &mut &[u8]) -> Option<AgentKey> {
    let (blob, comment) = (string(rest)?, string(rest)?);
    let mut inside = blob;
    let kind = string(&mut inside)?;
    let public = (kind == ED25519).then(|| string(&mut inside)).flatten();
    let public: Option<[u8; 32]> = public.and_then(|bytes| bytes.try_into().ok());
    let fingerprint = PublicKey::from_bytes(blob).map(|key| key.fingerprint(HashAlg::Sha256));
    Some(AgentKey {
        kind: named(kind).unwrap_or("an unknown"),
        public: public.map(Ed25519PublicKey),
        fingerprint: fingerprint.map_or_else(|_| "?".to_owned(), |f| f.to_string()),
        comment: String::from_utf8_lossy(comment).into_owned(),
    })
}

fn signature(answer: &[u8]) -> Option<[u8; 64]> {
    let mut rest = answer.strip_prefix(&[SIGNED])?;
    let mut signature = string(&mut rest)?;
    (string(&mut signature)? == ED25519).then_some(())?;
    string(&mut signature)?.try_into().ok()
}

#[cfg(test)]
mod tests;
