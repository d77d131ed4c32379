//! Reading from Encord: [`Reader`] and, beside it, one file for each kind of thing that is read.
//!
//! Nothing here can write; see `write` for the one door that can.

mod ahead;
mod datasets;
mod inputs;
pub(crate) mod lists;
mod made;
pub(crate) mod many;
mod me;
pub(crate) mod projects;
pub(crate) mod rows;
pub(crate) mod tasks;

pub(crate) use made::MadeItem;

use crate::error::ClientError;
use crate::http::stats::Stats;
use crate::http::{Call, V2, Wire};
use crate::settings::{Settings, SettingsError};
use crate::write::{Permission, Writer};
use serde::Deserialize;
use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::OnceCell;

/// Reads from one Encord domain with one key. Clones are cheap and share connections, limits and
/// counters.
#[derive(Clone)]
pub struct Reader {
    pub(crate) wire: Arc<Wire>,
    names: Arc<Names>,
    pace: Arc<many::Pace>,
    ahead: Arc<ahead::Ahead>,
    me: Arc<OnceCell<Option<Arc<str>>>>,
}

impl std::fmt::Debug for Reader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reader")
            .field("stats", &self.stats())
            .finish_non_exhaustive()
    }
}

impl Reader {
    /// Makes a reader; nothing is sent yet.
    ///
    /// # Errors
    /// [`ClientError::Settings`] for a senseless rate, [`ClientError::Bug`] when no HTTP client
    /// can be made.
    pub fn new(settings: Settings) -> Result<Self, ClientError> {
        Ok(Self {
            wire: Arc::new(Wire::new(settings)?),
            names: Arc::new(Names::default()),
            pace: Arc::new(many::Pace::default()),
            ahead: Arc::default(),
            me: Arc::default(),
        })
    }

    /// The only way to write. `permission` is who asked for it.
    ///
    /// # Errors
    /// [`ClientError::ReadOnly`] when the settings are read-only.
    pub fn writer(&self, permission: Permission) -> Result<Writer, ClientError> {
        if self.wire.read_only {
            return Err(ClientError::ReadOnly);
        }
        Ok(Writer::new(self.clone(), permission))
    }

    /// What went over the wire so far, writers included.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.wire.counters.read()
    }

    /// Sets the rate limit in requests per second from now on; `None` is unlimited.
    ///
    /// # Errors
    /// [`SettingsError::Rate`] for anything but a positive number.
    pub fn set_rate(&self, rate: Option<f64>) -> Result<(), ClientError> {
        if let Some(rate) = rate.filter(|rate| !rate.is_finite() || *rate <= 0.0) {
            return Err(SettingsError::Rate(rate).into());
        }
        self.wire.limiter.set_rate(rate);
        Ok(())
    }

    /// Seconds that the platform's clock is ahead of this machine's; `None` before any answer.
    #[must_use]
    pub fn clock_skew(&self) -> Option<i64> {
        self.wire.skew()
    }

    /// What stands between us and the platform at present: unreachable, failing, asking to wait.
    /// `None` after any answer.
    #[must_use]
    pub fn outage(&self) -> Option<crate::Outage> {
        self.wire.connectivity.read()
    }

    /// A bearer token for the owner of the key. It is a secret.
    ///
    /// # Errors
    /// As any request.
    pub async fn bearer_token(&self) -> Result<crate::settings::Bearer, ClientError> {
        #[derive(Deserialize)]
        struct Token {
            token: String,
        }
        let call = Call::get(format!("{V2}/user/bearer-token"));
        let body = self.wire.send(&call).await?;
        // The text of the error must not quote the body.
        let token: Token = serde_json::from_slice(&body)
            .map_err(|_| self.wire.nonsense(&call, "no `token` in it".to_owned()))?;
        Ok(crate::settings::Bearer::new(&token.token)?)
    }

    /// Reads the result of a call, naming what is missing or broken.
    pub(crate) fn parse<'de, T: Deserialize<'de>>(
        &self,
        call: &Call<'_>,
        what: &str,
        body: &'de [u8],
    ) -> Result<T, ClientError> {
        serde_json::from_slice(body).map_err(|error| {
            let whole = if error.is_syntax() || error.is_eof() {
                format!("{error} in {}", crate::http::answer::beginning(body))
            } else {
                // Read once more, slowly, to know where it is wrong.
                let mut again = serde_json::Deserializer::from_slice(body);
                let traced: Result<T, _> = serde_path_to_error::deserialize(&mut again);
                match traced {
                    Err(traced) if traced.path().iter().next().is_some() => {
                        format!("`{}`: {error}", traced.path())
                    }
                    _ => error.to_string(),
                }
            };
            let what = format!("{what}: {}", crate::error::clean(&whole));
            self.wire.nonsense(call, what)
        })
    }

    /// The token of the page after the one that `token` asked for; `None`: there is none.
    ///
    /// # Errors
    /// The page follows itself, so that nobody would ever reach the end.
    pub(crate) fn following(
        &self,
        call: &Call<'_>,
        token: Option<&str>,
        next: Option<String>,
    ) -> Result<Option<String>, ClientError> {
        let next = next.filter(|next| !next.is_empty());
        if next.is_some() && next.as_deref() == token {
            let what = "a page that follows itself".to_owned();
            return Err(self.wire.nonsense(call, what));
        }
        Ok(next)
    }

    pub(crate) fn names(&self) -> &Names {
        &self.names
    }
}

/// One page of anything.
#[derive(Deserialize)]
pub(crate) struct Page<T> {
    pub results: Vec<T>,
    #[serde(default, rename = "nextPageToken")]
    pub next: Option<String>,
}

/// Branch names and people: few of them, and each task bears some, so they are shared.
#[derive(Default)]
pub(crate) struct Names(Mutex<HashSet<Arc<str>>>);

impl Names {
    /// Beyond so many names sharing stops; the names themselves still work.
    const LIMIT: usize = 20_000;

    /// Shares the names of one page; the lock is taken once.
    pub fn with<T>(&self, work: impl FnOnce(&mut dyn FnMut(&str) -> Arc<str>) -> T) -> T {
        let mut set = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        work(&mut |name| match set.get(name) {
            Some(known) => Arc::clone(known),
            None => {
                let new: Arc<str> = name.into();
                if set.len() < Self::LIMIT {
                    set.insert(Arc::clone(&new));
                }
                new
            }
        })
    }
}
