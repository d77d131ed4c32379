//! Reads request bodies, with a limit for each and for all together. A sender whose body is too large gets the
//! refusal even if it reads only after sending everything.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, BodyDataStream};
use axum::http::{HeaderMap, header};
use bytes::Bytes;
use futures_util::StreamExt as _;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::BODY_LIMIT;
use crate::error::{Refusal, invalid};

/// Bodies up to this size are read at once; larger ones wait for memory.
const SMALL: usize = 4 << 20;
/// How much of a body that is too large is read and discarded, so that a sender that reads only after
/// sending everything gets the refusal.
const DISCARDED: usize = 1 << 30;
/// How long the next chunk of a body may take.
const PATIENCE: Duration = Duration::from_secs(60);
/// Memory is reserved in units of this many bytes.
const UNIT: usize = 1 << 20;

/// Memory for all large bodies together: as much as the largest one needs.
pub(crate) struct BodyBudget(Arc<Semaphore>);

impl Default for BodyBudget {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(BODY_LIMIT / UNIT)))
    }
}

/// A body with its reserved memory.
pub(super) struct Held {
    pub bytes: Bytes,
    _reserved: Option<OwnedSemaphorePermit>,
}

impl BodyBudget {
    async fn take(&self, bytes: usize) -> Option<OwnedSemaphorePermit> {
        let units = u32::try_from(bytes.div_ceil(UNIT)).ok()?;
        Arc::clone(&self.0).acquire_many_owned(units).await.ok()
    }

    /// Reads a whole body.
    pub(super) async fn read(&self, headers: &HeaderMap, body: Body) -> Result<Held, Refusal> {
        let announced = headers
            .get(header::CONTENT_LENGTH)
            .and_then(|v| v.to_str().ok()?.parse::<usize>().ok());
        let mut chunks = body.into_data_stream();
        if announced.is_some_and(|n| n > BODY_LIMIT) {
            // A sender that asks first has not sent anything yet.
            if !headers.contains_key(header::EXPECT) {
                discard(&mut chunks).await;
            }
            return Err(too_large());
        }
        let mut reserved = match announced {
            Some(length) if length > SMALL => self.take(length).await,
            _ => None,
        };
        let mut out = Vec::with_capacity(announced.unwrap_or_default());
        while let Some(chunk) = next(&mut chunks).await? {
            let length = out.len() + chunk.len();
            if length > BODY_LIMIT {
                drop(out);
                discard(&mut chunks).await;
                return Err(too_large());
            }
            if reserved.is_none() && length > SMALL {
                // Its total length is unknown.
                reserved = self.take(BODY_LIMIT).await;
            }
            out.extend_from_slice(&chunk);
        }
        Ok(Held {
            bytes: out.into(),
            _reserved: reserved,
        })
    }
}

async fn next(chunks: &mut BodyDataStream) -> Result<Option<Bytes>, Refusal> {
    match tokio::time::timeout(PATIENCE, chunks.next()).await {
        Ok(chunk) => chunk
            .transpose()
            .map_err(|e| invalid!("the body ended early: {e}")),
        Err(_) => Err(invalid!(
            "the rest of the body did not arrive within {} s",
            PATIENCE.as_secs()
        )),
    }
}

async fn discard(chunks: &mut BodyDataStream) {
    let mut left = DISCARDED;
    while let Ok(Some(chunk)) = next(chunks).await {
        match left.checked_sub(chunk.len()) {
            Some(rest) => left = rest,
            None => return,
        }
    }
}

fn too_large() -> Refusal {
    Refusal::TooLarge(format!(
        "the body is larger than {} MB; send fewer rows at a time",
        BODY_LIMIT >> 20
    ))
}
