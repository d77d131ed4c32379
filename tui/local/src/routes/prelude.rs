//! What most handlers use.

pub(super) use std::sync::Arc;

pub(super) use rusqlite::Connection;
pub(super) use serde::{Deserialize, Serialize};
pub(super) use serde_json::value::RawValue;
pub(super) use serde_json::{Value, json};
pub(super) use uuid::Uuid;

pub(super) use super::extract::{
    AtStage, Call, CollectionId, Email, FolderId, GroupId, InDataset, InFolder, InProject, ItemId,
    JobId, LabelId, OfOntology, Pairs, PresetId, Sent, Shareable, TagId, TaskId, Uids, uuid,
};
pub(super) use super::paging::{Page, token};
pub(super) use super::reply::{Reply, json_bytes, json_reply};
pub(super) use crate::app::App;
pub(super) use crate::error::{
    Refusal, exists, forbidden, internal, invalid, not_found, not_served,
};
pub(super) use crate::item::ItemKind;
pub(super) use crate::store::catalog::{self, Catalog, Dataset, Ontology, Project};
pub(super) use crate::store::exact::JsonObject;
pub(super) use crate::store::folders::{self, Folder};
pub(super) use crate::store::items::{self, Data};
pub(super) use crate::store::records::{self, EVERYWHERE, Record, RecordKind};
pub(super) use crate::store::tx::Tx;
pub(super) use crate::time;
