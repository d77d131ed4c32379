//! Priorities and client metadata: values that are set, so that setting them twice does no harm. After a
//! lost answer or a refusal they are read: values that are already right are not set again.

use super::bundle::{Bundle, Doubt, Seen, WriteCounter};
use super::metadata::metadata_of_item;
use super::{Writer, to_bytes};
use crate::error::ClientError;
use crate::http::retry::Repeat;
use futures_util::future::BoxFuture;
use serde_json::{Map, Value, json};
use std::sync::Arc;
use std::time::Duration;
use wb_core::error::Error;
use wb_core::ids::{DataHash, ItemId, ProjectHash};
use wb_core::labels::same_priority;
use wb_core::work::RowMetadata;

/// A value that cannot be read is set again: that does no harm.
const fn seen(stands: bool) -> Seen {
    if stands { Seen::Arrived } else { Seen::Waiting }
}

/// Priorities by data unit; the branch selects the label row they are read from.
pub(crate) struct Priorities<'a> {
    pub writer: &'a Writer,
    pub project: ProjectHash,
    pub priorities: &'a [(DataHash, f64)],
    pub branches: &'a [Arc<str>],
}

impl Bundle for Priorities<'_> {
    fn send<'a>(&'a self, members: &'a [usize]) -> BoxFuture<'a, Result<(), ClientError>> {
        Box::pin(async move {
            let pairs: Vec<&(DataHash, f64)> =
                members.iter().map(|i| &self.priorities[*i]).collect();
            let body = to_bytes(&json!({"priorities": pairs}))?;
            let path = format!("/projects/{}/priorities", self.project);
            self.writer
                .write("POST", &path, body, Repeat::AskFirst)
                .await
        })
    }

    fn look<'a>(
        &'a self,
        members: &'a [usize],
        _doubt: Doubt,
    ) -> BoxFuture<'a, Result<Vec<Seen>, ClientError>> {
        Box::pin(async move {
            let units: Vec<_> = members
                .iter()
                .map(|i| (self.priorities[*i].0, Arc::clone(&self.branches[*i])))
                .collect();
            let rows = self.writer.reader.row_metadata(self.project, &units).await;
            let stands = |(i, row): (&usize, Result<RowMetadata, Error>)| {
                let now = row.ok().and_then(|row| row.priority);
                seen(now.is_some_and(|now| same_priority(now, self.priorities[*i].1)))
            };
            Ok(members.iter().zip(rows).map(stands).collect())
        })
    }

    fn pause(&self, time: Duration) -> BoxFuture<'_, ()> {
        Box::pin(self.writer.reader.wire.sleep(time))
    }

    fn counter(&self) -> &WriteCounter {
        &self.writer.counters.priorities
    }
}

/// Client metadata of storage items, each replaced as a whole.
pub(crate) struct Metadata<'a> {
    pub writer: &'a Writer,
    pub items: &'a [(ItemId, &'a Map<String, Value>)],
}

impl Bundle for Metadata<'_> {
    fn send<'a>(&'a self, members: &'a [usize]) -> BoxFuture<'a, Result<(), ClientError>> {
        Box::pin(async move {
            let mut patches = Map::new();
            for i in members {
                let (item, metadata) = &self.items[*i];
                patches.insert(item.to_string(), json!({"clientMetadata": metadata}));
            }
            let body = to_bytes(&json!({"itemPatches": patches}))?;
            let path = "/storage/items/patch-bulk";
            self.writer
                .write("PATCH", path, body, Repeat::AskFirst)
                .await
        })
    }

    fn look<'a>(
        &'a self,
        members: &'a [usize],
        _doubt: Doubt,
    ) -> BoxFuture<'a, Result<Vec<Seen>, ClientError>> {
        Box::pin(async move {
            let items: Vec<ItemId> = members.iter().map(|i| self.items[*i].0).collect();
            let now = self.writer.reader.items(&items, false).await;
            let stands = |(i, now): (&usize, Result<Arc<str>, Error>)| {
                let now = now.and_then(|now| metadata_of_item(&now));
                seen(now.is_ok_and(|now| now == *self.items[*i].1))
            };
            Ok(members.iter().zip(now).map(stands).collect())
        })
    }

    fn pause(&self, time: Duration) -> BoxFuture<'_, ()> {
        Box::pin(self.writer.reader.wire.sleep(time))
    }

    fn counter(&self) -> &WriteCounter {
        &self.writer.counters.metadata
    }
}
