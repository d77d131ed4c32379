//! The generated parts of README.md and REFERENCE.md match the program: the picture of the screen, the
//! filters and the keys. `UPDATE_README=1 cargo test -p wb-ui readme` rewrites them.

use std::path::{Path, PathBuf};

fn document(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

/// The text with `part` between two marks.
fn with_part(text: &str, begin: &str, end: &str, part: &str) -> String {
    let start = text
        .find(begin)
        .unwrap_or_else(|| panic!("there is no {begin}"));
    let start = start + text[start..].find('\n').unwrap() + 1;
    let stop = start + text[start..].find(end).unwrap();
    format!("{}{part}{}", &text[..start], &text[stop..])
}

fn with_picture(text: &str) -> String {
    let picture = include_str!("snapshots/wb_ui__tests__pictures__flow_ran_120x36.snap");
    let (_, picture) = picture.split_once("\n---\n").unwrap();
    let picture = format!("```text\n{}\n```\n", picture.trim_end());
    with_part(text, "<!-- picture: flow", "<!-- end of picture", &picture)
}

fn with_tables(text: &str) -> String {
    let mut forms = "| term | matches |\n|---|---|\n".to_owned();
    for (form, matches) in wb_core::filter::FORMS {
        forms.push_str(&format!("| `{form}` | {matches} |\n"));
    }
    let text = with_part(text, "<!-- filters: ", "<!-- end of filters", &forms);
    let keys = crate::keys_markdown(&crate::Keymap::default());
    with_part(&text, "<!-- keys: ", "<!-- end of keys", &keys)
}

fn check(path: &Path, current: impl Fn(&str) -> String) {
    let text = std::fs::read_to_string(path).unwrap();
    let wanted = current(&text);
    if std::env::var_os("UPDATE_README").is_some() {
        std::fs::write(path, &wanted).unwrap();
    } else {
        assert!(
            text == wanted,
            "run UPDATE_README=1 cargo test -p wb-ui readme"
        );
    }
}

#[test]
fn the_readme_shows_the_screen_as_it_is() {
    check(&document("../../README.md"), with_picture);
}

#[test]
fn the_reference_beside_the_readme_lists_filters_and_keys() {
    check(&document("../REFERENCE.md"), with_tables);
}
