//! One request, from call to result: signed over the exact bytes, limited, counted, retried where
//! that is safe.
//!
//! What is asked and what the results mean is left to `read` and `write`. Everything here is free
//! of generics: the future of a request is compiled once.

pub(crate) mod answer;
mod call;
pub(crate) mod limit;
pub(crate) mod retry;
pub(crate) mod sign;
pub(crate) mod stats;
pub(crate) mod target;
mod tls;
mod trouble;

use crate::error::{At, ClientError, Place};
use crate::key::Key;
use crate::settings::{Bearer, Settings, SettingsError};
use bytes::Bytes;
pub(crate) use call::Call;
use limit::Limiter;
use reqwest::header::{self, HeaderMap, HeaderName, HeaderValue};
use retry::{Again, Failure, Repeat};
use stats::Counters;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering::Relaxed};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
pub use trouble::Trouble;
use trouble::Weather;
use wb_core::ids::Millis;

/// Root of the v2 API.
pub(crate) const V2: &str = "/v2/public";
/// No answer has told the platform's time yet.
const NO_SKEW: i64 = i64::MIN;

/// The connection to one domain, shared by a reader's clones and its writers.
pub(crate) struct Wire {
    http: reqwest::Client,
    domain: Arc<str>,
    key: Key,
    bearer: Option<Bearer>,
    patience: Duration,
    pub read_only: bool,
    pub limiter: Limiter,
    pub counters: Counters,
    skew: AtomicI64,
    /// Seconds added to our clock in signatures, once it has proved wrong.
    correction: AtomicI64,
    pub weather: Weather,
}

impl Wire {
    pub fn new(settings: Settings) -> Result<Self, ClientError> {
        if let Some(rate) = settings
            .rate
            .filter(|rate| !rate.is_finite() || *rate <= 0.0)
        {
            return Err(SettingsError::Rate(rate).into());
        }
        let http = tls::client(&settings)?;
        Ok(Self {
            http,
            domain: settings.domain.into(),
            key: settings.key,
            bearer: settings.bearer,
            patience: settings.patience,
            read_only: settings.read_only,
            limiter: Limiter::new(settings.rate),
            counters: Counters::default(),
            skew: AtomicI64::new(NO_SKEW),
            correction: AtomicI64::new(0),
            weather: Weather::default(),
        })
    }

    /// Seconds that the platform's clock is ahead of ours, as far as an answer has told it.
    pub fn skew(&self) -> Option<i64> {
        Some(self.skew.load(Relaxed)).filter(|skew| *skew != NO_SKEW)
    }

    /// How long one request may wait between its attempts.
    pub fn patience(&self) -> Duration {
        self.patience
    }

    /// Sends a request until it has an answer that stands.
    pub async fn send(&self, call: &Call<'_>) -> Result<Bytes, ClientError> {
        let trace = uuid::Uuid::new_v4().simple().to_string();
        let mut waited = Duration::ZERO;
        let mut attempts = 0;
        loop {
            attempts += 1;
            self.take_turn().await;
            self.counters.sent(call.door.is_some(), attempts == 1);
            let began = Instant::now();
            let correction = self.correction.load(Relaxed);
            let result = self.once(call, &trace, attempts).await;
            let failure = match result {
                Ok(bytes) => {
                    self.weather.clear();
                    tracing::debug!(
                        method = call.method, path = call.path(), name = call.name, %trace, attempts,
                        bytes = bytes.len(), ms = began.elapsed().as_millis(), "answered"
                    );
                    return Ok(bytes);
                }
                Err(failure) => failure,
            };
            if self.corrects_clock(&failure, correction) {
                continue;
            }
            let wait = retry::next(
                failure.again,
                (call.repeat, call.tries),
                attempts,
                waited,
                self.patience,
            );
            tracing::debug!(
                method = call.method, path = call.path(), name = call.name, %trace, attempts,
                again = wait.is_some(), error = %failure.error, "failed"
            );
            self.weather.note(&failure, wait);
            let Some(wait) = wait else {
                return Err(conclude(failure, call.repeat, waited));
            };
            if matches!(failure.again, Again::Limited(_)) {
                self.limiter.pause(wait);
            }
            self.sleep(wait).await;
            waited += wait;
        }
    }

