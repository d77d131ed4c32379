//! What a further change has to have, by its kind.

use crate::error::{Error, ErrorKind};
use crate::text::is_hidden;
use crate::work::ITEM_KEY;
use crate::workflow::nearest;
use agent_abi::model::quoted;
use agent_abi::wire::ChangeDoc;

/// The kinds of further changes.
const KINDS: [&str; 6] = ["labels", "priority", "metadata", "move", "issue", "item"];
/// Longest comment, in bytes.
const COMMENT: usize = 10_000;
/// Longest title and longest text, in bytes.
const TITLE: usize = 300;
const LONGEST: usize = 5_000_000;
/// Longest part of an agent's text in an error, in bytes.
pub(super) const TEXT: usize = 100;
/// Most tags of an issue, and their longest name in bytes.
const TAGS: (usize, usize) = (20, 200);

/// The kind is known, has what it needs, and nothing that another one has.
pub(super) fn fits(doc: &ChangeDoc) -> Result<(), Error> {
    is_known(&doc.kind)?;
    let drawn = doc.labels.is_some()
        || !(doc.remove.is_empty() && doc.add.is_empty() && doc.answer.is_empty());
    for (field, given, kinds) in [
        ("labels", drawn, &["labels"][..]),
        ("priority", doc.priority.is_some(), &["priority"]),
        ("to", doc.to.is_some(), &["move"]),
        ("comment", doc.comment.is_some(), &["issue"]),
        ("title", doc.title.is_some(), &["item"]),
        ("text", doc.text.is_some(), &["item"]),
    ] {
        let wanted = kinds.contains(&&*doc.kind);
        if wanted != given {
            let does = if wanted { "needs" } else { "does not take" };
            return Err(refused(format!("it {does} \"{field}\"")));
        }
    }
    if doc.kind == "metadata" && doc.client_metadata.is_none() {
        return Err(refused("it needs \"client_metadata\"".into()));
    }
    let other_than_item = &["labels", "priority", "metadata", "move", "issue"];
    for (field, given, kinds) in [
        ("task_uuid", doc.task_uuid.is_some(), &["move"][..]),
        ("item_uuid", doc.item_uuid.is_some(), &["metadata"]),
        (
            "branch",
            doc.branch.is_some(),
            &["labels", "priority", "move"],
        ),
        ("tags", !doc.tags.is_empty(), &["issue"]),
        ("frame", doc.frame.is_some(), &["issue"]),
        ("at", doc.at.is_some(), &["issue"]),
        ("label", doc.label.is_some(), &["issue"]),
        (
            "client_metadata",
            doc.client_metadata.is_some(),
            &["metadata", "item"],
        ),
        ("dataset", doc.dataset.is_some(), &["item"]),
        ("folder", doc.folder.is_some(), &["item"]),
        ("data_hash", doc.data_hash.is_some(), other_than_item),
    ] {
        if given && !kinds.contains(&&*doc.kind) {
            return Err(refused(format!("it does not take \"{field}\"")));
        }
    }
    match &*doc.kind {
        "issue" => issue_fits(doc),
        "item" => item_fits(doc),
        _ => Ok(()),
    }
}

fn is_known(kind: &str) -> Result<(), Error> {
    if !KINDS.contains(&kind) {
        let text = format!("there is no such kind; there are {}", KINDS.join(", "));
        let near = nearest(kind, KINDS).first().copied();
        let error = refused(text);
        return Err(match near {
            Some(near) => error.hint(format!("did the agent mean \"{near}\"?")),
            None => error,
        });
    }
    Ok(())
}

/// The comment and its place are such that an issue can be made.
fn issue_fits(doc: &ChangeDoc) -> Result<(), Error> {
    let comment = doc.comment.as_deref().unwrap_or_default();
    if comment.trim().is_empty() {
        return Err(refused("its comment is empty".into()));
    }
    if comment.len() > COMMENT {
        let text = format!("its comment has {} bytes; at most {COMMENT}", comment.len());
        return Err(refused(text));
    }
    let (most, longest) = TAGS;
    if doc.tags.len() > most {
        let text = format!("it has {} tags; at most {most}", doc.tags.len());
        return Err(refused(text));
    }
    let wrong = |tag: &String| tag.trim().is_empty() || tag.len() > longest;
    if doc.tags.iter().any(wrong) {
        let text = format!("a tag is a name of 1 to {longest} bytes");
        return Err(refused(text));
    }
    if doc.label.is_some() && (doc.frame.is_some() || doc.at.is_some()) {
        return Err(refused(
            "it names a label and a frame; use one of them".into(),
        ));
    }
    match doc.at {
        Some(_) if doc.frame.is_none() => {
            Err(refused("it has a place (\"at\") without a frame".into()))
        }
        Some([x, y]) if !(0.0..=1.0).contains(&x) || !(0.0..=1.0).contains(&y) => Err(refused(
            format!("its place {x}, {y} is not within the frame; both are 0 to 1"),
        )),
        _ => Ok(()),
    }
}

/// Title, text and metadata are such that an item can be made.
pub(super) fn item_fits(doc: &ChangeDoc) -> Result<(), Error> {
    let title = doc.title.as_deref().unwrap_or_default();
    if title.trim().is_empty() || title.len() > TITLE {
        let text = format!("its title has {} bytes; it needs 1 to {TITLE}", title.len());
        return Err(refused(text));
    }
    if title.chars().any(is_hidden) {
        let text = format!("its title {} has characters without a shape", quoted(title));
        return Err(refused(text));
    }
    let bytes = doc.text.as_ref().map_or(0, String::len);
    if !(1..=LONGEST).contains(&bytes) {
        let text = format!("its text has {bytes} bytes; it needs 1 to {LONGEST}");
        return Err(refused(text));
    }
    let metadata = doc.client_metadata.as_ref();
    if metadata.is_some_and(|map| map.contains_key(ITEM_KEY)) {
        let text = format!("its client metadata have the key \"{ITEM_KEY}\", which is ours");
        return Err(refused(text));
    }
    Ok(())
}

/// A further change that the agent must not make.
pub(super) fn refused(text: String) -> Error {
    Error::new(ErrorKind::Agent, text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_item_has_a_title_a_text_and_metadata_without_our_key() {
        let fits = |title: &str, text: &str, metadata: serde_json::Value| {
            let doc = ChangeDoc {
                title: Some(title.into()),
                text: Some(text.into()),
                client_metadata: metadata.as_object().cloned(),
                ..ChangeDoc::default()
            };
            item_fits(&doc).map_err(|error| error.into_facts().summary)
        };
        assert_eq!(fits("a.txt", "b", json!({"n": 1})), Ok(()));
        for (title, text) in [("", "b"), (" ", "b"), ("a", ""), ("a\u{1b}[2J", "b")] {
            assert!(
                fits(title, text, json!(null)).is_err(),
                "{title:?} {text:?}"
            );
        }
        assert!(fits(&"a".repeat(TITLE + 1), "b", json!(null)).is_err());
        assert!(fits("a", &"b".repeat(LONGEST), json!(null)).is_ok());
        assert!(fits("a", &"b".repeat(LONGEST + 1), json!(null)).is_err());
        let ours = fits("a", "b", json!({"workbench_item": "x"})).unwrap_err();
        assert!(ours.contains("which is ours"), "{ours}");
    }
}
