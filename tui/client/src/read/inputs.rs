//! The inputs of a batch of tasks: only what the agent needs, in as few requests as there are kinds
//! of things, each task with its own error.

use super::Reader;
use super::many::{Ask, Found};
use super::rows::{Meta, RowKey};
use crate::assets::AssetCache;
use crate::assets::item::Item;
use crate::http::now;
use crate::time::rfc3339;
use futures_util::StreamExt;
use std::sync::Arc;
use std::time::Instant;
use uuid::Uuid;
use wb_core::error::{Error, ErrorKind};
use wb_core::ids::ItemId;
use wb_core::work::{FetchSpec, Inputs, Project, RowInput, TaskRow, Timing, needs};
use wb_core::workflow::Stage;

const WANT_ROW: u64 = needs::LABEL_ROW | needs::LABEL_ROW_WRITE;
const WANT_ASSET: u64 = needs::ASSET | needs::FRAME | needs::FRAMES | needs::CHILDREN;
const WANT_ITEM: u64 = needs::STORAGE_ITEM | needs::CLIENT_METADATA | WANT_ASSET;
/// Downloads at the same time.
const DOWNLOADS: usize = 6;

/// What is known about one task so far.
#[derive(Default)]
struct Draft {
    labels: Option<RowInput>,
    item: Option<ItemId>,
    item_json: Option<Arc<str>>,
    asset_json: Option<Arc<str>>,
    timings: Vec<Timing>,
}

impl Reader {
    /// Fetches what the agents need for tasks of one stage, in the order of `rows`. An agent that
    /// needs only the task costs no request at all. A task whose inputs cannot be read has an error;
    /// the others are unharmed. Nothing is written upstream.
    pub async fn inputs(
        &self,
        project: &Project,
        stage: &Stage,
        rows: &[TaskRow],
        fetch: &FetchSpec,
        cache: &AssetCache,
    ) -> Vec<Result<Inputs, Error>> {
        let mut drafts: Vec<Result<Draft, Error>> =
            rows.iter().map(|_| Ok(Draft::default())).collect();
        if fetch.needs & (WANT_ROW | WANT_ITEM) != 0 {
            tracing::debug!(stage = %stage.title, tasks = rows.len(), "fetching inputs");
            self.rows_and_items(project, rows, fetch, &mut drafts).await;
        }
        if fetch.needs & WANT_ASSET != 0 {
            self.assets(rows, cache, &mut drafts).await;
        }
        rows.iter()
            .zip(drafts)
            .map(|(row, draft)| finish(row, draft?))
            .collect()
    }

    async fn rows_and_items(
        &self,
        project: &Project,
        rows: &[TaskRow],
        fetch: &FetchSpec,
        drafts: &mut [Result<Draft, Error>],
    ) {
        let units: Vec<RowKey> = rows
            .iter()
            .map(|row| (row.data, Arc::clone(&row.branch)))
            .collect();
        let mut include = fetch.include.clone();
        include.client_metadata |= fetch.needs & needs::CLIENT_METADATA != 0;
        let began = Instant::now();
        let (metas, requests) = self.metas(project.hash, &units, &include).await;
        note(drafts, "row metadata", ms(began), rows.len(), requests);
        for (draft, meta) in drafts.iter_mut().zip(&metas) {
            match meta {
                Ok(meta) => set(draft, Ok(meta.item), |draft, item| draft.item = item),
                Err(error) => *draft = Err(error.clone()),
            }
        }
        let items: Vec<Option<ItemId>> = metas
            .iter()
            .map(|meta| meta.as_ref().ok().and_then(|meta| meta.item))
            .collect();
        let (labels, found) = tokio::join!(
            self.wanted_labels(project, &units, metas, fetch),
            self.wanted_items(project, &items, fetch),
        );
        if let Some((list, requests, took)) = labels {
            note(drafts, "labels", took, rows.len(), requests);
            for (draft, row) in drafts.iter_mut().zip(list) {
                set(draft, row, |draft, row| draft.labels = Some(row));
            }
        }
        if let Some((found, took)) = found {
            note(drafts, "storage item", took, rows.len(), found.requests);
            for (draft, item) in drafts.iter_mut().zip(&items) {
                set(draft, item_json(&found, *item), |draft, json| {
                    draft.item_json = Some(json);
                });
            }
        }
    }

    /// The label rows, the number of requests, and how long they took; `None` where no agent needs them.
    async fn wanted_labels(
        &self,
        project: &Project,
        units: &[RowKey],
        metas: Vec<Result<Meta, Error>>,
        fetch: &FetchSpec,
    ) -> Option<(Vec<Result<RowInput, Error>>, usize, f64)> {
        if fetch.needs & WANT_ROW == 0 {
            return None;
        }
        let began = Instant::now();
        let (rows, requests) = self
            .labels_of(project.hash, units, metas, &fetch.initialise)
            .await;
        Some((rows, requests, ms(began)))
    }

