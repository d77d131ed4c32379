//! The legacy calls about one dataset: its rows, what is linked and uploaded into it, who may use it.

use std::sync::Arc;

use rusqlite::Connection;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::app::Shared;
use crate::endpoint::Endpoint;
use crate::error::Refusal;
use crate::item::ItemKind;
use crate::routes::jobs::{self, JobBody};
use crate::routes::legacy::{Context, Found};
use crate::routes::members;
use crate::routes::reply::uuid;
use crate::store::catalog::Dataset;
use crate::store::exact::{Fields, Object};
use crate::store::items::{self, Data, ItemPatch};
use crate::store::like;
use crate::store::records::{self, Kind};
use crate::store::units::{self, Duplicates};
use crate::store::uses;
use crate::time;

/// Roles of a dataset: 0 admin, 1 user.
const HIGHEST_ROLE: i64 = 1;

impl Context<'_> {
    pub(super) async fn in_dataset(&self, id: &str) -> Found {
        let dataset = Arc::clone(self.app.catalog().dataset(uuid(id, "dataset")?)?);
        match (
            self.call.query_type.as_str(),
            self.call.query_method.as_str(),
        ) {
            ("dataset", "GET") => self.dataset(dataset).await,
            ("datarows", "GET") => {
                let asked = self.call.payload::<Option<_>>()?.unwrap_or_default();
                self.data_rows(dataset, asked).await
            }
            ("datarow", "GET") => self.data_row(dataset).await,
            ("datarow", "POST") => self.save_data_row(dataset).await,
            ("datasetlinkitems", "POST") => self.link(dataset).await,
            ("video", "DELETE") => self.delete_data(dataset).await,
            ("video", "POST") => self.rename_data(dataset).await,
            ("datasetusers", "POST") => self.add_dataset_users(dataset).await,
            ("datasetdatalongpolling", "POST") => self.start_job(dataset).await,
            ("datasetdatalongpolling", "GET") => self.job_status(dataset).await,
            _ => Err(self.unknown()),
        }
    }

    async fn dataset(&self, dataset: Arc<Dataset>) -> Found {
        let asked: DatasetQuery = self.call.payload::<Option<_>>()?.unwrap_or_default();
        #[derive(Serialize)]
        struct Found {
            #[serde(flatten)]
            fields: Value,
            #[serde(skip_serializing_if = "Option::is_none")]
            data_rows: Option<Box<RawValue>>,
        }
        let mut out = Found {
            fields: json!({
                "dataset_hash": dataset.uuid, "title": dataset.title, "description": dataset.description,
                "dataset_type": "CORD_STORAGE", "backing_folder_uuid": dataset.mirror(),
            }),
            data_rows: None,
        };
        if asked.dataset_access_settings.fetch_rows {
            out.data_rows = Some(serde_json::from_slice(
                &self.data_rows(dataset, asked).await?,
            )?);
        }
        Ok(serde_json::to_vec(&out)?)
    }

    async fn data_rows(&self, dataset: Arc<Dataset>, asked: DatasetQuery) -> Found {
        let app = Shared::clone(self.app);
        let list = move |c: &Connection| {
            let found = match &asked.data_hashes {
                Some(hashes) => {
                    let mut found = items::by_hash(c, hashes)?;
                    found.retain(|d| d.dataset == dataset.id);
                    found
                }
                None => items::list(c, Some(dataset.id), false, 0, usize::MAX >> 1)?,
            };
            let settings = &asked.dataset_access_settings;
            let rows = found
                .iter()
                .filter(|d| asked.fits(d))
                .map(|d| data_row(&app, d, settings.fetch_client_metadata));
            Ok(serde_json::to_vec(&rows.collect::<Vec<_>>())?)
        };
        self.app.store.read(list).await
    }

    /// The one unit that the call names, if it is in the dataset.
    async fn unit(&self, dataset: &Dataset) -> Result<Data, Refusal> {
        let wanted = self.call.uuids()?;
        let id = dataset.id;
        let found = self.app.store.read(move |c| items::by_hash(c, &wanted));
        let found = found.await?.into_iter().find(|d| d.dataset == id);
        found.ok_or_else(|| Refusal::NotFound("there is no such data unit in this dataset".into()))
    }

    async fn data_row(&self, dataset: Arc<Dataset>) -> Found {
        #[derive(Default, Deserialize)]
        #[serde(default)]
        struct Payload {
            additional_data: Additional,
        }
        #[derive(Default, Deserialize)]
        #[serde(default)]
        struct Additional {
            signed_url: bool,
            client_metadata: bool,
            images_data_fetch_options: Option<Value>,
        }
        let asked = self.call.payload::<Option<Payload>>()?.unwrap_or_default();
        let asked = asked.additional_data;
        let unit = self.unit(&dataset).await?;
        let mut row = data_row(self.app, &unit, asked.client_metadata);
        if asked.signed_url {
            row.fields["signed_url"] = json!(self.app.signed_url(&unit, false));
        }
        if let Some(options) = asked.images_data_fetch_options {
            let sign = options["fetch_signed_urls"] == true;
            let id = unit.id;
            let children = self.app.store.read(move |c| items::children(c, id)).await?;
            let image = |d: &Data| {
                json!({
                    "image_hash": d.hash, "title": d.title, "file_link": d.link(), "file_type": d.mime,
                    "file_size": self.app.size_of(d), "storage_location": 0,
                    "created_at": time::long(d.created), "last_edited_at": time::long(d.edited),
                    "width": d.width, "height": d.height,
                    "signed_url": sign.then(|| self.app.signed_url(d, false)).flatten(),
                })
            };
            row.fields["images_data"] = children.iter().map(image).collect();
        }
        Ok(serde_json::to_vec(&row)?)
    }

    /// The older way to change a unit's title or metadata.
    async fn save_data_row(&self, dataset: Arc<Dataset>) -> Found {
        let fields: Fields<'_> = self.call.payload()?;
        let unit = self.unit(&dataset).await?;
        if let Some(other) = fields
            .keys()
            .find(|k| !matches!(k.as_str(), "client_metadata" | "data_title" | "title"))
        {
            return Err(Refusal::Invalid(format!(
                "the field {other:?} of a data row cannot be changed"
            )));
        }
        let text = |key: &str| serde_json::from_str::<String>(fields.get(key)?.get()).ok();
        let patch = ItemPatch {
            name: text("data_title").or_else(|| text("title")),
            description: None,
            client_metadata: fields
                .get("client_metadata")
                .and_then(|m| Object::parse(m.get().to_owned())),
        };
        let item = unit.item;
        self.app
            .store
            .write(move |c| items::patch(c, &[(item, patch)], time::now()))
            .await?;
        self.app.tally.changed(Endpoint::ChangeDatasets, 1);
        let unit = self.unit(&dataset).await?;
        #[derive(Serialize)]
        struct Changed<'a> {
            updated_fields: Vec<&'a String>,
            data_row: DataRow,
        }
        Ok(serde_json::to_vec(&Changed {
            updated_fields: fields.keys().collect(),
            data_row: data_row(self.app, &unit, true),
        })?)
    }

    async fn link(&self, dataset: Arc<Dataset>) -> Found {
        #[derive(Deserialize)]
        struct Payload {
            item_uuids: Vec<Uuid>,
            #[serde(default = "skip")]
            duplicates_behavior: Duplicates,
        }
        fn skip() -> Duplicates {
            Duplicates::Skip
        }
        let asked: Payload = self.call.payload()?;
        let app = Shared::clone(self.app);
        let id = dataset.id;
        let work = move |c: &Connection| {
            let behaviour = asked.duplicates_behavior;
            let made = units::link(c, id, &asked.item_uuids, behaviour, time::now())?;
            items::by_hash(c, &made)
        };
        let made = app.store.write(work).await?;
        app.tally.changed(Endpoint::ChangeDatasets, made.len());
        let rows: Vec<DataRow> = made.iter().map(|d| data_row(&app, d, false)).collect();
        Ok(serde_json::to_vec(&rows)?)
    }

    async fn delete_data(&self, dataset: Arc<Dataset>) -> Found {
        let hashes = self.call.uuids()?;
        let n = hashes.len();
        self.app
            .store
            .write(move |c| uses::delete_units(c, dataset.id, &hashes))
            .await?;
        self.app.tally.changed(Endpoint::ChangeDatasets, n);
        Ok(b"true".to_vec())
    }

    async fn rename_data(&self, dataset: Arc<Dataset>) -> Found {
        #[derive(Deserialize)]
        struct Renamed {
            video_hash: Uuid,
            title: String,
        }
        let sent: Vec<Renamed> = self.call.payload()?;
        let n = sent.len();
        let work = move |c: &Connection| {
            sent.iter()
                .try_for_each(|r| units::rename(c, dataset.id, r.video_hash, &r.title, time::now()))
        };
        self.app.store.write(work).await?;
        self.app.tally.changed(Endpoint::ChangeDatasets, n);
        Ok(br#"{"success":true}"#.to_vec())
    }

    async fn add_dataset_users(&self, dataset: Arc<Dataset>) -> Found {
        let (emails, role) = self.new_members()?;
        members::add(self.app, dataset.uuid, emails.clone(), role, HIGHEST_ROLE).await?;
        self.app
            .tally
            .changed(Endpoint::ChangeDatasets, emails.len());
        let user = |email: String| json!({"user_email": email, "user_role": role, "dataset_hash": dataset.uuid});
        Ok(serde_json::to_vec(
            &emails.into_iter().map(user).collect::<Vec<_>>(),
        )?)
    }

    /// Addresses and role of people who are added to something.
    pub(super) fn new_members(&self) -> Result<(Vec<String>, i64), Refusal> {
        #[derive(Deserialize)]
        struct Payload {
            user_emails: Vec<String>,
            user_role: i64,
        }
        let asked: Payload = self.call.payload()?;
        Ok((asked.user_emails, asked.user_role))
    }

    async fn start_job(&self, dataset: Arc<Dataset>) -> Found {
        let sent: JobBody = self.call.payload()?;
        let catalog = self.app.catalog();
        let folder = match sent.folder_uuid.or(dataset.mirror()) {
            Some(folder) => Arc::clone(catalog.folder(folder)?),
            None => {
                return Err(Refusal::Invalid(
                    "this dataset has no folder of its own: name the storage folder of the new items (`folder_uuid`)"
                        .to_owned(),
                ));
            }
        };
        let done = jobs::run(self.app, folder, Some(dataset.id), sent).await?;
        let job = jobs::keep(self.app, dataset.uuid, done).await?;
        Ok(serde_json::to_vec(&json!({"process_hash": job}))?)
    }

    async fn job_status(&self, dataset: Arc<Dataset>) -> Found {
        #[derive(Deserialize)]
        struct Payload {
            process_hash: Uuid,
        }
        let job = self.call.payload::<Payload>()?.process_hash;
        let found = self
            .app
            .store
            .read(move |c| records::find(c, Kind::Job, job))
            .await?
            .filter(|r| r.scope == dataset.uuid)
            .ok_or_else(|| Refusal::NotFound(format!("there is no upload job {job}")))?;
        let count = |key: &str| found.body[key].as_array().map_or(0, Vec::len);
        Ok(serde_json::to_vec(&json!({
            "status": found.body["status"], "data_hashes_with_titles": found.body["made"],
            "errors": found.body["errors"], "data_unit_errors": jobs::unit_errors(&found),
            "units_pending_count": 0, "units_done_count": count("made"), "units_error_count": count("errors"),
            "units_cancelled_count": 0,
        }))?)
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
                .is_none_or(|t| like::matches_like(t, &data.title))
            && instant(&self.created_before).is_none_or(|t| data.created < t)
            && instant(&self.created_after).is_none_or(|t| data.created > t)
            && self.data_types.as_ref().is_none_or(|types| {
                types
                    .iter()
                    .any(|t| t.eq_ignore_ascii_case(data.kind.upper_data_type()))
            })
    }
}

/// A data unit as legacy calls list it.
#[derive(Serialize)]
struct DataRow {
    #[serde(flatten)]
    fields: Value,
    client_metadata: Option<Object>,
}

fn data_row(app: &Shared, data: &Data, with_metadata: bool) -> DataRow {
    let fields = json!({
        "data_hash": data.hash, "data_title": data.title, "data_type": data.kind.upper_data_type(),
        "created_at": time::long(data.created), "last_edited_at": time::long(data.edited),
        "width": data.width, "height": data.height, "file_link": data.kind.has_media().then(|| data.link()),
        "file_size": app.size_of(data), "file_type": data.mime, "storage_location": 0,
        "frames_per_second": data.fps, "duration": data.duration,
        "images_data": null, "signed_url": null,
        "is_optimised_image_group": data.kind == ItemKind::ImageSequence, "backing_item_uuid": data.item,
    });
    DataRow {
        fields,
        client_metadata: with_metadata.then(|| data.metadata()),
    }
}
