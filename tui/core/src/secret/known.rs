//! Secrets whose name alone does not make them one (`token`, `?key=`), and keys whose shape does (`sk-…`, `ghp_…`).
//! Both count only where they are as long and as mixed as a key. Names that suffice are in `named`.

use super::value::{in_word, unquoted, value};

/// Shortest value that can be a key, in bytes.
const KEY: usize = 16;
/// Shortest value of a parameter in an address that can be a secret.
const PARAMETER: usize = 8;
/// Names of fields that hold a secret as often as something else.
const FIELDS: [&str; 7] = [
    "token",
    "secret",
    "signature",
    "sig",
    "passwd",
    "pwd",
    "sas",
];
/// What the name of a parameter ends with that signs an address.
const PARAMETERS: [&str; 8] = [
    "key",
    "token",
    "signature",
    "sig",
    "secret",
    "credential",
    "password",
    "auth",
];
/// What keys begin with, by their issuers.
const SHAPES: [&str; 13] = [
    "sk-",
    "ghp_",
    "gho_",
    "ghs_",
    "github_pat_",
    "glpat-",
    "hf_",
    "xoxb-",
    "xoxp-",
    "AKIA",
    "ASIA",
    "AIza",
    "eyJ",
];

/// Where the secret stands in what follows a name of which it is not certain.
pub(super) fn after(before: &str, name: &str, rest: &str) -> Option<(usize, usize)> {
    let name = name.to_ascii_lowercase();
    if let Some(parameter) = rest.strip_prefix('=') {
        // In JSON the mark between two parameters may be an escape.
        let opened =
            before.ends_with(['?', '&']) || (before.ends_with('\\') && name.starts_with("u0026"));
        let shortest = match opened {
            true => PARAMETER,
            false if before.ends_with('"') => KEY,
            false => usize::MAX,
        };
        let len = unquoted(parameter);
        if len >= shortest && PARAMETERS.iter().any(|end| name.ends_with(end)) {
            return Some((1, 1 + len));
        }
    }
    if !FIELDS.contains(&name.as_str()) {
        return None;
    }
    let (from, to) = value(rest)?;
    let to = from + unquoted(&rest[from..to]);
    is_mixed(&rest[from..to], KEY).then_some((from, to))
}

/// How long the key is that the text begins with.
pub(super) fn shape(text: &str) -> Option<usize> {
    let start = SHAPES.iter().find(|start| text.starts_with(**start))?;
    let token = *start == "eyJ";
    let ends = |b: u8| !(in_word(b) || (token && b == b'.'));
    let len = text.bytes().position(ends).unwrap_or(text.len());
    let key = &text[..len];
    // What else is base64 of JSON has no dots.
    (is_mixed(key, KEY + 4) && (!token || key.matches('.').count() == 2)).then_some(len)
}

/// Whether a text is as long as this, unbroken, and of letters and digits.
fn is_mixed(text: &str, shortest: usize) -> bool {
    text.len() >= shortest
        && (text.bytes()).all(|b| in_word(b) || b"+/=.~%".contains(&b))
        && text.bytes().any(|b| b.is_ascii_digit())
        && text.bytes().any(|b| b.is_ascii_alphabetic())
}

#[cfg(test)]
mod tests {
    use crate::secret::clean;

    #[test]
    fn keys_go_behind_names_that_may_be_others() {
        for text in [
            r#"{"token": "ge4heim-ge4heim-ge4heim", "n": 1}"#,
            "token: ge4heim-ge4heim-ge4heim",
            "secret=ge4heim-ge4heim-ge4heim;",
            "GET /v1/models?key=ge4heim-long&alt=json HTTP/1.1",
            "POST /a?page=2&X-Amz-Signature=ge4heim0ge4heim",
            r#"Url { path: "/a", query: Some("api=1&sig=ge4heim-long"), fragment: None }"#,
            r#"Url { path: "/a", query: Some("key=ge4heim-ge4heim-ge4heim"), fragment: None }"#,
            r#"{"path": "/a?x=1\u0026token=ge4heim-long"}"#,
            "grant_type=refresh&token=ge4heim-long",
        ] {
            let kept = clean(text);
            assert!(
                !kept.contains("ge4heim") && kept.contains('…'),
                "{text} -> {kept}"
            );
            assert_eq!(clean(&kept), kept, "cleaning twice");
        }
    }

    #[test]
    fn keys_of_known_shapes_go_without_a_name() {
        for text in [
            "invalid key sk-ge4heim-ge4heim-ge4heim given",
            "clone of ghp_ge4heimge4heimge4heim",
            "(hf_ge4heimge4heimge4heim)",
            "AIzage4heim_ge4heim-ge4heim",
            "jwt eyJge4heimge4heim.eyJge4heimge4heim.ge4heim-ge4heim!",
        ] {
            let kept = clean(text);
            assert!(
                !kept.contains("ge4heim") && kept.contains('…'),
                "{text} -> {kept}"
            );
        }
        assert_eq!(clean("a sk-ge4heim-ge4heim-ge4heim b"), "a … b");
    }

    #[test]
    fn other_values_of_such_names_stay() {
        for text in [
            r#"{"token": "hello", "tokens": 512}"#,
            "token: the next one of 12345678901234567890",
            "/tasks?page=2&key=short&size=50",
            r#""monkey=ge4heim" and a key=value"#,
            "sk-learn, hf_hub and AKIA",
            "eyJhIjoxLCJiIjoyLCJjIjozfQ",
            "signature: fn(&str) -> usize",
            "data 5f1c9b1e-7f7a-4e51-a5a5-0d1d9a3a1b11 of stage Agent 1",
        ] {
            assert_eq!(clean(text), text);
        }
    }
}
