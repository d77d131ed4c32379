//! The table of a document's lines, whatever the document is.

use super::super::{member, members};
use super::*;

fn doc(text: &str) -> JsonDoc {
    let mut doc = JsonDoc::new(text.into());
    while !doc.read(5) {}
    doc
}

/// Depth, key and value of each line.
fn lines(text: &str) -> Vec<String> {
    let doc = doc(text);
    let line = |n| {
        let key = doc
            .key(n)
            .map_or_else(String::new, |key| format!("{key}: "));
        let comma = if doc.goes_on(n) && doc.kind(n) != JsonKind::Opens {
            ","
        } else {
            ""
        };
        format!("{}{key}{}{comma}", "  ".repeat(doc.depth(n)), doc.value(n))
    };
    (0..doc.len()).map(line).collect()
}

#[test]
fn the_lines_are_those_of_an_indented_document() {
    let text = r#"{"a" : 1, "b":[{"c":"x]}\"","d":0},{"e":[[]]}], "f":{"g":true,"h":[1.50e3]}}"#;
    assert_eq!(
        lines(text),
        [
            "{",
            "  \"a\": 1,",
            "  \"b\": [",
            "    {\"c\":\"x]}\\\"\",\"d\":0},",
            "    {",
            "      \"e\": [",
            "        []",
            "      ]",
            "    }",
            "  ],",
            "  \"f\": {",
            "    \"g\": true,",
            "    \"h\": [1.50e3]",
            "  }",
            "}",
        ]
    );
    assert!(!doc(text).has_mistake());
    for text in ["1", "\"a b\"", "[]", " {} ", "null"] {
        assert_eq!(lines(text), [text.trim()]);
    }
}

#[test]
fn every_text_is_read_to_its_end_and_what_is_not_json_stays_in_sight() {
    for text in [
        "",
        "{",
        "[1,",
        "{\"a\"",
        "{\"a\":",
        "{\"a\" 1}",
        "[1}",
        "]",
        "\"",
        "{a:1}",
        "[1] [2]",
        "[\"\\",
        "{\"a\":1}x",
        ":",
        "[:]",
        "Foo { a: 1 }",
        "\u{1b}[31m",
        "[1,2,{\"b\":\"caf\u{e9}",
        "{\"\u{202e}\":}",
    ] {
        let doc = doc(text);
        assert!(doc.has_mistake(), "{text}");
        for line in 0..doc.len() {
            let _ = (
                doc.key(line),
                doc.value(line),
                doc.written(line),
                doc.goes_on(line),
            );
        }
    }
    // What is deeper than anyone reads is one line, and does not cost a call for each bracket.
    let deep = doc(&format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000)));
    assert_eq!((deep.len(), deep.has_mistake()), (2 * DEEP + 1, false));
}

#[test]
fn a_member_is_found_without_reading_the_others() {
    let row = r#" {"labels":{"metadata":1,"x":[{}]}, "metadata" : {"a":"}"}, "n":2} "#;
    assert_eq!(member(row, "metadata"), Some(r#"{"a":"}"}"#));
    assert_eq!(member(row, "n"), Some("2"));
    assert_eq!(member(row, "a"), None);
    assert_eq!(
        members("[1]").count() + members("{\"a\"").count() + members("").count(),
        0
    );
}
