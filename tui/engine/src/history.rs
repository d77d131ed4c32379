//! The results of tasks that are still where they were: when they had their turn last, and why
//! they failed. It lets a filter on results work in the next command, and lets tasks that stay or fail
//! not keep the others waiting for ever.
//!
//! SQLite under `.workbench/`. Unlike the journal it may be lost without harm: then every task counts
//! as never run. A task that moves on is forgotten here.

use crate::database;
use crate::files::{advice_if_full, state_folder};
use rusqlite::{Connection, params};
use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::sync::Arc;
use wb_core::error::{Error, ErrorKind};
use wb_core::ids::{BuildId, Millis, PathwayId, ProjectHash, TaskId};
use wb_core::queue::LastResult;
use wb_core::run::{Ending, Report};
use wb_core::work::Route;

const SCHEMA: &str = "
PRAGMA synchronous = NORMAL;
CREATE TABLE IF NOT EXISTS task (
    project TEXT NOT NULL,
    task BLOB NOT NULL,
    tried INTEGER,
    at INTEGER NOT NULL,
    fault INTEGER,
    text TEXT NOT NULL,
    ms REAL NOT NULL,
    pathway BLOB,
    PRIMARY KEY (project, task)
) WITHOUT ROWID;
";
/// Notes that are written together.
const TOGETHER: usize = 500;

/// The tasks of one project.
pub struct AttemptHistory {
    db: Connection,
    project: String,
    /// What is known, as it stood when this was opened and as this process changed it.
    earlier: Arc<HashMap<TaskId, LastResult>>,
    history: Arc<HashMap<TaskId, Millis>>,
    kept: HashSet<TaskId>,
    notes: Vec<Note>,
}

enum Note {
    Keep(TaskId, Option<Millis>, LastResult),
    Forget(TaskId),
}

impl AttemptHistory {
    /// Opens the notes of a folder.
    ///
    /// # Errors
    /// They cannot be read or written.
    pub fn open(dir: &Path, project: ProjectHash) -> Result<Self, Error> {
        let db = database::open(&dir.join("tried.db")).map_err(|e| broken(&e))?;
        db.execute_batch(SCHEMA).map_err(|e| broken(&e))?;
        know_pathways(&db).map_err(|e| broken(&e))?;
        let mut all = Self::of(db, project);
        all.read().map_err(|e| broken(&e))?;
        Ok(all)
    }

    /// The last result of each task, for a command that only looks.
    ///
    /// # Errors
    /// The notes cannot be read.
    pub fn earlier_in(
        path: &Path,
        project: ProjectHash,
    ) -> Result<Arc<HashMap<TaskId, LastResult>>, Error> {
        let db = database::open_to_read(path).map_err(|e| broken(&e))?;
        let mut all = Self::of(db, project);
        all.read().map_err(|e| broken(&e))?;
        Ok(all.earlier())
    }

    fn of(db: Connection, project: ProjectHash) -> Self {
        Self {
            db,
            project: project.to_string(),
            earlier: Arc::default(),
            history: Arc::default(),
            kept: HashSet::new(),
            notes: Vec::new(),
        }
    }

    fn read(&mut self) -> Result<(), rusqlite::Error> {
        let (mut earlier, mut history) = (HashMap::new(), HashMap::new());
        let mut select = self.db.prepare("SELECT * FROM task WHERE project = ?1")?;
        let mut rows = select.query([&self.project])?;
        while let Some(row) = rows.next()? {
            let id: [u8; 16] = row.get("task")?;
            let task = TaskId(uuid::Uuid::from_bytes(id));
            let error: Option<u32> = row.get("fault")?;
            // Earlier versions did not note it.
            let pathway: Option<[u8; 16]> = row.get("pathway").unwrap_or_default();
            let result = LastResult {
                build: BuildId(0),
                text: row.get("text")?,
                failed: error.is_some(),
                pathway: pathway.map(|id| PathwayId(uuid::Uuid::from_bytes(id))),
                group: error,
                labels: (0, 0, 0),
                ms: row.get("ms")?,
                at: Millis(row.get("at")?),
            };
            if let Some(at) = row.get("tried")? {
                history.insert(task, Millis(at));
            }
            self.kept.insert(task);
            earlier.insert(task, result);
        }
        (self.earlier, self.history) = (Arc::new(earlier), Arc::new(history));
        Ok(())
    }

    /// The last result of each task.
    #[must_use]
    pub fn earlier(&self) -> Arc<HashMap<TaskId, LastResult>> {
        self.earlier.clone()
    }

    /// When tasks that are still there had their turn last. A dry run does not count: a run after it
    /// takes the tasks that the dry run showed.
    #[must_use]
    pub fn times(&self) -> Arc<HashMap<TaskId, Millis>> {
        self.history.clone()
    }

