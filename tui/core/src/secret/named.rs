//! Secrets that have their name beside them: values of headers such as `Authorization`, of environment variables
//! such as `MODEL_KEY`, and the token after `Bearer`, in every spelling that logs have. Addresses are left to the
//! parent module.

use super::known;
use super::value::{in_word, unquoted, value};
use std::borrow::Cow;

/// What stands for a value that was taken out.
pub(super) const GONE: &str = "…";
/// Shortest name that can be secret, in bytes.
const SHORTEST: usize = 6;
/// What the name of a secret ends with, in lower case without `-` and `_`.
const ENDS: [&str; 17] = [
    "authorization",
    "apikey",
    "cookie",
    "authtoken",
    "accesstoken",
    "refreshtoken",
    "sessiontoken",
    "securitytoken",
    "bearertoken",
    "apitoken",
    "clientsecret",
    "secretkey",
    "accesskey",
    "privatekey",
    "subscriptionkey",
    "password",
    "passphrase",
];
/// Parts of the names of environment variables that hold secrets.
const PARTS: [&str; 8] = [
    "KEY",
    "APIKEY",
    "TOKEN",
    "SECRET",
    "PASSWORD",
    "PASSWD",
    "CREDENTIAL",
    "CREDENTIALS",
];
/// Whether an environment variable of this name holds a secret.
pub(super) fn is_variable(name: &str) -> bool {
    let parts = || name.split('_');
    name.contains('_')
        && !name.bytes().any(|b| b.is_ascii_lowercase())
        && parts().any(|part| PARTS.contains(&part))
        && !parts().any(|part| ["FILE", "PATH", "DIR", "SOCK", "FINGERPRINT"].contains(&part))
}

fn is_secret(name: &str) -> bool {
    if name.len() < SHORTEST {
        return false;
    }
    let bare: String = name.chars().filter(|c| !matches!(c, '-' | '_')).collect();
    let bare = bare.to_ascii_lowercase();
    ENDS.iter().any(|end| bare.ends_with(end)) || is_variable(name)
}

/// The text without the values of secret names and without tokens after `Bearer`.
pub(super) fn clean(text: &str) -> Cow<'_, str> {
    let mut out = String::new();
    let mut kept = 0;
    let mut at = 0;
    while let Some((start, end)) = next_word(text, at) {
        at = end;
        let (name, rest) = (&text[start..end], &text[end..]);
        let value = match is_secret(name) {
            true => value(rest),
            false => token(name, rest).or_else(|| known::after(&text[..start], name, rest)),
        };
        if value.is_none()
            && let Some(len) = known::shape(&text[start..])
        {
            out.push_str(&text[kept..start]);
            out.push_str(GONE);
            (kept, at) = (start + len, start + len);
        }
        if let Some((from, to)) = value.filter(|(from, to)| rest[*from..*to] != *GONE) {
            out.push_str(&text[kept..end + from]);
            out.push_str(GONE);
            kept = end + to;
            at = kept;
        }
    }
    if kept == 0 {
        return Cow::Borrowed(text);
    }
    out.push_str(&text[kept..]);
    Cow::Owned(out)
}

/// The next name in the text from a place on.
fn next_word(text: &str, from: usize) -> Option<(usize, usize)> {
    let bytes = text.as_bytes();
    let start = from + bytes[from..].iter().position(|b| in_word(*b))?;
    let len = bytes[start..].iter().position(|b| !in_word(*b));
    Some((start, len.map_or(bytes.len(), |len| start + len)))
}

