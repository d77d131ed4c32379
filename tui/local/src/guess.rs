//! "Did you mean": the known word that a mistyped one is nearest to.

/// ` (did you mean …?)`, or nothing where no known word is near.
pub(crate) fn meant<'a>(typed: &str, known: impl IntoIterator<Item = &'a str>) -> String {
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
    fn near_words_are_offered_and_far_ones_are_not() {
        let known = ["seed", "demo", "large"];
        assert_eq!(meant("deom", known), " (did you mean demo?)");
        assert_eq!(meant("LARG", known), " (did you mean large?)");
        assert_eq!(meant("production", known), "");
    }
}
