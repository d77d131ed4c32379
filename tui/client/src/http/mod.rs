//! One request, from call to result: signed over the exact bytes, limited, counted, retried where
//! that is safe.
//!
//! What is asked and what the results mean is left to `read` and `write`. Everything here is free
//! of generics: the future of a request is compiled once.

pub(crate) mod answer;
mod call;
pub(crate) mod limit;
mod request;
pub(crate) mod retry;
pub(crate) mod sign;
pub(crate) mod stats;
pub(crate) mod target;
mod tls;
mod trouble;

use crate::error::{At, ClientError, Obstacle, Place, clean};
use crate::key::Key;
use crate::settings::{Bearer, Settings, SettingsError};
use bytes::{Bytes, BytesMut};
pub(crate) use call::Call;
use limit::Limiter;
use reqwest::header::{self, HeaderMap};
use retry::{Again, Failure, Repeat};
use stats::Counters;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering::Relaxed};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
pub use trouble::Trouble;
use trouble::Weather;
use wb_core::ids::Millis;

/// Root of the v2 API.
pub(crate) const V2: &str = "/v2/public";
/// The patience before the first answer of all.
const FIRST_PATIENCE: Duration = Duration::from_secs(8);
/// No answer has told the platform's time yet.
const NO_SKEW: i64 = i64::MIN;

/// The connection to one domain, shared by a reader's clones and its writers.
pub(crate) struct Wire {
    http: tls::Clients,
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
    /// Whether the platform has ever answered, be it by a refusal.
    answered: AtomicBool,
}

