//! Habits of the code that a reader may count on: files of a readable length, libraries that print
//! nothing. Floors and absences stand in `tests/tidy.rs`.

use crate::{all_sources, root};
use std::collections::BTreeSet;

/// Lines that a file may have. Longer ones are more than one thing.
const LONGEST: usize = 400;

/// Files that are longer, and how long they may be. The list may only shrink.
const LONGER: &[(&str, usize)] = &[
    ("agent-abi/macros/src/params.rs", 404),
    ("agent-abi/src/guide.rs", 491),
    ("agent-abi/tests/border.rs", 407),
    ("tui/client/src/labels/blank.rs", 412),
    ("tui/core/tests/engine/screen.rs", 452),
    ("tui/host/src/pixels/mp4/track.rs", 434),
    ("tui/host/src/supervise.rs", 402),
    ("tui/host/tests/jobs.rs", 488),
    ("tui/local/src/auth.rs", 403),
    ("tui/ui/src/chrome.rs", 410),
];

#[test]
fn no_file_is_longer_than_a_person_reads_in_one_go() {
    let mut long = BTreeSet::new();
    for (path, text) in all_sources() {
        let name = path.strip_prefix(root()).unwrap().to_string_lossy();
        let excused = LONGER.iter().find(|(n, _)| *n == name);
        let most = excused.map_or(LONGEST, |(_, most)| *most);
        let lines = text.lines().count();
        assert!(
            lines <= most,
            "{name} has {lines} lines, more than {most}: split it by what its parts are about"
        );
        if lines > LONGEST {
            long.insert(name.into_owned());
        }
    }
    for (name, _) in LONGER {
        assert!(
            long.contains(*name),
            "{name} is short enough now: take it off the list"
        );
    }
}

/// Files of libraries that say something on stdout or stderr, each because nobody else can.
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
        "tui/host",
        "tui/local",
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
