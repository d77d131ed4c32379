//! Who may write upstream: one file makes writers, and one type notes what they send.

use crate::{all_sources, root};

#[test]
fn only_one_file_makes_writers() {
    let maker = root().join("tui/engine/src/upstream.rs");
    let ours = [root().join("tui/engine/src"), root().join("tui/src")];
    for (path, text) in all_sources() {
        assert!(
            path == maker
                || !ours.iter().any(|o| path.starts_with(o))
                || !text.contains("Permission::"),
            "{} makes a writer; only upstream.rs may",
            path.display()
        );
    }
}

#[test]
fn only_the_journal_is_a_ledger() {
    let journal = root().join("tui/engine/src/journal/mod.rs");
    for (path, text) in all_sources() {
        let test = path.starts_with(root().join("tests"))
            || path.to_string_lossy().contains("/tests/support/");
        assert!(
            path == journal || test || !text.contains("Ledger for "),
            "{} is a ledger of its own: writes that it notes are in no journal",
            path.display()
        );
    }
}
