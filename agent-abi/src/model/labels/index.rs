//! Where each object of a row stands, by its hash: an agent asks for thousands of them one by one, and
//! none may need a look at all the others.

use super::LabelRow;
use super::read::{only_on_parts, sequence, text};
use super::work::looked_at;
use serde_json::{Map, Value};
use std::collections::HashMap;
use std::sync::Arc;

/// What is known of an object without looking for it.
#[derive(Clone, Debug, Default)]
pub(super) struct Known {
    /// Feature hash of its kind.
    pub(super) feature: String,
    /// Where it is drawn; empty for audio and text.
    pub(super) places: Vec<Place>,
}

/// One frame of an object.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub(super) frame: u64,
    pub(super) unit: Arc<str>,
    /// Whether the unit has its labels by frame, as videos do.
    pub(super) by_frame: bool,
    /// Where in the list of its frame it was; it moves up when others are taken away.
    pub(super) at: usize,
}

impl Known {
    /// Where it is on a frame.
    pub(super) fn on(&self, frame: u64) -> Option<&Place> {
        let at = self.places.partition_point(|place| place.frame < frame);
        self.places.get(at).filter(|place| place.frame == frame)
    }

    /// Notes one more place.
    pub(super) fn put(&mut self, place: Place) {
        let at = self.places.partition_point(|old| old.frame <= place.frame);
        self.places.insert(at, place);
    }
}

pub(super) type Index = HashMap<String, Known>;

impl LabelRow {
    /// The index, made when it is first needed.
    pub(super) fn index(&self) -> &Index {
        self.index.get_or_init(|| self.read_index())
    }

    pub(super) fn index_mut(&mut self) -> &mut Index {
        self.index();
        self.index.get_mut().expect("was just made")
    }

    fn read_index(&self) -> Index {
        let mut index = Index::new();
        for (key, unit) in self.units().into_iter().flatten() {
            let unit_key: Arc<str> = key.as_str().into();
            for (frame, by_frame, labels) in frames_of(unit) {
                let objects = labels.get("objects").and_then(Value::as_array);
                for (at, object) in objects.into_iter().flatten().enumerate() {
                    looked_at(1);
                    let Some(hash) = object.get("objectHash").and_then(Value::as_str) else {
                        continue;
                    };
                    let known = index.entry(hash.to_owned()).or_default();
                    if known.places.is_empty() {
                        text(object, "featureHash").clone_into(&mut known.feature);
                    }
                    known.places.push(Place {
                        frame,
                        unit: Arc::clone(&unit_key),
                        by_frame,
                        at,
                    });
                }
            }
        }
        for known in index.values_mut() {
            known.places.sort_by_key(|place| place.frame);
        }
        for (hash, entry) in self.section("object_answers") {
            let Some(feature) = entry.get("featureHash").and_then(Value::as_str) else {
                continue;
            };
            if only_on_parts(entry) {
                continue;
            }
            let known = index.entry(hash.to_owned()).or_default();
            if known.places.is_empty() {
                feature.clone_into(&mut known.feature);
            }
        }
        index
    }

    /// The same, to be changed.
    pub(super) fn drawn_at_mut(&mut self, place: &Place, hash: &str) -> Option<&mut Value> {
        let units = self.labels.get_mut().get_mut("data_units")?;
        let mut labels = units.get_mut(&*place.unit)?.get_mut("labels")?;
        if place.by_frame {
            labels = labels.get_mut(place.frame.to_string())?;
        }
        let objects = labels.get_mut("objects")?.as_array_mut()?;
        let at = find(objects, place.at, hash)?;
        objects.get_mut(at)
    }

    /// What stands at a place, for the object with this hash.
    pub(super) fn drawn_at(&self, place: &Place, hash: &str) -> Option<&Value> {
        let mut labels = self.units()?.get(&*place.unit)?.get("labels")?;
        if place.by_frame {
            labels = labels.get(place.frame.to_string())?;
        }
        let objects = labels.get("objects")?.as_array()?;
        objects.get(find(objects, place.at, hash)?)
    }
}

/// The frames of a data unit, and whether it has them by number.
pub(super) fn frames_of(unit: &Value) -> Vec<(u64, bool, &Value)> {
    let labels = unit.get("labels");
    if labels.is_some_and(|labels| labels.get("objects").is_some_and(Value::is_array)) {
        return vec![(sequence(unit), false, &unit["labels"])];
    }
    let by_number = labels.and_then(Value::as_object).into_iter().flatten();
    by_number
        .filter_map(|(key, frame)| Some((key.parse().ok()?, true, frame)))
        .collect()
}

impl LabelRow {
    /// The objects on the parts of a data group: the part, the frame, the object. Frames ascend in each part.
    pub(in super::super) fn objects_on_parts(&self) -> Vec<(&str, u64, &Value)> {
        let spaces = self.labels().get("spaces").and_then(Value::as_object);
        let mut out = Vec::new();
        for (part, space) in spaces.into_iter().flatten() {
            let mut frames = frames_of(space);
            frames.sort_by_key(|(frame, ..)| *frame);
            for (frame, _, labels) in frames {
                let objects = labels.get("objects").and_then(Value::as_array);
                let objects = objects.into_iter().flatten();
                out.extend(objects.map(|object| (part.as_str(), frame, object)));
            }
        }
        out
    }
}

/// Where in a list the object with this hash is: where it was, or a little before that, since others may
/// have been taken away; else wherever it is.
pub(super) fn find(objects: &[Value], at: usize, hash: &str) -> Option<usize> {
    let is_it = |object: &Value| {
        looked_at(1);
        object["objectHash"] == hash
    };
    let near = objects.len().min(at.saturating_add(1));
    let before = objects[..near].iter().rposition(is_it);
    before.or_else(|| Some(near + objects[near..].iter().position(is_it)?))
}

/// Takes an object out of the frames that it is on; a frame of a video on which nothing is left goes too.
pub(super) fn take_out(units: &mut Map<String, Value>, place: &Place, hash: &str) {
    let labels = units
        .get_mut(&*place.unit)
        .and_then(|u| u.get_mut("labels"));
    let Some(labels) = labels else { return };
    if !place.by_frame {
        return without(labels, place.at, hash);
    }
    let Some(frames) = labels.as_object_mut() else {
        return;
    };
    let number = place.frame.to_string();
    let Some(frame) = frames.get_mut(&number) else {
        return;
    };
    without(frame, place.at, hash);
    let bare = |value: &Value| value.is_null() || value.as_array().is_some_and(Vec::is_empty);
    if frame
        .as_object()
        .is_some_and(|frame| frame.values().all(bare))
    {
        frames.remove(&number);
    }
}

fn without(labels: &mut Value, at: usize, hash: &str) {
    if let Some(objects) = labels.get_mut("objects").and_then(Value::as_array_mut)
        && let Some(at) = find(objects, at, hash)
    {
        objects.remove(at);
    }
}
