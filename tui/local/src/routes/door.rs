//! The door: what happens to every request of the API before and after its own endpoint.

use std::io::Write as _;
use std::sync::{Arc, PoisonError};

use axum::body::{Body, to_bytes};
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;

use crate::app::Shared;
use crate::auth::Caller;
use crate::endpoint::Endpoint;
use crate::error::Refusal;
use crate::fault::FaultAction;
use crate::routes::legacy::LegacyCall;
use crate::routes::names::{endpoint, is_elsewhere};
use crate::routes::reply::{SaysNo, legacy_refusal};
use crate::time;

/// Marks an answer that must not arrive: the connection is closed instead.
#[derive(Debug, Clone, Copy)]
pub(crate) struct DropConnection;

/// What injected faults ask of the endpoint itself.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Spoil {
    /// Somebody else acts.
    pub conflict: bool,
    /// Signed URLs have expired.
    pub expire: bool,
}

/// Answers shorter than this many bytes are not worth compressing.
const GZIP_FROM: usize = 4 << 10;
/// How long a truncated answer has for its first half.
const FLUSH: std::time::Duration = std::time::Duration::from_millis(5);

/// Checks, counts and spoils a request, and packs its answer.
pub(super) async fn door(State(app): State<Shared>, request: Request, next: Next) -> Response {
    let (mut parts, body) = request.into_parts();
    let is_legacy = parts.uri.path().starts_with("/public");
    let refuse = |refusal: Refusal| {
        if is_legacy {
            legacy_refusal(&refusal)
        } else {
            refusal.into_response()
        }
    };
    // Its room is given back when the request has been answered.
    let held = match app.room.read(&parts.headers, body).await {
        Ok(held) => held,
        Err(refusal) => return refuse(refusal),
    };
    let body = held.bytes.clone();
    let call = is_legacy.then(|| LegacyCall::read(&body));
    let route = parts
        .extensions
        .get::<MatchedPath>()
        .map_or("", MatchedPath::as_str);
    let endpoint = match &call {
        Some(Ok(call)) => call.endpoint(),
        Some(Err(_)) => Endpoint::Unknown,
        None => endpoint(&parts.method, route),
    };
    let strikes = app
        .injector
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .strike(endpoint);
    app.tally.request(endpoint, strikes.len());
    if !app.latency.is_zero() {
        tokio::time::sleep(app.latency).await;
    }
    let spoil = match spoiled(&strikes).await {
        Ok(spoil) => spoil,
        Err(instead) => return *instead,
    };
    let caller = identify(&app, endpoint, is_legacy, &parts, &body, now(&strikes));
    let accepts_gzip = accepts_gzip(&parts.headers);
    let response = match (caller, call) {
        (Err(refusal), _) => refuse(refusal),
        (Ok(_), Some(Err(error))) => {
            refuse(Refusal::Invalid(format!("not a legacy request: {error}")))
        }
        (Ok(_), None) if !is_text(parts.uri.path()) => {
            refuse(Refusal::Invalid("the path is not UTF-8".to_owned()))
        }
        (Ok(caller), call) => {
            parts.extensions.insert(caller);
            parts.extensions.insert(spoil);
            if let Some(Ok(call)) = call {
                parts.extensions.insert(Arc::new(call));
            }
            whole(next.run(Request::from_parts(parts, Body::from(body)))).await
        }
    };
    let done = response.status().is_success() && response.extensions().get::<SaysNo>().is_none();
    app.tally.answer(endpoint, done);
    tracing::debug!(
        endpoint = endpoint.name(),
        status = response.status().as_u16(),
        done,
        "request"
    );
    pack(response, &strikes, accepts_gzip).await
}

/// Runs an endpoint to its end, even when the client hangs up before its answer: what it asked for is done
/// and counted either way.
async fn whole(endpoint: impl Future<Output = Response> + Send + 'static) -> Response {
    match tokio::spawn(endpoint).await {
        Ok(response) => response,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(_) => DropConnection.into_response(),
        },
    }
}

/// Whether a path is text once its escapes are decoded; what else it holds is its endpoint's business.
fn is_text(path: &str) -> bool {
    let mut parts = path.split('%');
    let mut bytes = parts.next().unwrap_or_default().as_bytes().to_vec();
    for part in parts {
        let code = part.get(..2).and_then(|c| u8::from_str_radix(c, 16).ok());
        bytes.push(code.unwrap_or(b'%'));
        bytes.extend_from_slice(&part.as_bytes()[code.map_or(0, |_| 2)..]);
    }
    std::str::from_utf8(&bytes).is_ok()
}

