//! Which tasks were put on which queue from this folder, so that none is put there twice. Two commands that push at the same
//! moment wait for each other.

use crate::database;
use rusqlite::{Connection, Transaction, TransactionBehavior, params};
use std::collections::HashSet;
use std::path::Path;
use wb_core::error::{Error, ErrorKind};
use wb_core::ids::{StageId, TaskId};

/// Its file in the state folder.
const FILE: &str = "pushed.db";

/// What was pushed to one queue.
pub struct Pushed {
    db: Connection,
    queue: String,
}

/// Some tasks that are about to be pushed. Nobody else pushes meanwhile.
pub struct PushedPage<'p> {
    transaction: Transaction<'p>,
    queue: &'p str,
    stage: StageId,
    /// Those that were pushed before.
    pub known: HashSet<TaskId>,
}

fn broken(error: &rusqlite::Error) -> Error {
    let text = format!("the record of pushed tasks ({FILE}) cannot be used: {error}");
    Error::new(ErrorKind::Settings, text)
}

impl Pushed {
    /// Opens the record of a queue, which is named with its broker.
    ///
    /// # Errors
    /// The file cannot be opened.
    pub fn open(dir: &Path, queue: String) -> Result<Self, Error> {
        let db = database::open(&dir.join(FILE)).map_err(|e| broken(&e))?;
        let made = db.execute_batch(
            "CREATE TABLE IF NOT EXISTS pushed (queue TEXT, stage TEXT, task TEXT, PRIMARY KEY (queue, stage, task)) WITHOUT ROWID",
        );
        made.map_err(|e| broken(&e))?;
        Ok(Self { db, queue })
    }

    /// Which of these tasks were pushed before, when they waited at this stage.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn page(&mut self, stage: StageId, tasks: &[TaskId]) -> Result<PushedPage<'_>, Error> {
        let immediate = TransactionBehavior::Immediate;
        let begun = self.db.transaction_with_behavior(immediate);
        let transaction = begun.map_err(|e| broken(&e))?;
        let known = known(&transaction, &self.queue, stage, tasks).map_err(|e| broken(&e))?;
        Ok(PushedPage {
            transaction,
            queue: &self.queue,
            stage,
            known,
        })
    }

    /// Nothing of the queue was pushed.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn forget(&self) -> Result<(), Error> {
        let removed = self
            .db
            .execute("DELETE FROM pushed WHERE queue = ?1", [&self.queue]);
        removed.map(drop).map_err(|e| broken(&e))
    }
}

fn known(
    db: &Connection,
    queue: &str,
    stage: StageId,
    tasks: &[TaskId],
) -> rusqlite::Result<HashSet<TaskId>> {
    let sql = "SELECT 1 FROM pushed WHERE queue = ?1 AND stage = ?2 AND task = ?3";
    let mut select = db.prepare_cached(sql)?;
    let mut known = HashSet::new();
    for task in tasks {
        if select.exists(params![queue, stage.to_string(), task.to_string()])? {
            known.insert(*task);
        }
    }
    Ok(known)
}

impl PushedPage<'_> {
    /// Notes that these were pushed.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn note(self, tasks: impl Iterator<Item = TaskId>) -> Result<(), Error> {
        let write = || -> rusqlite::Result<()> {
            let sql = "INSERT OR IGNORE INTO pushed VALUES (?1, ?2, ?3)";
            let mut insert = self.transaction.prepare_cached(sql)?;
            for task in tasks {
                insert.execute(params![
                    self.queue,
                    self.stage.to_string(),
                    task.to_string()
                ])?;
            }
            Ok(())
        };
        write().map_err(|e| broken(&e))?;
        self.transaction.commit().map_err(|e| broken(&e))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    #[test]
    fn a_task_is_known_for_its_queue_and_stage_until_the_queue_is_emptied() {
        let dir = tempfile::tempdir().unwrap();
        let [one, two] = [1, 2].map(|n| TaskId(Uuid::from_u128(n)));
        let [here, there] = [3, 4].map(|n| StageId(Uuid::from_u128(n)));
        let open = |queue: &str| Pushed::open(dir.path(), queue.to_owned()).unwrap();
        let mut queue = open("a");
        let page = queue.page(here, &[one, two]).unwrap();
        assert!(page.known.is_empty());
        page.note([one].into_iter()).unwrap();
        // What is not noted was not pushed.
        drop(queue.page(here, &[two]).unwrap());
        let known = |queue: &mut Pushed, stage| queue.page(stage, &[one, two]).unwrap().known;
        assert_eq!(known(&mut open("a"), here), HashSet::from([one]));
        assert!(known(&mut queue, there).is_empty());
        assert!(known(&mut open("b"), here).is_empty());
        queue.forget().unwrap();
        assert!(known(&mut queue, here).is_empty());
    }
}
