//! Where a label goes in the blob: frames, data units, sections; and its hash and its date.

use super::super::when::long_date;
use super::super::{ModelError, ModelResult, OntologyClassification, quoted};
use super::new::{NewObject, Span, forwards};
use super::read::{ranges, sequence};
use super::{DataType, LabelRow};
use serde_json::{Map, Value, json};
use std::time::SystemTime;
use uuid::Uuid;

impl LabelRow {
    pub(super) fn object_frames(&self, new: &NewObject<'_>) -> ModelResult<Vec<u64>> {
        let data = self.data_type();
        if data.has_ranges() != new.geometry.is_empty() {
            let place = match self.metadata().get("part").and_then(Value::as_str) {
                Some(part) => format!("the part {}, which is", quoted(part)),
                None => "data".to_owned(),
            };
            return Err(ModelError::Invalid(format!(
                "\"{}\" is a {} and does not fit on {place} of the type {}",
                new.object.name,
                new.object.shape.word(),
                data.word()
            )));
        }
        if data.has_ranges() {
            return self.right_ranges(new).map(|()| Vec::new());
        }
        let list = match &new.span {
            Span::Default => vec![(0, 0)],
            Span::Frames(list) => list.clone(),
        };
        let answered = new.actions.iter().flat_map(ranges);
        for (from, to) in list.iter().copied().chain(answered) {
            forwards(from, to)?;
            self.check_frame(to)?;
        }
        let mut frames: Vec<u64> = list.into_iter().flat_map(|(from, to)| from..=to).collect();
        frames.sort_unstable();
        frames.dedup();
        Ok(frames)
    }

    /// HTML is labelled from node to node, all else that has ranges by milliseconds or characters.
    fn right_ranges(&self, new: &NewObject<'_>) -> ModelResult<()> {
        let cure = match (self.is_html(), new.html.is_empty()) {
            (true, true) => "is an HTML page: use html_range, from node to node",
            (false, false) => "is not an HTML page: use range",
            _ => return Ok(()),
        };
        let title = self.title();
        Err(ModelError::Invalid(format!("\"{title}\" {cure}")))
    }

    pub(super) fn check_frame(&self, frame: u64) -> ModelResult<()> {
        match self.frame_count() {
            Some(count) if frame >= count && !self.data_type().has_ranges() => {
                Err(ModelError::Invalid(format!(
                    "there is no frame {frame}: \"{}\" has {count}, counted from 0",
                    self.title()
                )))
            }
            // Without a count a wild range would be written out frame by frame.
            None if frame > 10_000_000 => Err(ModelError::Invalid(format!(
                "frame {frame} is beyond any video"
            ))),
            _ => Ok(()),
        }
    }

    /// A mask has a bit for each pixel of its picture; other clients cannot save a row where one has not.
    pub(super) fn check_mask(&self, mask: Option<&Value>, unit: &str) -> ModelResult<()> {
        let Some(mask) = mask else {
            return Ok(());
        };
        let side = |value: &Value, key: &str| value.get(key).and_then(Value::as_u64);
        let picture = self.units().and_then(|units| units.get(unit));
        let picture = picture.and_then(|unit| Some((side(unit, "width")?, side(unit, "height")?)));
        let size = (side(mask, "width"), side(mask, "height"));
        match picture {
            Some((0, 0)) => Err(ModelError::Invalid(format!(
                "data of the type {} have no pixels that a mask could count",
                self.data_type().word()
            ))),
            Some((w, h)) if size != (Some(w), Some(h)) => Err(ModelError::Invalid(format!(
                "the mask is {} x {}, the picture {w} x {h}: a mask has a bit for each of its pixels",
                size.0.unwrap_or(0),
                size.1.unwrap_or(0)
            ))),
            _ => Ok(()),
        }
    }

    /// What a classification of the whole has as its `range`: every frame, or nothing when it is never
    /// classified by frame.
    pub(super) fn whole_for(&self, kind: &OntologyClassification) -> Value {
        if kind.global { json!([]) } else { self.whole() }
    }

    /// Every frame of the data unit, as a `range`.
    fn whole(&self) -> Value {
        let last = match self.data_type() {
            data if data.has_ranges() => 0,
            _ => self.frame_count().map_or(0, |count| count - 1),
        };
        json!([[0, last]])
    }

