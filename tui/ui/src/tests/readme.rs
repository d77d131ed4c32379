//! The pictures and the generated parts of README.md and REFERENCE.md match the program: the screen, the
//! filters and the keys. `UPDATE_README=1 cargo test -p wb-ui readme` rewrites them.

use crate::fixture::picture::{Shown, key, picture};
use crate::{Keymap, Theme};
use std::path::{Path, PathBuf};

/// Keys that differ from the defaults: action and key.
type Keys = &'static [(&'static str, &'static str)];

/// The pictures of the documentation, by the names of their files.
const PICTURES: [(&str, Theme, Keys); 5] = [
    ("dark", Theme::Dark, &[]),
    ("light", Theme::Light, &[]),
    ("high-contrast", Theme::HighContrast, &[]),
    ("16", Theme::Sixteen, &[]),
    (
        "keys",
        Theme::Dark,
        &[("review", "F9"), ("step-the-first", "F6")],
    ),
];

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
    let keys = crate::keys_markdown(&Keymap::default());
    with_part(&text, "<!-- keys: ", "<!-- end of keys", &keys)
}

fn check(path: &Path, current: impl Fn(&str) -> String) {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let updated = current(&text);
    if std::env::var_os("UPDATE_README").is_some() {
        std::fs::write(path, &updated).unwrap();
    } else {
        assert!(
            text == updated,
            "{}: run UPDATE_README=1 cargo test -p wb-ui readme",
            path.display()
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

#[test]
fn the_pictures_of_the_documentation_show_the_screen_as_it_is() {
    for (name, theme, keys) in PICTURES {
        let keys = keys.iter().map(|(action, name)| key(action, name));
        let (keymap, warnings) = Keymap::new(None, &keys.collect::<Vec<_>>());
        assert_eq!(warnings, [""; 0]);
        let shown = Shown {
            theme,
            ..Shown::default()
        };
        let path = document(&format!("../pictures/{name}.svg"));
        check(&path, |_| picture(&shown, keymap.clone()));
    }
}
