//! The journal: every write is noted before it is sent and completed after its answer.
//!
//! SQLite under `.workbench/`, append-only. After a crash the entries without an answer say what
//! had begun; sending them again is safe, because a commit looks first whether its labels are
//! already there and its task has already left.

use rusqlite::{Connection, params};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use wb_core::fault::{Fault, FaultKind};
use wb_core::ids::{DataHash, ItemId, LabelHash, PathwayId, ProjectHash, StageId, TaskId};
use wb_core::work::{CommitItem, Committed, RowInput};

/// The journal of one folder. Cheap to clone.
#[derive(Clone)]
pub struct Journal {
    db: Arc<Mutex<Connection>>,
}

/// Entries that had begun and have no answer.
pub struct Pending {
    /// Numbers of the entries, in the order of `items`.
    pub entries: Vec<i64>,
    /// What was to be written.
    pub items: Vec<CommitItem>,
}

const SCHEMA: &str = "
PRAGMA journal_mode = WAL;
PRAGMA synchronous = FULL;
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
CREATE INDEX IF NOT EXISTS open_entries ON entry (project) WHERE ended IS NULL;
";

impl Journal {
    /// Opens the journal of a folder, made when missing.
    ///
    /// # Errors
    /// The database cannot be opened or written.
    pub fn open(dir: &Path) -> Result<Self, Fault> {
        let path = dir.join("journal.db");
        let db = Connection::open(&path).map_err(|e| broken(&e))?;
        db.busy_timeout(std::time::Duration::from_secs(10))
            .map_err(|e| broken(&e))?;
        db.execute_batch(SCHEMA).map_err(|e| broken(&e))?;
        Ok(Self {
            db: Arc::new(Mutex::new(db)),
        })
    }

    fn db(&self) -> MutexGuard<'_, Connection> {
        // A panic while the lock was held leaves at most a rolled-back transaction behind.
        self.db.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes what is about to be written; on disk when this returns.
    ///
    /// # Errors
    /// Nothing may be written upstream when the journal cannot be.
    pub fn begin(
        &self,
        project: ProjectHash,
        items: &[CommitItem],
        now_ms: i64,
    ) -> Result<Vec<i64>, Fault> {
        let mut db = self.db();
        let tx = db.transaction().map_err(|e| broken(&e))?;
        let mut ids = Vec::with_capacity(items.len());
        {
            let mut insert = tx
                .prepare_cached("INSERT INTO entry (project, task, pid, begun, intent) VALUES (?1, ?2, ?3, ?4, ?5)")
                .map_err(|e| broken(&e))?;
            for item in items {
                let intent = serde_json::to_string(&Stored::from(item)).unwrap_or_default();
                insert
                    .execute(params![
                        project.to_string(),
                        item.task.to_string(),
                        std::process::id(),
                        now_ms,
                        intent
                    ])
                    .map_err(|e| broken(&e))?;
                ids.push(tx.last_insert_rowid());
            }
        }
        tx.commit().map_err(|e| broken(&e))?;
        Ok(ids)
    }

    /// Notes the answers.
    ///
    /// # Errors
    /// The entries stay open; the next start asks upstream what arrived.
    pub fn end(&self, ids: &[i64], answers: &[&Committed], now_ms: i64) -> Result<(), Fault> {
        let mut db = self.db();
        let tx = db.transaction().map_err(|e| broken(&e))?;
        {
            let mut update = tx
                .prepare_cached("UPDATE entry SET ended = ?2, answer = ?3 WHERE id = ?1")
                .map_err(|e| broken(&e))?;
            for (id, answer) in ids.iter().zip(answers) {
                let text = match answer {
                    Committed::Done => "done".to_owned(),
                    Committed::AlreadyMoved => "already moved".to_owned(),
                    Committed::Conflict { by } => format!("conflict: {by}"),
                    // An unreachable platform may have received it: the entry stays open.
                    Committed::Refused(f) if f.kind == FaultKind::Network => continue,
                    Committed::Refused(f) => format!("refused: {}", f.summary),
                };
                update
                    .execute(params![id, now_ms, text])
                    .map_err(|e| broken(&e))?;
            }
        }
        tx.commit().map_err(|e| broken(&e))
    }

