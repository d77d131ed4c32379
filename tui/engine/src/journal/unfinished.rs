//! Entries that are not over: without an answer, or written in part.
//!
//! An entry without an answer was sent, or was about to be, when its process died or the platform was lost.
//! One that is written in part has an answer: a step was refused after others had been written. Both stay
//! open until somebody finishes them or takes back what was written; until then no agent runs for their task.

use super::{Journal, broken, counts};
use rusqlite::{Connection, Transaction, TransactionBehavior, params};
use std::collections::{HashMap, HashSet};
use wb_core::error::{Error, ErrorKind};
use wb_core::ids::{ProjectHash, TaskId};
use wb_core::ledger::{Answered, Before, OpenEntry, Scope};
use wb_core::work::{Committed, Written};

/// An entry that is not over, without what was to be written: that may be megabytes of labels.
struct Row {
    id: i64,
    task: Option<TaskId>,
    by: i64,
    answer: Option<String>,
    written: Written,
    error: Option<String>,
    op_undone: Option<i64>,
}

impl Row {
    fn refused(&self) -> Option<Error> {
        let answer = self.answer.as_ref()?;
        let read = self.error.as_deref().map(serde_json::from_str::<Error>);
        // An error that cannot be read is reported by its text.
        Some(match read {
            Some(Ok(error)) => error,
            _ => Error::new(ErrorKind::Upstream, answer.clone()),
        })
    }

    /// The entry with what was to be written.
    fn open(&self, db: &Connection) -> Result<OpenEntry, Error> {
        let refused = self.refused();
        let sql = "SELECT intent FROM entry WHERE id = ?1";
        let intent: String = db
            .prepare_cached(sql)
            .and_then(|mut select| select.query_row([self.id], |r| r.get(0)))
            .map_err(|e| broken(&e))?;
        let change = serde_json::from_str(&intent).map_err(|e| {
            Error::new(
                ErrorKind::Settings,
                format!(
                    "entry {} of the journal in {} cannot be read: {e}",
                    self.id,
                    crate::files::state_folder().display()
                ),
            )
            .hint("nothing was written; a newer workbench may have made it")
        })?;
        Ok(OpenEntry {
            id: self.id,
            change,
            written: self.written,
            refused,
        })
    }
}

/// The entries of a project that are not over.
const OPEN: &str = "SELECT id FROM entry WHERE ended IS NULL AND project = ?1";
/// The same with what is known of them, in the order they were noted. One that is being taken back is left to
/// the entry that does so.
const OPEN_ROWS: &str = "SELECT e.id, e.pid, e.answer, e.written, e.fault, e.task, t.op
    FROM entry e LEFT JOIN entry t ON t.id = e.reverts
    WHERE e.ended IS NULL AND e.project = ?1
    AND NOT EXISTS (SELECT 1 FROM entry r WHERE r.reverts = e.id AND r.ended IS NULL)
    ORDER BY e.id";

impl Journal {
    /// Entries of a project that are not over, but for those that this process is writing.
    fn rows(&self, db: &Connection, project: ProjectHash) -> rusqlite::Result<Vec<Row>> {
        let (project, busy) = (project.to_string(), self.busy());
        // Usually there are no others. Each batch asks, so that the index has to do as an answer.
        let mut ids = db.prepare_cached(OPEN)?;
        let mut ids = ids.query_map([&project], |r| r.get(0))?;
        if ids.all(|id| id.is_ok_and(|id: i64| busy.contains(&id))) {
            return Ok(Vec::new());
        }
        let mut select = db.prepare_cached(OPEN_ROWS)?;
        let rows = select.query_map([&project], |r| {
            Ok(Row {
                id: r.get(0)?,
                by: r.get(1)?,
                answer: r.get(2)?,
                written: Written::from_bits(r.get(3)?),
                error: r.get(4)?,
                task: r.get::<_, String>(5)?.parse().ok(),
                op_undone: r.get(6)?,
            })
        })?;
        let others =
            |row: &rusqlite::Result<Row>| row.as_ref().map_or(true, |row| !busy.contains(&row.id));
        rows.filter(others).collect()
    }

    /// Whether nobody is at an entry: it has an answer, its process is gone, or this process is through with it.
    fn is_free(&self, row: &Row) -> bool {
        row.answer.is_some() || row.by == self.me || !self.alive(row.by)
    }

