//! Text from outside made fit for a screen and a log.

/// Characters that are shown at most.
const LONGEST: usize = 300;

/// One line, no control codes, at most 300 characters, and of each address only what stands before its
/// query, which is the secret of a signed URL; of one with a user name nothing but its scheme.
pub(crate) fn clean(text: &str) -> String {
    let mut out = String::with_capacity(text.len().min(LONGEST + 20));
    for word in wb_core::text::clean(text).split_whitespace() {
        if !out.is_empty() {
            out.push(' ');
        }
        let shown = without_secret(word);
        out.push_str(shown);
        if shown.len() < word.len() {
            out.push('…');
        }
        if out.chars().count() > LONGEST {
            out = out.chars().take(LONGEST - 1).collect();
            out.push('…');
            break;
        }
    }
    out
}

fn without_secret(word: &str) -> &str {
    let scheme = word.find("://");
    if let Some(scheme) = scheme.filter(|_| word.contains('@')) {
        return &word[..scheme + 3];
    }
    // A path may be signed as well as a whole address.
    match word.find('?') {
        Some(query) if scheme.is_some() || word[query..].contains('=') => &word[..query],
        _ => word,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cleaned_text_has_no_query_of_a_url_and_no_control_codes() {
        let text =
            clean("see https://store/x?X-Sig=geheim\u{1b}[31m and\nmore https://u:geheim@h/");
        assert!(
            !text.contains("geheim") && !text.contains('\u{1b}'),
            "{text}"
        );
        assert!(text.starts_with("see https://store/x… and more"), "{text}");
        assert!(!clean("no /bucket/x?X-Sig=geheim there").contains("geheim"));
        assert_eq!(clean("what? nothing"), "what? nothing");
        assert_eq!(clean(&"a".repeat(5000)).chars().count(), LONGEST);
    }
}
