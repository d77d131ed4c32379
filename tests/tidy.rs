//! The architecture as a test: floors, absences and habits, each with a message that explains what to do.
//!
//! What each floor is for stands in `tui/ARCHITECTURE.md`.

#![allow(clippy::unwrap_used)] // helpers of tests

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

#[path = "tidy/circles.rs"]
mod circles;
#[path = "tidy/habits.rs"]
mod habits;
#[path = "tidy/packages.rs"]
mod packages;
#[path = "tidy/promises.rs"]
mod promises;
#[path = "tidy/words.rs"]
mod words;
#[path = "tidy/writes.rs"]
mod writes;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap()
        .to_owned()
}

/// What each of our crates may use of ours.
const FLOORS: &[(&str, &[&str])] = &[
    ("agent-abi-macros", &[]),
    ("agent-abi", &["agent-abi-macros"]),
    ("sample-agents", &["agent-abi"]),
    ("real-agents", &["agent-abi"]),
    ("wb-core", &["agent-abi"]),
    ("wb-broker", &["wb-core"]),
    ("wb-client", &["wb-core", "agent-abi"]),
    ("wb-media", &[]),
    ("wb-host", &["wb-core", "wb-media", "agent-abi"]),
    ("wb-local", &["wb-media"]),
    ("wb-ui", &["wb-core", "agent-abi"]),
    (
        "wb-engine",
        &["wb-core", "wb-client", "wb-host", "agent-abi"],
    ),
    (
        "encord-workbench",
        &[
            "wb-broker",
            "wb-core",
            "wb-engine",
            "wb-client",
            "wb-host",
            "wb-local",
            "wb-media",
            "wb-ui",
            "agent-abi",
        ],
    ),
];

/// Crates that must never be used on a floor, not even through another crate.
const ABSENT: &[(&str, &str)] = &[
    (
        "agent-abi",
        "tokio reqwest hyper crossterm ratatui libloading image",
    ),
    (
        "wb-core",
        "tokio reqwest hyper crossterm ratatui rusqlite libloading",
    ),
    (
        "wb-ui",
        "tokio reqwest hyper axum rusqlite libloading notify",
    ),
    (
        "wb-broker",
        "reqwest axum rusqlite ratatui crossterm libloading",
    ),
    ("wb-client", "axum rusqlite ratatui crossterm libloading"),
    ("wb-engine", "axum ratatui crossterm clap indicatif"),
    (
        "wb-media",
        "tokio reqwest hyper axum rusqlite ratatui crossterm libloading",
    ),
    ("wb-host", "reqwest axum rusqlite ratatui crossterm"),
    ("wb-local", "reqwest ratatui crossterm libloading"),
];

/// Everything an author's crate pays for on every clean build.
const AUTHORS_DEPENDENCIES: &[&str] = &["agent-abi-macros", "log", "serde", "serde_json", "uuid"];

fn metadata() -> serde_json::Value {
    // What other platforms need is not on a machine that has only built for itself.
    let version = Command::new("rustc").arg("-vV").output().unwrap();
    let version = String::from_utf8(version.stdout).unwrap();
    let here = version.lines().find_map(|l| l.strip_prefix("host: "));
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--offline", "--locked"])
        .args(["--filter-platform", here.unwrap()])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    serde_json::from_slice(&output.stdout).unwrap()
}

fn text(value: &serde_json::Value) -> String {
    value.as_str().unwrap().to_owned()
}

/// Normal dependencies of every package, by package id; and the names.
fn graph() -> (BTreeMap<String, Vec<String>>, BTreeMap<String, String>) {
    let meta = metadata();
    let names = meta["packages"].as_array().unwrap();
    let names = names
        .iter()
        .map(|p| (text(&p["id"]), text(&p["name"])))
        .collect();
    let mut edges = BTreeMap::new();
    for node in meta["resolve"]["nodes"].as_array().unwrap() {
        let normal = |d: &&serde_json::Value| {
            d["dep_kinds"]
                .as_array()
                .unwrap()
                .iter()
                .any(|k| k["kind"].is_null())
        };
        let deps = node["deps"].as_array().unwrap();
        let deps = deps
            .iter()
            .filter(normal)
            .map(|d| text(&d["pkg"]))
            .collect();
        edges.insert(text(&node["id"]), deps);
    }
    (edges, names)
}

fn id_of<'a>(names: &'a BTreeMap<String, String>, name: &str) -> &'a String {
    names
        .iter()
        .find(|(id, n)| *n == name && !id.contains("registry"))
        .unwrap()
        .0
}

#[test]
fn every_crate_stays_on_its_floor() {
    let (edges, names) = graph();
    let ours: BTreeSet<&str> = FLOORS.iter().map(|(name, _)| *name).collect();
    for (name, allowed) in FLOORS {
        for used in &edges[id_of(&names, name)] {
            let used = names[used].as_str();
            assert!(
                !ours.contains(used) || allowed.contains(&used),
                "{name} uses {used}: that arrow is not on the map (tui/ARCHITECTURE.md); \
                 move the code down a floor, or change the map with a reason"
            );
        }
    }
}

#[test]
fn what_a_floor_must_not_know_is_not_even_reached_through_others() {
    let (edges, names) = graph();
    for (name, absent) in ABSENT {
        let (mut seen, mut open) = (BTreeSet::new(), vec![id_of(&names, name).clone()]);
        while let Some(id) = open.pop() {
            if seen.insert(id.clone()) {
                open.extend(edges[&id].iter().cloned());
            }
        }
        for id in &seen {
            let used = names[id].as_str();
            assert!(
                !absent.split(' ').any(|name| name == used),
                "{name} reaches {used}, which its floor must not know"
            );
        }
    }
}