    /// Waits for the rate limit.
    pub async fn take_turn(&self) {
        let wait = self.limiter.reserve();
        if !wait.is_zero() {
            self.sleep(wait).await;
        }
    }

    /// Waits, counted.
    pub async fn sleep(&self, time: Duration) {
        self.counters.waited(time);
        tokio::time::sleep(time).await;
    }

    async fn once(&self, call: &Call<'_>, trace: &str, attempts: u32) -> Result<Bytes, Failure> {
        let at = || self.at(call, trace, attempts);
        let request = self.request(call, trace).map_err(|error| Failure {
            error,
            again: Again::No,
        })?;
        let response = match self.http.execute(request).await {
            Ok(response) => response,
            Err(error) => return Err(transport(&error, at())),
        };
        self.learn_time(response.headers());
        let status = response.status().as_u16();
        let after = retry_after(response.headers());
        let body = match response.bytes().await {
            Ok(body) => body,
            Err(error) => return Err(transport(&error, at())),
        };
        self.counters.received(body.len());
        if call.legacy.is_some() {
            answer::legacy(status, &body, after, at())
        } else {
            answer::v2(status, body, after, at())
        }
    }

    fn at(&self, call: &Call<'_>, trace: &str, attempts: u32) -> At {
        let request = match call.name {
            Some(name) => format!("{} {} ({name})", call.method, call.path()),
            None => format!("{} {}", call.method, call.path()),
        };
        At(Box::new(Place {
            domain: Arc::clone(&self.domain),
            key_id: self.key.shared_id(),
            request,
            trace: trace.to_owned(),
            attempts,
            skew: self.skew(),
        }))
    }

    /// An error about the result of a call that went well on the wire.
    pub fn nonsense(&self, call: &Call<'_>, what: String) -> ClientError {
        ClientError::Nonsense {
            what,
            at: self.at(call, "-", 1),
        }
    }

    fn request(&self, call: &Call<'_>, trace: &str) -> Result<reqwest::Request, ClientError> {
        let url = reqwest::Url::parse(&format!("{}{}", self.domain, call.target))
            .map_err(|error| ClientError::Bug(format!("{error} in {}", call.path())))?;
        let same = match url.query() {
            Some(query) => call.target.split_once('?') == Some((url.path(), query)),
            None => url.path() == call.target,
        };
        if !same {
            // It would go out other than it is signed.
            return Err(ClientError::Bug(format!(
                "the request target {} is not in its final form",
                call.path()
            )));
        }
        let method = reqwest::Method::from_bytes(call.method.as_bytes())
            .map_err(|error| ClientError::Bug(error.to_string()))?;
        let mut request = reqwest::Request::new(method, url);
        let body = call.body.clone().unwrap_or_default();
        let headers = request.headers_mut();
        if call.body.is_some() {
            put(headers, header::CONTENT_TYPE, "application/json")?;
        }
        put(
            headers,
            HeaderName::from_static("x-cloud-trace-context"),
            &format!("{trace}/1;o=1"),
        )?;
        self.authorise(headers, call, &body)?;
        if call.body.is_some() {
            *request.body_mut() = Some(body.into());
        }
        Ok(request)
    }

    fn authorise(
        &self,
        headers: &mut HeaderMap,
        call: &Call<'_>,
        body: &[u8],
    ) -> Result<(), ClientError> {
        if let Some(project) = call.legacy {
            put(headers, header::ACCEPT, "application/json")?;
            put(headers, HeaderName::from_static("resourcetype"), "project")?;
            put(
                headers,
                HeaderName::from_static("resourceid"),
                &project.to_string(),
            )?;
        }
        if let Some(Bearer(token)) = &self.bearer {
            let mut value = HeaderValue::from_str(&format!("Bearer {token}"))
                .map_err(|_| SettingsError::Token)?;
            value.set_sensitive(true);
            headers.insert(header::AUTHORIZATION, value);
        } else if call.legacy.is_some() {
            put(
                headers,
                header::AUTHORIZATION,
                &sign::legacy(&self.key, body),
            )?;
        } else {
            let created = now().0.div_euclid(1000) + self.correction.load(Relaxed);
            let made = sign::message(&self.key, call.method, &call.target, body, created);
            put(
                headers,
                HeaderName::from_static("content-digest"),
                &made.digest,
            )?;
            put(
                headers,
                HeaderName::from_static("signature-input"),
                &made.input,
            )?;
            put(
                headers,
                HeaderName::from_static("signature"),
                &made.signature,
            )?;
        }
        Ok(())
    }

