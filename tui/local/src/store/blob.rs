//! Reading label rows: the stored labels, put into the shape that the clients expect.
//!
//! The labels themselves are stored as they were sent; everything around them (titles, sizes, units) is
//! computed here. Creating rows is in `labels`, saving in `saving`.

use std::collections::{BTreeMap, HashSet};

use rusqlite::{Connection, Row, params};
use serde::ser::SerializeMap as _;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::error::{Refusal, internal};
use crate::item::ItemKind;
use crate::store::catalog::Project;
use crate::store::exact::{self, Fields, edit_objects};
use crate::store::items::{self, COLUMN_COUNT, COLUMNS, Data};
use crate::store::rows::{AudioFacts, task_status};
use crate::time;

/// Makes the link of a data unit: an opaque one, or a signed URL.
pub(crate) type Linker<'a> = &'a dyn Fn(&Data) -> String;

/// Which features of a label row to return. `None`: all.
#[derive(Debug, Default)]
pub(crate) struct FeatureFilter {
    pub objects: Option<HashSet<String>>,
    pub classifications: Option<HashSet<String>>,
}

#[derive(Serialize)]
struct Blob<'a> {
    label_hash: Uuid,
    branch_name: String,
    created_at: String,
    last_edited_at: String,
    data_hash: Uuid,
    dataset_hash: Uuid,
    dataset_title: &'a str,
    data_title: &'a str,
    data_type: &'static str,
    annotation_task_status: &'static str,
    is_shadow_data: bool,
    object_answers: Box<RawValue>,
    classification_answers: Box<RawValue>,
    object_actions: Box<RawValue>,
    label_status: &'static str,
    data_units: Units,
    spaces: Box<RawValue>,
    is_valid: bool,
    /// Stored fields that this server does not interpret.
    #[serde(flatten)]
    extra: Named,
}

/// Fields by name, as they were sent.
type Named = BTreeMap<String, Box<RawValue>>;

/// Stored fields that this server does not interpret, of the row and of its data units.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Extra {
    row: Named,
    units: BTreeMap<Uuid, Named>,
}

/// Units by hash, in order.
struct Units(Vec<RowUnit>);

impl Serialize for Units {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for unit in &self.0 {
            map.serialize_entry(&unit.data_hash, unit)?;
        }
        map.end()
    }
}

#[derive(Serialize)]
struct RowUnit {
    data_hash: Uuid,
    data_title: String,
    data_link: Option<String>,
    data_type: String,
    data_sequence: Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    width: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    height: Option<u32>,
    #[serde(flatten)]
    audio: Option<AudioFacts>,
    labels: Box<RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    data_duration: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    data_fps: Option<f64>,
    #[serde(flatten)]
    extra: Named,
}

const LABEL_COLUMNS: &str = "l.hash, l.branch, l.created, l.edited, l.objects, l.classes, l.actions, l.units, l.spaces, t.stage, l.extra";

/// The label rows of data units on a branch, as a JSON array in the requested order.
pub(crate) fn by_data(
    db: &Connection,
    project: &Project,
    hashes: &[Uuid],
    branch: &str,
    link: Linker<'_>,
) -> Result<Vec<u8>, Refusal> {
    let condition = "d.hash = ?2 AND l.branch = ?3";
    let values = hashes.iter().map(|h| (*h, branch));
    read(
        db,
        project,
        condition,
        values,
        &FeatureFilter::default(),
        link,
    )
}

/// The label rows with these hashes, as a JSON array in the requested order. Unknown ones are left out.
pub(crate) fn by_hash(
    db: &Connection,
    project: &Project,
    hashes: &[Uuid],
    filter: &FeatureFilter,
    link: Linker<'_>,
) -> Result<Vec<u8>, Refusal> {
    // The third parameter is unused here but must appear.
    read(
        db,
        project,
        "l.hash = ?2 AND ?3 = ''",
        hashes.iter().map(|h| (*h, "")),
        filter,
        link,
    )
}

