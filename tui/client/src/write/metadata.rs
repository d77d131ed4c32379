//! Client metadata before they are replaced: compared with what the agent saw, as label rows are.
//!
//! The look comes before anything of the batch is written. The remaining window lasts from there over the
//! saves of labels and priorities to the request that sets the metadata: the platform has no version check.

use super::Writer;
use crate::error::clean;
use crate::labels::same_metadata;
use crate::read::Reader;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::sync::Arc;
use wb_core::error::{Error, ErrorKind};
use wb_core::ids::{ItemId, ProjectHash};
use wb_core::work::wire::text;
use wb_core::work::{Change, Committed};

/// How the client metadata of an item stand.
enum Stand {
    /// As the agent saw them.
    AsSeen,
    /// Already as they are to be: an earlier attempt has set them.
    AsOurs,
    /// Somebody else changed them, with the time if the item has it.
    Changed(String),
}

impl Writer {
    /// Finds the storage items whose metadata are to be set, and checks those that the agent saw. Tasks
    /// with a conflict or without an item end here; those whose metadata are already right need no write.
    pub(super) async fn look_at_metadata(
        &self,
        project: ProjectHash,
        items: &[Change],
        ends: &mut [Option<Committed>],
    ) -> Vec<(usize, ItemId)> {
        let open: Vec<usize> = (0..items.len())
            .filter(|i| ends[*i].is_none() && items[*i].metadata.is_some())
            .collect();
        let mut found = self.storage_items(project, items, &open, ends).await;
        let seen: Vec<usize> = (found.iter().map(|(i, _)| *i))
            .filter(|i| items[*i].metadata_before.is_some())
            .collect();
        let places: BTreeMap<usize, ItemId> = found.iter().copied().collect();
        let asked: Vec<ItemId> = seen.iter().map(|i| places[i]).collect();
        if asked.is_empty() {
            return found;
        }
        let now = self.reader.items(&asked, false).await;
        let mut settled = Vec::new();
        for (i, now) in seen.into_iter().zip(now) {
            match now.and_then(|now| stand(&items[i], &now)) {
                Ok(Stand::AsSeen) => {}
                Ok(Stand::AsOurs) => settled.push(i),
                Ok(Stand::Changed(by)) => ends[i] = Some(Committed::Conflict { by }),
                Err(error) => ends[i] = Some(Committed::Refused(about_metadata(error))),
            }
        }
        found.retain(|(i, _)| ends[*i].is_none() && !settled.contains(i));
        found
    }

    /// The storage item of each of these places; a task without one ends.
    async fn storage_items(
        &self,
        project: ProjectHash,
        items: &[Change],
        open: &[usize],
        ends: &mut [Option<Committed>],
    ) -> Vec<(usize, ItemId)> {
        let known = |item: &Change| item.item.or_else(|| item.before.as_ref()?.item);
        let mut found: Vec<(usize, ItemId)> = open
            .iter()
            .filter_map(|i| Some((*i, known(&items[*i])?)))
            .collect();
        let unknown: Vec<usize> = open
            .iter()
            .copied()
            .filter(|i| known(&items[*i]).is_none())
            .collect();
        if unknown.is_empty() {
            return found;
        }
        let units: Vec<_> = unknown
            .iter()
            .map(|i| (items[*i].data, Arc::clone(&items[*i].branch)))
            .collect();
        let answers = self.reader.items_of(project, &units).await;
        for (i, answer) in unknown.into_iter().zip(answers) {
            match answer {
                Ok(Some(item)) => found.push((i, item)),
                Ok(None) => ends[i] = Some(Committed::Refused(about_metadata(no_item()))),
                Err(error) => ends[i] = Some(Committed::Refused(about_metadata(error))),
            }
        }
        found
    }
}

impl Reader {
    /// The client metadata of storage items, in the order asked.
    pub async fn client_metadata(
        &self,
        items: &[ItemId],
    ) -> Vec<Result<Map<String, Value>, Error>> {
        if items.is_empty() {
            return Vec::new();
        }
        let now = self.items(items, false).await.into_iter();
        now.map(|now| metadata_of_item(&now?)).collect()
    }
}

/// The client metadata in the document of a storage item.
pub(super) fn metadata_of_item(now: &str) -> Result<Map<String, Value>, Error> {
    let (metadata, _) = read(now)?;
    Ok(metadata)
}

/// The client metadata of a storage item, and when it was edited.
fn read(now: &str) -> Result<(Map<String, Value>, Option<String>), Error> {
    let broken = |why: String| {
        let text = format!("the storage item cannot be read: {why}");
        Error::new(ErrorKind::Upstream, text)
    };
    let doc: Value = serde_json::from_str(now).map_err(|error| broken(error.to_string()))?;
    let metadata: Map<String, Value> = match doc.get("clientMetadata") {
        None | Some(Value::Null) => Map::new(),
        Some(Value::Object(map)) => map.clone(),
        Some(Value::String(text)) => text::parse::<Option<_>>(text)
            .map_err(|error| broken(error.to_string()))?
            .unwrap_or_default(),
        Some(_) => return Err(broken("`clientMetadata` is not an object".to_owned())),
    };
    let when = doc.get("lastEditedAt").and_then(Value::as_str);
    Ok((metadata, when.map(clean)))
}

fn stand(item: &Change, now: &str) -> Result<Stand, Error> {
    let (metadata, when) = read(now)?;
    let is = |known: &Option<Map<String, Value>>| {
        known
            .as_ref()
            .is_some_and(|known| same_metadata(known, &metadata))
    };
    if is(&item.metadata) {
        return Ok(Stand::AsOurs);
    }
    if is(&item.metadata_before) {
        return Ok(Stand::AsSeen);
    }
    let when = when.map(|when| format!(", item edited {when}"));
    Ok(Stand::Changed(format!(
        "somebody else (client metadata{})",
        when.unwrap_or_default()
    )))
}

fn no_item() -> Error {
    Error::new(
        ErrorKind::Upstream,
        "the platform names no storage item for the task's data",
    )
}

fn about_metadata(mut error: Error) -> Error {
    error.summary = format!(
        "the client metadata were not set, and nothing of the task was written: {}",
        error.summary
    );
    error
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use uuid::Uuid;
    use wb_core::ids::{DataHash, StageId, TaskId};

    fn item() -> Change {
        let map = |value: Value| value.as_object().cloned();
        let (task, stage, data) = (Uuid::nil(), Uuid::nil(), Uuid::nil());
        Change {
            metadata: map(json!({"site": "b"})),
            metadata_before: map(json!({"site": "a"})),
            ..Change::empty(TaskId(task), StageId(stage), DataHash(data))
        }
    }

    #[test]
    fn metadata_are_as_seen_ours_or_somebody_elses() {
        let now = |metadata: Value| {
            let doc = json!({"clientMetadata": metadata, "lastEditedAt": "2026-11-22T08:00:00Z"});
            stand(&item(), &doc.to_string())
        };
        assert!(matches!(now(json!({"site": "a"})), Ok(Stand::AsSeen)));
        assert!(matches!(now(json!("{\"site\": \"a\"}")), Ok(Stand::AsSeen)));
        assert!(matches!(now(json!({"site": "b"})), Ok(Stand::AsOurs)));
        for changed in [
            json!({"site": "c"}),
            json!(null),
            json!({"site": "a", "n": 1}),
        ] {
            let Ok(Stand::Changed(by)) = now(changed) else {
                panic!("somebody else changed them");
            };
            assert!(by.contains("2026-11-22"), "{by}");
        }
        assert!(now(json!([1])).is_err() && now(json!("{")).is_err());
    }
}
