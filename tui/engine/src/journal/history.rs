//! Reading the journal back: operations, and what of them can be taken back.

use super::{Change, Journal, broken, counts};
use crate::saved::SavedCommand;
use rusqlite::OptionalExtension;
use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::sync::{Arc, Mutex};
use wb_core::error::{Error, ErrorKind};
use wb_core::ids::{DataHash, Millis, PathwayId, ProjectHash, StageId, TaskId};
use wb_core::journal::{Entry, Op};
use wb_core::ledger::{MAX_BYTES, StandingEntry};
use wb_core::work::Written;

/// Whether entry `e` was taken back.
const REVERTED: &str =
    "EXISTS (SELECT 1 FROM entry r WHERE r.reverts = e.id AND r.answer = 'done')";

/// Whether somebody is taking entry `e` back, or has begun to.
const REVERTING: &str = "EXISTS (SELECT 1 FROM entry r WHERE r.reverts = e.id AND r.ended IS NULL)";

/// Whether entry `e` wrote something: all of it, or a part.
const WROTE: &str = "(e.answer IN ('done', 'already moved')
    OR e.ended IS NULL AND e.answer IS NOT NULL AND e.written <> 0)";

fn seen(change: &Change, answer: Option<String>, undone: bool) -> Entry {
    Entry {
        task: change.task,
        title: change.title.to_string(),
        from: change.stage,
        to: change.to,
        labels: change.labels_after.is_some(),
        priority: change.priority,
        metadata: change.metadata.is_some(),
        answer,
        undone,
    }
}

