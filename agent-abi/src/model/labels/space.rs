//! A part of a data group in its label row (`spaces`), as the row of a single data unit and back. What a change
//! does not touch stays as it was: other parts, their answers, and fields that this version does not know.

use super::index::frames_of;
use super::{LabelRow, Part};
use serde_json::{Map, Value, json};
use std::collections::{BTreeSet, HashSet};
use std::sync::{Arc, OnceLock};
use uuid::Uuid;

/// One entry of `spaces`: what the labels have of it, and what the metadata of the row have.
#[derive(Clone, Copy, Debug)]
pub(super) struct Space<'r> {
    pub(super) id: &'r str,
    row: &'r LabelRow,
    labels: Option<&'r Value>,
    metadata: Option<&'r Value>,
}

impl<'r> Space<'r> {
    pub(super) fn of(row: &'r LabelRow, id: &'r str) -> Self {
        let within = |doc: &'r Value| doc.get("spaces")?.get(id);
        Self {
            id,
            row,
            labels: within(row.labels()),
            metadata: within(row.metadata()),
        }
    }

    fn fact(&self, key: &str) -> Option<&'r Value> {
        let both = [self.labels, self.metadata].into_iter().flatten();
        both.filter_map(|space| space.get(key))
            .find(|value| !value.is_null())
    }

    /// A fact about the part as a member of its group.
    pub(super) fn child(&self, key: &str) -> Option<&'r str> {
        self.fact("child_info")?
            .get(key)?
            .as_str()
            .filter(|text| !text.is_empty())
    }

    /// The key that the layout gives it, else its file name, else its hash. Keys of layouts that are lists are
    /// numbers, which name nothing: there the file name counts, unless several parts have it.
    pub(super) fn name(&self) -> &'r str {
        let (key, file) = (self.child("layout_key"), self.child("file_name"));
        let key = key.filter(|key| {
            let number = key.bytes().all(|byte| byte.is_ascii_digit());
            !number || file.is_none_or(|file| self.row.files_named(file) > 1)
        });
        key.or(file).unwrap_or(self.id)
    }

    /// Its place in the layout.
    fn order(&self) -> (u64, &'r str) {
        let key = self.child("layout_key").unwrap_or_else(|| self.name());
        (key.parse().unwrap_or(u64::MAX), key)
    }

    pub(super) fn is(&self, hash: Uuid) -> bool {
        Uuid::parse_str(self.id).is_ok_and(|id| id == hash)
    }

    fn kind(&self) -> &'r str {
        self.fact("space_type")
            .and_then(Value::as_str)
            .unwrap_or_default()
    }

    /// The data type of a single row of the same kind. The images of a sequence are counted as frames.
    fn data_type(&self) -> &'r str {
        match self.kind() {
            "image_sequence" => "video",
            "text" | "html" => "plain_text",
            other => other,
        }
    }

    /// How many frames or pages it has, where the platform has the number.
    pub(super) fn frame_count(&self) -> Option<u64> {
        let counts = ["number_of_frames", "number_of_pages"];
        let count = counts.into_iter().find_map(|key| self.fact(key)?.as_u64());
        count.or_else(|| (self.kind() == "image").then_some(1))
    }

    /// Whether labels lie on ranges of the whole, in the answers.
    fn has_ranges(&self) -> bool {
        matches!(self.kind(), "audio" | "text" | "html")
    }

    /// The labels on it; of an image those of its only frame.
    fn labels(&self) -> Value {
        let none = || match self.kind() {
            "image" => json!({"objects": [], "classifications": []}),
            _ => json!({}),
        };
        self.known_labels().cloned().unwrap_or_else(none)
    }

    /// The same, if there are any.
    pub(super) fn known_labels(&self) -> Option<&'r Value> {
        let labels = self.labels?.get("labels")?;
        let labels = match self.kind() {
            "image" => labels.get("0")?,
            _ => labels,
        };
        labels.is_object().then_some(labels)
    }

    /// Hashes of the objects that are drawn on it.
    fn drawn(&self) -> HashSet<&'r str> {
        let frames = self.labels.map(frames_of).unwrap_or_default();
        let lists = frames
            .into_iter()
            .filter_map(|(.., l)| l.get("objects")?.as_array());
        let objects = lists.flatten();
        objects
            .filter_map(|object| object.get("objectHash")?.as_str())
            .collect()
    }

    /// Whether one of these labels lies on it.
    pub(super) fn has_any(&self, hashes: &HashSet<&str>) -> bool {
        let placed = |hash: &&str| {
            let mut sections = ANSWERS.iter();
            sections.any(|section| {
                let entry = &self.row.labels()[*section][*hash];
                entry["spaces"].get(self.id).is_some()
            })
        };
        hashes.iter().any(placed) || !self.drawn().is_disjoint(hashes)
    }

    /// An answer as the row of the part has it, when it belongs to the part: its ranges are those here.
    fn answer(&self, entry: &Value, global: bool) -> Option<Value> {
        let here = entry.get("spaces")?.get(self.id)?;
        let mut own = entry.clone();
        let fields = own.as_object_mut()?;
        fields.remove("spaces");
        fields.remove("range_html");
        let range = here.get("range").cloned().unwrap_or_else(|| json!([]));
        let none = range.as_array().is_none_or(Vec::is_empty);
        if self.kind() == "html" && !none {
            let list = range.as_array().into_iter().flatten();
            let stretch = |pair: &Value| json!({"start": pair[0], "end": pair[1]});
            fields.insert("range_html".to_owned(), list.map(stretch).collect());
            fields.insert("range".to_owned(), json!([]));
        } else if none && self.has_ranges() && !global && entry.get("classificationHash").is_some()
        {
            // On a row of its own a classification of the whole covers frame 0.
            fields.insert("range".to_owned(), json!([[0, 0]]));
        } else {
            fields.insert("range".to_owned(), range);
        }
        Some(own)
    }

    /// The other way: an answer of the row of the part, laid over what the row of the group had.
    fn answer_back(&self, own: &Value, old: Option<&Value>) -> Value {
        let classification = own.get("classificationHash").is_some();
        let html = self.kind() == "html";
        let range = match own.get("range_html").and_then(Value::as_array) {
            _ if classification && self.has_ranges() => json!([]),
            Some(list) if html => list.iter().map(|r| json!([r["start"], r["end"]])).collect(),
            _ => own.get("range").cloned().unwrap_or_else(|| json!([])),
        };
        let mut back = own.clone();
        let old = |key: &str| old.and_then(|old| old.get(key)).cloned();
        back["range"] = old("range").unwrap_or_else(|| json!([]));
        if let Some(fields) = back.as_object_mut() {
            fields.remove("range_html");
            if let Some(html) = old("range_html") {
                fields.insert("range_html".to_owned(), html);
            }
        }
        let places = old("spaces").filter(Value::is_object);
        back["spaces"] = places.unwrap_or_else(|| json!({}));
        let place = &mut back["spaces"][self.id];
        place["range"] = range;
        place["type"] = json!(if html { "html" } else { "frame" });
        back
    }
}