    /// Entries that are not over and that nobody is at.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn open_entries(&self, project: ProjectHash) -> Result<Vec<OpenEntry>, Error> {
        let db = self.db();
        let rows = self.rows(&db, project).map_err(|e| broken(&e))?;
        let free = rows.iter().filter(|row| self.is_free(row));
        free.map(|row| row.open(&db)).collect()
    }

    /// The same, for this process to finish: no other one takes them up. They have no answer again until
    /// [`Journal::end`] notes one.
    ///
    /// # Errors
    /// The database cannot be written.
    pub fn claim(&self, project: ProjectHash, scope: &Scope) -> Result<Vec<OpenEntry>, Error> {
        let mut db = self.db();
        if self.rows(&db, project).map_err(|e| broken(&e))?.is_empty() {
            return Ok(Vec::new());
        }
        let tx = db
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(|e| broken(&e))?;
        let mut claimed = Vec::new();
        for row in self.rows(&tx, project).map_err(|e| broken(&e))? {
            if !self.is_free(&row) {
                continue;
            }
            let answered = row.answer.is_some();
            let wanted = match scope {
                Scope::All => true,
                Scope::Unanswered => !answered,
                Scope::UndosOf(op) => row.op_undone == Some(*op),
                Scope::Tasks { tasks, except } => {
                    let ours = row.task.is_some_and(|task| tasks.contains(&task));
                    answered && ours && !except.contains(&row.id)
                }
            };
            if wanted {
                claimed.push(row.open(&tx)?);
                self.take(&tx, row.id).map_err(|e| broken(&e))?;
            }
        }
        tx.commit().map_err(|e| broken(&e))?;
        self.busy().extend(claimed.iter().map(|open| open.id));
        Ok(claimed)
    }

    fn take(&self, tx: &Transaction<'_>, id: i64) -> rusqlite::Result<()> {
        tx.prepare_cached("UPDATE entry SET pid = ?2, answer = NULL, fault = NULL WHERE id = ?1")?
            .execute([id, self.me])
            .map(drop)
    }

    /// Undos of an operation that are not over and that nobody is at.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn open_undos(&self, project: ProjectHash, op: i64) -> Result<Vec<OpenEntry>, Error> {
        let db = self.db();
        let rows = self.rows(&db, project).map_err(|e| broken(&e))?;
        let of = |row: &&Row| row.op_undone == Some(op) && self.is_free(row);
        rows.iter().filter(of).map(|row| row.open(&db)).collect()
    }

    /// Why no agent may run for these tasks now, by task.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn unfinished(
        &self,
        project: ProjectHash,
        tasks: &HashSet<TaskId>,
    ) -> Result<HashMap<TaskId, Error>, Error> {
        let mut found = HashMap::new();
        for row in self.rows(&self.db(), project).map_err(|e| broken(&e))? {
            if let Some(task) = row.task
                && tasks.contains(&task)
                && self.is_free(&row)
            {
                found.insert(task, row.refused().unwrap_or_else(no_answer));
            }
        }
        Ok(found)
    }

    /// Gives up finishing what is written in part and was changed by somebody else since, of these tasks or of
    /// all: what stands there is what the agents are given from now on.
    ///
    /// # Errors
    /// The database cannot be written.
    pub fn release_conflicts(
        &self,
        project: ProjectHash,
        of: Option<&[TaskId]>,
        now_ms: i64,
    ) -> Result<(), Error> {
        let mut db = self.db();
        let tx = db
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(|e| broken(&e))?;
        for row in self.rows(&tx, project).map_err(|e| broken(&e))? {
            let theirs = (row.answer.as_ref()).is_some_and(|a| a.starts_with("conflict: "));
            let wanted = row
                .task
                .is_some_and(|task| of.is_none_or(|of| of.contains(&task)));
            if theirs && wanted {
                counts::forget_of(&tx, row.id)
                    .and_then(|()| {
                        let sql = "UPDATE entry SET ended = ?2, fault = NULL WHERE id = ?1";
                        tx.execute(sql, params![row.id, now_ms])
                    })
                    .map_err(|e| broken(&e))?;
            }
        }
        tx.commit().map_err(|e| broken(&e))
    }

    /// Notes the answers of entries.
    ///
    /// # Errors
    /// The entries stay open; the next start asks upstream what arrived.
    pub fn end(&self, answers: &[Answered], now_ms: i64) -> Result<(), Error> {
        let noted = self.note_answers(answers, now_ms);
        let mut busy = self.busy();
        for answer in answers {
            busy.remove(&answer.entry);
        }
        noted.map_err(|e| broken(&e))
    }

    fn note_answers(&self, answers: &[Answered], now_ms: i64) -> rusqlite::Result<()> {
        let mut db = self.db();
        // A transaction that reads before it writes fails at once when another process has written between.
        let tx = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let undo = any_reverts(&tx, answers)?;
        for answer in answers {
            if answer.before != Before::New {
                counts::forget_of(&tx, answer.entry)?;
            }
            note_answer(&tx, answer, now_ms)?;
            if undo && matches!(answer.result, Committed::Done) {
                taken_back(&tx, answer.entry, now_ms)?;
            }
        }
        tx.commit()
    }
}

