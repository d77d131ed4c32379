//! Datasets: listed and created. Their rows are in the legacy API, in `legacy_datasets`.

use crate::routes::prelude::*;
use crate::routes::projects::CatalogFilter;
use crate::store::folders::NewDataset;

impl Dataset {
    /// The folder that always has the same items as the dataset, if there is one.
    pub(super) fn mirror(&self) -> Option<Uuid> {
        (!self.folder.is_nil()).then_some(self.folder)
    }
}

/// All datasets, with the caller's role. The key is `result` here, not `results`.
pub(super) async fn list(call: Call, pairs: Pairs) -> Reply {
    let filter: CatalogFilter = pairs.parse()?;
    let catalog = call.catalog();
    let fits = |d: &&Arc<Dataset>| filter.fits(&d.title, &d.description, d.created, d.edited);
    let fitting = catalog.datasets.iter().filter(fits);
    let one = |d: &Arc<Dataset>| {
        json!({
            "datasetUuid": d.uuid, "title": d.title, "description": d.description, "createdAt": time::iso(d.created),
            "lastEditedAt": time::iso(d.edited), "userRole": "admin", "storageLocation": 0,
            "backingFolderUuid": d.mirror(),
        })
    };
    json_reply(&json!({"result": fitting.map(one).collect::<Vec<_>>()}))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct DatasetBody {
    title: String,
    description: Option<String>,
    #[serde(default)]
    create_backing_folder: bool,
}

pub(super) async fn create(call: Call, Sent(sent): Sent<DatasetBody>) -> Reply {
    let uuid = Uuid::new_v4();
    let folder = sent.create_backing_folder.then(Uuid::new_v4);
    call.change_catalog(move |tx| {
        let new = NewDataset {
            uuid,
            folder,
            title: &sent.title,
            description: sent.description.as_deref().unwrap_or_default(),
        };
        folders::insert_dataset(tx, &new)?;
        Ok(1)
    })
    .await?;
    json_reply(&json!({"datasetUuid": uuid, "backingFolderUuid": folder}))
}
