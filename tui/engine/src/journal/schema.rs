//! The form of the journal's database, and the way from older forms to this one.

use super::broken;
use rusqlite::{Connection, TransactionBehavior};
use wb_core::error::{Error, ErrorKind};

/// The log is copied into the database when it has 16 MB: entries of a batch lie all over its indexes, whose pages
/// would be copied again and again otherwise.
const SCHEMA: &str = "
PRAGMA synchronous = FULL;
PRAGMA wal_autocheckpoint = 4000;
CREATE TABLE IF NOT EXISTS op (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    project TEXT NOT NULL,
    kind TEXT NOT NULL,
    pid INTEGER NOT NULL,
    begun INTEGER NOT NULL,
    ended INTEGER,
    args TEXT NOT NULL,
    plan TEXT,
    undoes INTEGER
);
CREATE TABLE IF NOT EXISTS entry (
    id INTEGER PRIMARY KEY,
    project TEXT NOT NULL,
    task TEXT NOT NULL,
    pid INTEGER NOT NULL,
    begun INTEGER NOT NULL,
    intent TEXT NOT NULL,
    ended INTEGER,
    answer TEXT
);
CREATE TABLE IF NOT EXISTS tally (
    op INTEGER PRIMARY KEY,
    tasks INTEGER NOT NULL,
    done INTEGER NOT NULL,
    open INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS applied (
    plan TEXT NOT NULL,
    data TEXT NOT NULL,
    stage TEXT NOT NULL,
    PRIMARY KEY (plan, data, stage)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS open_entries ON entry (project) WHERE ended IS NULL;
";
/// What version 1 has beyond the first form.
const VERSION_1: &str = "
ALTER TABLE entry ADD COLUMN op INTEGER;
ALTER TABLE entry ADD COLUMN reverts INTEGER;
CREATE INDEX entries_of_op ON entry (op);
CREATE INDEX reverted ON entry (reverts) WHERE reverts IS NOT NULL;
PRAGMA user_version = 1;
";

/// What version 2 has beyond version 1: entries that are written in part.
const VERSION_2: &str = "
ALTER TABLE entry ADD COLUMN written INTEGER NOT NULL DEFAULT 0;
ALTER TABLE entry ADD COLUMN fault TEXT;
ALTER TABLE tally ADD COLUMN in_part INTEGER NOT NULL DEFAULT 0;
CREATE INDEX entries_of_task ON entry (project, task);
PRAGMA user_version = 2;
";
/// The version of this workbench.
const NEWEST: i64 = 2;

/// Brings a database to the form of this version.
///
/// # Errors
/// It cannot be written, or a newer workbench made it.
pub(super) fn bring(db: &mut Connection) -> Result<(), Error> {
    db.execute_batch(SCHEMA).map_err(|e| broken(&e))?;
    // Two processes may open a new folder at the same moment; one of them changes the form.
    let tx = db
        .transaction_with_behavior(TransactionBehavior::Immediate)
        .map_err(|e| broken(&e))?;
    let version: i64 = tx
        .query_row("PRAGMA user_version", [], |r| r.get(0))
        .map_err(|e| broken(&e))?;
    if version > NEWEST {
        let text = format!(
            "the journal in {} was written by a newer workbench (schema v{version}, supported: v{NEWEST}); nothing was changed",
            crate::files::state_folder().display()
        );
        return Err(
            Error::new(ErrorKind::Settings, text).hint("use the newer workbench that wrote it")
        );
    }
    for (since, change) in [(1, VERSION_1), (NEWEST, VERSION_2)] {
        if version < since {
            tx.execute_batch(change).map_err(|e| broken(&e))?;
        }
    }
    // No version of its own: whoever does not know the column leaves it empty and goes on with the words. A statement
    // sees what another process has changed since this one opened the file; `column_exists` may not.
    let columns = "SELECT count(*) FROM pragma_table_info('op') WHERE name = 'saved'";
    let found: i64 = tx
        .query_row(columns, [], |r| r.get(0))
        .map_err(|e| broken(&e))?;
    if found == 0 {
        tx.execute_batch("ALTER TABLE op ADD COLUMN saved TEXT")
            .map_err(|e| broken(&e))?;
    }
    tx.commit().map_err(|e| broken(&e))
}