    /// A signature is refused when the clock is wrong: then the platform's own time is used, once.
    fn corrects_clock(&self, failure: &Failure, used: i64) -> bool {
        let refused = matches!(failure.error, ClientError::Unauthenticated { .. });
        let Some(skew) = self.skew().filter(|skew| refused && skew.abs() > 60) else {
            return false;
        };
        if self.correction.load(Relaxed) != used {
            return true; // a neighbour was refused too, and has corrected it
        }
        let first = self
            .correction
            .compare_exchange(0, skew, Relaxed, Relaxed)
            .is_ok();
        if first {
            tracing::warn!(
                seconds = skew,
                "this machine's clock is wrong; signatures use the platform's time"
            );
        }
        first
    }

    fn learn_time(&self, headers: &HeaderMap) {
        let date = headers
            .get(header::DATE)
            .and_then(|value| value.to_str().ok())
            .and_then(crate::time::parse_time);
        if let Some(theirs) = date {
            self.skew.store((theirs.0 - now().0) / 1000, Relaxed);
        }
    }

    /// A plain request to a signed URL, without our signature, counted. The URL is a secret.
    pub async fn fetch(
        &self,
        url: &reqwest::Url,
        range: Option<(u64, Option<&str>)>,
    ) -> Result<reqwest::Response, reqwest::Error> {
        self.counters.sent(false, true);
        let mut request = self
            .http
            .get(url.clone())
            .header(header::ACCEPT_ENCODING, "identity");
        if let Some((start, etag)) = range {
            request = request.header(header::RANGE, format!("bytes={start}-"));
            if let Some(etag) = etag {
                request = request.header(header::IF_RANGE, etag);
            }
        }
        request.send().await.map_err(reqwest::Error::without_url)
    }
}

fn put(headers: &mut HeaderMap, name: HeaderName, value: &str) -> Result<(), ClientError> {
    let value =
        HeaderValue::from_str(value).map_err(|_| ClientError::Bug(format!("header {name}")))?;
    headers.insert(name, value);
    Ok(())
}

/// The error that stands when no further attempt is made.
fn conclude(failure: Failure, repeat: Repeat, waited: Duration) -> ClientError {
    match (failure.error, failure.again) {
        (ClientError::StillLimited { asked, at, .. }, _) => {
            ClientError::StillLimited { waited, asked, at }
        }
        (error, Again::Unknown(_, answered)) if repeat == Repeat::AskFirst => match error.at() {
            Some(at) => ClientError::Lost {
                at: at.clone(),
                why: match &error {
                    ClientError::Unreachable { why, .. } => why.clone(),
                    ClientError::Failing { status, .. } => format!("status {status}"),
                    other => other.to_string(),
                },
                answered,
            },
            None => error,
        },
        (error, _) => error,
    }
}

fn transport(error: &reqwest::Error, at: At) -> Failure {
    let why = if error.is_timeout() {
        "no answer in time".to_owned()
    } else {
        innermost(error)
    };
    let again = if error.is_builder() || why.contains("certificate") {
        Again::No
    } else if error.is_connect() {
        Again::Unsent
    } else {
        Again::Unknown(None, false)
    };
    Failure {
        error: ClientError::Unreachable { why, at },
        again,
    }
}

/// The last cause of an error: `connection refused` rather than `error sending request`. Never the
/// URL, which may be signed.
pub(crate) fn innermost(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(next) = cause.source() {
        cause = next;
    }
    if std::ptr::addr_eq(cause, error) {
        return "the connection failed".to_owned();
    }
    crate::error::clean(&cause.to_string())
}

pub(crate) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let value = headers.get(header::RETRY_AFTER)?.to_str().ok()?;
    retry::retry_after(value, now())
}

/// The time on the wall.
pub(crate) fn now() -> Millis {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    Millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}
