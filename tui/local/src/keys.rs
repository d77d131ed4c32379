//! Keys and the secret of a server: created once, stored beside its data, never shown.

use std::fs;
use std::io::Write as _;
use std::path::Path;

use ed25519_dalek::{SigningKey, VerifyingKey};
use sha2::{Digest as _, Sha256};
use ssh_key::private::{Ed25519Keypair, KeypairData};
use ssh_key::{LineEnding, PrivateKey, PublicKey};
use uuid::Uuid;

use crate::error::LocalError;
use crate::private;

/// 32 random bytes. Three version-4 UUIDs carry 366 random bits from the system.
pub(crate) fn random() -> [u8; 32] {
    let mut hash = Sha256::new();
    for _ in 0..3 {
        hash.update(Uuid::new_v4().as_bytes());
    }
    hash.finalize().into()
}

/// Reads the private key in `path`, or creates one there (OpenSSH format, mode 0600).
pub(crate) fn load_or_make(path: &Path, comment: &str) -> Result<VerifyingKey, LocalError> {
    if path.exists() {
        let text = fs::read_to_string(path)
            .map_err(|e| LocalError::file("cannot read the key", path, e))?;
        let unusable = |why: &str| {
            LocalError::content(
                path,
                format!("{why}; remove the file to have a new key created"),
            )
        };
        let key = PrivateKey::from_openssh(&text)
            .map_err(|e| unusable(&format!("not an OpenSSH private key ({e})")))?;
        return match key.key_data() {
            KeypairData::Ed25519(pair) => verifying(&pair.public.0),
            _ => Err(unusable(
                "only Ed25519 keys without a passphrase are supported",
            )),
        };
    }
    let signing = SigningKey::from_bytes(&random());
    let pair = Ed25519Keypair::from_seed(&signing.to_bytes());
    let key = PrivateKey::new(KeypairData::Ed25519(pair), comment)
        .map_err(|e| LocalError::Key(e.to_string()))?;
    let text = key
        .to_openssh(LineEnding::LF)
        .map_err(|e| LocalError::Key(e.to_string()))?;
    write_private(path, text.as_bytes())?;
    Ok(signing.verifying_key())
}

/// Reads an OpenSSH public key (`ssh-ed25519 AAAA… comment`).
pub(crate) fn public(line: &str) -> Result<VerifyingKey, LocalError> {
    let key = PublicKey::from_openssh(line)
        .map_err(|e| LocalError::Key(format!("not an OpenSSH public key: {e}")))?;
    let data = key
        .key_data()
        .ed25519()
        .ok_or_else(|| LocalError::Key("only Ed25519 keys are supported".to_owned()))?;
    verifying(&data.0)
}

fn verifying(bytes: &[u8; 32]) -> Result<VerifyingKey, LocalError> {
    VerifyingKey::from_bytes(bytes).map_err(|e| LocalError::Key(e.to_string()))
}

/// The secret behind signed URLs and tokens: stored, so that they survive a restart.
pub(crate) fn secret(path: &Path) -> Result<[u8; 32], LocalError> {
    if let Ok(bytes) = fs::read(path)
        && let Ok(secret) = <[u8; 32]>::try_from(bytes)
    {
        return Ok(secret);
    }
    let secret = random();
    write_private(path, &secret)?;
    Ok(secret)
}

/// Writes a file that only its owner may read: whole or, if interrupted, not at all.
pub(crate) fn write_private(path: &Path, bytes: &[u8]) -> Result<(), LocalError> {
    let unfinished = path.with_extension("unfinished");
    let written = private::file(&unfinished).and_then(|mut file| {
        file.set_len(0)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&unfinished, path)
    });
    written.map_err(|e| LocalError::file("cannot write", path, e))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_created_once_and_readable_by_its_owner_only() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("id_ed25519");
        let made = load_or_make(&path, "test").unwrap();
        assert_eq!(load_or_make(&path, "test").unwrap(), made);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(
                fs::metadata(&path).unwrap().permissions().mode() & 0o777,
                0o600
            );
        }
    }

    #[test]
    fn a_public_key_line_is_read() {
        let line =
            "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4";
        let hex = crate::auth::hex(public(line).unwrap().as_bytes());
        assert_eq!(
            hex,
            "03a107bff3ce10be1d70dd18e74bc09967e4d6309ba50d5f1ddc8664125531b8"
        );
        assert!(public("ssh-rsa nothing").is_err());
    }
}
