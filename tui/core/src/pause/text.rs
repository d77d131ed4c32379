//! JSON values as a person reads them: indented, and as the difference of two.

use serde_json::Value;
use std::collections::BTreeSet;

/// Largest values that are compared, in bytes.
const COMPARED: usize = 256 << 10;
/// Characters of a value in a difference.
const SHORT: usize = 80;

/// A change of a value: added (`+`), changed (`~`) or removed (`-`).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Difference {
    /// `+`, `~` or `-`.
    pub sign: char,
    /// Where, and from what to what.
    pub text: String,
}

/// JSON on indented lines, at most so many; anything else on the lines that it has. A short list or object without
/// further ones in it stays on one line.
#[must_use]
pub fn pretty(json: &str, most: usize) -> Vec<String> {
    let mut all = vec![String::new()];
    let (mut depth, mut quoted, mut escaped) = (0_usize, false, false);
    for (at, c) in json.char_indices() {
        if all.len() > most {
            break;
        }
        let Some(line) = all.last_mut() else { break };
        if quoted {
            line.push(c);
            (quoted, escaped) = (escaped || c != '"', !escaped && c == '\\');
            continue;
        }
        let mut break_line = false;
        match c {
            '{' | '[' => {
                line.push(c);
                depth += 1;
                break_line = !closes_at_once(&json[at + 1..]);
            }
            '}' | ']' => {
                depth = depth.saturating_sub(1);
                if line.trim().is_empty() {
                    *line = "  ".repeat(depth.min(40));
                } else if !line.ends_with(['{', '[']) {
                    all.push("  ".repeat(depth.min(40)));
                }
                if let Some(line) = all.last_mut() {
                    line.push(c);
                }
            }
            ',' => {
                line.push(c);
                break_line = true;
            }
            ':' => line.push_str(": "),
            '"' => {
                line.push(c);
                quoted = true;
            }
            '\n' => break_line = !line.trim().is_empty(),
            c if c.is_whitespace() => {}
            c => line.push(c),
        }
        if break_line {
            all.push("  ".repeat(depth.min(40)));
        }
    }
    all.truncate(most);
    all
}

fn closes_at_once(rest: &str) -> bool {
    rest.trim_start().starts_with(['}', ']'])
}

/// How a JSON value differs from another one, at most so many changes; empty where either is not JSON, where they
/// are too large, or where they have nothing in common.
#[must_use]
pub fn difference(old: &str, new: &str, most: usize) -> Vec<Difference> {
    if old.len() > COMPARED || new.len() > COMPARED {
        return Vec::new();
    }
    let (Ok(old), Ok(new)) = (serde_json::from_str(old), serde_json::from_str(new)) else {
        return Vec::new();
    };
    let mut all = Vec::new();
    compare("", &old, &new, most, &mut all);
    all
}

fn compare(path: &str, old: &Value, new: &Value, most: usize, all: &mut Vec<Difference>) {
    if old == new || all.len() >= most {
        return;
    }
    let mut push = |sign, text| all.push(Difference { sign, text });
    match (old, new) {
        (Value::Array(old), Value::Array(new)) => {
            for at in 0..old.len().max(new.len()) {
                let path = format!("{path}[{at}]");
                both(&path, old.get(at), new.get(at), most, all);
            }
        }
        (Value::Object(old), Value::Object(new)) => {
            let names: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
            for name in names {
                let path = match path {
                    "" => name.clone(),
                    path => format!("{path}.{name}"),
                };
                both(&path, old.get(name), new.get(name), most, all);
            }
        }
        // Values of other kinds at the top are two values, not one that has changed.
        _ if path.is_empty() && std::mem::discriminant(old) != std::mem::discriminant(new) => {}
        _ => {
            let path = if path.is_empty() { "value" } else { path };
            push('~', format!("{path}: {} → {}", short(old), short(new)));
        }
    }
}

fn both(
    path: &str,
    old: Option<&Value>,
    new: Option<&Value>,
    most: usize,
    all: &mut Vec<Difference>,
) {
    match (old, new) {
        (Some(old), Some(new)) => compare(path, old, new, most, all),
        _ if all.len() >= most => {}
        (None, Some(new)) => all.push(Difference {
            sign: '+',
            text: format!("{path}: {}", short(new)),
        }),
        (Some(old), None) => all.push(Difference {
            sign: '-',
            text: format!("{path}: {}", short(old)),
        }),
        (None, None) => {}
    }
}

fn short(value: &Value) -> String {
    let mut text = value.to_string();
    if text.chars().count() > SHORT {
        text = text.chars().take(SHORT - 1).collect();
        text.push('…');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_indented_as_far_as_lines_are_wanted() {
        let text = r#"{"boxes":[{"x":0.1,"name":"a, {b}\""},{}],"none":[]}"#;
        let all = pretty(text, 100);
        let expected = [
            "{",
            "  \"boxes\": [",
            "    {",
            "      \"x\": 0.1,",
            r#"      "name": "a, {b}\"""#,
            "    },",
            "    {}",
            "  ],",
            "  \"none\": []",
            "}",
        ];
        assert_eq!(all, expected);
        assert_eq!(pretty(text, 2), expected[..2]);
        assert_eq!(pretty("41.5", 9), ["41.5"]);
    }

    #[test]
    fn a_difference_names_each_place_that_changed() {
        let shown = |old: &str, new: &str| {
            let all = difference(old, new, 10).into_iter();
            all.map(|d| format!("{} {}", d.sign, d.text))
                .collect::<Vec<_>>()
        };
        let old = r#"{"a":[1,{"s":0.9}],"gone":true}"#;
        let new = r#"{"a":[1,{"s":0.5},3],"new":"x"}"#;
        let expected = [
            "~ a[1].s: 0.9 → 0.5",
            "+ a[2]: 3",
            "- gone: true",
            "+ new: \"x\"",
        ];
        assert_eq!(shown(old, new), expected);
        assert_eq!(shown("1", "2"), ["~ value: 1 → 2"]);
        assert_eq!(shown("1", "[2]"), [""; 0]);
        assert_eq!(shown("not json", "[2]"), [""; 0]);
    }
}
