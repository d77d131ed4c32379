//! The journal: every write is noted before it is sent and completed after its answer.
//!
//! SQLite under `.workbench/`. Entries are never changed but for their answer and what is known to be written. An *operation* is
//! one command that wrote (a run, an apply, an undo) with its entries, one for each task. After a
//! crash the entries without an answer are those that had begun; sending them again is safe, because a
//! commit looks first whether its labels are already there and its task has already left.

mod alive;
mod counts;
mod history;
pub mod points;
mod prune;
#[cfg(test)]
#[path = "refusal_tests.rs"]
mod refusals;
mod schema;
#[cfg(test)]
mod settle_tests;
#[cfg(test)]
mod tests;
mod unfinished;

pub use prune::Keep;

use crate::saved::{CommandRequest, SavedCommand};
use crate::{database, files};
use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior, params};
use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use wb_core::error::{Error, ErrorKind};
use wb_core::ids::{Millis, ProjectHash};
use wb_core::ledger::{Change, Ledger};

/// The journal of one folder. Cheap to clone.
#[derive(Clone)]
pub struct Journal {
    db: Arc<Mutex<Connection>>,
    dir: Arc<PathBuf>,
    /// The name of this process in the journal.
    me: i64,
    /// The operation that writes through this handle belong to; without one each commit is its own.
    /// Where both are locked, this comes before the database.
    op: Arc<Mutex<Current>>,
    /// Entries that this process is writing at this moment.
    busy: Arc<Mutex<HashSet<i64>>>,
    /// The file of the database when it was opened: device and number.
    file: (u64, u64),
}

/// The operation of a handle.
#[derive(Default)]
enum Current {
    /// None.
    #[default]
    None,
    /// Begins with its first write.
    Planned(Box<Operation>, Vec<String>),
    /// Has begun.
    Begun(i64),
}

/// A command that is going to write.
#[derive(Clone, Debug, Default)]
pub struct Operation {
    /// `run`, `exec`, `apply`, `undo`, `commit`.
    pub kind: &'static str,
    /// The plan that is applied.
    pub plan: Option<String>,
    /// The operation that is taken back.
    pub undoes: Option<i64>,
    /// The interrupted operation that this one goes on with: it stays one operation.
    pub goes_on: Option<i64>,
    /// What it was asked, for `resume`.
    pub saved: Option<SavedCommand>,
}

impl From<SavedCommand> for Operation {
    fn from(command: SavedCommand) -> Self {
        Self {
            kind: match &command.request {
                CommandRequest::Run(_) => "run",
                CommandRequest::Apply(_) => "apply",
                CommandRequest::Undo(_) => "undo",
            },
            saved: Some(command),
            ..Self::default()
        }
    }
}

/// The database, in the folder of the journal.
pub const FILE: &str = "journal.db";

impl Journal {
    /// Opens the journal of a folder, made when missing.
    ///
    /// # Errors
    /// The database cannot be opened or written, or a newer workbench made it.
    pub fn open(dir: &Path) -> Result<Self, Error> {
        let path = dir.join(FILE);
        let mut db = database::open(&path).map_err(|e| broken(&e))?;
        schema::bring(&mut db)?;
        Ok(Self {
            file: alive::identity(&path).unwrap_or_default(),
            busy: Arc::default(),
            db: Arc::new(Mutex::new(db)),
            dir: Arc::new(dir.to_owned()),
            me: alive::me(dir),
            op: Arc::default(),
        })
    }

    fn db(&self) -> MutexGuard<'_, Connection> {
        // A panic while the lock was held leaves at most a rolled-back transaction behind.
        self.db.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn busy(&self) -> MutexGuard<'_, HashSet<i64>> {
        self.busy.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is noted in a file that has lost its name is lost with this process.
    fn is_there(&self) -> Result<(), Error> {
        if alive::identity(&self.dir.join(FILE)) == Some(self.file) {
            return Ok(());
        }
        let text = format!(
            "{} was removed or replaced while this command runs; nothing more is written",
            self.dir.join(FILE).display()
        );
        Err(Error::new(ErrorKind::Settings, text)
            .hint("what was written before stays written; run again: a new journal is made"))
    }

    fn current(&self) -> MutexGuard<'_, Current> {
        self.op.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is written from now on belongs to this operation. `args` are the words of the command.
    ///
    /// # Errors
    /// The journal cannot be written; then nothing may be written upstream.
    pub fn operate(
        &self,
        project: ProjectHash,
        operation: &Operation,
        args: &[String],
        now_ms: i64,
    ) -> Result<i64, Error> {
        let mut current = self.current();
        let mut db = self.db();
        let tx = db
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(|e| broken(&e))?;
        let id = match operation.goes_on {
            Some(id) => self.adopt(&tx, project, id)?,
            None => insert_op(&tx, self.me, project, operation, args, now_ms)?,
        };
        tx.commit().map_err(|e| broken(&e))?;
        *current = Current::Begun(id);
        Ok(id)
    }

