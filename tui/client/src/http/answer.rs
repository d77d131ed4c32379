//! What an answer means: a result, a refusal, or something worth another attempt.
//!
//! The v2 API speaks in HTTP statuses; the legacy API answers 200 and puts its status inside.

use crate::error::{At, ClientError, Obstacle, clean, is_web_page};
use crate::http::retry::{Again, Failure};
use bytes::Bytes;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::time::Duration;

/// Reads an answer of the v2 API.
pub(crate) fn v2(
    status: u16,
    body: Bytes,
    after: Option<Duration>,
    at: At,
) -> Result<Bytes, Failure> {
    if matches!(status, 200 | 204) {
        if cut_short(&body) {
            return Err(nonsense("it was cut short".to_owned(), true, at));
        }
        // A login page or a gateway's own page: not an answer of the platform.
        let text = beginning(&body);
        if is_web_page(&text) {
            return Err(nonsense(text, false, at));
        }
        return Ok(body);
    }
    let message = v2_message(&body);
    Err(refusal(status, message, after, at))
}

/// JSON that begins as an object or array and does not end as one.
fn cut_short(body: &[u8]) -> bool {
    let text = body.trim_ascii();
    match (text.first(), text.last()) {
        (Some(b'{'), last) => last != Some(&b'}'),
        (Some(b'['), last) => last != Some(&b']'),
        _ => false,
    }
}

fn refusal(status: u16, message: String, after: Option<Duration>, mut at: At) -> Failure {
    at.0.status = Some(status);
    let no = |error| Failure {
        error,
        again: Again::No,
    };
    match status {
        400 | 422 => no(ClientError::Invalid { message, at }),
        401 => no(ClientError::Unauthenticated { message, at }),
        403 => no(ClientError::Forbidden { message, at }),
        404 => no(ClientError::NotFound { message, at }),
        407 => no(ClientError::Unreachable {
            why: Obstacle::Proxy("407: it requires a user name and a password".to_owned()),
            at,
        }),
        413 => no(ClientError::TooLarge { at }),
        429 => limited(after, at),
        408 | 500.. => Failure {
            error: ClientError::Failing {
                status,
                message,
                at,
            },
            again: Again::Unknown(after, true),
        },
        100..400 => no(ClientError::Nonsense {
            what: format!("HTTP status {status}"),
            at,
        }),
        _ => no(ClientError::Refused {
            code: status.to_string(),
            message,
            at,
        }),
    }
}

fn limited(after: Option<Duration>, at: At) -> Failure {
    Failure {
        error: ClientError::StillLimited {
            waited: Duration::ZERO,
            asked: after,
            at,
        },
        again: Again::Limited(after),
    }
}

/// The text of `{"message": …}`, of FastAPI's `{"detail": …}`, or the beginning of whatever it is.
fn v2_message(body: &[u8]) -> String {
    #[derive(Deserialize)]
    struct Body {
        message: Option<serde_json::Value>,
        detail: Option<serde_json::Value>,
    }
    let text = serde_json::from_slice::<Body>(body)
        .ok()
        .and_then(|body| body.message.or(body.detail));
    match text {
        Some(serde_json::Value::String(text)) if !text.is_empty() => clean(&text),
        Some(other) if !other.is_null() => clean(&other.to_string()),
        _ => beginning(body),
    }
}

/// The beginning of a body that is not what it should be.
pub(crate) fn beginning(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(&body[..body.len().min(2000)]);
    let text = text.trim_start();
    let lower = text
        .get(..200.min(text.len()))
        .unwrap_or(text)
        .to_ascii_lowercase();
    if lower.starts_with("<!doctype html") || lower.starts_with("<html") {
        let title = text
            .split_once("<title>")
            .and_then(|(_, rest)| rest.split_once("</title>"))
            .map(|(title, _)| format!(" titled \"{}\"", clean(title)));
        return format!("a web page{}", title.unwrap_or_default());
    }
    if text.is_empty() {
        return "an empty body".to_owned();
    }
    clean(text)
}

#[derive(Deserialize)]
struct Envelope<'a> {
    status: i64,
    #[serde(borrow)]
    response: Option<&'a RawValue>,
    #[serde(borrow)]
    payload: Option<&'a RawValue>,
}

/// Reads an answer of the legacy API: the part of the body that is the result.
pub(crate) fn legacy(
    status: u16,
    body: &Bytes,
    after: Option<Duration>,
    at: At,
) -> Result<Bytes, Failure> {
    match serde_json::from_slice::<Envelope<'_>>(body) {
        Ok(envelope) if envelope.status == 200 && status == 200 => {
            let raw = envelope.response.map_or("null", RawValue::get);
            // The result is a part of the body: no copy.
            Ok(if envelope.response.is_some() {
                body.slice_ref(raw.as_bytes())
            } else {
                Bytes::from_static(b"null")
            })
        }
        Ok(envelope) if envelope.status != 200 => Err(legacy_no(&envelope, after, at)),
        // Too large and too fast are HTTP statuses, as are the errors of gateways.
        _ if status != 200 => Err(refusal(status, v2_message(body), after, at)),
        Ok(_) => Err(nonsense(
            "an envelope without a meaning".to_owned(),
            true,
            at,
        )),
        Err(error) => {
            let what = format!("{} ({error})", beginning(body));
            Err(nonsense(what, error.is_eof() || body.is_empty(), at))
        }
    }
}

fn nonsense(what: String, again: bool, at: At) -> Failure {
    Failure {
        error: ClientError::Nonsense { what, at },
        again: if again {
            Again::Unknown(None, true)
        } else {
            Again::No
        },
    }
}

