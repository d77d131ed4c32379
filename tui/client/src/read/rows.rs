//! Label rows: metadata and labels, joined as the text that agents are given.

use super::Reader;
use super::many::{Ask, Found};
use crate::labels::blank::blank;
use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Map, Value};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use uuid::Uuid;
use wb_core::error::{Error, ErrorKind};
use wb_core::ids::{DataHash, ItemId, LabelHash, ProjectHash};
use wb_core::work::wire::{IncludeOptions, InitialiseOptions};
use wb_core::work::{RowInput, RowMetadata};

/// What the workbench itself reads of a metadata row.
#[derive(Deserialize)]
struct Fields {
    #[serde(default)]
    label_hash: Option<Uuid>,
    branch_name: String,
    data_type: String,
    #[serde(default)]
    priority: Option<f64>,
    #[serde(default)]
    backing_item_uuid: Option<Uuid>,
}

/// A metadata row and what the workbench reads of it.
pub(crate) struct Meta {
    raw: Bytes,
    pub label_hash: Option<LabelHash>,
    pub item: Option<ItemId>,
    priority: Option<f64>,
    group: bool,
}

impl Meta {
    fn seen(&self) -> Result<RowMetadata, Error> {
        #[derive(Deserialize)]
        struct Seen {
            #[serde(default)]
            client_metadata: Option<Map<String, Value>>,
        }
        let seen: Seen = serde_json::from_slice(&self.raw).map_err(|error| {
            Error::new(
                ErrorKind::Upstream,
                format!("the client metadata of a label row cannot be read: {error}"),
            )
        })?;
        Ok(RowMetadata {
            priority: self.priority,
            client_metadata: seen.client_metadata,
            item: self.item,
        })
    }
}

/// A data unit on a label branch.
pub(crate) type RowKey = (DataHash, Arc<str>);

impl Reader {
    /// The label rows of data units on their branches, in the order asked: one request for the
    /// metadata of each branch and one for the labels (of 300 rows). A unit without a label row gets an
    /// empty one made from its metadata, with `label_hash: None`; nothing is created upstream. Each row
    /// has its own error.
    pub async fn label_rows(
        &self,
        project: ProjectHash,
        units: &[(DataHash, Arc<str>)],
        include: &IncludeOptions,
        initialise: &InitialiseOptions,
    ) -> Vec<Result<RowInput, Error>> {
        let (metas, _) = self.metas(project, units, include).await;
        self.labels_of(project, units, metas, initialise).await.0
    }

    /// As [`Reader::label_rows`], for a project that may not have all of the data: `None` where it does not.
    pub async fn label_rows_if_any(
        &self,
        project: ProjectHash,
        units: &[(DataHash, Arc<str>)],
        include: &IncludeOptions,
        initialise: &InitialiseOptions,
    ) -> Vec<Result<Option<RowInput>, Error>> {
        let (metas, _) = self.metas_if_any(project, units, include).await;
        let there = |meta: &Result<Option<Meta>, Error>| !matches!(meta, Ok(None));
        let places: Vec<bool> = metas.iter().map(there).collect();
        let known: Vec<RowKey> = units
            .iter()
            .zip(&places)
            .filter(|(_, there)| **there)
            .map(|(unit, _)| unit.clone())
            .collect();
        let metas = metas.into_iter().filter_map(Result::transpose).collect();
        let (rows, _) = self.labels_of(project, &known, metas, initialise).await;
        let mut rows = rows.into_iter();
        let row = |there: &bool| {
            if *there {
                rows.next().transpose()
            } else {
                Ok(None)
            }
        };
        places.iter().map(row).collect()
    }

    /// Priority and client metadata of data units on their branches, in the order asked; the labels
    /// themselves are not read.
    pub async fn row_metadata(
        &self,
        project: ProjectHash,
        units: &[(DataHash, Arc<str>)],
    ) -> Vec<Result<RowMetadata, Error>> {
        let include = IncludeOptions {
            client_metadata: true,
            ..IncludeOptions::default()
        };
        let (metas, _) = self.metas(project, units, &include).await;
        metas.into_iter().map(|meta| meta?.seen()).collect()
    }

