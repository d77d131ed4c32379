//! The databases of a folder, which several commands may open at the same moment.

use crate::files;
use rusqlite::{Connection, ErrorCode, OpenFlags};
use std::path::Path;
use std::time::{Duration, Instant};

/// How long another process may keep the database.
const WAIT: Duration = Duration::from_secs(10);
/// Time between two tries where SQLite itself does not wait.
const NAP: Duration = Duration::from_millis(2);

/// Opens a database with a write-ahead log, made when missing. Its log has the mode of the database file.
///
/// # Errors
/// As SQLite has it; busy only after ten seconds.
pub fn open(path: &Path) -> rusqlite::Result<Connection> {
    regular(path)?;
    // SQLite itself reports a file that cannot be made.
    let _ = files::private().create(true).open(path);
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

/// Opens a database to read it, in a folder that may not be written.
///
/// # Errors
/// As SQLite has it.
pub fn open_to_read(path: &Path) -> rusqlite::Result<Connection> {
    regular(path)?;
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI;
    let db = Connection::open_with_flags(path, flags)?;
    db.busy_timeout(WAIT)?;
    let readable = |db: &Connection| db.query_row("PRAGMA schema_version", [], |_| Ok(()));
    if readable(&db).is_ok() {
        return Ok(db);
    }
    // Without its log, which needs files beside it: nobody else can write here either.
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let escaped = absolute
        .to_string_lossy()
        .replace('%', "%25")
        .replace('?', "%3f");
    let uri = format!("file:{}?immutable=1", escaped.replace('#', "%23"));
    let db = Connection::open_with_flags(uri, flags)?;
    readable(&db).map(|()| db)
}

/// Refuses what is there and is not a regular file: opening a named pipe would wait for its writer.
fn regular(path: &Path) -> rusqlite::Result<()> {
    if path.metadata().is_ok_and(|meta| !meta.is_file()) {
        let error = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_CANTOPEN);
        let text = format!("{} is not a regular file", path.display());
        return Err(rusqlite::Error::SqliteFailure(error, Some(text)));
    }
    Ok(())
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
    fn a_database_and_its_log_are_for_their_owner_whatever_the_umask() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.db");
        let db = open(&path).unwrap();
        db.execute_batch("CREATE TABLE t (x); INSERT INTO t VALUES (1)")
            .unwrap();
        for name in ["a.db", "a.db-wal", "a.db-shm"] {
            let mode = dir.path().join(name).metadata().unwrap().permissions();
            assert_eq!(mode.mode() & 0o777, 0o600, "{name}");
        }
        let other = open_to_read(&path).unwrap();
        let n: i64 = other
            .query_row("SELECT x FROM t", [], |r| r.get(0))
            .unwrap();
        assert_eq!(n, 1);
    }

    #[test]
    fn a_named_pipe_in_place_of_a_database_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let pipe = dir.path().join("a.db");
        let mode = rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR;
        rustix::fs::mkfifoat(rustix::fs::CWD, &pipe, mode).unwrap();
        for opened in [open(&pipe), open_to_read(&pipe)] {
            let error = opened.unwrap_err().to_string();
            assert!(error.contains("is not a regular file"), "{error}");
        }
    }

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
