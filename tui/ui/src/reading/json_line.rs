//! What a line of a JSON document looks like: indented, keys, texts and numbers in colours of their own, what is
//! folded as its count. Text is made safe here, and addresses lose what signs them.

use super::json::{JsonDoc, JsonKind};
use crate::text::{clean, number};
use crate::theme::Styles;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use std::borrow::Cow;

/// Deepest indentation, in levels.
const INDENTED: usize = 40;

/// A line of a document, about so many bytes of it at most.
#[must_use]
pub fn line(doc: &JsonDoc, at: usize, folded: bool, most: usize, st: &Styles) -> Line<'static> {
    let mut spans = Vec::new();
    let depth = doc.depth(at).min(INDENTED);
    if depth > 0 {
        spans.push(Span::raw("  ".repeat(depth)));
    }
    if let Some(key) = doc.key(at) {
        spans.push(Span::styled(quoted(key, most), st.accent));
        spans.push(Span::styled(": ", st.dim));
    }
    let value = doc.value(at);
    match doc.kind(at) {
        JsonKind::Whole => whole(value, most, st, &mut spans),
        JsonKind::Closes => spans.push(Span::styled(value.to_owned(), st.dim)),
        JsonKind::Rest => {
            spans.push(Span::styled(
                clean(start(value, most)).into_owned(),
                st.text,
            ));
        }
        JsonKind::Opens if folded => {
            let (entry, closes) = match value {
                "{" => ("entries", '}'),
                _ => ("items", ']'),
            };
            let count = doc.count(at);
            let entry = match (count, entry) {
                (1, "items") => "item",
                (1, _) => "entry",
                (_, more) => more,
            };
            let text = format!("{value}… {} {entry}{closes}", number(count));
            spans.push(Span::styled(text, st.warn));
        }
        JsonKind::Opens => spans.push(Span::styled(value.to_owned(), st.dim)),
    }
    let goes_on = doc.goes_on(at) && (folded || doc.kind(at) != JsonKind::Opens);
    if goes_on {
        spans.push(Span::styled(",", st.dim));
    }
    Line::from(spans)
}

/// A line and everything in it as text to copy, about so many bytes at most.
#[must_use]
pub fn copied(doc: &JsonDoc, at: usize, most: usize) -> String {
    let st = Styles::default();
    let indent = 2 * doc.depth(at).min(INDENTED);
    let mut all = String::new();
    for place in at..doc.behind(at).max(at + 1) {
        let text = line(doc, place, false, most, &st).to_string();
        let text = text.get(indent..).unwrap_or_default();
        if all.len() > most {
            break;
        }
        if place > at {
            all.push('\n');
        }
        all.push_str(text);
    }
    let bare = all.strip_suffix(',').unwrap_or(&all);
    // Its key is not part of the value.
    let key = doc.key(at).map_or(0, |key| quoted(key, most).len() + 2);
    bare.get(key..).unwrap_or_default().to_owned()
}

/// A value on one line: what it is made of, each in its colour.
fn whole(value: &str, most: usize, st: &Styles, spans: &mut Vec<Span<'static>>) {
    let mut rest = start(value, most);
    let cut = rest.len() < value.len();
    let mut inside = Vec::new();
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '"' => length_of_string(rest),
            '{' | '[' | '}' | ']' | ',' | ':' => 1,
            c if c.is_whitespace() => c.len_utf8(),
            _ => rest
                .find(|c: char| {
                    c.is_whitespace() || matches!(c, ',' | ':' | '"' | '{' | '[' | '}' | ']')
                })
                .unwrap_or(rest.len()),
        };
        let (text, after) = rest.split_at(length);
        let span = match first {
            '"' if after.trim_start().starts_with(':') => {
                Span::styled(quoted(text, most), st.accent)
            }
            '"' => Span::styled(quoted(text, most), st.good),
            '{' | '[' => {
                inside.push(first);
                Span::styled(text.to_owned(), st.dim)
            }
            ',' | ':' => Span::styled(format!("{text} "), st.dim),
            '}' | ']' => Span::styled(text.to_owned(), st.dim),
            c if c.is_whitespace() => Span::raw(""),
            c => Span::styled(clean(text).into_owned(), word_style(c, st)),
        };
        if !span.content.is_empty() {
            spans.push(span);
        }
        rest = after;
    }
    if cut {
        spans.push(Span::styled("…", st.dim));
    }
}

fn word_style(first: char, st: &Styles) -> Style {
    match first {
        '-' | '0'..='9' => st.changed,
        _ => st.strong,
    }
}

/// The first bytes of a text, whole characters only.
fn start(text: &str, most: usize) -> &str {
    let end = (0..=most.min(text.len()))
        .rev()
        .find(|at| text.is_char_boundary(*at));
    &text[..end.unwrap_or(0)]
}

