//! Who may write upstream: one file makes writers.

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
