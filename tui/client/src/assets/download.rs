//! One file from a signed URL into the cache: resumed after a break, checked for its length, signed
//! again when the URL has expired.
//!
//! A signed URL is a secret: it appears in no error and no log.

use super::cache::{AssetCache, failed};
use super::item::Item;
use crate::error::ClientError;
use crate::http::retry::{ATTEMPTS, Again, Repeat, next};
use crate::http::{innermost, retry_after};
use crate::read::Reader;
use reqwest::header::{CONTENT_RANGE, ETAG, HeaderMap, LOCATION};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::io::{AsyncSeekExt, AsyncWriteExt};
use wb_core::ids::ItemId;
use wb_core::work::Downloaded;

/// How one attempt ended.
enum Pull {
    Complete(u64),
    /// The URL is no longer valid.
    Expired(u16),
    Retry(Again, String),
    Fail(String),
}

/// An unfinished download.
struct Part {
    path: PathBuf,
    file: tokio::fs::File,
    have: u64,
    etag: Option<String>,
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
        if let Some(size) = cache.hit(&path) {
            return Ok(found(size));
        }
        let turn = cache.turn(&path);
        let _turn = turn.lock().await;
        if let Some(size) = cache.hit(&path) {
            return Ok(found(size));
        }
        cache.make_room_for(&path)?;
        let mut part = Part::open(&path)?;
        let size = self.pull_until_done(item, cache, &mut part).await?;
        cache.keep(&part.path, &path, size)?;
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
        let error = |why: String, retry| ClientError::Download {
            item: format!("storage item {}", item.uuid),
            why,
            retry,
        };
        let mut url = item.signed_url.clone();
        let (mut signed, mut attempts, mut waited) = (0, 0, Duration::ZERO);
        let mut odd_size = None;
        loop {
            let address = match url.take() {
                Some(address) => address,
                None if signed < 2 => {
                    signed += 1;
                    let fresh = self.signed_item(ItemId(item.uuid)).await?;
                    fresh.signed_url.ok_or_else(|| {
                        error("the platform gives no address for it".to_owned(), false)
                    })?
                }
                None => return Err(error("its address expires at once".to_owned(), true)),
            };
            attempts += 1;
            let (again, why) = match self.pull(&address, cache.limit(), part).await? {
                Pull::Complete(size) => {
                    // A length other than the item's own may be a cut file, or the item may be
                    // kept in another form: two downloads of one length are believed.
                    let as_told = item.file_size.is_none_or(|told| told == size);
                    if as_told || odd_size == Some(size) {
                        return Ok(size);
                    }
                    odd_size = Some(size);
                    part.restart().await?;
                    let told = item.file_size.unwrap_or_default();
                    (
                        Again::Unknown(None, true),
                        format!("{size} bytes came where {told} were announced"),
                    )
                }
                Pull::Expired(status) => {
                    tracing::debug!(item = %item.uuid, status, "signing a download again");
                    continue;
                }
                Pull::Retry(again, why) => (again, why),
                Pull::Fail(why) => return Err(error(why, false)),
            };
            tracing::debug!(item = %item.uuid, attempts, have = part.have, why, "download broke");
            let patience = self.wire.patience();
            let Some(wait) = next(again, (Repeat::Safe, ATTEMPTS), attempts, waited, patience)
            else {
                return Err(error(format!("{why} ({attempts} attempts)"), true));
            };
            self.wire.sleep(wait).await;
            waited += wait;
            url = Some(address);
        }
    }

    /// One attempt, from where the last one broke off.
    async fn pull(&self, url: &str, limit: u64, part: &mut Part) -> Result<Pull, ClientError> {
        let mut response = match self.open(url, part).await {
            Ok(response) => response,
            Err(pull) => return Ok(pull),
        };
        let headers = response.headers();
        let total = match response.status().as_u16() {
            200 => {
                let total = response.content_length();
                part.etag = etag(headers);
                part.restart().await?;
                total
            }
            206 => match content_range(headers) {
                Some((start, total)) if start == part.have => total,
                _ => {
                    part.restart().await?;
                    let why = "another part came than was asked for".to_owned();
                    return Ok(Pull::Retry(Again::Unknown(None, true), why));
                }
            },
            416 => {
                part.restart().await?;
                let why = "the file has changed meanwhile".to_owned();
                return Ok(Pull::Retry(Again::Unknown(None, true), why));
            }
            status => return Ok(refused(status, headers)),
        };
        if let Some(total) = total.filter(|total| *total > limit) {
            return Ok(Pull::Fail(format!(
                "it has {total} bytes, and the cache is limited to {limit}"
            )));
        }
        loop {
            match response.chunk().await {
                Ok(Some(bytes)) => {
                    self.wire.counters.received(bytes.len());
                    part.write(&bytes).await?;
                    if part.have > limit {
                        return Ok(Pull::Fail(format!(
                            "it has more than the {limit} bytes that the cache is limited to"
                        )));
                    }
                }
                Ok(None) => break,
                Err(error) => {
                    part.flush().await?;
                    return Ok(Pull::Retry(Again::Unknown(None, false), innermost(&error)));
                }
            }
        }
        part.flush().await?;
        match total {
            Some(total) if total != part.have => Ok(Pull::Retry(
                Again::Unknown(None, false),
                format!("{} of {total} bytes came", part.have),
            )),
            _ => Ok(Pull::Complete(part.have)),
        }
    }

    /// Opens the URL and follows redirects, but never from https to http.
    async fn open(&self, url: &str, part: &Part) -> Result<reqwest::Response, Pull> {
        let senseless = || Pull::Fail("its address makes no sense".to_owned());
        let mut url = reqwest::Url::parse(url).map_err(|_| senseless())?;
        for _ in 0..6 {
            if !matches!(url.scheme(), "http" | "https") {
                return Err(senseless());
            }
            let range = (part.have > 0).then_some((part.have, part.etag.as_deref()));
            let response = self.wire.fetch(&url, range).await.map_err(|error| {
                let again = if error.is_connect() {
                    Again::Unsent
                } else {
                    Again::Unknown(None, false)
                };
                Pull::Retry(again, innermost(&error))
            })?;
            if !response.status().is_redirection() {
                return Ok(response);
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

fn refused(status: u16, headers: &HeaderMap) -> Pull {
    let why = format!("its store answered {status}");
    match status {
        400 | 401 | 403 | 410 => Pull::Expired(status),
        429 => Pull::Retry(Again::Limited(retry_after(headers)), why),
        408 | 500.. => Pull::Retry(Again::Unknown(retry_after(headers), true), why),
        _ => Pull::Fail(why),
    }
}

fn etag(headers: &HeaderMap) -> Option<String> {
    let tag = headers.get(ETAG)?.to_str().ok()?;
    // A weak one does not vouch for each byte.
    (!tag.starts_with("W/")).then(|| tag.to_owned())
}

/// First byte and total of `bytes 5-9/10`; the total may be `*`.
fn content_range(headers: &HeaderMap) -> Option<(u64, Option<u64>)> {
    let text = headers.get(CONTENT_RANGE)?.to_str().ok()?;
    let (range, total) = text.strip_prefix("bytes ")?.split_once('/')?;
    let (start, _) = range.split_once('-')?;
    Some((start.trim().parse().ok()?, total.trim().parse().ok()))
}

impl Part {
    /// Opens the unfinished download beside its place. When another process is at it, a file of our
    /// own is used.
    fn open(path: &Path) -> Result<Self, ClientError> {
        let mut name = path.as_os_str().to_owned();
        name.push(".part");
        let shared = PathBuf::from(name);
        let open = |path: &Path| {
            let mut options = File::options();
            options.create(true).truncate(false).read(true).write(true);
            #[cfg(unix)]
            {
                use std::os::unix::fs::OpenOptionsExt;
                options.mode(0o600);
            }
            options.open(path).map_err(|source| failed(path, source))
        };
        let file = open(&shared)?;
        let (path, file) = if file.try_lock().is_ok() {
            (shared, file)
        } else {
            let own = path.with_extension(format!("{}.part", uuid::Uuid::new_v4().simple()));
            let file = open(&own)?;
            (own, file)
        };
        // The bytes of an earlier process cannot be vouched for without their ETag.
        file.set_len(0).map_err(|source| failed(&path, source))?;
        Ok(Self {
            path,
            file: tokio::fs::File::from_std(file),
            have: 0,
            etag: None,
        })
    }

    async fn restart(&mut self) -> Result<(), ClientError> {
        self.have = 0;
        let path = &self.path;
        let failed = |source| failed(path, source);
        self.file.flush().await.map_err(failed)?;
        self.file.set_len(0).await.map_err(failed)?;
        self.file.rewind().await.map(drop).map_err(failed)
    }

    async fn write(&mut self, bytes: &[u8]) -> Result<(), ClientError> {
        let path = &self.path;
        self.file
            .write_all(bytes)
            .await
            .map_err(|source| failed(path, source))?;
        self.have += u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        Ok(())
    }

    async fn flush(&mut self) -> Result<(), ClientError> {
        let path = &self.path;
        self.file
            .flush()
            .await
            .map_err(|source| failed(path, source))
    }
}
