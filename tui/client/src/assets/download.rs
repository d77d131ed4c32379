//! One file from a signed URL into the cache: resumed after a break and by a later process, checked for
//! its length, signed again when the URL has expired.
//!
//! A signed URL is a secret: it appears in no error and no log.

use super::cache::{AssetCache, failed};
use super::content::Promised;
use super::item::Item;
use super::judge::{Odd, failed_item, judge};
use super::part::Part;
use crate::error::{ClientError, via};
use crate::http::retry::{ATTEMPTS, Again, Repeat, next};
use crate::http::{retry_after, unpack};
use crate::read::Reader;
use reqwest::header::{CONTENT_RANGE, ETAG, HeaderMap, LAST_MODIFIED, LOCATION};
use std::path::PathBuf;
use std::time::Duration;
use wb_core::ids::ItemId;
use wb_core::work::Downloaded;

/// How one attempt ended.
enum Pull {
    Complete,
    /// The URL is no longer valid.
    Expired(u16),
    Retry(Again, String),
    /// Given up because it was too slow, or came to a halt.
    Slow(String),
    Fail(String),
}

/// How often and how long a download was tried again.
#[derive(Default)]
struct Tries {
    attempts: u32,
    waited: Duration,
    /// The most bytes that there were: whoever gets further may go on.
    furthest: u64,
}

impl Tries {
    /// How long to wait for the next attempt; `None`: give up. `step`: so many new bytes are progress.
    fn next(&mut self, again: Again, have: u64, step: u64, patience: Duration) -> Option<Duration> {
        if have >= self.furthest.saturating_add(step) {
            (self.attempts, self.waited, self.furthest) = (1, Duration::ZERO, have);
        }
        let wait = next(
            again,
            (Repeat::Safe, ATTEMPTS),
            self.attempts,
            self.waited,
            patience,
        )?;
        self.waited += wait;
        Some(wait)
    }
}

/// So many fresh addresses are asked for while nothing comes.
const SIGNED: u32 = 2;

/// The fresh addresses that were asked for.
#[derive(Default)]
struct Fresh {
    asked: u32,
    /// The store's last answer for an address.
    status: Option<u16>,
    /// The bytes that there were when it was asked last: a long download outlives several addresses.
    have: u64,
}

impl Fresh {
    /// Counts one more; gives the store's answer where it is its last word.
    fn refused(&mut self, have: u64) -> Option<u16> {
        if have > self.have {
            (self.asked, self.have) = (0, have);
        }
        self.asked += 1;
        self.status.filter(|_| self.asked > SIGNED)
    }
}

impl Reader {
    /// Downloads an item's file, or finds it in the cache.
    pub(crate) async fn download_item(
        &self,
        item: &Item,
        cache: &AssetCache,
    ) -> Result<Downloaded, ClientError> {
        let path = cache.path(item);
        let found = |size| Downloaded {
            path: path.clone(),
            size,
            cached: true,
        };
        if let Some(size) = cache.hit(item, &path) {
            return Ok(found(size));
        }
        let turn = cache.turn(&path);
        let _turn = turn.lock().await;
        if let Some(size) = cache.hit(item, &path) {
            return Ok(found(size));
        }
        cache.make_room_for(&path)?;
        let mut part = opened(path.clone()).await?;
        let size = match self.pull_until_done(item, cache, &mut part).await {
            Ok(size) => size,
            Err(error) => {
                // The next process goes on from here.
                part.note()?;
                return Err(error);
            }
        };
        part.finish().await?;
        cache.keep(part.path(), &path, size)?;
        Ok(Downloaded {
            path,
            size,
            cached: false,
        })
    }

