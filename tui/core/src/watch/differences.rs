//! How two builds differ on the same inputs: route or error, priority, metadata, labels.
//!
//! Comparison only; when it is made is left to the engine, how it looks to the screen.

use super::WatchResult;
use crate::work::{LabelChange, Outcome};
use serde_json::Value;

/// One thing that two builds made differently.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// `+` only the newer one has it, `-` only the older one, `~` both, differently.
    pub sign: char,
    /// What: `route`, `priority`, `metadata NAME`, or a label's name.
    pub what: String,
    /// The older one, as text.
    pub before: Option<String>,
    /// The newer one, as text.
    pub after: Option<String>,
}

impl Difference {
    fn new(what: &str, before: Option<String>, after: Option<String>) -> Option<Self> {
        let sign = match (&before, &after) {
            (a, b) if a == b => return None,
            (None, _) => '+',
            (_, None) => '-',
            _ => '~',
        };
        Some(Self {
            sign,
            what: what.to_owned(),
            before,
            after,
        })
    }
}

/// What differs between two looks at the same inputs: route or error, priority, metadata, labels.
///
/// The hash of a label that an agent adds is another one each time, so added labels are compared by
/// their content.
#[must_use]
pub fn differences(before: &WatchResult, after: &WatchResult) -> Vec<Difference> {
    let mut all = Vec::new();
    all.extend(Difference::new(
        "route",
        Some(route(before)),
        Some(route(after)),
    ));
    let (Ok(old), Ok(new)) = (&before.result, &after.result) else {
        return all;
    };
    let priority = |o: &Outcome| {
        // As far as the screen shows it: the last bits of a float do not count.
        let text = o.patch.priority.map(|(_, new)| format!("{new:.4}"))?;
        let text = text.trim_end_matches('0').trim_end_matches('.');
        Some(text.to_owned())
    };
    all.extend(Difference::new("priority", priority(old), priority(new)));
    all.extend(metadata(old, new));
    all.extend(labels(&old.patch.labels, &new.patch.labels));
    all
}

/// Pathway, `stay`, or the error.
#[must_use]
pub fn route(look: &WatchResult) -> String {
    match &look.result {
        Ok(outcome) => outcome.way.name().into_owned(),
        Err(error) => format!("failed: {}", error.summary),
    }
}

fn metadata(old: &Outcome, new: &Outcome) -> Vec<Difference> {
    let (old, new) = match (&old.patch.metadata, &new.patch.metadata) {
        (None, None) => return Vec::new(),
        (old, new) => (
            old.clone().unwrap_or_default(),
            new.clone().unwrap_or_default(),
        ),
    };
    let mut names: Vec<&String> = old.keys().chain(new.keys()).collect();
    names.sort();
    names.dedup();
    let text =
        |map: &serde_json::Map<String, Value>, name: &str| map.get(name).map(ToString::to_string);
    names
        .into_iter()
        .filter_map(|name| {
            Difference::new(
                &format!("metadata {name}"),
                text(&old, name),
                text(&new, name),
            )
        })
        .collect()
}

/// Labels that both have in the same words are left out; of the rest those of one name are reported as
/// one that changed.
fn labels(old: &[LabelChange], new: &[LabelChange]) -> Vec<Difference> {
    let mut new: Vec<&LabelChange> = new.iter().collect();
    let mut gone: Vec<&LabelChange> = Vec::new();
    for label in old {
        match new.iter().position(|n| alike(label, n)) {
            Some(at) => drop(new.remove(at)),
            None => gone.push(label),
        }
    }
    let mut all = Vec::new();
    for label in gone {
        let same = |n: &&LabelChange| n.hash == label.hash;
        let near = |n: &&LabelChange| label.sign == '+' && n.sign == '+' && n.name == label.name;
        let twin = (new.iter().position(same)).or_else(|| new.iter().position(near));
        let after = twin.map(|at| words(new.remove(at)));
        all.extend(Difference::new(&label.name, Some(words(label)), after));
    }
    all.extend(
        new.into_iter()
            .filter_map(|label| Difference::new(&label.name, None, Some(words(label)))),
    );
    all
}

fn alike(a: &LabelChange, b: &LabelChange) -> bool {
    // What is there already keeps its hash; what is added gets another one each time.
    (a.sign, &a.name, &a.detail) == (b.sign, &b.name, &b.detail)
        && (a.sign == '+' || a.hash == b.hash)
}

