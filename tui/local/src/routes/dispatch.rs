//! What happens to every request of the API before and after its handler.

use std::fmt::Display;
use std::io::Write as _;
use std::sync::Arc;

use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;

use crate::app::SharedApp;
use crate::auth::Caller;
use crate::endpoint::Endpoint;
use crate::error::{Refusal, not_found, not_served};
use crate::fault::FaultAction;
use crate::routes::extract::{Call, Injected};
use crate::routes::legacy::LegacyCall;
use crate::routes::reply::{json_bytes, legacy_envelope};
use crate::routes::table::{EndpointRow, Style};
use crate::time;

/// Marks a response to drop: the connection is closed instead.
#[derive(Debug, Clone, Copy)]
pub(crate) struct DropConnection;

/// Shorter responses are not compressed.
const GZIP_FROM: usize = 4 << 10;
/// The time to send the first half of a truncated response.
const FLUSH: std::time::Duration = std::time::Duration::from_millis(5);

/// Where the router sends a request.
#[derive(Clone, Copy)]
pub(super) enum Destination {
    Row(&'static EndpointRow),
    /// To the legacy API, which names the call in the body.
    Legacy,
    /// To a call that only the platform serves; what to do instead.
    Refused(&'static str),
    UnknownPath,
    /// The path exists for other methods.
    WrongMethod,
}

/// A row of the table, and the call itself if it is a legacy one.
type Resolved = (&'static EndpointRow, Option<Arc<LegacyCall>>);

fn resolve(route: Destination, parts: &Parts, body: &Bytes) -> Result<Resolved, Refusal> {
    let (method, path) = (&parts.method, parts.uri.path());
    match route {
        _ if is_legacy(path) => LegacyCall::read(parts, body)?.resolve(),
        Destination::Row(row) => Ok((row, None)),
        Destination::Refused(instead) => Err(not_served(method, path, instead)),
        Destination::Legacy | Destination::UnknownPath => {
            Err(not_found!("this server has no {method} {path}"))
        }
        Destination::WrongMethod => Err(Refusal::Method(format!(
            "{method} is not possible on {path}"
        ))),
    }
}

fn is_legacy(path: &str) -> bool {
    path == "/public" || path.starts_with("/public/")
}

/// The refusal of a call that only the platform serves.
pub(super) fn not_served(method: impl Display, call: &str, instead: &str) -> Refusal {
    not_served!("a local project does not serve {method} {call}: {instead}")
}

/// Answers a request: reads the body, applies faults, checks the signature, counts, runs the handler.
pub(super) async fn dispatch(app: SharedApp, route: Destination, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let is_legacy = is_legacy(parts.uri.path());
    // The reserved memory is released after the response.
    let held = match app.bodies.read(&parts.headers, body).await {
        Ok(held) => held,
        Err(refusal) => return in_envelope(refusal.into_response(), is_legacy).await,
    };
    let resolved = resolve(route, &parts, &held.bytes);
    let endpoint = match &resolved {
        Ok((row, _)) => row.endpoint,
        Err(_) => Endpoint::Unknown,
    };
    let strikes = app.injector().strike(endpoint);
    app.counters.request(endpoint, strikes.len());
    if !app.latency.is_zero() {
        tokio::time::sleep(app.latency).await;
    }
    let injected = match injected_before(&strikes).await {
        Ok(injected) => injected,
        Err(instead) => return *instead,
    };
    let accepts_gzip = accepts_gzip(&parts.headers);
    let caller = match &resolved {
        // The URL is the credential; the handler checks its seal.
        Ok((row, _)) if row.style == Style::signed => Ok(Caller::nobody()),
        _ => identify(&app, is_legacy, &parts, &held.bytes, now(&strikes)),
    };
    let response = match caller.and_then(|caller| Ok((caller, resolved?))) {
        Err(refusal) => refusal.into_response(),
        Ok((caller, (row, legacy))) => {
            let mut request = Request::from_parts(parts, Body::empty());
            request.extensions_mut().insert(Call {
                app: SharedApp::clone(&app),
                caller,
                endpoint,
                injected,
                body: held.bytes.clone(),
                legacy,
            });
            finished((row.handler)(request, SharedApp::clone(&app))).await
        }
    };
    let done = response.status().is_success();
    app.counters.answer(endpoint, done);
    let status = response.status().as_u16();
    tracing::debug!(endpoint = endpoint.name(), status, "request");
    pack(
        in_envelope(response, is_legacy).await,
        &strikes,
        accepts_gzip,
    )
    .await
}

/// Runs a handler to its end, even if the client hangs up before the response: the request takes effect and
/// is counted either way.
async fn finished(handler: impl Future<Output = Response> + Send + 'static) -> Response {
    match tokio::spawn(handler).await {
        Ok(response) => response,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(_) => DropConnection.into_response(),
        },
    }
}

async fn in_envelope(response: Response, is_legacy: bool) -> Response {
    match is_legacy {
        true => legacy_envelope(response).await,
        false => response,
    }
}

fn identify(
    app: &SharedApp,
    is_legacy: bool,
    parts: &Parts,
    body: &Bytes,
    now: i64,
) -> Result<Caller, Refusal> {
    if is_legacy {
        return app.keyring.check_legacy(&parts.headers, body, now);
    }
    let target = parts.uri.path_and_query().map_or("/", |t| t.as_str());
    let method = parts.method.as_str();
    app.keyring
        .check_v2(method, target, &parts.headers, body, now)
}

/// The effects of faults on the handler, or the response that replaces it.
async fn injected_before(strikes: &[FaultAction]) -> Result<Injected, Box<Response>> {
    let mut injected = Injected::default();
    for strike in strikes {
        match strike {
            FaultAction::Drop => return Err(Box::new(DropConnection.into_response())),
            FaultAction::Status(status, after) => {
                return Err(Box::new(error_status(*status, *after)));
            }
            FaultAction::Page(false) => return Err(Box::new(page())),
            FaultAction::Slow(time) => tokio::time::sleep(*time).await,
            FaultAction::Conflict => injected.conflict = true,
            FaultAction::Expire => injected.expire = true,
            FaultAction::Lost
            | FaultAction::Truncate
            | FaultAction::Applied(..)
            | FaultAction::Page(true)
            | FaultAction::Clock(_) => {}
        }
    }
    Ok(injected)
}

/// The server's time in seconds, shifted by faults.
fn now(strikes: &[FaultAction]) -> i64 {
    let shift = strikes.iter().map(|strike| match strike {
        FaultAction::Clock(seconds) => *seconds,
        _ => 0,
    });
    time::now() / 1000 + shift.sum::<i64>()
}

/// An injected error status, as a busy or failing platform answers.
fn error_status(status: u16, after: Option<std::time::Duration>) -> Response {
    let mut response = json_bytes(r#"{"message":"an injected fault"}"#);
    *response.status_mut() =
        StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    if let Some(after) = after {
        // The header has whole seconds only.
        let seconds = after.as_secs() + u64::from(after.subsec_nanos() > 0);
        response
            .headers_mut()
            .insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

/// A web page instead of a response of the API.
fn page() -> Response {
    let body = "<!DOCTYPE html><html><head><title>Log in</title></head><body>an injected fault</body></html>";
    let mut response = Response::new(Body::from(body));
    let kind = HeaderValue::from_static("text/html; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response
}

impl IntoResponse for DropConnection {
    fn into_response(self) -> Response {
        let mut response = Response::new(Body::empty());
        response.extensions_mut().insert(self);
        response
    }
}

async fn pack(mut response: Response, strikes: &[FaultAction], accepts_gzip: bool) -> Response {
    if strikes.contains(&FaultAction::Lost) {
        return DropConnection.into_response();
    }
    for strike in strikes {
        match strike {
            FaultAction::Applied(status, after) => return error_status(*status, *after),
            FaultAction::Page(true) => return page(),
            _ => {}
        }
    }
    if strikes.iter().any(|s| matches!(s, FaultAction::Clock(_)))
        && let Ok(date) = HeaderValue::from_str(&time::http(now(strikes)))
    {
        response.headers_mut().insert(header::DATE, date);
    }
    let truncate = strikes.contains(&FaultAction::Truncate);
    let is_json = response
        .headers()
        .get(header::CONTENT_TYPE)
        .is_some_and(|t| t == "application/json");
    if !(truncate || accepts_gzip && is_json) {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    // The server has just produced this body.
    let Ok(mut bytes) = to_bytes(body, usize::MAX).await else {
        return DropConnection.into_response();
    };
    if accepts_gzip
        && is_json
        && bytes.len() >= GZIP_FROM
        && let Some(packed) = gzip(&bytes)
    {
        bytes = packed;
        parts
            .headers
            .insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        parts.headers.remove(header::CONTENT_LENGTH);
    }
    if !truncate {
        return Response::from_parts(parts, Body::from(bytes));
    }
    parts
        .headers
        .insert(header::CONTENT_LENGTH, HeaderValue::from(bytes.len()));
    Response::from_parts(parts, first_half(&bytes))
}

/// A body that breaks off halfway.
fn first_half(bytes: &Bytes) -> Body {
    let half = bytes.slice(..bytes.len() / 2);
    Body::from_stream(futures_util::stream::unfold(
        Some(half),
        async |half| match half {
            Some(half) => Some((Ok(half), None)),
            None => {
                // The first half must be sent before the connection breaks.
                tokio::time::sleep(FLUSH).await;
                let broken =
                    std::io::Error::new(std::io::ErrorKind::ConnectionReset, "an injected fault");
                Some((Err(broken), None))
            }
        },
    ))
}

fn gzip(bytes: &[u8]) -> Option<Bytes> {
    let mut encoder = flate2::write::GzEncoder::new(
        Vec::with_capacity(bytes.len() / 4),
        flate2::Compression::fast(),
    );
    encoder.write_all(bytes).ok()?;
    encoder.finish().ok().map(Bytes::from)
}

fn accepts_gzip(headers: &HeaderMap) -> bool {
    headers
        .get(header::ACCEPT_ENCODING)
        .and_then(|v| v.to_str().ok())
        .is_some_and(|v| v.contains("gzip"))
}
