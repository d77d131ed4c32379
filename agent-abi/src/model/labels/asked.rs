//! Answers read by the name of their attribute. A name that several attributes have finds none of them.

use super::super::{Answer, Attribute, AttributeKind, Ontology, ambiguous};
use super::answers::{chosen, find_asked};
use super::read::text;
use serde_json::Value;
use std::collections::BTreeSet;

fn named(entry: &Value, attribute: &str) -> bool {
    text(entry, "name") == attribute || text(entry, "featureHash") == attribute
}

/// The answer among these entries to the attribute of a kind that is called so.
pub(super) fn answer_among<'e>(
    entries: impl Iterator<Item = &'e Value>,
    attribute: &str,
    attributes: &[Attribute],
    ontology: &Ontology,
) -> Option<Answer> {
    let entries: Vec<&Value> = entries.collect();
    let of = |hash: &str| {
        entries
            .iter()
            .find(|entry| text(entry, "featureHash") == hash)
    };
    let entry = match find_asked(attributes, attribute, |above, choice| {
        entries.iter().any(|entry| chosen(entry, above, choice))
    }) {
        Ok(Some(found)) => of(&found.feature_hash)?,
        // Not in the ontology, or no longer asked: as it stands in the row.
        Ok(None) => {
            let mut named = entries.iter().filter(|entry| named(entry, attribute));
            let first = named.next()?;
            let hash = |entry: &&Value| text(entry, "featureHash").to_owned();
            if named.any(|other| hash(other) != hash(first)) {
                let named = entries.iter().filter(|entry| self::named(entry, attribute));
                let hashes: BTreeSet<String> = named.map(hash).collect();
                return unclear(attribute, &hashes.into_iter().collect::<Vec<_>>());
            }
            first
        }
        Err(several) => return unclear(attribute, &several),
    };
    read(entry, ontology)
}

/// Nothing is chosen for the author: no answer, and the reason in the log.
fn unclear<T>(attribute: &str, hashes: &[String]) -> Option<T> {
    log::warn!(
        "{}",
        ambiguous("attributes", attribute, "feature hash", hashes)
    );
    None
}

/// One option in a list is a radio's answer where the ontology has it so.
pub(super) fn read(entry: &Value, ontology: &Ontology) -> Option<Answer> {
    let kind = ontology
        .attribute(text(entry, "featureHash"))
        .map(|a| &a.kind);
    Answer::read(entry.get("answers")?, kind == Some(&AttributeKind::Radio))
}
