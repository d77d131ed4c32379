//! Who is asking: Ed25519 signatures of both schemes, bearer tokens, and the users' public keys.
//!
//! Signatures are verified over the raw body and the raw request target, exactly as sent. What a
//! caller may do is not decided here: every user of a local project may do everything.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use axum::http::HeaderMap;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ed25519_dalek::{Signature, VerifyingKey};
use hmac::{Hmac, Mac as _};
use sha2::{Digest as _, Sha256};

use crate::error::Refusal;

/// How far a client's clock may be off, in seconds; also covers a retry of an old signature.
pub(crate) const CLOCK_WINDOW: i64 = 300;
/// How long a bearer token holds, in seconds.
const BEARER_LIFE: i64 = 3600;

/// The person or program behind a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Caller {
    pub email: Arc<str>,
}

impl Caller {
    /// Whoever has a signed URL.
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

    /// Whose keys are known, each once.
    pub(crate) fn emails(&self) -> BTreeSet<&str> {
        self.keys.values().map(|(_, email)| &**email).collect()
    }

    /// HMAC-SHA256 of `message` under the server's secret, in hex.
    pub(crate) fn seal(&self, message: &str) -> String {
        hex(&self.mac(message).finalize().into_bytes())
    }

    /// Whether `seal` is that of `message`, compared in constant time.
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
            .ok_or_else(|| no("the bearer token is not valid or has expired"))
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

    /// Checks a v2 request. `target` is the request target as on the request line, `now` in seconds.
    pub(crate) fn check_v2(
        &self,
        method: &str,
        target: &str,
        headers: &HeaderMap,
        body: &[u8],
        now: i64,
    ) -> Result<Caller, Refusal> {
        if let Some(token) = bearer_of(headers) {
            return self.holder_of(token, now);
        }
        let digest = header(headers, "content-digest")?;
        let parameters = labelled(header(headers, "signature-input")?)?;
        let signature = labelled(header(headers, "signature")?)?;
        let expected = format!("sha-256=:{}:", STANDARD.encode(Sha256::digest(body)));
        if digest != expected {
            return Err(no("Content-Digest does not fit the body"));
        }
        let components = parameters
            .strip_prefix('(')
            .and_then(|p| p.split_once(')'))
            .map(|(c, _)| c);
        let components = components.ok_or_else(|| no("Signature-Input lists no components"))?;
        let mut base = String::with_capacity(target.len() + 400);
        let mut covered = BTreeSet::new();
        for name in components.split(' ') {
            let value = match name {
                "\"@method\"" => method,
                "\"@request-target\"" => target,
                "\"content-digest\"" => digest,
                other => {
                    return Err(no(&format!(
                        "Signature-Input covers {other}, which is not understood"
                    )));
                }
            };
            covered.insert(name);
            base.extend([name, ": ", value, "\n"]);
        }
        if covered.len() != 3 {
            return Err(no(
                "the signature must cover @method, @request-target and content-digest",
            ));
        }
        base.extend(["\"@signature-params\": ", parameters]);
        let created = parameter(parameters, "created").and_then(|v| v.parse::<i64>().ok());
        let created = created.ok_or_else(|| no("Signature-Input has no `created`"))?;
        if (now - created).abs() > CLOCK_WINDOW {
            return Err(no(&format!(
                "the signature was made {} s away from this server's clock; {CLOCK_WINDOW} s are allowed",
                now - created
            )));
        }
        let keyid =
            parameter(parameters, "keyid").ok_or_else(|| no("Signature-Input has no `keyid`"))?;
        let bytes = signature
            .strip_prefix(':')
            .and_then(|s| s.strip_suffix(':'));
        let bytes = bytes
            .and_then(|s| STANDARD.decode(s).ok())
            .ok_or_else(|| no("Signature is not base64"))?;
        self.verify(keyid.trim_matches('"'), base.as_bytes(), &bytes)
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
        let value = header(headers, "authorization")?;
        let (keyid, signature) = value
            .split_once(':')
            .ok_or_else(|| no("Authorization is not KEY:SIGNATURE"))?;
        let bytes = from_hex(signature).ok_or_else(|| no("the signature is not hexadecimal"))?;
        self.verify(keyid, &Sha256::digest(body), &bytes)
    }

