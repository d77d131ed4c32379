//! Small records that only their own calls read: members, label reviews, issues, tags, groups,
//! collections, presets, upload jobs, and actions on tasks. Each has a kind, a scope (what it belongs
//! to), a UUID, a name, and a body as JSON.

use rusqlite::{Connection, Row, params};
use serde_json::Value;
use uuid::Uuid;

use crate::error::{Refusal, forbidden, not_found};
use crate::store::sql::Sql as _;
use crate::store::tx::Tx;

/// The kind of a record. In parentheses: its scope, if it does not belong to the whole server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RecordKind(&'static str);

impl RecordKind {
    /// A person with access (the project or dataset); the name is the address, the body the role.
    pub(crate) const MEMBER: Self = Self("member");
    /// The state of the review of one label (the task); the name is the label's hash.
    pub(crate) const REVIEW: Self = Self("review");
    /// A comment thread (the project).
    pub(crate) const ISSUE: Self = Self("issue");
    /// A tag for issues (the project).
    pub(crate) const ISSUE_TAG: Self = Self("issue tag");
    /// A tag for projects.
    pub(crate) const TAG: Self = Self("tag");
    /// A tag of a project (the project); UUID and name are the tag's.
    pub(crate) const TAG_USE: Self = Self("tag use");
    /// A group of people; the body lists them.
    pub(crate) const GROUP: Self = Self("group");
    /// Access of a group (the project, dataset, ontology or folder); the UUID is the group's.
    pub(crate) const GROUP_USE: Self = Self("group use");
    /// A collection of items (the folder).
    pub(crate) const COLLECTION: Self = Self("collection");
    /// A saved filter.
    pub(crate) const PRESET: Self = Self("preset");
    /// The organisation's schemas of client metadata.
    pub(crate) const METADATA_SCHEMA: Self = Self("metadata schema");
    /// A person of the organisation without a key.
    pub(crate) const PERSON: Self = Self("person");
    /// The result of an upload job (the folder or dataset).
    pub(crate) const JOB: Self = Self("job");
    /// An action on a task (the project).
    pub(crate) const ACTION: Self = Self("action");
}

/// What identifies one record.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RecordKey {
    kind: RecordKind,
    scope: Uuid,
    uuid: Uuid,
}

impl RecordKind {
    /// The record with this UUID in `scope`.
    pub(crate) fn of(self, scope: Uuid, uuid: Uuid) -> RecordKey {
        let kind = self;
        RecordKey { kind, scope, uuid }
    }

    /// The record with this UUID that belongs to the whole server.
    pub(crate) fn global(self, uuid: Uuid) -> RecordKey {
        self.of(EVERYWHERE, uuid)
    }
}

/// The scope of what belongs to the whole server.
pub(crate) const EVERYWHERE: Uuid = Uuid::nil();

/// One record.
#[derive(Debug, Clone)]
pub(crate) struct Record {
    pub id: i64,
    pub scope: Uuid,
    pub uuid: Uuid,
    pub name: String,
    pub body: Value,
    pub created: i64,
    pub edited: i64,
}

const COLUMNS: &str = "id, scope, uuid, name, body, created, edited";

fn read(row: &Row<'_>) -> Result<Record, rusqlite::Error> {
    let body: String = row.get(4)?;
    Ok(Record {
        id: row.get(0)?,
        scope: row.get(1)?,
        uuid: row.get(2)?,
        name: row.get(3)?,
        body: serde_json::from_str(&body).unwrap_or(Value::Null),
        created: row.get(5)?,
        edited: row.get(6)?,
    })
}

/// The UUID of a record that is identified by a text: a person by the address, a review by its label.
pub(crate) fn named(scope: Uuid, name: &str) -> Uuid {
    Uuid::new_v5(&scope, name.as_bytes())
}

/// The records of a kind in one scope, oldest first.
pub(crate) fn list(db: &Connection, kind: RecordKind, scope: Uuid) -> Result<Vec<Record>, Refusal> {
    let sql = format!("SELECT {COLUMNS} FROM record WHERE kind = ?1 AND scope = ?2 ORDER BY id");
    db.rows(&sql, params![kind.0, scope], read)
}

