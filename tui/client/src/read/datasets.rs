//! Datasets and folders, as far as new items need them: where an upload has to go.

use super::Reader;
use super::many::envelope;
use crate::error::ClientError;
use crate::http::Call;
use serde::Deserialize;
use serde_json::json;
use std::sync::Arc;
use uuid::Uuid;
use wb_core::error::{Error, ErrorKind};
use wb_core::ids::{DataHash, DatasetHash, FolderId, ItemId, ProjectHash};
use wb_core::patch::FurtherDataset;

impl Reader {
    /// A dataset's title and the folder of its own, if it has one.
    ///
    /// # Errors
    /// As any request; an unknown dataset is `NotFound` or `Forbidden`, as the platform likes.
    pub async fn dataset(&self, hash: DatasetHash) -> Result<FurtherDataset, ClientError> {
        #[derive(Deserialize)]
        struct Dataset {
            title: String,
            #[serde(default)]
            backing_folder_uuid: Option<Uuid>,
        }
        let settings = json!({"fetch_client_metadata": false, "fetch_rows": false});
        let payload = json!({"dataset_access_settings": settings});
        let body = envelope("dataset", "GET", &json!(null), &payload);
        let body = serde_json::to_vec(&body).map_err(|e| ClientError::Bug(e.to_string()))?;
        let call = Call::legacy("dataset GET", hash, body, None);
        let answer = self.wire.send(&call).await?;
        let dataset: Dataset = self.parse(&call, "the dataset", &answer)?;
        Ok(FurtherDataset {
            hash,
            title: dataset.title,
            folder: dataset.backing_folder_uuid.map(FolderId),
        })
    }

    /// The storage folder of a data unit's item, which may be known already.
    ///
    /// # Errors
    /// As any request, or when the item is in no folder that may be seen.
    pub async fn folder_of(
        &self,
        project: ProjectHash,
        unit: (DataHash, Arc<str>),
        item: Option<ItemId>,
    ) -> Result<FolderId, Error> {
        #[derive(Deserialize)]
        struct Placed {
            #[serde(default)]
            parent: Option<Uuid>,
        }
        let none = || Error::new(ErrorKind::Upstream, "the platform names no folder of it");
        let item = match item {
            Some(item) => item,
            None => {
                let rows = self.row_metadata(project, &[unit]).await;
                let row = rows.into_iter().next().ok_or_else(none)??;
                row.item.ok_or_else(none)?
            }
        };
        let found = self.items(&[item], false).await;
        let text = found.into_iter().next().ok_or_else(none)??;
        let placed = serde_json::from_str::<Placed>(&text).ok();
        let folder = placed.and_then(|placed| placed.parent).ok_or_else(none)?;
        Ok(FolderId(folder))
    }
}
