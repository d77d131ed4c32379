//! Answers as they stand in the blob: an attribute found by name, its answer put among the others, and
//! what was asked only because of the answer before taken away with it. Dynamic answers have ranges:
//! on each frame the last one holds.

use super::super::ontology::{by_hash, names, paths_to};
use super::super::{Attribute, Choice, ModelError, ModelResult, suggest};
use super::place::{merged, without};
use super::read::ranges;
use serde_json::{Value, json};

/// Whether this option was chosen for that attribute.
pub(super) fn chosen(entry: &Value, attribute: &Attribute, choice: &Choice) -> bool {
    let options = entry["answers"].as_array().map_or(&[][..], Vec::as_slice);
    entry["featureHash"] == attribute.feature_hash.as_str()
        && options
            .iter()
            .any(|o| o["featureHash"] == choice.feature_hash.as_str())
}

/// Whether it was chosen on every frame of a range.
pub(super) fn chosen_on(
    actions: &[Value],
    attribute: &Attribute,
    choice: &Choice,
    span: (u64, u64),
) -> bool {
    let there = actions.iter().filter(|a| chosen(a, attribute, choice));
    let left = there.fold(vec![span], |left, action| {
        ranges(action).into_iter().fold(left, without)
    });
    left.is_empty()
}

/// Finds an attribute, nested ones too; what lies above a nested one must have been chosen. Where
/// several options ask a question of that name, the one of the chosen option is meant.
pub(super) fn locate<'o>(
    attributes: &'o [Attribute],
    name: &str,
    owner: &str,
    chosen: impl Fn(&Attribute, &Choice) -> bool,
) -> ModelResult<&'o Attribute> {
    let paths = paths_to(attributes, name);
    let open = paths
        .iter()
        .find(|(above, _)| above.iter().all(|(a, choice)| chosen(a, choice)));
    if let Some((_, found)) = open {
        return Ok(found);
    }
    let closed: Vec<String> = paths
        .iter()
        .filter_map(|(above, _)| above.iter().find(|(a, choice)| !chosen(a, choice)))
        .map(|(a, choice)| format!("\"{}\" is \"{}\"", a.name, choice.label))
        .collect();
    if closed.is_empty() {
        let hint = suggest::hint(name, names(attributes));
        return Err(ModelError::Unknown(format!(
            "\"{owner}\" has no attribute \"{name}\".{hint}"
        )));
    }
    Err(ModelError::Invalid(format!(
        "\"{name}\" is asked only when {}: answer that first",
        closed.join(" or ")
    )))
}

/// Replaces the answer to the same attribute, or adds one; answers that only another option asked for
/// go.
pub(super) fn put(entries: &mut Vec<Value>, entry: Value, attributes: &[Attribute]) {
    let hash = entry["featureHash"].as_str().unwrap_or_default();
    if let Some(attribute) = by_hash(attributes, hash) {
        entries.retain(|old| !loses_ground(old, &entry, attribute));
    }
    match entries
        .iter_mut()
        .find(|old| old["featureHash"] == entry["featureHash"])
    {
        Some(old) => *old = entry,
        None => entries.push(entry),
    }
}

/// The same for a dynamic attribute on a range of frames.
pub(super) fn put_on(
    actions: &mut Vec<Value>,
    mut entry: Value,
    span: (u64, u64),
    attributes: &[Attribute],
) {
    let hash = entry["featureHash"].as_str().unwrap_or_default();
    let attribute = by_hash(attributes, hash);
    let mut said = false;
    actions.retain_mut(|old| {
        let same = old["featureHash"] == entry["featureHash"];
        if same && !said && old["answers"] == entry["answers"] {
            said = true;
            let mut spans = ranges(old);
            spans.push(span);
            old["range"] = merged(spans);
            return true;
        }
        let gone = same || attribute.is_some_and(|a| loses_ground(old, &entry, a));
        if !gone || !touches(old, span) {
            return true;
        }
        let left = without(ranges(old), span);
        let stays = !left.is_empty();
        old["range"] = merged(left);
        stays
    });
    if !said {
        entry["dynamic"] = json!(true);
        entry["range"] = merged(vec![span]);
        entry["shouldPropagate"] = json!(false);
        actions.push(entry);
    }
}

/// Whether the last word on every frame of a range is this answer already.
pub(super) fn is_said(actions: &[Value], entry: &Value, span: (u64, u64)) -> bool {
    let mut own = actions
        .iter()
        .filter(|a| a["featureHash"] == entry["featureHash"] && touches(a, span));
    let (Some(only), None) = (own.next(), own.next()) else {
        return false;
    };
    only["answers"] == entry["answers"]
        && ranges(only)
            .iter()
            .fold(vec![span], |left, said| without(left, *said))
            .is_empty()
}

/// Whether an answer was asked for by an option that the new entry does not choose.
fn loses_ground(old: &Value, new: &Value, attribute: &Attribute) -> bool {
    let hash = old["featureHash"].as_str().unwrap_or_default();
    let mut options = attribute.options.iter();
    options.any(|o| by_hash(&o.attributes, hash).is_some() && !chosen(new, attribute, o))
}

pub(super) fn touches(action: &Value, (from, to): (u64, u64)) -> bool {
    let list = action["range"].as_array().map_or(&[][..], Vec::as_slice);
    list.iter().any(|pair| {
        let end = |n: usize| pair.get(n).and_then(Value::as_u64).unwrap_or_default();
        end(0) <= to && from <= end(1)
    })
}
