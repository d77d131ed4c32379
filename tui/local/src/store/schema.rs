//! Tables and indexes. Bulk loading creates the tables first and the indexes last.

use std::path::Path;

use rusqlite::Connection;

use crate::error::LocalError;

/// Raised whenever a table changes; a database of another version is not opened.
const VERSION: &str = "3";

const TABLES: &str = "
CREATE TABLE meta(key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE user(email TEXT PRIMARY KEY, key TEXT NOT NULL);
CREATE TABLE ontology(id INTEGER PRIMARY KEY, uuid BLOB NOT NULL UNIQUE, title TEXT NOT NULL,
    description TEXT NOT NULL, editor TEXT NOT NULL, created INTEGER NOT NULL, edited INTEGER NOT NULL);
CREATE TABLE dataset(id INTEGER PRIMARY KEY, uuid BLOB NOT NULL UNIQUE, folder BLOB NOT NULL,
    title TEXT NOT NULL, description TEXT NOT NULL, created INTEGER NOT NULL, edited INTEGER NOT NULL);
CREATE TABLE template(id INTEGER PRIMARY KEY, uuid BLOB NOT NULL UNIQUE, title TEXT NOT NULL, spec TEXT NOT NULL);
-- The number of a deleted project is never reused: a request in progress may still write with it.
CREATE TABLE project(id INTEGER PRIMARY KEY AUTOINCREMENT, uuid BLOB NOT NULL UNIQUE, title TEXT NOT NULL,
    description TEXT NOT NULL, ontology INTEGER NOT NULL, manager BLOB NOT NULL, spec TEXT NOT NULL,
    creator TEXT NOT NULL, created INTEGER NOT NULL, edited INTEGER NOT NULL, status TEXT NOT NULL DEFAULT 'inProgress');
CREATE TABLE project_dataset(project INTEGER NOT NULL, dataset INTEGER NOT NULL, PRIMARY KEY(project, dataset));
-- A dataset's own folder names its dataset.
CREATE TABLE folder(id INTEGER PRIMARY KEY, uuid BLOB NOT NULL UNIQUE, parent INTEGER, dataset INTEGER,
    name TEXT NOT NULL, description TEXT NOT NULL, metadata TEXT, created INTEGER NOT NULL, edited INTEGER NOT NULL);
-- One row per data unit; children of groups point to their group. item is the storage item's UUID unless
-- the hash implies it. An item is in its dataset's own folder, or in the given folder (its dataset is then
-- 0: it is in none). If folder is 0, the row is a further data unit of an item with a row elsewhere.
CREATE TABLE data(id INTEGER PRIMARY KEY, dataset INTEGER NOT NULL, parent INTEGER, position INTEGER NOT NULL,
    hash BLOB NOT NULL, item BLOB, kind INTEGER NOT NULL, title TEXT NOT NULL, description TEXT NOT NULL,
    source TEXT, mime TEXT, width INTEGER, height INTEGER, frames INTEGER, fps REAL, duration REAL, rate INTEGER,
    size INTEGER, metadata TEXT, created INTEGER NOT NULL, edited INTEGER NOT NULL, folder INTEGER);
-- stage is the number of the node in the project's workflow.
CREATE TABLE task(id INTEGER PRIMARY KEY, project INTEGER NOT NULL, data INTEGER NOT NULL,
    stage INTEGER NOT NULL, status INTEGER NOT NULL, priority REAL NOT NULL, assignee TEXT, actor TEXT,
    created INTEGER NOT NULL, updated INTEGER NOT NULL);
CREATE TABLE label(id INTEGER PRIMARY KEY, project INTEGER NOT NULL, data INTEGER NOT NULL, branch TEXT NOT NULL,
    hash BLOB NOT NULL, created INTEGER NOT NULL, edited INTEGER NOT NULL, creator TEXT NOT NULL, editor TEXT NOT NULL,
    objects TEXT NOT NULL, classes TEXT NOT NULL, actions TEXT NOT NULL, units TEXT NOT NULL, spaces TEXT NOT NULL,
    extra TEXT NOT NULL DEFAULT '{}', UNIQUE(project, data, branch));
-- Small records that only their own calls read: see `records`.
CREATE TABLE record(id INTEGER PRIMARY KEY, kind TEXT NOT NULL, scope BLOB NOT NULL, uuid BLOB NOT NULL,
    name TEXT NOT NULL, body TEXT NOT NULL, created INTEGER NOT NULL, edited INTEGER NOT NULL, UNIQUE(kind, scope, uuid));
