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

/// Names in a row; one with something that cannot be seen is quoted.
#[must_use]
pub fn listed<'n>(names: impl IntoIterator<Item = &'n str>) -> String {
    let shown = |name: &str| {
        let quoted = suggest::quoted(name);
        match quoted.len() == name.len() + 2 && !name.is_empty() {
            true => name.to_owned(),
            false => quoted,
        }
    };
    names.into_iter().map(shown).collect::<Vec<_>>().join(", ")
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
