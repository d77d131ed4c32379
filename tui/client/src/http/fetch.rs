//! Files behind signed URLs: plain requests, and how fast their answers must come.

use super::retry::Again;
use super::{Wire, again, pace};
use crate::error::{ClientError, Obstacle};
use reqwest::header;
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
