//! "Did you mean": the nearest names to one that is not there, and names written so that what cannot be seen
//! of them is visible.

/// ` Did you mean "Car"?`, or what there is, or nothing.
pub fn hint<'a>(wrong: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    let known: Vec<&str> = known.into_iter().collect();
    match (nearest(wrong, known.iter().copied()).first(), known.len()) {
        (Some(name), _) => format!(" Did you mean {}?", quoted(name)),
        (None, 0) => " There are none.".to_owned(),
        (None, n) => {
            let shown: Vec<String> = known.iter().take(8).map(|name| quoted(name)).collect();
            let more = if n > 8 {
                format!(" and {} more", n - 8)
            } else {
                String::new()
            };
            format!(" There are {}{more}.", shown.join(", "))
        }
    }
}

/// The known names that resemble a mistyped one, best first, at most three. Case and characters that cannot
/// be seen do not matter; a name that contains the other one resembles it.
#[must_use]
pub fn nearest<'a>(wrong: &str, known: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let wrong = plain(start(wrong));
    let length = wrong.chars().count();
    let limit = (length / 2).max(2);
    let distance = |name: &str| {
        let name = plain(start(name));
        if !name.is_empty() && (name.contains(&wrong) || wrong.contains(&name)) {
            0
        } else if name.chars().count().abs_diff(length) > limit {
            usize::MAX // each character more or less is an edit
        } else {
            edit_distance(&wrong, &name)
        }
    };
    let known = known.into_iter().filter(|_| !wrong.is_empty());
    let mut near: Vec<_> = known.map(|name| (distance(name), name)).collect();
    near.retain(|(distance, _)| *distance <= limit);
    // Of two that resemble it alike, the one of its length is meant.
    let longer = |name: &str| name.chars().count().abs_diff(length);
    near.sort_by_key(|(distance, name)| (*distance, longer(name)));
    near.into_iter().take(3).map(|(_, name)| name).collect()
}

/// Characters of a name that are compared and shown; nobody reads on.
const LONGEST: usize = 200;

/// As much of a name as is compared and shown.
fn start(name: &str) -> &str {
    let end = name.char_indices().nth(LONGEST);
    &name[..end.map_or(name.len(), |(at, _)| at)]
}

/// A name in quotes, with what cannot be seen in it escaped: `"pre-label\u{20}"`. Characters that are seen
/// but have a twin that looks the same (a letter and its accent apart, compatibility forms) are escaped too. A very long
/// name ends with `…`.
#[must_use]
pub fn quoted(name: &str) -> String {
    let whole = name.len();
    let name = start(name);
    let mut out = String::from("\"");
    let mut before = ' ';
    let end = name.trim_end_matches(' ').len();
    for (at, c) in name.char_indices() {
        // A blank at an end, or one of several in a row.
        let lost = c == ' ' && (before == ' ' || at >= end);
        if lost || unseen(c) {
            out.extend(c.escape_unicode());
        } else if matches!(c, '"' | '\\') {
            out.extend(['\\', c]);
        } else {
            out.push(c);
        }
        before = c;
    }
    if name.len() < whole {
        out.push('…');
    }
    out.push('"');
    out
}

/// What names that are nearly the same have in common: lower case, without what cannot be seen, and one sign
/// for every letter with an accent, whether the accent stands apart or not.
#[must_use]
pub fn plain(name: &str) -> String {
    const ACCENTED: char = '\u{fffd}';
    let mut out = String::with_capacity(name.len());
    for c in name.trim().chars() {
        match c {
            c if is_mark(c) => {
                out.pop();
                out.push(ACCENTED);
            }
            '\u{c0}'..='\u{24f}' | '\u{1e00}'..='\u{1eff}' => out.push(ACCENTED),
            c if c.is_whitespace() => out.push(' '),
            c if unseen(c) && !is_twin(c) => {}
            c => out.extend(c.to_lowercase()),
        }
    }
    out
}