    /// Makes an interrupted operation this process's own. It is open all the while, so that a further
    /// crash at any moment leaves it interrupted.
    fn adopt(&self, tx: &Transaction<'_>, project: ProjectHash, id: i64) -> Result<i64, Error> {
        let by: i64 = tx
            .query_row(
                "SELECT pid FROM op WHERE id = ?1 AND project = ?2 AND ended IS NULL",
                params![id, project.to_string()],
                |r| r.get(0),
            )
            .optional()
            .map_err(|e| broken(&e))?
            .filter(|by| *by == self.me || !self.alive(*by))
            .ok_or_else(|| {
                let text = format!("another process goes on with operation {id} already");
                Error::new(ErrorKind::Usage, text).hint("workbench journal")
            })?;
        tracing::info!(id, by, "going on");
        counts::forget(tx, id).map_err(|e| broken(&e))?;
        tx.execute("UPDATE op SET pid = ?2 WHERE id = ?1", [id, self.me])
            .map_err(|e| broken(&e))?;
        Ok(id)
    }

    /// A handle whose writes belong to an operation of their own, which begins with the first of them.
    #[must_use]
    pub fn under(&self, operation: Operation, args: Vec<String>) -> Self {
        Self {
            op: Arc::new(Mutex::new(Current::Planned(Box::new(operation), args))),
            ..self.clone()
        }
    }

    /// Whether a process of this name lives.
    fn alive(&self, name: i64) -> bool {
        alive::alive(&self.dir, name)
    }

    /// The operation is complete; one that wrote nothing is forgotten. What was left of the same command when it
    /// was interrupted before is over as well.
    pub fn close(&self, now_ms: i64) {
        let Current::Begun(id) = std::mem::take(&mut *self.current()) else {
            return;
        };
        let db = self.db();
        if let Err(error) = self.close_earlier(&db, id, now_ms) {
            tracing::error!("{}", broken(&error));
        }
        let closed = db
            .execute("UPDATE op SET ended = ?2 WHERE id = ?1", params![id, now_ms])
            .and_then(|_| db.execute("DELETE FROM op WHERE id = ?1 AND id NOT IN (SELECT op FROM entry WHERE op = ?1)", [id]))
            .and_then(|gone| if gone == 0 { counts::keep(&db, id) } else { Ok(()) });
        if let Err(error) = closed {
            tracing::error!("{}", broken(&error));
        }
    }

    /// Ends interrupted operations before this one that were begun by the same words.
    fn close_earlier(&self, db: &Connection, id: i64, now_ms: i64) -> rusqlite::Result<()> {
        let mut select = db.prepare(
            "SELECT e.id, e.pid FROM op e JOIN op o ON o.id = ?1
             WHERE e.id < o.id AND e.ended IS NULL AND e.args <> '[]' AND o.undoes IS NULL
             AND (e.project, e.kind, e.args, e.plan IS o.plan) = (o.project, o.kind, o.args, 1)",
        )?;
        let found = select.query_map([id], |r| Ok((r.get(0)?, r.get(1)?)))?;
        for earlier in found.collect::<rusqlite::Result<Vec<(i64, i64)>>>()? {
            let (earlier, by) = earlier;
            if by == self.me || !self.alive(by) {
                db.execute("UPDATE op SET ended = ?2 WHERE id = ?1", [earlier, now_ms])?;
            }
        }
        Ok(())
    }

    /// An operation that wrote nothing is forgotten; another one stays open.
    pub fn leave(&self) {
        let Current::Begun(id) = std::mem::take(&mut *self.current()) else {
            return;
        };
        let sql = "DELETE FROM op WHERE id = ?1 AND id NOT IN (SELECT op FROM entry WHERE op = ?1)";
        if let Err(error) = self.db().execute(sql, [id]) {
            tracing::error!("{}", broken(&error));
        }
    }

    /// The present operation takes this one back.
    ///
    /// # Errors
    /// The journal cannot be written; then nothing may be written upstream.
    pub fn undoes(&self, op: i64) -> Result<(), Error> {
        if let Current::Begun(id) = *self.current() {
            self.db()
                .execute("UPDATE op SET undoes = ?2 WHERE id = ?1", [id, op])
                .map_err(|e| broken(&e))?;
        }
        Ok(())
    }

