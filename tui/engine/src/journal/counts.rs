//! The counts of operations that are over, kept so that a history of a million entries is listed as
//! quickly as a short one. A count is a copy: whatever writes to an operation again forgets it first.

use rusqlite::{Connection, OptionalExtension, Result, Transaction, params};
use std::collections::HashMap;

/// Counts of the entries of an operation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct OperationCounts {
    /// All.
    pub tasks: u64,
    /// Written.
    pub done: u64,
    /// Not over: without an answer, or written in part.
    pub open: u64,
    /// Of these, written in part.
    pub in_part: u64,
}

const COUNT: &str = "SELECT count(*), count(CASE WHEN answer = 'done' THEN 1 END),
    count(CASE WHEN ended IS NULL THEN 1 END),
    count(CASE WHEN ended IS NULL AND answer IS NOT NULL THEN 1 END) FROM entry WHERE op = ?1";

/// Keeps the counts of an operation that is over.
pub(super) fn keep(db: &Connection, op: i64) -> Result<()> {
    let sql = format!(
        "INSERT OR REPLACE INTO tally (op, tasks, done, open, in_part) SELECT ?1, * FROM ({COUNT})"
    );
    db.execute(&sql, params![op]).map(drop)
}

/// Entries of this operation are about to be added.
pub(super) fn forget(tx: &Transaction<'_>, op: i64) -> Result<()> {
    tx.execute("DELETE FROM tally WHERE op = ?1", [op])
        .map(drop)
}

/// The answer of this entry is about to be noted, perhaps long after its operation was over.
pub(super) fn forget_of(tx: &Transaction<'_>, entry: i64) -> Result<()> {
    let sql = "DELETE FROM tally WHERE op = (SELECT op FROM entry WHERE id = ?1)";
    tx.prepare_cached(sql)?.execute([entry]).map(drop)
}

/// The counts of an operation, kept or made now.
pub(super) fn of(db: &Connection, op: i64) -> Result<OperationCounts> {
    let read = |r: &rusqlite::Row<'_>| {
        Ok(OperationCounts {
            tasks: r.get(0)?,
            done: r.get(1)?,
            open: r.get(2)?,
            in_part: r.get(3)?,
        })
    };
    let sql = "SELECT tasks, done, open, in_part FROM tally WHERE op = ?1";
    let kept = db.prepare_cached(sql)?.query_row([op], read).optional()?;
    match kept {
        Some(kept) => Ok(kept),
        None => db.prepare_cached(COUNT)?.query_row([op], read),
    }
}

/// How many entries of each operation were taken back.
pub(super) fn undone(db: &Connection) -> Result<HashMap<i64, u64>> {
    let mut select = db.prepare(
        "SELECT e.op, count(DISTINCT e.id) FROM entry r JOIN entry e ON e.id = r.reverts
         WHERE r.reverts IS NOT NULL AND r.answer = 'done' AND e.answer = 'done'
         GROUP BY e.op",
    )?;
    let rows = select.query_map([], |r| Ok((r.get(0)?, r.get(1)?)))?;
    rows.collect()
}
