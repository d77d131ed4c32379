//! Issues among the further changes of an outcome, judged.

use super::further::refused;
use crate::error::Error;
use agent_abi::wire::ChangeDoc;

/// Longest comment, in bytes.
const COMMENT: usize = 10_000;
/// Most tags of an issue, and their longest name in bytes.
const TAGS: (usize, usize) = (20, 200);

/// The comment and its place are such that an issue can be made.
pub(super) fn fits(doc: &ChangeDoc) -> Result<(), Error> {
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
