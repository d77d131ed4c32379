//! Text from outside made safe to show: titles, names, words of agents and of servers.
//!
//! This is the only place that decides which characters are safe. Text passes [`clean`] on its way to a
//! person, [`escape`] on its way to a log, and [`json`] on its way to a program; each border applies it to
//! whole lines again, whatever was done to their parts.
//!
//! What joins several pictures into one (families, flags, skin tones) is taken out, because terminals do not
//! agree on the width of the result. Joiners between letters stay: Persian and Indic words are misspelt
//! without them, and they take no column anywhere.

pub use agent_abi::model::base64;

use std::borrow::Cow;
use std::fmt::Write;
use std::iter::Peekable;
use std::str::Chars;

/// Whether a character has no shape of its own: control codes (C0, C1), marks that turn the direction of
/// text, invisible and ignored characters, line separators, variation selectors, tags, and what is no
/// character at all.
#[must_use]
pub const fn is_hidden(c: char) -> bool {
    if c.is_ascii() {
        return c.is_ascii_control();
    }
    matches!(c,
        '\u{80}'..='\u{9f}' | '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}'
        | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}'
        | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fdd0}'..='\u{fdef}'
        | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}'
        | '\u{13430}'..='\u{1343f}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
        | '\u{e0000}'..='\u{e0fff}')
        || c as u32 & 0xfffe == 0xfffe
}

/// Whether a text of several lines holds anything that [`clean_lines`], [`escape`] or [`json`] would change.
#[must_use]
pub fn has_hidden(text: &str) -> bool {
    text.chars().any(|c| c != '\n' && is_unsafe(c))
}

/// Text of the engine without what only a screen can fill in: ` ({key:Review})`, a remark in parentheses
/// that names the keys of actions.
#[must_use]
pub fn without_keys(text: &str) -> Cow<'_, str> {
    if !text.contains("{key:") {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("{key:") {
        let start = rest[..at].rfind(" (").unwrap_or(at);
        let end = rest[at..].find(')').map_or(rest.len(), |n| at + n + 1);
        out.push_str(&rest[..start]);
        rest = &rest[end..];
    }
    out.push_str(rest);
    Cow::Owned(out)
}

/// Takes out everything without a shape of its own, escape sequences as a whole. Line breaks and tabs become
/// blanks.
#[must_use]
pub fn clean(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_unsafe) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\u{1b}' => skip_escape(&mut chars),
            '\u{9b}' => skip_csi(&mut chars),
            '\n' | '\t' | '\u{85}' | '\u{2028}' | '\u{2029}' => out.push(' '),
            '\u{200c}' | '\u{200d}' if between_letters(&out, chars.peek()) => out.push(c),
            c if is_unsafe(c) => {}
            c => out.push(c),
        }
    }
    Cow::Owned(out)
}

/// [`clean`] for a text of several lines, which stay.
#[must_use]
pub fn clean_lines(text: &str) -> Cow<'_, str> {
    if !has_hidden(text) {
        return Cow::Borrowed(text);
    }
    let lines: Vec<_> = text.split('\n').map(clean).collect();
    Cow::Owned(lines.join("\n"))
}

/// Writes what [`is_hidden`] as `\u{202e}`, for logs: nothing is lost, and a line stays one line.
#[must_use]
pub fn escape(text: &str) -> Cow<'_, str> {
    replaced(text, |out, c| {
        // Writing to a String cannot fail.
        let _ = match c {
            '\n' => out.write_str("\\n"),
            '\r' => out.write_str("\\r"),
            '\t' => out.write_str("\\t"),
            c => write!(out, "\\u{{{:x}}}", u32::from(c)),
        };
    })
}

/// Writes what [`is_hidden`] in a JSON document as `\u202e`: a program that parses it has the exact text, and
/// nothing reaches a terminal raw. White space between values stays.
#[must_use]
pub fn json(document: &str) -> Cow<'_, str> {
    replaced(document, |out, c| match c {
        // Only white space: in strings these are written as escapes already.
        '\n' | '\r' | '\t' => out.push(c),
        c => {
            let mut units = [0; 2];
            for unit in c.encode_utf16(&mut units) {
                let _ = write!(out, "\\u{unit:04x}"); // writing to a String cannot fail
            }
        }
    })
}

fn replaced(text: &str, instead: impl Fn(&mut String, char)) -> Cow<'_, str> {
    if !text.chars().any(is_hidden) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if is_hidden(c) {
            instead(&mut out, c);
        } else {
            out.push(c);
        }
    }
    Cow::Owned(out)
}

/// Hidden, or of a width that terminals do not agree on: the tones of skin.
const fn is_unsafe(c: char) -> bool {
    is_hidden(c) || matches!(c, '\u{1f3fb}'..='\u{1f3ff}')
}

/// Whether a joiner stands between letters of scripts that use it; at the end of a text (a cell of the screen
/// is one) only the letter before counts.
fn between_letters(before: &str, after: Option<&char>) -> bool {
    let joins = |c: char| {
        matches!(c,
            '\u{600}'..='\u{109f}' | '\u{1780}'..='\u{18af}' | '\u{a840}'..='\u{a8df}'
            | '\u{fb50}'..='\u{fdcf}' | '\u{fdf0}'..='\u{fdfd}' | '\u{fe70}'..='\u{fefc}'
            | '\u{10a00}'..='\u{11fff}' | '\u{1e900}'..='\u{1e95f}')
    };
    before.chars().next_back().is_some_and(joins) && after.is_none_or(|c| joins(*c))
}

