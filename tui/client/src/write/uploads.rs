//! Texts on their way to the platform: places announced, files sent, and the job that makes items of them. Which items
//! are made, and what the calls are, is in `items`.

use super::bundle::{Bundle, Doubt, Seen, WriteCounter};
use super::{Writer, to_bytes};
use crate::error::{ClientError, clean};
use crate::http::retry::Repeat;
use crate::http::{Call, V2};
use crate::read::Page;
use bytes::Bytes;
use futures_util::future::BoxFuture;
use futures_util::{StreamExt, TryStreamExt, stream};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use uuid::Uuid;
use wb_core::ids::{FolderId, ItemId};
use wb_core::work::NewItem;

/// Files that are sent at the same time.
const AT_ONCE: usize = 8;
/// How long one question for the state of a job may wait for its end, in seconds.
const POLL: u64 = 20;
/// How long a job may take.
const JOB_TIME: Duration = Duration::from_secs(600);
/// The shortest time between two questions for the state of a job.
const PAUSE: Duration = Duration::from_millis(500);

/// A place for one upload. No `Debug`: the URL is a secret.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct UploadPlace {
    item_uuid: Uuid,
    object_key: String,
    signed_url: String,
    #[serde(default)]
    upload_headers: BTreeMap<String, String>,
    /// Whether the file is there.
    #[serde(skip)]
    sent: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct UploadJob {
    status: String,
    #[serde(default)]
    items_with_names: Vec<UploadedItem>,
    #[serde(default)]
    errors: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct UploadedItem {
    item_uuid: Uuid,
}

/// Items that are made in one folder.
pub(super) struct Uploads<'a> {
    writer: &'a Writer,
    folder: FolderId,
    items: &'a [&'a NewItem],
    /// The places that were announced, by member.
    places: Mutex<HashMap<usize, UploadPlace>>,
    /// The items that are there, by member.
    found: Mutex<HashMap<usize, ItemId>>,
}

