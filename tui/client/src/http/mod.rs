//! One request, from call to result: signed over the exact bytes, limited, counted, retried where
//! that is safe.
//!
//! What is asked and what the results mean is left to `read` and `write`. Everything here is free
//! of generics: the future of a request is compiled once.

pub(crate) mod answer;
mod bundle;
mod call;
mod clock;
mod fetch;
pub(crate) mod limit;
mod outage;
pub(crate) mod pace;
pub(crate) mod proxy;
mod request;
pub(crate) mod retry;
pub(crate) mod sign;
pub(crate) mod stats;
pub(crate) mod target;
mod tls;
pub(crate) mod unpack;

use crate::error::{At, ClientError, Identity, Obstacle, Place, clean};
use crate::settings::{Credential, Settings, SettingsError};
use bytes::{Bytes, BytesMut};
pub(crate) use call::Call;
use clock::{CORRECTIONS, Clock, NO_SKEW};
use limit::Limiter;
use outage::Connectivity;
pub use outage::Outage;
pub use pace::Limits;
use proxy::Proxy;
use reqwest::header::{self, HeaderMap};
use retry::{Again, Failure, Repeat};
use stats::Counters;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering::Relaxed};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::time::{Instant, timeout};
use wb_core::ids::Millis;

/// Root of the v2 API.
pub(crate) const V2: &str = "/v2/public";
/// Before the first answer of all: waits between attempts, the wait for one answer, a request in all.
const FIRST_PATIENCE: Duration = Duration::from_secs(8);
const FIRST_TIMEOUT: Duration = Duration::from_secs(30);
const FIRST_WHOLE: Duration = Duration::from_secs(60);
/// Answers of one request that may stall or trickle before it is given up.
const SLOW_ATTEMPTS: u32 = 2;
/// A body that is sent is given this many bytes per second: how fast it leaves cannot be seen.
const SENT_PER_SECOND: u64 = 16_000;
/// An answer of unknown length may take so many times as long as a request in all.
const UNKNOWN_LENGTH: u32 = 6;

