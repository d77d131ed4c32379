//! The words of the project: terms that the field already has, and one name for one thing.
//!
//! `words.txt` lists what is not written, `words_left.txt` where it still is, and `names.txt` the type
//! names that several files define. The last two may only shrink: `UPDATE_WORDS=1` writes them again.

use crate::{all_sources, root};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// One word of a phrase.
enum Part {
    Is(&'static str),
    IsNot(Vec<&'static str>),
}

struct Phrase {
    text: &'static str,
    /// Not in documents, where an error says what failed.
    sources_only: bool,
    parts: Vec<Part>,
    instead: &'static str,
}

fn phrases() -> Vec<Phrase> {
    let lines = include_str!("words.txt").lines();
    lines
        .filter(|line| !line.starts_with('#'))
        .map(|line| {
            let (text, instead) = line.split_once("  ").expect("two columns");
            let (sources_only, text) = match text.strip_prefix('*') {
                Some(text) => (true, text),
                None => (false, text),
            };
            let part = |word: &'static str| match word.strip_prefix('^') {
                Some(others) => Part::IsNot(others.split(',').collect()),
                None => Part::Is(word),
            };
            Phrase {
                text,
                sources_only,
                parts: text.split(' ').map(part).collect(),
                instead: instead.trim(),
            }
        })
        .collect()
}

/// The words of a text in lower case, those inside of identifiers too, each with its line.
fn words(text: &str) -> Vec<(String, usize)> {
    let mut all = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let mut word = String::new();
        let mut before = ' ';
        for c in line.chars().chain([' ']) {
            let begins = !c.is_alphabetic() || c.is_uppercase() && before.is_lowercase();
            if begins && !word.is_empty() {
                all.push((std::mem::take(&mut word), number + 1));
            }
            if c.is_alphabetic() {
                word.extend(c.to_lowercase());
            }
            before = c;
        }
    }
    all
}

impl Phrase {
    fn is_at(&self, words: &[(String, usize)]) -> bool {
        words.len() >= self.parts.len()
            && self
                .parts
                .iter()
                .zip(words)
                .all(|(part, (word, _))| match part {
                    Part::Is(wanted) => word == wanted,
                    Part::IsNot(others) => !others.contains(&word.as_str()),
                })
    }
}

#[test]
fn phrases_are_found_in_prose_and_in_identifiers() {
    let found = |text: &str| {
        let words = words(text);
        let at = |phrase: &Phrase| (0..words.len()).any(|i| phrase.is_at(&words[i..]));
        let all = phrases();
        let found: Vec<_> = all.iter().filter(|p| at(p)).map(|p| p.text).collect();
        found.join(";")
    };
    assert_eq!(found("// It says so."), "says");
    assert_eq!(found("fn tell_unread(bookOf: u8)"), "tell;book");
    assert_eq!(found("what became of it"), "what became of");
    assert_eq!(found("it is no library"), "^there is no ^longer,more,such");
    assert_eq!(
        found("there is no library; it is no longer open; essay, booked"),
        ""
    );
}

/// Everything that a person reads: sources and documents. What quotes other versions is left out, and
/// so are the lists of this test.
fn texts() -> Vec<(PathBuf, String)> {
    let mut all = all_sources();
    for dir in [".", "agent-abi", "sample-agents", "tui", "tests"] {
        documents(&root().join(dir), dir != ".", &mut all);
    }
    let aside = ["tests/PROMISES.md", "tests/tidy/words.rs"];
    all.retain(|(path, _)| !aside.iter().any(|a| path.ends_with(a)));
    all
}

fn documents(dir: &Path, deep: bool, found: &mut Vec<(PathBuf, String)>) {
    for entry in std::fs::read_dir(dir).unwrap().flatten() {
        let path = entry.path();
        let hidden = entry.file_name().to_string_lossy().starts_with('.');
        let target = entry.file_name() == "target";
        if path.is_dir() && deep && !hidden && !target {
            documents(&path, deep, found);
        }
        let known = ["md", "py", "toml", "h", "c"];
        let ends = path.extension().and_then(|e| e.to_str());
        if ends.is_some_and(|e| known.contains(&e)) {
            found.push((path.clone(), std::fs::read_to_string(path).unwrap()));
        }
    }
}

/// The crate or folder that a file belongs to.
fn folder(path: &Path) -> String {
    let path = path.strip_prefix(root()).unwrap();
    let mut parts = path.iter().map(|p| p.to_string_lossy());
    match (parts.next(), parts.next(), parts.next()) {
        (Some(tui), Some(one), Some(_)) if tui == "tui" || tui == "tests" => format!("{tui}/{one}"),
        (Some(one), Some(_), _) => one.into_owned(),
        _ => ".".to_owned(),
    }
}

