//! One label row on its way upstream: compared with what the agent saw, made ready, saved in bundles, and
//! looked up when the answer of its save was lost.

use super::Writer;
use super::bundle::{Bundle, Doubt, Fate, Seen, WriteCounter};
use crate::error::ClientError;
use crate::http::Call;
use crate::labels::{ObjectFields, compare, merge_partial, saved_as, splice, transplant};
use bytes::Bytes;
use futures_util::future::BoxFuture;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use std::time::Duration;
use uuid::Uuid;
use wb_core::error::{Error, ErrorKind};
use wb_core::ids::ProjectHash;
use wb_core::work::wire::InitialiseOptions;
use wb_core::work::{Change, LabelBlob};

/// What the agent was given, read back from its own text.
#[derive(Deserialize)]
struct Document<'a> {
    #[serde(borrow)]
    labels: &'a RawValue,
    /// There when the agent was given only some of the labels.
    #[serde(default)]
    initialise: Option<InitialiseOptions>,
}

/// A row that is ready to be saved. Texts only: read as JSON a row takes several times as much memory.
pub(super) struct Ready {
    /// Index of the item.
    pub item: usize,
    hash: Uuid,
    /// The whole blob as it will be.
    pub body: String,
    /// What stood upstream right before.
    fresh: Bytes,
}

impl Writer {
    /// Compares a row with what the agent saw. `None`: it is already as it should be.
    pub(super) async fn decide(
        &self,
        project: ProjectHash,
        i: usize,
        item: &Change,
        raw: Bytes,
    ) -> Result<Option<Ready>, Fate> {
        let (Some(before), Some(after)) = (&item.before, &item.labels_after) else {
            return Err(refuse(ErrorKind::Bug, "no labels to save".to_owned()));
        };
        let document: Document<'_> = serde_json::from_str(&before.json).map_err(|error| {
            refuse(
                ErrorKind::Bug,
                format!("the row that the agent saw: {error}"),
            )
        })?;
        let ready = |hash, body, fresh| Ready {
            item: i,
            hash,
            body,
            fresh,
        };
        if document.initialise.is_none()
            && raw[..] == *document.labels.get().as_bytes()
            && let Some((hash, body)) = unchanged(document.labels.get(), after)
        {
            return Ok(Some(ready(hash, body, raw)));
        }
        let (after, seen) = (after.read(), read(document.labels.get().as_bytes())?);
        let fresh = read(&raw)?;
        let hash = hash_of(fresh.get("label_hash").and_then(Value::as_str))?;
        let (now, sent) = match &document.initialise {
            None => (None, transplant(fresh.clone(), &after)),
            Some(options) => {
                let part = self
                    .labels_now(project, &[hash], options)
                    .await
                    .take(hash, "label row")
                    .map_err(|failure| Fate::Refused(about_labels(failure)))?;
                let sent = merge_partial(fresh.clone(), &seen, &after);
                (Some(read(&part)?), sent)
            }
        };
        let now = now.as_ref().unwrap_or(&fresh);
        if !compare(now, &seen) {
            if saved_as(now, &after) {
                return Ok(None);
            }
            return Err(Fate::Conflict(who(&fresh)));
        }
        let sent = sent.map_err(|why| refuse(ErrorKind::Agent, why))?;
        Ok(Some(ready(hash, sent.to_string(), raw)))
    }
}

/// The usual row, which nobody has touched since the agent saw it: its hash and what is saved. `None` for one that
/// must be parsed.
fn unchanged(row: &str, after: &LabelBlob) -> Option<(Uuid, String)> {
    let hash = ObjectFields::parse(row)?.get("label_hash")?;
    let hash = serde_json::from_str(hash).ok()?;
    Some((hash, splice(row, after.as_str())?))
}

fn read(row: &[u8]) -> Result<Value, Fate> {
    serde_json::from_slice(row).map_err(|error| {
        let text = format!("the label row cannot be read: {error}");
        refuse(ErrorKind::Upstream, text)
    })
}

fn hash_of(text: Option<&str>) -> Result<Uuid, Fate> {
    text.and_then(|text| Uuid::parse_str(text).ok())
        .ok_or_else(|| {
            let text = "the label row has no `label_hash`".to_owned();
            refuse(ErrorKind::Upstream, text)
        })
}

fn refuse(kind: ErrorKind, text: String) -> Fate {
    Fate::Refused(about_labels(Error::new(kind, text)))
}

