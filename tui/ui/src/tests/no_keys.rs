//! Keys come from the keymap alone: no text of the screen or of the engine names one.

use std::path::Path;

/// What a text with a key in it goes on with: `R tries again`.
const SHOWN_ACTIONS: &str = "shows tries opens steps stops runs goes finishes retries takes clears commits \
    reviews keeps discards undoes watches lists asks selects continues calls kills answers";

/// The string literals of a source, without its tests.
fn literals(text: &str) -> Vec<String> {
    let text = text.split("#[cfg(test)]").next().unwrap_or_default();
    let code: Vec<&str> = text
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .collect();
    let code = code.join("\n").replace("\\\"", "'");
    code.split('"')
        .skip(1)
        .step_by(2)
        .map(str::to_owned)
        .collect()
}

/// The part of a text that names a key, if there is one.
fn key_in(text: &str) -> Option<String> {
    // `--limit N` is a value, not a key.
    let words: Vec<&str> = text.split_whitespace().collect();
    if words.iter().any(|word| word.starts_with("--")) {
        return None;
    }
    let letter = |word: &str| word.len() == 1 && word.bytes().all(|b| b.is_ascii_alphabetic());
    words.windows(2).find_map(|pair| {
        let shown = || Some(pair.join(" "));
        match (pair[0], pair[1].trim_end_matches([',', ';', '.'])) {
            (key, word) if letter(key) && SHOWN_ACTIONS.split_whitespace().any(|w| w == word) => {
                shown()
            }
            ("press" | "Press" | "key", key) if letter(key) => shown(),
            (_, word) if word.len() == 3 && word.starts_with('(') && word.ends_with(')') => {
                letter(&word[1..2]).then(|| word.to_owned())
            }
            _ => None,
        }
    })
}

fn visit(dir: &Path, found: &mut Vec<String>) {
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() {
            if !matches!(name.as_str(), "tests" | "fixture" | "local" | "target") {
                visit(&path, found);
            }
        } else if name.ends_with(".rs") && name != "tests.rs" {
            let text = std::fs::read_to_string(&path).unwrap();
            let named = literals(&text).into_iter().filter_map(|text| key_in(&text));
            found.extend(named.map(|key| format!("{}: {key}", path.display())));
            // Marks of a table have the style of keys.
            let styled = text.lines().filter(|line| line.contains("\", st.key)"));
            let styled = styled.filter(|line| !line.contains('●'));
            found.extend(styled.map(|line| format!("{}: {}", path.display(), line.trim())));
        }
    }
}

#[test]
fn a_text_that_names_a_key_is_found() {
    assert_eq!(
        key_in("next: b shows the builds").as_deref(),
        Some("b shows")
    );
    assert_eq!(key_in("held for review (v)").as_deref(), Some("(v)"));
    assert_eq!(key_in("press R to list").as_deref(), Some("press R"));
    assert_eq!(key_in("a task runs on pathway (1)"), None);
}

#[test]
fn no_text_names_a_key() {
    let tui = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut found = Vec::new();
    for dir in ["ui/src", "core/src", "src"] {
        visit(&tui.join(dir), &mut found);
    }
    assert!(
        found.is_empty(),
        "name the action instead, as {{key:Review}}:\n{}",
        found.join("\n")
    );
}

#[test]
fn every_placeholder_names_an_action() {
    let mut all = Vec::new();
    let tui = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut dirs = vec![tui.join("ui/src"), tui.join("core/src")];
    while let Some(dir) = dirs.pop() {
        for entry in std::fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                dirs.push(path);
            } else {
                all.extend(literals(&std::fs::read_to_string(path).unwrap_or_default()));
            }
        }
    }
    for text in all {
        for part in text.split("{key:").skip(1) {
            let name = part.split('}').next().unwrap();
            assert!(
                crate::Action::from_variant(name).is_some() || matches!(name, "" | "…"),
                "{name} in {text}"
            );
        }
    }
}
