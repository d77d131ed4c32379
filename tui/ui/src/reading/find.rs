//! What a search looks for in a line of text: letters in either case, unless a capital one is typed.

use std::ops::Range;

/// What is looked for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Needle {
    letters: Vec<char>,
    /// Whether capital letters count.
    exact: bool,
}

impl Needle {
    /// What was typed; `None` while that is nothing.
    #[must_use]
    pub fn new(typed: &str) -> Option<Self> {
        let exact = typed.chars().any(char::is_uppercase);
        let letters: Vec<char> = typed.chars().collect();
        (!letters.is_empty()).then_some(Self { letters, exact })
    }

    /// Where it stands in a text, in bytes; places do not overlap.
    #[must_use]
    pub fn all_in(&self, text: &str) -> Vec<Range<usize>> {
        let mut found = Vec::new();
        let mut from = 0;
        while let Some(place) = self.first_in(text, from) {
            from = place.end;
            found.push(place);
        }
        found
    }

    fn first_in(&self, text: &str, from: usize) -> Option<Range<usize>> {
        let rest = &text[from..];
        let (first, others) = self.letters.split_first()?;
        let mut places = rest.char_indices().filter(|(_, c)| self.same(*c, *first));
        places.find_map(|(at, c)| {
            let mut end = at + c.len_utf8();
            let mut letters = rest[end..].chars();
            for wanted in others {
                let here = letters.next().filter(|here| self.same(*here, *wanted))?;
                end += here.len_utf8();
            }
            Some(from + at..from + end)
        })
    }

    fn same(&self, here: char, wanted: char) -> bool {
        here == wanted || !self.exact && lower(here) == wanted
    }

    /// Whether it may stand in a line of JSON that is written like this: a quick look without making the line.
    #[must_use]
    pub fn may_be_in(&self, written: &str) -> bool {
        // White space and punctuation are shown in another way than they are written.
        let plain =
            |c: &char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '/' | '#');
        if !self.letters.iter().all(plain) {
            return true;
        }
        let Some((first, others)) = self.letters.split_first() else {
            return false;
        };
        let same = |here: u8, wanted: char| self.same(char::from(here), wanted);
        let bytes = written.as_bytes();
        bytes.iter().enumerate().any(|(at, here)| {
            // An escape may be one of the letters.
            *here == b'\\'
                || same(*here, *first)
                    && bytes.len() - at > others.len()
                    && others
                        .iter()
                        .zip(&bytes[at + 1..])
                        .all(|(wanted, here)| same(*here, *wanted))
        })
    }
}

fn lower(c: char) -> char {
    if c.is_ascii() {
        return c.to_ascii_lowercase();
    }
    let mut all = c.to_lowercase();
    match (all.next(), all.next()) {
        (Some(one), None) => one,
        _ => c,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(typed: &str, text: &str) -> Vec<String> {
        let places = Needle::new(typed).unwrap().all_in(text);
        places
            .into_iter()
            .map(|place| text[place].to_owned())
            .collect()
    }

    #[test]
    fn small_letters_find_both_and_a_capital_one_only_itself() {
        assert_eq!(found("car", "Car car CAR cär"), ["Car", "car", "CAR"]);
        assert_eq!(found("Car", "Car car CAR"), ["Car"]);
        assert_eq!(found("straße", "STRAßE Straße"), ["STRAßE", "Straße"]);
        assert_eq!(found("aa", "aaaaa"), ["aa", "aa"]);
        assert_eq!(found("漢", "x漢字漢"), ["漢", "漢"]);
        assert_eq!(found("\u{130}", "i\u{130}"), ["\u{130}"]);
        assert_eq!(Needle::new(""), None);
    }

    #[test]
    fn the_quick_look_never_passes_over_a_line() {
        for (typed, written) in [
            ("score", "\"SCORE\":0.5"),
            ("0.5", "\"score\":0.5,"),
            ("e: 0", "\"score\":0.5"),
            ("é", "\"caf\\u00e9\""),
            ("cafe", "\"caf\\u0065\""),
        ] {
            assert!(Needle::new(typed).unwrap().may_be_in(written), "{typed}");
        }
        assert!(!Needle::new("cars").unwrap().may_be_in("\"car\":1"));
    }
}