    fn verify(&self, keyid: &str, message: &[u8], signature: &[u8]) -> Result<Caller, Refusal> {
        let (key, email) = self.keys.get(keyid).ok_or_else(|| {
            no("this server does not know the key; use the key file that `workbench serve` names in its ready line")
        })?;
        let signature =
            Signature::from_slice(signature).map_err(|_| no("the signature has a wrong length"))?;
        key.verify_strict(message, &signature)
            .map_err(|_| no("the signature does not fit the request"))?;
        Ok(Caller {
            email: Arc::clone(email),
        })
    }
}

fn no(why: &str) -> Refusal {
    Refusal::Unauthenticated(why.to_owned())
}

fn bearer_of(headers: &HeaderMap) -> Option<&str> {
    headers
        .get("authorization")?
        .to_str()
        .ok()?
        .strip_prefix("Bearer ")
}

/// The one value of a header. Twice the same header could mean two things to two readers.
fn header<'a>(headers: &'a HeaderMap, name: &str) -> Result<&'a str, Refusal> {
    let mut values = headers.get_all(name).iter();
    let value = values
        .next()
        .ok_or_else(|| no(&format!("the request is not signed: no {name} header")))?;
    if values.next().is_some() {
        return Err(no(&format!("there is more than one {name} header")));
    }
    value
        .to_str()
        .map_err(|_| no(&format!("the {name} header is not text")))
}

/// The value behind the signature's label.
fn labelled(value: &str) -> Result<&str, Refusal> {
    value
        .strip_prefix("encord-sig=")
        .ok_or_else(|| no("the signature is not labelled encord-sig"))
}