/// Compares counts with a list that may only shrink, or writes the list again.
fn only_shrinks(list: &str, counts: &BTreeMap<String, usize>, what: &str) {
    let file = root().join("tests/tidy").join(list);
    if std::env::var_os("UPDATE_WORDS").is_some() {
        let lines: String = counts.iter().map(|(k, n)| format!("{n} {k}\n")).collect();
        std::fs::write(&file, lines).unwrap();
        return;
    }
    let text = std::fs::read_to_string(&file).unwrap();
    let listed: BTreeMap<String, usize> = (text.lines())
        .map(|line| line.split_once(' ').expect("a number and a name"))
        .map(|(n, key)| (key.to_owned(), n.parse().expect("a number")))
        .collect();
    let keys: BTreeSet<&String> = counts.keys().chain(listed.keys()).collect();
    let wrong: Vec<String> = (keys.into_iter())
        .filter_map(|key| {
            let [now, before] = [counts, &listed].map(|m| m.get(key).copied().unwrap_or(0));
            (now > before)
                .then(|| format!("{key}: {now}, at most {before}"))
                .or_else(|| {
                    (now < before).then(|| format!("{key}: {now} are left; correct {list}"))
                })
        })
        .collect();
    assert!(wrong.is_empty(), "{what}:\n{}", wrong.join("\n"));
}

#[test]
fn nobody_has_to_learn_a_private_word() {
    let phrases = phrases();
    let mut counts = BTreeMap::new();
    let mut places = String::new();
    for (path, text) in texts() {
        let words = words(&text);
        let document = path.extension().is_some_and(|e| e == "md");
        for at in 0..words.len() {
            let here = |p: &&Phrase| !(document && p.sources_only) && p.is_at(&words[at..]);
            for phrase in phrases.iter().filter(here) {
                *counts
                    .entry(format!("{} {}", folder(&path), phrase.text))
                    .or_insert(0) += 1;
                let short = path.strip_prefix(root()).unwrap().display();
                let line = words[at].1;
                places += &format!(
                    "{short}:{line}: {} (instead: {})\n",
                    phrase.text, phrase.instead
                );
            }
        }
    }
    if let Some(only) = std::env::var_os("SHOW_WORDS") {
        let only = only.to_string_lossy().into_owned();
        places
            .lines()
            .filter(|l| l.starts_with(&only))
            .for_each(|l| println!("{l}"));
    }
    only_shrinks(
        "words_left.txt",
        &counts,
        "words that tests/tidy/words.txt replaces",
    );
}

/// Files in which a type may have the same name. More of them, and a reader no longer knows whose it is.
const SHARED_BY: usize = 2;

#[test]
fn a_name_means_one_thing() {
    let mut files: BTreeMap<String, usize> = BTreeMap::new();
    for (path, text) in all_sources() {
        let file = path
            .strip_prefix(root())
            .unwrap()
            .to_string_lossy()
            .into_owned();
        let aside = [
            "tests/",
            "tests.rs",
            "/examples/",
            "/benches/",
            "/fixture",
            "sample-agents",
        ];
        if aside.iter().any(|part| file.contains(part)) {
            continue;
        }
        let text = text
            .split("#[cfg(test)]\nmod tests {")
            .next()
            .unwrap_or_default();
        let names: BTreeSet<&str> = text.lines().filter_map(type_name).collect();
        for name in names {
            *files.entry(name.to_owned()).or_insert(0) += 1;
        }
    }
    files.retain(|_, n| *n > SHARED_BY);
    only_shrinks(
        "names.txt",
        &files,
        "types of one name in several files: name whose they are",
    );
}

/// The type that a line defines.
fn type_name(line: &str) -> Option<&str> {
    let mut rest = line.trim_start();
    if let Some(public) = rest.strip_prefix("pub(") {
        rest = public.split_once(") ")?.1;
    }
    rest = rest.strip_prefix("pub ").unwrap_or(rest);
    let kinds = ["struct ", "enum ", "trait ", "type "];
    let rest = kinds.iter().find_map(|kind| rest.strip_prefix(kind))?;
    // Associated types of an `impl` name what the trait names.
    let associated = line.starts_with(' ') && line.trim_start().starts_with("type ");
    (!associated).then(|| rest.split(|c: char| !c.is_alphanumeric()).next())?
}
