//! The key that signs requests: read from a file's text or held by an ssh-agent, never shown.
//!
//! Where the text comes from (environment, file) and who types the passphrase is left to the settings; what is
//! signed is left to `http::sign`.

pub(crate) mod agent;
mod error;
mod openssh;
mod text;

use agent::{AgentError, SshAgent};
use ed25519_dalek::{Signer as _, SigningKey};
pub use error::KeyError;
use ssh_key::public::Ed25519PublicKey;
use ssh_key::{HashAlg, PublicKey};
use std::fmt;
use std::sync::Arc;
use zeroize::Zeroizing;

/// An Ed25519 key. `Debug` prints the public half only; private bytes are wiped on drop.
#[derive(Clone)]
pub struct Key {
    signer: Signer,
    public: Ed25519PublicKey,
    comment: Arc<str>,
    id: Arc<str>,
}

#[derive(Clone)]
enum Signer {
    Here(Arc<SigningKey>),
    Agent(Arc<SshAgent>),
}

/// What a key file's text holds.
pub(crate) enum KeyFile {
    Key(Key),
    /// A key that needs its passphrase first.
    Locked(Locked),
}

/// A private key that is encrypted with a passphrase.
pub(crate) struct Locked {
    key: ssh_key::PrivateKey,
}

impl Locked {
    /// The public half's fingerprint, which is not encrypted.
    pub fn fingerprint(&self) -> String {
        self.key.fingerprint(HashAlg::Sha256).to_string()
    }

    /// Decrypts the key.
    ///
    /// # Errors
    /// [`KeyError::WrongPassphrase`].
    pub fn unlock(&self, passphrase: &str) -> Result<Key, KeyError> {
        let opened = self.key.decrypt(passphrase);
        Key::unlocked(&opened.map_err(|_| KeyError::WrongPassphrase)?)
    }
}

impl Key {
    /// Reads a private key without a passphrase, in any of the forms that people have them in (`text`).
    ///
    /// # Errors
    /// [`KeyError`], with what to do in its text.
    pub fn from_openssh(text: &str) -> Result<Self, KeyError> {
        match Self::read(text.as_bytes())? {
            KeyFile::Key(key) => Ok(key),
            KeyFile::Locked(_) => Err(KeyError::Locked),
        }
    }

    /// Reads the content of a key file.
    ///
    /// # Errors
    /// [`KeyError`], with what to do in its text.
    pub(crate) fn read(bytes: &[u8]) -> Result<KeyFile, KeyError> {
        match text::read(bytes)? {
            text::Content::Seed(seed) => Ok(KeyFile::Key(Self::from_seed(&seed))),
            text::Content::OpenSsh(bytes, last_line) => {
                let key = openssh::read(&bytes, last_line)?;
                if key.is_encrypted() {
                    return Ok(KeyFile::Locked(Locked { key }));
                }
                Self::unlocked(&key).map(KeyFile::Key)
            }
        }
    }

    fn unlocked(key: &ssh_key::PrivateKey) -> Result<Self, KeyError> {
        let pair = key.key_data().ed25519().ok_or(KeyError::Damaged)?;
        let seed = Zeroizing::new(pair.private.to_bytes());
        let made = Self::from_seed(&seed);
        Ok(Self {
            comment: key.comment().into(),
            ..made
        })
    }

    /// The key that belongs to a 32-byte seed.
    #[must_use]
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        let signing = SigningKey::from_bytes(seed);
        let public = Ed25519PublicKey(*signing.verifying_key().as_bytes());
        Self::new(Signer::Here(Arc::new(signing)), public, "")
    }

    fn new(signer: Signer, public: Ed25519PublicKey, comment: &str) -> Self {
        Self {
            signer,
            id: hex(&public.0).into(),
            public,
            comment: comment.into(),
        }
    }

    /// The public key as 64 lower-case hexadecimal characters, Encord's `keyid`.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// `SHA256:…`, as `ssh-keygen -l` prints it.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        self.public_key().fingerprint(HashAlg::Sha256).to_string()
    }

    /// The public half as the platform takes it: `ssh-ed25519 AAAA…`.
    #[must_use]
    pub fn public_line(&self) -> String {
        self.public_key().to_openssh().unwrap_or_default()
    }

    /// The comment in the key, often its owner's address; may be empty.
    #[must_use]
    pub fn comment(&self) -> &str {
        &self.comment
    }

    fn public_key(&self) -> PublicKey {
        PublicKey::from(self.public)
    }

    /// Signs a message. Waits for the ssh-agent where that has the key.
    pub(crate) async fn sign(&self, message: &[u8]) -> Result<[u8; 64], AgentError> {
        match &self.signer {
            Signer::Here(key) => Ok(key.sign(message).to_bytes()),
            Signer::Agent(agent) => {
                let (agent, message, key) = (Arc::clone(agent), message.to_vec(), self.public);
                let signed = tokio::task::spawn_blocking(move || agent.sign(&key, &message));
                signed.await.map_err(|_| AgentError::Silent)?
            }
        }
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({})", self.id)
    }
}

/// Lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        text.push(char::from(DIGITS[usize::from(byte >> 4)]));
        text.push(char::from(DIGITS[usize::from(byte & 15)]));
    }
    text
}

#[cfg(test)]
pub(crate) mod tests;