    /// The metadata of data units on their branches, in the order asked, and the number of requests.
    pub(crate) async fn metas(
        &self,
        project: ProjectHash,
        units: &[RowKey],
        include: &IncludeOptions,
    ) -> (Vec<Result<Meta, Error>>, usize) {
        let (metas, requests) = self.metas_if_any(project, units, include).await;
        let absent = |data: Uuid| Found::default().missing(data, "label row for data unit");
        let metas = metas
            .into_iter()
            .zip(units)
            .map(|(meta, (data, _))| meta?.ok_or_else(|| absent(data.0)));
        (metas.collect(), requests)
    }

    /// The same; `None` where the project does not have the data.
    async fn metas_if_any(
        &self,
        project: ProjectHash,
        units: &[RowKey],
        include: &IncludeOptions,
    ) -> (Vec<Result<Option<Meta>, Error>>, usize) {
        let mut groups: Vec<(Arc<str>, Vec<Uuid>)> = Vec::new();
        for (data, branch) in units {
            let branch = match &include.branch_name {
                Some(name) => Arc::from(name.as_str()),
                None => Arc::clone(branch),
            };
            match groups.iter_mut().find(|(name, _)| *name == branch) {
                Some((_, list)) => list.push(data.0),
                None => groups.push((branch, vec![data.0])),
            }
        }
        let mut found: HashMap<Arc<str>, Found> = HashMap::new();
        let mut requests = 0;
        for (branch, mut keys) in groups {
            keys.sort_unstable();
            keys.dedup();
            let ask = Ask::Rows {
                include,
                images: false,
                branch: (!include.all_label_branches).then_some(&*branch),
            };
            let part = self.many(project, ask, &keys).await;
            requests += part.requests;
            found.insert(branch, part);
        }
        let metas = units
            .iter()
            .map(|(data, branch)| {
                let branch = include.branch_name.as_deref().unwrap_or(branch);
                match found.get(branch) {
                    Some(found) => pick(found, data.0, branch),
                    None => Err(Error::new(
                        ErrorKind::Bug,
                        "a branch that was not asked for",
                    )),
                }
            })
            .collect();
        (metas, requests)
    }

    /// Adds the labels to metadata; also says how many requests that took.
    pub(crate) async fn labels_of(
        &self,
        project: ProjectHash,
        units: &[RowKey],
        metas: Vec<Result<Meta, Error>>,
        initialise: &InitialiseOptions,
    ) -> (Vec<Result<RowInput, Error>>, usize) {
        let known = || metas.iter().filter_map(|meta| meta.as_ref().ok());
        let mut hashes: Vec<Uuid> = known()
            .filter_map(|meta| Some(meta.label_hash?.0))
            .collect();
        let mut once = HashSet::new();
        hashes.retain(|hash| once.insert(*hash));
        // The images of a group are needed only to make an empty row.
        let groups: Vec<Uuid> = metas
            .iter()
            .zip(units)
            .filter(|(meta, _)| {
                meta.as_ref()
                    .is_ok_and(|m| m.group && m.label_hash.is_none())
            })
            .map(|(_, (data, _))| data.0)
            .collect();
        let include = IncludeOptions::default();
        let images = Ask::Rows {
            include: &include,
            images: true,
            branch: None,
        };
        // Two tasks may share a row; an answer is let go with the last task that needs a part of it.
        let hash_of = |meta: &Result<Meta, Error>| meta.as_ref().ok()?.label_hash;
        let mut uses: HashMap<Uuid, usize> = HashMap::new();
        for hash in metas.iter().filter_map(hash_of) {
            *uses.entry(hash.0).or_default() += 1;
        }
        let (mut labels, images) = tokio::join!(
            self.many(project, Ask::Labels(initialise), &hashes),
            self.many(project, images, &groups),
        );
        let requests = labels.requests + images.requests;
        let mut joined = Vec::with_capacity(metas.len());
        for (meta, (data, _)) in metas.into_iter().zip(units) {
            let hash = hash_of(&meta).map(|hash| hash.0);
            joined.push(meta.and_then(|meta| join(meta, data.0, &labels, &images, initialise)));
            if let Some(left) = hash.and_then(|hash| uses.get_mut(&hash)) {
                *left -= 1;
                if *left == 0 {
                    labels.parts.remove(&hash.unwrap_or_default());
                }
            }
        }
        (joined, requests)
    }
}