impl Journal {
    /// Opens the journal of a folder that cannot be written, to list what is in it.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn open_to_read(path: &Path) -> Result<Self, Error> {
        let db = crate::database::open_to_read(path).map_err(|e| broken(&e))?;
        Ok(Self {
            db: Arc::new(Mutex::new(db)),
            dir: Arc::new(path.parent().unwrap_or(Path::new("")).to_owned()),
            file: super::alive::identity(path).unwrap_or_default(),
            me: i64::from(std::process::id()),
            busy: Arc::default(),
            op: Arc::default(),
        })
    }

    /// The number of this handle's operation, once it has begun.
    #[must_use]
    pub fn number(&self) -> Option<i64> {
        match *self.current() {
            super::Current::Begun(id) => Some(id),
            _ => None,
        }
    }

    /// All operations, the oldest first.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn ops(&self) -> Result<Vec<Op>, Error> {
        let sql =
            "SELECT id, project, kind, begun, ended, pid, args, plan, undoes FROM op ORDER BY id";
        let db = self.db();
        let undone = counts::undone(&db).map_err(|e| broken(&e))?;
        let mut select = db.prepare(sql).map_err(|e| broken(&e))?;
        let rows = select.query_map([], |r| {
            let (ended, by): (Option<i64>, i64) = (r.get(4)?, r.get(5)?);
            let lives = self.alive(by);
            let kind: String = r.get(2)?;
            let args: String = r.get(6)?;
            let id = r.get(0)?;
            let counts = counts::of(&db, id)?;
            Ok(Op {
                id,
                project: r.get(1)?,
                here: false,
                began: Millis(r.get(3)?),
                // The screen's commits are not commands that could go on.
                interrupted: ended.is_none() && kind != "commit" && (by == self.me || !lives),
                under_way: ended.is_none() && lives,
                kind,
                words: serde_json::from_str(&args).unwrap_or_default(),
                plan: r.get(7)?,
                undoes: r.get(8)?,
                tasks: counts.tasks,
                done: counts.done,
                open: counts.open,
                in_part: counts.in_part,
                undone: undone.get(&id).copied().unwrap_or(0),
            })
        });
        rows.and_then(Iterator::collect).map_err(|e| broken(&e))
    }

    /// All operations as a person looks at them, the newest first.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn view(&self, project: ProjectHash) -> Result<Vec<Op>, Error> {
        let mut ops = self.ops()?;
        ops.reverse();
        let project = project.to_string();
        for op in &mut ops {
            op.here = op.project == project;
            op.interrupted &= !op.under_way;
        }
        Ok(ops)
    }

    /// What the command of an operation was asked; `None`: only its words were kept.
    ///
    /// # Errors
    /// The database cannot be read, or a newer workbench wrote it.
    pub fn saved(&self, op: i64) -> Result<Option<SavedCommand>, Error> {
        let sql = "SELECT saved FROM op WHERE id = ?1";
        let saved = self.db().query_row(sql, [op], |r| r.get(0));
        let saved: Option<String> = saved.map_err(|e| broken(&e))?;
        let read = saved.map(|saved| serde_json::from_str(&saved)).transpose();
        read.map_err(|e| {
            let text = format!("what operation {op} was asked cannot be read any more: {e}");
            Error::new(ErrorKind::Usage, text)
        })
    }

    /// The first `most` tasks of an operation, in the order they were written.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn entries(&self, op: i64, most: usize) -> Result<Vec<Entry>, Error> {
        let sql = format!(
            "SELECT e.intent, e.answer, {REVERTED} FROM entry e WHERE e.op = ?1 ORDER BY e.id LIMIT ?2"
        );
        let db = self.db();
        let mut select = db.prepare(&sql).map_err(|e| broken(&e))?;
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        let rows = select
            .query_map([op, most], |r| {
                Ok((r.get::<_, String>(0)?, r.get(1)?, r.get(2)?))
            })
            .map_err(|e| broken(&e))?;
        let mut entries = Vec::new();
        for row in rows {
            let (intent, answer, undone) = row.map_err(|e| broken(&e))?;
            if let Ok(change) = serde_json::from_str(&intent) {
                entries.push(seen(&change, answer, undone));
            }
        }
        Ok(entries)
    }

    /// What an operation wrote and nobody took back yet, the newest first: at most `most` rows of the journal
    /// below entry `below`, fewer when their label rows are heavy, and the number to go on below; `None` when
    /// there is no more.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn standing(
        &self,
        op: i64,
        below: i64,
        most: usize,
    ) -> Result<(Vec<StandingEntry>, Option<i64>), Error> {
        let sql = format!(
            "SELECT e.id, e.intent, e.answer = 'already moved', CASE WHEN e.ended IS NULL THEN e.written END
             FROM entry e WHERE e.op = ?1 AND e.id < ?2 AND {WROTE} AND NOT {REVERTED} AND NOT {REVERTING}
             ORDER BY e.id DESC LIMIT ?3"
        );
        let db = self.db();
        let mut select = db.prepare_cached(&sql).map_err(|e| broken(&e))?;
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        let rows = select
            .query_map([op, below, most], |r| {
                Ok((r.get(0)?, r.get::<_, String>(1)?, r.get(2)?, r.get(3)?))
            })
            .map_err(|e| broken(&e))?;
        let (mut entries, mut last, mut weight) = (Vec::new(), None, 0);
        for row in rows {
            let (id, intent, overtaken, part): (_, _, _, Option<i64>) =
                row.map_err(|e| broken(&e))?;
            last = Some(id);
            weight += intent.len();
            let Ok(mut change) = serde_json::from_str::<Change>(&intent) else {
                continue;
            };
            if let Some(part) = part {
                change = change.only(Written::from_bits(part));
            }
            if overtaken {
                change.to = None;
            }
            // Labels name their author; priorities and metadata do not.
            if overtaken && change.labels_after.is_none() {
                continue;
            }
            entries.push(StandingEntry {
                id,
                change,
                overtaken,
            });
            if weight > MAX_BYTES {
                break;
            }
        }
        Ok((entries, last))
    }

    /// Which of these tasks this folder has sent on from a stage, with the pathway if there was one: the newest outcome
    /// of each that was written there, unless it was taken back since.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn sent_on(
        &self,
        project: ProjectHash,
        stage: StageId,
        tasks: impl Iterator<Item = TaskId>,
    ) -> Result<HashMap<TaskId, Option<PathwayId>>, Error> {
        let sql = format!(
            "SELECT json_extract(e.intent, '$.pathway'), json_extract(e.intent, '$.to') FROM entry e
             WHERE e.project = ?1 AND e.task = ?2 AND e.answer = 'done' AND NOT {REVERTED}
             AND json_extract(e.intent, '$.stage') = ?3 AND e.reverts IS NULL ORDER BY e.id DESC LIMIT 1"
        );
        let db = self.db();
        let mut select = db.prepare_cached(&sql).map_err(|e| broken(&e))?;
        let (project, stage) = (project.to_string(), stage.to_string());
        let mut sent = HashMap::new();
        for task in tasks {
            let found = select
                .query_row([&project, &task.to_string(), &stage], |r| {
                    Ok((r.get(0)?, r.get(1)?))
                })
                .optional()
                .map_err(|e| broken(&e))?;
            let (pathway, to): (Option<String>, Option<String>) = found.unwrap_or_default();
            let pathway = pathway.and_then(|p| p.parse().ok());
            if pathway.is_some() || to.is_some() {
                sent.insert(task, pathway);
            }
        }
        Ok(sent)
    }

    /// Tasks of an operation that were written and stay where they are.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn stayed(&self, op: i64) -> Result<Vec<TaskId>, Error> {
        let sql = format!(
            "SELECT e.task FROM entry e WHERE e.op = ?1 AND e.answer = 'done' AND NOT {REVERTED}
             AND json_extract(e.intent, '$.pathway') IS NULL AND json_extract(e.intent, '$.to') IS NULL"
        );
        let db = self.db();
        let mut select = db.prepare(&sql).map_err(|e| broken(&e))?;
        let tasks = select.query_map([op], |r| r.get::<_, String>(0));
        let tasks: Vec<String> = tasks.and_then(Iterator::collect).map_err(|e| broken(&e))?;
        Ok(tasks.iter().filter_map(|task| task.parse().ok()).collect())
    }

    /// What a plan was already written for: data units, each with the stage its task was at. (A task
    /// may have another identity at its next stage, and a plan may write for both.)
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn applied(&self, plan: &str) -> Result<HashSet<(DataHash, StageId)>, Error> {
        let db = self.db();
        let mut select = db
            .prepare(
                "SELECT json_extract(e.intent, '$.data'), json_extract(e.intent, '$.stage')
                 FROM entry e JOIN op o ON o.id = e.op
                 WHERE o.plan = ?1 AND e.answer IN ('done', 'already moved')
                 UNION SELECT data, stage FROM applied WHERE plan = ?1",
            )
            .map_err(|e| broken(&e))?;
        let rows = select
            .query_map([plan], |r| {
                Ok((r.get::<_, String>(0)?, r.get::<_, String>(1)?))
            })
            .map_err(|e| broken(&e))?;
        let mut units = HashSet::new();
        for row in rows {
            let (data, stage) = row.map_err(|e| broken(&e))?;
            if let (Ok(data), Ok(stage)) = (data.parse(), stage.parse()) {
                units.insert((data, stage));
            }
        }
        Ok(units)
    }

    /// How many data units of each stage an operation has written for, or tried to.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn spent(&self, op: i64) -> Result<HashMap<StageId, usize>, Error> {
        let db = self.db();
        let mut select = db
            .prepare(
                "SELECT json_extract(intent, '$.stage'), count(DISTINCT json_extract(intent, '$.data'))
                 FROM entry WHERE op = ?1 GROUP BY 1",
            )
            .map_err(|e| broken(&e))?;
        let rows = select
            .query_map([op], |r| Ok((r.get::<_, String>(0)?, r.get(1)?)))
            .map_err(|e| broken(&e))?;
        let mut spent = HashMap::new();
        for row in rows {
            let (stage, count) = row.map_err(|e| broken(&e))?;
            if let Ok(stage) = stage.parse() {
                spent.insert(stage, count);
            }
        }
        Ok(spent)
    }

    /// Ends operations of processes that are gone: somebody went on with them.
    ///
    /// # Errors
    /// The database cannot be written.
    pub fn gone_on(&self, project: ProjectHash, op: i64, now_ms: i64) -> Result<(), Error> {
        self.db()
            .execute(
                "UPDATE op SET ended = ?3 WHERE id = ?2 AND project = ?1 AND ended IS NULL",
                rusqlite::params![project.to_string(), op, now_ms],
            )
            .map(drop)
            .map_err(|e| broken(&e))
    }
}
