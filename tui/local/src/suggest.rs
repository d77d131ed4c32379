//! Suggestions for mistyped words.

/// ` (did you mean …?)` with the nearest known word, or nothing if none is near.
pub(crate) fn did_you_mean<'a>(typed: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    nearest(typed, known).map_or_else(String::new, |word| format!(" (did you mean {word}?)"))
}

/// The same choice as `agent_abi::model::nearest`, which this crate does not depend on: a test holds both to
/// one table.
fn nearest<'a>(typed: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let typed = typed.trim().to_lowercase();
    let limit = (typed.chars().count() / 2).max(2);
    let distance = |word: &str| {
        let word = word.to_lowercase();
        if !word.is_empty() && (word.contains(&typed) || typed.contains(&word)) {
            0
        } else {
            strsim::levenshtein(&typed, &word)
        }
    };
    let known = known.into_iter().filter(|_| !typed.is_empty());
    let near = known.map(|word| (distance(word), word));
    let near = near.filter(|(distance, _)| *distance <= limit);
    near.min_by_key(|(distance, word)| (*distance, word.len().abs_diff(typed.len())))
        .map(|(_, word)| word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_suggested_as_in_the_shared_table() {
        let table = include_str!("../../../agent-abi/tests/tables/nearest.txt");
        for line in table.lines().filter(|line| !line.starts_with('#')) {
            let cells: Vec<_> = line.split('|').map(str::trim).collect();
            let near = nearest(cells[0], cells[1].split(", "));
            let expected = cells[2].split(", ").next().unwrap_or_default();
            assert_eq!(near.unwrap_or_default(), expected, "{line}");
        }
        let known = ["seed", "demo", "large"];
        assert_eq!(did_you_mean("deom", known), " (did you mean demo?)");
        assert_eq!(did_you_mean("production", known), "");
    }
}