/// The records of a kind in all scopes.
pub(crate) fn all(db: &Connection, kind: RecordKind) -> Result<Vec<Record>, Refusal> {
    let sql = format!("SELECT {COLUMNS} FROM record WHERE kind = ?1 ORDER BY id");
    db.rows(&sql, [kind.0], read)
}

/// One record by its UUID, in any scope.
pub(crate) fn find(
    db: &Connection,
    kind: RecordKind,
    uuid: Uuid,
) -> Result<Option<Record>, Refusal> {
    let sql = format!("SELECT {COLUMNS} FROM record WHERE kind = ?1 AND uuid = ?2 LIMIT 1");
    db.row(&sql, params![kind.0, uuid], read)
}

/// One record by its UUID, or the refusal that clients expect.
pub(crate) fn required(db: &Connection, kind: RecordKind, uuid: Uuid) -> Result<Record, Refusal> {
    find(db, kind, uuid)?.ok_or_else(|| match kind {
        RecordKind::GROUP | RecordKind::TAG => not_found!("there is no {} {uuid}", kind.0),
        _ => forbidden!(
            "there is nothing with the UUID {uuid} on this server, or you have no access to it"
        ),
    })
}

/// Writes a record. One with the same key is replaced and keeps its position and creation time.
pub(crate) fn put(tx: &Tx<'_>, key: RecordKey, name: &str, body: &Value) -> Result<(), Refusal> {
    let RecordKey { kind, scope, uuid } = key;
    tx.run(
        "INSERT INTO record(kind, scope, uuid, name, body, created, edited) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6)
         ON CONFLICT(kind, scope, uuid) DO UPDATE SET name = ?4, body = ?5, edited = ?6",
        params![kind.0, scope, uuid, name, body.to_string(), tx.now],
    )?;
    Ok(())
}

/// Removes one record and returns whether it existed.
pub(crate) fn remove(db: &Connection, key: RecordKey) -> Result<bool, Refusal> {
    let sql = "DELETE FROM record WHERE kind = ?1 AND scope = ?2 AND uuid = ?3";
    Ok(db.run(sql, params![key.kind.0, key.scope, key.uuid])? > 0)
}

/// Removes the records with this UUID in all scopes: the uses of a tag or group that is deleted.
pub(crate) fn remove_everywhere(
    db: &Connection,
    kind: RecordKind,
    uuid: Uuid,
) -> Result<(), Refusal> {
    let sql = "DELETE FROM record WHERE kind = ?1 AND uuid = ?2";
    db.run(sql, params![kind.0, uuid])?;
    Ok(())
}

/// Removes all records in a scope.
pub(crate) fn forget(db: &Connection, scope: Uuid) -> Result<(), Refusal> {
    db.run("DELETE FROM record WHERE scope = ?1", [scope])?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::store::tests::scratch;

    #[tokio::test]
    async fn a_record_is_replaced_in_its_own_scope_and_keeps_its_position() {
        let (_folder, store) = scratch();
        let (here, there, tag) = (Uuid::from_u128(1), Uuid::from_u128(2), Uuid::from_u128(3));
        let work = move |tx: &Tx<'_>| {
            for (scope, name, now) in [(here, "one", 10), (there, "one", 11), (here, "two", 12)] {
                let tx = Tx::at(tx, "", now);
                put(&tx, RecordKind::TAG_USE.of(scope, tag), name, &json!(now))?;
            }
            let listed = list(tx, RecordKind::TAG_USE, here)?;
            remove_everywhere(tx, RecordKind::TAG_USE, tag)?;
            Ok((listed, all(tx, RecordKind::TAG_USE)?.len()))
        };
        let (listed, left) = store.write("", work).await.unwrap();
        assert_eq!(listed.len(), 1);
        let record = &listed[0];
        assert_eq!((record.name.as_str(), &record.body), ("two", &json!(12)));
        assert_eq!((record.created, record.edited, left), (10, 12, 0));
    }
}