fn parameter<'a>(parameters: &'a str, name: &str) -> Option<&'a str> {
    parameters
        .split(';')
        .skip(1)
        .find_map(|p| p.strip_prefix(name)?.strip_prefix('='))
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

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    const CREATED: i64 = 1_700_000_000;
    const EMPTY: &str = "sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:";
    const INPUT: &str = "encord-sig=(\"@method\" \"@request-target\" \"content-digest\");created=1700000000;\
                         keyid=\"03a107bff3ce10be1d70dd18e74bc09967e4d6309ba50d5f1ddc8664125531b8\";alg=\"ed25519\"";
    const TARGET_A: &str = "/v2/public/projects/00000000-0000-0000-0000-000000000001/workflow/stages/\
        00000000-0000-0000-0000-000000000002/tasks?dataHashes=00000000-0000-0000-0000-000000000003&\
        dataHashes=00000000-0000-0000-0000-000000000004&dataTitleContains=a+b%26%C3%A9";
    const SIGNATURE_A: &str = "encord-sig=:Ua/tYLUHF7FvS1TOofN0GDzBXc7tlAQleLIZ6htkUCL4NcxACkVXcFpCIx5VGuy42Gl0AnzsyLluDZHkboYKDw==:";
    const TARGET_B: &str = "/v2/public/projects/00000000-0000-0000-0000-000000000001/workflow/stages/\
        00000000-0000-0000-0000-000000000002/actions";
    const BODY_B: &str = r#"[{"taskUuid": "00000000-0000-0000-0000-000000000005", "action": "PATHWAY_ACTION", "pathwayName": "\u00e9"}]"#;
    const LEGACY: &str = r#"{"query_type": "labelrowmetadata", "query_method": "GET", "values": {"uid": null, "payload": {"data_hashes": ["00000000-0000-0000-0000-000000000003"]}}}"#;
    const LEGACY_SIGNATURE: &str = "03a107bff3ce10be1d70dd18e74bc09967e4d6309ba50d5f1ddc8664125531b8:\
        9927b564af29f937babba8d6d581408ed64b3a3dbf263f0ab91617f2da54e8d7f7f88e76588cda0e2febc7895051abcb\
        d71a4739361f426ccb1ea36628ca6c03";

    fn keyring() -> Keyring {
        let seed: [u8; 32] = std::array::from_fn(|i| i as u8);
        let key = ed25519_dalek::SigningKey::from_bytes(&seed);
        Keyring::new(
            [("agent@example.test".to_owned(), key.verifying_key())],
            [7; 32],
        )
    }

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(n, v)| (n.parse().unwrap(), HeaderValue::from_str(v).unwrap()))
            .collect()
    }

    fn signed(digest: &str, signature: &str) -> HeaderMap {
        headers(&[
            ("content-digest", digest),
            ("signature-input", INPUT),
            ("signature", signature),
        ])
    }

    #[test]
    fn the_reference_signatures_are_accepted() {
        let a = keyring()
            .check_v2(
                "GET",
                TARGET_A,
                &signed(EMPTY, SIGNATURE_A),
                b"",
                CREATED + 9,
            )
            .unwrap();
        assert_eq!(&*a.email, "agent@example.test");
        assert_eq!(BODY_B.len(), 107);
        let b = signed(
            "sha-256=:9Dbmwe4yLDSf6BiJW11wbwOpvhm9w5Xeq50vcwZ7yvc=:",
            "encord-sig=:IJ5dSR3R+CiydIygLsJNKeh2hA6wauqIIC3XBXtpprYD+CNXGth29A5f/aQq1SLYSMK3/+hLK5hAJGB8IOp1DQ==:",
        );
        keyring()
            .check_v2("POST", TARGET_B, &b, BODY_B.as_bytes(), CREATED)
            .unwrap();
        let legacy = headers(&[("authorization", LEGACY_SIGNATURE)]);
        keyring()
            .check_legacy(&legacy, LEGACY.as_bytes(), CREATED)
            .unwrap();
    }

    #[test]
    fn anything_changed_on_the_way_is_refused() {
        let fine = signed(EMPTY, SIGNATURE_A);
        let refused = |method: &str, target: &str, headers: &HeaderMap, body: &[u8], now| {
            keyring()
                .check_v2(method, target, headers, body, now)
                .unwrap_err()
                .message()
                .to_owned()
        };
        assert!(refused("POST", TARGET_A, &fine, b"", CREATED).contains("does not fit"));
        assert!(
            refused(
                "GET",
                &TARGET_A.replace("a+b", "a%20b"),
                &fine,
                b"",
                CREATED
            )
            .contains("does not fit")
        );
        assert!(refused("GET", TARGET_A, &fine, b"x", CREATED).contains("Content-Digest"));
        assert!(refused("GET", TARGET_A, &fine, b"", CREATED + CLOCK_WINDOW + 1).contains("clock"));
        assert!(refused("GET", TARGET_A, &HeaderMap::new(), b"", CREATED).contains("not signed"));
        let legacy = headers(&[("authorization", LEGACY_SIGNATURE)]);
        assert!(keyring().check_legacy(&legacy, b"{}", CREATED).is_err());
    }

    #[test]
    fn an_unknown_key_is_refused() {
        let stranger = Keyring::new([], [7; 32]);
        let refusal = stranger
            .check_v2("GET", TARGET_A, &signed(EMPTY, SIGNATURE_A), b"", CREATED)
            .unwrap_err();
        assert!(refusal.message().contains("does not know the key"));
    }

    #[test]
    fn bearer_tokens_hold_until_they_expire() {
        let keyring = keyring();
        let caller = Caller {
            email: Arc::from("agent@example.test"),
        };
        let token = format!("Bearer {}", keyring.bearer(&caller, CREATED));
        let headers = headers(&[("authorization", &token)]);
        assert_eq!(
            keyring
                .check_v2("GET", "/", &headers, b"", CREATED + 10)
                .unwrap(),
            caller
        );
        assert_eq!(
            keyring.check_legacy(&headers, b"", CREATED + 10).unwrap(),
            caller
        );
        assert!(
            keyring
                .check_legacy(&headers, b"", CREATED + BEARER_LIFE + 1)
                .is_err()
        );
        let other = Keyring::new([], [8; 32]);
        assert!(other.check_legacy(&headers, b"", CREATED + 10).is_err());
    }

    #[test]
    fn a_seal_fits_its_message_only() {
        let seal = keyring().seal("a");
        assert!(keyring().sealed("a", &seal));
        assert!(!keyring().sealed("b", &seal));
        assert!(!keyring().sealed("a", "zz"));
    }
}
