//! The generated parts of the README are what the program has: the picture of the screen, the filters
//! and the keys. `UPDATE_README=1 cargo test -p wb-ui readme` writes them anew.

use std::path::{Path, PathBuf};

fn readme() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../README.md")
}

/// Puts `part` between two marks; the text as it should be.
fn with_part(text: &str, begin: &str, end: &str, part: &str) -> String {
    let start = text
        .find(begin)
        .unwrap_or_else(|| panic!("no {begin} in the README"));
    let start = start + text[start..].find('\n').unwrap() + 1;
    let stop = start + text[start..].find(end).unwrap();
    format!("{}{part}{}", &text[..start], &text[stop..])
}

fn as_it_should_be(text: &str) -> String {
    let picture = include_str!("snapshots/wb_ui__tests__pictures__flow_ran_120x36.snap");
    let (_, picture) = picture.split_once("\n---\n").unwrap();
    let picture = format!("```text\n{}\n```\n", picture.trim_end());
    let text = with_part(text, "<!-- picture: flow", "<!-- end of picture", &picture);
    let mut forms = "| term | matches |\n|---|---|\n".to_owned();
    for (form, matches) in wb_core::filter::FORMS {
        forms.push_str(&format!("| `{form}` | {matches} |\n"));
    }
    let text = with_part(&text, "<!-- filters: ", "<!-- end of filters", &forms);
    with_part(
        &text,
        "<!-- keys: ",
        "<!-- end of keys",
        &crate::keys_markdown(&crate::Keymap::default()),
    )
}

#[test]
fn the_readme_shows_the_screen_the_filters_and_the_keys_as_they_are() {
    let text = std::fs::read_to_string(readme()).unwrap();
    let wanted = as_it_should_be(&text);
    if std::env::var_os("UPDATE_README").is_some() {
        std::fs::write(readme(), &wanted).unwrap();
    } else {
        assert!(
            text == wanted,
            "run UPDATE_README=1 cargo test -p wb-ui readme"
        );
    }
}