/// Who changed a row last and when, where the row has it.
fn who(row: &Value) -> String {
    let mut last: Option<(i64, String)> = None;
    newest(row, &mut last);
    let when = row.get("last_edited_at").and_then(Value::as_str);
    match (last, when) {
        (Some((_, who)), Some(when)) => format!("{who}, {when}"),
        (Some((_, who)), None) => who,
        (None, Some(when)) => format!("somebody else, {when}"),
        (None, None) => "somebody else".to_owned(),
    }
}

fn newest(value: &Value, last: &mut Option<(i64, String)>) {
    match value {
        Value::Array(list) => list.iter().for_each(|item| newest(item, last)),
        Value::Object(map) => {
            let text = |key: &str| map.get(key).and_then(Value::as_str);
            let by = text("lastEditedBy").or_else(|| text("createdBy"));
            let when = text("lastEditedAt").or_else(|| text("createdAt"));
            if let (Some(by), Some(when)) = (by, when.and_then(crate::time::parse_time))
                && last.as_ref().is_none_or(|(newest, _)| when.0 >= *newest)
            {
                *last = Some((when.0, crate::error::clean(by)));
            }
            map.values().for_each(|item| newest(item, last));
        }
        _ => {}
    }
}

pub(super) fn about_labels(mut failure: Error) -> Error {
    failure.summary = format!("the labels were not saved: {}", failure.summary);
    failure
}

/// Saves in one request.
pub(super) struct Saves<'a> {
    pub writer: &'a Writer,
    pub project: ProjectHash,
    pub rows: &'a [Ready],
}

impl Bundle for Saves<'_> {
    fn send<'a>(&'a self, members: &'a [usize]) -> BoxFuture<'a, Result<(), ClientError>> {
        Box::pin(async move {
            let body = save_body(self.rows, members);
            let call = Call::legacy("labelrow POST", self.project, body, Some(&self.writer.door));
            let answer = self.writer.reader.wire.send(&call).await?;
            self.writer.not_null(&call, &answer)
        })
    }

    fn look<'a>(
        &'a self,
        members: &'a [usize],
        _doubt: Doubt,
    ) -> BoxFuture<'a, Result<Vec<Seen>, ClientError>> {
        Box::pin(async move {
            let keys: Vec<Uuid> = members.iter().map(|i| self.rows[*i].hash).collect();
            let options = InitialiseOptions::default();
            let mut found = self.writer.labels_now(self.project, &keys, &options).await;
            let seen = members.iter().map(|i| {
                let row = &self.rows[*i];
                let part = match found.take(row.hash, "label row") {
                    Ok(part) => part,
                    Err(failure) => return Seen::Ended(Fate::Refused(failure)),
                };
                let read = |text: &[u8]| serde_json::from_slice::<Value>(text);
                let stored = match read(&part) {
                    Ok(stored) => stored,
                    // Whether it was saved is unknown.
                    Err(error) => {
                        let text = format!("the label row cannot be read: {error}");
                        let failure = Error::new(ErrorKind::Upstream, text);
                        return Seen::Ended(Fate::Refused(failure));
                    }
                };
                let (Ok(sent), Ok(fresh)) = (read(row.body.as_bytes()), read(&row.fresh)) else {
                    return Seen::Waiting; // both were read before
                };
                if saved_as(&stored, &sent) {
                    Seen::Arrived
                } else if compare(&stored, &fresh) {
                    Seen::Waiting
                } else {
                    Seen::Ended(Fate::Conflict(who(&stored)))
                }
            });
            Ok(seen.collect())
        })
    }

    fn pause(&self, time: Duration) -> BoxFuture<'_, ()> {
        Box::pin(self.writer.reader.wire.sleep(time))
    }

    fn counter(&self) -> &WriteCounter {
        &self.writer.counters.labels
    }
}

/// The request, joined from texts: a blob is written out once.
fn save_body(rows: &[Ready], members: &[usize]) -> Vec<u8> {
    let length: usize = members.iter().map(|i| rows[*i].body.len() + 45).sum();
    let mut body = String::with_capacity(length + 200);
    body.push_str(r#"{"query_type":"labelrow","query_method":"POST","values":{"uid":["#);
    for (n, i) in members.iter().enumerate() {
        body.push_str(if n == 0 { "\"" } else { ",\"" });
        body.push_str(&rows[*i].hash.to_string());
        body.push('"');
    }
    body.push_str(r#"],"payload":{"multi_request":true,"labels":["#);
    for (n, i) in members.iter().enumerate() {
        if n > 0 {
            body.push(',');
        }
        body.push_str(&rows[*i].body);
    }
    body.push_str(r#"],"validate_before_saving":false}}}"#);
    body.into_bytes()
}
