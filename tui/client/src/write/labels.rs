//! Saving label rows: each is looked at again right before its save, and a row that somebody else
//! has changed since the agent saw it is left alone.
//!
//! The remaining window is the time between that look and the save of the same rows, one request
//! later: the platform has no version check.

use super::Writer;
use super::bundle::{Bundle, Fate, Seen, drive};
use super::create::Creates;
use crate::error::ClientError;
use crate::http::Call;
use crate::labels::{compare, merge_partial, saved_as, transplant};
use crate::read::many::{Ask, Found};
use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use std::collections::{HashMap, HashSet};
use std::sync::Mutex;
use std::time::Duration;
use uuid::Uuid;
use wb_core::fault::{Fault, FaultKind};
use wb_core::ids::ProjectHash;
use wb_core::work::CommitItem;
use wb_core::work::wire::InitialiseOptions;

/// Rows of one save.
const SAVE: usize = 100;
/// Saves at the same time; their rows are different ones.
const AT_ONCE: usize = 3;
/// Bytes of one save, beyond which its rows are sent in several requests.
const SAVE_BYTES: usize = 16_000_000;

/// What the agent was given, read back from its own text.
#[derive(Deserialize)]
struct Document<'a> {
    #[serde(borrow)]
    labels: &'a RawValue,
    /// There when the agent was given only some of the labels.
    #[serde(default)]
    initialise: Option<InitialiseOptions>,
}

/// A row that is ready to be saved.
struct Ready {
    /// Index of the item.
    item: usize,
    hash: Uuid,
    /// The whole blob as text.
    body: String,
    /// What stood upstream right before, and what will.
    fresh: Value,
    sent: Value,
}

impl Writer {
    /// Saves the labels of those items that have any; the index of each with its fate.
    pub(super) async fn save_labels(
        &self,
        project: ProjectHash,
        items: &[CommitItem],
    ) -> Vec<(usize, Fate)> {
        let mut fates = Vec::new();
        let mut waiting: Vec<usize> = (0..items.len())
            .filter(|i| items[*i].labels_after.is_some())
            .collect();
        while !waiting.is_empty() {
            // Two tasks may share a label row: the later one is looked at after the earlier is saved.
            let mut rows = HashSet::new();
            let (now, later): (Vec<usize>, Vec<usize>) = waiting
                .into_iter()
                .partition(|i| rows.insert((items[*i].data, items[*i].branch.as_ref())));
            // Collected first: a stream over a borrowing closure is not general enough to be spawned.
            let chunks: Vec<_> = now
                .chunks(SAVE)
                .map(|chunk| Box::pin(self.save_chunk(project, items, chunk)))
                .collect();
            let saved: Vec<Vec<(usize, Fate)>> = futures_util::stream::iter(chunks)
                .buffered(AT_ONCE)
                .collect()
                .await;
            fates.extend(saved.into_iter().flatten());
            waiting = later;
        }
        fates
    }

    async fn save_chunk(
        &self,
        project: ProjectHash,
        items: &[CommitItem],
        chunk: &[usize],
    ) -> Vec<(usize, Fate)> {
        let mut fates = Vec::with_capacity(chunk.len());
        let mut fresh = self.fresh_rows(project, items, chunk).await;
        (self.steps)("rows");
        let mut ready = Vec::with_capacity(chunk.len());
        for &i in chunk {
            let row = match fresh.remove(&i) {
                Some(Ok(row)) => row,
                Some(Err(fault)) => {
                    fates.push((i, Fate::Refused(about_labels(fault))));
                    continue;
                }
                None => continue,
            };
            match self.decide(project, i, &items[i], &row).await {
                Ok(Some(row)) => ready.push(row),
                Ok(None) => fates.push((i, Fate::Applied)),
                Err(fate) => fates.push((i, fate)),
            }
        }
        let bundle = Saves {
            writer: self,
            project,
            rows: &ready,
        };
        for part in by_size(&ready) {
            for (member, fate) in drive(&bundle, part, SAVE).await {
                let fate = match fate {
                    Fate::Refused(fault) => Fate::Refused(about_labels(fault)),
                    other => other,
                };
                fates.push((ready[member].item, fate));
            }
        }
        fates
    }

    /// The rows as they are upstream now; those that have no label row yet are created.
    async fn fresh_rows(
        &self,
        project: ProjectHash,
        items: &[CommitItem],
        chunk: &[usize],
    ) -> HashMap<usize, Result<Bytes, Fault>> {
        let mut known = Vec::new();
        let mut new: HashMap<&str, Vec<usize>> = HashMap::new();
        let mut rows = HashMap::new();
        for &i in chunk {
            match &items[i].before {
                None => {
                    let fault = Fault::new(
                        FaultKind::Bug,
                        "labels were to be saved without the row that the agent saw",
                    );
                    rows.insert(i, Err(fault));
                }
                Some(before) => match before.label_hash {
                    Some(hash) => known.push((i, hash.0)),
                    None => new.entry(&items[i].branch).or_default().push(i),
                },
            }
        }
        let keys: Vec<Uuid> = known.iter().map(|(_, hash)| *hash).collect();
        let mut found = self
            .labels_now(project, &keys, &InitialiseOptions::default())
            .await;
        for (i, hash) in known {
            rows.insert(i, found.take(hash, "label row"));
        }
        for (branch, members) in new {
            let bundle = Creates {
                writer: self,
                project,
                branch,
                data: members.iter().map(|i| items[*i].data.0).collect(),
                made: Mutex::new(HashMap::new()),
            };
            let fates = drive(&bundle, (0..members.len()).collect(), SAVE).await;
            let made = bundle.made.into_inner().unwrap_or_default();
            for (member, fate) in fates {
                let data = items[members[member]].data.0;
                let row = match (fate, made.get(&data)) {
                    (Fate::Refused(fault), _) => Err(fault),
                    (_, Some(row)) => Ok(row.clone()),
                    (_, None) => Err(Fault::new(
                        FaultKind::Upstream,
                        format!("the platform made no label row for data unit {data}"),
                    )),
                };
                rows.insert(members[member], row);
            }
        }
        rows
    }

