//! `tests/PROMISES.md` names, for each promise, tests that exist: `file.rs: test_name` for Rust,
//! `file.py: test_name` for the suite of Python clients; several are separated by commas.

use std::path::{Path, PathBuf};

use crate::{all_sources, root};

/// How a row has to look.
const FORM: &str = "| point | what was tried | before | after | test |";

/// What is wrong with a table, in words; each source is a path and its text.
fn mistakes(table: &str, sources: &[(PathBuf, String)]) -> Vec<String> {
    let mut found = Vec::new();
    let rows = table
        .lines()
        .enumerate()
        .filter(|(_, l)| l.starts_with('|'));
    for (number, line) in rows.skip(2) {
        let place = format!("line {}", number + 1);
        let inner = line.trim_end().trim_start_matches('|').strip_suffix('|');
        let cells: Vec<&str> = inner
            .unwrap_or_default()
            .split('|')
            .map(str::trim)
            .collect();
        let [point, tried, before, after, tests] = cells[..] else {
            found.push(format!(
                "{place} has {} cells, not those of `{FORM}`",
                cells.len()
            ));
            continue;
        };
        if [point, tried, before, after].iter().any(|c| c.is_empty()) {
            found.push(format!("{place} has an empty cell"));
        }
        let mut file = "";
        for named in tests.split(',').map(|t| t.trim().trim_matches('`').trim()) {
            let (of, name) = named.split_once(':').unwrap_or((file, named));
            file = of.trim();
            if let Some(why) = missing(file, name.trim(), sources) {
                found.push(format!(
                    "{place} (point {point}) names the test {named:?}: {why}"
                ));
            }
        }
    }
    found
}

/// Why there is no such test.
fn missing(file: &str, name: &str, sources: &[(PathBuf, String)]) -> Option<String> {
    if file.is_empty() || name.is_empty() {
        return Some("it is not written as `file.rs: test_name`".to_owned());
    }
    let here: Vec<_> = sources.iter().filter(|(p, _)| p.ends_with(file)).collect();
    if here.is_empty() {
        return Some(format!("there is no file {file}"));
    }
    // A Rust test may be named with its modules.
    let name = name.rsplit("::").next().unwrap_or(name);
    let there = |(path, text): &&(PathBuf, String)| match path.extension() {
        Some(py) if py == "py" => is_python_test(text, name),
        _ => is_rust_test(text, name),
    };
    let lost = !here.iter().any(there);
    lost.then(|| format!("{file} has no test of this name"))
}

fn is_python_test(text: &str, name: &str) -> bool {
    let head = format!("def {name}(");
    name.starts_with("test_") && text.lines().any(|l| l.trim_start().starts_with(&head))
}

/// Whether a function of this name carries `#[test]`, `#[tokio::test]` or the like.
fn is_rust_test(text: &str, name: &str) -> bool {
    let head = format!("fn {name}(");
    text.match_indices(&head).any(|(at, _)| {
        // Beside `fn` there is only `async`; above are attributes, some of several lines, and comments.
        let (above, beside) = text[..at].rsplit_once('\n').unwrap_or(("", &text[..at]));
        let is_test = |l: &str| {
            l == "#[test]"
                || l.starts_with("#[test_log")
                || l.contains("::test]")
                || l.contains("::test(")
        };
        matches!(beside.trim(), "" | "async")
            && above
                .lines()
                .rev()
                .map(str::trim)
                .take_while(|l| !l.is_empty() && *l != "}" && !l.ends_with(';'))
                .any(|l| l.starts_with("#[") && is_test(l))
    })
}

fn python(dir: &Path, found: &mut Vec<(PathBuf, String)>) {
    for entry in std::fs::read_dir(dir).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            python(&path, found);
        } else if path.extension().is_some_and(|e| e == "py") {
            let text = std::fs::read_to_string(&path).unwrap();
            found.push((path, text));
        }
    }
}

#[test]
fn the_table_of_promises_names_tests_that_exist() {
    let table = std::fs::read_to_string(root().join("tests/PROMISES.md")).unwrap();
    assert!(
        table.lines().any(|l| l == FORM),
        "the table begins with `{FORM}`"
    );
    let mut sources = all_sources();
    python(&root().join("tests"), &mut sources);
    let wrong = mistakes(&table, &sources);
    assert!(wrong.is_empty(), "tests/PROMISES.md:\n{}", wrong.join("\n"));
}

#[test]
fn an_incomplete_row_is_reported() {
    let source = |path: &str, text: &str| (PathBuf::from(path), text.to_owned());
    let sources = [
        source(
            "tests/e2e/run.rs",
            "#[test]\nfn one() {\n}\n\n#[cfg(unix)]\n#[tokio::test(flavor = \"multi_thread\")]\nasync fn two() {\n}\n\
             \nfn helper() {\n}\n",
        ),
        source(
            "tests/conformance/test_x.py",
            "def test_three(server):\n    pass\n\ndef four():\n    pass\n",
        ),
    ];
    let of = |cells: &str| {
        mistakes(
            &format!("{FORM}\n|---|---|---|---|---|\n| 1 | a | b | c | {cells} |\n"),
            &sources,
        )
    };
    for right in [
        "run.rs: one",
        "`e2e/run.rs: two`, `test_x.py: test_three`",
        "run.rs: one, two",
        "run.rs: run::two",
    ] {
        assert_eq!(of(right), [""; 0], "{right}");
    }
    for (wrong, words) in [
        ("run.rs: three", "run.rs has no test of this name"),
        ("run.rs: helper", "run.rs has no test of this name"),
        ("test_x.py: four", "test_x.py has no test of this name"),
        ("gone.rs: one", "there is no file gone.rs"),
        ("one", "file.rs: test_name"),
        ("", "file.rs: test_name"),
        ("run.rs: one | more", "6 cells"),
    ] {
        let found = of(wrong);
        assert!(
            found.len() == 1 && found[0].contains(words),
            "{wrong}: {found:?}"
        );
        assert!(found[0].starts_with("line 3"), "{found:?}");
    }
}
