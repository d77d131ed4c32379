//! The dynamic answers of one object, with a track for each attribute beside the list that stands in the
//! blob: a tracker gives another answer on each of thousands of frames, and none of its answers may have to
//! look through all that were given before.
//!
//! Lists from elsewhere may have two answers on one frame. They are kept as they are, and searched from
//! end to end.

use super::super::Attribute;
use super::super::Choice;
use super::answers::{
    chosen, chosen_on, dynamic, is_answered, loses_ground, put_on, same_answer, sense,
};
use super::read::{ranges, text};
use super::track::{Piece, Track};
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap};

/// Where the answers of a list stand. The list itself is lent for each call.
#[derive(Clone, Debug, Default)]
pub(super) struct Timeline {
    /// By feature hash of the attribute; what holds on a piece is a key of `place_of`.
    tracks: BTreeMap<String, Track>,
    /// The entry with this answer, by attribute and answer.
    same: HashMap<(String, String), usize>,
    /// Place of an entry in the list, by its key; keys stay, places do not.
    place_of: Vec<usize>,
    /// The key of each place.
    key_at: Vec<usize>,
    /// Two entries meet on a frame, or one has its ranges out of order.
    tangled: bool,
}

fn identity(entry: &Value) -> (String, String) {
    let answers = sense(&entry["answers"]);
    (text(entry, "featureHash").to_owned(), answers)
}

impl Timeline {
    pub(super) fn of(actions: &[Value]) -> Self {
        let mut line = Self::default();
        for action in actions {
            let key = line.new_key();
            let feature = text(action, "featureHash").to_owned();
            let track = line.tracks.entry(feature).or_default();
            let list = ranges(action);
            let all = action["range"].as_array().map_or(0, Vec::len);
            line.tangled |= all != list.len() || list.is_empty();
            line.tangled |= list.windows(2).any(|pair| pair[1].0 <= pair[0].1);
            for (from, to) in list {
                line.tangled |= to < from || track.on((from, to)).next().is_some();
                if line.tangled {
                    return line;
                }
                track.lay((from, to), key);
            }
            line.same.entry(identity(action)).or_insert(key);
        }
        line
    }

    fn new_key(&mut self) -> usize {
        let key = self.place_of.len();
        self.place_of.push(self.key_at.len());
        self.key_at.push(key);
        key
    }

    /// Whether an option was chosen on every frame of a range.
    pub(super) fn chosen(
        &self,
        actions: &[Value],
        attribute: &Attribute,
        choice: &Choice,
        span: (u64, u64),
    ) -> bool {
        if self.tangled {
            return chosen_on(actions, attribute, choice, span);
        }
        let fits = |key: usize| chosen(&actions[self.place_of[key]], attribute, choice);
        let track = self.tracks.get(&attribute.feature_hash);
        track.is_some_and(|track| track.covers(span, fits))
    }

    /// Whether the word on every frame of a range is this answer already.
    pub(super) fn is_answered(&self, actions: &[Value], entry: &Value, span: (u64, u64)) -> bool {
        if self.tangled {
            return is_answered(actions, entry, span);
        }
        let fits =
            |key: usize| same_answer(&actions[self.place_of[key]]["answers"], &entry["answers"]);
        let track = self.tracks.get(text(entry, "featureHash"));
        track.is_some_and(|track| track.covers(span, fits))
    }

    /// Answers on a range of frames, in place of the earlier answers; answers that were asked for
    /// only by another option go.
    pub(super) fn put(
        &mut self,
        actions: &mut Vec<Value>,
        entry: Value,
        span: (u64, u64),
        attributes: &[Attribute],
    ) {
        if self.tangled {
            put_on(actions, entry, span, attributes);
            *self = Self::of(actions);
            return;
        }
        let feature = text(&entry, "featureHash").to_owned();
        let mut emptied = Vec::new();
        for below in loses_ground(attributes, &entry) {
            let track = self.tracks.get_mut(&below.feature_hash);
            let gone = track.map(|track| track.cut(span)).unwrap_or_default();
            self.take_out(actions, gone, &mut emptied);
        }
        let wanted = identity(&entry);
        let known = self.same.get(&wanted).copied();
        let track = self.tracks.entry(feature).or_default();
        let gone = track.cut(span).into_iter();
        let gone: Vec<Piece> = gone.filter(|(_, _, key)| Some(*key) != known).collect();
        let displaced = gone.last().map(|(_, _, key)| self.place_of[*key]);
        let displaced = displaced.map(|place| actions[place].clone());
        self.take_out(actions, gone, &mut emptied);
        let key = match known {
            Some(key) => {
                put_in(&mut actions[self.place_of[key]], span);
                key
            }
            None => self.push(actions, dynamic(displaced, entry, span), &mut emptied),
        };
        self.same.insert(wanted.clone(), key);
        self.tracks.entry(wanted.0).or_default().lay(span, key);
        for key in emptied {
            self.drop_entry(actions, key);
        }
    }

