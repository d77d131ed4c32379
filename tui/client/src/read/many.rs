//! Asking for many things of one kind at once; a refused question is split by halves until the
//! culprit is alone, so that one bad task never costs another.

use super::Reader;
use crate::error::{ClientError, Meaning};
use crate::http::retry::ATTEMPTS;
use crate::http::{Call, V2};
use bytes::Bytes;
use serde::Deserialize;
use serde_json::json;
use serde_json::value::RawValue;
use std::collections::HashMap;
use uuid::Uuid;
use wb_core::fault::Fault;
use wb_core::ids::ProjectHash;
use wb_core::work::wire::{IncludeOptions, InitialiseOptions};

/// Keys of one request.
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
    pub faults: HashMap<Uuid, Fault>,
    pub requests: usize,
}

impl Found {
    /// The one part of a key, or why there is none.
    pub fn take(&mut self, key: Uuid, what: &str) -> Result<Bytes, Fault> {
        match self.parts.remove(&key).and_then(|mut list| list.pop()) {
            Some(part) => Ok(part),
            None => Err(self.missing(key, what)),
        }
    }

    pub fn missing(&self, key: Uuid, what: &str) -> Fault {
        self.faults.get(&key).cloned().unwrap_or_else(|| {
            Fault::new(
                wb_core::fault::FaultKind::Upstream,
                format!("the platform has no {what} {key}, so the task cannot be handled"),
            )
        })
    }
}

impl Reader {
    /// Asks for all keys. Never fails as a whole: what could not be read has a fault of its own.
    pub(crate) async fn many(&self, project: ProjectHash, ask: Ask<'_>, keys: &[Uuid]) -> Found {
        let mut found = Found::default();
        let mut stack: Vec<&[Uuid]> = keys.chunks(CHUNK).rev().collect();
        let mut stopped: Option<Fault> = None;
        let (mut split, mut row) = (false, 0);
        while let Some(part) = stack.pop() {
            if let Some(fault) = &stopped {
                found
                    .faults
                    .extend(part.iter().map(|key| (*key, fault.clone())));
                continue;
            }
            found.requests += 1;
            match self.some(project, ask, part, split).await {
                Ok(parts) => {
                    row = 0;
                    for (key, bytes) in parts {
                        found.parts.entry(key).or_default().push(bytes);
                    }
                }
                Err(error) if error.meaning() != Meaning::Stop && part.len() > 1 => {
                    split = true;
                    let (first, second) = part.split_at(part.len() / 2);
                    stack.push(second);
                    stack.push(first);
                }
                Err(error) => {
                    let fault = Fault::from(&error);
                    let shared = matches!(
                        error,
                        ClientError::Forbidden { .. } | ClientError::Failing { .. }
                    );
                    row += u32::from(shared);
                    if error.meaning() == Meaning::Stop || row >= ROW {
                        stopped = Some(fault.clone());
                    }
                    found
                        .faults
                        .extend(part.iter().map(|key| (*key, fault.clone())));
                }
            }
        }
        found
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
        let call = call(project, ask, keys)?.tries(tries);
        let body = self.wire.send(&call).await?;
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
            let payload = json!({
                "edited_before": null, "edited_after": null, "label_statuses": null,
                "shadow_data_state": null, "include_uninitialised_labels": true,
                "data_hashes": keys, "label_hashes": null, "data_title_eq": null,
                "data_title_like": null, "workflow_graph_node_title_eq": null,
                "workflow_graph_node_title_like": null,
                "include_client_metadata": include.client_metadata,
                "include_images_data": include.images_data || images,
                "include_children": include.children,
                "include_workflow_graph_node": true,
                "include_all_label_branches": include.all_label_branches,
                "branch_name": branch, "client_metadata_as_signed_url": false,
            });
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

/// The envelope of a legacy request.
pub(crate) fn envelope(
    kind: &str,
    method: &str,
    uid: &serde_json::Value,
    payload: &serde_json::Value,
) -> serde_json::Value {
    json!({"query_type": kind, "query_method": method, "values": {"uid": uid, "payload": payload}})
}