/// Whether one of these entries, or of those between them, takes another one back.
fn any_reverts(tx: &Transaction<'_>, answers: &[Answered]) -> rusqlite::Result<bool> {
    let sql = "SELECT EXISTS (SELECT 1 FROM entry INDEXED BY reverted WHERE reverts IS NOT NULL AND id BETWEEN ?1 AND ?2)";
    let ids = || answers.iter().map(|answer| answer.entry);
    tx.prepare_cached(sql)?
        .query_row([ids().min(), ids().max()], |r| r.get(0))
}

fn note_answer(tx: &Transaction<'_>, answer: &Answered, now_ms: i64) -> rusqlite::Result<()> {
    let id = answer.entry;
    let text = match &answer.result {
        Committed::Done => "done".to_owned(),
        // Its process has moved it, before it died.
        Committed::AlreadyMoved if answer.before == Before::Unanswered => "done".to_owned(),
        Committed::AlreadyMoved => "already moved".to_owned(),
        Committed::Conflict { by } => {
            let error = Error::new(ErrorKind::Conflict, by.clone());
            if stays_with_labels(tx, id, &error)? {
                return Ok(());
            }
            format!("conflict: {by}")
        }
        // The step that was sent last may have been applied: there is no answer.
        Committed::Partial { written, error } if error.kind == ErrorKind::Network => {
            let sql = "UPDATE entry SET written = written | ?2 WHERE id = ?1";
            let mut update = tx.prepare_cached(sql)?;
            return update.execute(params![id, written.bits()]).map(drop);
        }
        Committed::Partial { written, error } => {
            return keep_open(
                tx,
                id,
                &match error.kind {
                    ErrorKind::Conflict => format!("conflict: {}", error.summary),
                    _ => format!("in part: {}", error.summary),
                },
                *written,
                error,
            );
        }
        // An unreachable platform may have received it: the entry stays open.
        Committed::Refused(f) if f.kind == ErrorKind::Network => return Ok(()),
        Committed::Refused(f) => format!("refused: {}", f.summary),
    };
    tx.prepare_cached("UPDATE entry SET ended = ?2, answer = ?3, fault = NULL WHERE id = ?1")?
        .execute(params![id, now_ms, text])
        .map(drop)
}

/// An outcome of which labels or further changes stand, and whose row somebody else changed since, stays open: on top of it
/// no agent may run. Taking something back never needs that.
fn stays_with_labels(tx: &Transaction<'_>, id: i64, error: &Error) -> rusqlite::Result<bool> {
    let sql = "SELECT written FROM entry WHERE id = ?1 AND reverts IS NULL";
    let mut rows = tx.prepare_cached(sql)?;
    let written = rows.query_map([id], |r| r.get(0))?.next().transpose()?;
    let written = Written::from_bits(written.unwrap_or(0));
    if !written.labels && written.further == 0 {
        return Ok(false);
    }
    let answer = format!("conflict: {}", error.summary);
    keep_open(tx, id, &answer, Written::default(), error).map(|()| true)
}

fn keep_open(
    tx: &Transaction<'_>,
    id: i64,
    answer: &str,
    written: Written,
    error: &Error,
) -> rusqlite::Result<()> {
    let error = serde_json::to_string(error).ok();
    tx.prepare_cached(
        "UPDATE entry SET answer = ?2, written = written | ?3, fault = ?4 WHERE id = ?1",
    )?
    .execute(params![id, answer, written.bits(), error])
    .map(drop)
}

/// Entry `id` is done: what it takes back is over, if it was not before.
fn taken_back(tx: &Transaction<'_>, id: i64, now_ms: i64) -> rusqlite::Result<()> {
    let sql = "UPDATE entry SET ended = ?2, answer = 'taken back', fault = NULL
               WHERE id = (SELECT reverts FROM entry WHERE id = ?1) AND ended IS NULL RETURNING id";
    let mut update = tx.prepare_cached(sql)?;
    let closed: Option<i64> = update
        .query_map(params![id, now_ms], |r| r.get(0))?
        .next()
        .transpose()?;
    closed.map_or(Ok(()), |closed| counts::forget_of(tx, closed))
}

fn no_answer() -> Error {
    let text =
        "an earlier write of this task has no answer yet, so its agent was not run on top of it";
    Error::new(ErrorKind::Upstream, text)
        .hint("`workbench resume` looks up what arrived and finishes it")
}
