//! Priorities and client metadata: values that are set, so that setting them twice does no harm. There
//! is nothing to look up after a lost answer; the bundle is sent again.

use super::bundle::{Bundle, Seen, Tally};
use super::{Writer, to_bytes};
use crate::error::ClientError;
use crate::http::retry::Repeat;
use futures_util::future::{BoxFuture, ready};
use serde_json::{Map, Value, json};
use std::time::Duration;
use wb_core::ids::{DataHash, ItemId, ProjectHash};

/// Priorities by data unit.
pub(crate) struct Priorities<'a> {
    pub writer: &'a Writer,
    pub project: ProjectHash,
    pub priorities: &'a [(DataHash, f64)],
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
        _members: &'a [usize],
        _doubt: bool,
    ) -> BoxFuture<'a, Result<Option<Vec<Seen>>, ClientError>> {
        Box::pin(ready(Ok(None)))
    }

    fn pause(&self, time: Duration) -> BoxFuture<'_, ()> {
        Box::pin(self.writer.reader.wire.sleep(time))
    }

    fn tally(&self) -> &Tally {
        &self.writer.tallies.priorities
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
        _members: &'a [usize],
        _doubt: bool,
    ) -> BoxFuture<'a, Result<Option<Vec<Seen>>, ClientError>> {
        Box::pin(ready(Ok(None)))
    }

    fn pause(&self, time: Duration) -> BoxFuture<'_, ()> {
        Box::pin(self.writer.reader.wire.sleep(time))
    }

    fn tally(&self) -> &Tally {
        &self.writer.tallies.metadata
    }
}