    /// Puts a new entry where one was emptied, else at the end.
    fn push(&mut self, actions: &mut Vec<Value>, entry: Value, emptied: &mut Vec<usize>) -> usize {
        if let Some(key) = emptied.pop() {
            self.forget(actions, key);
            actions[self.place_of[key]] = entry;
            return key;
        }
        actions.push(entry);
        self.new_key()
    }

    fn take_out(&self, actions: &mut [Value], gone: Vec<Piece>, emptied: &mut Vec<usize>) {
        for (from, to, key) in gone {
            let list = actions[self.place_of[key]]["range"].as_array_mut();
            let list = list.expect("an entry of a track has its ranges");
            cut(list, (from, to));
            if list.is_empty() {
                emptied.push(key);
            }
        }
    }

    /// Its answer may stand in a second entry, too, which is found no more: then a third one is made.
    fn forget(&mut self, actions: &[Value], key: usize) {
        let identity = identity(&actions[self.place_of[key]]);
        if self.same.get(&identity) == Some(&key) {
            self.same.remove(&identity);
        }
    }

    fn drop_entry(&mut self, actions: &mut Vec<Value>, key: usize) {
        self.forget(actions, key);
        let place = self.place_of[key];
        actions.swap_remove(place);
        self.key_at.swap_remove(place);
        if let Some(moved) = self.key_at.get(place) {
            self.place_of[*moved] = place;
        }
    }
}

fn pair(value: &Value) -> (u64, u64) {
    let end = |n: usize| value.get(n).and_then(Value::as_u64).unwrap_or_default();
    (end(0), end(1))
}

/// Joins a range to those of an entry, which are in order.
fn put_in(entry: &mut Value, (mut from, mut to): (u64, u64)) {
    let list = entry["range"].as_array_mut();
    let list = list.expect("an entry of a track has its ranges");
    let first = list.partition_point(|old| pair(old).1.saturating_add(1) < from);
    let after = list.partition_point(|old| pair(old).0 <= to.saturating_add(1));
    if first < after {
        from = from.min(pair(&list[first]).0);
        to = to.max(pair(&list[after - 1]).1);
    }
    list.splice(first..after, [json!([from, to])]);
}

/// Takes a stretch out of the one range that it lies in.
fn cut(list: &mut Vec<Value>, (from, to): (u64, u64)) {
    let at = list.partition_point(|old| pair(old).1 < from);
    let Some((start, end)) = list.get(at).map(pair) else {
        return;
    };
    let before = (start < from).then(|| json!([start, from - 1]));
    let after = (to < end).then(|| json!([to + 1, end]));
    list.splice(at..=at, before.into_iter().chain(after));
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRAMES: u64 = 40;

    fn entry(feature: &str, answer: u64) -> Value {
        json!({"name": feature, "featureHash": feature, "answers": answer})
    }

    fn answers(actions: &[Value], feature: &str) -> Vec<Option<u64>> {
        let here = |action: &&Value, frame| {
            text(action, "featureHash") == feature
                && ranges(action)
                    .iter()
                    .any(|(a, b)| (*a..=*b).contains(&frame))
        };
        let at = |frame| actions.iter().rev().find(|a| here(a, frame));
        (0..FRAMES).map(|n| at(n)?["answers"].as_u64()).collect()
    }

    #[test]
    fn a_timeline_agrees_with_a_search_from_end_to_end() {
        let mut seed = 7_u64;
        let mut dice = |sides: u64| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (seed >> 33) % sides
        };
        for _ in 0..200 {
            let (mut fast, mut slow) = (Vec::new(), Vec::new());
            let mut line = Timeline::default();
            for _ in 0..60 {
                let from = dice(FRAMES);
                let span = (from, (from + dice(6)).min(FRAMES - 1));
                let entry = entry(["Speed", "Mood"][dice(2) as usize], dice(4));
                assert_eq!(
                    line.is_answered(&fast, &entry, span),
                    is_answered(&slow, &entry, span)
                );
                line.put(&mut fast, entry.clone(), span, &[]);
                put_on(&mut slow, entry, span, &[]);
                for feature in ["Speed", "Mood"] {
                    assert_eq!(answers(&fast, feature), answers(&slow, feature));
                }
                assert!(!Timeline::of(&fast).tangled, "{fast:?}");
                assert_eq!(fast.len(), slow.len());
            }
        }
    }

    #[test]
    fn answers_of_others_that_meet_on_a_frame_are_replaced_there_both() {
        let mut actions = vec![entry("Speed", 1), entry("Speed", 2)];
        actions[0]["range"] = json!([[0, 9]]);
        actions[1]["range"] = json!([[5, 9]]);
        let mut line = Timeline::of(&actions);
        assert!(line.tangled);
        line.put(&mut actions, entry("Speed", 3), (4, 6), &[]);
        let found = answers(&actions, "Speed");
        assert_eq!(found[3..8], [Some(1), Some(3), Some(3), Some(3), Some(2)]);
        assert_eq!(actions[0]["range"], json!([[0, 3], [7, 9]]));
    }
}
