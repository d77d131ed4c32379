//! What a screen leaves for the next one of its folder: held outcomes, as they are held, what it showed, and the results of
//! runs ([`results`]).
//!
//! SQLite under `.workbench/`, written by a thread of its own in the order of the changes, so that an end by SIGKILL costs
//! the last moment at most. Two screens of one folder would undo each other's changes: the second one has no store. What runs
//! without a screen hold they leave in `arriving`, and the screen that has the store takes it from there.

mod arriving;

pub use arriving::ArrivingOutcomes;

pub mod results;
#[cfg(test)]
mod tests;

use crate::database;
use crate::files::{self, advice_if_full};
use rusqlite::{Connection, params};
use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::sync::mpsc::Sender as News;
use wb_core::error::{Error, ErrorKind};
use wb_core::event::Event;
use wb_core::figures::{FiguresBefore, KeptFigures};
use wb_core::ids::{ProjectHash, TaskId};
use wb_core::state::{Held, HeldDocument};

const SCHEMA: &str = "
PRAGMA synchronous = NORMAL;
CREATE TABLE IF NOT EXISTS held (
    project TEXT NOT NULL,
    task BLOB NOT NULL,
    document TEXT NOT NULL,
    PRIMARY KEY (project, task)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS view (
    project TEXT NOT NULL PRIMARY KEY,
    document TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS arriving (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    project TEXT NOT NULL,
    task BLOB NOT NULL,
    document TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS arriving_project ON arriving (project, number);
";

/// Time between two looks at what has arrived.
const LOOK: Duration = Duration::from_millis(500);

/// Changes of the held outcomes; `None`: no longer held.
pub type HeldChanges = Vec<(TaskId, Option<Held>)>;

enum Keep {
    Held(HeldChanges),
    View(String),
    Figures(Box<KeptFigures>),
}

/// The store of a folder and project, while a screen is open.
pub struct ScreenStore {
    project: String,
    of: ProjectHash,
    dir: PathBuf,
    path: PathBuf,
    /// Until it begins to keep.
    db: Option<Connection>,
    keep: Option<Sender<Keep>>,
    thread: Option<JoinHandle<()>>,
    view: Option<String>,
    figures: FiguresBefore,
    /// Locked as long as the store is used; whatever ends the process unlocks it.
    _lock: File,
}

impl ScreenStore {
    /// Opens the store.
    ///
    /// # Errors
    /// It cannot be read or written, or another screen of this folder uses it.
    pub fn open(dir: &Path, project: ProjectHash) -> Result<Self, Error> {
        let path = dir.join("screen.db");
        let lock = files::private()
            .create(true)
            .open(dir.join("screen.lock"))
            .map_err(|error| broken(&path, &error))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let text = "another screen is open in this folder";
                return Err(Error::new(ErrorKind::Settings, text));
            }
            // A folder without locks: most likely nobody else is here.
            Err(TryLockError::Error(error)) => tracing::warn!(%error, "no lock for the screen"),
        }
        let (db, of, project) = (open(&path)?, project, project.to_string());
        let view = "SELECT document FROM view WHERE project = ?1";
        let view = db.query_row(view, [&project], |row| row.get(0)).ok();
        let figures = results::figures(&db, &project).map_err(|error| broken(&path, &error))?;
        Ok(Self {
            project,
            of,
            dir: dir.to_owned(),
            path,
            db: Some(db),
            keep: None,
            thread: None,
            view,
            figures,
            _lock: lock,
        })
    }

    /// Reads what was held before, which comes as news, and keeps changes from now on.
    ///
    /// # Errors
    /// The system does not start a thread.
    pub fn begin(&mut self, news: News<Event>) -> Result<(), Error> {
        let Some(db) = self.db.take() else {
            return Ok(());
        };
        let (keep, changes) = channel();
        let (path, project) = (self.path.clone(), self.project.clone());
        let work = move || keep_all(db, &path, &project, &changes, &news);
        let thread = std::thread::Builder::new().name("wb-screen-store".into());
        let thread = thread.spawn(work).map_err(|error| {
            let text = format!("no threads can be started: {error}");
            Error::new(ErrorKind::Settings, text)
        })?;
        (self.keep, self.thread) = (Some(keep), Some(thread));
        Ok(())
    }

    /// Where its results can be read from, while they are written: folder and project.
    #[must_use]
    pub fn place(&self) -> (PathBuf, ProjectHash) {
        (self.dir.clone(), self.of)
    }

    /// What the last screen showed.
    pub fn take_view(&mut self) -> Option<String> {
        self.view.take()
    }

    /// The figures that earlier screens kept.
    pub fn take_figures(&mut self) -> FiguresBefore {
        std::mem::take(&mut self.figures)
    }

    /// Keeps figures, runs and results.
    pub fn figures(&self, changes: Box<KeptFigures>) {
        self.send(Keep::Figures(changes));
    }

    /// Keeps changes of the held outcomes.
    pub fn held(&self, changes: HeldChanges) {
        self.send(Keep::Held(changes));
    }

    /// Keeps what the screen shows.
    pub fn view(&self, document: String) {
        self.send(Keep::View(document));
    }

    fn send(&self, what: Keep) {
        if let Some(keep) = &self.keep {
            // The thread has ended after an error that was reported.
            let _ = keep.send(what);
        }
    }
}

impl Drop for ScreenStore {
    /// Waits until everything is written.
    fn drop(&mut self) {
        drop(self.keep.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Forgets what was held and shown of a project: it starts over.
///
/// # Errors
/// The store cannot be written.
pub fn forget(dir: &Path, project: ProjectHash) -> Result<(), Error> {
    let path = dir.join("screen.db");
    if !path.exists() {
        return Ok(());
    }
    let db = open(&path)?;
    for table in ["held", "view", "arriving"].iter().chain(&results::TABLES) {
        let delete = format!("DELETE FROM {table} WHERE project = ?1");
        let done = db.execute(&delete, [project.to_string()]);
        done.map_err(|error| broken(&path, &error))?;
    }
    Ok(())
}

fn open(path: &Path) -> Result<Connection, Error> {
    let db = database::open(path).map_err(|error| broken(path, &error))?;
    db.execute_batch(SCHEMA)
        .and_then(|()| db.execute_batch(results::SCHEMA))
        .map_err(|error| broken(path, &error))?;
    Ok(db)
}

fn broken(path: &Path, error: &dyn std::fmt::Display) -> Error {
    let text = format!("{} cannot be used: {error}", path.display());
    let full = advice_if_full(path.parent().unwrap_or(path));
    let remove = "no task was touched; remove that file to start without it";
    Error::new(ErrorKind::Settings, text).hint(full.unwrap_or_else(|| remove.to_owned()))
}

/// Sends what was held before, then writes changes until the store is dropped.
fn keep_all(
    mut db: Connection,
    path: &Path,
    project: &str,
    changes: &Receiver<Keep>,
    news: &News<Event>,
) {
    let read = read(&db, project).map_err(|error| broken(path, &error));
    let event = match read {
        Ok(held) if held.is_empty() => None,
        Ok(held) => Some(Event::HeldBefore(held)),
        Err(error) => Some(Event::NotKept(error)),
    };
    let send = |event| drop(news.blocking_send(event));
    event.into_iter().for_each(send);
    if let Err(error) = results::send_results(&db, project, send) {
        tracing::warn!("{}", broken(path, &error));
    }
    if let Err(error) = arriving::take(&mut db, project, news) {
        let _ = news.try_send(Event::NotKept(broken(path, &error)));
        return;
    }
    loop {
        let first = match changes.recv_timeout(LOOK) {
            Ok(first) => first,
            Err(RecvTimeoutError::Timeout) => {
                if let Err(error) = arriving::take(&mut db, project, news) {
                    tracing::warn!(%error, "outcomes of a run in the background were not taken over");
                }
                continue;
            }
            Err(RecvTimeoutError::Disconnected) => return,
        };
        // What came meanwhile is written together.
        let together: Vec<Keep> = std::iter::once(first).chain(changes.try_iter()).collect();
        if let Err(error) = write(&mut db, project, together) {
            // Nobody takes news while the screen ends.
            let _ = news.try_send(Event::NotKept(broken(path, &error)));
            return;
        }
    }
}

fn read(db: &Connection, project: &str) -> rusqlite::Result<Vec<(TaskId, Held)>> {
    let mut select = db.prepare("SELECT task, document FROM held WHERE project = ?1")?;
    let rows = select.query_map([project], |row| {
        Ok((row.get::<_, [u8; 16]>(0)?, row.get::<_, String>(1)?))
    })?;
    let mut all = Vec::new();
    for row in rows {
        let (task, text) = row?;
        all.extend(outcome(task, &text));
    }
    Ok(all)
}

/// An outcome as it is kept. A newer version may hold what this one cannot; it stays in the store.
fn outcome(task: [u8; 16], text: &str) -> Option<(TaskId, Held)> {
    match serde_json::from_str::<HeldDocument>(text) {
        Ok(document) => Some((TaskId(uuid::Uuid::from_bytes(task)), document.held())),
        Err(error) => {
            tracing::warn!(%error, "a held outcome cannot be read");
            None
        }
    }
}

fn write(db: &mut Connection, project: &str, together: Vec<Keep>) -> rusqlite::Result<()> {
    let tx = db.transaction()?;
    {
        let mut insert = tx.prepare_cached("INSERT OR REPLACE INTO held VALUES (?1, ?2, ?3)")?;
        let mut delete = tx.prepare_cached("DELETE FROM held WHERE project = ?1 AND task = ?2")?;
        let mut view = tx.prepare_cached("INSERT OR REPLACE INTO view VALUES (?1, ?2)")?;
        for keep in together {
            match keep {
                Keep::Figures(changes) => results::write(&tx, project, &changes)?,
                Keep::View(document) => drop(view.execute(params![project, document])?),
                Keep::Held(changes) => {
                    for (task, held) in changes {
                        let id = task.0.as_bytes();
                        match held.map(|held| serde_json::to_string(&HeldDocument::of(&held))) {
                            Some(Ok(document)) => {
                                insert.execute(params![project, id, document])?;
                            }
                            Some(Err(error)) => {
                                tracing::error!(%error, "a held outcome cannot be written");
                            }
                            None => {
                                delete.execute(params![project, id])?;
                            }
                        }
                    }
                }
            }
        }
    }
    tx.commit()
}