fn read<'a>(
    db: &Connection,
    project: &Project,
    condition: &str,
    values: impl Iterator<Item = (Uuid, &'a str)>,
    filter: &FeatureFilter,
    link: Linker<'_>,
) -> Result<Vec<u8>, Refusal> {
    let sql = format!(
        "SELECT {COLUMNS}, {LABEL_COLUMNS} FROM label l JOIN data d ON d.id = l.data
         LEFT JOIN task t ON t.project = l.project AND t.data = l.data WHERE l.project = ?1 AND {condition}"
    );
    let mut find = db.prepare_cached(&sql)?;
    let mut out = vec![b'['];
    for (hash, branch) in values {
        let mut rows = find.query(params![project.id, hash, branch])?;
        let Some(row) = rows.next()? else { continue };
        if out.len() > 1 {
            out.push(b',');
        }
        let data = Data::read(row)?;
        serde_json::to_writer(&mut out, &blob(db, project, row, &data, filter, link)?)?;
    }
    out.push(b']');
    Ok(out)
}

fn broken(error: &serde_json::Error) -> Refusal {
    internal!("a label row in the database is broken: {error}")
}

fn raw(text: String) -> Result<Box<RawValue>, Refusal> {
    RawValue::from_string(text).map_err(|e| broken(&e))
}

fn blob<'a>(
    db: &Connection,
    project: &'a Project,
    row: &Row<'_>,
    data: &'a Data,
    filter: &FeatureFilter,
    link: Linker<'_>,
) -> Result<Blob<'a>, Refusal> {
    const C: usize = COLUMN_COUNT;
    let dataset = project.dataset(data.dataset);
    let dataset = dataset.ok_or_else(|| internal!("a label row outside of its dataset"))?;
    let stage: Option<usize> = row.get(C + 9)?;
    let node = stage.and_then(|s| project.graph.nodes.get(s));
    let mut parts = Parts {
        objects: row.get(C + 4)?,
        classes: row.get(C + 5)?,
        actions: row.get(C + 6)?,
        units: row.get(C + 7)?,
    };
    filter.apply(&mut parts)?;
    let extra: String = row.get(C + 10)?;
    let extra: Extra = serde_json::from_str(&extra).map_err(|e| broken(&e))?;
    let kept = Kept {
        labels: serde_json::from_str(&parts.units).map_err(|e| broken(&e))?,
        extra: extra.units,
    };
    Ok(Blob {
        label_hash: row.get(C)?,
        branch_name: row.get(C + 1)?,
        created_at: time::long(row.get(C + 2)?),
        last_edited_at: time::long(row.get(C + 3)?),
        data_hash: data.hash,
        dataset_hash: dataset.uuid,
        dataset_title: &dataset.title,
        data_title: &data.title,
        data_type: data.kind.data_type(),
        annotation_task_status: node.map_or("QUEUED", |n| task_status(&n.kind)),
        is_shadow_data: false,
        object_answers: raw(parts.objects)?,
        classification_answers: raw(parts.classes)?,
        object_actions: raw(parts.actions)?,
        label_status: "LABEL_IN_PROGRESS",
        data_units: units(db, data, kept, link)?,
        spaces: raw(row.get(C + 8)?)?,
        is_valid: true,
        extra: extra.row,
    })
}

/// The saved parts of a row's data units by hash, each until it is returned.
struct Kept {
    labels: BTreeMap<Uuid, Box<RawValue>>,
    extra: BTreeMap<Uuid, Named>,
}

impl Kept {
    fn unit(&mut self, d: &Data, sequence: Value, link: Linker<'_>) -> Result<RowUnit, Refusal> {
        let audio = (d.kind == ItemKind::Audio).then(|| AudioFacts::of(d));
        let is_pdf = d.kind == ItemKind::Pdf;
        let sized = |size| if is_pdf { Some(0) } else { size };
        let timed = matches!(d.kind, ItemKind::Video | ItemKind::Audio);
        let mime = d.mime.as_deref().unwrap_or("application/octet-stream");
        let labels = match self.labels.remove(&d.hash) {
            Some(kept) if d.kind == ItemKind::Group => by_frame(kept)?,
            Some(kept) => kept,
            None => raw(empty_labels(d.kind).to_owned())?,
        };
        Ok(RowUnit {
            data_hash: d.hash,
            data_title: d.title.clone(),
            data_link: d.kind.has_media().then(|| link(d)),
            data_type: mime.to_owned(),
            data_sequence: sequence,
            width: sized(d.width),
            height: sized(d.height),
            audio,
            labels,
            data_duration: d.duration.filter(|_| timed),
            data_fps: if is_pdf { Some(0.0) } else { d.fps },
            extra: self.extra.remove(&d.hash).unwrap_or_default(),
        })
    }
}

