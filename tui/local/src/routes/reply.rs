//! Answers: JSON, and refusals in the envelope of their API.

use axum::body::{Body, to_bytes};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::json;

use crate::error::{Refusal, internal};

/// The answer of a handler.
pub(super) type Reply = Result<Response, Refusal>;

/// JSON with status 200.
pub(super) fn json_reply(value: &impl Serialize) -> Reply {
    let bytes = serde_json::to_vec(value)
        .map_err(|e| internal!("an answer cannot be written as JSON: {e}"))?;
    Ok(json_bytes(bytes))
}

/// Bytes that are JSON already.
pub(super) fn json_bytes(bytes: impl Into<Body>) -> Response {
    let mut response = Response::new(bytes.into());
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, json);
    response
}

impl IntoResponse for Refusal {
    /// As v2 refuses: a status and a message. The refusal travels along for the legacy envelope.
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.codes().0);
        let mut response = json_bytes(json!({"message": self.message()}).to_string());
        *response.status_mut() = status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        response.extensions_mut().insert(self);
        response
    }
}

/// An answer in the envelope of the legacy API: status 200, the real one inside.
pub(super) async fn legacy_envelope(mut response: Response) -> Response {
    if let Some(refusal) = response.extensions_mut().remove::<Refusal>() {
        let (status, code) = refusal.codes();
        let body = json!({"status": status, "response": [code], "payload": refusal.message()});
        let mut response = json_bytes(body.to_string());
        if matches!(refusal, Refusal::TooLarge(_)) {
            *response.status_mut() = StatusCode::PAYLOAD_TOO_LARGE;
        }
        return response;
    }
    // The server has just produced this body.
    let inner = to_bytes(response.into_body(), usize::MAX).await;
    let inner = inner.unwrap_or_default();
    let mut body = Vec::with_capacity(inner.len() + 32);
    body.extend_from_slice(br#"{"status":200,"response":"#);
    body.extend_from_slice(&inner);
    body.push(b'}');
    json_bytes(body)
}