fn identify(
    app: &Shared,
    endpoint: Endpoint,
    is_legacy: bool,
    parts: &axum::http::request::Parts,
    body: &Bytes,
    now: i64,
) -> Result<Caller, Refusal> {
    if matches!(endpoint, Endpoint::Download | Endpoint::Upload) {
        // The URL itself is the permission; its seal is checked where the bytes are read or kept.
        return Ok(Caller {
            email: Arc::from(""),
        });
    }
    if is_legacy {
        return app.gate.check_legacy(&parts.headers, body, now);
    }
    let target = parts.uri.path_and_query().map_or("/", |t| t.as_str());
    app.gate
        .check_v2(parts.method.as_str(), target, &parts.headers, body, now)
}

/// What faults ask of the endpoint, or the answer in its place.
async fn spoiled(strikes: &[FaultAction]) -> Result<Spoil, Box<Response>> {
    let mut spoil = Spoil::default();
    for strike in strikes {
        match strike {
            FaultAction::Drop => return Err(Box::new(DropConnection.into_response())),
            FaultAction::Status(status, after) => return Err(Box::new(injected(*status, *after))),
            FaultAction::Page(false) => return Err(Box::new(page())),
            FaultAction::Slow(time) => tokio::time::sleep(*time).await,
            FaultAction::Conflict => spoil.conflict = true,
            FaultAction::Expire => spoil.expire = true,
            FaultAction::Lost
            | FaultAction::Truncate
            | FaultAction::Applied(..)
            | FaultAction::Page(true)
            | FaultAction::Clock(_) => {}
        }
    }
    Ok(spoil)
}

/// The server's time in seconds, as faults have it.
fn now(strikes: &[FaultAction]) -> i64 {
    let shift = strikes.iter().map(|strike| match strike {
        FaultAction::Clock(seconds) => *seconds,
        _ => 0,
    });
    time::now() / 1000 + shift.sum::<i64>()
}

/// An injected error status, as a busy or failing platform answers.
fn injected(status: u16, after: Option<std::time::Duration>) -> Response {
    let body = serde_json::json!({"message": "an injected fault"}).to_string();
    let mut response = Response::new(Body::from(body));
    *response.status_mut() =
        StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response.headers_mut().insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json"),
    );
    if let Some(after) = after {
        // Whole seconds only: that is all the header can say.
        let seconds = after.as_secs() + u64::from(after.subsec_nanos() > 0);
        response
            .headers_mut()
            .insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

/// A web page where an answer of the API should be.
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
            FaultAction::Applied(status, after) => return injected(*status, *after),
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
    // Nothing here is larger than what the server itself has just made or read.
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

/// A body that breaks off in its middle.
fn first_half(bytes: &Bytes) -> Body {
    let half = bytes.slice(..bytes.len() / 2);
    Body::from_stream(futures_util::stream::unfold(
        Some(half),
        async |half| match half {
            Some(half) => Some((Ok(half), None)),
            None => {
                // The first half must have left before the connection breaks.
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

/// A call that this server does not have although the platform has it.
fn not_served(request: &Request) -> Option<Refusal> {
    let (method, path) = (request.method(), request.uri().path());
    is_elsewhere(path).then(|| {
        Refusal::NotServed(format!(
            "a local project does not serve {method} {path}: the platform has this call, this server has not"
        ))
    })
}

/// A path that this server does not know: either nobody does, or only the platform.
pub(super) async fn unknown_path(request: Request) -> Refusal {
    not_served(&request).unwrap_or_else(|| {
        let (method, path) = (request.method(), request.uri().path());
        Refusal::NotFound(format!("this server knows no {method} {path}"))
    })
}

/// A known path with another method. The path may also be that of a call of the platform alone, with a
/// word where ours has a UUID.
pub(super) async fn unknown_method(request: Request) -> Refusal {
    not_served(&request).unwrap_or_else(|| {
        let (method, path) = (request.method(), request.uri().path());
        Refusal::Method(format!("{method} is not possible on {path}"))
    })
}