fn skip_escape(chars: &mut Peekable<Chars<'_>>) {
    match chars.next() {
        Some('[') => skip_csi(chars),
        // Operating system commands and their kin end with BEL or ESC \.
        Some(']' | 'P' | 'X' | '^' | '_') => {
            while let Some(c) = chars.next() {
                if c == '\u{7}' || c == '\u{9c}' {
                    break;
                }
                if c == '\u{1b}' {
                    chars.next_if_eq(&'\\');
                    break;
                }
            }
        }
        _ => {}
    }
}

fn skip_csi(chars: &mut Peekable<Chars<'_>>) {
    for c in chars.by_ref() {
        if ('\u{40}'..='\u{7e}').contains(&c) {
            break;
        }
    }
}

/// A duration with three digits at most: `310 µs`, `4.1 ms`, `310 ms`, `2.4 s`, `12 min`, `3 h`.
#[must_use]
pub fn duration(ms: f64) -> String {
    match ms {
        ms if ms < 1.0 => format!("{:.0} µs", ms * 1000.0),
        ms if ms < 10.0 => format!("{ms:.1} ms"),
        ms if ms < 1000.0 => format!("{ms:.0} ms"),
        ms if ms < 60_000.0 => format!("{:.1} s", ms / 1000.0),
        ms if ms < 5_400_000.0 => format!("{:.0} min", ms / 60_000.0),
        ms => format!("{:.0} h", ms / 3_600_000.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_without_a_screen_names_no_key() {
        let text =
            "held ({key:Review}); interrupted ({key:Journal}, then {key:FinishOp} ends it) here";
        assert_eq!(without_keys(text), "held; interrupted here");
        assert_eq!(without_keys("nothing (new)"), "nothing (new)");
    }

    /// Every character of the kinds that must never arrive raw.
    fn hidden() -> impl Iterator<Item = char> {
        let ranges = [
            (0x00, 0x1f),
            (0x7f, 0x9f),
            (0xad, 0xad),
            (0x61c, 0x61c),
            (0x180b, 0x180e),
            (0x200b, 0x200f),
            (0x2028, 0x202e),
            (0x2060, 0x2069),
            (0xfe00, 0xfe0f),
            (0xfeff, 0xfeff),
            (0xfff9, 0xfffb),
            (0xfffe, 0xffff),
            (0xe0000, 0xe007f),
            (0xe0100, 0xe01ef),
        ];
        let all = ranges.into_iter().flat_map(|(from, to)| from..=to);
        all.filter_map(char::from_u32)
    }

    #[test]
    fn no_hidden_character_comes_through_anywhere() {
        for c in hidden() {
            let text = format!("a{c}b");
            assert!(is_hidden(c), "{c:?}");
            assert!(!clean(&text).contains(c), "{c:?}");
            assert!(!escape(&text).contains(c), "{c:?}");
            let document = serde_json::to_string(&text).unwrap();
            let shown = json(&document);
            assert!(!shown.contains(c), "{c:?}");
            assert_eq!(serde_json::from_str::<String>(&shown).unwrap(), text);
        }
    }

    #[test]
    fn escape_sequences_go_as_a_whole() {
        assert_eq!(clean("a\u{1b}[31mred\u{1b}[0m\tb\r\n"), "ared b ");
        assert_eq!(
            clean("\u{1b}]0;title\u{7}x\u{1b}]8;;http://a\u{1b}\\y"),
            "xy"
        );
        assert_eq!(clean("\u{9b}2Jx\u{7f}\u{0}"), "x");
        assert_eq!(clean("gpj.\u{202e}exe"), "gpj.exe");
        assert_eq!(clean_lines("one\u{1b}[2J\ntwo\u{85}\n"), "one\ntwo \n");
        assert_eq!(escape("x\n\u{202e}y\u{1b}"), "x\\n\\u{202e}y\\u{1b}");
    }

    #[test]
    fn letters_keep_their_joiners_and_other_text_stays_as_it_is() {
        for text in [
            "plain ä 漢 🚀 🇩🇪 e\u{301}",
            "می\u{200c}خواهم",
            "ක\u{200d}ෂ",
            "क्\u{200d}ष",
        ] {
            assert_eq!(clean(text), text);
        }
        assert_eq!(
            clean("a\u{200c}b\u{200d}"),
            "ab",
            "elsewhere a joiner only hides"
        );
        assert_eq!(clean("👩\u{200d}👧 👍\u{1f3fd} ❤\u{fe0f}"), "👩👧 👍 ❤");
        assert!(matches!(clean("plain ä 漢"), Cow::Borrowed(_)));
    }

    #[test]
    fn a_document_keeps_its_shape_and_its_values() {
        let value = serde_json::json!({"t\u{202e}": ["\u{feff}", "\n", "\u{e0041}", 1]});
        for document in [
            value.to_string(),
            serde_json::to_string_pretty(&value).unwrap(),
        ] {
            let shown = json(&document);
            assert_eq!(
                serde_json::from_str::<serde_json::Value>(&shown).unwrap(),
                value
            );
            assert_eq!(shown.lines().count(), document.lines().count());
        }
        assert!(json(&value.to_string()).contains("\\udb40\\udc41"));
    }
}
