//! Words on stdout and stderr. A reader that goes away (`… | head`) is no bug and ends no work: what it
//! would have read is dropped. Progress bars and the screen draw for themselves.
//!
//! Nothing leaves here with control or invisible characters, whatever a caller has forgotten: a JSON document
//! has them escaped, any other text is without them.

use std::borrow::Cow;
use std::fmt::Arguments;
use std::io::Write;
use wb_core::text;

/// A line on stdout.
macro_rules! say {
    ($($words:tt)*) => {{ let _ = $crate::print::say(format_args!($($words)*)); }};
}

/// A line on stderr, for people.
macro_rules! tell {
    () => { $crate::print::tell(format_args!("")) };
    ($($words:tt)*) => { $crate::print::tell(format_args!($($words)*)) };
}

/// A line on stdout; false when nobody reads any more, so that a command that only looks may end.
pub fn say(words: Arguments<'_>) -> bool {
    let words = words.to_string();
    let mut out = std::io::stdout().lock();
    writeln!(out, "{}", safe(&words)).is_ok()
}

/// Text on stdout that ends its lines itself.
pub fn text(text: &str) {
    let mut out = std::io::stdout().lock();
    let _ = out
        .write_all(safe(text).as_bytes())
        .and_then(|()| out.flush());
}

/// What [`tell!`] does.
pub fn tell(words: Arguments<'_>) {
    let words = words.to_string();
    let _ = writeln!(std::io::stderr().lock(), "{}", safe(&words));
}

/// A text as it may reach a terminal. What is JSON keeps its values.
fn safe(words: &str) -> Cow<'_, str> {
    if !text::has_hidden(words) {
        return Cow::Borrowed(words);
    }
    let json = words.starts_with(['{', '['])
        && serde_json::from_str::<serde::de::IgnoredAny>(words).is_ok();
    if json {
        text::json(words)
    } else {
        text::clean_lines(words)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_loses_hidden_characters_and_json_keeps_its_values() {
        assert_eq!(safe("a\u{202e}b\n{\u{9b}2Jc"), "ab\n{c");
        let value = serde_json::json!({"title": "a\u{202e}\u{9b}2Jb\u{e0041}"});
        for document in [
            value.to_string(),
            serde_json::to_string_pretty(&value).unwrap_or_default(),
        ] {
            let shown = safe(&document);
            assert!(
                shown.chars().all(|c| c == '\n' || !text::is_hidden(c)),
                "{shown}"
            );
            assert_eq!(
                serde_json::from_str::<serde_json::Value>(&shown).ok(),
                Some(value.clone())
            );
        }
        assert!(matches!(safe("plain\ntext"), Cow::Borrowed(_)));
    }
}
