//! What is known of the files of tasks: decoded pictures, their number, parsed labels. All of it is bounded, and what
//! is missing is requested in the order in which it is needed.

use super::recent::Recent;
use super::{PictureId, PictureRequest, Subject};
use crate::raster::Picture;
use std::sync::Arc;
use wb_core::ids::TaskId;
use wb_core::marks::{LabelMark, LabelSide, LabelSides};
use wb_core::work::{Inputs, Outcome};

/// Bytes of decoded pictures that are kept.
const PICTURES: usize = 64 << 20;
/// Tasks whose files are known.
const FILES: usize = 512;
/// Tasks whose labels are kept.
const LABELS: usize = 96;
/// Frames whose marks are kept.
const MARKS: usize = 256;
/// Pictures that are requested at a time.
const WANTED: usize = 96;

/// What the file of a task holds.
#[derive(Clone, Debug, PartialEq)]
pub enum Medium {
    /// Pictures: a still, the frames of a video, the images of a group.
    Pictures {
        /// How many.
        count: u64,
    },
    /// A text.
    Text(TextFile),
    /// A sound.
    Sound(Sound),
    /// Something whose labels can be listed only.
    Listed {
        /// Why it is not shown.
        why: String,
    },
}

/// A text, or the beginning of a long one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TextFile {
    /// Its characters, counted as in labels.
    pub text: Arc<str>,
}

/// A sound over time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sound {
    /// Its length in milliseconds; 0: unknown.
    pub ms: u64,
    /// The loudest sample of each of equal stretches, 0 to 255.
    pub peaks: Vec<u8>,
    /// Why it could not be decoded.
    pub why: Option<String>,
}

/// A decoded picture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shot {
    /// Its pixels; about 1,000 on its longest side are enough.
    pub picture: Picture,
    /// When it is shown, in microseconds from the start of its video.
    pub at_us: Option<i64>,
}

impl Shot {
    fn checked(self) -> Result<Arc<ShotHeld>, String> {
        let picture = self.picture;
        let bytes = picture.width as usize * picture.height as usize * 3;
        if bytes == 0 || picture.rgb.len() != bytes {
            return Err("the decoded picture does not have the size that it declares".into());
        }
        Ok(Arc::new(ShotHeld {
            picture: Arc::new(picture),
            at_us: self.at_us,
        }))
    }
}

/// A picture whose size was checked.
#[derive(Debug)]
pub struct ShotHeld {
    pub picture: Arc<Picture>,
    pub at_us: Option<i64>,
}

/// Labels to be parsed, beside the screen: those of a long video are megabytes.
#[derive(Clone, Debug)]
pub struct LabelsRequest {
    inputs: Arc<Inputs>,
    earlier: Option<Arc<Outcome>>,
    outcome: Option<Arc<Outcome>>,
    compared: bool,
}

/// Parsed labels; [`crate::Ui::set_labels`] takes them.
#[derive(Debug)]
pub struct ParsedLabels {
    of: LabelsRequest,
    labels: Arc<LabelSides>,
}

impl LabelsRequest {
    /// Parses them.
    #[must_use]
    pub fn parse(self) -> ParsedLabels {
        let labels = match (&self.earlier, &self.outcome) {
            (a, b) if self.compared => {
                LabelSides::compared(&self.inputs, [a.as_deref(), b.as_deref()])
            }
            (earlier @ Some(_), Some(outcome)) => {
                LabelSides::between(&self.inputs, earlier.as_deref(), outcome)
            }
            (_, outcome) => LabelSides::of(&self.inputs, outcome.as_deref()),
        };
        ParsedLabels {
            labels: Arc::new(labels),
            of: self,
        }
    }
}

impl PartialEq for LabelsRequest {
    /// The very same documents; they live as long as the request.
    fn eq(&self, other: &Self) -> bool {
        let same = |a: &Option<Arc<Outcome>>, b: &Option<Arc<Outcome>>| match (a, b) {
            (Some(a), Some(b)) => Arc::ptr_eq(a, b),
            (None, None) => true,
            _ => false,
        };
        Arc::ptr_eq(&self.inputs, &other.inputs)
            && same(&self.earlier, &other.earlier)
            && same(&self.outcome, &other.outcome)
            && self.compared == other.compared
    }
}

/// Which marks: of these labels on this frame.
#[derive(Debug)]
struct MarksKey(Arc<LabelSides>, u64, LabelSide);

impl PartialEq for MarksKey {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) && (self.1, self.2) == (other.1, other.2)
    }
}

/// What is decoded, and what is wanted.
#[derive(Debug)]
pub struct Store {
    files: Recent<TaskId, Result<Medium, String>>,
    shots: Recent<PictureId, Result<Arc<ShotHeld>, String>>,
    labels: Recent<LabelsRequest, Arc<LabelSides>>,
    marks: Recent<MarksKey, Arc<[LabelMark]>>,
    /// With the layer that needs it: what lies above goes first.
    wanted: Vec<(usize, PictureRequest)>,
    wanted_labels: Vec<LabelsRequest>,
    parsing: Vec<LabelsRequest>,
    pub layer: usize,
    /// Tasks that are drawn in this frame.
    drawn: Vec<TaskId>,
}

