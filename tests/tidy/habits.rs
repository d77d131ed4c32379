//! Habits of the code that a reader may count on: files of a readable length, libraries that print
//! nothing. Floors and absences stand in `tests/tidy.rs`.

use crate::{all_sources, root};
use std::collections::BTreeSet;

/// Lines that a file may have. Longer ones are more than one thing.
const LONGEST: usize = 400;

/// Files that are longer, and how long they may be. The list may only shrink.
const LONGER: &[(&str, usize)] = &[
    ("agent-abi/src/guide.rs", 491),
    ("agent-abi/tests/border.rs", 407),
    ("tui/core/tests/engine/screen.rs", 440),
];

#[test]
fn no_file_is_longer_than_a_person_reads_in_one_go() {
    let mut long = BTreeSet::new();
    let mut too_long = Vec::new();
    for (path, text) in all_sources() {
        let name = path.strip_prefix(root()).unwrap().to_string_lossy();
        let excused = LONGER.iter().find(|(n, _)| *n == name);
        let most = excused.map_or(LONGEST, |(_, most)| *most);
        let lines = text.lines().count();
        if lines > most {
            too_long.push(format!("{name} has {lines} lines, more than {most}"));
        }
        if lines > LONGEST {
            long.insert(name.into_owned());
        }
    }
    let too_long = too_long.join("\n");
    assert!(
        too_long.is_empty(),
        "split these by what their parts are about:\n{too_long}"
    );
    for (name, _) in LONGER {
        assert!(
            long.contains(*name),
            "{name} is short enough now: take it off the list"
        );
    }
}

/// Lines that a function may have. Longer ones do more than one thing, or one thing without names for
/// its parts.
const LONGEST_FUNCTION: usize = 60;

/// Functions that are longer: lines, file and name. The list may only shrink.
const LONGER_FUNCTIONS: &str = include_str!("longest.txt");

/// Functions of a formatted source with their lines, the first to the last: the last one is the brace at
/// the column where the first begins.
fn functions(text: &str) -> Vec<(String, usize)> {
    let lines: Vec<&str> = text.lines().collect();
    let mut found = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let code = line.trim_start();
        let column = line.len() - code.len();
        let Some(name) = function_name(code) else {
            continue;
        };
        let same_column = |l: &&str| l.len() > column && l[..column].trim().is_empty();
        let end = lines[at..].iter().position(|l| {
            same_column(l)
                && (&l[column..] == "}"
                    || l[column..].starts_with(|c| c != ' ') && l.ends_with(';'))
        });
        match end {
            Some(end) if lines[at + end].ends_with('}') => found.push((name, end + 1)),
            // Declared only, or written on one line.
            _ => {}
        }
    }
    found
}

/// The name, where a function begins on this line and goes on below it.
fn function_name(code: &str) -> Option<String> {
    let mut rest = code;
    if let Some(public) = rest.strip_prefix("pub(") {
        rest = public.split_once(") ")?.1;
    }
    for word in ["pub ", "const ", "async ", "unsafe ", "extern \"C\" "] {
        rest = rest.strip_prefix(word).unwrap_or(rest);
    }
    let rest = rest.strip_prefix("fn ")?;
    let name = rest
        .split(|c: char| !c.is_alphanumeric() && c != '_')
        .next()?;
    (!code.ends_with(['}', ';'])).then(|| name.to_owned())
}

#[test]
fn functions_are_measured_from_their_first_line_to_their_brace() {
    let text = "pub(crate) const fn a(\n    x: u8,\n) -> u8\nwhere\n    u8: Copy,\n{\n    if x {\n    }\n}\n\
                trait T {\n    fn declared(\n        &self,\n    );\n    fn b(&self) {\n    }\n    fn c() {}\n}\n";
    assert_eq!(functions(text), [("a".to_owned(), 9), ("b".to_owned(), 2)]);
}

#[test]
fn no_function_outside_tests_is_longer_than_a_screen() {
    let mut excused: BTreeSet<(usize, &str, &str)> = LONGER_FUNCTIONS
        .lines()
        .map(|line| {
            let mut words = line.split(' ');
            let mut word = || words.next().expect("lines, file and name");
            (word().parse().expect("a number of lines"), word(), word())
        })
        .collect();
    let mut too_long = Vec::new();
    for (path, text) in all_sources() {
        let file = path.strip_prefix(root()).unwrap().to_string_lossy();
        let aside = ["tests/", "/tests.rs", "/fixture", "/examples/", "/benches/"];
        if aside.iter().any(|part| file.contains(part)) {
            continue;
        }
        for (name, lines) in functions(&text) {
            if lines <= LONGEST_FUNCTION {
                continue;
            }
            let known = excused
                .iter()
                .find(|(most, f, n)| *f == file && *n == name && lines <= *most)
                .copied();
            if !known.is_some_and(|known| excused.remove(&known)) {
                too_long.push(format!(
                    "{name} in {file} has {lines} lines, more than {LONGEST_FUNCTION}"
                ));
            }
        }
    }
    let too_long = too_long.join("\n");
    assert!(
        too_long.is_empty(),
        "give the parts of these functions names:\n{too_long}"
    );
    assert!(
        excused.is_empty(),
        "short enough now, take it off tests/tidy/longest.txt: {excused:?}"
    );
}

/// Library files that print to stdout or stderr, each because nothing above it can.
const SPEAKERS: &[&str] = &[
    // In an agent's process stderr is how the author is reached.
    "agent-abi/src/glue/panic.rs",
    "agent-abi/src/inject/current.rs",
    // The child process and its bare program.
    "tui/host/src/child/mod.rs",
    "tui/host/src/bin/wb-host-child.rs",
];

#[test]
fn libraries_print_nothing() {
    let libraries = [
        "agent-abi",
        "tui/core",
        "tui/client",
        "tui/engine",
        "tui/host",
        "tui/local",
        "tui/media",
        "tui/ui",
    ];
    for (path, text) in all_sources() {
        let name = path
            .strip_prefix(root())
            .unwrap()
            .to_string_lossy()
            .replace('\\', "/");
        let library = libraries
            .iter()
            .any(|l| name.starts_with(&format!("{l}/src/")));
        if !library || name.contains("/tests") || SPEAKERS.contains(&name.as_str()) {
            continue;
        }
        // What a doc comment shows is not run here.
        let spoken = text.lines().map(str::trim_start).find(|l| {
            !l.starts_with("//") && ["println!(", "print!("].iter().any(|p| l.contains(p))
        });
        assert!(
            spoken.is_none(),
            "{name} prints: {spoken:?}; return it, or log it"
        );
    }
}
