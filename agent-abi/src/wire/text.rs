//! JSON that Rust cannot hold as it is: texts with half of a surrogate pair, numbers beyond the largest `f64`.
//!
//! JavaScript cuts texts in the middle of an emoji, Python passes the half on, and no Rust string can hold it.
//! A private character (U+10D800 to U+10DFFF) stands for it, and becomes the half again on its way back.

use serde::de::{DeserializeOwned, Error as _, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use std::fmt;
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};

/// The first private character that stands for half of a pair: the half is the character minus this.
const PRIVATE: u32 = 0x10_0000;
/// Stands before one of the private characters, and before itself, where a text really holds it.
const MARKER: u32 = 0x10_E000;

/// Parses JSON. Private characters stand for halves of surrogate pairs, and the largest `f64` for numbers
/// beyond it; all else is as in `serde_json`.
///
/// # Errors
/// As `serde_json`, in its words.
pub fn parse<T: DeserializeOwned>(text: &str) -> serde_json::Result<T> {
    serde_json::from_str(text).or_else(|error| match readable(text) {
        Some(readable) => serde_json::from_str(&readable),
        None => Err(error),
    })
}

/// Checks that a text is JSON which can be parsed into a tree, and that no object has a key twice, since one
/// of the two values would get lost.
///
/// # Errors
/// Why not, and where.
pub fn check(text: &str) -> serde_json::Result<()> {
    serde_json::from_str::<Readable>(text).map(drop)
}

/// The same document with stand-ins, where it needs any.
pub(crate) fn readable(text: &str) -> Option<String> {
    let halves = keep_halves(text.as_bytes(), false);
    let halves = halves.and_then(|bytes| String::from_utf8(bytes).ok());
    let numbers = finite(halves.as_deref().unwrap_or(text));
    numbers.or(halves)
}

/// As it comes from the platform: halves of surrogate pairs become private characters. `None` where there is
/// none. [`restore_halves`] is the way back.
#[must_use]
pub fn from_platform(json: &[u8]) -> Option<Vec<u8>> {
    keep_halves(json, true)
}

/// `exact`: private characters that the text really holds are marked, so that they come back as they are.
fn keep_halves(json: &[u8], exact: bool) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    let (mut at, mut copied) = (0, 0);
    while let Some(skip) = json[at..].iter().position(|b| matches!(b, b'\\' | 0xF4)) {
        at += skip;
        let (length, insert): (usize, Option<Insert>) = if json[at] == b'\\' {
            escaped(&json[at..], exact)
        } else {
            let stands = exact && literal(&json[at..]).is_some();
            (1, stands.then_some(Insert::Marker))
        };
        if let Some(insert) = insert {
            out.extend_from_slice(&json[copied..at]);
            copied = at;
            match insert {
                Insert::Marker => push(&mut out, MARKER),
                Insert::Instead(private) => {
                    push(&mut out, private);
                    copied = at + length;
                }
            }
        }
        at = (at + length).min(json.len());
    }
    if copied == 0 && out.is_empty() {
        return None;
    }
    out.extend_from_slice(&json[copied..]);
    Some(out)
}

enum Insert {
    /// The marker, before what is there.
    Marker,
    /// This character, in place of what is there.
    Instead(u32),
}

/// How long an escape is, and what is to be put there.
fn escaped(json: &[u8], exact: bool) -> (usize, Option<Insert>) {
    let Some(first) = unit(json) else {
        return (2, None);
    };
    let second = json.get(6..).and_then(unit);
    match (first, second) {
        (0xD800..=0xDBFF, Some(low @ 0xDC00..=0xDFFF)) => {
            let whole = 0x1_0000 + ((first - 0xD800) << 10) + (low - 0xDC00);
            (12, (exact && is_ours(whole)).then_some(Insert::Marker))
        }
        (0xD800..=0xDFFF, _) => (6, Some(Insert::Instead(PRIVATE + first))),
        _ => (6, None),
    }
}

/// The number of a `\uXXXX`.
fn unit(json: &[u8]) -> Option<u32> {
    let hex = json.strip_prefix(b"\\u")?.get(..4)?;
    let hex = hex.iter().all(u8::is_ascii_hexdigit).then_some(hex)?;
    u32::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok()
}

const fn is_ours(code: u32) -> bool {
    matches!(code, 0x10_D800..=0x10_DFFF | MARKER)
}

/// The character at the start, when it is one that stands for something.
fn literal(bytes: &[u8]) -> Option<u32> {
    let text = std::str::from_utf8(bytes.get(..4)?).ok()?;
    text.chars().next().map(u32::from).filter(|c| is_ours(*c))
}

fn push(out: &mut Vec<u8>, code: u32) {
    let mut bytes = [0; 4];
    if let Some(c) = char::from_u32(code) {
        out.extend_from_slice(c.encode_utf8(&mut bytes).as_bytes());
    }
}

/// On its way to the platform: private characters become the halves that they stand for, as escapes. `None`
/// where there is none.
#[must_use]
pub fn restore_halves(json: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    let (mut at, mut copied) = (0, 0);
    while let Some(skip) = json[at..].iter().position(|b| *b == 0xF4) {
        at += skip;
        let Some(code) = literal(&json[at..]) else {
            at += 1;
            continue;
        };
        out.extend_from_slice(&json[copied..at]);
        at += 4;
        if code == MARKER {
            // What follows is meant as it stands.
            copied = at;
            at += if literal(&json[at..]).is_some() { 4 } else { 0 };
        } else {
            out.extend_from_slice(format!("\\u{:04x}", code - PRIVATE).as_bytes());
            copied = at;
        }
    }
    if copied == 0 {
        return None;
    }
    out.extend_from_slice(&json[copied..]);
    Some(out)
}