impl Store {
    pub const fn new() -> Self {
        Self {
            files: Recent::new(FILES),
            shots: Recent::new(PICTURES),
            labels: Recent::new(LABELS),
            marks: Recent::new(MARKS),
            wanted: Vec::new(),
            wanted_labels: Vec::new(),
            parsing: Vec::new(),
            layer: 0,
            drawn: Vec::new(),
        }
    }

    /// A frame begins. What could not be had is tried again once it was out of sight.
    pub fn begin(&mut self) {
        let drawn = std::mem::take(&mut self.drawn);
        let seen = |task: &TaskId| drawn.contains(task);
        self.files.retain(|task, file| file.is_ok() || seen(task));
        self.shots.retain(|id, shot| shot.is_ok() || seen(&id.task));
        self.wanted.clear();
        self.wanted_labels.clear();
        self.layer = 0;
    }

    /// What the file of a task holds, when that is known.
    pub fn medium(&mut self, task: TaskId) -> Option<Result<Medium, String>> {
        if !self.drawn.contains(&task) {
            self.drawn.push(task);
        }
        self.files.get(&task).cloned()
    }

    pub fn put_medium(&mut self, task: TaskId, medium: Result<Medium, String>) {
        self.files.put(task, medium, 1);
    }

    pub fn put_shot(&mut self, id: PictureId, shot: Result<Shot, String>) {
        let shot = shot.and_then(Shot::checked);
        let cost = shot.as_ref().map_or(1, |shot| shot.picture.rgb.len());
        self.shots.put(id, shot, cost);
    }

    /// A picture; a large one stands for a small one too.
    pub fn shot(&mut self, id: PictureId) -> Option<Result<Arc<ShotHeld>, String>> {
        let large = PictureId { small: false, ..id };
        if let Some(shot) = self.shots.get(&large) {
            return Some(shot.clone());
        }
        self.shots.get(&id).cloned()
    }

    /// Requests a picture, unless it is here.
    pub fn want(&mut self, subject: &Subject<'_>, id: PictureId) {
        if self.wanted.len() >= WANTED || self.files.peek(&id.task).is_some() && self.has(id) {
            return;
        }
        let asset = subject.inputs.and_then(|inputs| inputs.asset_json.clone());
        let request = PictureRequest {
            id,
            stage: subject.stage,
            row: subject.row.clone(),
            asset,
        };
        self.wanted.push((self.layer, request));
    }

    pub fn has(&self, id: PictureId) -> bool {
        let large = PictureId { small: false, ..id };
        self.shots.peek(&large).is_some() || self.shots.peek(&id).is_some()
    }

    /// What is missing, the most urgent first.
    pub fn wanted(&self) -> Vec<PictureRequest> {
        let has = |id: PictureId| match self.files.peek(&id.task) {
            Some(Ok(Medium::Pictures { .. })) => self.has(id),
            Some(_) => true,
            None => false,
        };
        let mut all: Vec<_> = (self.wanted.iter()).filter(|(_, r)| !has(r.id)).collect();
        all.sort_by_key(|(layer, _)| std::cmp::Reverse(*layer));
        all.into_iter()
            .map(|(_, request)| request.clone())
            .collect()
    }

    /// The labels of a task, once they are parsed.
    pub fn labels(&mut self, subject: &Subject<'_>) -> Option<Arc<LabelSides>> {
        let request = LabelsRequest {
            inputs: Arc::clone(subject.inputs?),
            earlier: subject.earlier.cloned(),
            outcome: subject.outcome.cloned(),
            compared: subject.compared,
        };
        if let Some(labels) = self.labels.get(&request) {
            return Some(Arc::clone(labels));
        }
        if !self.wanted_labels.contains(&request) {
            self.wanted_labels.push(request);
        }
        None
    }

    /// Labels that nobody was asked to parse yet.
    pub fn take_wanted_labels(&mut self) -> Vec<LabelsRequest> {
        let mut new = std::mem::take(&mut self.wanted_labels);
        new.retain(|request| !self.parsing.contains(request));
        self.parsing.extend(new.iter().cloned());
        new
    }

    pub fn put_labels(&mut self, parsed: ParsedLabels) {
        self.parsing.retain(|request| *request != parsed.of);
        self.labels.put(parsed.of, parsed.labels, 1);
    }

    /// The marks on a frame.
    pub fn marks(
        &mut self,
        labels: &Arc<LabelSides>,
        frame: u64,
        side: LabelSide,
    ) -> Arc<[LabelMark]> {
        let key = MarksKey(Arc::clone(labels), frame, side);
        if let Some(marks) = self.marks.get(&key) {
            return Arc::clone(marks);
        }
        let marks: Arc<[LabelMark]> = labels.marks(frame, side).into();
        self.marks.put(key, Arc::clone(&marks), 1);
        marks
    }
}