    async fn pull_until_done(
        &self,
        item: &Item,
        cache: &AssetCache,
        part: &mut Part,
    ) -> Result<u64, ClientError> {
        let failed = |why: String, retry, answered| failed_item(item, why, retry, answered);
        let mut url = item.signed_url.clone();
        let (mut fresh, mut tries) = (Fresh::default(), Tries::default());
        let mut odd: Option<Odd> = None;
        loop {
            let address = match url.take() {
                Some(address) => address,
                None => self.sign_again(item, &mut fresh, part.have()).await?,
            };
            tries.attempts += 1;
            let (again, why, step) = match self.pull(&address, item, cache.limit(), part).await? {
                Pull::Complete => {
                    let now = match judge(item, cache.limit(), part).await? {
                        Ok(size) => return Ok(size),
                        Err(now) => now,
                    };
                    if let Some(size) = now.believed(odd.as_ref()) {
                        return Ok(size);
                    }
                    part.restart()?;
                    if odd.is_some() {
                        let why = format!("{}, twice", now.why);
                        return Err(failed(why, false, true));
                    }
                    // From another address: the old one may lead to a login page.
                    tracing::debug!(item = %item.uuid, why = now.why, "downloading an odd file again");
                    odd = Some(now);
                    continue;
                }
                Pull::Expired(status) => {
                    tracing::debug!(item = %item.uuid, status, "signing a download again");
                    fresh.status = Some(status);
                    continue;
                }
                Pull::Retry(again, why) => (again, why, 1),
                Pull::Slow(why) => (Again::Unknown(None, true), why, self.wire.progress()),
                Pull::Fail(why) => return Err(failed(why, false, true)),
            };
            tracing::debug!(item = %item.uuid, attempts = tries.attempts, have = part.have(), why, "download broke");
            let Some(wait) = tries.next(again, part.have(), step, self.wire.patience()) else {
                return Err(failed(
                    format!("{why} ({} attempts)", tries.attempts),
                    again != Again::No,
                    matches!(again, Again::Unknown(_, true)),
                ));
            };
            self.wire.sleep(wait).await;
            url = Some(address);
        }
    }

    /// A fresh address of the item's file.
    async fn sign_again(
        &self,
        item: &Item,
        fresh: &mut Fresh,
        have: u64,
    ) -> Result<String, ClientError> {
        // A store gives the same answer for an expired address and for a deleted file.
        if let Some(status) = fresh.refused(have) {
            let why = format!(
                "its store answered {status}, to a fresh address too: the file is gone, or its store lets \
                 nobody read it"
            );
            return Err(failed_item(item, why, false, true));
        }
        let again = self.signed_item(ItemId(item.uuid)).await;
        let again = again.map_err(|error| error.about(&format!("storage item {}", item.uuid)))?;
        again.signed_url.ok_or_else(|| {
            let why = "the platform gives no address for it".to_owned();
            failed_item(item, why, false, true)
        })
    }

    /// One attempt, from where the last one broke off.
    async fn pull(
        &self,
        url: &str,
        item: &Item,
        limit: u64,
        part: &mut Part,
    ) -> Result<Pull, ClientError> {
        let (response, proxy) = match self.open(url, part).await {
            Ok(response) => response,
            Err(pull) => return Ok(pull),
        };
        if let Some(pull) = begin(&response, part)? {
            return Ok(pull);
        }
        if let Some(total) = part.total.filter(|total| *total > limit) {
            return Ok(Pull::Fail(format!(
                "it has {total} bytes, and the cache is limited to {limit}"
            )));
        }
        let size = part.total.or(item.file_size);
        let mut body = self.wire.download(response, size);
        loop {
            match body.chunk().await {
                Ok(Some(bytes)) => {
                    self.wire.counters.received(bytes.len());
                    part.write(&bytes)?;
                    if part.have() > limit {
                        return Ok(Pull::Fail(format!(
                            "it has more than the {limit} bytes that the cache is limited to"
                        )));
                    }
                }
                Ok(None) => break,
                Err(why) => {
                    let text = format!("{why}{}", via(proxy.as_deref()));
                    return Ok(if why.is_slow() {
                        Pull::Slow(text)
                    } else {
                        Pull::Retry(Again::Unknown(None, true), text)
                    });
                }
            }
        }
        match part.total {
            Some(total) if total != part.have() => Ok(Pull::Retry(
                Again::Unknown(None, true),
                format!("{} of {total} bytes came", part.have()),
            )),
            _ => Ok(Pull::Complete),
        }
    }

