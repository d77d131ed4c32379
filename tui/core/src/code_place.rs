//! Places in source code as compilers and panics write them: `src/lib.rs:88:18`. Which file that is, is left to whoever
//! knows the folders.

use crate::error::Error;

/// A line of a source file.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct CodePlace {
    /// The file, relative to its crate or workspace as a rule.
    pub path: String,
    /// From 1.
    pub line: u32,
    /// From 1, where it is known.
    pub column: Option<u32>,
}

impl CodePlace {
    /// Reads a place at the beginning of a text: what comes after a further colon or blank is not part of it.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let word = text.split_whitespace().next()?;
        // Not within a character: the path ends at the first colon that a number follows.
        let (at, line) = word.match_indices(':').find_map(|(at, _)| {
            let digits = number(&word[at + 1..])?;
            Some((at, digits))
        })?;
        let path = word[..at].trim_start_matches(['(', '"', '\'', '`']);
        let rest = &word[at + 1..];
        let after = rest.trim_start_matches(|c: char| c.is_ascii_digit());
        let column = after.strip_prefix(':').and_then(number);
        let is_path = path.contains('.') && !path.contains("://") && !path.starts_with('-');
        is_path.then(|| Self {
            path: path.to_owned(),
            line,
            column,
        })
    }

    /// The first place that a text names.
    #[must_use]
    pub fn find(text: &str) -> Option<Self> {
        text.split_whitespace().find_map(Self::read)
    }

    /// Where an error came up: its place, or else the first of its frames.
    #[must_use]
    pub fn of_error(error: &Error) -> Option<Self> {
        let own = error.location.as_deref().and_then(Self::read);
        own.or_else(|| Self::find(&error.summary))
            .or_else(|| error.details.as_deref().and_then(Self::find))
    }
}

/// The number that a text begins with, unless it is 0.
fn number(text: &str) -> Option<u32> {
    let end = text.find(|c: char| !c.is_ascii_digit());
    let digits = &text[..end.unwrap_or(text.len())];
    digits.parse().ok().filter(|n| *n > 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    fn place(path: &str, line: u32, column: Option<u32>) -> Option<CodePlace> {
        Some(CodePlace {
            path: path.to_owned(),
            line,
            column,
        })
    }

    #[test]
    fn places_are_read_as_compilers_and_panics_write_them() {
        for (text, wanted) in [
            (
                "src/lib.rs:88:18: mismatched types",
                place("src/lib.rs", 88, Some(18)),
            ),
            ("agents/src/a.rs:41", place("agents/src/a.rs", 41, None)),
            ("agent.c:12:5:", place("agent.c", 12, Some(5))),
            ("12:30:01", None),
            ("https://example.test:443/a.rs", None),
            ("lib.rs", None),
            ("lib.rs:0", None),
            ("--flag=a.b:3", None),
            ("", None),
        ] {
            assert_eq!(CodePlace::read(text), wanted, "{text}");
        }
        let panicked = "prelabel panicked at agents/src/prelabel.rs:88: index 12 out of bounds";
        assert_eq!(
            CodePlace::find(panicked),
            place("agents/src/prelabel.rs", 88, None)
        );
    }

    #[test]
    fn an_error_is_at_its_place_or_at_its_first_frame() {
        let mut error = Error::new(ErrorKind::Agent, "the process crashed");
        assert_eq!(CodePlace::of_error(&error), None);
        error.details = Some("frames:\n  a::b at src/a.rs:7\n  a::c at src/a.rs:9".into());
        assert_eq!(CodePlace::of_error(&error), place("src/a.rs", 7, None));
        error.location = Some("src/b.rs:3:4".into());
        assert_eq!(CodePlace::of_error(&error), place("src/b.rs", 3, Some(4)));
    }
}