    /// Tasks that other living processes are writing.
    fn others(
        &self,
        tx: &Transaction<'_>,
        project: ProjectHash,
    ) -> rusqlite::Result<HashSet<String>> {
        let sql = "SELECT task, pid FROM entry WHERE ended IS NULL AND answer IS NULL AND project = ?1 AND pid <> ?2";
        let mut select = tx.prepare_cached(sql)?;
        let rows = select.query_map(params![project.to_string(), self.me], |r| {
            Ok((r.get(0)?, r.get(1)?))
        })?;
        let mut lives: HashMap<i64, bool> = HashMap::new();
        let mut tasks = HashSet::new();
        for row in rows {
            let (task, by): (String, i64) = row?;
            if *lives.entry(by).or_insert_with(|| self.alive(by)) {
                tasks.insert(task);
            }
        }
        Ok(tasks)
    }

    /// Notes what is to be written; `None` for tasks that other processes are writing.
    fn insert_entries(
        &self,
        tx: &Transaction<'_>,
        project: ProjectHash,
        op: i64,
        changes: &[Change],
        now_ms: i64,
    ) -> Result<Vec<Option<i64>>, Error> {
        let others = self.others(tx, project).map_err(|e| broken(&e))?;
        let project = project.to_string();
        let sql = "INSERT INTO entry (project, task, pid, begun, intent, op, reverts) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
        let mut insert = tx.prepare_cached(sql).map_err(|e| broken(&e))?;
        let mut ids = Vec::with_capacity(changes.len());
        for change in changes {
            let task = change.task.to_string();
            if others.contains(&task) {
                ids.push(None);
                continue;
            }
            let intent = serde_json::to_string(&change.brief())
                .map_err(|e| Error::new(ErrorKind::Bug, format!("a journal entry: {e}")))?;
            let id = insert.insert(params![
                project,
                task,
                self.me,
                now_ms,
                intent,
                op,
                change.reverts
            ]);
            ids.push(Some(id.map_err(|e| broken(&e))?));
        }
        Ok(ids)
    }
}

impl Ledger for Journal {
    fn record(
        &self,
        project: ProjectHash,
        changes: &[Change],
        now: Millis,
    ) -> Result<Vec<Option<i64>>, Error> {
        self.is_there()?;
        let mut current = self.current();
        let mut db = self.db();
        let tx = db
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(|e| broken(&e))?;
        let commit = Operation {
            kind: "commit",
            ..Operation::default()
        };
        let op = match &*current {
            Current::Begun(op) => *op,
            Current::Planned(operation, args) => {
                insert_op(&tx, self.me, project, operation, args, now.0)?
            }
            Current::None => insert_op(&tx, self.me, project, &commit, &[], now.0)?,
        };
        counts::forget(&tx, op).map_err(|e| broken(&e))?;
        let ids = self.insert_entries(&tx, project, op, changes, now.0)?;
        tx.commit().map_err(|e| broken(&e))?;
        if matches!(*current, Current::Planned(..)) {
            *current = Current::Begun(op);
        }
        self.busy().extend(ids.iter().flatten());
        Ok(ids)
    }

    fn holds(&self, entry: i64) -> bool {
        self.busy().contains(&entry)
    }
}

fn insert_op(
    tx: &Transaction<'_>,
    me: i64,
    project: ProjectHash,
    operation: &Operation,
    args: &[String],
    now_ms: i64,
) -> Result<i64, Error> {
    let args = serde_json::to_string(args).unwrap_or_default();
    let saved = operation.saved.as_ref().map(serde_json::to_string);
    let saved = saved.transpose().map_err(|e| {
        let text = format!("the command cannot be noted in the journal: {e}");
        Error::new(ErrorKind::Usage, text).hint("a path that is not UTF-8 cannot be kept")
    })?;
    tx.execute(
        "INSERT INTO op (project, kind, pid, begun, args, plan, undoes, saved) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        params![project.to_string(), operation.kind, me, now_ms, args, operation.plan, operation.undoes, saved],
    )
    .map_err(|e| broken(&e))?;
    Ok(tx.last_insert_rowid())
}

fn broken(error: &rusqlite::Error) -> Error {
    let folder = files::state_folder();
    let text = format!(
        "the journal in {} cannot be used: {error}",
        folder.display()
    );
    let error = Error::new(ErrorKind::Settings, text).hint(
        "what could not be noted was not written; make room on the disk, or start in another folder",
    );
    files::advice_if_full(&folder)
        .into_iter()
        .fold(error, Error::hint)
}
