//! Files behind signed URLs: plain requests both ways, and how fast answers must come.

use super::call::sending;
use super::retry::{self, ATTEMPTS, Again, Repeat};
use super::{Wire, again, pace};
use crate::error::{ClientError, Obstacle, via};
use crate::write::Door;
use bytes::Bytes;
use reqwest::header;
use std::time::Duration;
use tokio::time::timeout;

impl Wire {
    /// A plain request to a signed URL, without our signature, counted. The URL is a secret.
    /// `range`: from which byte on, if the file is still the one of that validator.
    pub async fn fetch(
        &self,
        url: &reqwest::Url,
        range: Option<(u64, Option<&str>)>,
    ) -> Result<reqwest::Response, (Again, Obstacle)> {
        self.counters.sent(false, true);
        let bug = |error: ClientError| (Again::No, Obstacle::Broken(error.to_string()));
        let mut request = (self.http.of(url).map_err(bug)?)
            .get(url.clone())
            .header(header::ACCEPT_ENCODING, "identity");
        if let Some((start, validator)) = range {
            request = request.header(header::RANGE, format!("bytes={start}-"));
            if let Some(validator) = validator {
                request = request.header(header::IF_RANGE, validator);
            }
        }
        match timeout(self.timeout, request.send()).await {
            Ok(Ok(response)) => Ok(response),
            Ok(Err(error)) => {
                let why = Obstacle::of(&error);
                Err((again(&error, &why), why))
            }
            Err(_) => Err((Again::Unknown(None, false), Obstacle::Silent(self.timeout))),
        }
    }

    /// Sends a file to a signed URL, again where that makes sense: it replaces what was sent before. The URL is a secret.
    ///
    /// # Errors
    /// Why it was not taken, and whether a store answered.
    pub async fn upload(
        &self,
        _door: &Door,
        url: &str,
        headers: &[(&str, &str)],
        body: Bytes,
    ) -> Result<(), (String, bool)> {
        let senseless = |_| ("its address makes no sense".to_owned(), true);
        let url = reqwest::Url::parse(url).map_err(senseless)?;
        let (mut attempts, mut waited) = (0, Duration::ZERO);
        loop {
            attempts += 1;
            let (again, why, answered) = match self.put(&url, headers, body.clone()).await {
                Ok(status) if (200..300).contains(&status) => return Ok(()),
                Ok(status) => {
                    let again = match status {
                        429 => Again::Limited(None),
                        408 | 500.. => Again::Unknown(None, true),
                        _ => Again::No,
                    };
                    (again, format!("its store answered {status}"), true)
                }
                Err((again, why)) => {
                    let proxy = self.proxy_to(&url);
                    (again, format!("{why}{}", via(proxy.as_deref())), false)
                }
            };
            let limit = (Repeat::Safe, ATTEMPTS);
            match retry::next(again, limit, attempts, waited, self.patience()) {
                Some(wait) => {
                    self.sleep(wait).await;
                    waited += wait;
                }
                None => return Err((why, answered)),
            }
        }
    }

    async fn put(
        &self,
        url: &reqwest::Url,
        headers: &[(&str, &str)],
        body: Bytes,
    ) -> Result<u16, (Again, Obstacle)> {
        self.counters.sent(true, true);
        let bug = |error: ClientError| (Again::No, Obstacle::Broken(error.to_string()));
        let limit = self.timeout + sending(body.len());
        let mut request = self.http.of(url).map_err(bug)?.put(url.clone()).body(body);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        match timeout(limit, request.send()).await {
            Ok(Ok(response)) => Ok(response.status().as_u16()),
            Ok(Err(error)) => {
                let why = Obstacle::of(&error);
                Err((again(&error, &why), why))
            }
            Err(_) => Err((Again::Unknown(None, false), Obstacle::Silent(limit))),
        }
    }

    /// The body of an answer to [`Wire::fetch`]; `size` is its length where it is known.
    pub fn download(&self, response: reqwest::Response, size: Option<u64>) -> pace::Body {
        pace::Body::new(response, self.limits, size, self.limits.unknown)
    }

    /// So many bytes of a download that was too slow count as progress: twice what the floor asks for, so
    /// that one that trickles is given up even where it can be resumed.
    pub fn progress(&self) -> u64 {
        let window = self.limits.window.as_secs().max(1);
        self.limits.floor.saturating_mul(window).saturating_mul(2)
    }

    /// The proxy that a request to this address goes through, for people.
    pub fn proxy_to(&self, url: &reqwest::Url) -> Option<String> {
        self.http.proxy(url).map(|proxy| proxy.to_string())
    }
}