fn unseen(c: char) -> bool {
    c.is_control()
        || c.is_whitespace() && c != ' '
        || is_mark(c)
        || is_twin(c)
        || matches!(c,
            // Joiners, direction marks, variants, fillers, tags: as wide as nothing.
            '\u{ad}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}'
            | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

/// Accents that stand apart from their letters, as in decomposed (NFD) text.
fn is_mark(c: char) -> bool {
    matches!(c,
        '\u{300}'..='\u{36f}' | '\u{1ab0}'..='\u{1aff}' | '\u{1dc0}'..='\u{1dff}'
        | '\u{20d0}'..='\u{20ff}' | '\u{3099}' | '\u{309a}' | '\u{fe20}'..='\u{fe2f}')
}

/// Characters that normalisation replaces by others that look the same.
fn is_twin(c: char) -> bool {
    matches!(c,
        '\u{374}' | '\u{37e}' | '\u{387}' | '\u{1100}'..='\u{11ff}' | '\u{2126}' | '\u{212a}'
        | '\u{212b}' | '\u{a960}'..='\u{a97f}' | '\u{d7b0}'..='\u{d7ff}' | '\u{f900}'..='\u{faff}'
        | '\u{fb1d}'..='\u{fb4f}' | '\u{ff01}'..='\u{ff5e}' | '\u{2f800}'..='\u{2fa1f}')
}

/// Edits from one text to the other, in characters (Levenshtein).
#[must_use]
pub fn edit_distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, ca) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, cb) in b.iter().enumerate() {
            let change = diagonal + usize::from(ca != *cb);
            diagonal = row[j + 1];
            row[j + 1] = change.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_offered_and_else_all_of_them() {
        assert_eq!(hint("car", ["Person", "Car"]), " Did you mean \"Car\"?");
        assert_eq!(
            hint("Wether", ["Weather", "Notes"]),
            " Did you mean \"Weather\"?"
        );
        assert_eq!(
            hint("zebra", ["Car", "Person"]),
            " There are \"Car\", \"Person\"."
        );
        assert_eq!(hint("x", []), " There are none.");
        assert_eq!(edit_distance("kitten", "sitting"), 3);
    }

    #[test]
    fn what_cannot_be_seen_in_a_name_is_escaped() {
        for (name, shown) in [
            ("pre-label", "\"pre-label\""),
            ("two words", "\"two words\""),
            ("pre-label ", "\"pre-label\\u{20}\""),
            (" pre-label", "\"\\u{20}pre-label\""),
            ("two  words", "\"two \\u{20}words\""),
            ("two\u{a0}words", "\"two\\u{a0}words\""),
            ("pre\u{200b}label", "\"pre\\u{200b}label\""),
            ("caf\u{e9}", "\"caf\u{e9}\""),
            ("cafe\u{301}", "\"cafe\\u{301}\""),
            ("\u{212b}", "\"\\u{212b}\""),
            ("a\tb\n", "\"a\\u{9}b\\u{a}\""),
            ("say \"hi\"", "\"say \\\"hi\\\"\""),
            ("  ", "\"\\u{20}\\u{20}\""),
            ("", "\"\""),
        ] {
            assert_eq!(quoted(name), shown);
        }
    }

    #[test]
    fn a_name_without_end_is_compared_and_shown_by_its_start() {
        let long = "long ".repeat(100_000);
        let longer = format!("lung {long}");
        assert_eq!(
            quoted(&long).chars().count(),
            LONGEST + 3 + "\\u{20}".len() - 1
        );
        assert!(quoted(&long).ends_with("…\""));
        assert_eq!(
            nearest(&long, [longer.as_str(), "short"]),
            [longer.as_str()]
        );
        assert_eq!(nearest("short", vec![long.as_str(); 10_000]), [""; 0]);
    }

    #[test]
    fn a_name_that_only_looks_the_same_is_offered_with_the_difference() {
        for (wrong, known) in [
            ("pre-label", "pre-label "),
            ("go", "go\u{200b}\u{200b}\u{200b}\u{200b}"),
            ("two words", "two\u{a0}words"),
            ("\u{e9}t\u{e9}", "e\u{301}te\u{301}"),
        ] {
            assert_eq!(
                hint(wrong, [known]),
                format!(" Did you mean {}?", quoted(known))
            );
            assert_ne!(quoted(wrong), quoted(known));
        }
    }
}
