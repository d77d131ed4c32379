//! The labels of one task before and after a change, parsed once and looked up frame by frame. Drawing is left to
//! the screens.

use super::{LabelMark, marks};
use crate::work::{Inputs, Outcome};
use serde_json::Value;
use std::collections::{BTreeSet, HashMap};

/// Which labels are drawn.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum LabelSide {
    /// Those before the change.
    Before,
    /// Those after it.
    After,
    /// Those after it, with what was removed or has moved where it was.
    #[default]
    Both,
}

/// Labels before and after.
#[derive(Debug, Default)]
pub struct LabelSides {
    pub(super) before: Value,
    /// Nothing when labels do not change.
    pub(super) after: Option<Value>,
    /// Signs of what changes, by the hashes of labels; `None`: they are found by comparing.
    pub(super) signs: Option<HashMap<String, char>>,
    pub(super) first: Option<u64>,
    /// What differs is marked with the side that has it, A or B, instead of as a change.
    pub(super) by_side: bool,
}

impl LabelSides {
    /// The labels that an agent was given, and those that it gave.
    #[must_use]
    pub fn of(inputs: &Inputs, outcome: Option<&Outcome>) -> Self {
        let changes = outcome.map(|outcome| &outcome.patch.labels);
        let changes = || changes.into_iter().flatten();
        let frames = changes().filter_map(|change| {
            let first = change.facts.frames.iter().map(|[from, _]| *from).min();
            change.facts.geometry_frame.or(first)
        });
        let after = outcome.and_then(|outcome| outcome.labels_after.as_ref());
        Self {
            before: given(inputs),
            after: after.map(|blob| blob.read()),
            signs: Some(changes().map(|c| (c.hash.clone(), c.sign)).collect()),
            first: frames.min(),
            by_side: false,
        }
        .or_first_labelled()
    }

    /// What two outcomes for the same inputs give; without the earlier one: what the later one changes.
    #[must_use]
    pub fn between(inputs: &Inputs, before: Option<&Outcome>, after: &Outcome) -> Self {
        let Some(before) = before else {
            return Self::of(inputs, Some(after));
        };
        let labels = |outcome: &Outcome| match &outcome.labels_after {
            Some(blob) => blob.read(),
            None => given(inputs),
        };
        let first = Self::of(inputs, Some(after)).first;
        Self {
            before: labels(before),
            after: Some(labels(after)),
            signs: None,
            first,
            by_side: false,
        }
    }

    /// The labels of the two sides of a comparison: what only A has is marked A, what only B has B, where both have a
    /// label in different places each place with its side.
    #[must_use]
    pub fn compared(inputs: &Inputs, sides: [Option<&Outcome>; 2]) -> Self {
        let labels = |outcome: Option<&Outcome>| match outcome.and_then(|o| o.labels_after.as_ref())
        {
            Some(blob) => blob.read(),
            None if outcome.is_some() => given(inputs),
            None => Value::Null,
        };
        let [before, after] = sides.map(labels);
        let firsts = sides
            .into_iter()
            .flatten()
            .filter_map(|side| Self::of(inputs, Some(side)).first);
        Self {
            before,
            after: Some(after),
            signs: None,
            first: firsts.min(),
            by_side: true,
        }
    }

    fn or_first_labelled(mut self) -> Self {
        self.first = self.first.or_else(|| {
            let sides = [Some(&self.before), self.after.as_ref()];
            let all = sides.into_iter().flatten().flat_map(labelled);
            all.min()
        });
        self
    }

    /// The frame on which the first label changes; when none does, the first one with a label.
    #[must_use]
    pub const fn first_frame(&self) -> Option<u64> {
        self.first
    }

    /// The frames, images or pages that have objects on either side, in their order.
    pub fn labelled(&self) -> impl Iterator<Item = u64> + use<> {
        let sides = [Some(&self.before), self.after.as_ref()];
        let all: BTreeSet<u64> = sides.into_iter().flatten().flat_map(labelled).collect();
        all.into_iter()
    }