fn words(label: &LabelChange) -> String {
    match label.sign {
        '+' => label.detail.clone(),
        '-' => format!("removed {}", label.detail).trim_end().to_owned(),
        sign => format!("{sign} {}", label.detail),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::{Error, ErrorKind};
    use crate::ids::{BuildId, Millis, PathwayId, StageId};
    use crate::work::{Patch, Route};
    use serde_json::json;
    use std::sync::Arc;
    use uuid::Uuid;

    fn change(sign: char, name: &str, hash: &str, detail: &str) -> LabelChange {
        LabelChange {
            sign,
            name: name.into(),
            hash: hash.into(),
            detail: detail.into(),
            ..LabelChange::default()
        }
    }

    fn look(build: u32, way: &str, patch: Patch) -> WatchResult {
        let way = if way == "stay" {
            Route::Stay
        } else {
            Route::Pathway {
                id: PathwayId(Uuid::nil()),
                name: way.into(),
                to: StageId(Uuid::nil()),
            }
        };
        WatchResult {
            build: BuildId(build),
            result: Ok(Arc::new(Outcome {
                way,
                patch,
                labels_after: None,
                further: Vec::new(),
                steps: vec![],
                unread: vec![],
            })),
            run_us: 1000,
            at: Millis(0),
        }
    }

    fn lines(a: &WatchResult, b: &WatchResult) -> Vec<String> {
        differences(a, b)
            .into_iter()
            .map(|d| {
                let side = |s: Option<String>| s.unwrap_or_else(|| "none".into());
                format!(
                    "{} {}: {} | {}",
                    d.sign,
                    d.what,
                    side(d.before),
                    side(d.after)
                )
            })
            .collect()
    }

    #[test]
    fn added_labels_with_the_same_content_are_the_same_whatever_their_hash() {
        let a = Patch {
            labels: vec![
                change('+', "Car", "h1", "box 1"),
                change('+', "Car", "h2", "box 2"),
            ],
            ..Patch::default()
        };
        let b = Patch {
            labels: vec![
                change('+', "Car", "h9", "box 2"),
                change('+', "Car", "h8", "box 1"),
            ],
            ..Patch::default()
        };
        assert_eq!(lines(&look(1, "next", a), &look(2, "next", b)), [""; 0]);
    }

    #[test]
    fn every_kind_of_difference_is_reported_once() {
        let a = Patch {
            labels: vec![
                change('+', "Car", "h1", "box 1"),
                change('+', "Car", "h2", "box 2"),
                change('+', "Bus", "h3", "box 7"),
                change('~', "Dog", "k1", "box 3 → box 4"),
                change('-', "Cat", "k2", ""),
            ],
            priority: Some((None, 0.5)),
            metadata: json!({"site": "a", "lux": 4}).as_object().cloned(),
            ..Patch::default()
        };
        let b = Patch {
            labels: vec![
                change('+', "Car", "g1", "box 1"),
                change('+', "Car", "g2", "box 5"),
                change('~', "Dog", "k1", "box 3 → box 6"),
                change('+', "Tree", "g3", "box 8"),
            ],
            priority: Some((None, 0.7)),
            metadata: json!({"site": "a", "lux": 5, "new": true})
                .as_object()
                .cloned(),
            ..Patch::default()
        };
        assert_eq!(
            lines(&look(1, "next", a), &look(2, "stay", b)),
            [
                "~ route: next | stay",
                "~ priority: 0.5 | 0.7",
                "~ metadata lux: 4 | 5",
                "+ metadata new: none | true",
                "~ Car: box 2 | box 5",
                "- Bus: box 7 | none",
                "~ Dog: ~ box 3 → box 4 | ~ box 3 → box 6",
                "- Cat: removed | none",
                "+ Tree: none | box 8",
            ]
        );
    }

    #[test]
    fn two_labels_that_were_there_and_changed_alike_are_still_two() {
        let of = |hashes: &[&str]| Patch {
            labels: hashes
                .iter()
                .map(|h| change('-', "Cat", h, "box 1"))
                .collect(),
            ..Patch::default()
        };
        assert_eq!(
            lines(
                &look(1, "next", of(&["k1", "k2"])),
                &look(2, "next", of(&["k2"]))
            ),
            ["- Cat: removed box 1 | none"]
        );
    }

    #[test]
    fn a_fault_against_an_outcome_is_one_difference_and_equal_faults_are_none() {
        let failed = |text: &str| WatchResult {
            result: Err(Error::new(ErrorKind::Agent, text)),
            ..look(2, "stay", Patch::default())
        };
        let labels = vec![change('+', "Car", "h1", "box 1")];
        let good = look(
            1,
            "next",
            Patch {
                labels,
                ..Patch::default()
            },
        );
        assert_eq!(
            lines(&good, &failed("panic")),
            ["~ route: next | failed: panic"]
        );
        assert_eq!(lines(&failed("panic"), &failed("panic")), [""; 0]);
    }
}
