//! Answers: JSON, pages, and refusals in the envelope of their API.

use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::json;
use uuid::Uuid;

use crate::error::Refusal;

/// The answer of a handler.
pub(super) type Answer = Result<Response, Refusal>;

/// Marks an answer that says no although its status is 200, as the legacy API does.
#[derive(Debug, Clone, Copy)]
pub(super) struct SaysNo;

/// JSON with status 200.
pub(super) fn json_answer(value: &impl Serialize) -> Answer {
    let bytes = serde_json::to_vec(value)
        .map_err(|e| Refusal::Internal(format!("an answer has no JSON: {e}")))?;
    Ok(json_bytes(bytes))
}

/// Bytes that are JSON already.
pub(super) fn json_bytes(bytes: Vec<u8>) -> Response {
    let mut response = Response::new(Body::from(bytes));
    response.headers_mut().insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json"),
    );
    response
}

/// What an action answers with: nothing that anybody reads.
pub(super) fn null() -> Response {
    json_bytes(b"null".to_vec())
}

/// A page of results.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Page<T> {
    pub results: Vec<T>,
    pub next_page_token: Option<String>,
}

impl<T> Page<T> {
    pub(super) fn whole(results: Vec<T>) -> Self {
        Self {
            results,
            next_page_token: None,
        }
    }

    /// Cuts a list that was asked for with one entry more than fits a page.
    pub(super) fn cut(mut results: Vec<T>, size: usize, id: impl Fn(&T) -> i64) -> Self {
        let more = results.len() > size;
        results.truncate(size);
        let last = results.last().filter(|_| more);
        Self {
            next_page_token: last.map(|r| token(id(r))),
            results,
        }
    }
}

/// A page token says after which row the next page begins. That row may have left since.
pub(super) fn token(after: i64) -> String {
    URL_SAFE_NO_PAD.encode(format!("after:{after}"))
}

/// The row number in a page token; none means the beginning.
pub(super) fn after(token: Option<&str>) -> Result<i64, Refusal> {
    let Some(token) = token else { return Ok(0) };
    let text = URL_SAFE_NO_PAD
        .decode(token)
        .ok()
        .and_then(|bytes| String::from_utf8(bytes).ok());
    let row = text
        .as_deref()
        .and_then(|t| t.strip_prefix("after:")?.parse().ok());
    row.ok_or_else(|| Refusal::Invalid("the page token is not one of this server's".to_owned()))
}

/// The query's pairs, decoded.
pub(super) struct Pairs(pub Vec<(String, String)>);

impl Pairs {
    pub(super) fn first(&self, key: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(k, _)| k == key)
            .map(|(_, v)| v.as_str())
    }

    pub(super) fn all<'a>(&'a self, key: &'a str) -> impl Iterator<Item = &'a str> {
        self.0
            .iter()
            .filter(move |(k, _)| k == key)
            .map(|(_, v)| v.as_str())
    }

    pub(super) fn uuids(&self, key: &str) -> Result<Vec<Uuid>, Refusal> {
        self.all(key).map(|text| uuid(text, key)).collect()
    }

    /// Python spells booleans `True` and `False`.
    pub(super) fn flag(&self, key: &str) -> bool {
        self.first(key)
            .is_some_and(|v| v.eq_ignore_ascii_case("true") || v == "1")
    }

    pub(super) fn after(&self) -> Result<i64, Refusal> {
        after(self.first("pageToken"))
    }
}

pub(super) fn uuid(text: &str, what: &str) -> Result<Uuid, Refusal> {
    Uuid::parse_str(text).map_err(|_| Refusal::Invalid(format!("{what} {text:?} is not a UUID")))
}

/// Reads a JSON body.
pub(super) fn body<T: DeserializeOwned>(bytes: &Bytes) -> Result<T, Refusal> {
    Ok(serde_json::from_slice(bytes)?)
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let status =
            StatusCode::from_u16(self.codes().0).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = json_bytes(json!({"message": self.message()}).to_string().into_bytes());
        *response.status_mut() = status;
        response
    }
}

/// A refusal as the legacy API says it: status 200, the error inside.
pub(super) fn legacy_refusal(refusal: &Refusal) -> Response {
    let (status, code) = refusal.codes();
    let body = json!({"status": status, "response": [code], "payload": refusal.message()});
    let mut response = json_bytes(body.to_string().into_bytes());
    if matches!(refusal, Refusal::TooLarge(_)) {
        *response.status_mut() = StatusCode::PAYLOAD_TOO_LARGE;
    }
    response.extensions_mut().insert(SaysNo);
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn page_tokens_read_back_and_foreign_ones_are_refused() {
        assert_eq!(after(Some(&token(417))).unwrap(), 417);
        assert_eq!(after(None).unwrap(), 0);
        assert!(after(Some("nonsense")).is_err());
    }

    #[test]
    fn only_a_full_page_has_a_next_one() {
        let page = Page::cut(vec![1, 2, 3], 2, |n| *n);
        assert_eq!(
            (page.results.len(), page.next_page_token.is_some()),
            (2, true)
        );
        assert!(Page::cut(vec![1, 2], 2, |n| *n).next_page_token.is_none());
    }
}
