//! HTTP message signatures as v2 requests carry them: over the method, the request target and the
//! digest of the body.

use std::collections::BTreeSet;

use axum::http::HeaderMap;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};

use super::{CLOCK_WINDOW, Caller, Keyring, bearer_of};
use crate::error::{Refusal, unauthenticated};

impl Keyring {
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
            return Err(unauthenticated!("Content-Digest does not match the body"));
        }
        let base = base(method, target, digest, parameters)?;
        let created = parameter(parameters, "created").and_then(|v| v.parse::<i64>().ok());
        let missing = || unauthenticated!("Signature-Input has no `created`");
        let away = now - created.ok_or_else(missing)?;
        if away.abs() > CLOCK_WINDOW {
            return Err(unauthenticated!(
                "the signature was made {away} s away from this server's clock; {CLOCK_WINDOW} s are allowed"
            ));
        }
        let missing = || unauthenticated!("Signature-Input has no `keyid`");
        let keyid = parameter(parameters, "keyid").ok_or_else(missing)?;
        let inner = signature
            .strip_prefix(':')
            .and_then(|s| s.strip_suffix(':'));
        let bytes = inner.and_then(|s| STANDARD.decode(s).ok());
        let bytes = bytes.ok_or_else(|| unauthenticated!("Signature is not base64"))?;
        self.verify(keyid.trim_matches('"'), base.as_bytes(), &bytes)
    }
}

/// The text that is signed: the covered components, each once, and the signature's parameters.
fn base(method: &str, target: &str, digest: &str, parameters: &str) -> Result<String, Refusal> {
    let components = parameters.strip_prefix('(').and_then(|p| p.split_once(')'));
    let missing = || unauthenticated!("Signature-Input lists no components");
    let (components, _) = components.ok_or_else(missing)?;
    let mut base = String::with_capacity(target.len() + 400);
    let mut covered = BTreeSet::new();
    for name in components.split(' ') {
        let value = match name {
            "\"@method\"" => method,
            "\"@request-target\"" => target,
            "\"content-digest\"" => digest,
            other => {
                return Err(unauthenticated!(
                    "Signature-Input covers {other}, which is not supported"
                ));
            }
        };
        covered.insert(name);
        base.extend([name, ": ", value, "\n"]);
    }
    if covered.len() != 3 {
        return Err(unauthenticated!(
            "the signature must cover @method, @request-target and content-digest"
        ));
    }
    base.extend(["\"@signature-params\": ", parameters]);
    Ok(base)
}

/// The only value of a header. Two readers could understand two values differently.
pub(super) fn header<'a>(headers: &'a HeaderMap, name: &str) -> Result<&'a str, Refusal> {
    let mut values = headers.get_all(name).iter();
    let missing = || unauthenticated!("the request is not signed: no {name} header");
    let value = values.next().ok_or_else(missing)?;
    if values.next().is_some() {
        return Err(unauthenticated!("there is more than one {name} header"));
    }
    let text = value.to_str();
    text.map_err(|_| unauthenticated!("the {name} header is not text"))
}

/// The value behind the signature's label.
fn labelled(value: &str) -> Result<&str, Refusal> {
    let value = value.strip_prefix("encord-sig=");
    value.ok_or_else(|| unauthenticated!("the signature is not labelled encord-sig"))
}

fn parameter<'a>(parameters: &'a str, name: &str) -> Option<&'a str> {
    let mut rest = parameters.split(';').skip(1);
    rest.find_map(|p| p.strip_prefix(name)?.strip_prefix('='))
}