fn units(db: &Connection, data: &Data, mut kept: Kept, link: Linker<'_>) -> Result<Units, Refusal> {
    if !matches!(data.kind, ItemKind::ImageGroup | ItemKind::ImageSequence) {
        return Ok(Units(vec![kept.unit(data, json!(0), link)?]));
    }
    let pictures = items::pictures(db, data)?;
    let unit = |(n, picture): (usize, &Data)| kept.unit(picture, json!(n.to_string()), link);
    let units = pictures.iter().enumerate().map(unit);
    Ok(Units(units.collect::<Result<_, _>>()?))
}

fn empty_labels(kind: ItemKind) -> &'static str {
    match kind {
        ItemKind::Image => r#"{"objects":[],"classifications":[]}"#,
        _ => "{}",
    }
}

/// The labels on a data group as a whole. Clients save them as those of one picture and read them by
/// frame, as those of a video: SDKs before 0.1.187 fail on any other key.
fn by_frame(labels: Box<RawValue>) -> Result<Box<RawValue>, Refusal> {
    let Some(fields) = exact::fields(&labels).filter(|f| f.contains_key("objects")) else {
        return Ok(labels);
    };
    let is_empty = |list: &&RawValue| list.get().trim_matches(['[', ']', ' ']).is_empty();
    if fields.len() <= 2
        && fields.values().all(is_empty)
        && fields
            .keys()
            .all(|k| k == "objects" || k == "classifications")
    {
        return raw("{}".to_owned());
    }
    let mut frame = fields.clone();
    let none = raw("[]".to_owned())?;
    frame.entry("classifications".to_owned()).or_insert(&none);
    Ok(to_raw_value(&BTreeMap::from([("0", frame)]))?)
}

/// The stored texts of a row.
struct Parts {
    objects: String,
    classes: String,
    actions: String,
    units: String,
}

impl FeatureFilter {
    /// Removes unwanted features; the answers and actions of unwanted objects are removed too.
    fn apply(&self, parts: &mut Parts) -> Result<(), Refusal> {
        let keeps = |wanted: &HashSet<String>, entry: &RawValue| {
            exact::text(entry, "featureHash").is_none_or(|f| wanted.contains(&f))
        };
        let kept = |text: &str, keep: &dyn Fn(&str, &RawValue) -> bool| {
            let mut fields: Fields<'_> = serde_json::from_str(text)?;
            fields.retain(|hash, entry| keep(hash, entry));
            serde_json::to_string(&fields)
        };
        if let Some(wanted) = &self.classifications {
            parts.classes = kept(&parts.classes, &|_, entry| keeps(wanted, entry))?;
        }
        let Some(wanted) = &self.objects else {
            return Ok(());
        };
        let units: Fields<'_> = serde_json::from_str(&parts.units)?;
        let mut gone = HashSet::new();
        let mut left: BTreeMap<&str, Box<RawValue>> = BTreeMap::new();
        for (unit, labels) in &units {
            let labels = edit_objects(labels, &mut |object| {
                if keeps(wanted, object) {
                    return Ok(Some(object.to_owned()));
                }
                gone.extend(exact::text(object, "objectHash"));
                Ok(None)
            })?;
            left.insert(unit, labels);
        }
        let left = serde_json::to_string(&left)?;
        parts.objects = kept(&parts.objects, &|hash, entry| {
            !gone.contains(hash) && keeps(wanted, entry)
        })?;
        let objects: Fields<'_> = serde_json::from_str(&parts.objects)?;
        parts.actions = kept(&parts.actions, &|hash, _| objects.contains_key(hash))?;
        parts.units = left;
        Ok(())
    }
}
