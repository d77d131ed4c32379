//! How two results for one task differ, in words: route or error, priority, metadata, further changes, and labels by
//! what their patches hold. Labels by where they lie are left to [`super::labels`].

use crate::error::Error;
use crate::work::{FurtherChange, LabelChange, Outcome};
use agent_abi::model::quoted;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// One thing that two results have differently.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
    pub(super) fn new(what: &str, before: Option<String>, after: Option<String>) -> Option<Self> {
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

/// What a result is: an outcome or an error.
pub type GivenResult<'a> = Result<&'a Outcome, &'a Error>;

/// All that differs between two results for the same inputs.
///
/// The hash of a label that an agent adds is another one each time, so added labels are compared by
/// their content.
#[must_use]
pub fn differences(before: GivenResult<'_>, after: GivenResult<'_>) -> Vec<Difference> {
    let mut all = Vec::new();
    all.extend(Difference::new(
        "route",
        Some(route(before)),
        Some(route(after)),
    ));
    let (Ok(old), Ok(new)) = (before, after) else {
        return all;
    };
    all.extend(Difference::new("priority", priority(old), priority(new)));
    all.extend(metadata(old, new));
    all.extend(labels("", &old.patch.labels, &new.patch.labels));
    all.extend(further(&old.patch.changes, &new.patch.changes));
    all
}

/// The same without the route and the own row's labels.
pub(super) fn beside_labels(old: &Outcome, new: &Outcome) -> Vec<Difference> {
    let mut all: Vec<Difference> = Vec::new();
    all.extend(Difference::new("priority", priority(old), priority(new)));
    all.extend(metadata(old, new));
    all.extend(further(&old.patch.changes, &new.patch.changes));
    all
}

/// Pathway, `stay`, or the error.
#[must_use]
pub fn route(given: GivenResult<'_>) -> String {
    match given {
        Ok(outcome) => outcome.way.name().into_owned(),
        Err(error) => format!("failed: {}", error.summary),
    }
}

/// As far as the screen shows it: the last bits of a float do not count.
fn priority(outcome: &Outcome) -> Option<String> {
    let text = outcome.patch.priority.map(|(_, new)| format!("{new:.4}"))?;
    let text = text.trim_end_matches('0').trim_end_matches('.');
    Some(text.to_owned())
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

/// Changes beyond the own row: those of one kind in one place are one change.
fn further(old: &[FurtherChange], new: &[FurtherChange]) -> Vec<Difference> {
    let mut new: Vec<&FurtherChange> = new.iter().collect();
    let mut all = Vec::new();
    for before in old {
        let here = |after: &&FurtherChange| place(before) == place(after);
        let same = |after: &&FurtherChange| here(after) && held(before) == held(after);
        let at = (new.iter().position(same)).or_else(|| new.iter().position(here));
        let after = at.map(|at| new.remove(at));
        let what = headline(before);
        let is = after.map(held);
        all.extend(Difference::new(&what, Some(held(before)), is));
        if let Some(after) = after {
            all.extend(labels(&format!("{what}: "), &before.labels, &after.labels));
        }
    }
    let only = |after: &FurtherChange| Difference::new(&headline(after), None, Some(held(after)));
    all.extend(new.into_iter().filter_map(only));
    all
}

/// What a further change is for; a new item has no place but its title.
fn place(change: &FurtherChange) -> impl PartialEq + '_ {
    let at = (change.task_uuid, change.data_hash, change.item_uuid);
    let title = change
        .item
        .as_ref()
        .map(|item| (item.delete, &change.title));
    (&change.kind, &change.project, at, &change.branch, title)
}

fn headline(change: &FurtherChange) -> String {
    let data = change.data_hash.map(|data| data.to_string());
    let name = match (&*change.title, data, change.item_uuid) {
        ("", Some(data), _) => data,
        ("", None, Some(item)) => item.to_string(),
        (title, ..) => format!("\"{title}\""),
    };
    format!("also {} of {name} in {}", change.kind, change.project_title)
}

/// What a further change writes, but for labels.
fn held(change: &FurtherChange) -> String {
    if let Some(issue) = &change.issue {
        return format!("{}{}", quoted(&issue.comment), issue.place());
    }
    if let Some(item) = &change.item {
        let metadata = change.metadata.clone().map(Value::from);
        let metadata = metadata.map_or_else(String::new, |metadata| format!(" {metadata}"));
        return format!("{}{metadata}", quoted(&item.text));
    }
    match (&change.to, &change.priority, &change.metadata) {
        (Some(to), ..) => to.clone(),
        (_, Some((_, new)), _) => new.to_string(),
        (_, _, Some(metadata)) => Value::from(metadata.clone()).to_string(),
        _ => "labels".to_owned(),
    }
}

/// A label of the older side and of the newer one.
type LabelPair<'a> = (Option<&'a LabelChange>, Option<&'a LabelChange>);

/// Labels that both have in the same words are left out; of the rest those of one name are one that changed.
pub(super) fn label_pairs<'a>(
    old: &'a [LabelChange],
    new: &'a [LabelChange],
) -> Vec<LabelPair<'a>> {
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
        all.push((Some(label), twin.map(|at| new.remove(at))));
    }
    all.extend(new.into_iter().map(|label| (None, Some(label))));
    all
}

fn labels(whose: &str, old: &[LabelChange], new: &[LabelChange]) -> Vec<Difference> {
    let each = label_pairs(old, new).into_iter();
    each.filter_map(|(a, b)| {
        let name = &a.or(b)?.name;
        Difference::new(&format!("{whose}{name}"), a.map(words), b.map(words))
    })
    .collect()
}

fn alike(a: &LabelChange, b: &LabelChange) -> bool {
    // What is there already keeps its hash; what is added gets another one each time.
    (a.sign, &a.name, &a.detail) == (b.sign, &b.name, &b.detail)
        && (a.sign == '+' || a.hash == b.hash)
}

/// A label as people read it.
pub(super) fn words(label: &LabelChange) -> String {
    match label.sign {
        '+' => label.detail.clone(),
        '-' => format!("removed {}", label.detail).trim_end().to_owned(),
        sign => format!("{sign} {}", label.detail),
    }
}

#[cfg(test)]
#[path = "differences_tests.rs"]
mod tests;
