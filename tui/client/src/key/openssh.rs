//! The bytes of an OpenSSH private key: its outline, which names what is wrong with it. Reading the key itself is
//! left to the `ssh-key` crate, whose errors do not name the part that they are about.

use super::KeyError;
use ssh_key::PrivateKey;

/// What every such key begins with.
pub(super) const MAGIC: &[u8] = b"openssh-key-v1\0";

/// Reads a key, encrypted or not. `last_line` is where its text ends, for the error.
///
/// # Errors
/// [`KeyError`].
pub(super) fn read(bytes: &[u8], last_line: usize) -> Result<PrivateKey, KeyError> {
    let cut = KeyError::Truncated { line: last_line };
    let Some(mut rest) = bytes.strip_prefix(MAGIC) else {
        // Only what is shorter can be its beginning.
        return Err(match MAGIC.starts_with(bytes) {
            true => cut,
            false => KeyError::Damaged,
        });
    };
    let cipher = string(&mut rest).ok_or(cut)?;
    let _kdf = string(&mut rest).ok_or(cut)?;
    let _options = string(&mut rest).ok_or(cut)?;
    if number(&mut rest).ok_or(cut)? > 1 {
        return Err(KeyError::SeveralKeys);
    }
    let public = string(&mut rest).ok_or(cut)?;
    let kind = string(&mut &*public).ok_or(KeyError::Damaged)?;
    if kind != b"ssh-ed25519" {
        return Err(named(kind).map_or(KeyError::Damaged, KeyError::OtherKind));
    }
    string(&mut rest).ok_or(cut)?;
    if !matches!(
        cipher,
        b"none"
            | b"aes256-ctr"
            | b"aes256-cbc"
            | b"aes192-ctr"
            | b"aes192-cbc"
            | b"aes128-ctr"
            | b"aes128-cbc"
            | b"chacha20-poly1305@openssh.com"
    ) {
        return Err(KeyError::Cipher);
    }
    PrivateKey::from_bytes(bytes).map_err(|error| match error {
        ssh_key::Error::AlgorithmUnknown | ssh_key::Error::AlgorithmUnsupported { .. } => {
            KeyError::Cipher
        }
        _ => KeyError::Damaged,
    })
}

/// The kind of a key, as in "it is an RSA key".
pub(super) fn named(kind: &[u8]) -> Option<&'static str> {
    Some(match kind {
        b"ssh-ed25519" => "an Ed25519",
        b"ssh-rsa" => "an RSA",
        b"ssh-dss" => "a DSA",
        kind if kind.starts_with(b"ecdsa-sha2-") => "an ECDSA",
        kind if kind.starts_with(b"sk-") => "a hardware security (FIDO)",
        kind if kind.ends_with(b"-cert-v01@openssh.com") => "a certified",
        _ => return None,
    })
}

/// A length, and as many bytes.
pub(super) fn string<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let length = usize::try_from(number(rest)?).ok()?;
    let (string, after) = rest.split_at_checked(length)?;
    *rest = after;
    Some(string)
}

/// Four bytes, the highest first.
pub(super) fn number(rest: &mut &[u8]) -> Option<u32> {
    let (number, after) = rest.split_first_chunk()?;
    *rest = after;
    Some(u32::from_be_bytes(*number))
}
