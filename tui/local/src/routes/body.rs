//! Request bodies: bounded each, bounded together, and refused in a way that the sender notices.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, BodyDataStream};
use axum::http::{HeaderMap, header};
use bytes::Bytes;
use futures_util::StreamExt as _;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::BODY_LIMIT;
use crate::error::{Refusal, invalid};

/// Bodies up to this many bytes are read at once; larger ones wait for room.
const SMALL: usize = 4 << 20;
/// How much of a body that is too large is read and thrown away, so that its sender, who may only
/// listen when everything is sent, hears why.
const THROWN_AWAY: usize = 1 << 30;
/// How long the next piece of a body may take.
const PATIENCE: Duration = Duration::from_secs(60);
/// BodyBudget is given in pieces of this many bytes.
const UNIT: usize = 1 << 20;

/// BodyBudget for large bodies: as much as the largest one needs, for all of them together.
pub(crate) struct BodyBudget(Arc<Semaphore>);

impl Default for BodyBudget {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(BODY_LIMIT / UNIT)))
    }
}

/// A body, and its room as long as this lives.
pub(super) struct Held {
    pub bytes: Bytes,
    _room: Option<OwnedSemaphorePermit>,
}

impl BodyBudget {
    async fn take(&self, bytes: usize) -> Option<OwnedSemaphorePermit> {
        let units = u32::try_from(bytes.div_ceil(UNIT)).ok()?;
        Arc::clone(&self.0).acquire_many_owned(units).await.ok()
    }

    /// Reads a body whole.
    pub(super) async fn read(&self, headers: &HeaderMap, body: Body) -> Result<Held, Refusal> {
        let announced = headers
            .get(header::CONTENT_LENGTH)
            .and_then(|v| v.to_str().ok()?.parse::<usize>().ok());
        let mut pieces = body.into_data_stream();
        if announced.is_some_and(|n| n > BODY_LIMIT) {
            // Who asks before sending has sent nothing yet.
            if !headers.contains_key(header::EXPECT) {
                throw_away(&mut pieces).await;
            }
            return Err(too_large());
        }
        let mut room = match announced {
            Some(length) if length > SMALL => self.take(length).await,
            _ => None,
        };
        let mut out = Vec::with_capacity(announced.unwrap_or_default());
        while let Some(piece) = next(&mut pieces).await? {
            let length = out.len() + piece.len();
            if length > BODY_LIMIT {
                drop(out);
                throw_away(&mut pieces).await;
                return Err(too_large());
            }
            if room.is_none() && length > SMALL {
                // Its length is not known before its end.
                room = self.take(BODY_LIMIT).await;
            }
            out.extend_from_slice(&piece);
        }
        Ok(Held {
            bytes: out.into(),
            _room: room,
        })
    }
}

async fn next(pieces: &mut BodyDataStream) -> Result<Option<Bytes>, Refusal> {
    match tokio::time::timeout(PATIENCE, pieces.next()).await {
        Ok(piece) => piece
            .transpose()
            .map_err(|e| invalid!("the body broke off: {e}")),
        Err(_) => Err(invalid!(
            "the rest of the body did not arrive within {} s",
            PATIENCE.as_secs()
        )),
    }
}

async fn throw_away(pieces: &mut BodyDataStream) {
    let mut left = THROWN_AWAY;
    while let Ok(Some(piece)) = next(pieces).await {
        match left.checked_sub(piece.len()) {
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