impl<'a> Uploads<'a> {
    pub(super) fn new(writer: &'a Writer, folder: FolderId, items: &'a [&'a NewItem]) -> Self {
        Self {
            writer,
            folder,
            items,
            places: Mutex::default(),
            found: Mutex::default(),
        }
    }

    /// The items that are there, by member.
    pub(super) fn into_found(self) -> HashMap<usize, ItemId> {
        self.found
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl Uploads<'_> {
    /// A place for each of these that has none.
    async fn announce(&self, members: &[usize]) -> Result<(), ClientError> {
        let missing: Vec<usize> = {
            let places = lock(&self.places);
            let missing = members.iter().copied();
            missing.filter(|i| !places.contains_key(i)).collect()
        };
        if missing.is_empty() {
            return Ok(());
        }
        let writer = self.writer;
        let body = to_bytes(&json!({"itemType": "plainText", "count": missing.len()}))?;
        let target = format!("{V2}/storage/folders/{}/upload-signed-urls", self.folder);
        // Places that are never filled are nothing.
        let call = Call::write(&writer.door, "POST", target, body, Repeat::Safe);
        let answer = writer.reader.wire.send(&call).await?;
        let page: Page<UploadPlace> = writer.reader.parse(&call, "the places", &answer)?;
        if page.results.len() != missing.len() {
            let what = format!("{} places for {} files", page.results.len(), missing.len());
            return Err(writer.reader.wire.nonsense(&call, what));
        }
        lock(&self.places).extend(missing.into_iter().zip(page.results));
        Ok(())
    }

    async fn put(&self, i: usize) -> Result<(), ClientError> {
        let place = lock(&self.places).get(&i).cloned();
        let Some(place) = place.filter(|place| !place.sent) else {
            return Ok(());
        };
        let (item, wire) = (self.items[i], &self.writer.reader.wire);
        let headers = [("Content-Type", content_type(&item.title))].into_iter();
        let headers = headers.chain(place.upload_headers.iter().map(|(n, v)| (&**n, &**v)));
        let headers: Vec<(&str, &str)> = headers.collect();
        let body = Bytes::copy_from_slice(item.text.as_bytes());
        let door = &self.writer.door;
        let sent = wire.upload(door, &place.signed_url, &headers, body).await;
        if let Err((why, answered)) = sent {
            // The next attempt has a fresh place.
            lock(&self.places).remove(&i);
            return Err(ClientError::Upload {
                title: clean(&item.title),
                why,
                answered,
            });
        }
        if let Some(place) = lock(&self.places).get_mut(&i) {
            place.sent = true;
        }
        Ok(())
    }

    async fn start(&self, members: &[usize]) -> Result<Uuid, ClientError> {
        let text: Vec<Value> = {
            let places = lock(&self.places);
            let each = members.iter().filter_map(|i| {
                let (place, item) = (places.get(i)?, self.items[*i]);
                Some(json!({
                    "objectUrl": place.object_key, "title": item.title, "clientMetadata": item.metadata(),
                    "externalFileType": "PLAIN_TEXT", "placeholderItemUuid": place.item_uuid,
                }))
            });
            each.collect()
        };
        let body = to_bytes(&json!({"dataItems": {"text": text}, "ignoreErrors": false}))?;
        let target = format!("{V2}/storage/folders/{}/data-upload-jobs", self.folder);
        let writer = self.writer;
        let call = Call::write(&writer.door, "POST", target, body, Repeat::AskFirst);
        let answer = writer.reader.wire.send(&call).await?;
        writer.reader.parse(&call, "the upload job", &answer)
    }

    /// Waits for the end of a job, and keeps the items that it has made.
    async fn wait(&self, job: Uuid, members: &[usize]) -> Result<(), ClientError> {
        let (reader, began) = (&self.writer.reader, Instant::now());
        let failed = |why: String, answered| ClientError::Upload {
            title: clean(&self.items[members[0]].title),
            why,
            answered,
        };
        let folder = self.folder;
        let target =
            format!("{V2}/storage/folders/{folder}/data-upload-jobs/{job}?timeoutSeconds={POLL}");
        loop {
            let asked = Instant::now();
            let call = Call::get(target.clone());
            let answer = reader.wire.send(&call).await.map_err(in_doubt)?;
            let job: UploadJob = reader.parse(&call, "the upload job", &answer)?;
            match &*job.status {
                "PENDING" if began.elapsed() > JOB_TIME => {
                    let why = format!("its job has not ended after {} s", JOB_TIME.as_secs());
                    return Err(failed(why, false));
                }
                "PENDING" => {
                    let pause = PAUSE.saturating_sub(asked.elapsed());
                    reader.wire.sleep(pause).await;
                }
                "DONE" => {
                    let made = job.items_with_names.iter().map(|item| item.item_uuid);
                    let made: HashSet<Uuid> = made.collect();
                    let places = lock(&self.places);
                    let ours = members
                        .iter()
                        .filter_map(|i| Some((*i, places.get(i)?.item_uuid)));
                    let ours = ours.filter(|(_, id)| made.contains(id));
                    lock(&self.found).extend(ours.map(|(i, id)| (i, ItemId(id))));
                    return Ok(());
                }
                status => {
                    let errors: Vec<String> = job.errors.iter().map(|e| clean(e)).collect();
                    let why = match errors.is_empty() {
                        true => format!("its job ended as {}", clean(status)),
                        false => errors.join("; "),
                    };
                    return Err(failed(why, true));
                }
            }
        }
    }
}

impl Bundle for Uploads<'_> {
    fn send<'a>(&'a self, members: &'a [usize]) -> BoxFuture<'a, Result<(), ClientError>> {
        Box::pin(async move {
            self.announce(members).await?;
            stream::iter(members.to_vec())
                .map(|i| self.put(i))
                .buffer_unordered(AT_ONCE)
                .try_collect::<Vec<()>>()
                .await?;
            (self.writer.steps)("files");
            let job = self.start(members).await?;
            (self.writer.steps)("job");
            self.wait(job, members).await?;
            let unnamed = {
                let found = lock(&self.found);
                members.iter().any(|i| !found.contains_key(i))
            };
            // The platform has given other identities than it had announced.
            if unnamed {
                self.look(members, Doubt::None).await?;
            }
            Ok(())
        })
    }

    fn look<'a>(
        &'a self,
        members: &'a [usize],
        _doubt: Doubt,
    ) -> BoxFuture<'a, Result<Vec<Seen>, ClientError>> {
        Box::pin(async move {
            let items: Vec<&NewItem> = members.iter().map(|i| self.items[*i]).collect();
            let there = self.writer.reader.all_keyed_items(&items).await?;
            let mut found = lock(&self.found);
            let seen = members.iter().zip(there).map(|(i, there)| match there {
                Some(id) => {
                    found.insert(*i, id);
                    Seen::Arrived
                }
                None => Seen::Waiting,
            });
            Ok(seen.collect())
        })
    }

    fn pause(&self, time: Duration) -> BoxFuture<'_, ()> {
        Box::pin(self.writer.reader.wire.sleep(time))
    }

    fn counter(&self) -> &WriteCounter {
        &self.writer.counters.items
    }
}

/// A job whose state cannot be asked goes on without us.
fn in_doubt(error: ClientError) -> ClientError {
    match error {
        ClientError::Unreachable { why, at } => ClientError::Lost {
            why: format!("{why}{}", at.via()),
            answered: false,
            at,
        },
        other => other,
    }
}

/// The type of a text, by the ending of its title.
fn content_type(title: &str) -> &'static str {
    let ending = title.rsplit_once('.').map(|(_, ending)| ending);
    match ending.map(str::to_ascii_lowercase).as_deref() {
        Some("html" | "htm") => "text/html",
        Some("md") => "text/markdown",
        Some("csv") => "text/csv",
        Some("json") => "application/json",
        Some("xml") => "text/xml",
        _ => "text/plain",
    }
}

fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ending_of_the_title_decides_the_type() {
        let types = ["a.txt", "a", "a.b.HTML", "a.md", "a.json", "a.v2"].map(content_type);
        let plain = "text/plain";
        let wanted = [
            plain,
            plain,
            "text/html",
            "text/markdown",
            "application/json",
            plain,
        ];
        assert_eq!(types, wanted);
    }
}
