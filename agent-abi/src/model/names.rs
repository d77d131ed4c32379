//! Names that several things have: no choice is made for a person.

use super::{ModelError, ModelResult, suggest};
use std::fmt::Display;

/// `2 pathways are called "done"; use the UUID of the one you mean: …, …`
#[must_use]
pub fn ambiguous(kind: &str, name: &str, by: &str, ids: &[impl Display]) -> String {
    let ids: Vec<String> = ids.iter().map(ToString::to_string).collect();
    format!(
        "{} {kind} are called {}; use the {by} of the one you mean: {}",
        ids.len(),
        suggest::quoted(name),
        ids.join(", ")
    )
}

/// Names that are listed at most.
const LISTED: usize = 40;

/// Names in a row, of very many the first; one with something that cannot be seen, or without end, is quoted.
#[must_use]
pub fn listed<'n>(names: impl IntoIterator<Item = &'n str>) -> String {
    let shown = |name: &str| {
        let quoted = suggest::quoted(name);
        match quoted[1..quoted.len() - 1] == *name && !name.is_empty() {
            true => name.to_owned(),
            false => quoted,
        }
    };
    let mut names = names.into_iter();
    let mut text: Vec<String> = names.by_ref().take(LISTED).map(shown).collect();
    match names.count() {
        0 => {}
        more => text.push(format!("and {more} more")),
    }
    text.join(", ")
}

/// The only one of these, which have one name.
pub(super) fn only<'o, T, I: Display>(
    mut hits: Vec<&'o T>,
    (kind, name, by): (&str, &str, &str),
    id: impl Fn(&'o T) -> I,
    unknown: impl FnOnce() -> String,
) -> ModelResult<&'o T> {
    match hits.len() {
        0 => Err(ModelError::Unknown(unknown())),
        1 => Ok(hits.swap_remove(0)),
        _ => {
            let ids: Vec<I> = hits.into_iter().map(id).collect();
            Err(ModelError::Ambiguous(ambiguous(kind, name, by, &ids)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn very_many_names_are_counted() {
        assert_eq!(listed(["go", "", "a\u{200b}"]), "go, \"\", \"a\\u{200b}\"");
        let many: Vec<String> = (0..300).map(|n| n.to_string()).collect();
        let text = listed(many.iter().map(String::as_str));
        assert!(
            text.starts_with("0, 1, 2, ") && text.ends_with(", 39, and 260 more"),
            "{text}"
        );
    }
}
