//! Modules of a crate that use each other in a circle: none of them can be read, tested or moved alone.
//!
//! Compared are the modules beside each other, each with everything below it. What a module and its own
//! parts share is left out. `circles.txt` lists the circles that there are: it may only shrink.

use crate::{root, sources};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// The modules beside each other below one parent, each with those of its neighbours that it uses.
type Neighbours = BTreeMap<String, BTreeMap<String, BTreeSet<String>>>;

const CRATES: &[&str] = &[
    "agent-abi",
    "agent-abi/macros",
    "tui",
    "tui/broker",
    "tui/client",
    "tui/core",
    "tui/engine",
    "tui/host",
    "tui/local",
    "tui/media",
    "tui/ui",
];

/// The path of the module that a file holds: `src/a/b.rs` and `src/a/b/mod.rs` are `a::b`.
fn module_of(file: &Path) -> Vec<String> {
    let path = file.with_extension("");
    let mut parts: Vec<String> = path
        .iter()
        .map(|p| p.to_string_lossy().into_owned())
        .collect();
    if parts
        .last()
        .is_some_and(|last| ["mod", "lib", "main"].contains(&last.as_str()))
    {
        parts.pop();
    }
    parts
}

/// Every path in a source that begins with `crate` or `super`, groups in braces taken apart.
fn paths(text: &str) -> Vec<Vec<String>> {
    let code: String = (text.split("#[cfg(test)]\nmod tests {").next())
        .unwrap_or_default()
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .flat_map(|line| [line, "\n"])
        .collect();
    let mut found = Vec::new();
    for start in ["crate::", "super::"] {
        for (at, _) in code.match_indices(start) {
            let inside = code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_');
            if !inside && !code[..at].ends_with("::") {
                group(&code[at..], &[], &mut found);
            }
        }
    }
    found
}

/// Takes one path or one group apart; returns what follows it.
fn group<'a>(mut text: &'a str, before: &[String], found: &mut Vec<Vec<String>>) -> &'a str {
    let mut path = before.to_vec();
    loop {
        text = text.trim_start();
        if let Some(mut rest) = text.strip_prefix('{') {
            loop {
                rest = group(rest, &path, found).trim_start();
                match rest.strip_prefix(',') {
                    Some(next) if !next.trim_start().starts_with('}') => rest = next,
                    Some(end) => return end.trim_start().trim_start_matches('}'),
                    None => return rest.strip_prefix('}').unwrap_or(rest),
                }
            }
        }
        let end = text.find(|c: char| !c.is_alphanumeric() && c != '_');
        let (name, rest) = text.split_at(end.unwrap_or(text.len()));
        if !name.is_empty() {
            path.push(name.to_owned());
        }
        match rest.strip_prefix("::") {
            Some(more) if !name.is_empty() => text = more,
            _ => {
                found.push(path);
                return rest;
            }
        }
    }
}

/// Adds what one file uses.
fn add(crate_name: &str, file: &[String], text: &str, all: &mut Neighbours) {
    for path in paths(text) {
        let supers = path.iter().take_while(|part| *part == "super").count();
        let mut target = match supers {
            0 => Vec::new(),
            n => file[..file.len().saturating_sub(n)].to_vec(),
        };
        target.extend_from_slice(&path[supers.max(1)..]);
        let shared = file.iter().zip(&target).take_while(|(a, b)| a == b).count();
        let (Some(from), Some(to)) = (file.get(shared), target.get(shared)) else {
            continue;
        };
        // A type has a capital letter, a function of the parent is not a module: both belong to the parent.
        let parent = [&[crate_name.to_owned()], &file[..shared]]
            .concat()
            .join("::");
        let below = all.entry(parent).or_default();
        below.entry(from.clone()).or_default().insert(to.clone());
    }
}

/// Groups of modules each of which reaches all others of its group.
fn circles(uses: &BTreeMap<String, BTreeSet<String>>) -> BTreeSet<BTreeSet<&str>> {
    let reached = |from: &str| {
        let mut seen = BTreeSet::new();
        let mut next = vec![from.to_owned()];
        while let Some(name) = next.pop() {
            for to in uses.get(&name).into_iter().flatten() {
                if seen.insert(to.as_str()) {
                    next.push(to.clone());
                }
            }
        }
        seen
    };
    let all: BTreeMap<&str, BTreeSet<&str>> =
        uses.keys().map(|k| (k.as_str(), reached(k))).collect();
    let of = |name: &str| -> BTreeSet<&str> {
        let mine = &all[name];
        let back = |other: &&str| all.get(other).is_some_and(|o| o.contains(name));
        mine.iter().copied().filter(back).collect()
    };
    let groups = all.keys().map(|name| of(name));
    groups.filter(|group| group.len() > 1).collect()
}

fn all_circles() -> BTreeSet<String> {
    let mut all = Neighbours::new();
    for name in CRATES {
        let src = root().join(name).join("src");
        let mut files = Vec::new();
        sources(&src, &mut files);
        for file in files {
            let module = module_of(file.strip_prefix(&src).unwrap());
            let tests = |part: &String| part == "tests" || part.ends_with("_tests");
            if !module.iter().any(tests) {
                let text = std::fs::read_to_string(&file).unwrap();
                add(name, &module, &text, &mut all);
            }
        }
    }
    let mut found = BTreeSet::new();
    for (parent, uses) in &all {
        for circle in circles(uses) {
            let names: Vec<&str> = circle.into_iter().collect();
            found.insert(format!("{parent}: {}", names.join(" ")));
        }
    }
    found
}

#[test]
fn circles_are_found_through_groups_and_parents() {
    let mut all = Neighbours::new();
    let mut file = |module: &str, text: &str| {
        let module: Vec<String> = module.split("::").map(str::to_owned).collect();
        add("x", &module, text, &mut all);
    };
    file(
        "a",
        "use crate::{b::{C, D}, c::e};\nfn f() { crate::d::g() }",
    );
    file("b::inner", "use super::super::c;\nuse super::Own;");
    file("c", "use std::fmt; // crate::a\nuse crate::a;");
    file("d", "#[cfg(test)]\nmod tests {\n use crate::a;\n}");
    let found = circles(&all["x"]);
    assert_eq!(found, [["a", "b", "c"].into()].into());
}

#[test]
fn no_modules_use_each_other_in_a_circle() {
    let now = all_circles();
    let file = root().join("tests/tidy/circles.txt");
    if std::env::var_os("UPDATE_CIRCLES").is_some() {
        let lines: String = now.iter().map(|line| format!("{line}\n")).collect();
        std::fs::write(&file, lines).unwrap();
        return;
    }
    let text = std::fs::read_to_string(&file).unwrap();
    let listed: BTreeSet<String> = text.lines().map(str::to_owned).collect();
    let new: Vec<_> = now.difference(&listed).collect();
    let gone: Vec<_> = listed.difference(&now).collect();
    assert!(
        new.is_empty() && gone.is_empty(),
        "new circles: {new:#?}\ntake off the list: {gone:#?}"
    );
}