#[test]
fn an_authors_crate_compiles_nothing_but_the_few_crates_it_was_promised() {
    let (edges, names) = graph();
    let used: BTreeSet<&str> = edges[id_of(&names, "agent-abi")]
        .iter()
        .map(|id| names[id].as_str())
        .collect();
    assert_eq!(used, AUTHORS_DEPENDENCIES.iter().copied().collect());
}

#[test]
fn the_workspace_holds_the_crates_on_the_map_and_no_other() {
    let meta = metadata();
    let members: BTreeSet<String> = meta["packages"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|p| p["source"].is_null())
        .map(|p| text(&p["name"]))
        .collect();
    assert_eq!(
        members,
        FLOORS.iter().map(|(n, _)| (*n).to_owned()).collect()
    );
}

#[test]
fn the_top_level_holds_what_was_agreed_and_nothing_else() {
    let listed = Command::new("git")
        .args(["ls-files"])
        .current_dir(root())
        .output()
        .unwrap();
    let listed = String::from_utf8(listed.stdout).unwrap();
    let top: BTreeSet<&str> = listed
        .lines()
        .filter_map(|l| l.split('/').next())
        .filter(|n| !n.starts_with('.'))
        .collect();
    let agreed = [
        "Cargo.toml",
        "Cargo.lock",
        "README.md",
        "CHANGELOG.md",
        "CONTRIBUTING.md",
        "LICENSE-MIT",
        "LICENSE-APACHE",
        "agent-abi",
        "sample-agents",
        "real-agents",
        "tests",
        "tui",
    ];
    for name in top {
        assert!(
            agreed.contains(&name),
            "{name} does not belong on the top level"
        );
    }
}

fn sources(dir: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(dir).unwrap().flatten() {
        let path = entry.path();
        let name = entry.file_name();
        if path.is_dir() && name != "target" && !name.to_string_lossy().starts_with('.') {
            sources(&path, found);
        // A link in a package is a file that is read in its own place.
        } else if path.extension().is_some_and(|e| e == "rs") && !path.is_symlink() {
            found.push(path);
        }
    }
}

fn all_sources() -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    for dir in ["agent-abi", "sample-agents", "tui", "tests"] {
        sources(&root().join(dir), &mut found);
    }
    // Compile-fail cases are what an author types, mistakes included.
    found.retain(|p| {
        let p = p.strip_prefix(root()).unwrap();
        !p.components()
            .any(|c| c.as_os_str() == "ui" || c.as_os_str() == "fail")
            || p.starts_with("tui/ui")
    });
    found
        .into_iter()
        .map(|p| (p.clone(), std::fs::read_to_string(p).unwrap()))
        .collect()
}

#[test]
fn every_file_opens_with_its_purpose() {
    for (path, text) in all_sources() {
        assert!(
            text.starts_with("//!"),
            "{} does not open with `//!`",
            path.display()
        );
    }
}

#[test]
fn unsafe_code_lives_at_the_c_border_only() {
    let border = [
        root().join("agent-abi"),
        root().join("tui/host"),
        root().join("sample-agents"),
    ];
    for (path, text) in all_sources() {
        let named = text.contains("allow(unsafe_code)") || text.contains("unsafe {");
        let here = border.iter().any(|b| path.starts_with(b)) || path.ends_with("tests/tidy.rs");
        assert!(
            !named || here,
            "{} uses unsafe code away from the C border",
            path.display()
        );
    }
}

#[test]
fn the_core_knows_no_files_no_network_no_processes_no_threads_and_no_clock() {
    let core = root().join("tui/core/src");
    for (path, text) in all_sources()
        .into_iter()
        .filter(|(p, _)| p.starts_with(&core))
    {
        for word in [
            "std::fs",
            "std::net",
            "std::process",
            "std::thread",
            "std::time",
            "std::env",
        ] {
            assert!(
                !text.contains(word),
                "{} mentions {word}; the core only decides",
                path.display()
            );
        }
    }
}

/// Names of tests in a Markdown table, by the number of their row.
fn table_of_weaknesses() -> Vec<(usize, Vec<String>)> {
    let text = std::fs::read_to_string(root().join("tests/WEAKNESSES.md")).unwrap();
    let mut rows = Vec::new();
    for line in text.lines() {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        let Some(number) = cells.first().and_then(|c| c.parse().ok()) else {
            continue;
        };
        let tests = cells[cells.len() - 1].split(',');
        let tests = tests.map(|t| t.trim().trim_matches('`').to_owned());
        rows.push((number, tests.collect()));
    }
    rows
}

/// Whether a source holds a test of this name.
fn is_test(source: &str, name: &str) -> bool {
    let head = format!("fn {name}() {{");
    let Some((before, _)) = source.split_once(&head) else {
        return false;
    };
    let before = before.trim_end().trim_end_matches("async").trim_end();
    before.ends_with("#[test]") || before.ends_with("#[tokio::test]")
}

#[test]
fn the_table_of_weaknesses_names_tests_that_exist() {
    let rows = table_of_weaknesses();
    let numbers: Vec<usize> = rows.iter().map(|(number, _)| *number).collect();
    assert_eq!(numbers, (1..=28).collect::<Vec<_>>());
    let sources = all_sources();
    for (number, tests) in rows {
        for test in tests {
            let found = sources.iter().any(|(_, text)| is_test(text, &test));
            assert!(
                found,
                "row {number} names the test {test}, which is not there"
            );
        }
    }
}