    /// Key of the data unit that carries a frame.
    pub(super) fn unit_of(&self, frame: u64) -> ModelResult<String> {
        let units = self
            .units()
            .ok_or_else(|| ModelError::Malformed("the label row has no data_units".to_owned()))?;
        let found = match self.data_type() {
            DataType::ImgGroup => units.iter().find(|(_, unit)| sequence(unit) == frame),
            DataType::Image | DataType::Video | DataType::Pdf => units.iter().next(),
            other => {
                let text = format!(
                    "data of the type {} cannot be drawn on from here; labels that they have are kept as they are",
                    other.word()
                );
                return Err(ModelError::Invalid(text));
            }
        };
        let (key, _) =
            found.ok_or_else(|| ModelError::Invalid(format!("the data have no image {frame}")))?;
        Ok(key.clone())
    }

    /// Whether labels stand under the numbers of their frames.
    pub(super) fn is_by_frame(&self) -> bool {
        matches!(self.data_type(), DataType::Video | DataType::Pdf)
    }

    /// The list of objects on a frame, made when it is not there.
    pub(super) fn objects_on(&mut self, unit: &str, frame: u64) -> ModelResult<&mut Vec<Value>> {
        let by_frame = self.is_by_frame();
        let mut labels = &mut self.labels_mut()["data_units"][unit]["labels"];
        if by_frame {
            if labels.is_null() {
                *labels = json!({});
            }
            labels = &mut labels[frame.to_string()];
        }
        if labels.is_null() {
            *labels = json!({});
        }
        let lists = labels.as_object_mut().map(|labels| {
            labels.entry("classifications").or_insert_with(|| json!([]));
            labels.entry("objects").or_insert_with(|| json!([]))
        });
        lists.and_then(Value::as_array_mut).ok_or_else(|| {
            ModelError::Malformed(format!("the objects of frame {frame} are not a list"))
        })
    }

    pub(super) fn check_blob(&self) -> ModelResult<()> {
        if self
            .labels()
            .get("data_units")
            .is_some_and(Value::is_object)
        {
            return Ok(());
        }
        Err(ModelError::Malformed(
            "the label row has no data_units; it cannot be written to".to_owned(),
        ))
    }

    pub(super) fn labels_mut(&mut self) -> &mut Value {
        self.changed = true;
        self.labels.get_mut()
    }

    pub(super) fn section_mut(&mut self, key: &str) -> &mut Map<String, Value> {
        let section = &mut self.labels_mut()[key];
        if !section.is_object() {
            *section = json!({});
        }
        section.as_object_mut().expect("was just made")
    }

    pub(super) fn now(&self) -> String {
        long_date(self.clock.unwrap_or_else(SystemTime::now))
    }

    /// Eight characters of the base64 alphabet. They depend on the row and on what was made in it
    /// before, so that the same agent on the same input gives the same labels.
    pub(super) fn fresh_hash(&mut self, name: &str) -> String {
        let key = |key: &str| self.fact(key).map(Value::to_string).unwrap_or_default();
        let seed = ["label_hash", "data_hash", "branch_name", "last_edited_at"]
            .map(key)
            .join("/");
        loop {
            self.made += 1;
            let uuid = Uuid::new_v5(
                &Uuid::NAMESPACE_OID,
                format!("{seed}/{name}/{}", self.made).as_bytes(),
            );
            let hash = short(uuid);
            let taken = ["object_answers", "classification_answers"]
                .iter()
                .any(|key| {
                    self.labels()
                        .get(*key)
                        .is_some_and(|s| s.get(&hash).is_some())
                });
            if !taken {
                return hash;
            }
        }
    }
}

fn short(uuid: Uuid) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let bits = uuid.as_bytes()[..6]
        .iter()
        .fold(0u64, |bits, byte| bits << 8 | u64::from(*byte));
    (0..8)
        .map(|i| char::from(ALPHABET[(bits >> (42 - 6 * i) & 63) as usize]))
        .collect()
}

/// Sorted ranges with neighbours joined, as JSON.
pub(super) fn merged(mut list: Vec<(u64, u64)>) -> Value {
    list.sort_unstable();
    let mut out: Vec<(u64, u64)> = Vec::with_capacity(list.len());
    for (from, to) in list {
        match out.last_mut() {
            Some((_, end)) if from <= end.saturating_add(1) => *end = (*end).max(to),
            _ => out.push((from, to)),
        }
    }
    json!(out)
}

/// What is left of these ranges without one.
pub(super) fn without(list: Vec<(u64, u64)>, (from, to): (u64, u64)) -> Vec<(u64, u64)> {
    let mut left = Vec::with_capacity(list.len() + 1);
    for (a, b) in list {
        if b < from || to < a {
            left.push((a, b));
            continue;
        }
        if a < from {
            left.push((a, from - 1));
        }
        if to < b {
            left.push((to + 1, b));
        }
    }
    left
}
