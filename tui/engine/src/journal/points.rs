//! Error points: named moments of a commit at which a test may have the process kill itself.
//!
//! In a debug build `WORKBENCH_KILL_AT=NAME` or `NAME:N` sends this process SIGKILL the first or
//! N-th time it comes by; a release build knows no such variable.

/// The points that only commits pass which make or delete items, after `begun`.
pub const ITEM_POINTS: [&str; 5] = ["unlinked", "files", "job", "uploads", "links"];

/// The points of every commit, in the order it passes them.
pub const POINTS: [&str; 13] = [
    "before-begin",
    "begun",
    "rows",
    "further-labels",
    "labels",
    "priorities",
    "metadata",
    "further-values",
    "issues",
    "further-moves",
    "moves",
    "answered",
    "ended",
];

/// The process passes a point.
#[cfg(debug_assertions)]
pub fn at(name: &'static str) {
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicU64, Ordering};
    static WANTED: OnceLock<Option<(String, u64)>> = OnceLock::new();
    static PASSED: AtomicU64 = AtomicU64::new(0);
    let wanted = WANTED.get_or_init(|| {
        let text = std::env::var("WORKBENCH_KILL_AT").ok()?;
        let (name, times) = text.split_once(':').unwrap_or((&text, "1"));
        assert!(
            POINTS.contains(&name) || ITEM_POINTS.contains(&name),
            "WORKBENCH_KILL_AT: there is no point \"{name}\""
        );
        Some((name.to_owned(), times.parse().unwrap_or(1)))
    });
    let Some((point, times)) = wanted else { return };
    if point == name && PASSED.fetch_add(1, Ordering::SeqCst) + 1 == *times {
        let _ =
            rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
        // The signal is on its way; nothing further may happen.
        loop {
            std::thread::park();
        }
    }
}

/// The process passes a point: nothing happens in a release build.
#[cfg(not(debug_assertions))]
pub fn at(_name: &'static str) {
    let _ = (POINTS, ITEM_POINTS);
}