fn legacy_no(envelope: &Envelope<'_>, after: Option<Duration>, at: At) -> Failure {
    let code = envelope
        .response
        .and_then(|raw| serde_json::from_str::<Vec<serde_json::Value>>(raw.get()).ok())
        .and_then(|list| list.into_iter().next())
        .and_then(|first| first.as_str().map(clean))
        .unwrap_or_else(|| format!("status {}", envelope.status));
    let message = match envelope.payload.map(RawValue::get) {
        None | Some("null") => code.clone(),
        Some(raw) => {
            serde_json::from_str::<String>(raw).map_or_else(|_| clean(raw), |text| clean(&text))
        }
    };
    let no = |error| Failure {
        error,
        again: Again::No,
    };
    match code.as_str() {
        "AUTHENTICATION_ERROR" => no(ClientError::Unauthenticated { message, at }),
        "AUTHORISATION_ERROR" => no(ClientError::Forbidden { message, at }),
        "RESOURCE_NOT_FOUND_ERROR" => no(ClientError::NotFound { message, at }),
        "INVALID_ARGUMENTS_ERROR" | "ANSWER_DICTIONARY_ERROR" | "CORRUPTED_LABEL_ERROR" => {
            let message = if message == code {
                code
            } else {
                format!("{code}: {message}")
            };
            no(ClientError::Invalid { message, at })
        }
        "MULTI_LABEL_LIMIT_ERROR" => no(ClientError::TooLarge { at }),
        "RATE_LIMIT_ERROR" => limited(after, at),
        "UNKNOWN_ERROR" => Failure {
            error: ClientError::Failing {
                status: 500,
                message,
                at,
            },
            again: Again::Unknown(after, true),
        },
        _ => no(ClientError::Refused { code, message, at }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::tests::at;

    proptest::proptest! {
        #[test]
        fn no_answer_makes_it_panic_or_leaks_a_query(
            status in 100_u16..600,
            head in "(\\{\"status\":(200|500),\"response\":|<html><title>|\\[)?",
            bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..200),
        ) {
            let mut body = head.into_bytes();
            body.extend(bytes);
            body.extend_from_slice(b" https://store/x?X-Signature=geheim ");
            let body = Bytes::from(body);
            let failures = [legacy(status, &body, None, at()).err(), v2(status, body, None, at()).err()];
            for failure in failures.into_iter().flatten() {
                let text = failure.error.to_string();
                proptest::prop_assert!(!text.contains("geheim"), "{}", text);
            }
        }
    }

    fn legacy_error(status: u16, body: &str) -> Failure {
        legacy(status, &Bytes::from(body.to_owned()), None, at()).unwrap_err()
    }

    #[test]
    fn the_result_of_an_envelope_is_a_slice_of_the_body() {
        let body = Bytes::from_static(br#"{"status": 200, "response": [ {"a":1} ], "new":2}"#);
        let result = legacy(200, &body, None, at()).unwrap();
        assert_eq!(&result[..], br#"[ {"a":1} ]"#);
        assert_eq!(result.as_ptr(), body[28..].as_ptr());
        let empty = Bytes::from_static(br#"{"status":200,"response":null}"#);
        assert_eq!(&legacy(200, &empty, None, at()).unwrap()[..], b"null");
    }

    #[test]
    fn codes_of_the_legacy_api_become_what_a_caller_may_do() {
        let no = |code: &str| {
            legacy_error(
                200,
                &format!(r#"{{"status":500,"response":["{code}"],"payload":"why"}}"#),
            )
        };
        assert!(matches!(
            no("AUTHENTICATION_ERROR").error,
            ClientError::Unauthenticated { .. }
        ));
        assert!(matches!(
            no("AUTHORISATION_ERROR").error,
            ClientError::Forbidden { .. }
        ));
        assert!(matches!(
            no("MULTI_LABEL_LIMIT_ERROR").error,
            ClientError::TooLarge { .. }
        ));
        assert_eq!(no("RATE_LIMIT_ERROR").again, Again::Limited(None));
        assert_eq!(no("UNKNOWN_ERROR").again, Again::Unknown(None, true));
        let ClientError::Invalid { message, .. } = no("INVALID_ARGUMENTS_ERROR").error else {
            panic!("an invalid argument is Invalid");
        };
        assert_eq!(message, "INVALID_ARGUMENTS_ERROR: why");
        let ClientError::Refused { code, .. } = no("BRAND_NEW_ERROR").error else {
            panic!("a new code is Refused");
        };
        assert_eq!(code, "BRAND_NEW_ERROR");
    }

    #[test]
    fn a_web_page_and_a_cut_answer_are_different_errors() {
        let page = legacy_error(200, "<!DOCTYPE html><html><title>Log in</title>");
        assert!(
            page.error
                .to_string()
                .contains("a web page titled \"Log in\"")
        );
        assert_eq!(page.again, Again::No);
        let cut = legacy_error(200, r#"{"status":200,"resp"#);
        assert_eq!(cut.again, Again::Unknown(None, true));
        let gateway = legacy_error(502, "<html><title>Bad Gateway</title>");
        assert!(matches!(
            gateway.error,
            ClientError::Failing { status: 502, .. }
        ));
    }

    #[test]
    fn messages_of_the_v2_api_are_found_where_they_are() {
        let message = |body: &str| {
            let failure = v2(400, Bytes::from(body.to_owned()), None, at()).unwrap_err();
            failure.error.to_string()
        };
        assert!(message(r#"{"message":"task has moved"}"#).contains("task has moved"));
        assert!(message(r#"{"detail":[{"loc":["a"],"msg":"bad"}]}"#).contains(r#""msg":"bad""#));
        assert!(message("<html>").contains("a web page"));
        assert!(message("").contains("an empty body"));
    }
}