    /// The storage items, and how long they took; `None` where no agent needs them.
    async fn wanted_items(
        &self,
        project: &Project,
        items: &[Option<ItemId>],
        fetch: &FetchSpec,
    ) -> Option<(Found, f64)> {
        if fetch.needs & WANT_ITEM == 0 {
            return None;
        }
        let began = Instant::now();
        let mut keys: Vec<Uuid> = items.iter().flatten().map(|item| item.0).collect();
        keys.sort_unstable();
        keys.dedup();
        let ask = Ask::Items { signed: true };
        Some((self.many(project.hash, ask, &keys).await, ms(began)))
    }

    async fn assets(
        &self,
        rows: &[TaskRow],
        cache: &AssetCache,
        drafts: &mut [Result<Draft, Error>],
    ) {
        let wanted: Vec<(usize, Arc<str>)> = drafts
            .iter()
            .enumerate()
            .filter_map(|(i, draft)| Some((i, draft.as_ref().ok()?.item_json.clone()?)))
            .collect();
        // Collected first: a stream over a borrowing closure is not general enough to be spawned.
        let downloads: Vec<_> = wanted
            .into_iter()
            .map(|(i, json)| {
                let title: &str = &rows[i].title;
                Box::pin(async move {
                    let began = Instant::now();
                    let asset = self.asset(&json, title, cache).await;
                    (i, asset, ms(began))
                })
            })
            .collect();
        let done: Vec<_> = futures_util::stream::iter(downloads)
            .buffer_unordered(DOWNLOADS)
            .collect()
            .await;
        for (i, asset, took) in done {
            set(&mut drafts[i], asset, |draft, asset| {
                draft.asset_json = Some(asset.json);
                draft.timings.push(Timing {
                    what: "asset".to_owned(),
                    ms: took,
                    note: asset.note,
                });
            });
        }
    }
}

fn item_json(found: &Found, item: Option<ItemId>) -> Result<Arc<str>, Error> {
    let Some(item) = item else {
        return Err(Error::new(
            ErrorKind::Upstream,
            "the platform names no storage item for the task's data, so its file cannot be read",
        ));
    };
    let Some(raw) = found.parts.get(&item.0).and_then(|list| list.last()) else {
        return Err(found.missing(item.0, "storage item"));
    };
    let broken = |why: String| {
        Error::new(
            ErrorKind::Upstream,
            format!("storage item {item} cannot be read: {why}"),
        )
    };
    // Seen now, so that an agent is never given half an item.
    serde_json::from_slice::<Item>(raw).map_err(|error| broken(error.to_string()))?;
    let text = std::str::from_utf8(raw).map_err(|error| broken(error.to_string()))?;
    Ok(text.into())
}

/// Puts a part into a draft, or its error over it.
fn set<T>(
    draft: &mut Result<Draft, Error>,
    part: Result<T, Error>,
    put: impl FnOnce(&mut Draft, T),
) {
    match (draft.as_mut(), part) {
        (Ok(known), Ok(part)) => put(known, part),
        (Ok(_), Err(error)) => *draft = Err(error),
        (Err(_), _) => {}
    }
}

fn note(drafts: &mut [Result<Draft, Error>], what: &str, took: f64, tasks: usize, requests: usize) {
    for draft in drafts.iter_mut().flatten() {
        draft.timings.push(Timing {
            what: what.to_owned(),
            ms: took,
            note: if requests == 1 {
                format!("1 request for {tasks} tasks")
            } else {
                format!("{requests} requests for {tasks} tasks")
            },
        });
    }
}

fn ms(began: Instant) -> f64 {
    began.elapsed().as_secs_f64() * 1000.0
}

fn finish(row: &TaskRow, draft: Draft) -> Result<Inputs, Error> {
    let doc = row.doc(rfc3339);
    let task_json = serde_json::to_string(&doc)
        .map_err(|error| Error::new(ErrorKind::Bug, error.to_string()))?;
    Ok(Inputs {
        row: row.clone(),
        task_json: task_json.into(),
        labels: draft.labels,
        item_json: draft.item_json,
        asset_json: draft.asset_json,
        fetched: now(),
        timings: draft.timings,
    })
}

impl Reader {
    /// Storage items as the platform describes them (JSON), in the order asked, each with its own error.
    /// With `signed` they hold signed URLs, which are secrets.
    pub async fn items(&self, items: &[ItemId], signed: bool) -> Vec<Result<Arc<str>, Error>> {
        let mut keys: Vec<Uuid> = items.iter().map(|item| item.0).collect();
        keys.sort_unstable();
        keys.dedup();
        // Items belong to folders, not to projects.
        let nowhere = wb_core::ids::ProjectHash(Uuid::nil());
        let found = self.many(nowhere, Ask::Items { signed }, &keys).await;
        items
            .iter()
            .map(|item| item_json(&found, Some(*item)))
            .collect()
    }
}

/// Used by the commit, which needs the storage item of a task whose row was not fetched.
impl Reader {
    pub(crate) async fn items_of(
        &self,
        project: wb_core::ids::ProjectHash,
        units: &[RowKey],
    ) -> Vec<Result<Option<ItemId>, Error>> {
        let include = wb_core::work::wire::IncludeOptions::default();
        let (metas, _) = self.metas(project, units, &include).await;
        metas
            .into_iter()
            .map(|meta| meta.map(|meta: Meta| meta.item))
            .collect()
    }
}
