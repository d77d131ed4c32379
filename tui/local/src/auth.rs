//! Who sent a request: the users' public keys, bearer tokens, and the signatures of the legacy API.
//! Signatures of v2 are in `signature`.
//!
//! Signatures are verified over the raw body and the raw request target, exactly as sent. There is no
//! authorisation: every user of a local project may do everything.

mod signature;

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use axum::http::HeaderMap;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::{Signature, VerifyingKey};
use hmac::{Hmac, Mac as _};
use sha2::{Digest as _, Sha256};

use crate::error::{Refusal, unauthenticated};
use signature::header;

/// How far a client's clock may be off, in seconds. Also covers retries with an old signature.
pub(crate) const CLOCK_WINDOW: i64 = 300;
/// How long a bearer token is valid, in seconds.
const BEARER_LIFE: i64 = 3600;

/// The sender of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Caller {
    pub email: Arc<str>,
}

impl Caller {
    /// The unknown holder of a signed URL.
    pub(crate) fn nobody() -> Self {
        Self {
            email: Arc::from(""),
        }
    }
}

/// The users' public keys and the server's secret.
pub(crate) struct Keyring {
    keys: HashMap<String, (VerifyingKey, Arc<str>)>,
    secret: [u8; 32],
}

impl Keyring {
    pub(crate) fn new(
        users: impl IntoIterator<Item = (String, VerifyingKey)>,
        secret: [u8; 32],
    ) -> Self {
        let entry =
            |(email, key): (String, VerifyingKey)| (hex(key.as_bytes()), (key, Arc::from(email)));
        Self {
            keys: users.into_iter().map(entry).collect(),
            secret,
        }
    }

    /// The owners of the known keys, each once.
    pub(crate) fn emails(&self) -> BTreeSet<&str> {
        self.keys.values().map(|(_, email)| &**email).collect()
    }

    /// HMAC-SHA256 of `message` under the server's secret, in hex.
    pub(crate) fn seal(&self, message: &str) -> String {
        hex(&self.mac(message).finalize().into_bytes())
    }

    /// Whether `seal` matches `message`, compared in constant time.
    pub(crate) fn sealed(&self, message: &str, seal: &str) -> bool {
        from_hex(seal).is_some_and(|bytes| self.mac(message).verify_slice(&bytes).is_ok())
    }

    fn mac(&self, message: &str) -> Hmac<Sha256> {
        let mut mac =
            Hmac::<Sha256>::new_from_slice(&self.secret).expect("HMAC takes keys of any length");
        mac.update(message.as_bytes());
        mac
    }

    /// A bearer token for this caller, in the form of a JWT.
    pub(crate) fn bearer(&self, caller: &Caller, now: i64) -> String {
        let head = URL_SAFE_NO_PAD.encode(r#"{"alg":"HS256","typ":"JWT"}"#);
        let claims =
            serde_json::json!({"sub": &*caller.email, "iat": now, "exp": now + BEARER_LIFE});
        let body = format!("{head}.{}", URL_SAFE_NO_PAD.encode(claims.to_string()));
        let seal = URL_SAFE_NO_PAD.encode(self.mac(&body).finalize().into_bytes());
        format!("{body}.{seal}")
    }

    fn holder_of(&self, token: &str, now: i64) -> Result<Caller, Refusal> {
        self.claimed(token, now)
            .ok_or_else(|| unauthenticated!("the bearer token is not valid or has expired"))
    }

    fn claimed(&self, token: &str, now: i64) -> Option<Caller> {
        let (body, seal) = token.rsplit_once('.')?;
        self.mac(body)
            .verify_slice(&URL_SAFE_NO_PAD.decode(seal).ok()?)
            .ok()?;
        let claims = URL_SAFE_NO_PAD.decode(body.split_once('.')?.1).ok()?;
        let claims: serde_json::Value = serde_json::from_slice(&claims).ok()?;
        if claims.get("exp")?.as_i64()? < now {
            return None;
        }
        Some(Caller {
            email: Arc::from(claims.get("sub")?.as_str()?),
        })
    }

    /// Checks a legacy request: the signature covers the digest of the body.
    pub(crate) fn check_legacy(
        &self,
        headers: &HeaderMap,
        body: &[u8],
        now: i64,
    ) -> Result<Caller, Refusal> {
        if let Some(token) = bearer_of(headers) {
            return self.holder_of(token, now);
        }
        let parts = header(headers, "authorization")?.split_once(':');
        let wrong = || unauthenticated!("Authorization is not KEY:SIGNATURE");
        let (keyid, signature) = parts.ok_or_else(wrong)?;
        let wrong = || unauthenticated!("the signature is not hexadecimal");
        let bytes = from_hex(signature).ok_or_else(wrong)?;
        self.verify(keyid, &Sha256::digest(body), &bytes)
    }

    fn verify(&self, keyid: &str, message: &[u8], signature: &[u8]) -> Result<Caller, Refusal> {
        let (key, email) = self.keys.get(keyid).ok_or_else(|| {
            unauthenticated!("this key is not registered with this server; use the key file that `workbench serve` names in its ready line")
        })?;
        let signature = Signature::from_slice(signature)
            .map_err(|_| unauthenticated!("the signature has a wrong length"))?;
        key.verify_strict(message, &signature)
            .map_err(|_| unauthenticated!("the signature does not match the request"))?;
        Ok(Caller {
            email: Arc::clone(email),
        })
    }
}

/// Lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    bytes
        .iter()
        .flat_map(|b| [DIGITS[usize::from(b >> 4)], DIGITS[usize::from(b & 15)]])
        .map(char::from)
        .collect()
}

/// A public key in hexadecimal, as the database keeps it.
pub(crate) fn verifying_key(text: &str) -> Option<VerifyingKey> {
    VerifyingKey::from_bytes(&from_hex(text)?.try_into().ok()?).ok()
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(2) {
        return None;
    }
    (0..text.len())
        .step_by(2)
        .map(|i| u8::from_str_radix(text.get(i..i + 2)?, 16).ok())
        .collect()
}

fn bearer_of(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get("authorization")?.to_str().ok()?;
    value.strip_prefix("Bearer ")
}

#[cfg(test)]
mod tests;
