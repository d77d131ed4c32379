//! Outcomes that a run without a screen holds for review: it adds them in their order, from a thread of its own; the screen that
//! has the store takes them over, at its start and while it is open.

use super::{broken, open, outcome};
use rusqlite::{Connection, params};
use std::path::Path;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;
use tokio::sync::mpsc::Sender as News;
use wb_core::error::{Error, ErrorKind};
use wb_core::event::Event;
use wb_core::ids::{ProjectHash, TaskId};
use wb_core::state::{Held, HeldDocument};

/// Outcomes that may wait to be written; a run waits for the disk beyond that.
const WAITING: usize = 1000;
/// Outcomes that are taken over together.
const TOGETHER: usize = 200;

/// Where a run leaves what it holds.
pub struct ArrivingOutcomes {
    add: Option<SyncSender<Held>>,
    thread: Option<JoinHandle<Result<(), Error>>>,
}

impl ArrivingOutcomes {
    /// Opens the store of a folder.
    ///
    /// # Errors
    /// It cannot be written, or no thread can be started.
    pub fn open(dir: &Path, project: ProjectHash) -> Result<Self, Error> {
        let path = dir.join("screen.db");
        let db = open(&path)?;
        let (add, outcomes) = sync_channel(WAITING);
        let project = project.to_string();
        let work = move || write_all(db, &path, &project, &outcomes);
        let thread = std::thread::Builder::new().name("wb-held".into());
        let thread = thread.spawn(work).map_err(|error| {
            let text = format!("no threads can be started: {error}");
            Error::new(ErrorKind::Settings, text)
        })?;
        Ok(Self {
            add: Some(add),
            thread: Some(thread),
        })
    }

    /// Leaves an outcome for the next screen. False: outcomes can no longer be written.
    pub fn add(&self, held: Held) -> bool {
        self.add.as_ref().is_some_and(|add| add.send(held).is_ok())
    }

    /// Waits until everything is written.
    ///
    /// # Errors
    /// Some of it could not be written.
    pub fn end(&mut self) -> Result<(), Error> {
        drop(self.add.take());
        match self.thread.take().map(JoinHandle::join) {
            Some(Ok(written)) => written,
            Some(Err(_)) => {
                let text = "the thread that keeps outcomes has panicked";
                Err(Error::new(ErrorKind::Bug, text))
            }
            None => Ok(()),
        }
    }
}

impl Drop for ArrivingOutcomes {
    fn drop(&mut self) {
        if let Err(error) = self.end() {
            tracing::error!("{error}");
        }
    }
}

fn write_all(
    mut db: Connection,
    path: &Path,
    project: &str,
    outcomes: &Receiver<Held>,
) -> Result<(), Error> {
    while let Ok(first) = outcomes.recv() {
        // What came meanwhile is written together.
        let together = std::iter::once(first).chain(outcomes.try_iter());
        write(&mut db, project, together).map_err(|error| broken(path, &error))?;
    }
    Ok(())
}

fn write(
    db: &mut Connection,
    project: &str,
    outcomes: impl Iterator<Item = Held>,
) -> rusqlite::Result<()> {
    let tx = db.transaction()?;
    {
        let sql = "INSERT INTO arriving (project, task, document) VALUES (?1, ?2, ?3)";
        let mut insert = tx.prepare_cached(sql)?;
        for held in outcomes {
            let task = held.inputs.row.id;
            let document = serde_json::to_string(&HeldDocument::of(&held))
                .map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))?;
            insert.execute(params![project, task.0.as_bytes(), document])?;
        }
    }
    tx.commit()
}

/// Takes over what has arrived: it is held from now on, and comes as news.
pub(super) fn take(db: &mut Connection, project: &str, news: &News<Event>) -> rusqlite::Result<()> {
    loop {
        // A screen that takes no news leaves it for the next one.
        let Ok(room) = news.try_reserve() else {
            return Ok(());
        };
        let arrived = take_some(db, project)?;
        let more = arrived.len() == TOGETHER;
        let outcomes: Vec<(TaskId, Held)> = arrived
            .iter()
            .filter_map(|(_, task, text)| outcome(*task, text))
            .collect();
        if !outcomes.is_empty() {
            room.send(Event::HeldElsewhere(outcomes));
        }
        if !more {
            return Ok(());
        }
    }
}

type Arrived = (i64, [u8; 16], String);

