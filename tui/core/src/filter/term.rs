//! One term of a filter and whether it holds for a task. Reading terms from text is `mod.rs`'s.

use super::{Asks, Facts};
use crate::ids::PathwayId;
use crate::work::LastResult;
use crate::workflow::Stage;
use agent_abi::model::{ambiguous, quoted};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use uuid::Uuid;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) enum Test {
    Title(String),
    TitleIs(Vec<String>),
    Status(Vec<String>),
    Age(Cmp, u64),
    Assignee(Vec<String>),
    Branch(Vec<String>),
    Result(Vec<String>),
    Error(Vec<u32>),
    Route(Vec<Route>),
    Build(Cmp, u64),
    Labels(Cmp, u64),
    /// Priority of the label row.
    Priority(Cmp, f64),
    /// How many labels of a name the row holds.
    LabelsNamed(String, Cmp, u64),
    /// A value of the client metadata, by its path.
    Meta(Vec<String>, Match),
}

/// A way out of a stage: `stay`, the name of a pathway, or its UUID.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) enum Route {
    Named(String),
    Pathway(PathwayId),
}

impl Route {
    pub(super) fn read(text: &str) -> Self {
        match Uuid::parse_str(text) {
            Ok(id) => Self::Pathway(PathwayId(id)),
            Err(_) => Self::Named(text.to_owned()),
        }
    }

    fn is(&self, result: &LastResult) -> bool {
        match self {
            Self::Named(name) => result.text.eq_ignore_ascii_case(name),
            Self::Pathway(id) => result.pathway == Some(*id),
        }
    }

