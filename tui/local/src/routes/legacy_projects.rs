//! The legacy calls about projects and datasets: made and deleted on demand, read with their rows.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::app::Shared;
use crate::endpoint::Endpoint;
use crate::error::Refusal;
use crate::item::ItemKind;
use crate::routes::legacy::{Context, Found};
use crate::routes::reply::uuid;
use crate::store::catalog::{self, Dataset, NewProject};
use crate::store::items::{self, Data};
use crate::store::rows;
use crate::time;

impl Context<'_> {
    pub(super) async fn create_project(&self) -> Found {
        #[derive(Deserialize)]
        struct Payload {
            title: String,
            #[serde(default)]
            description: String,
            dataset_hashes: Vec<String>,
            ontology_hash: Option<Uuid>,
            workflow_template_id: Option<Uuid>,
        }
        let asked: Payload = self.call.payload()?;
        let catalog = self.app.catalog();
        let dataset = |text: &String| {
            let wanted = uuid(text, "dataset")?;
            let found = catalog
                .datasets
                .iter()
                .find(|d| d.uuid == wanted)
                .map(|d| d.id);
            found.ok_or_else(|| {
                Refusal::NotFound(format!("there is no dataset {wanted} on this server"))
            })
        };
        let ontology = match asked.ontology_hash {
            Some(wanted) => catalog.ontologies.iter().find(|o| o.uuid == wanted),
            None => catalog.ontologies.first(),
        };
        let ontology = ontology
            .ok_or_else(|| Refusal::NotFound("there is no such ontology on this server".into()))?;
        let template = match asked.workflow_template_id {
            Some(wanted) => catalog.templates.iter().find(|(uuid, ..)| *uuid == wanted),
            None => catalog.templates.first(),
        };
        let (_, _, graph) = template.ok_or_else(|| {
            Refusal::NotFound("there is no such workflow template on this server".into())
        })?;
        let new = NewProject {
            // Not named by the seed: nobody can say how often a script asks for "the same" project.
            uuid: Uuid::new_v4(),
            title: asked.title,
            description: asked.description,
            ontology: ontology.id,
            datasets: asked
                .dataset_hashes
                .iter()
                .map(dataset)
                .collect::<Result<_, _>>()?,
            graph: graph.clone(),
            creator: self.caller.email.to_string(),
        };
        let uuid = new.uuid;
        let work = move |c: &rusqlite::Connection| {
            let begin = |_: u64, task: Uuid| (new.graph.first_for(task), 0.5);
            catalog::insert_project(c, &new, &begin, time::now())
        };
        let (_, tasks) = self.app.store.write(work).await?;
        self.app.reload().await?;
        self.app.tally.changed(Endpoint::CreateProject, tasks);
        Ok(serde_json::to_vec(&uuid)?)
    }

    pub(super) async fn delete_project(&self) -> Found {
        let wanted = self.call.uuids()?;
        let wanted = wanted
            .first()
            .ok_or_else(|| Refusal::Invalid("no project to delete is named".to_owned()))?;
        let project = self.app.catalog().project(*wanted)?.id;
        self.app
            .store
            .write(move |c| catalog::delete_project(c, project))
            .await?;
        self.app.reload().await?;
        self.app.tally.changed(Endpoint::DeleteProject, 1);
        Ok(b"true".to_vec())
    }

    pub(super) async fn in_dataset(&self, id: &str) -> Found {
        let wanted = uuid(id, "dataset")?;
        let catalog = self.app.catalog();
        let dataset = catalog
            .datasets
            .iter()
            .find(|d| d.uuid == wanted)
            .map(Arc::clone);
        let dataset = dataset.ok_or_else(|| {
            Refusal::Forbidden(format!(
                "there is no dataset {wanted} on this server, or you have no access to it"
            ))
        })?;
        let asked: DatasetQuery = self.call.payload::<Option<_>>()?.unwrap_or_default();
        match (
            self.call.query_type.as_str(),
            self.call.query_method.as_str(),
        ) {
            ("dataset", "GET") => {
                let mut out = json!({
                    "dataset_hash": dataset.uuid, "title": dataset.title, "description": dataset.description,
                    "dataset_type": "CORD_STORAGE", "backing_folder_uuid": dataset.folder,
                });
                if asked.dataset_access_settings.fetch_rows {
                    out["data_rows"] =
                        serde_json::from_slice(&self.data_rows(dataset, asked).await?)?;
                }
                Ok(serde_json::to_vec(&out)?)
            }
            ("datarows", "GET") => self.data_rows(dataset, asked).await,
            _ => Err(self.unknown()),
        }
    }

    async fn data_rows(&self, dataset: Arc<Dataset>, asked: DatasetQuery) -> Found {
        let app = Shared::clone(self.app);
        let list = move |c: &rusqlite::Connection| {
            let found = match &asked.data_hashes {
                Some(hashes) => {
                    let mut found = items::by_hash(c, hashes)?;
                    found.retain(|d| d.dataset == dataset.id);
                    found
                }
                None => items::list(c, Some(dataset.id), false, 0, usize::MAX >> 1)?,
            };
            let rows = found
                .iter()
                .filter(|d| asked.fits(d))
                .map(|d| data_row(&app, d, &asked));
            Ok(serde_json::to_vec(&rows.collect::<Vec<_>>())?)
        };
        self.app.store.read(list).await
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct DatasetQuery {
    dataset_access_settings: AccessSettings,
    title_eq: Option<String>,
    title_like: Option<String>,
    created_before: Option<String>,
    created_after: Option<String>,
    data_types: Option<Vec<String>>,
    data_hashes: Option<Vec<Uuid>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct AccessSettings {
    fetch_client_metadata: bool,
    fetch_rows: bool,
}

impl DatasetQuery {
    fn fits(&self, data: &Data) -> bool {
        let instant = |text: &Option<String>| text.as_deref().and_then(time::parse);
        self.title_eq.as_ref().is_none_or(|t| *t == data.title)
            && self
                .title_like
                .as_ref()
                .is_none_or(|t| rows::matches_like(t, &data.title))
            && instant(&self.created_before).is_none_or(|t| data.created < t)
            && instant(&self.created_after).is_none_or(|t| data.created > t)
            && self.data_types.as_ref().is_none_or(|types| {
                types
                    .iter()
                    .any(|t| t.eq_ignore_ascii_case(data.kind.upper_data_type()))
            })
    }
}

fn data_row(app: &Shared, data: &Data, asked: &DatasetQuery) -> Value {
    let size = data
        .size
        .or_else(|| app.library.size(data.source.as_ref()?));
    let metadata = asked
        .dataset_access_settings
        .fetch_client_metadata
        .then(|| data.metadata());
    json!({
        "data_hash": data.hash, "data_title": data.title, "data_type": data.kind.upper_data_type(),
        "created_at": time::long(data.created), "last_edited_at": time::long(data.edited),
        "width": data.width, "height": data.height, "file_link": data.kind.has_media().then(|| data.link()),
        "file_size": size, "file_type": data.mime, "storage_location": 0, "frames_per_second": data.fps,
        "duration": data.duration, "client_metadata": metadata, "images_data": null, "signed_url": null,
        "is_optimised_image_group": data.kind == ItemKind::ImageSequence, "backing_item_uuid": data.item,
    })
}
