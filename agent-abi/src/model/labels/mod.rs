//! The label row: Encord's label blob, kept whole, read through typed views, changed through checked
//! additions. What it does not understand it leaves exactly as it was.
//!
//! A row is parsed when its labels are first read, and records whether it was changed. Fetching
//! and saving are left to the workbench.

mod answering;
mod answers;
mod asked;
mod check;
mod classified;
mod copy;
mod edit;
mod further;
mod index;
mod interpolate;
mod json;
mod named;
mod new;
mod outcome;
mod parts;
mod place;
mod read;
mod replace;
mod shapes;
mod space;
mod timeline;
mod track;
mod whole;
mod work;
mod write;

pub use check::Problem;
pub use classified::Classification;
pub use edit::ObjectMut;
pub use new::{NewClassification, NewLabel, NewObject};
pub(super) use parts::ChangedPart;
pub use parts::{GroupPart, GroupPartMut, PartKey};
pub use read::Object;
pub(super) use read::ranges;

use super::{ModelError, ModelResult, Ontology};
use crate::wire::{RowDoc, text};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, OnceLock};
use std::time::SystemTime;
use uuid::Uuid;

/// The labels of one data unit.
#[derive(Clone, Debug)]
pub struct LabelRow {
    metadata: Part,
    labels: Part,
    ontology: Arc<Ontology>,
    changed: bool,
    clock: Option<SystemTime>,
    made: u32,
    /// Where the objects stand; kept up with every change.
    index: OnceLock<index::Index>,
    /// Dynamic answers of the objects that were answered here, by hash.
    timelines: HashMap<String, timeline::Timeline>,
    /// Ranges that have a classification, by its kind; built when one is added.
    classified: BTreeMap<String, track::Track>,
}

/// A JSON document that is parsed when somebody looks.
#[derive(Clone, Debug)]
struct Part {
    text: Option<Box<RawValue>>,
    value: OnceLock<Value>,
}

/// What the data are.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs)] // Encord's own words
pub enum DataType {
    Image,
    Video,
    ImgGroup,
    Audio,
    PlainText,
    Pdf,
    /// Any other word of Encord's, in lower case.
    Other(String),
}

impl DataType {
    /// Reads Encord's word in either case.
    #[must_use]
    pub fn from_word(word: &str) -> Self {
        match word.to_ascii_lowercase().as_str() {
            "image" => Self::Image,
            "video" => Self::Video,
            "img_group" => Self::ImgGroup,
            "audio" => Self::Audio,
            "plain_text" => Self::PlainText,
            "pdf" => Self::Pdf,
            other => Self::Other(other.to_owned()),
        }
    }

    /// Encord's word as label blobs have it.
    #[must_use]
    pub fn word(&self) -> &str {
        match self {
            Self::Image => "image",
            Self::Video => "video",
            Self::ImgGroup => "img_group",
            Self::Audio => "audio",
            Self::PlainText => "plain_text",
            Self::Pdf => "pdf",
            Self::Other(word) => word,
        }
    }

    /// Whether labels lie on ranges of the whole instead of frames.
    #[must_use]
    pub const fn has_ranges(&self) -> bool {
        matches!(self, Self::Audio | Self::PlainText)
    }
}

impl Part {
    fn of(value: Value) -> Self {
        Self {
            text: None,
            value: OnceLock::from(value),
        }
    }

    /// Checked now, parsed later: reading it cannot fail.
    fn lazy(text: Box<RawValue>) -> serde_json::Result<Self> {
        let text = match text::check(text.get()) {
            Ok(()) => text,
            Err(error) => {
                let readable = text::readable(text.get()).ok_or(error)?;
                text::check(&readable)?;
                RawValue::from_string(readable)?
            }
        };
        Ok(Self {
            text: Some(text),
            value: OnceLock::new(),
        })
    }

    fn get(&self) -> &Value {
        self.value.get_or_init(|| {
            let text = self.text.as_ref().map_or("null", |text| text.get());
            serde_json::from_str(text).expect("was checked when it came")
        })
    }

    fn get_mut(&mut self) -> &mut Value {
        if self.value.get().is_none() {
            self.get();
        }
        self.text = None;
        self.value.get_mut().expect("was just set")
    }
}

#[derive(Deserialize)]
struct RawRow {
    metadata: Box<RawValue>,
    labels: Box<RawValue>,
}

impl LabelRow {
    /// Wraps a row that was parsed already.
    #[must_use]
    pub fn from_doc(doc: RowDoc, ontology: Arc<Ontology>) -> Self {
        Self::from_parts(Part::of(doc.metadata), Part::of(doc.labels), ontology)
    }

    /// Reads the JSON of a [`RowDoc`]. It is checked now; the labels are parsed when they are first used.
    /// Half of a surrogate pair in a text becomes a private character, which the workbench turns back.
    ///
    /// # Errors
    /// [`ModelError::Malformed`] when it is not such JSON, or nested too deeply to be parsed.
    pub fn from_json(text: &str, ontology: Arc<Ontology>) -> ModelResult<Self> {
        let broken = |what: &str, error: serde_json::Error| {
            ModelError::Malformed(format!("{what} cannot be read: {error}"))
        };
        let raw: RawRow = serde_json::from_str(text).map_err(|e| broken("the label row", e))?;
        let metadata = Part::lazy(raw.metadata);
        let labels = Part::lazy(raw.labels);
        Ok(Self::from_parts(
            metadata.map_err(|e| broken("the metadata of the label row", e))?,
            labels.map_err(|e| broken("the labels of the label row", e))?,
            ontology,
        ))
    }

