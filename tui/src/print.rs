//! Words on stdout and stderr. A reader that goes away (`… | head`) and a full disk end no work: what could
//! not be written is dropped, and [`lost`] reports it when the command is over. Progress bars and the screen
//! draw for themselves.
//!
//! Nothing leaves here with control or invisible characters, whatever a caller has forgotten: a JSON document
//! has them escaped, any other text is without them. A line stays one line: breaks that are not in the words
//! of the program itself become blanks, so that a name can forge no line.

use std::borrow::Cow;
use std::fmt::Arguments;
use std::io::{self, Write};
use std::sync::{Mutex, PoisonError};
use wb_core::error::{Error, ErrorKind};
use wb_core::text;

/// Why something is missing on stdout.
static LOST: Mutex<Option<io::Error>> = Mutex::new(None);

/// A line on stdout.
macro_rules! out {
    ($words:literal $($values:tt)*) => {{
        let _ = $crate::print::out($words, format_args!($words $($values)*));
    }};
}

/// A line on stderr, for people.
macro_rules! notice {
    () => { $crate::print::notice("", format_args!("")) };
    ($words:literal $($values:tt)*) => {
        $crate::print::notice($words, format_args!($words $($values)*))
    };
}

/// A line on stdout; false when it could not be written, so that a command that only looks may end.
pub fn out(form: &str, words: Arguments<'_>) -> bool {
    let words = words.to_string();
    let mut out = io::stdout().lock();
    kept(writeln!(out, "{}", line(form, &words)))
}

/// Text on stdout that ends its lines itself; false when it could not be written.
pub fn text(text: &str) -> bool {
    let mut out = io::stdout().lock();
    let text = safe(text);
    kept(out.write_all(text.as_bytes()).and_then(|()| out.flush()))
}

/// Takes note when something could not be written to stdout.
pub fn kept(written: io::Result<()>) -> bool {
    match written {
        Ok(()) => true,
        Err(error) => {
            let mut lost = LOST.lock().unwrap_or_else(PoisonError::into_inner);
            lost.get_or_insert(error);
            false
        }
    }
}

/// How stdout was lost.
pub enum Loss {
    /// Whoever read it has gone.
    Closed,
    /// It cannot be written.
    Broken(Error),
}

/// What is missing on stdout, once nothing more is written to it.
#[must_use]
pub fn lost() -> Option<Loss> {
    kept(io::stdout().lock().flush());
    let error = LOST.lock().unwrap_or_else(PoisonError::into_inner).take()?;
    if error.kind() == io::ErrorKind::BrokenPipe {
        return Some(Loss::Closed);
    }
    let text = format!("stdout: {error}; the output is incomplete");
    Some(Loss::Broken(Error::new(ErrorKind::Settings, text)))
}

/// What [`notice!`] does.
pub fn notice(form: &str, words: Arguments<'_>) {
    let words = words.to_string();
    let _ = writeln!(io::stderr().lock(), "{}", line(form, &words));
}

/// A message of the engine, on stderr.
pub fn notify(line: &str) {
    notice!("{line}");
}

/// Words as they may reach a terminal, with the breaks of their form and no others.
fn line<'w>(form: &str, words: &'w str) -> Cow<'w, str> {
    match form.contains('\n') || !words.contains('\n') {
        true => safe(words),
        false => text::clean(words),
    }
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
    fn a_value_breaks_no_line() {
        assert_eq!(
            line("kept in {}", "kept in a\nworkbench: done"),
            "kept in a workbench: done"
        );
        assert_eq!(line("one\n{}", "one\ntwo"), "one\ntwo");
        let document = serde_json::json!({"a\nb": "\u{202e}\n"}).to_string();
        let shown = line("{}", &document);
        assert_eq!(shown, r#"{"a\nb":"\u202e\n"}"#);
    }

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
