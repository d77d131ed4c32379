//! Upload jobs: turn uploaded files into items. All files of a job become items or none, unless
//! `ignoreErrors` is set.

use crate::media::{Facts, MediaSource, sequence, upload};
use crate::routes::prelude::*;
use crate::routes::uploads;
use crate::store::units::{self, Duplicates, NewItem};

/// A job as both generations of the API send it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct JobBody {
    data_items: Option<DataItems>,
    /// A manifest of files in cloud storage.
    #[serde(alias = "files")]
    external_files: Option<Value>,
    #[serde(default)]
    ignore_errors: bool,
    pub folder_uuid: Option<Uuid>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct DataItems {
    videos: Vec<FileBody>,
    images: Vec<FileBody>,
    audio: Vec<FileBody>,
    text: Vec<FileBody>,
    pdf: Vec<FileBody>,
    image_groups: Vec<ImageGroupBody>,
    image_groups_from_items: Vec<FromItemsBody>,
    nifti: Vec<Value>,
    dicom_series: Vec<Value>,
    time_series: Vec<Value>,
    scenes: Vec<Value>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct FileBody {
    #[serde(alias = "url")]
    object_url: String,
    placeholder_item_uuid: Option<Uuid>,
    title: Option<String>,
    client_metadata: Option<JsonObject>,
    #[serde(alias = "videoMetadata", alias = "audioMetadata")]
    known: Option<KnownFacts>,
}

/// Properties of the media that the caller provides. Durations in seconds.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct KnownFacts {
    duration: f64,
    fps: Option<f64>,
    width: Option<u32>,
    height: Option<u32>,
    mime_type: String,
    sample_rate: Option<u32>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ImageGroupBody {
    images: Vec<FileBody>,
    title: Option<String>,
    client_metadata: Option<JsonObject>,
    #[serde(default)]
    create_video: bool,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct FromItemsBody {
    image_items: Vec<Uuid>,
    title: Option<String>,
    client_metadata: Option<JsonObject>,
    #[serde(default)]
    create_video: bool,
}

/// An item to be created.
enum NewUnit {
    Item(NewItem),
    /// An image group of these items.
    Group(NewItem, Vec<Uuid>),
}

/// The result of a job.
#[derive(Debug, Default)]
pub(super) struct JobResult {
    /// `data_hash`, `title` and `backing_item_uuid` of each.
    made: Vec<Value>,
    errors: Vec<String>,
    failed: bool,
}

fn object_of(metadata: Option<JsonObject>) -> Option<JsonObject> {
    metadata.filter(|m| !m.is_empty())
}

impl FileBody {
    /// The upload that this entry is about.
    fn upload(&self) -> Result<Uuid, String> {
        let named = self.object_url.strip_prefix("uploads/");
        self.placeholder_item_uuid
            .or_else(|| Uuid::parse_str(named?).ok())
            .ok_or_else(|| {
                format!(
                    "{:?} is not a file that was uploaded here; a local project has no access to cloud storage",
                    self.object_url
                )
            })
    }

    fn read(self, app: &App, kind: ItemKind) -> Result<NewItem, String> {
        let uuid = self.upload()?;
        let title = self.title.unwrap_or_else(|| uuid.to_string());
        let source = MediaSource::Uploaded(uuid);
        let path = app.library.upload(uuid);
        let (facts, mime) = match self.known {
            Some(known) if path.is_file() => known.facts(),
            _ => upload::inspect(&path, kind, &title)?,
        };
        Ok(NewItem {
            size: app.library.size(&source),
            source: Some(source),
            mime,
            facts,
            metadata: object_of(self.client_metadata),
            ..NewItem::new(uuid, kind, title)
        })
    }
}

impl KnownFacts {
    fn facts(self) -> (Facts, Option<String>) {
        let frames = self.fps.map(|fps| (fps * self.duration).round() as u32);
        let facts = Facts {
            width: self.width,
            height: self.height,
            frames,
            fps: self.fps,
            duration: Some(self.duration),
            sample_rate: self.sample_rate,
        };
        (facts, Some(self.mime_type))
    }
}

impl ImageGroupBody {
    fn read(self, app: &App) -> Result<NewItem, String> {
        let mut pictures = Vec::with_capacity(self.images.len());
        for image in self.images {
            pictures.push(image.read(app, ItemKind::Image)?);
        }
        let first = pictures.first().map(|p| p.title.clone());
        let title = self.title.or(first).unwrap_or_default();
        let uuid = Uuid::new_v4();
        let mut item = NewItem::new(uuid, ItemKind::ImageGroup, title);
        item.metadata = object_of(self.client_metadata);
        if pictures.is_empty() {
            return Err(format!("\"{}\" has no images", item.title));
        }
        if self.create_video {
            pack(app, uuid, &mut item, &pictures)?;
        } else {
            item.facts.frames = u32::try_from(pictures.len()).ok();
            item.children = pictures;
        }
        Ok(item)
    }
}

/// Makes the item an image sequence: one video of its pictures.
fn pack(app: &App, uuid: Uuid, item: &mut NewItem, pictures: &[NewItem]) -> Result<(), String> {
    let mut files = Vec::with_capacity(pictures.len());
    for picture in pictures {
        let bytes = match &picture.source {
            Some(source) => app.library.bytes(source),
            None => Err(std::io::ErrorKind::NotFound.into()),
        };
        let bytes = bytes.map_err(|e| format!("\"{}\" cannot be read: {e}", picture.title))?;
        files.push((picture.title.clone(), bytes.to_vec()));
    }
    let (video, width, height) = sequence::video(&files)?;
    let source = MediaSource::Uploaded(uuid);
    uploads::keep(&app.library.upload(uuid), &video)
        .map_err(|e| format!("\"{}\" cannot be kept: {e}", item.title))?;
    item.kind = ItemKind::ImageSequence;
    item.source = Some(source);
    item.mime = Some("video/quicktime".to_owned());
    item.size = Some(video.len() as u64);
    let frames = u32::try_from(pictures.len()).unwrap_or(u32::MAX);
    let seconds = f64::from(frames) / sequence::FPS;
    item.facts = Facts::video(width, height, frames, seconds);
    Ok(())
}

impl DataItems {
    fn read(self, app: &App) -> Result<Vec<Result<NewUnit, String>>, Refusal> {
        let foreign = [
            ("NIFTI", self.nifti.len()),
            ("DICOM", self.dicom_series.len()),
            ("time series", self.time_series.len()),
            ("scene", self.scenes.len()),
        ];
        if let Some((name, _)) = foreign.iter().find(|(_, n)| *n > 0) {
            return Err(not_served!(
                "a local project has no {name} items; it has images, image groups and sequences, videos, audio, text and PDF"
            ));
        }
        let kinds = [
            (ItemKind::Video, self.videos),
            (ItemKind::Image, self.images),
            (ItemKind::Audio, self.audio),
            (ItemKind::PlainText, self.text),
            (ItemKind::Pdf, self.pdf),
        ];
        let mut out = Vec::new();
        for (kind, files) in kinds {
            out.extend(
                files
                    .into_iter()
                    .map(|f| f.read(app, kind).map(NewUnit::Item)),
            );
        }
        out.extend(
            self.image_groups
                .into_iter()
                .map(|g| g.read(app).map(NewUnit::Item)),
        );
        out.extend(self.image_groups_from_items.into_iter().map(from_items));
        Ok(out)
    }
}

fn from_items(group: FromItemsBody) -> Result<NewUnit, String> {
    let title = group.title.unwrap_or_else(|| "Image group".to_owned());
    if group.create_video {
        return Err(format!(
            "\"{title}\": a local project does not create sequences of existing items; upload the images, or use `create_video=False`"
        ));
    }
    let mut item = NewItem::new(Uuid::new_v4(), ItemKind::ImageGroup, title);
    item.metadata = object_of(group.client_metadata);
    Ok(NewUnit::Group(item, group.image_items))
}

/// Creates the items in this folder, and data units of the dataset if one is given.
pub(super) async fn run(
    call: &Call,
    folder: Arc<Folder>,
    dataset: Option<i64>,
    sent: JobBody,
) -> Result<JobResult, Refusal> {
    if sent.external_files.is_some_and(|f| !f.is_null()) {
        return Err(not_served!(
            "a local project has no access to cloud storage; upload the files instead"
        ));
    }
    let items = sent.data_items.unwrap_or_default();
    let app = Arc::clone(&call.app);
    // Headers are read and sequences packed away from the threads that serve connections.
    let units = tokio::task::spawn_blocking(move || items.read(&app)).await;
    let units = units.map_err(|e| internal!("an upload job ended early: {e}"))??;
    let ignore = sent.ignore_errors;
    // A dataset without a folder of its own gets further units of items in other folders.
    let link = dataset.filter(|d| folder.dataset != Some(*d));
    let done = call.write(move |tx| {
        let mut done = JobResult::default();
        let mut good = Vec::new();
        for unit in units {
            match unit {
                Ok(unit) => good.push(unit),
                Err(why) => done.errors.push(why),
            }
        }
        done.failed = !done.errors.is_empty() && !ignore;
        if !done.failed {
            for unit in good {
                done.made.push(make(tx, &folder, link, unit)?);
            }
        }
        Ok(done)
    });
    let done = done.await?;
    call.count(done.made.len());
    Ok(done)
}

fn make(tx: &Tx<'_>, folder: &Folder, link: Option<i64>, unit: NewUnit) -> Result<Value, Refusal> {
    let (item, (_, mut hash)) = match unit {
        NewUnit::Item(item) => {
            let unit = units::insert(tx, folder, &item)?;
            (item, unit)
        }
        NewUnit::Group(item, members) => {
            let unit = units::insert_group(tx, folder, &item, &members)?;
            (item, unit)
        }
    };
    if let Some(dataset) = link {
        let items: Vec<Uuid> = item.uuid.into_iter().collect();
        let linked = units::link(tx, dataset, &items, Duplicates::Duplicate)?;
        hash = linked.first().copied().unwrap_or(hash);
    }
    Ok(json!({"data_hash": hash, "title": item.title, "backing_item_uuid": item.uuid}))
}

/// Stores the result of a job. Returns the job's UUID.
pub(super) async fn keep(call: &Call, scope: Uuid, done: JobResult) -> Result<Uuid, Refusal> {
    let job = Uuid::new_v4();
    let status = if done.failed { "ERROR" } else { "DONE" };
    let body = json!({"status": status, "made": done.made, "errors": done.errors});
    call.write(move |tx| records::put(tx, RecordKind::JOB.of(scope, job), "", &body))
        .await?;
    Ok(job)
}

/// The result of a job of this folder or dataset.
pub(super) async fn find(call: &Call, scope: Uuid, job: Uuid) -> Result<Record, Refusal> {
    let find = move |db: &_| records::find(db, RecordKind::JOB, job);
    let found = call.store.read(find).await?.filter(|r| r.scope == scope);
    found.ok_or_else(|| not_found!("there is no upload job {job}"))
}

/// The errors of a job, one by one.
pub(super) fn unit_errors(job: &Record) -> Vec<Value> {
    let errors = job.body["errors"].as_array().cloned().unwrap_or_default();
    let one = |error: Value| json!({"objectUrls": [], "error": error, "subtaskUuid": job.uuid, "actionDescription": "Registering a file"});
    errors.into_iter().map(one).collect()
}
