//! Suggestions for mistyped words.

/// ` (did you mean …?)` with the nearest known word, or nothing if none is near.
pub(crate) fn did_you_mean<'a>(typed: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    let typed = typed.to_lowercase();
    let nearness = |word: &str| strsim::jaro_winkler(&typed, &word.to_lowercase());
    let best = known
        .into_iter()
        .map(|word| (nearness(word), word))
        .max_by(|a, b| a.0.total_cmp(&b.0));
    match best {
        Some((near, word)) if near > 0.8 => format!(" (did you mean {word}?)"),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_near_words_are_suggested() {
        let known = ["seed", "demo", "large"];
        assert_eq!(did_you_mean("deom", known), " (did you mean demo?)");
        assert_eq!(did_you_mean("LARG", known), " (did you mean large?)");
        assert_eq!(did_you_mean("production", known), "");
    }
}
