//! Making label rows for data units that have none yet, right before their labels are saved.

use super::bundle::{Bundle, Doubt, Fate, Seen, WriteCounter};
use super::{Writer, to_bytes};
use crate::error::ClientError;
use crate::http::Call;
use crate::read::many::envelope;
use bytes::Bytes;
use futures_util::future::BoxFuture;
use serde::Deserialize;
use serde_json::json;
use serde_json::value::RawValue;
use std::collections::HashMap;
use std::sync::Mutex;
use std::time::Duration;
use uuid::Uuid;
use wb_core::ids::ProjectHash;
use wb_core::work::wire::InitialiseOptions;

/// Label rows that do not exist yet, made in one request.
pub(super) struct Creates<'a> {
    pub writer: &'a Writer,
    pub project: ProjectHash,
    pub branch: &'a str,
    pub data: Vec<Uuid>,
    /// What the platform made, by data hash.
    pub made: Mutex<HashMap<Uuid, Bytes>>,
}

#[derive(Deserialize)]
struct Made {
    data_hash: Uuid,
}

impl Bundle for Creates<'_> {
    fn send<'a>(&'a self, members: &'a [usize]) -> BoxFuture<'a, Result<(), ClientError>> {
        Box::pin(async move {
            let data: Vec<Uuid> = members.iter().map(|i| self.data[*i]).collect();
            let payload =
                json!({"multi_request": true, "get_signed_url": false, "branch_name": self.branch});
            let body = to_bytes(&envelope("labelrow", "PUT", &json!(data), &payload))?;
            let door = Some(&self.writer.door);
            let call = Call::legacy("labelrow PUT", self.project, body, door);
            let reader = &self.writer.reader;
            let answer = reader.wire.send(&call).await?;
            self.writer.not_null(&call, &answer)?;
            let rows: Vec<&RawValue> = reader.parse(&call, "the new label rows", &answer)?;
            let mut made = HashMap::new();
            for row in rows {
                let raw = row.get().as_bytes();
                let key: Made = reader.parse(&call, "a new label row", raw)?;
                made.insert(key.data_hash, answer.slice_ref(raw));
            }
            if let Ok(mut all) = self.made.lock() {
                all.extend(made);
            }
            Ok(())
        })
    }

    /// A lost answer: rows that are there now are fetched, as if they had been given.
    fn look<'a>(
        &'a self,
        members: &'a [usize],
        _doubt: Doubt,
    ) -> BoxFuture<'a, Result<Vec<Seen>, ClientError>> {
        Box::pin(async move {
            let reader = &self.writer.reader;
            let units: Vec<_> = members
                .iter()
                .map(|i| (wb_core::ids::DataHash(self.data[*i]), self.branch.into()))
                .collect();
            let include = wb_core::work::wire::IncludeOptions::default();
            let (metas, _) = reader.metas(self.project, &units, &include).await;
            let hashes: Vec<Option<Uuid>> = metas
                .iter()
                .map(|meta| meta.as_ref().ok().and_then(|meta| Some(meta.label_hash?.0)))
                .collect();
            let keys: Vec<Uuid> = hashes.iter().flatten().copied().collect();
            let options = InitialiseOptions::default();
            let mut found = self.writer.labels_now(self.project, &keys, &options).await;
            let mut seen = Vec::with_capacity(members.len());
            for ((i, meta), hash) in members.iter().zip(metas).zip(hashes) {
                seen.push(match (meta, hash) {
                    (Err(failure), _) => Seen::Ended(Fate::Refused(failure)),
                    (Ok(_), None) => Seen::Waiting,
                    (Ok(_), Some(hash)) => match found.take(hash, "label row") {
                        Ok(row) => {
                            if let Ok(mut made) = self.made.lock() {
                                made.insert(self.data[*i], row);
                            }
                            Seen::Arrived
                        }
                        Err(failure) => Seen::Ended(Fate::Refused(failure)),
                    },
                });
            }
            Ok(seen)
        })
    }

    fn pause(&self, time: Duration) -> BoxFuture<'_, ()> {
        Box::pin(self.writer.reader.wire.sleep(time))
    }

    fn counter(&self) -> &WriteCounter {
        &self.writer.counters.creates
    }
}