";

const INDEXES: &str = "
CREATE UNIQUE INDEX data_hash ON data(hash);
CREATE INDEX data_item ON data(item) WHERE item IS NOT NULL;
CREATE INDEX data_dataset ON data(dataset);
CREATE INDEX data_parent ON data(parent, position) WHERE parent IS NOT NULL;
CREATE UNIQUE INDEX task_data ON task(project, data);
CREATE INDEX task_stage ON task(project, stage);
CREATE UNIQUE INDEX label_hash ON label(hash);
CREATE INDEX record_uuid ON record(kind, uuid);
";

/// Creates the tables.
pub(crate) fn create_tables(db: &Connection) -> Result<(), rusqlite::Error> {
    db.execute_batch(TABLES)?;
    db.execute(
        "INSERT INTO meta(key, value) VALUES ('version', ?1)",
        [VERSION],
    )?;
    Ok(())
}

/// Creates the indexes.
pub(crate) fn create_indexes(db: &Connection) -> Result<(), rusqlite::Error> {
    db.execute_batch(INDEXES)
}

/// Upgrades a database of an older version. Other files are left alone, for [`check`] to refuse.
pub(crate) fn upgrade(db: &Connection) -> Result<(), rusqlite::Error> {
    if matches!(meta(db, "version"), Ok(Some(version)) if version == "2") {
        db.execute_batch(
            "BEGIN; ALTER TABLE label ADD COLUMN extra TEXT NOT NULL DEFAULT '{}';
             UPDATE meta SET value = '3' WHERE key = 'version'; COMMIT;",
        )?;
    }
    Ok(())
}

/// Creates an empty database.
#[cfg(test)]
pub(crate) fn create(db: &Connection) -> Result<(), rusqlite::Error> {
    create_tables(db)?;
    create_indexes(db)
}

/// Refuses a file that is not a database of this version.
pub(crate) fn check(db: &Connection, path: &Path) -> Result<(), LocalError> {
    let found = meta(db, "version").map_err(|e| {
        LocalError::content(
            path,
            format!("not a database of a local project ({e}); choose another --data folder"),
        )
    })?;
    if found.as_deref() == Some(VERSION) {
        return Ok(());
    }
    Err(LocalError::content(
        path,
        format!(
            "the database has version {}, this program supports version {VERSION}; choose another --data folder",
            found.unwrap_or_else(|| "unknown".to_owned())
        ),
    ))
}

/// A setting that the server stores for itself.
pub(crate) fn meta(db: &Connection, key: &str) -> Result<Option<String>, rusqlite::Error> {
    use rusqlite::OptionalExtension as _;
    db.query_row("SELECT value FROM meta WHERE key = ?1", [key], |r| r.get(0))
        .optional()
}

/// Stores a setting of the server.
pub(crate) fn set_meta(db: &Connection, key: &str, value: &str) -> Result<(), rusqlite::Error> {
    db.execute(
        "INSERT OR REPLACE INTO meta(key, value) VALUES (?1, ?2)",
        [key, value],
    )?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_older_database_is_upgraded_and_a_newer_one_is_refused() {
        let db = Connection::open_in_memory().unwrap();
        create(&db).unwrap();
        db.execute_batch("ALTER TABLE label DROP COLUMN extra")
            .unwrap();
        set_meta(&db, "version", "2").unwrap();
        upgrade(&db).unwrap();
        check(&db, Path::new("project.db")).unwrap();
        db.execute_batch("SELECT extra FROM label").unwrap();
        set_meta(&db, "version", "4").unwrap();
        upgrade(&db).unwrap();
        let refusal = check(&db, Path::new("project.db")).unwrap_err();
        assert!(refusal.to_string().contains("version 4"), "{refusal}");
    }

    #[test]
    fn the_number_of_a_deleted_project_is_not_reused() {
        let db = Connection::open_in_memory().unwrap();
        create(&db).unwrap();
        let insert = || {
            db
                .execute(
                    "INSERT INTO project(uuid, title, description, ontology, manager, spec, creator, created, edited)
                     VALUES (x'00', '', '', 1, x'00', '', '', 0, 0)",
                    [],
                )
                .unwrap();
            db.last_insert_rowid()
        };
        let first = insert();
        crate::store::catalog::delete_project(&db, first).unwrap();
        assert!(insert() > first);
    }
}