fn length_of_string(text: &str) -> usize {
    let mut escaped = false;
    let end = text.char_indices().skip(1).find(|(_, c)| {
        let ends = *c == '"' && !escaped;
        escaped = *c == '\\' && !escaped;
        ends
    });
    end.map_or(text.len(), |(at, _)| at + 1)
}

/// A string as it is shown, in its quotes: escapes are shown as the characters that they are, as far as these may be
/// shown. The query of an address may give access to the file: it belongs neither on a screen that others see nor in a
/// clipboard.
fn quoted(written: &str, most: usize) -> String {
    let body = written.strip_prefix('"').unwrap_or(written);
    let (body, closed) = match body.strip_suffix('"') {
        Some(inner) => (inner, true),
        None => (body, false),
    };
    let head = start(body, most);
    let cut = head.len() < body.len() || !closed;
    let text = plain(head);
    let address = text.starts_with("http://") || text.starts_with("https://");
    let text = match text.find('?').filter(|_| address) {
        Some(query) => format!("{}?…", &text[..query]),
        None if cut => format!("{text}…"),
        None => text.into_owned(),
    };
    // What breaks a line or moves the cursor stands there as an escape, as JSON has it.
    let shown = serde_json::to_string(&text).unwrap_or_default();
    wb_core::text::json(&shown).into_owned()
}

/// A string without its escapes, as far as they are good; as it is written where none is.
fn plain(written: &str) -> Cow<'_, str> {
    if !written.contains('\\') {
        return Cow::Borrowed(written);
    }
    // The last escape may be cut.
    let whole = written.rfind('\\').map_or(written, |at| &written[..at]);
    for part in [written, whole] {
        if let Ok(text) = serde_json::from_str::<String>(&format!("\"{part}\"")) {
            return Cow::Owned(text);
        }
    }
    Cow::Owned(written.replace("\\/", "/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn doc(text: &str) -> JsonDoc {
        let mut doc = JsonDoc::new(text.into());
        while !doc.read(1 << 20) {}
        doc
    }

    fn shown(text: &str) -> Vec<String> {
        let doc = doc(text);
        let st = Styles::default();
        (0..doc.len())
            .map(|at| line(&doc, at, false, 100, &st).to_string())
            .collect()
    }

    #[test]
    fn values_stand_as_a_person_reads_them() {
        assert_eq!(
            shown(r#"{"a":[1.50,-2e3,true,null],"b":"caf\u00e9 \"x\"\n"}"#),
            [
                "{",
                "  \"a\": [1.50, -2e3, true, null],",
                r#"  "b": "café \"x\"\n""#,
                "}"
            ]
        );
        assert_eq!(shown(r#"{"x":0.1,"y":1}"#), [r#"{"x": 0.1, "y": 1}"#]);
        assert_eq!(shown(r#"[[1],"ab"]"#), ["[", "  [1],", "  \"ab\"", "]"]);
    }

    #[test]
    fn no_character_that_steers_a_terminal_and_no_signature_is_shown() {
        let evil = "{\"k\u{1b}[31m\u{202e}\":\"x\u{9b}2J\\u001b]0;t\\u0007\",\"u\":[\"https://s/x.jpg?sig=secret\"]}";
        let text = shown(evil).join("\n");
        assert!(
            !text.contains("secret") && text.contains("\"https://s/x.jpg?…\""),
            "{text}"
        );
        assert!(
            !text
                .chars()
                .any(|c| c != '\n' && (c.is_control() || c == '\u{202e}')),
            "{text}"
        );
        // Deeper than anyone reads, it is the same.
        let deep = format!("{}{evil}{}", "[".repeat(200), "]".repeat(200));
        assert!(!shown(&deep).join("\n").contains("secret"));
        let all = copied(&doc(evil), 0, 1000);
        assert!(!all.contains("secret") && !all.contains('\u{1b}'), "{all}");
    }

    #[test]
    fn a_long_text_is_shown_as_far_as_there_is_room_and_what_is_copied_is_whole() {
        let long = "x".repeat(10_000);
        let text = format!("{{\"a\":[\"{long}\"],\"b\":1}}");
        let short = shown(&text);
        assert!(
            short.iter().all(|line| line.chars().count() < 120),
            "{short:?}"
        );
        let doc = doc(&text);
        assert_eq!(copied(&doc, 1, 20_000), format!("[\n  \"{long}\"\n]"));
        assert!(copied(&doc, 1, 5_000).len() < 10_000);
        assert_eq!(copied(&doc, doc.len() - 2, 100), "1");
    }
}