/// The row of a data unit on a branch; there may be several when all branches were asked for, and none
/// when the project does not have the data.
fn pick(found: &Found, data: Uuid, branch: &str) -> Result<Option<Meta>, Error> {
    let Some(parts) = found.parts.get(&data) else {
        return match found.errors.get(&data) {
            Some(error) => Err(error.clone()),
            None => Ok(None),
        };
    };
    let mut chosen = None;
    for raw in parts {
        let fields: Fields = serde_json::from_slice(raw).map_err(|error| {
            Error::new(
                ErrorKind::Upstream,
                format!("the row metadata of data unit {data} cannot be read: {error}"),
            )
        })?;
        let right = fields.branch_name == branch;
        if right || chosen.is_none() {
            chosen = Some((raw, fields));
        }
        if right {
            break;
        }
    }
    Ok(chosen.map(|(raw, fields)| Meta {
        raw: raw.clone(),
        label_hash: fields.label_hash.map(LabelHash),
        item: fields.backing_item_uuid.map(ItemId),
        priority: fields.priority,
        group: fields.data_type.eq_ignore_ascii_case("img_group"),
    }))
}

fn join(
    meta: Meta,
    data: Uuid,
    labels: &Found,
    images: &Found,
    initialise: &InitialiseOptions,
) -> Result<RowInput, Error> {
    let json = match meta.label_hash {
        Some(hash) => {
            let Some(raw) = labels.parts.get(&hash.0).and_then(|list| list.last()) else {
                return Err(labels.missing(hash.0, "label row"));
            };
            document(&meta.raw, raw, initialise)
        }
        None => {
            let source = match images.parts.get(&data).and_then(|list| list.last()) {
                Some(with_images) => with_images,
                None if meta.group && images.errors.contains_key(&data) => {
                    return Err(images.missing(data, "image group"));
                }
                None => &meta.raw,
            };
            let blob = blank(source).map_err(|error| {
                Error::new(
                    ErrorKind::Upstream,
                    format!("the row metadata of data unit {data} cannot be read: {error}"),
                )
            })?;
            document(&meta.raw, &blob, initialise)
        }
    };
    Ok(RowInput {
        label_hash: meta.label_hash,
        priority: meta.priority,
        item: meta.item,
        json: json.map_err(|_| {
            Error::new(
                ErrorKind::Upstream,
                format!("the label row of data unit {data} is no UTF-8 text"),
            )
        })?,
    })
}

/// `{"metadata": …, "labels": …}` from the platform's own bytes. When an agent is given only some of
/// the labels, `initialise` says which, so that a commit keeps the others.
fn document(
    metadata: &[u8],
    labels: &[u8],
    initialise: &InitialiseOptions,
) -> Result<Arc<str>, std::str::Utf8Error> {
    let metadata = std::str::from_utf8(metadata)?;
    let labels = std::str::from_utf8(labels)?;
    let mut text = String::with_capacity(metadata.len() + labels.len() + 32);
    text.push_str("{\"metadata\":");
    text.push_str(metadata);
    text.push_str(",\"labels\":");
    text.push_str(labels);
    let partial = initialise.include_object_feature_hashes.is_some()
        || initialise.include_classification_feature_hashes.is_some();
    if partial && let Ok(options) = serde_json::to_string(initialise) {
        text.push_str(",\"initialise\":");
        text.push_str(&options);
    }
    text.push('}');
    Ok(text.into())
}