/// The connection to one domain, shared by a reader's clones and its writers.
pub(crate) struct Wire {
    http: tls::Clients,
    domain: Arc<str>,
    credential: Credential,
    identity: Arc<Identity>,
    patience: Duration,
    timeout: Duration,
    limits: Limits,
    /// The proxy to the domain.
    proxy: Option<Proxy>,
    pub read_only: bool,
    pub limiter: Limiter,
    pub counters: Counters,
    skew: AtomicI64,
    /// Seconds added to our clock in signatures, once it has proved wrong.
    correction: AtomicI64,
    pub connectivity: Connectivity,
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
        let http = tls::Clients::new(&settings);
        let url = reqwest::Url::parse(&settings.domain)
            .map_err(|error| ClientError::Bug(format!("{error} in the domain")))?;
        http.of(&url)?;
        Ok(Self {
            proxy: http.proxy(&url),
            http,
            domain: settings.domain.into(),
            identity: Arc::new(Identity::new(&settings.credential, &settings.origin)),
            credential: settings.credential,
            patience: settings.patience,
            timeout: settings.timeout,
            limits: settings.limits,
            read_only: settings.read_only,
            limiter: Limiter::new(settings.rate),
            counters: Counters::default(),
            skew: AtomicI64::new(NO_SKEW),
            correction: AtomicI64::new(0),
            connectivity: Connectivity::default(),
            answered: AtomicBool::new(false),
        })
    }

    /// How long one request may wait between its attempts. A platform that has never answered is rather
    /// a wrong address: no work is under way, and the user should see the error soon.
    pub fn patience(&self) -> Duration {
        self.until_answered(self.patience, FIRST_PATIENCE)
    }

    fn until_answered(&self, usual: Duration, first: Duration) -> Duration {
        if self.answered.load(Relaxed) {
            usual
        } else {
            usual.min(first)
        }
    }

    /// Sends a request until it has an answer that stands.
    pub async fn send(&self, call: &Call<'_>) -> Result<Bytes, ClientError> {
        let trace = call.trace();
        let mut waited = Duration::ZERO;
        let mut attempts = 0;
        let (mut corrections, mut slow) = (0, 0);
        let mut whole = Whole::begin(call);
        loop {
            attempts += 1;
            let turn = self.limiter.turn().await;
            self.counters.waited(turn.time);
            whole.allow(turn.time.saturating_sub(turn.paused));
            // A pause that another request caused counts as if the platform had asked it of this one.
            waited += turn.paused;
            self.counters.sent(call.door.is_some(), attempts == 1);
            let began = Instant::now();
            let mut clock = self.clock();
            let left = whole.left(self);
            let result = self.once(call, attempts, left, &mut clock).await;
            let failure = match result {
                Ok(bytes) => {
                    self.connectivity.clear();
                    tracing::debug!(
                        method = call.method, path = call.path(), name = call.name, %trace, attempts,
                        bytes = bytes.len(), ms = began.elapsed().as_millis(), "answered"
                    );
                    return Ok(bytes);
                }
                Err(failure) => failure,
            };
            if corrections < CORRECTIONS && self.corrects_clock(call, &failure, &clock) {
                corrections += 1;
                continue;
            }
            slow += u32::from(failure.trickles());
            let wait = retry::next(
                failure.again,
                (call.repeat, call.tries),
                attempts,
                waited,
                self.patience(),
            )
            .filter(|wait| *wait < whole.left(self) && slow < SLOW_ATTEMPTS);
            tracing::debug!(
                method = call.method, path = call.path(), name = call.name, %trace, attempts,
                again = wait.is_some(), error = %failure.error, "failed"
            );
            self.connectivity.note(&failure, wait);
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

    /// One attempt; `left`: how long the request may still take.
    async fn once(
        &self,
        call: &Call<'_>,
        attempts: u32,
        left: Duration,
        clock: &mut Clock,
    ) -> Result<Bytes, Failure> {
        let at = || self.at(call, attempts);
        let no = |error| Failure {
            error,
            again: Again::No,
        };
        let request = self.request(call, call.trace(), clock.used).await;
        let request = request.map_err(no)?;
        let http = self.http.of(request.url()).map_err(no)?;
        let patient = self.until_answered(self.timeout, FIRST_TIMEOUT) + call.sending();
        let limit = patient.min(left);
        let response = match timeout(limit, http.execute(request)).await {
            Ok(Ok(response)) => response,
            Ok(Err(error)) => return Err(transport(&error, at())),
            Err(_) => return Err(broken(Obstacle::Silent(limit), at())),
        };
        clock.reported = self.learn_time(response.headers());
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
            Err(why) => return Err(broken(why, at())),
        };
        self.answered.store(true, Relaxed);
        if call.legacy.is_some() {
            answer::legacy(status, &body, after, at())
        } else {
            answer::v2(status, body, after, at())
        }
    }

    /// The whole body, unpacked; `None` when it is larger than `limit` bytes, of which no more are read.
    async fn body(
        &self,
        response: reqwest::Response,
        limit: usize,
    ) -> Result<Option<Bytes>, Obstacle> {
        let announced = response.content_length();
        let packing = unpack::packing(response.headers());
        let unknown = self.limits.whole * UNKNOWN_LENGTH;
        let mut answer = pace::Body::new(response, self.limits, announced, unknown);
        let announced = usize::try_from(announced.unwrap_or_default()).unwrap_or(usize::MAX);
        let mut body = BytesMut::with_capacity(announced.min(limit).min(1 << 20));
        let mut much = announced > limit;
        while !much && let Some(chunk) = answer.chunk().await? {
            body.extend_from_slice(&chunk);
            much = body.len() > limit;
        }
        let body = match (much, packing) {
            (true, _) => None,
            (false, Some(packing)) => unpack::unpacked(packing, body.freeze(), limit)
                .await
                .map_err(|why| {
                    Obstacle::Broken(format!("the answer cannot be unpacked ({why})"))
                })?,
            (false, None) => Some(body.freeze()),
        };
        self.counters
            .received(body.as_ref().map_or(limit, Bytes::len));
        Ok(body.map(call::incoming))
    }

    fn at(&self, call: &Call<'_>, attempts: u32) -> At {
        let request = match call.name {
            Some(name) => format!("{} {} ({name})", call.method, call.path()),
            None => format!("{} {}", call.method, call.path()),
        };
        At(Box::new(Place {
            domain: Arc::clone(&self.domain),
            identity: Arc::clone(&self.identity),
            request,
            trace: call.trace().to_owned(),
            attempts,
            status: None,
            skew: self.skew(),
            proxy: self.proxy.as_ref().map(Proxy::to_string),
        }))
    }

    /// An error about the result of a call that went well on the wire.
    pub fn nonsense(&self, call: &Call<'_>, what: String) -> ClientError {
        ClientError::Nonsense {
            what,
            at: self.at(call, 1),
        }
    }
}

/// How long a request may take, its attempts and waits together.
struct Whole {
    began: Instant,
    /// What is not counted, or not ours to count: the rate that people set, and the body's way there.
    allowed: Duration,
}

impl Whole {
    fn begin(call: &Call<'_>) -> Self {
        Self {
            began: Instant::now(),
            allowed: call.sending(),
        }
    }

    fn allow(&mut self, time: Duration) {
        self.allowed += time;
    }

    fn left(&self, wire: &Wire) -> Duration {
        let whole = wire.until_answered(wire.limits.whole, FIRST_WHOLE);
        (whole + self.allowed).saturating_sub(self.began.elapsed())
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
                    ClientError::Unreachable { why, .. } => format!("{why}{}", at.via()),
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

/// The connection was made, and the answer did not come whole.
fn broken(why: Obstacle, at: At) -> Failure {
    Failure {
        again: Again::Unknown(None, false),
        error: ClientError::Unreachable { why, at },
    }
}

/// Whether a request that got no answer may be sent again.
fn again(error: &reqwest::Error, why: &Obstacle) -> Again {
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