impl Wire {
    pub fn new(settings: Settings) -> Result<Self, ClientError> {
        if let Some(rate) = settings
            .rate
            .filter(|rate| !rate.is_finite() || *rate <= 0.0)
        {
            return Err(SettingsError::Rate(rate).into());
        }
        let http = tls::Clients::new(&settings)?;
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
            answered: AtomicBool::new(false),
        })
    }

    /// Seconds that the platform's clock is ahead of ours, as far as an answer has told it.
    pub fn skew(&self) -> Option<i64> {
        Some(self.skew.load(Relaxed)).filter(|skew| *skew != NO_SKEW)
    }

    /// How long one request may wait between its attempts. A platform that has never answered is rather
    /// an address that is wrong: nobody's work is under way, and whoever waits should be told.
    pub fn patience(&self) -> Duration {
        if self.answered.load(Relaxed) {
            self.patience
        } else {
            self.patience.min(FIRST_PATIENCE)
        }
    }

    /// Sends a request until it has an answer that stands.
    pub async fn send(&self, call: &Call<'_>) -> Result<Bytes, ClientError> {
        let trace = call.trace();
        let mut waited = Duration::ZERO;
        let mut attempts = 0;
        loop {
            attempts += 1;
            let turn = self.limiter.turn().await;
            self.counters.waited(turn.time);
            // What a neighbour was told to wait counts as if it had been told to us.
            waited += turn.paused;
            self.counters.sent(call.door.is_some(), attempts == 1);
            let began = Instant::now();
            let correction = self.correction.load(Relaxed);
            let result = self.once(call, attempts).await;
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
                self.patience(),
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
                // The next turn waits it out, as everybody's does.
                self.limiter.pause(wait);
            } else {
                self.sleep(wait).await;
                waited += wait;
            }
        }
    }

    /// Waits, counted.
    pub async fn sleep(&self, time: Duration) {
        self.counters.waited(time);
        tokio::time::sleep(time).await;
    }

    async fn once(&self, call: &Call<'_>, attempts: u32) -> Result<Bytes, Failure> {
        let at = || self.at(call, attempts);
        let no = |error| Failure {
            error,
            again: Again::No,
        };
        let request = self.request(call, call.trace()).map_err(no)?;
        let response = match self.http.api().execute(request).await {
            Ok(response) => response,
            Err(error) => return Err(transport(&error, at())),
        };
        self.answered.store(true, Relaxed);
        self.learn_time(response.headers());
        let status = response.status().as_u16();
        let after = retry_after(response.headers());
        if response.status().is_redirection() {
            let what = elsewhere(status, response.headers());
            return Err(no(ClientError::Nonsense { what, at: at() }));
        }
        let body = match self.body(response, call.limit).await {
            Ok(Some(body)) => body,
            Ok(None) => {
                let (limit, at) = (call.limit, at());
                return Err(Failure {
                    error: ClientError::TooMuch { limit, at },
                    // A write has been applied, for all we know.
                    again: match call.repeat {
                        Repeat::Safe => Again::No,
                        Repeat::AskFirst => Again::Unknown(None, true),
                    },
                });
            }
            Err(error) => return Err(transport(&error, at())),
        };
        if call.legacy.is_some() {
            answer::legacy(status, &body, after, at())
        } else {
            answer::v2(status, body, after, at())
        }
    }

    /// The whole body; `None` when it is larger than `limit` bytes, of which no more are read.
    async fn body(
        &self,
        mut response: reqwest::Response,
        limit: usize,
    ) -> Result<Option<Bytes>, reqwest::Error> {
        let announced = response.content_length().unwrap_or_default();
        let announced = usize::try_from(announced).unwrap_or(usize::MAX);
        let mut body = BytesMut::with_capacity(announced.min(limit).min(1 << 20));
        let mut much = announced > limit;
        while !much && let Some(chunk) = response.chunk().await? {
            body.extend_from_slice(&chunk);
            much = body.len() > limit;
        }
        self.counters.received(body.len());
        Ok((!much).then(|| call::incoming(body.freeze())))
    }

    fn at(&self, call: &Call<'_>, attempts: u32) -> At {
        let request = match call.name {
            Some(name) => format!("{} {} ({name})", call.method, call.path()),
            None => format!("{} {}", call.method, call.path()),
        };
        At(Box::new(Place {
            domain: Arc::clone(&self.domain),
            key_id: self.key.shared_id(),
            request,
            trace: call.trace().to_owned(),
            attempts,
            status: None,
            skew: self.skew(),
        }))
    }

    /// An error about the result of a call that went well on the wire.
    pub fn nonsense(&self, call: &Call<'_>, what: String) -> ClientError {
        ClientError::Nonsense {
            what,
            at: self.at(call, 1),
        }
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
    /// `range`: from which byte on, if the file is still the one of that validator.
    pub async fn fetch(
        &self,
        url: &reqwest::Url,
        range: Option<(u64, Option<&str>)>,
    ) -> Result<reqwest::Response, reqwest::Error> {
        self.counters.sent(false, true);
        let mut request = self
            .http
            .files(url)
            .get(url.clone())
            .header(header::ACCEPT_ENCODING, "identity");
        if let Some((start, validator)) = range {
            request = request.header(header::RANGE, format!("bytes={start}-"));
            if let Some(validator) = validator {
                request = request.header(header::IF_RANGE, validator);
            }
        }
        request.send().await.map_err(reqwest::Error::without_url)
    }
}

/// A redirect of an API request is never followed: it would not be what was signed.
fn elsewhere(status: u16, headers: &HeaderMap) -> String {
    let location = headers
        .get(header::LOCATION)
        .and_then(|to| to.to_str().ok());
    match location {
        Some(to) => format!("it sends us elsewhere ({status} to {})", clean(to)),
        None => format!("it sends us elsewhere ({status})"),
    }
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
                    ClientError::Unreachable { why, .. } => why.to_string(),
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
    let why = Obstacle::of(error);
    Failure {
        again: again(error, &why),
        error: ClientError::Unreachable { why, at },
    }
}

/// Whether a request that got no answer may be sent again.
pub(crate) fn again(error: &reqwest::Error, why: &Obstacle) -> Again {
    if error.is_builder() || !why.may_pass() {
        Again::No
    } else if error.is_connect() {
        Again::Unsent
    } else {
        Again::Unknown(None, false)
    }
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
