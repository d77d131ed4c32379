//! The private key: read from OpenSSH text, used to sign, never shown.
//!
//! Where the text comes from (environment, file) is left to the settings; what is signed is left
//! to `http::sign`.

use ed25519_dalek::{Signer, SigningKey};
use std::fmt;
use std::sync::Arc;

/// An Ed25519 private key. `Debug` prints the public part only; the bytes are wiped on drop.
#[derive(Clone)]
pub struct Key {
    signing: Arc<SigningKey>,
    id: Arc<str>,
}

/// Why a text is not a usable key. No variant carries any part of the text.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum KeyError {
    /// Nothing there.
    #[error("it is empty")]
    Empty,
    /// The public half.
    #[error("it is a public key; the private key is the file without `.pub`")]
    Public,
    /// Protected by a passphrase.
    #[error(
        "it is protected by a passphrase; use a key without one \
         (a copy can be freed of it: `cp KEY COPY && ssh-keygen -p -N '' -f COPY`)"
    )]
    Encrypted,
    /// RSA, ECDSA, …
    #[error(
        "it is no Ed25519 key, and Encord takes no other kind; make one with \
         `ssh-keygen -t ed25519` and add its public half under Settings > Public keys"
    )]
    OtherKind,
    /// A PEM block of another format.
    #[error(
        "it is a PEM key but not in OpenSSH format; convert a copy with \
         `cp KEY COPY && ssh-keygen -p -N '' -f COPY`"
    )]
    OtherFormat,
    /// Cut short, a wrong character, …
    #[error(
        "not a readable OpenSSH private key (it should begin with \
         `-----BEGIN OPENSSH PRIVATE KEY-----` and end with `-----END OPENSSH PRIVATE KEY-----`)"
    )]
    Unreadable,
}

impl Key {
    /// Reads the text of an unencrypted OpenSSH private key file. Line ends may be CRLF, missing at
    /// the end, or (as some environment files have it) the two characters `\n`.
    ///
    /// # Errors
    /// [`KeyError`], with the cure in its text.
    pub fn from_openssh(text: &str) -> Result<Self, KeyError> {
        let mut text = text.trim().replace("\r\n", "\n");
        if text.is_empty() {
            return Err(KeyError::Empty);
        }
        if !text.contains('\n') && text.contains("\\n") {
            text = text.replace("\\n", "\n");
        }
        text.push('\n');
        if ["ssh-", "ecdsa-", "sk-"]
            .iter()
            .any(|p| text.starts_with(p))
        {
            return Err(KeyError::Public);
        }
        if !text.starts_with("-----BEGIN OPENSSH PRIVATE KEY-----") {
            let pem = text.starts_with("-----BEGIN ") && text.contains("PRIVATE KEY-----");
            return Err(if pem {
                KeyError::OtherFormat
            } else {
                KeyError::Unreadable
            });
        }
        let key =
            ssh_key::PrivateKey::from_openssh(rewrapped(&text)).map_err(|error| match error {
                ssh_key::Error::AlgorithmUnknown | ssh_key::Error::AlgorithmUnsupported { .. } => {
                    KeyError::OtherKind
                }
                _ => KeyError::Unreadable,
            })?;
        if key.is_encrypted() {
            return Err(KeyError::Encrypted);
        }
        let pair = key.key_data().ed25519().ok_or(KeyError::OtherKind)?;
        Ok(Self::from_seed(&pair.private.to_bytes()))
    }

    /// The key that belongs to a 32-byte seed.
    #[must_use]
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        let signing = SigningKey::from_bytes(seed);
        let id = hex(signing.verifying_key().as_bytes());
        Self {
            signing: Arc::new(signing),
            id: id.into(),
        }
    }

    /// The public key as 64 lower-case hexadecimal characters, Encord's `keyid`.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    pub(crate) fn shared_id(&self) -> Arc<str> {
        Arc::clone(&self.id)
    }

    pub(crate) fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.signing.sign(message).to_bytes()
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

/// The same key in lines of 70 characters, as ssh-keygen breaks them: other writers break them
/// elsewhere, and the parser takes this width only.
fn rewrapped(text: &str) -> String {
    const WIDTH: usize = 70;
    let is_mark = |line: &&str| line.starts_with("-----");
    let body: Vec<u8> = text
        .lines()
        .map(str::trim)
        .filter(|line| !is_mark(line))
        .flat_map(str::bytes)
        .collect();
    let mut marks = text.lines().map(str::trim).filter(is_mark);
    let mut out = String::with_capacity(text.len() + 8);
    let mut line = |bytes: &[u8]| {
        out.push_str(&String::from_utf8_lossy(bytes));
        out.push('\n');
    };
    line(marks.next().unwrap_or_default().as_bytes());
    body.chunks(WIDTH).for_each(&mut line);
    line(marks.next().unwrap_or_default().as_bytes());
    out
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn seed() -> [u8; 32] {
        std::array::from_fn(|i| u8::try_from(i).unwrap())
    }

    fn pem(kind: ssh_key::private::KeypairData) -> String {
        let key = ssh_key::PrivateKey::new(kind, "test").unwrap();
        key.to_openssh(ssh_key::LineEnding::LF).unwrap().to_string()
    }

    pub(crate) fn ed25519_pem() -> String {
        pem(ssh_key::private::Ed25519Keypair::from_seed(&seed()).into())
    }

    #[test]
    fn openssh_text_gives_the_key_of_the_vectors() {
        let key = Key::from_openssh(&ed25519_pem()).unwrap();
        assert_eq!(
            key.id(),
            "03a107bff3ce10be1d70dd18e74bc09967e4d6309ba50d5f1ddc8664125531b8"
        );
    }

    #[test]
    fn line_ends_of_environment_files_are_understood() {
        let text = ed25519_pem();
        for form in [
            text.trim().to_owned(),
            text.replace('\n', "\r\n"),
            text.trim().replace('\n', "\\n"),
            format!("\n  {text}  \n"),
        ] {
            assert!(Key::from_openssh(&form).is_ok(), "{form:?}");
        }
    }

    #[test]
    fn every_kind_of_wrong_text_is_named() {
        let text = ed25519_pem();
        let cut: String = text.lines().take(3).collect::<Vec<_>>().join("\n");
        for (form, error) in [
            ("", KeyError::Empty),
            ("  \n", KeyError::Empty),
            ("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAA me", KeyError::Public),
            ("hello", KeyError::Unreadable),
            (
                "-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----",
                KeyError::OtherFormat,
            ),
            (&cut, KeyError::Unreadable),
        ] {
            assert_eq!(Key::from_openssh(form).unwrap_err(), error, "{form:?}");
        }
    }

    #[test]
    fn debug_shows_the_public_part_only() {
        let shown = format!("{:?}", Key::from_seed(&seed()));
        assert!(shown.contains("03a107bf"));
        assert!(!shown.contains("00010203"), "{shown}");
    }
}