    /// Opens the URL and follows redirects, but never from https to http. Gives the answer, and the proxy
    /// that it came through.
    async fn open(
        &self,
        url: &str,
        part: &Part,
    ) -> Result<(reqwest::Response, Option<String>), Pull> {
        let senseless = || Pull::Fail("its address makes no sense".to_owned());
        let mut url = reqwest::Url::parse(url).map_err(|_| senseless())?;
        for _ in 0..6 {
            if !matches!(url.scheme(), "http" | "https") {
                return Err(senseless());
            }
            let range = (part.have() > 0).then_some((part.have(), part.validator.as_deref()));
            let proxy = self.wire.proxy_to(&url);
            let response = self.wire.fetch(&url, range).await.map_err(|(again, why)| {
                Pull::Retry(again, format!("{why}{}", via(proxy.as_deref())))
            })?;
            if response.status().as_u16() == 407 {
                let why = "it requires a user name and a password (407)";
                return Err(Pull::Fail(format!("{why}{}", via(proxy.as_deref()))));
            }
            if !response.status().is_redirection() {
                return Ok((response, proxy));
            }
            let location = response.headers().get(LOCATION);
            let next = location
                .and_then(|value| value.to_str().ok())
                .and_then(|value| url.join(value).ok())
                .ok_or_else(senseless)?;
            if url.scheme() == "https" && next.scheme() != "https" {
                return Err(Pull::Fail(
                    "its address leads from https to http".to_owned(),
                ));
            }
            url = next;
        }
        Err(Pull::Fail("its address leads in circles".to_owned()))
    }
}

/// Opens the unfinished download where blocking is fine: its bytes may be many.
async fn opened(path: PathBuf) -> Result<Part, ClientError> {
    let place = path.clone();
    tokio::task::spawn_blocking(move || Part::open(&path))
        .await
        .unwrap_or_else(|error| Err(failed(&place, std::io::Error::other(error))))
}

/// Reads the head of an answer: what comes is the whole file, or what is missing of it. Gives how the
/// attempt ends where neither is true.
fn begin(response: &reqwest::Response, part: &mut Part) -> Result<Option<Pull>, ClientError> {
    let headers = response.headers();
    match response.status().as_u16() {
        200 => {
            part.restart()?;
            part.validator = validator(headers);
            part.total = response.content_length();
            part.promised = Promised::read(headers, true);
            part.packing = unpack::packing(headers);
            Ok(None)
        }
        206 => match content_range(headers) {
            Some((start, total))
                if start == part.have() && (part.total.is_none() || part.total == total) =>
            {
                part.total = total;
                part.promised = Promised::read(headers, false);
                part.packing = unpack::packing(headers);
                Ok(None)
            }
            _ => {
                part.restart()?;
                let why = "another part came than was asked for".to_owned();
                Ok(Some(Pull::Retry(Again::Unknown(None, true), why)))
            }
        },
        416 => {
            part.restart()?;
            let why = "the file has changed meanwhile".to_owned();
            Ok(Some(Pull::Retry(Again::Unknown(None, true), why)))
        }
        status => Ok(Some(refused(status, headers))),
    }
}

fn refused(status: u16, headers: &HeaderMap) -> Pull {
    let why = format!("its store answered {status}");
    match status {
        400 | 401 | 403 | 410 => Pull::Expired(status),
        429 => Pull::Retry(Again::Limited(retry_after(headers)), why),
        408 | 500.. => Pull::Retry(Again::Unknown(retry_after(headers), true), why),
        _ => Pull::Fail(why),
    }
}

/// What vouches for each byte of the file: a strong `ETag`, else the date of its last change.
fn validator(headers: &HeaderMap) -> Option<String> {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let tag = text(ETAG).filter(|tag| !tag.starts_with("W/"));
    tag.or_else(|| text(LAST_MODIFIED)).map(str::to_owned)
}

/// First byte and total of `bytes 5-9/10`; the total may be `*`.
fn content_range(headers: &HeaderMap) -> Option<(u64, Option<u64>)> {
    let text = headers.get(CONTENT_RANGE)?.to_str().ok()?;
    let (range, total) = text.strip_prefix("bytes ")?.split_once('/')?;
    let (start, _) = range.split_once('-')?;
    Some((start.trim().parse().ok()?, total.trim().parse().ok()))
}
