//! Answers as they stand in the blob: an attribute found by name, its answer put among the others, and
//! what was asked only because of the answer before taken away with it. Dynamic answers have ranges:
//! on each frame the last one holds.

use super::super::names::ambiguous;
use super::super::ontology::{Above, by_hash, names, paths_to};
use super::super::{Attribute, Choice, ModelError, ModelResult, suggest};
use super::place::{merged, without};
use super::read::ranges;
use super::work::looked_at;
use serde_json::{Value, json};

/// Whether this option was chosen for that attribute.
pub(super) fn chosen(entry: &Value, attribute: &Attribute, choice: &Choice) -> bool {
    looked_at(1);
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

/// The attribute of that name or hash whose answers above it were given, the outermost; `None`: there is none.
///
/// # Errors
/// The feature hashes of several that have the same name.
pub(super) fn find_asked<'o>(
    attributes: &'o [Attribute],
    name: &str,
    chosen: impl Fn(&Attribute, &Choice) -> bool,
) -> Result<Option<&'o Attribute>, Vec<String>> {
    let paths = paths_to(attributes, name);
    let is_open = |(above, _): &&(Above<'_>, _)| above.iter().all(|(a, choice)| chosen(a, choice));
    let open: Vec<_> = paths.iter().filter(is_open).collect();
    let Some(depth) = open.iter().map(|(above, _)| above.len()).min() else {
        return Ok(None);
    };
    let outer = open.iter().filter(|(above, _)| above.len() == depth);
    let outer: Vec<&'o Attribute> = outer.map(|(_, attribute)| *attribute).collect();
    match outer.as_slice() {
        [one] => Ok(Some(one)),
        several => Err(several.iter().map(|a| a.feature_hash.clone()).collect()),
    }
}

/// Finds an attribute, nested ones too; what lies above a nested one must have been chosen. Where
/// several options ask a question of that name, the one of the chosen option is meant.
pub(super) fn locate<'o>(
    attributes: &'o [Attribute],
    name: &str,
    owner: &str,
    chosen: impl Fn(&Attribute, &Choice) -> bool,
) -> ModelResult<&'o Attribute> {
    match find_asked(attributes, name, &chosen) {
        Ok(Some(found)) => return Ok(found),
        Ok(None) => {}
        Err(several) => {
            let text = ambiguous("attributes", name, "feature hash", &several);
            return Err(ModelError::Ambiguous(text));
        }
    }
    let paths = paths_to(attributes, name);
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

/// Whether two answers mean the same: the same text, the same number, the same options.
pub(super) fn same_answer(one: &Value, other: &Value) -> bool {
    sense(one) == sense(other)
}

/// What an answer means, whatever else stands beside its options and however its number is written.
pub(super) fn sense(answer: &Value) -> String {
    let hash = |option: &Value| option["featureHash"].as_str().map(str::to_owned);
    let options = answer.as_array();
    let hashes = options.and_then(|list| list.iter().map(hash).collect::<Option<Vec<_>>>());
    match (hashes, answer.as_f64()) {
        (Some(hashes), _) => json!(hashes).to_string(),
        (None, Some(number)) => number.to_string(),
        (None, None) => answer.to_string(),
    }
}

/// Writes an answer over another one to the same attribute. What stands there beside it stays; the same
/// answer is not a change.
pub(super) fn renew(old: &mut Value, mut new: Value) {
    if same_answer(&old["answers"], &new["answers"]) {
        return;
    }
    let before = old["answers"].as_array().cloned().unwrap_or_default();
    for option in new["answers"].as_array_mut().into_iter().flatten() {
        let hash = &option["featureHash"];
        if let Some(known) = before.iter().find(|known| known["featureHash"] == *hash) {
            *option = known.clone();
        }
    }
    match (old.as_object_mut(), new) {
        (Some(old), Value::Object(new)) => old.extend(new),
        (_, new) => *old = new,
    }
}

