//! Asking for many things of one kind at once; a refused question is split by halves until the
//! culprit is alone, so that one bad task never costs another.

use super::Reader;
use crate::error::{ClientError, Meaning};
use crate::http::retry::ATTEMPTS;
use crate::http::{Call, V2};
use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use serde::Deserialize;
use serde_json::json;
use serde_json::value::RawValue;
use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use uuid::Uuid;
use wb_core::error::{Error, ErrorKind};
use wb_core::ids::ProjectHash;
use wb_core::work::wire::{IncludeOptions, InitialiseOptions};

/// Keys of one request at most.
const CHUNK: usize = 300;
/// So many keys in a row that failed alone for reasons which look like everybody's: the rest is not
/// asked for.
const ROW: u32 = 5;

/// What is asked for.
#[derive(Clone, Copy)]
pub(crate) enum Ask<'a> {
    /// Row metadata by data hash.
    Rows {
        include: &'a IncludeOptions,
        images: bool,
        branch: Option<&'a str>,
    },
    /// Label blobs by label hash.
    Labels(&'a InitialiseOptions),
    /// Storage items by their identity, with signed URLs or without.
    Items { signed: bool },
}

/// What came back: each part as the bytes that the platform sent.
#[derive(Default)]
pub(crate) struct Found {
    pub parts: HashMap<Uuid, Vec<Bytes>>,
    pub errors: HashMap<Uuid, Error>,
    pub requests: usize,
}

impl Found {
    /// The one part of a key, or why there is none.
    pub fn take(&mut self, key: Uuid, what: &str) -> Result<Bytes, Error> {
        match self.parts.remove(&key).and_then(|mut list| list.pop()) {
            Some(part) => Ok(part),
            None => Err(self.missing(key, what)),
        }
    }

    pub fn missing(&self, key: Uuid, what: &str) -> Error {
        self.errors.get(&key).cloned().unwrap_or_else(|| {
            Error::new(
                ErrorKind::Upstream,
                format!("the platform has no {what} {key}, so the task cannot be handled"),
            )
        })
    }
}

/// Bytes of one answer that chunks are made for.
const TARGET: usize = 16_000_000;
/// An answer about several keys that is larger than this is not read: fewer are asked for instead.
const LARGEST: usize = 64_000_000;
/// Requests at the same time.
const AT_ONCE: usize = 3;
/// Keys of the first request for labels: their size is not known yet.
const FIRST: usize = 10;

/// How large the label rows of this platform are, learned from its answers; shared by a reader's clones.
#[derive(Default)]
pub(crate) struct Pace(AtomicUsize);

impl Pace {
    fn known(&self) -> bool {
        self.0.load(Relaxed) > 0
    }

    /// Keys of one request.
    fn chunk(&self) -> usize {
        match self.0.load(Relaxed) {
            0 => FIRST,
            each => (TARGET / each).clamp(1, CHUNK),
        }
    }

    /// An answer of `bytes` about `keys` keys: larger ones count at once, smaller ones little by little.
    fn learn(&self, bytes: usize, keys: usize) {
        let each = (bytes / keys.max(1)).max(1);
        let known = self.0.load(Relaxed);
        let next = if known == 0 {
            each
        } else {
            (known * 3 + each) / 4
        };
        self.0.store(next.max(each), Relaxed);
    }
}

/// What is still to be asked for, and what has come of the rest.
struct Asking<'k> {
    found: Found,
    stack: Vec<&'k [Uuid]>,
    stopped: Option<Error>,
    /// What the caller may not see.
    forbidden: Vec<Uuid>,
    /// Something was refused: the culprits are looked for one after the other.
    split: bool,
    /// Keys in a row that failed alone, see [`ROW`].
    row: u32,
}

