//! Saving label rows: each is looked at again right before its save, and a row that somebody else
//! has changed since the agent saw it is left alone, and so is that of a task which has left its stage.
//!
//! The remaining window is the time between that look and the save of the same rows, one request
//! later: the platform has no version check.

use super::Writer;
use super::bundle::{Fate, drive};
use super::create::Creates;
use super::row::{Saves, about_labels};
use crate::read::many::{Ask, Found};
use crate::read::rows::RowKey;
use bytes::Bytes;
use futures_util::StreamExt;
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex};
use uuid::Uuid;
use wb_core::error::{Error, ErrorKind};
use wb_core::ids::ProjectHash;
use wb_core::work::Change;
use wb_core::work::wire::{IncludeOptions, InitialiseOptions};

/// Rows of one save; the platform's own client sends up to a thousand.
const SAVE: usize = 300;
/// Saves at the same time; their rows are different ones.
const AT_ONCE: usize = 3;
/// Bytes of one save, beyond which its rows are read, compared and sent in several steps: three hundred rows
/// of five megabytes are not one request.
const SAVE_BYTES: usize = 16_000_000;

/// Label rows by the index of their item.
type Rows = HashMap<usize, Result<Bytes, Error>>;

impl Writer {
    /// Saves the labels of those items that have any; the index of each with its fate: `Gone` where they are
    /// ours already and the task has left its stage.
    pub(super) async fn save_labels(
        &self,
        project: ProjectHash,
        items: &[Change],
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
            let chunks: Vec<_> = by_size(&now, |i| items[*i].weight())
                .into_iter()
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
        items: &[Change],
        chunk: Vec<usize>,
    ) -> Vec<(usize, Fate)> {
        let mut fates = Vec::with_capacity(chunk.len());
        let (mut fresh, waiting) = tokio::join!(
            self.rows_now(project, items, &chunk),
            self.waiting(project, items, &chunk),
        );
        let (here, left): (Vec<usize>, Vec<usize>) = chunk
            .iter()
            .filter(|i| !fresh.contains_key(i))
            .partition(|i| waiting.has(&items[**i]));
        fresh.extend(self.new_rows(project, items, &here).await);
        fresh.extend(self.rows_since(project, items, &left).await);
        (self.steps)("rows");
        let mut ready = Vec::with_capacity(chunk.len());
        for i in chunk {
            let decided = match fresh.remove(&i) {
                Some(Ok(row)) => self.decide(project, i, &items[i], row).await,
                Some(Err(error)) => Err(Fate::Refused(about_labels(error))),
                None => Err(waiting.why(&items[i], about_labels)),
            };
            match decided {
                Ok(Some(_)) if !waiting.has(&items[i]) => {
                    fates.push((i, waiting.why(&items[i], about_labels)));
                }
                Ok(Some(row)) => ready.push(row),
                // It may have been we who moved it on, before a crash: the caller checks the rest of it.
                Ok(None) if waiting.left(&items[i]) => fates.push((i, Fate::Gone)),
                Ok(None) => fates.push((i, Fate::Applied)),
                Err(fate) => fates.push((i, fate)),
            }
        }
        let bundle = Saves {
            writer: self,
            project,
            rows: &ready,
        };
        let members: Vec<usize> = (0..ready.len()).collect();
        for part in by_size(&members, |i| ready[*i].body.len()) {
            for (member, fate) in drive(&bundle, part, SAVE).await {
                let fate = match fate {
                    Fate::Refused(error) => Fate::Refused(about_labels(error)),
                    other => other,
                };
                fates.push((ready[member].item, fate));
            }
        }
        fates
    }

    /// The rows that the agents saw, as they are upstream now.
    pub(super) async fn rows_now(
        &self,
        project: ProjectHash,
        items: &[Change],
        chunk: &[usize],
    ) -> Rows {
        let (mut known, mut rows) = (Vec::new(), Rows::new());
        for &i in chunk {
            match &items[i].before {
                None => {
                    let error = Error::new(
                        ErrorKind::Bug,
                        "labels were to be saved without the row that the agent saw",
                    );
                    rows.insert(i, Err(error));
                }
                Some(before) => known.extend(before.label_hash.map(|hash| (i, hash.0))),
            }
        }
        rows.extend(self.rows_of(project, known).await);
        rows
    }

    async fn rows_of(&self, project: ProjectHash, known: Vec<(usize, Uuid)>) -> Rows {
        let keys: Vec<Uuid> = known.iter().map(|(_, hash)| *hash).collect();
        let mut found = self
            .labels_now(project, &keys, &InitialiseOptions::default())
            .await;
        let row = |(i, hash)| (i, found.take(hash, "label row"));
        known.into_iter().map(row).collect()
    }

    /// Rows that were not there when the agent looked; they are made.
    async fn new_rows(&self, project: ProjectHash, items: &[Change], chunk: &[usize]) -> Rows {
        let mut new: HashMap<&str, Vec<usize>> = HashMap::new();
        for &i in chunk {
            new.entry(&items[i].branch).or_default().push(i);
        }
        let mut rows = Rows::new();
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
                    (Fate::Refused(error), _) => Err(error),
                    (_, Some(row)) => Ok(row.clone()),
                    (_, None) => Err(Error::new(
                        ErrorKind::Upstream,
                        format!("the platform made no label row for data unit {data}"),
                    )),
                };
                rows.insert(members[member], row);
            }
        }
        rows
    }

    /// Rows of tasks that have left, where there are any by now: it may have been we who moved them on,
    /// before a crash. None is made.
    pub(super) async fn rows_since(
        &self,
        project: ProjectHash,
        items: &[Change],
        chunk: &[usize],
    ) -> Rows {
        if chunk.is_empty() {
            return Rows::new();
        }
        let units: Vec<RowKey> = chunk
            .iter()
            .map(|i| (items[*i].data, Arc::clone(&items[*i].branch)))
            .collect();
        let include = IncludeOptions::default();
        let (metas, _) = self.reader.metas(project, &units, &include).await;
        let (mut known, mut rows) = (Vec::new(), Rows::new());
        for (i, meta) in chunk.iter().zip(metas) {
            match meta {
                Ok(meta) => known.extend(meta.label_hash.map(|hash| (*i, hash.0))),
                Err(error) => {
                    rows.insert(*i, Err(error));
                }
            }
        }
        rows.extend(self.rows_of(project, known).await);
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
}

/// Members in groups of at most [`SAVE`] members and, where more than one, [`SAVE_BYTES`] bytes.
fn by_size(members: &[usize], size: impl Fn(&usize) -> usize) -> Vec<Vec<usize>> {
    let mut groups: Vec<Vec<usize>> = Vec::new();
    let mut bytes = 0;
    for member in members {
        bytes += size(member);
        match groups.last_mut() {
            Some(group) if bytes <= SAVE_BYTES && group.len() < SAVE => group.push(*member),
            _ => {
                bytes = size(member);
                groups.push(vec![*member]);
            }
        }
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_are_limited_in_members_and_in_bytes() {
        let lengths = |size: usize, count: usize| -> Vec<usize> {
            let members: Vec<usize> = (0..count).collect();
            let groups = by_size(&members, |_| size);
            assert_eq!(groups.concat(), members);
            groups.iter().map(Vec::len).collect()
        };
        assert_eq!(lengths(1000, 750), [300, 300, 150]);
        assert_eq!(lengths(5_000_000, 7), [3, 3, 1]);
        assert_eq!(lengths(50_000_000, 2), [1, 1]);
        assert!(lengths(1, 0).is_empty());
    }
}
