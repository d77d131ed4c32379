//! What a further change has to have, by its kind.

use crate::error::{Error, ErrorKind};
use crate::workflow::nearest;
use agent_abi::wire::ChangeDoc;

/// The kinds of further changes.
const KINDS: [&str; 5] = ["labels", "priority", "metadata", "move", "issue"];
/// Longest comment, in bytes.
const COMMENT: usize = 10_000;
/// Most tags of an issue, and their longest name in bytes.
const TAGS: (usize, usize) = (20, 200);

/// The kind is known, has what it needs, and nothing that another one has.
pub(super) fn fits(doc: &ChangeDoc) -> Result<(), Error> {
    if !KINDS.contains(&&*doc.kind) {
        let text = format!("there is no such kind; there are {}", KINDS.join(", "));
        let near = nearest(&doc.kind, KINDS).first().copied();
        let error = refused(text);
        return Err(match near {
            Some(near) => error.hint(format!("did the agent mean \"{near}\"?")),
            None => error,
        });
    }
    let drawn = doc.labels.is_some()
        || !(doc.remove.is_empty() && doc.add.is_empty() && doc.answer.is_empty());
    for (field, given, kinds) in [
        ("labels", drawn, &["labels"][..]),
        ("priority", doc.priority.is_some(), &["priority"]),
        (
            "client_metadata",
            doc.client_metadata.is_some(),
            &["metadata"],
        ),
        ("to", doc.to.is_some(), &["move"]),
        ("comment", doc.comment.is_some(), &["issue"]),
    ] {
        let wanted = kinds.contains(&&*doc.kind);
        if wanted != given {
            let does = if wanted { "needs" } else { "does not take" };
            return Err(refused(format!("it {does} \"{field}\"")));
        }
    }
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
    ] {
        if given && !kinds.contains(&&*doc.kind) {
            return Err(refused(format!("it does not take \"{field}\"")));
        }
    }
    match &*doc.kind {
        "issue" => issue_fits(doc),
        _ => Ok(()),
    }
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

/// A further change that the agent must not make.
pub(super) fn refused(text: String) -> Error {
    Error::new(ErrorKind::Agent, text)
}
