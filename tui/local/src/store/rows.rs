//! Metadata of label rows: one record per data unit of a project, initialised or not.

use rusqlite::{Connection, params_from_iter};
use serde::Serialize;
use uuid::Uuid;

use crate::error::{Refusal, internal};
use crate::item::ItemKind;
use crate::store::catalog::Project;
use crate::store::exact::JsonObject;
use crate::store::items::{self, COLUMN_COUNT, Data};
use crate::store::row_query::{RowQuery, select};
use crate::store::spaces::{Spaces, spaces};
use crate::store::sql::Sql as _;
use crate::time;
use crate::workflow::{Node, NodeKind};

#[derive(Debug, Serialize)]
struct GraphNode<'a> {
    uuid: Uuid,
    title: &'a str,
}

impl<'a> GraphNode<'a> {
    fn of(node: &'a Node) -> Self {
        let title = &node.title;
        let uuid = node.uuid;
        Self { uuid, title }
    }
}

#[derive(Debug, Serialize)]
struct ImageDto {
    index: usize,
    title: String,
    file_type: String,
    height: Option<u32>,
    width: Option<u32>,
    image_hash: Uuid,
}

#[derive(Debug, Serialize)]
struct RowDto<'a> {
    label_hash: Option<Uuid>,
    branch_name: String,
    created_at: Option<String>,
    last_edited_at: Option<String>,
    data_hash: Uuid,
    dataset_hash: Uuid,
    dataset_title: &'a str,
    data_title: &'a str,
    data_type: &'static str,
    data_link: Option<String>,
    label_status: &'static str,
    annotation_task_status: Option<&'static str>,
    is_shadow_data: bool,
    number_of_frames: u32,
    duration: Option<f64>,
    frames_per_second: Option<f64>,
    height: Option<u32>,
    width: Option<u32>,
    #[serde(flatten)]
    audio: AudioFacts,
    task_uuid: Option<Uuid>,
    priority: Option<f64>,
    file_type: Option<&'a str>,
    is_valid: bool,
    backing_item_uuid: Uuid,
    assigned_user_email: Option<String>,
    last_actioned_by_user_email: Option<String>,
    group_hash: Option<Uuid>,
    spaces: Spaces,
    client_metadata: Option<JsonObject>,
    images_data: Option<Vec<ImageDto>>,
    workflow_graph_node: Option<GraphNode<'a>>,
}

/// The matching rows as a JSON array, written row by row: a project may have a million.
pub(crate) fn list(
    db: &Connection,
    project: &Project,
    query: &RowQuery,
) -> Result<Vec<u8>, Refusal> {
    let branch = query
        .branch_name
        .clone()
        .unwrap_or_else(|| "main".to_owned());
    let (sql, values) = select(project, query, &branch);
    let mut statement = db.prepare(&sql)?;
    let mut rows = statement.query(params_from_iter(values))?;
    let mut out = vec![b'['];
    while let Some(row) = rows.next()? {
        let data = Data::read(row)?;
        if out.len() > 1 {
            out.push(b',');
        }
        let dto = dto(db, project, query, row, &data, &branch)?;
        serde_json::to_writer(&mut out, &dto)?;
    }
    out.push(b']');
    Ok(out)
}