/// Replaces the answer to the same attribute, or adds one; answers that only another option asked for
/// go.
pub(super) fn put(entries: &mut Vec<Value>, entry: Value, attributes: &[Attribute]) {
    let closed = loses_ground(attributes, &entry);
    entries.retain(|old| !is_of(old, &closed));
    match entries
        .iter_mut()
        .find(|old| old["featureHash"] == entry["featureHash"])
    {
        Some(old) => renew(old, entry),
        None => entries.push(entry),
    }
}

/// The same for a dynamic attribute on a range of frames.
pub(super) fn put_on(
    actions: &mut Vec<Value>,
    entry: Value,
    span: (u64, u64),
    attributes: &[Attribute],
) {
    let closed = loses_ground(attributes, &entry);
    let mut answered = false;
    let mut displaced = None;
    actions.retain_mut(|old| {
        let same = old["featureHash"] == entry["featureHash"];
        if same && !answered && same_answer(&old["answers"], &entry["answers"]) {
            answered = true;
            let mut spans = ranges(old);
            spans.push(span);
            old["range"] = merged(spans);
            return true;
        }
        let gone = same || is_of(old, &closed);
        if !gone || !touches(old, span) {
            return true;
        }
        if same && displaced.is_none() {
            displaced = Some(old.clone());
        }
        let left = without(ranges(old), span);
        let stays = !left.is_empty();
        old["range"] = merged(left);
        stays
    });
    if !answered {
        actions.push(dynamic(displaced, entry, span));
    }
}

/// An answer on a range of frames. What stood beside the one that it displaces stands beside it, too.
pub(super) fn dynamic(displaced: Option<Value>, entry: Value, span: (u64, u64)) -> Value {
    let mut new = entry;
    if let Some(mut old) = displaced {
        renew(&mut old, new);
        new = old;
    }
    new["dynamic"] = json!(true);
    new["range"] = merged(vec![span]);
    if new.get("shouldPropagate").is_none() {
        new["shouldPropagate"] = json!(false);
    }
    new
}

/// Whether the last word on every frame of a range is this answer already.
pub(super) fn is_answered(actions: &[Value], entry: &Value, span: (u64, u64)) -> bool {
    let mut own = actions
        .iter()
        .filter(|a| a["featureHash"] == entry["featureHash"] && touches(a, span));
    let (Some(only), None) = (own.next(), own.next()) else {
        return false;
    };
    same_answer(&only["answers"], &entry["answers"])
        && ranges(only)
            .iter()
            .fold(vec![span], |left, answered| without(left, *answered))
            .is_empty()
}

/// The attributes that are asked for only by options which a new entry does not choose.
pub(super) fn loses_ground<'o>(attributes: &'o [Attribute], new: &Value) -> Vec<&'o Attribute> {
    let hash = new["featureHash"].as_str().unwrap_or_default();
    let Some(attribute) = by_hash(attributes, hash) else {
        return Vec::new();
    };
    let asking = attribute
        .options
        .iter()
        .filter(|o| !o.attributes.is_empty());
    let closed = asking.filter(|o| !chosen(new, attribute, o));
    closed.flat_map(|o| below(&o.attributes)).collect()
}

/// These attributes, and all that are nested in them.
fn below(attributes: &[Attribute]) -> Vec<&Attribute> {
    let mut all = Vec::new();
    for attribute in attributes {
        all.push(attribute);
        for option in &attribute.options {
            all.extend(below(&option.attributes));
        }
    }
    all
}

fn is_of(entry: &Value, attributes: &[&Attribute]) -> bool {
    attributes
        .iter()
        .any(|a| entry["featureHash"] == a.feature_hash.as_str())
}

pub(super) fn touches(action: &Value, (from, to): (u64, u64)) -> bool {
    looked_at(1);
    let list = action["range"].as_array().map_or(&[][..], Vec::as_slice);
    list.iter().any(|pair| {
        let end = |n: usize| pair.get(n).and_then(Value::as_u64).unwrap_or_default();
        end(0) <= to && from <= end(1)
    })
}