/// Where the token stands behind a scheme that has no header before it. Words of prose are none.
fn token(scheme: &str, rest: &str) -> Option<(usize, usize)> {
    if !scheme.eq_ignore_ascii_case("bearer") && !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let blank = rest.len() - rest.trim_start_matches(' ').len();
    let end = blank + unquoted(&rest[blank..]);
    let token = &rest[blank..end];
    let odd = |b: u8| b.is_ascii_digit() || matches!(b, b'_' | b'+' | b'/' | b'=');
    (blank > 0 && token.len() >= 8 && token.bytes().any(odd)).then_some((blank, end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_goes_however_its_name_is_written() {
        for text in [
            "Authorization: Bearer sk-geheim",
            "> authorization: Basic Z2VoZWlt geheim",
            "* [HTTP/2] [1] [authorization: Bearer sk-geheim]",
            r#"{"authorization": "Bearer sk-geheim", "host": "h"}"#,
            r#"{"Authorization":"geheim"}"#,
            r#"{\"authorization\": \"Bearer sk-geheim\", \"host\": \"h\"}"#,
            r#"{"x-api-key": "a \"geheim\""}"#,
            "authorization=Bearer sk-geheim status=200",
            "x_api_key=geheim&b=1",
            "X-Api-Key => geheim",
            "'api-key': 'geheim'",
            "ApiKey { api_key: \"geheim\" }",
            "Config { apiKey: Some(\"geheim\"), n: 1 }",
            r#"[("authorization", "Bearer sk-geheim"), ("host", "h")]"#,
            r#"Field { name: "authorization", value: "Bearer sk-geheim" }"#,
            "(\n    \"x-api-key\",\n    \"geheim\",\n)",
            r#"writing b"POST / HTTP/1.1\r\nAuthorization: Bearer sk-geheim\r\nhost: h\r\n""#,
            "Cookie: a=geheim; b=geheim",
            "set-cookie: session=\"geheim\", Path=/",
            "Proxy-Authorization: Digest username=\"me\", response=\"geheim\"",
            "x-goog-api-key: geheim",
            "X-Auth-Token: geheim",
            "Ocp-Apim-Subscription-Key: geheim",
            "MODEL_KEY=geheim",
            r#""HF_TOKEN": "geheim""#,
            "AWS_SECRET_ACCESS_KEY: geheim",
            "db password = geheim",
            "rejected token Bearer geheim1234",
            "authorization: Some(HeaderValue(\"geheim\"))",
            r#""authorization": b"Bearer geheim""#,
        ] {
            let kept = clean(text);
            assert!(
                !kept.contains("geheim") && kept.contains(GONE),
                "{text} -> {kept}"
            );
            assert_eq!(clean(&kept), kept, "cleaning twice");
        }
        let bytes = clean(r#"{"authorization": [71, 69, 72], "host": "h"}"#);
        assert_eq!(bytes, r#"{"authorization": …], "host": "h"}"#);
    }

    #[test]
    fn what_stands_around_a_value_stays() {
        for (text, kept) in [
            (
                r#"{"authorization": "Bearer sk-geheim", "host": "h"}"#,
                r#"{"authorization": "…", "host": "h"}"#,
            ),
            (
                "authorization=Bearer geheim status=200",
                "authorization=… status=200",
            ),
            (
                r"b'a: b\r\nAuthorization: Bearer geheim\r\nhost: h'",
                r"b'a: b\r\nAuthorization: …\r\nhost: h'",
            ),
            ("Cookie: a=geheim\nhost: h", "Cookie: …\nhost: h"),
            (
                r#"{\"api-key\": \"geheim\", \"b\": 1}"#,
                r#"{\"api-key\": \"…\", \"b\": 1}"#,
            ),
        ] {
            assert_eq!(clean(text), kept);
        }
    }

    #[test]
    fn prose_and_other_names_stay_as_they_are() {
        for text in [
            "no authorization, so nothing was sent",
            "set the header Authorization",
            "authorization",
            "Bearer authentication is required",
            "basic information: 12345678",
            "keyframe=3 key=a cache_key=abc tokens=512",
            "MODEL_KEY_FILE=/etc/key",
            "MODEL_KEY is not set",
            "ä: ö, ключ=1",
            "",
        ] {
            assert_eq!(clean(text), text);
        }
    }
}
