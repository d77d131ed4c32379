//! From what people call things to Rust identifiers.
//!
//! Words are parted at everything that an identifier cannot hold and at capitals (`TrafficLight`, `traffic light`:
//! `TRAFFIC_LIGHT`). Letters of all scripts stay. What would be a keyword gets `_` behind it, a leading digit gets it
//! in front. A title without any letter or digit is called by its kind and identity.
//!
//! Where several titles of one level give the same identifier, each of them gets its identity behind it, so that no
//! name depends on the others' order: one that was free never comes to mean another thing.

use super::NamedThing;
use heck::{ToShoutySnakeCase, ToSnakeCase};
use icu_normalizer::ComposingNormalizerBorrowed;
use std::collections::HashMap;
use unicode_ident::{is_xid_continue, is_xid_start};

/// What modules and functions cannot be called: keywords, and types that would be hidden by them.
const RESERVED: [&str; 63] = [
    "abstract", "as", "async", "await", "become", "bool", "box", "break", "char", "const",
    "continue", "crate", "do", "dyn", "else", "enum", "extern", "f32", "f64", "false", "final",
    "fn", "for", "gen", "i128", "i16", "i32", "i64", "i8", "if", "impl", "in", "isize", "let",
    "loop", "macro", "match", "mod", "move", "mut", "override", "priv", "pub", "ref", "return",
    "self", "static", "str", "struct", "super", "trait", "true", "try", "type", "typeof", "u8",
    "unsafe", "unsized", "use", "virtual", "where", "while", "yield",
];

/// The identifiers of things that stand beside each other, in `snake_case`; none twice, in capitals neither.
pub(super) fn unique_identifiers(things: &[NamedThing], taken: &[&str]) -> Vec<String> {
    let plain: Vec<String> = things.iter().map(plain).collect();
    let mut counts: HashMap<String, usize> = HashMap::new();
    for name in plain
        .iter()
        .map(String::as_str)
        .chain(taken.iter().copied())
    {
        *counts.entry(constant(name)).or_default() += 1;
    }
    let suffixed = |(name, thing): (String, &NamedThing)| match counts[&constant(&name)] {
        1 => name,
        _ => identifier(&format!("{name} {}", short_id(thing))),
    };
    let mut names: Vec<String> = plain.into_iter().zip(things).map(suffixed).collect();
    // Identities that differ in signs or capitals only: the order of the whole identities decides.
    let mut order: Vec<usize> = (0..names.len()).collect();
    order.sort_by(|a, b| things[*a].id.cmp(&things[*b].id));
    let mut used: HashMap<String, usize> = HashMap::new();
    used.extend(taken.iter().map(|name| (constant(name), 1)));
    for at in order {
        let times = used.entry(constant(&names[at])).or_default();
        *times += 1;
        if *times > 1 {
            names[at] = format!("{}_{times}", names[at]);
        }
    }
    names
}

/// The constant of an identifier.
pub(super) fn constant(name: &str) -> String {
    let name = name.to_shouty_snake_case();
    let digit = name.starts_with(|c: char| !is_xid_start(c));
    if digit { format!("_{name}") } else { name }
}

fn plain(thing: &NamedThing) -> String {
    let name = identifier(&thing.title);
    if name.is_empty() {
        return identifier(&format!("{} {}", thing.kind, short_id(thing)));
    }
    name
}

/// A feature hash as it is, the first part of a UUID.
fn short_id(thing: &NamedThing) -> String {
    let id = thing.id.split('-').next().unwrap_or_default();
    id.to_lowercase()
}

/// Empty where nothing of the text can be in an identifier.
fn identifier(text: &str) -> String {
    // The compiler takes composed and decomposed letters for the same.
    let text = ComposingNormalizerBorrowed::new_nfc().normalize(text);
    let kept = |c: char| if is_xid_continue(c) { c } else { ' ' };
    let mut name = text.chars().map(kept).collect::<String>().to_snake_case();
    name.retain(is_xid_continue);
    match name.chars().next() {
        None => name,
        Some(first) if !is_xid_start(first) => format!("_{name}"),
        Some(_) if RESERVED.contains(&name.as_str()) => format!("{name}_"),
        Some(_) => name,
    }
}