fn dto<'a>(
    db: &Connection,
    project: &'a Project,
    query: &RowQuery,
    row: &rusqlite::Row<'_>,
    data: &'a Data,
    branch: &str,
) -> Result<RowDto<'a>, Refusal> {
    const C: usize = COLUMN_COUNT;
    let dataset = project.dataset(data.dataset);
    let dataset = dataset.ok_or_else(|| internal!("a data unit outside of its dataset"))?;
    let task: Option<i64> = row.get(C)?;
    let stage: Option<usize> = row.get(C + 1)?;
    let node = stage.and_then(|s| project.graph.nodes.get(s));
    let label_hash: Option<Uuid> = row.get(C + 5)?;
    let label_branch: Option<String> = row.get(C + 6)?;
    let images = match query.include_images_data {
        Some(true) => Some(images(db, data)?),
        _ => None,
    };
    let named_node = node.filter(|_| query.include_workflow_graph_node != Some(false));
    let with_metadata = query.include_client_metadata == Some(true);
    Ok(RowDto {
        label_hash,
        branch_name: label_branch.unwrap_or_else(|| branch.to_owned()),
        created_at: row.get::<_, Option<i64>>(C + 7)?.map(time::long),
        last_edited_at: row.get::<_, Option<i64>>(C + 8)?.map(time::long),
        data_hash: data.hash,
        dataset_hash: dataset.uuid,
        dataset_title: &dataset.title,
        data_title: &data.title,
        data_type: data.kind.upper_data_type(),
        data_link: data.kind.has_media().then(|| data.link()),
        label_status: label_status(label_hash),
        annotation_task_status: node.map(|n| task_status(&n.kind)),
        is_shadow_data: false,
        number_of_frames: data.frame_count(),
        duration: data.duration,
        frames_per_second: data.fps,
        height: data.height,
        width: data.width,
        audio: AudioFacts::of(data),
        task_uuid: task.map(|_| project.task_of(data.hash)),
        priority: row.get(C + 2)?,
        file_type: data.mime.as_deref(),
        is_valid: true,
        backing_item_uuid: data.item,
        assigned_user_email: row.get(C + 3)?,
        last_actioned_by_user_email: row.get(C + 4)?,
        group_hash: row.get(C + 9)?,
        spaces: spaces(db, data)?,
        client_metadata: with_metadata.then(|| data.metadata()),
        images_data: images,
        workflow_graph_node: named_node.map(GraphNode::of),
    })
}

fn label_status(label_hash: Option<Uuid>) -> &'static str {
    match label_hash {
        Some(_) => "LABEL_IN_PROGRESS",
        None => "NOT_LABELLED",
    }
}

/// The properties of sound; null in items of other types.
#[derive(Debug, Serialize)]
pub(crate) struct AudioFacts {
    pub audio_codec: Option<&'static str>,
    pub audio_sample_rate: Option<u32>,
    pub audio_bit_depth: Option<u32>,
    pub audio_num_channels: Option<u32>,
}

impl AudioFacts {
    pub(crate) fn of(data: &Data) -> Self {
        let audio = data.kind == ItemKind::Audio;
        let codec = match data.mime.as_deref() {
            Some("audio/mpeg") => "mp3",
            _ => "pcm_s16le",
        };
        Self {
            audio_codec: audio.then_some(codec),
            audio_sample_rate: data.rate,
            audio_bit_depth: audio.then_some(16),
            audio_num_channels: audio.then_some(1),
        }
    }
}

/// `annotation_task_status` of a task at a stage of this kind.
pub(crate) fn task_status(kind: &NodeKind) -> &'static str {
    match kind {
        NodeKind::Review { .. } => "IN_REVIEW",
        NodeKind::Done { .. } => "COMPLETED",
        _ => "QUEUED",
    }
}

fn images(db: &Connection, data: &Data) -> Result<Vec<ImageDto>, Refusal> {
    let pictures = items::pictures(db, data)?.into_iter().enumerate();
    let image = |(index, picture): (usize, Data)| ImageDto {
        index,
        title: picture.title,
        file_type: picture.mime.unwrap_or_else(|| "image/jpeg".to_owned()),
        height: picture.height,
        width: picture.width,
        image_hash: picture.hash,
    };
    Ok(pictures.map(image).collect())
}

/// The branches that label rows of a project are on, `main` first.
pub(crate) fn branches(db: &Connection, project: &Project) -> Result<Vec<String>, Refusal> {
    let sql =
        "SELECT DISTINCT branch FROM label WHERE project = ?1 AND branch <> 'main' ORDER BY branch";
    let mut out = vec!["main".to_owned()];
    out.extend(db.rows(sql, [project.id], |r| r.get(0))?);
    Ok(out)
}