/// Sections of a row that hold what labels answer, by their hashes.
const ANSWERS: [&str; 3] = ["object_answers", "object_actions", "classification_answers"];

impl LabelRow {
    /// Hashes of labels whose answers differ from those of another state of the row.
    pub(super) fn changed_answers<'r>(&'r self, before: &'r Self) -> HashSet<&'r str> {
        let mut changed = HashSet::new();
        for section in ANSWERS {
            for (one, other) in [(self, before), (before, self)] {
                let known = &other.labels()[section];
                let differ = one.section(section);
                let differ = differ.filter(|(hash, entry)| known.get(hash) != Some(*entry));
                changed.extend(differ.map(|(hash, _)| hash));
            }
        }
        changed
    }

    /// The parts of a data group by their keys in its layout, numbers by size.
    pub(super) fn spaces(&self) -> Vec<Space<'_>> {
        let ids = self.space_ids().into_iter();
        let mut spaces: Vec<Space<'_>> = ids.map(|id| Space::of(self, id)).collect();
        spaces.sort_by_cached_key(Space::order);
        spaces
    }

    pub(super) fn space_ids(&self) -> BTreeSet<&str> {
        let docs = [self.labels(), self.metadata()].into_iter();
        let maps = docs.filter_map(|doc| doc.get("spaces")?.as_object());
        maps.flatten().map(|(id, _)| id.as_str()).collect()
    }

    fn files_named(&self, file: &str) -> usize {
        let spaces = self.space_ids().into_iter().map(|id| Space::of(self, id));
        let named = spaces.filter(|space| space.child("file_name") == Some(file));
        named.count()
    }

    /// A part as a row of its own.
    pub(super) fn project(&self, space: &Space<'_>) -> Self {
        let id = space.id;
        let fact = |key: &str| space.fact(key).cloned().unwrap_or_default();
        let mut metadata = json!({
            "data_hash": id, "data_type": space.data_type(), "part": space.name(),
            "data_title": space.child("file_name").unwrap_or_else(|| space.name()),
            "width": fact("width"), "height": fact("height"), "frames_per_second": fact("data_fps"),
            "duration": fact("data_duration"),
            "number_of_frames": space.frame_count(),
        });
        if space.kind() == "html" {
            metadata["file_type"] = json!("text/html");
        }
        for key in [
            "label_hash",
            "branch_name",
            "dataset_hash",
            "dataset_title",
            "priority",
            "client_metadata",
            "last_edited_at",
        ] {
            if let Some(value) = self.fact(key) {
                metadata[key] = value.clone();
            }
        }
        let mut unit = json!({"data_hash": id, "data_sequence": 0, "labels": space.labels()});
        for key in ["width", "height"] {
            if let Some(side) = space.fact(key) {
                unit[key] = side.clone();
            }
        }
        let labels = json!({
            "data_hash": id, "data_units": {id: unit},
            "object_answers": self.answers_on(space, "object_answers"),
            "object_actions": self.answers_on(space, "object_actions"),
            "classification_answers": self.answers_on(space, "classification_answers"),
        });
        let ontology = Arc::clone(&self.ontology);
        let mut row = Self::from_parts(Part::of(metadata), Part::of(labels), ontology);
        (row.clock, row.made) = (self.clock, self.made);
        row
    }

    /// What belongs to a part in one section of the answers, as the row of the part has it.
    fn answers_on(&self, space: &Space<'_>, section: &str) -> Map<String, Value> {
        let drawn = space.drawn();
        let mut out = Map::new();
        for (hash, entry) in self.section(section) {
            let own = match drawn.contains(hash) {
                true => Some(entry.clone()),
                false => space.answer(entry, self.is_global(entry)),
            };
            if let Some(own) = own {
                out.insert(hash.to_owned(), own);
            }
        }
        out
    }

    fn is_global(&self, entry: &Value) -> bool {
        let mut kinds = self.ontology.classifications.iter();
        kinds.any(|kind| kind.global && entry["featureHash"] == kind.feature_hash)
    }

    /// Puts the labels of a part back.
    pub(super) fn put_part(&mut self, id: &str, part: &Self) {
        for section in ANSWERS {
            let empty = Map::new();
            let after = part.labels()[section].as_object().unwrap_or(&empty);
            self.put_answers(id, section, after);
        }
        let space = Space::of(self, id);
        let (still, unchanged) = (space.kind() == "image", space.labels());
        let bare = space.metadata.cloned().map_or_else(Map::new, |space| {
            let fields = space.as_object().cloned().unwrap_or_default();
            // Links are signed and expire; what a part is in its group is in the metadata.
            let kept = fields
                .into_iter()
                .filter(|(key, _)| key != "child_info" && key != "frames");
            kept.collect()
        });
        let drawn = part
            .units()
            .and_then(|units| units.values().next()?.get("labels"));
        let drawn = drawn.filter(|drawn| **drawn != unchanged).cloned();
        let spaces = self.section_mut("spaces");
        let space = spaces.entry(id).or_insert_with(|| Value::Object(bare));
        if !space["labels"].is_object() {
            space["labels"] = json!({});
        }
        match drawn {
            Some(drawn) if still => space["labels"]["0"] = drawn,
            Some(drawn) => space["labels"] = drawn,
            None => {}
        }
        self.made = self.made.max(part.made);
        // What was known of the labels on the whole is read again.
        self.index = OnceLock::new();
        self.timelines.clear();
        self.classified.clear();
    }

    fn put_answers(&mut self, id: &str, section: &str, after: &Map<String, Value>) {
        let space = Space::of(self, id);
        let before = self.answers_on(&space, section);
        let in_answers = section == "classification_answers" || space.has_ranges();
        let elsewhere = self.drawn_elsewhere(id);
        let mut changes: Vec<(String, Option<Value>)> = Vec::new();
        for (hash, own) in after {
            if before.get(hash) == Some(own) {
                continue;
            }
            let old = self.labels()[section].get(hash);
            let answered = in_answers && section != "object_actions";
            let back = if answered {
                space.answer_back(own, old)
            } else {
                own.clone()
            };
            changes.push((hash.clone(), Some(back)));
        }
        for hash in before.keys().filter(|hash| !after.contains_key(*hash)) {
            let mut left = self.labels()[section][hash].clone();
            let places = left.get_mut("spaces").and_then(Value::as_object_mut);
            let others = places.is_some_and(|places| {
                places.remove(id);
                !places.is_empty()
            });
            let whole = left["range"]
                .as_array()
                .is_some_and(|range| !range.is_empty());
            let stays = others || whole || elsewhere.contains(hash);
            changes.push((hash.clone(), stays.then_some(left)));
        }
        if changes.is_empty() {
            return;
        }
        let section = self.section_mut(section);
        for (hash, entry) in changes {
            match entry {
                Some(entry) => section.insert(hash, entry),
                None => section.remove(&hash),
            };
        }
    }

    /// Hashes of objects that are drawn on other parts than this one, or on the whole.
    fn drawn_elsewhere(&self, id: &str) -> HashSet<String> {
        let on_parts = self.objects_on_parts().into_iter();
        let on_parts = on_parts.filter(|(part, ..)| *part != id);
        let on_parts = on_parts.filter_map(|(.., object)| object.get("objectHash")?.as_str());
        let lists = self.frames().into_iter();
        let lists = lists.filter_map(|(_, labels)| labels.get("objects")?.as_array());
        let whole = lists
            .flatten()
            .filter_map(|object| object.get("objectHash")?.as_str());
        on_parts.chain(whole).map(str::to_owned).collect()
    }
}