    /// Notes how a task ended. Outcomes of a dry run are noted when they failed, so that they can be
    /// run again by their group.
    pub fn note(&mut self, report: &Report, dry: bool, now: Millis) {
        let task = report.row.id;
        let error = match &report.ending {
            Ending::Failed(error) => Some(error),
            _ => None,
        };
        let stands = !matches!(report.ending, Ending::Moved) && !report.gone;
        if stands && (!dry || error.is_some()) {
            let text = match (&report.ending, report.outcome.as_ref().map(|o| &o.way)) {
                (Ending::Failed(error), _) => error.summary.clone(),
                (Ending::Conflict(by), _) => format!("conflict: {by}"),
                (_, way) => way.unwrap_or(&Route::Stay).name().into_owned(),
            };
            #[allow(clippy::cast_precision_loss)] // milliseconds
            let result = LastResult {
                build: BuildId(0),
                text,
                failed: error.is_some(),
                pathway: (report.outcome.as_ref()).and_then(|outcome| outcome.way.pathway()),
                group: error.map(Error::group_id),
                labels: (0, 0, 0),
                ms: report.run_us as f64 / 1000.0,
                at: now,
            };
            let before = self.history.get(&task).copied();
            let history = if dry { before } else { Some(now) };
            if let Some(history) = history {
                Arc::make_mut(&mut self.history).insert(task, history);
            }
            Arc::make_mut(&mut self.earlier).insert(task, result.clone());
            self.kept.insert(task);
            self.notes.push(Note::Keep(task, history, result));
        } else if !dry && self.kept.remove(&task) {
            Arc::make_mut(&mut self.history).remove(&task);
            Arc::make_mut(&mut self.earlier).remove(&task);
            self.notes.push(Note::Forget(task));
        }
        if self.notes.len() >= TOGETHER {
            self.write();
        }
    }

    /// Writes what was noted. That it cannot be costs no task anything: it is logged.
    pub fn write(&mut self) {
        if let Err(error) = self.try_write() {
            tracing::warn!("{}", broken(&error));
        }
        self.notes.clear();
    }

    fn try_write(&mut self) -> Result<(), rusqlite::Error> {
        if self.notes.is_empty() {
            return Ok(());
        }
        let tx = self.db.transaction()?;
        {
            let mut keep = tx.prepare_cached(
                "INSERT OR REPLACE INTO task (project, task, tried, at, fault, text, ms, pathway)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            )?;
            let mut forget =
                tx.prepare_cached("DELETE FROM task WHERE project = ?1 AND task = ?2")?;
            for note in &self.notes {
                match note {
                    Note::Keep(task, history, result) => keep.execute(params![
                        self.project,
                        task.0.as_bytes(),
                        history.map(|t| t.0),
                        result.at.0,
                        result.group,
                        result.text,
                        result.ms,
                        result.pathway.map(|id| *id.0.as_bytes())
                    ])?,
                    Note::Forget(task) => {
                        forget.execute(params![self.project, task.0.as_bytes()])?
                    }
                };
            }
        }
        tx.commit()
    }
}

impl Drop for AttemptHistory {
    fn drop(&mut self) {
        self.write();
    }
}

/// Notes of earlier versions have no pathways.
fn know_pathways(db: &Connection) -> Result<(), rusqlite::Error> {
    let known = "SELECT COUNT(*) FROM pragma_table_info('task') WHERE name = 'pathway'";
    match db.query_row(known, [], |row| row.get(0))? {
        0 => db.execute_batch("ALTER TABLE task ADD COLUMN pathway BLOB"),
        _ => Ok(()),
    }
}

fn broken(error: &rusqlite::Error) -> Error {
    let file = state_folder().join("tried.db");
    let text = format!(
        "the notes on earlier runs in {} cannot be used: {error}",
        file.display()
    );
    let remove =
        "no task was touched; remove that file to start over: every task then counts as never run";
    let full = advice_if_full(&state_folder());
    Error::new(ErrorKind::Settings, text).hint(full.unwrap_or_else(|| remove.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;
    use wb_core::ids::{DataHash, StageId};
    use wb_core::work::{TaskRow, TaskStatus};

    fn report(n: u128, ending: Ending) -> Report {
        Report {
            row: TaskRow {
                id: TaskId(Uuid::from_u128(n)),
                data: DataHash(Uuid::from_u128(n)),
                created: Millis(0),
                updated: Millis(0),
                title: "t".into(),
                assignee: None,
                last_actioned_by: None,
                branch: "main".into(),
                status: TaskStatus::New,
            },
            stage: StageId(Uuid::from_u128(1)),
            build: BuildId(1),
            attempts: 1,
            ending,
            outcome: None,
            inputs: None,
            run_us: 1500,
            gone: false,
            follows: None,
        }
    }

    #[test]
    fn what_stays_is_known_to_the_next_process_and_what_moves_is_forgotten() {
        let dir = tempfile::tempdir().unwrap();
        let project = ProjectHash(Uuid::from_u128(9));
        let error = Error::new(ErrorKind::Agent, "index 3 out of bounds");
        let failed = || Ending::Failed(error.clone());
        let mut first = AttemptHistory::open(dir.path(), project).unwrap();
        for (n, ending) in [(1, failed()), (2, Ending::Stayed), (3, failed())] {
            first.note(&report(n, ending), false, Millis(10 + n as i64));
        }
        first.note(&report(4, failed()), true, Millis(20));
        first.note(&report(5, Ending::Moved), true, Millis(20));
        drop(first);
        let mut second = AttemptHistory::open(dir.path(), project).unwrap();
        let id = |n| TaskId(Uuid::from_u128(n));
        assert_eq!(second.times().len(), 3, "a dry run does not count");
        assert_eq!(second.times()[&id(2)], Millis(12));
        let groups: Vec<Option<u32>> = (1..=5)
            .map(|n| second.earlier().get(&id(n)).and_then(|r| r.group))
            .collect();
        let group = Some(error.group_id());
        assert_eq!(groups, [group, None, group, group, None]);
        second.note(&report(1, Ending::Moved), false, Millis(30));
        drop(second);
        let third = AttemptHistory::open(dir.path(), project).unwrap();
        assert!(!third.earlier().contains_key(&id(1)));
        let other = ProjectHash(Uuid::from_u128(8));
        let elsewhere = AttemptHistory::open(dir.path(), other).unwrap();
        assert!(elsewhere.earlier().is_empty());
    }
}