    /// The labels on a frame, with their signs.
    #[must_use]
    pub fn marks(&self, frame: u64, side: LabelSide) -> Vec<LabelMark> {
        let mut before = marks(&self.before, frame);
        let Some(after) = &self.after else {
            return before;
        };
        let mut after = marks(after, frame);
        match &self.signs {
            Some(signs) => sign_as_listed(signs, &mut before, &mut after),
            None => sign_by_comparing(&mut before, &mut after),
        }
        if self.by_side {
            sign_by_side(&mut before, 'A');
            sign_by_side(&mut after, 'B');
        }
        match side {
            LabelSide::Before => before,
            LabelSide::After => after,
            LabelSide::Both => {
                let moved = |old: &LabelMark| {
                    let new = after.iter().find(|new| new.hash == old.hash);
                    new.is_none_or(|new| new.shape != old.shape)
                };
                let gone = before
                    .iter()
                    .filter(|old| old.sign != ' ' && moved(old))
                    .map(|old| LabelMark {
                        was: true,
                        ..old.clone()
                    });
                gone.chain(after.iter().cloned()).collect()
            }
        }
    }
}

/// The labels that an agent was given.
fn given(inputs: &Inputs) -> Value {
    let row = inputs.labels.as_ref();
    let row = row.and_then(|row| serde_json::from_str::<Value>(&row.json).ok());
    row.map_or(Value::Null, |mut row| row["labels"].take())
}

/// The frames, or pictures of a group, that have an object.
fn labelled(labels: &Value) -> Vec<u64> {
    let drawn = |labels: &Value| {
        let objects = labels.get("objects").and_then(Value::as_array);
        objects.is_some_and(|objects| !objects.is_empty())
    };
    let units = labels.get("data_units").and_then(Value::as_object);
    let mut found = Vec::new();
    for unit in units.into_iter().flat_map(|units| units.values()) {
        let Some(labels) = unit.get("labels").and_then(Value::as_object) else {
            continue;
        };
        if labels.contains_key("objects") {
            let number = unit.get("data_sequence").and_then(super::number_of);
            found.extend(drawn(&unit["labels"]).then_some(number.unwrap_or(0)));
        } else {
            let numbered = labels.iter().filter(|(_, labels)| drawn(labels));
            found.extend(numbered.filter_map(|(frame, _)| frame.parse::<u64>().ok()));
        }
    }
    found
}

/// What differs belongs to this side.
fn sign_by_side(marks: &mut [LabelMark], side: char) {
    for mark in marks.iter_mut().filter(|mark| mark.sign != ' ') {
        mark.sign = side;
    }
}

fn sign_as_listed(
    signs: &HashMap<String, char>,
    before: &mut [LabelMark],
    after: &mut [LabelMark],
) {
    for mark in before.iter_mut().chain(after) {
        mark.sign = signs.get(&mark.hash).copied().unwrap_or(' ');
    }
}