impl<'k> Asking<'k> {
    /// The keys of the next request, at most `chunk` of them.
    fn next(&mut self, chunk: usize) -> Option<&'k [Uuid]> {
        let part = self.stack.pop()?;
        let (now, later) = part.split_at(part.len().min(chunk));
        if !later.is_empty() {
            self.stack.push(later);
        }
        Some(now)
    }

    fn settle(&mut self, part: &'k [Uuid], answer: Result<Vec<(Uuid, Bytes)>, ClientError>) {
        let error = match answer {
            Ok(parts) => {
                self.row = 0;
                for (key, bytes) in parts {
                    self.found.parts.entry(key).or_default().push(bytes);
                }
                return;
            }
            Err(error) => error,
        };
        let many = part.len() > 1;
        match &error {
            // Not an error: the pace has learned from it.
            ClientError::TooMuch { .. } if many => self.stack.push(part),
            _ if error.meaning() != Meaning::Stop && many => {
                self.split = true;
                let (first, second) = part.split_at(part.len() / 2);
                self.stack.push(second);
                self.stack.push(first);
            }
            _ => {
                let failure = Error::from(&error);
                let forbidden = matches!(error, ClientError::Forbidden { .. });
                if forbidden {
                    self.forbidden.extend(part);
                }
                let everybodys = forbidden && self.found.parts.is_empty();
                let shared = everybodys || matches!(error, ClientError::Failing { .. });
                self.row += u32::from(shared);
                if error.meaning() == Meaning::Stop || self.row >= ROW {
                    self.stopped = Some(failure.clone());
                }
                self.refuse(part, &failure);
            }
        }
    }

    fn refuse(&mut self, keys: &[Uuid], failure: &Error) {
        let errors = keys.iter().map(|key| (*key, failure.clone()));
        self.found.errors.extend(errors);
    }

    /// What was not asked for any more has the error that stopped it.
    fn done(mut self) -> Found {
        // Where others came, what is forbidden is the matter of its own task: the caller is known here.
        if !self.found.parts.is_empty() {
            for key in &self.forbidden {
                if let Some(failure) = self.found.errors.get_mut(key) {
                    *failure = Error::new(ErrorKind::Upstream, failure.summary.clone());
                }
            }
        }
        if let Some(failure) = self.stopped.take() {
            for part in std::mem::take(&mut self.stack) {
                self.refuse(part, &failure);
            }
        }
        self.found
    }
}

type Answer<'a> = BoxFuture<'a, (&'a [Uuid], Result<Vec<(Uuid, Bytes)>, ClientError>)>;

impl Reader {
    /// Asks for all keys, in requests whose answers are of a bearable size. Never fails as a whole: what
    /// could not be read has an error of its own.
    pub(crate) async fn many(&self, project: ProjectHash, ask: Ask<'_>, keys: &[Uuid]) -> Found {
        let mut asking = Asking {
            found: Found::default(),
            stack: if keys.is_empty() {
                Vec::new()
            } else {
                vec![keys]
            },
            stopped: None,
            forbidden: Vec::new(),
            split: false,
            row: 0,
        };
        let paced = matches!(ask, Ask::Labels(_));
        let mut under_way: FuturesUnordered<Answer<'_>> = FuturesUnordered::new();
        loop {
            let careful = asking.split || paced && !self.pace.known();
            let at_once = if careful { 1 } else { AT_ONCE };
            while under_way.len() < at_once && asking.stopped.is_none() {
                let chunk = if paced { self.pace.chunk() } else { CHUNK };
                let Some(part) = asking.next(chunk) else {
                    break;
                };
                asking.found.requests += 1;
                let split = asking.split;
                under_way.push(Box::pin(async move {
                    (part, self.some(project, ask, part, split).await)
                }));
            }
            let Some((part, answer)) = under_way.next().await else {
                return asking.done();
            };
            asking.settle(part, answer);
        }
    }

    async fn some(
        &self,
        project: ProjectHash,
        ask: Ask<'_>,
        keys: &[Uuid],
        split: bool,
    ) -> Result<Vec<(Uuid, Bytes)>, ClientError> {
        // Halves of what has failed five times are not tried five times each.
        let tries = if split { 2 } else { ATTEMPTS };
        let mut call = call(project, ask, keys)?.tries(tries);
        if keys.len() > 1 {
            call = call.limit(LARGEST);
        }
        let paced = matches!(ask, Ask::Labels(_));
        let body = match self.wire.send(&call).await {
            Err(error @ ClientError::TooMuch { .. }) => {
                self.pace.learn(LARGEST, keys.len());
                return Err(error);
            }
            other => other?,
        };
        if paced {
            self.pace.learn(body.len(), keys.len());
        }
        let raw: Vec<&RawValue> = match ask {
            Ask::Items { .. } => {
                #[derive(Deserialize)]
                struct Raw<'a> {
                    #[serde(borrow)]
                    results: Vec<&'a RawValue>,
                }
                self.parse::<Raw<'_>>(&call, "the storage items", &body)?
                    .results
            }
            _ => self
                .parse::<Option<Vec<&RawValue>>>(&call, "the label rows", &body)?
                .unwrap_or_default(),
        };
        let mut parts = Vec::with_capacity(raw.len());
        for part in raw {
            let key: Key = self.parse(&call, "an entry", part.get().as_bytes())?;
            let key = match ask {
                Ask::Rows { .. } => key.data_hash,
                Ask::Labels(_) => key.label_hash,
                Ask::Items { .. } => key.uuid,
            };
            let Some(key) = key else {
                return Err(self
                    .wire
                    .nonsense(&call, "an entry without its identity".to_owned()));
            };
            parts.push((key, body.slice_ref(part.get().as_bytes())));
        }
        Ok(parts)
    }
}