    pub(super) async fn labels_now(
        &self,
        project: ProjectHash,
        keys: &[Uuid],
        options: &InitialiseOptions,
    ) -> Found {
        self.reader.many(project, Ask::Labels(options), keys).await
    }

    /// Compares a row with what the agent saw. `None`: it is already as it should be.
    async fn decide(
        &self,
        project: ProjectHash,
        i: usize,
        item: &CommitItem,
        raw: &Bytes,
    ) -> Result<Option<Ready>, Fate> {
        let refuse = |kind, text: String| Fate::Refused(about_labels(Fault::new(kind, text)));
        let (Some(before), Some(after)) = (&item.before, &item.labels_after) else {
            return Err(refuse(FaultKind::Bug, "no labels to save".to_owned()));
        };
        let document: Document<'_> = serde_json::from_str(&before.json).map_err(|error| {
            refuse(
                FaultKind::Bug,
                format!("the row that the agent saw: {error}"),
            )
        })?;
        let broken = |error: serde_json::Error| {
            let text = format!("the label row cannot be read: {error}");
            refuse(FaultKind::Upstream, text)
        };
        let fresh: Value = serde_json::from_slice(raw).map_err(broken)?;
        let Some(hash) = fresh
            .get("label_hash")
            .and_then(Value::as_str)
            .and_then(|text| Uuid::parse_str(text).ok())
        else {
            return Err(refuse(
                FaultKind::Upstream,
                "the label row has no `label_hash`".to_owned(),
            ));
        };
        let seen: Value = serde_json::from_str(document.labels.get()).map_err(broken)?;
        let (now, sent) = match &document.initialise {
            None => (None, transplant(fresh.clone(), after)),
            Some(options) => {
                let part = self
                    .labels_now(project, &[hash], options)
                    .await
                    .take(hash, "label row")
                    .map_err(|fault| Fate::Refused(about_labels(fault)))?;
                let part: Value = serde_json::from_slice(&part).map_err(broken)?;
                (Some(part), merge_partial(fresh.clone(), &seen, after))
            }
        };
        let now = now.as_ref().unwrap_or(&fresh);
        if !compare(now, &seen) {
            if saved_as(now, after) {
                return Ok(None);
            }
            return Err(Fate::Conflict(who(&fresh)));
        }
        let sent = sent.map_err(|why| refuse(FaultKind::Agent, why))?;
        Ok(Some(Ready {
            item: i,
            hash,
            body: sent.to_string(),
            fresh,
            sent,
        }))
    }
}

/// Members of one save after the other, none of them too large.
fn by_size(rows: &[Ready]) -> Vec<Vec<usize>> {
    let mut parts: Vec<Vec<usize>> = Vec::new();
    let mut bytes = 0;
    for (i, row) in rows.iter().enumerate() {
        bytes += row.body.len();
        match parts.last_mut() {
            Some(part) if bytes <= SAVE_BYTES => part.push(i),
            _ => {
                bytes = row.body.len();
                parts.push(vec![i]);
            }
        }
    }
    parts
}

/// Who changed a row last and when, as far as the row says.
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

fn about_labels(mut fault: Fault) -> Fault {
    fault.summary = format!("the labels were not saved: {}", fault.summary);
    fault
}

/// Saves in one request.
struct Saves<'a> {
    writer: &'a Writer,
    project: ProjectHash,
    rows: &'a [Ready],
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
        _doubt: bool,
    ) -> BoxFuture<'a, Result<Option<Vec<Seen>>, ClientError>> {
        Box::pin(async move {
            let keys: Vec<Uuid> = members.iter().map(|i| self.rows[*i].hash).collect();
            let options = InitialiseOptions::default();
            let mut found = self.writer.labels_now(self.project, &keys, &options).await;
            let seen = members.iter().map(|i| {
                let row = &self.rows[*i];
                let part = match found.take(row.hash, "label row") {
                    Ok(part) => part,
                    Err(fault) => return Seen::Ended(Fate::Refused(fault)),
                };
                let Ok(stored) = serde_json::from_slice::<Value>(&part) else {
                    return Seen::Waiting;
                };
                if saved_as(&stored, &row.sent) {
                    Seen::Arrived
                } else if compare(&stored, &row.fresh) {
                    Seen::Waiting
                } else {
                    Seen::Ended(Fate::Conflict(who(&stored)))
                }
            });
            Ok(Some(seen.collect()))
        })
    }

    fn pause(&self, time: Duration) -> BoxFuture<'_, ()> {
        Box::pin(self.writer.reader.wire.sleep(time))
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