    /// Entries without an answer whose process is gone.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn pending(&self, project: ProjectHash) -> Result<Pending, Fault> {
        let db = self.db();
        let mut select = db
            .prepare("SELECT id, pid, intent FROM entry WHERE ended IS NULL AND project = ?1 ORDER BY id")
            .map_err(|e| broken(&e))?;
        let rows = select
            .query_map([project.to_string()], |r| {
                Ok((r.get(0)?, r.get(1)?, r.get(2)?))
            })
            .map_err(|e| broken(&e))?;
        let mut pending = Pending {
            entries: Vec::new(),
            items: Vec::new(),
        };
        for row in rows {
            let (id, pid, intent): (i64, u32, String) = row.map_err(|e| broken(&e))?;
            if pid != std::process::id() && alive(pid) {
                continue;
            }
            if let Ok(stored) = serde_json::from_str::<Stored>(&intent) {
                pending.entries.push(id);
                pending.items.push(stored.into());
            }
        }
        Ok(pending)
    }
}

fn alive(pid: u32) -> bool {
    i32::try_from(pid)
        .ok()
        .and_then(rustix::process::Pid::from_raw)
        .is_some_and(|pid| rustix::process::test_kill_process(pid).is_ok())
}

fn broken(error: &rusqlite::Error) -> Fault {
    Fault::new(
        FaultKind::Settings,
        format!("the journal in .workbench cannot be used: {error}"),
    )
    .hint("nothing was written upstream; make room on the disk or start in another folder")
}

/// A [`CommitItem`] as it stands in the journal.
#[derive(Serialize, Deserialize)]
struct Stored {
    task: TaskId,
    stage: StageId,
    data: DataHash,
    title: String,
    branch: String,
    before: Option<StoredRow>,
    labels_after: Option<Value>,
    priority: Option<f64>,
    metadata: Option<Map<String, Value>>,
    item: Option<ItemId>,
    pathway: Option<PathwayId>,
}

#[derive(Serialize, Deserialize)]
struct StoredRow {
    label_hash: Option<LabelHash>,
    priority: Option<f64>,
    item: Option<ItemId>,
    json: String,
}

impl From<&CommitItem> for Stored {
    fn from(i: &CommitItem) -> Self {
        // Without a label change the row before is not needed to finish the work.
        let before = i.before.as_ref().map(|b| StoredRow {
            label_hash: b.label_hash,
            priority: b.priority,
            item: b.item,
            json: if i.labels_after.is_some() {
                b.json.to_string()
            } else {
                "null".to_owned()
            },
        });
        Self {
            task: i.task,
            stage: i.stage,
            data: i.data,
            title: i.title.to_string(),
            branch: i.branch.to_string(),
            before,
            labels_after: i.labels_after.as_deref().cloned(),
            priority: i.priority,
            metadata: i.metadata.clone(),
            item: i.item,
            pathway: i.pathway,
        }
    }
}

impl From<Stored> for CommitItem {
    fn from(s: Stored) -> Self {
        let before = s.before.map(|b| RowInput {
            label_hash: b.label_hash,
            priority: b.priority,
            item: b.item,
            json: b.json.into(),
        });
        Self {
            task: s.task,
            stage: s.stage,
            data: s.data,
            title: s.title.into(),
            branch: s.branch.into(),
            before,
            labels_after: s.labels_after.map(Arc::new),
            priority: s.priority,
            metadata: s.metadata,
            item: s.item,
            pathway: s.pathway,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn item(n: u128) -> CommitItem {
        CommitItem {
            task: TaskId(Uuid::from_u128(n)),
            stage: StageId(Uuid::from_u128(1)),
            data: DataHash(Uuid::from_u128(2)),
            title: "t".into(),
            branch: "main".into(),
            before: Some(RowInput {
                label_hash: None,
                priority: Some(0.5),
                item: None,
                json: "{\"labels\":{}}".into(),
            }),
            labels_after: Some(Arc::new(serde_json::json!({"a": [1.5]}))),
            priority: Some(0.0),
            metadata: None,
            item: None,
            pathway: Some(PathwayId(Uuid::from_u128(3))),
        }
    }

    #[test]
    fn what_has_no_answer_is_pending_and_comes_back_equal() {
        let dir = tempfile::tempdir().unwrap();
        let project = ProjectHash(Uuid::from_u128(9));
        let journal = Journal::open(dir.path()).unwrap();
        let ids = journal
            .begin(project, &[item(1), item(2), item(3)], 5)
            .unwrap();
        let refused = Committed::Refused(Fault::new(FaultKind::Network, "no answer"));
        journal
            .end(&ids[..2], &[&Committed::Done, &refused], 6)
            .unwrap();
        drop(journal);
        let again = Journal::open(dir.path()).unwrap();
        let pending = again.pending(project).unwrap();
        assert_eq!(pending.items, [item(2), item(3)]);
        assert!(
            again
                .pending(ProjectHash(Uuid::from_u128(8)))
                .unwrap()
                .items
                .is_empty()
        );
    }
}
