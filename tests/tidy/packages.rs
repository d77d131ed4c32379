//! The two crates that authors depend on can be published: nothing in them reaches out of its package. That they
//! compile as packages is left to `.ci/run`.

use crate::{all_sources, root};
use std::path::{Component, Path};

const PUBLISHED: [&str; 2] = ["agent-abi/macros", "agent-abi"];

/// What `#[path = "…"]` and `include_str!("…")` name in a source, relative to the file.
fn named_files(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    for opening in [
        "#[path = \"",
        "include!(\"",
        "include_str!(\"",
        "include_bytes!(\"",
    ] {
        let after = text.split(opening).skip(1);
        found.extend(after.filter_map(|rest| rest.split('"').next()));
    }
    found
}

/// Whether a file named in a file of a package is outside that package.
fn leaves(file: &Path, named: &str) -> bool {
    let mut depth = file.components().count() as i64 - 1;
    for part in Path::new(named).components() {
        match part {
            Component::ParentDir => depth -= 1,
            Component::Normal(_) => depth += 1,
            Component::CurDir => {}
            Component::RootDir | Component::Prefix(_) => return true,
        }
        if depth < 0 {
            return true;
        }
    }
    false
}

#[test]
fn a_path_that_leaves_its_package_is_found() {
    assert!(leaves(
        Path::new("src/lib.rs"),
        "../../src/model/suggest.rs"
    ));
    assert!(leaves(Path::new("src/lib.rs"), "/etc/passwd"));
    assert!(!leaves(Path::new("src/lib.rs"), "../README.md"));
    assert!(!leaves(Path::new("src/model/x.rs"), "../../tests/x.txt"));
    let text = "#[path = \"a.rs\"]\nmod a;\nconst B: &str = include_str!(\"../b\");";
    assert_eq!(named_files(text), ["a.rs", "../b"]);
}

#[test]
fn published_crates_name_no_file_outside_their_package() {
    let mut seen = 0;
    for (path, text) in all_sources() {
        let path = path.strip_prefix(root()).unwrap();
        let Some(file) = PUBLISHED.iter().find_map(|p| path.strip_prefix(p).ok()) else {
            continue;
        };
        for named in named_files(&text) {
            assert!(
                !leaves(file, named),
                "{} names {named}, which is not in its package; a symbolic link in the package is",
                path.display()
            );
            seen += 1;
        }
    }
    assert!(seen > 0, "nothing was read");
}