/// Numbers beyond the largest `f64` become it.
fn finite(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    let mut out = String::new();
    let (mut at, mut copied, mut quoted) = (0, 0, false);
    while at < bytes.len() {
        match bytes[at] {
            b'"' => quoted = !quoted,
            b'\\' if quoted => at += 1,
            b'-' | b'0'..=b'9' if !quoted => {
                let is_part = |b: &u8| matches!(b, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E');
                let length = bytes[at..].iter().take_while(|b| is_part(b)).count();
                let number: f64 = text[at..at + length].parse().unwrap_or(0.0);
                if number.is_infinite() {
                    out.push_str(&text[copied..at]);
                    out.push_str(&format!("{:e}", f64::MAX.copysign(number)));
                    copied = at + length;
                }
                at += length - 1;
            }
            _ => {}
        }
        at += 1;
    }
    if copied == 0 {
        return None;
    }
    out.push_str(&text[copied..]);
    Some(out)
}

/// What a tree could be made of; nothing is kept.
struct Readable;

impl<'de> Deserialize<'de> for Readable {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(Self)
    }
}

/// The hash of a key.
struct Key(u64);

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Hash;
        impl Visitor<'_> for Hash {
            type Value = Key;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a key")
            }
            fn visit_str<E>(self, key: &str) -> Result<Key, E> {
                let hasher = BuildHasherDefault::<DefaultHasher>::default();
                Ok(Key(hasher.hash_one(key)))
            }
        }
        from.deserialize_str(Hash)
    }
}

impl<'de> Visitor<'de> for Readable {
    type Value = Self;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_unit<E>(self) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_str<E>(self, _: &str) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self, A::Error> {
        while list.next_element::<Self>()?.is_some() {}
        Ok(self)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self, A::Error> {
        let mut keys = Vec::new();
        while let Some((Key(key), Self)) = map.next_entry()? {
            keys.push(key);
        }
        keys.sort_unstable();
        if keys.windows(2).any(|pair| pair[0] == pair[1]) {
            return Err(A::Error::custom("an object has the same key twice"));
        }
        Ok(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    fn there_and_back(json: &str) -> String {
        let kept = from_platform(json.as_bytes());
        let kept = kept.unwrap_or_else(|| json.as_bytes().to_vec());
        let tree: Value = serde_json::from_slice(&kept).unwrap();
        let text = tree.to_string().into_bytes();
        String::from_utf8(restore_halves(&text).unwrap_or(text)).unwrap()
    }

    #[test]
    fn half_a_surrogate_pair_comes_back_as_it_was() {
        for json in [
            r#"{"a":"x\ud83d"}"#,
            r#"["\ude00\ud83d","\udbff","\ud800\ud800 y"]"#,
            r#"{"\udfff":1}"#,
            r#""\\ud83d""#,
        ] {
            assert_eq!(there_and_back(json), json);
        }
        assert_eq!(there_and_back(r#""\uD83D!""#), r#""\ud83d!""#);
        assert_eq!(there_and_back(r#""\ud83d\ude00""#), "\"\u{1F600}\"");
        assert_eq!(there_and_back(r#""\ud83d\n\u00e9""#), "\"\\ud83d\\né\"");
    }

    #[test]
    fn private_characters_that_a_text_really_holds_stay_what_they_are() {
        for text in [
            "\u{10D83D}",
            "\u{10E000}",
            "\u{10E000}\u{10DC00}x\u{10E000}",
            "\u{10FFFF}",
        ] {
            assert_eq!(
                there_and_back(&format!("\"{text}\"")),
                format!("\"{text}\"")
            );
        }
        assert_eq!(there_and_back(r#""\udbf6\udc3d""#), "\"\u{10D83D}\"");
        assert_eq!(
            there_and_back(r#""\udbf8\udc00\ud83d""#),
            "\"\u{10E000}\\ud83d\""
        );
    }

    #[test]
    fn what_needs_no_stand_in_is_not_copied() {
        for json in [
            r#"{"a": "é \n \" \\ \u00e9 \ud83d\ude00", "b": 1e300}"#,
            "\"\u{10FFFF}\"",
            "",
            "\\",
        ] {
            assert_eq!(from_platform(json.as_bytes()), None, "{json}");
            assert_eq!(restore_halves(json.as_bytes()), None, "{json}");
            assert_eq!(readable(json), None, "{json}");
        }
    }

    #[test]
    fn numbers_beyond_all_numbers_and_half_pairs_can_be_parsed() {
        let json = r#"{"a": [1e400, -1E+999, 1.5], "1e400": "1e400 \" 1e999 \ud83d"}"#;
        let tree: Value = parse(&readable(json).unwrap()).unwrap();
        assert_eq!(tree["a"][0].as_f64(), Some(f64::MAX));
        assert_eq!(tree["a"][1].as_f64(), Some(f64::MIN));
        assert_eq!(tree["1e400"], "1e400 \" 1e999 \u{10D83D}");
        assert!(parse::<Value>(json).is_ok());
        assert!(parse::<Value>("[1e400").is_err());
    }

    #[test]
    fn a_check_finds_what_no_tree_can_hold() {
        let deep = format!("{}{}", "[".repeat(200), "]".repeat(200));
        for wrong in [
            r#"["\ud83d"]"#,
            "{",
            "[NaN]",
            "[Infinity]",
            "1 2",
            r#"{"a":1,"b":{},"a":2}"#,
            &deep,
        ] {
            assert!(check(wrong).is_err(), "{wrong}");
        }
        let twice = check(r#"{"a":1,"a":2}"#).unwrap_err().to_string();
        assert!(twice.contains("same key twice"), "{twice}");
        check(r#"{"a": [{"a": 1.10}, {"a": -0.0}], "b": "\ud83d\ude00", "c": null}"#).unwrap();
    }
}
