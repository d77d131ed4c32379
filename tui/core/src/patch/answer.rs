//! An agent's answer read as an outcome, and what of it nothing reads.

use super::STEP;
use crate::error::{Error, ErrorKind, foreign};
use crate::workflow::nearest;
use agent_abi::model::quoted;
use agent_abi::wire;
use serde_json::value::RawValue;
use std::collections::BTreeMap;

/// Keys of an answer that nothing reads: `"lastframe" in "add" (did you mean "lastFrame"?)`.
pub(super) fn unread(answer: &[u8]) -> Vec<String> {
    let keys = std::str::from_utf8(answer).map_or_else(|_| Vec::new(), wire::keys::unread);
    let text = |unread: wire::keys::UnreadKey| {
        let near = nearest(&unread.key, unread.known).first().copied();
        let key = quoted(&foreign(unread.key, STEP));
        let place = match unread.place {
            "" => String::new(),
            place => format!(" in \"{place}\""),
        };
        let near = near.map(|near| format!(" (did you mean \"{near}\"?)"));
        format!("{key}{place}{}", near.unwrap_or_default())
    };
    keys.into_iter().map(text).collect()
}

/// The answer as an outcome: an object with at least one known field, or nothing at all.
pub(super) fn read(answer: &[u8]) -> Result<wire::Outcome, Error> {
    let wrong = |why: String| {
        Error::new(
            ErrorKind::Agent,
            format!("the agent's answer is not an outcome: {why}"),
        )
        .hint("an outcome is JSON such as {\"route\":\"complete\"}; see agent_abi::wire::Outcome")
    };
    let text = std::str::from_utf8(answer).map_err(|error| wrong(error.to_string()))?;
    let is_object = |text: &str| text.trim_start().starts_with('{');
    if !is_object(text) {
        // Read first: what is not JSON at all has a better reason.
        wire::text::check(text).map_err(|error| wrong(error.to_string()))?;
        return Err(wrong("it is not a JSON object".to_owned()));
    }
    // The usual answer, read once. What else it may be needs a closer look.
    if let Ok(outcome) = wire::text::parse::<wire::Outcome>(text)
        && (outcome.route.is_some() || outcome.stage.is_some())
        && outcome.add.is_empty()
        && outcome.answer.is_empty()
        && outcome.changes.is_empty()
    {
        return Ok(outcome);
    }
    let parts: BTreeMap<String, &RawValue> =
        serde_json::from_str(text).map_err(|error| wrong(error.to_string()))?;
    let names = wire::keys::fields::<wire::Outcome>();
    if !parts.is_empty() && !parts.keys().any(|name| names.contains(&name.as_str())) {
        let given: Vec<&str> = parts.keys().take(3).map(String::as_str).collect();
        return Err(no_name_of(names, &given, wrong));
    }
    for list in ["add", "answer", "changes"] {
        let given = parts.get(list).filter(|raw| raw.get().starts_with('['));
        let given: Vec<&RawValue> = match given {
            Some(raw) => {
                serde_json::from_str(raw.get()).map_err(|error| wrong(error.to_string()))?
            }
            None => Vec::new(),
        };
        if let Some(at) = given.iter().position(|label| !is_object(label.get())) {
            let one = if list == "changes" { "change" } else { "label" };
            return Err(wrong(format!(
                "{one} {} of \"{list}\" is not a JSON object",
                at + 1
            )));
        }
    }
    wire::text::parse(text).map_err(|error| wrong(error.to_string()))
}

/// Nothing in the answer is part of an outcome.
fn no_name_of(names: &[&str], given: &[&str], wrong: impl Fn(String) -> Error) -> Error {
    let quoted: Vec<String> = given.iter().map(|name| format!("\"{name}\"")).collect();
    let error = wrong(format!(
        "it has none of the names {}, only {}",
        names.join(", "),
        quoted.join(", ")
    ));
    let near = given
        .iter()
        .filter_map(|name| nearest(name, names.iter().copied()).first().copied());
    near.fold(error, |error, near| {
        error.hint(format!("did the agent mean \"{near}\"?"))
    })
}
