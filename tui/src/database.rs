//! The databases of a folder, which several commands may open at the same moment.

use rusqlite::{Connection, ErrorCode};
use std::path::Path;
use std::time::{Duration, Instant};

/// How long another process may keep the database.
const WAIT: Duration = Duration::from_secs(10);
/// Time between two tries where SQLite itself does not wait.
const NAP: Duration = Duration::from_millis(2);

/// Opens a database with a write-ahead log, made when missing.
///
/// # Errors
/// As SQLite has it; busy only after ten seconds.
pub fn open(path: &Path) -> rusqlite::Result<Connection> {
    let db = Connection::open(path)?;
    db.busy_timeout(WAIT)?;
    let until = Instant::now() + WAIT;
    loop {
        // Two that change a new file to this mode at once stand in each other's way: SQLite sees that
        // waiting would not help and refuses one of them.
        match db.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(())) {
            Err(error) if busy(&error) && Instant::now() < until => std::thread::sleep(NAP),
            other => return other.map(|()| db),
        }
    }
}

fn busy(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked)
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Barrier;

    #[test]
    fn many_may_open_a_new_database_at_the_same_moment() {
        for round in 0..40 {
            let dir = tempfile::tempdir().unwrap();
            let path = dir.path().join("new.db");
            let start = Barrier::new(6);
            std::thread::scope(|scope| {
                for _ in 0..6 {
                    scope.spawn(|| {
                        start.wait();
                        let opened = open(&path);
                        assert!(opened.is_ok(), "round {round}: {opened:?}");
                    });
                }
            });
        }
    }
}