/// The identities that an entry may bear.
#[derive(Deserialize)]
struct Key {
    #[serde(default)]
    data_hash: Option<Uuid>,
    #[serde(default)]
    label_hash: Option<Uuid>,
    #[serde(default)]
    uuid: Option<Uuid>,
}

fn call(project: ProjectHash, ask: Ask<'_>, keys: &[Uuid]) -> Result<Call<'static>, ClientError> {
    let bytes = |value: &serde_json::Value| {
        serde_json::to_vec(value).map_err(|error| ClientError::Bug(error.to_string()))
    };
    Ok(match ask {
        Ask::Rows {
            include,
            images,
            branch,
        } => {
            let payload = row_metadata(json!({
                "data_hashes": keys,
                "include_client_metadata": include.client_metadata,
                "include_images_data": include.images_data || images,
                "include_children": include.children,
                "include_all_label_branches": include.all_label_branches,
                "branch_name": branch,
            }));
            let body = envelope("labelrowmetadata", "GET", &json!(null), &payload);
            Call::legacy("labelrowmetadata GET", project, bytes(&body)?, None)
        }
        Ask::Labels(options) => {
            let payload = json!({
                "get_signed_url": options.include_signed_url, "multi_request": true,
                "include_object_feature_hashes": options.include_object_feature_hashes,
                "include_classification_feature_hashes": options.include_classification_feature_hashes,
                "include_reviews": options.include_reviews,
                "include_export_history": false, "include_archived": false,
            });
            let body = envelope("labelrow", "GET", &json!(keys), &payload);
            Call::legacy("labelrow GET", project, bytes(&body)?, None)
        }
        Ask::Items { signed } => {
            let body = json!({"itemUuids": keys, "signUrls": signed});
            Call::ask(format!("{V2}/storage/items/get-bulk"), bytes(&body)?)
        }
    })
}

/// The payload of `labelrowmetadata`, which has all keys whatever is asked for.
pub(super) fn row_metadata(asked: serde_json::Value) -> serde_json::Value {
    let mut payload = json!({
        "edited_before": null, "edited_after": null, "label_statuses": null,
        "shadow_data_state": null, "include_uninitialised_labels": true,
        "data_hashes": null, "label_hashes": null, "data_title_eq": null,
        "data_title_like": null, "workflow_graph_node_title_eq": null,
        "workflow_graph_node_title_like": null, "include_client_metadata": false,
        "include_images_data": false, "include_children": false,
        "include_workflow_graph_node": true, "include_all_label_branches": false,
        "branch_name": null, "client_metadata_as_signed_url": false,
    });
    if let (Some(payload), serde_json::Value::Object(asked)) = (payload.as_object_mut(), asked) {
        payload.extend(asked);
    }
    payload
}

/// The envelope of a legacy request.
pub(crate) fn envelope(
    kind: &str,
    method: &str,
    uid: &serde_json::Value,
    payload: &serde_json::Value,
) -> serde_json::Value {
    json!({"query_type": kind, "query_method": method, "values": {"uid": uid, "payload": payload}})
}