    /// Several pathways of one stage are called so: which of them is meant?
    pub(super) fn unclear(&self, stage: &Stage) -> Option<String> {
        let Self::Named(name) = self else { return None };
        let same = (stage.pathways.iter()).filter(|p| p.name.eq_ignore_ascii_case(name));
        let same: Vec<PathwayId> = same.map(|p| p.id).collect();
        let text = || ambiguous("pathways", name, "UUID", &same);
        (same.len() > 1).then(|| format!("stage {}: {}", quoted(&stage.title), text()))
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(super) enum Cmp {
    Less,
    LessEq,
    Equal,
    MoreEq,
    More,
}

impl Cmp {
    fn holds<T: PartialOrd>(self, left: T, right: T) -> bool {
        match self {
            Self::Less => left < right,
            Self::LessEq => left <= right,
            Self::Equal => left == right,
            Self::MoreEq => left >= right,
            Self::More => left > right,
        }
    }
}

impl Test {
    pub(super) fn holds(&self, facts: &Facts<'_>) -> bool {
        match self {
            Self::Title(part) => contains_ignoring_case(&facts.row.title, part),
            Self::TitleIs(list) => list.iter().any(|t| facts.row.title.eq_ignore_ascii_case(t)),
            Self::Status(list) => {
                let word = facts.row.status.wire();
                list.iter()
                    .any(|s| word.len() >= s.len() && word[..s.len()].eq_ignore_ascii_case(s))
            }
            Self::Age(cmp, ms) => cmp.holds(facts.now.since(facts.row.updated), *ms),
            Self::Assignee(list) => list.iter().any(|a| match &facts.row.assignee {
                None => a == "none",
                Some(who) => contains_ignoring_case(who, a),
            }),
            Self::Branch(list) => list
                .iter()
                .any(|b| facts.row.branch.eq_ignore_ascii_case(b)),
            Self::Result(list) => list.iter().any(|r| result_is(facts.result, r)),
            Self::Error(list) => {
                let group = facts.result.and_then(|r| r.group);
                group.is_some_and(|g| list.contains(&g))
            }
            Self::Route(list) => facts
                .result
                .is_some_and(|r| !r.failed && list.iter().any(|route| route.is(r))),
            Self::Build(cmp, n) => facts
                .result
                .is_some_and(|r| cmp.holds(u64::from(r.build.0), *n)),
            Self::Labels(cmp, n) => facts
                .result
                .is_some_and(|r| cmp.holds(r.labels.0 as u64, *n)),
            Self::Priority(cmp, n) => facts
                .known
                .and_then(|k| k.priority)
                .is_some_and(|p| cmp.holds(p, *n)),
            Self::LabelsNamed(name, cmp, n) => facts
                .known
                .and_then(|k| k.labels.as_ref())
                .is_some_and(|labels| {
                    let named = labels.iter().filter(|(l, _)| l.eq_ignore_ascii_case(name));
                    cmp.holds(named.map(|(_, count)| *count).sum(), *n)
                }),
            Self::Meta(path, wanted) => facts
                .known
                .is_some_and(|k| wanted.holds(find(k.metadata.as_ref(), path))),
        }
    }

    /// What must be read beside the task itself before this can be decided.
    pub(super) const fn asks(&self) -> Asks {
        Asks {
            row: matches!(self, Self::Priority(..) | Self::Meta(..)),
            labels: matches!(self, Self::LabelsNamed(..)),
        }
    }
}

/// What a metadata value is compared with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) enum Match {
    /// Any of these words; `none`: there is no such value.
    Is(Vec<String>),
    /// Contains this, upper or lower case.
    Has(String),
    /// As a number.
    Number(Cmp, f64),
}

impl Match {
    fn holds(&self, value: Option<&Value>) -> bool {
        let value = value.filter(|v| !v.is_null());
        match self {
            Self::Is(words) => words.iter().any(|word| match value {
                None => word == "none",
                Some(value) => each(value, |v| v.eq_ignore_ascii_case(word)),
            }),
            Self::Has(part) => value.is_some_and(|v| each(v, |v| contains_ignoring_case(v, part))),
            Self::Number(cmp, n) => value
                .and_then(|v| v.as_f64().or_else(|| v.as_str()?.trim().parse().ok()))
                .is_some_and(|v| cmp.holds(v, *n)),
        }
    }
}

/// Whether a value, or any entry of a list, passes as text.
fn each(value: &Value, test: impl Fn(&str) -> bool + Copy) -> bool {
    match value {
        Value::String(text) => test(text),
        Value::Array(list) => list.iter().any(|v| each(v, test)),
        other => test(&other.to_string()),
    }
}

/// The value at a path of names; a name may hold dots itself.
fn find<'v>(metadata: Option<&'v Map<String, Value>>, path: &[String]) -> Option<&'v Value> {
    let (map, whole) = (metadata?, path.join("."));
    if let Some(value) = map.get(&whole) {
        return Some(value);
    }
    let (first, rest) = path.split_first()?;
    match map.get(first)? {
        value if rest.is_empty() => Some(value),
        Value::Object(inner) => find(Some(inner), rest),
        _ => None,
    }
}

fn result_is(result: Option<&LastResult>, word: &str) -> bool {
    match word {
        "none" => result.is_none(),
        "ok" => result.is_some_and(|r| !r.failed),
        "error" | "failed" => result.is_some_and(|r| r.failed),
        other => result.is_some_and(|r| contains_ignoring_case(&r.text, other)),
    }
}

/// Whether `text` contains `part` (already in lower case). ASCII without allocation, since a
/// hundred thousand titles are tried at every key; other letters by a lower-cased copy.
fn contains_ignoring_case(text: &str, part: &str) -> bool {
    if part.is_empty() {
        return true;
    }
    if !part.is_ascii() {
        return text.to_lowercase().contains(part);
    }
    let (text, part) = (text.as_bytes(), part.as_bytes());
    let first = part[0];
    text.len() >= part.len()
        && (0..=text.len() - part.len()).any(|i| {
            text[i].to_ascii_lowercase() == first
                && text[i..i + part.len()].eq_ignore_ascii_case(part)
        })
}