    fn from_parts(metadata: Part, labels: Part, ontology: Arc<Ontology>) -> Self {
        Self {
            metadata,
            labels,
            ontology,
            changed: false,
            clock: None,
            made: 0,
            index: OnceLock::new(),
            timelines: HashMap::new(),
            classified: BTreeMap::new(),
        }
    }

    /// The time to write as `createdAt` and `lastEditedAt`; without it the clock is asked.
    #[must_use]
    pub const fn at(mut self, time: SystemTime) -> Self {
        self.clock = Some(time);
        self
    }

    /// What may be labelled. Cheap to clone, so that it can be held while the row is changed.
    #[must_use]
    pub fn ontology(&self) -> Arc<Ontology> {
        Arc::clone(&self.ontology)
    }

    /// Whether anything was changed since it was read.
    #[must_use]
    pub const fn changed(&self) -> bool {
        self.changed
    }

    /// The whole label blob, as it would be saved.
    #[must_use]
    pub fn labels(&self) -> &Value {
        self.labels.get()
    }

    /// The label blob, to be saved.
    #[must_use]
    pub fn into_labels(self) -> Value {
        self.labels.get();
        self.labels.value.into_inner().unwrap_or(Value::Null)
    }

    /// The row's metadata as Encord sends them (snake_case).
    #[must_use]
    pub fn metadata(&self) -> &Value {
        self.metadata.get()
    }

    /// Title of the data unit.
    #[must_use]
    pub fn title(&self) -> &str {
        self.fact("data_title")
            .and_then(Value::as_str)
            .unwrap_or_default()
    }

    /// The data unit.
    #[must_use]
    pub fn data_hash(&self) -> Option<Uuid> {
        self.fact("data_hash")
            .and_then(Value::as_str)
            .and_then(|text| Uuid::parse_str(text).ok())
    }

    /// The label row's own UUID; `None` while it exists only here.
    #[must_use]
    pub fn label_hash(&self) -> Option<Uuid> {
        self.fact("label_hash")
            .and_then(Value::as_str)
            .and_then(|text| Uuid::parse_str(text).ok())
    }

    /// Title of the dataset.
    #[must_use]
    pub fn dataset_title(&self) -> &str {
        self.fact("dataset_title")
            .and_then(Value::as_str)
            .unwrap_or_default()
    }

    /// What the data are.
    #[must_use]
    pub fn data_type(&self) -> DataType {
        DataType::from_word(
            self.fact("data_type")
                .and_then(Value::as_str)
                .unwrap_or_default(),
        )
    }

    /// Whether it is an HTML page, where text is labelled from node to node
    /// ([`OntologyObject::html_range`](super::OntologyObject::html_range)).
    #[must_use]
    pub fn is_html(&self) -> bool {
        let mime = |value: &Value| value.as_str() == Some("text/html");
        self.fact("file_type").is_some_and(mime)
            || self
                .units()
                .into_iter()
                .flat_map(Map::values)
                .any(|unit| unit.get("data_type").is_some_and(mime))
    }

    /// Priority of its task, 0 to 1.
    #[must_use]
    pub fn priority(&self) -> Option<f64> {
        self.fact("priority").and_then(Value::as_f64)
    }

    /// Width and height in pixels.
    #[must_use]
    pub fn size(&self) -> Option<(u32, u32)> {
        let side = |key: &str| self.fact(key)?.as_u64()?.try_into().ok();
        Some((side("width")?, side("height")?))
    }

    /// The same of a frame: the images of a group have sizes of their own. Pages have none.
    pub(super) fn size_at(&self, frame: u64) -> Option<(u32, u32)> {
        let mut size = self.size();
        if self.data_type() == DataType::ImgGroup {
            let mut units = self.units().into_iter().flat_map(Map::values);
            let unit = units.find(|unit| read::sequence(unit) == frame)?;
            let side = |key: &str| unit.get(key)?.as_u64()?.try_into().ok();
            size = side("width").zip(side("height"));
        }
        size.filter(|(width, height)| *width > 0 && *height > 0)
    }

    /// How many frames (images of a group, pages) there are, where the platform has the number.
    #[must_use]
    pub fn frame_count(&self) -> Option<u64> {
        match self.data_type() {
            DataType::Image => Some(1),
            DataType::ImgGroup => Some(self.units().map_or(0, Map::len) as u64).filter(|n| *n > 0),
            _ => self
                .fact("number_of_frames")
                .and_then(Value::as_u64)
                .filter(|n| *n > 0),
        }
    }

    /// Frames per second of a video.
    #[must_use]
    pub fn fps(&self) -> Option<f64> {
        self.fact("frames_per_second").and_then(Value::as_f64)
    }

    /// The client metadata; there only with `#[stage(…, include(client_metadata))]`.
    #[must_use]
    pub fn client_metadata(&self) -> Option<&Map<String, Value>> {
        self.metadata()
            .get("client_metadata")
            .and_then(Value::as_object)
    }

    /// A fact from the metadata, else from the top of the blob.
    fn fact(&self, key: &str) -> Option<&Value> {
        let known = |value: &&Value| !value.is_null();
        self.metadata()
            .get(key)
            .filter(known)
            .or_else(|| self.labels().get(key).filter(known))
    }

    fn units(&self) -> Option<&Map<String, Value>> {
        self.labels().get("data_units").and_then(Value::as_object)
    }
}
