//! SQL's LIKE for filters outside the database.

/// SQL's LIKE: `%` any text, `_` any character, case ignored.
pub(crate) fn matches_like(pattern: &str, text: &str) -> bool {
    fn fits(pattern: &[char], text: &[char]) -> bool {
        match pattern.split_first() {
            None => text.is_empty(),
            Some(('%', rest)) => (0..=text.len()).any(|n| fits(rest, &text[n..])),
            Some(('_', rest)) => !text.is_empty() && fits(rest, &text[1..]),
            Some((c, rest)) => text.first() == Some(c) && fits(rest, &text[1..]),
        }
    }
    let chars = |s: &str| s.to_lowercase().chars().collect::<Vec<_>>();
    fits(&chars(pattern), &chars(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn like_matches_as_in_sql() {
        for (pattern, text, fits) in [
            ("Agent%", "agent 1", true),
            ("%1", "Agent 1", true),
            ("%gen%", "Agent 1", true),
            ("Agent _", "Agent 1", true),
            ("Agent", "Agent 1", false),
            ("", "", true),
        ] {
            assert_eq!(matches_like(pattern, text), fits, "{pattern} {text}");
        }
    }
}
