//! Forgetting: operations that are over, the oldest first. What is unfinished is never forgotten, and that
//! a plan was applied stays known when nothing else of its operation is.

use super::{Journal, broken, counts};
use rusqlite::{TransactionBehavior, params};
use std::collections::HashSet;
use std::time::Duration;
use wb_core::error::Error;
use wb_core::journal::Op;

/// What is kept.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Keep {
    /// This many operations, the newest.
    Newest(usize),
    /// Those that began within this time.
    Within(Duration),
}

impl Journal {
    /// The operations that would be forgotten, the oldest first.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn prunable(&self, keep: Keep, now_ms: i64) -> Result<Vec<Op>, Error> {
        let ops = self.ops()?;
        let all: HashSet<i64> = ops.iter().map(|op| op.id).collect();
        let (newest, within) = match keep {
            Keep::Newest(n) => (n, i64::MAX),
            Keep::Within(time) => (0, i64::try_from(time.as_millis()).unwrap_or(i64::MAX)),
        };
        let over = ops.len().saturating_sub(newest);
        let since = match keep {
            Keep::Newest(_) => i64::MAX,
            Keep::Within(_) => now_ms.saturating_sub(within),
        };
        let mut forgotten: HashSet<i64> = HashSet::new();
        let mut old = Vec::new();
        for op in ops.into_iter().take(over) {
            let finished = !op.interrupted && !op.under_way && op.open == 0;
            // Without the undo its target would seem to stand again.
            let holds = (op.undoes).is_some_and(|of| all.contains(&of) && !forgotten.contains(&of));
            if finished && !holds && op.began.0 < since {
                forgotten.insert(op.id);
                old.push(op);
            }
        }
        Ok(old)
    }

    /// Forgets these operations with their entries, and gives the room back.
    ///
    /// # Errors
    /// The database cannot be written; then nothing is forgotten.
    pub fn prune(&self, ops: &[Op]) -> Result<(), Error> {
        let mut db = self.db();
        let tx = db
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(|e| broken(&e))?;
        for op in ops {
            tx.execute(
                "INSERT OR IGNORE INTO applied
                 SELECT o.plan, json_extract(e.intent, '$.data'), json_extract(e.intent, '$.stage')
                 FROM entry e JOIN op o ON o.id = e.op
                 WHERE o.id = ?1 AND o.plan IS NOT NULL AND e.answer IN ('done', 'already moved')",
                params![op.id],
            )
            .and_then(|_| tx.execute("DELETE FROM entry WHERE op = ?1", [op.id]))
            .and_then(|_| tx.execute("DELETE FROM op WHERE id = ?1", [op.id]))
            .map_err(|e| broken(&e))?;
            counts::forget(&tx, op.id).map_err(|e| broken(&e))?;
        }
        tx.commit().map_err(|e| broken(&e))?;
        // Room is only given back while no other process reads; the next time will do as well.
        if let Err(error) = db.execute_batch("VACUUM; PRAGMA wal_checkpoint(TRUNCATE);") {
            tracing::warn!("{}", broken(&error));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::Operation;
    use wb_core::ids::ProjectHash;

    fn ids(ops: &[Op]) -> Vec<i64> {
        ops.iter().map(|op| op.id).collect()
    }

    #[test]
    fn only_what_is_over_is_forgotten_and_an_undo_not_before_its_target() {
        let dir = tempfile::tempdir().unwrap();
        let project = ProjectHash(uuid::Uuid::from_u128(9));
        let journal = Journal::open(dir.path()).unwrap();
        let begin = |n: i64, kind, undoes| {
            let operation = Operation {
                kind,
                undoes,
                ..Operation::default()
            };
            let id = journal.operate(project, &operation, &[], n).unwrap();
            let sql = "INSERT INTO entry (project, task, pid, begun, intent, op, ended, answer) VALUES ('p', 't', 1, 1, '{}', ?1, ?2, 'done')";
            let ended = (n != 2).then_some(n);
            journal.db().execute(sql, params![id, ended]).unwrap();
            if n != 2 {
                journal.close(n);
            }
            id
        };
        // The second has a write without an answer; the fourth takes it back.
        let all: Vec<i64> = [
            (1, "run", None),
            (2, "run", None),
            (3, "run", None),
            (4, "undo", Some(2)),
            (5, "undo", Some(3)),
            (6, "run", None),
        ]
        .into_iter()
        .map(|(n, kind, undoes)| begin(n, kind, undoes))
        .collect();
        let of = |keep| ids(&journal.prunable(keep, 100).unwrap());
        assert_eq!(of(Keep::Newest(1)), [all[0], all[2], all[4]]);
        assert_eq!(of(Keep::Newest(5)), [all[0]]);
        assert_eq!(of(Keep::Newest(9)), [0; 0]);
        let recent = Keep::Within(Duration::from_millis(96));
        assert_eq!(of(recent), [all[0], all[2]], "begun before 4");
        journal
            .prune(&journal.prunable(Keep::Newest(1), 100).unwrap())
            .unwrap();
        assert_eq!(ids(&journal.ops().unwrap()), [all[1], all[3], all[5]]);
    }
}
