//! Where the labels of a text or a sound lie: ranges of characters or of milliseconds, before and after a change.
//! Drawing them is left to the screens.

use super::{LabelSide, LabelSides};
use serde_json::Value;

/// One object's range.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RangeMark {
    /// Hash of the object.
    pub hash: String,
    /// Name of its kind.
    pub name: String,
    /// `+` `~` `-` as in a patch, blank: unchanged.
    pub sign: char,
    /// Whether this is a place that it has left.
    pub was: bool,
    /// First character, or millisecond, from 0.
    pub from: u64,
    /// The one after the last.
    pub to: u64,
}

impl LabelSides {
    /// The ranges of all objects, in their order, with their signs.
    #[must_use]
    pub fn ranges(&self, side: LabelSide) -> Vec<RangeMark> {
        let sign = |mark: &mut RangeMark| {
            let listed = self.signs.as_ref();
            mark.sign = listed.map_or(' ', |signs| signs.get(&mark.hash).copied().unwrap_or(' '));
        };
        let mut before = ranges(&self.before);
        let Some(after) = &self.after else {
            return before;
        };
        let mut after = ranges(after);
        if self.signs.is_some() {
            before.iter_mut().chain(&mut after).for_each(sign);
        } else {
            let (old, new) = (before.clone(), after.clone());
            let alike =
                |a: &RangeMark, b: &RangeMark| (&a.name, a.from, a.to) == (&b.name, b.from, b.to);
            for mark in &mut after {
                let same = old.iter().any(|old| alike(old, mark));
                mark.sign = if same { ' ' } else { '+' };
            }
            for mark in &mut before {
                let same = new.iter().any(|new| alike(new, mark));
                mark.sign = if same { ' ' } else { '-' };
            }
        }
        let mut all = match side {
            LabelSide::Before => before,
            LabelSide::After => after,
            LabelSide::Both => {
                let gone = before.into_iter().filter(|old| {
                    let stays = |new: &RangeMark| {
                        new.hash == old.hash && (new.from, new.to) == (old.from, old.to)
                    };
                    old.sign != ' ' && !after.iter().any(stays)
                });
                let gone = gone.map(|old| RangeMark { was: true, ..old });
                gone.collect::<Vec<_>>().into_iter().chain(after).collect()
            }
        };
        all.sort_by_key(|mark| (mark.from, mark.to));
        all
    }
}

/// The ranges in a label row; both ends of those in the row are included.
fn ranges(labels: &Value) -> Vec<RangeMark> {
    let answers = labels.get("object_answers").and_then(Value::as_object);
    let mut all = Vec::new();
    for (hash, entry) in answers.into_iter().flatten() {
        let word = |key: &str| entry.get(key).and_then(Value::as_str);
        let name = word("name").or_else(|| word("value")).unwrap_or(hash);
        let pairs = entry.get("range").and_then(Value::as_array);
        for pair in pairs.into_iter().flatten() {
            let [Some(from), Some(to)] = [0, 1].map(|n| pair.get(n).and_then(Value::as_u64)) else {
                continue;
            };
            all.push(RangeMark {
                hash: hash.clone(),
                name: name.to_owned(),
                sign: ' ',
                was: false,
                from,
                to: to.saturating_add(1),
            });
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use std::collections::HashMap;

    #[test]
    fn ranges_have_signs_and_stay_where_they_were() {
        let row = |entries: &[(&str, u64, u64)]| {
            let entry = |(hash, from, to): &(&str, u64, u64)| {
                let entry = json!({"name": "Word", "range": [[from, to]]});
                ((*hash).to_owned(), entry)
            };
            let answers: serde_json::Map<_, _> = entries.iter().map(entry).collect();
            json!({"object_answers": answers})
        };
        let mut sides = LabelSides {
            before: row(&[("moved", 3, 5), ("gone", 20, 21)]),
            after: Some(row(&[("moved", 3, 8), ("new", 0, 1)])),
            signs: Some(HashMap::from(
                [("moved", '~'), ("gone", '-'), ("new", '+')].map(|(h, s)| (h.to_owned(), s)),
            )),
            first: None,
            by_side: false,
        };
        let seen = |sides: &LabelSides, side| -> Vec<(char, bool, u64, u64)> {
            let all = sides.ranges(side).into_iter();
            all.map(|mark| (mark.sign, mark.was, mark.from, mark.to))
                .collect()
        };
        assert_eq!(
            seen(&sides, LabelSide::Both),
            [
                ('+', false, 0, 2),
                ('~', true, 3, 6),
                ('~', false, 3, 9),
                ('-', true, 20, 22),
            ]
        );
        assert_eq!(
            seen(&sides, LabelSide::Before),
            [('~', false, 3, 6), ('-', false, 20, 22)]
        );
        // Of two builds what is alike is the same, whatever its hash.
        sides.signs = None;
        sides.after = Some(row(&[("other", 3, 5)]));
        assert_eq!(
            seen(&sides, LabelSide::Both),
            [(' ', false, 3, 6), ('-', true, 20, 22)]
        );
    }
}