fn take_some(db: &mut Connection, project: &str) -> rusqlite::Result<Vec<Arrived>> {
    // Looked at before anything is locked.
    let arrived = {
        let sql = "SELECT number, task, document FROM arriving WHERE project = ?1 ORDER BY number LIMIT ?2";
        let mut select = db.prepare_cached(sql)?;
        let rows = select.query_map(params![project, TOGETHER], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?))
        })?;
        rows.collect::<rusqlite::Result<Vec<Arrived>>>()?
    };
    let Some((last, ..)) = arrived.last() else {
        return Ok(arrived);
    };
    let tx = db.transaction()?;
    {
        let mut insert = tx.prepare_cached("INSERT OR REPLACE INTO held VALUES (?1, ?2, ?3)")?;
        for (_, task, document) in &arrived {
            insert.execute(params![project, task, document])?;
        }
    }
    tx.execute(
        "DELETE FROM arriving WHERE project = ?1 AND number <= ?2",
        params![project, last],
    )?;
    tx.commit()?;
    Ok(arrived)
}

#[cfg(test)]
mod tests {
    use super::super::ScreenStore;
    use super::*;
    use std::sync::Arc;
    use uuid::Uuid;
    use wb_core::ids::{BuildId, DataHash, Millis, StageId};
    use wb_core::work::{Inputs, Outcome, Patch, Route, TaskRow, TaskStatus};

    fn held(n: u128, title: &str) -> Held {
        let row = TaskRow {
            id: TaskId(Uuid::from_u128(n)),
            data: DataHash(Uuid::from_u128(n)),
            created: Millis(1),
            updated: Millis(1),
            title: title.into(),
            assignee: None,
            last_actioned_by: None,
            branch: "main".into(),
            status: TaskStatus::New,
        };
        Held {
            stage: StageId(Uuid::from_u128(7)),
            inputs: Arc::new(Inputs {
                row,
                task_json: "{}".into(),
                labels: None,
                item_json: None,
                asset_json: None,
                fetched: Millis(1),
                timings: Vec::new(),
            }),
            outcome: Arc::new(Outcome {
                way: Route::Stay,
                patch: Patch::default(),
                labels_after: None,
                further: Vec::new(),
                steps: Vec::new(),
                unread: Vec::new(),
            }),
            build: BuildId(1),
            taken: true,
            at: Millis(2),
        }
    }

    fn titles(event: Event) -> Vec<String> {
        let (Event::HeldBefore(all) | Event::HeldElsewhere(all)) = event else {
            panic!("{event:?}");
        };
        let mut all: Vec<String> = all
            .iter()
            .map(|(_, held)| held.inputs.row.title.to_string())
            .collect();
        all.sort();
        all
    }

    /// The next news that is not about results of runs.
    async fn next(news: &mut tokio::sync::mpsc::Receiver<Event>) -> Option<Event> {
        loop {
            match news.recv().await? {
                Event::ResultsBefore { .. } => {}
                other => return Some(other),
            }
        }
    }

    #[tokio::test]
    async fn what_a_run_holds_arrives_once_in_the_screen_that_has_the_store() {
        let dir = tempfile::tempdir().unwrap();
        let project = ProjectHash(Uuid::from_u128(9));
        let mut run = ArrivingOutcomes::open(dir.path(), project).unwrap();
        for n in 0..250 {
            assert!(run.add(held(n, &format!("{n}"))));
        }
        run.end().unwrap();
        let screen = |project| {
            let (send, news) = tokio::sync::mpsc::channel(10);
            let mut store = ScreenStore::open(dir.path(), project).unwrap();
            store.begin(send).unwrap();
            (store, news)
        };
        let (store, mut news) = screen(project);
        let mut come = titles(next(&mut news).await.unwrap());
        come.extend(titles(next(&mut news).await.unwrap()));
        assert_eq!(come.len(), 250);
        // While the screen is open: newer ones of tasks that it holds, too.
        let mut run = ArrivingOutcomes::open(dir.path(), project).unwrap();
        assert!(run.add(held(3, "newer")));
        run.end().unwrap();
        assert_eq!(titles(next(&mut news).await.unwrap()), ["newer"]);
        drop(store);
        let (store, mut news) = screen(project);
        let kept = titles(next(&mut news).await.unwrap());
        assert_eq!(kept.len(), 250);
        assert!(kept.contains(&"newer".to_owned()) && !kept.contains(&"3".to_owned()));
        drop(store);
        let (store, mut news) = screen(ProjectHash(Uuid::from_u128(8)));
        drop(store);
        assert!(
            next(&mut news).await.is_none(),
            "another project has none of it"
        );
    }
}