/// Two builds give the same new object different hashes: what has the same name and place is the same.
fn sign_by_comparing(before: &mut [LabelMark], after: &mut [LabelMark]) {
    let alike = |a: &LabelMark, b: &LabelMark| a.name == b.name && a.shape == b.shape;
    for mark in after.iter_mut() {
        mark.sign = match before.iter().find(|old| old.hash == mark.hash) {
            Some(old) if alike(old, mark) => ' ',
            Some(_) => '~',
            None if before.iter().any(|old| alike(old, mark)) => ' ',
            None => '+',
        };
    }
    for mark in before {
        let same = after.iter().find(|new| new.hash == mark.hash);
        let same = same.or_else(|| after.iter().find(|new| alike(new, mark)));
        mark.sign = same.map_or('-', |new| new.sign);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::marks::Shape;
    use serde_json::json;

    fn object(hash: &str, x: f64) -> Value {
        let area = json!({"x": x, "y": 0.2, "w": 0.1, "h": 0.4});
        json!({"objectHash": hash, "name": "Car", "boundingBox": area})
    }

    /// A video with these objects on frame 3, and one that stays on frame 7.
    fn video(objects: &[Value]) -> Value {
        let later = [object("later", 0.5)];
        let labels = json!({"3": {"objects": objects}, "7": {"objects": later}});
        json!({"data_units": {"u": {"labels": labels}}})
    }

    fn sides(signs: Option<HashMap<String, char>>) -> LabelSides {
        LabelSides {
            before: video(&[
                object("same", 0.1),
                object("moved", 0.3),
                object("gone", 0.6),
            ]),
            after: Some(video(&[
                object("same", 0.1),
                object("moved", 0.4),
                object("new", 0.8),
            ])),
            signs,
            first: None,
            by_side: false,
        }
    }

    fn seen(marks: &[LabelMark]) -> Vec<(char, &str, bool, f64)> {
        let left = |mark: &LabelMark| match &mark.shape {
            Shape::Rings(rings) => rings[0][0][0],
            other => panic!("{other:?}"),
        };
        let all = marks.iter();
        all.map(|m| (m.sign, &*m.hash, m.was, left(m))).collect()
    }

    #[test]
    fn each_side_of_a_comparison_has_its_own_sign() {
        let sides = LabelSides {
            before: video(&[object("a", 0.1), object("b", 0.3)]),
            after: Some(video(&[object("c", 0.1), object("d", 0.35)])),
            by_side: true,
            ..LabelSides::default()
        };
        let signs = |side| -> Vec<(String, char, bool)> {
            let marks = sides.marks(3, side).into_iter();
            marks.map(|mark| (mark.hash, mark.sign, mark.was)).collect()
        };
        let [a, b, c, d] = ["a", "b", "c", "d"].map(str::to_owned);
        assert_eq!(
            signs(LabelSide::Before),
            [(a, ' ', false), (b.clone(), 'A', false)]
        );
        let after = [(c, ' ', false), (d, 'B', false)];
        assert_eq!(signs(LabelSide::After), after);
        let both = signs(LabelSide::Both);
        assert_eq!(both[0], (b, 'A', true));
        assert_eq!(both[1..], after);
    }

    #[test]
    fn both_sides_show_what_is_gone_and_what_moved_where_it_was() {
        let listed = [("moved", '~'), ("gone", '-'), ("new", '+')];
        let listed = listed.map(|(hash, sign)| (hash.to_owned(), sign));
        for signs in [Some(HashMap::from(listed)), None] {
            let sides = sides(signs);
            assert_eq!(
                seen(&sides.marks(3, LabelSide::Both)),
                [
                    ('~', "moved", true, 0.3),
                    ('-', "gone", true, 0.6),
                    (' ', "same", false, 0.1),
                    ('~', "moved", false, 0.4),
                    ('+', "new", false, 0.8),
                ]
            );
            let before = sides.marks(3, LabelSide::Before);
            assert_eq!(
                seen(&before),
                [
                    (' ', "same", false, 0.1),
                    ('~', "moved", false, 0.3),
                    ('-', "gone", false, 0.6),
                ]
            );
            assert_eq!(
                seen(&sides.marks(7, LabelSide::Both)),
                [(' ', "later", false, 0.5)]
            );
            assert!(sides.marks(0, LabelSide::Both).is_empty());
        }
    }

    #[test]
    fn an_object_that_a_newer_build_gives_at_the_same_place_is_the_same() {
        let sides = LabelSides {
            before: video(&[object("aaaa", 0.1)]),
            after: Some(video(&[object("bbbb", 0.1)])),
            signs: None,
            first: None,
            by_side: false,
        };
        let both = sides.marks(3, LabelSide::Both);
        assert_eq!(seen(&both), [(' ', "bbbb", false, 0.1)]);
    }

    #[test]
    fn the_first_frame_is_the_first_one_with_a_label() {
        let labels = LabelSides {
            before: video(&[]),
            ..LabelSides::default()
        };
        assert_eq!(labels.or_first_labelled().first_frame(), Some(7));
        let unit =
            |n: u64, objects: &[Value]| json!({"data_sequence": n, "labels": {"objects": objects}});
        let group = json!({"data_units": {"a": unit(0, &[]), "b": unit(1, &[object("x", 0.1)])}});
        let labels = LabelSides {
            before: group,
            ..LabelSides::default()
        };
        assert_eq!(labels.or_first_labelled().first_frame(), Some(1));
        assert_eq!(
            LabelSides::default().or_first_labelled().first_frame(),
            None
        );
    }
}
