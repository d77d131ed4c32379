//! Runs, results of tasks and figures of stages in `screen.db`: what one screen keeps for the next, and what two runs
//! are compared by. A run has its number for good, so (run, task) names one result; run 0 stands for steps.
//!
//! [`runs`] lists what is there, [`of_run`] reads the results of a run: of each task the route or the first line of its
//! error, label counts, time, and the patch where that was small enough. The newest [`KEPT`] results of a folder are kept,
//! the newest [`WITH_PATCH`] with their patches.

use super::broken;
use crate::database;
use rusqlite::{Connection, Transaction, params};
use std::path::Path;
use wb_core::comparing::StoredResult;
use wb_core::error::Error;
use wb_core::event::Event;
use wb_core::figures::{FiguresBefore, KeptFigures, KeptResult, KeptRun, StageFigures};
use wb_core::ids::{BuildId, Millis, PathwayId, ProjectHash, StageId, TaskId};
use wb_core::queue::LastResult;

/// Results of a folder that are kept.
pub const KEPT: i64 = 200_000;
/// Of these, with their patches.
pub const WITH_PATCH: i64 = 20_000;
/// A patch of more bytes of JSON is not kept.
pub const PATCH_BYTES: usize = 4_096;
/// A title or an error is kept up to this many characters.
const TEXT: usize = 300;
/// Runs of a project that are kept.
const RUNS: i64 = 200;
/// Results that go to the state together.
const TOGETHER: usize = 5_000;

pub(super) const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS figures (
    project TEXT NOT NULL,
    stage BLOB NOT NULL,
    document TEXT NOT NULL,
    PRIMARY KEY (project, stage)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS run (
    project TEXT NOT NULL,
    number INTEGER NOT NULL,
    document TEXT NOT NULL,
    PRIMARY KEY (project, number)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS result (
    id INTEGER PRIMARY KEY,
    project TEXT NOT NULL,
    run INTEGER NOT NULL,
    task BLOB NOT NULL,
    stage BLOB NOT NULL,
    title TEXT NOT NULL,
    updated INTEGER NOT NULL,
    at INTEGER NOT NULL,
    failed INTEGER NOT NULL,
    text TEXT NOT NULL,
    pathway BLOB,
    alike INTEGER,
    added INTEGER NOT NULL,
    changed INTEGER NOT NULL,
    removed INTEGER NOT NULL,
    ms REAL NOT NULL,
    patch TEXT,
    UNIQUE (project, run, task)
);
";

/// Tables whose rows belong to a project.
pub(super) const TABLES: [&str; 3] = ["figures", "run", "result"];

/// The runs of a project in a folder that are known, the newest first.
///
/// # Errors
/// The store cannot be read.
pub fn runs(dir: &Path, project: ProjectHash) -> Result<Vec<KeptRun>, Error> {
    read_only(dir, |db| {
        let sql = "SELECT document FROM run WHERE project = ?1 ORDER BY number DESC";
        let mut select = db.prepare(sql)?;
        let rows = select.query_map([project.to_string()], |r| r.get::<_, String>(0))?;
        let mut runs = Vec::new();
        for text in rows {
            runs.extend(serde_json::from_str::<KeptRun>(&text?));
        }
        Ok(runs)
    })
}

/// The results of a run, in the order they came.
///
/// # Errors
/// The store cannot be read.
pub fn of_run(dir: &Path, project: ProjectHash, run: u64) -> Result<Vec<StoredResult>, Error> {
    read_only(dir, |db| {
        let sql = "SELECT * FROM result WHERE project = ?1 AND run = ?2 ORDER BY id";
        let mut select = db.prepare(sql)?;
        let run = i64::try_from(run).unwrap_or(i64::MAX);
        let rows = select.query_map(params![project.to_string(), run], |row| {
            let patch: Option<String> = row.get("patch")?;
            Ok(StoredResult {
                result: result(row)?,
                patch: patch.and_then(|text| serde_json::from_str(&text).ok()),
            })
        })?;
        rows.collect()
    })
}

fn read_only<T>(
    dir: &Path,
    read: impl Fn(&Connection) -> rusqlite::Result<Vec<T>>,
) -> Result<Vec<T>, Error> {
    let path = dir.join("screen.db");
    if !path.exists() {
        return Ok(Vec::new());
    }
    let has_table = "SELECT count(*) FROM sqlite_master WHERE name = 'result'";
    let found = database::open_to_read(&path).and_then(|db| {
        // An earlier version may have made it.
        match db.query_row(has_table, [], |r| r.get(0))? {
            0 => Ok(Vec::new()),
            _ => read(&db),
        }
    });
    found.map_err(|error| broken(&path, &error))
}

fn uuid(row: &rusqlite::Row<'_>, column: &str) -> rusqlite::Result<uuid::Uuid> {
    row.get::<_, [u8; 16]>(column).map(uuid::Uuid::from_bytes)
}

fn result(row: &rusqlite::Row<'_>) -> rusqlite::Result<KeptResult> {
    let pathway: Option<[u8; 16]> = row.get("pathway")?;
    let (run, failed): (i64, bool) = (row.get("run")?, row.get("failed")?);
    Ok(KeptResult {
        run: u64::try_from(run).unwrap_or(0),
        stage: StageId(uuid(row, "stage")?),
        task: TaskId(uuid(row, "task")?),
        title: row.get::<_, String>("title")?.into(),
        updated: Millis(row.get("updated")?),
        last: LastResult {
            build: BuildId(0),
            text: row.get("text")?,
            failed,
            pathway: pathway.map(|id| PathwayId(uuid::Uuid::from_bytes(id))),
            group: row.get("alike")?,
            labels: (row.get("added")?, row.get("changed")?, row.get("removed")?),
            ms: row.get("ms")?,
            at: Millis(row.get("at")?),
        },
        outcome: None,
    })
}

/// The figures of all stages of a project, and the number of its newest run.
pub(super) fn figures(db: &Connection, project: &str) -> rusqlite::Result<FiguresBefore> {
    let newest = "SELECT max(number) FROM run WHERE project = ?1";
    let newest: Option<i64> = db.query_row(newest, [project], |r| r.get(0))?;
    let mut before = FiguresBefore {
        last_run: newest.and_then(|n| u64::try_from(n).ok()).unwrap_or(0),
        stages: Vec::new(),
    };
    let mut select = db.prepare("SELECT stage, document FROM figures WHERE project = ?1")?;
    let rows = select.query_map([project], |row| {
        Ok((StageId(uuid(row, "stage")?), row.get::<_, String>(1)?))
    })?;
    for row in rows {
        let (stage, text) = row?;
        match serde_json::from_str::<StageFigures>(&text) {
            Ok(figures) => before.stages.push((stage, figures)),
            Err(error) => tracing::warn!(%error, "figures of a stage cannot be read"),
        }
    }
    Ok(before)
}

/// Sends the results of a project's tasks, the older ones of a task before the newer.
pub(super) fn send_results(
    db: &Connection,
    project: &str,
    send: impl Fn(Event),
) -> rusqlite::Result<()> {
    let mut select = db.prepare("SELECT * FROM result WHERE project = ?1 ORDER BY id")?;
    let mut rows = select.query([project])?;
    let mut results = Vec::new();
    while let Some(row) = rows.next()? {
        results.push(result(row)?);
        if results.len() >= TOGETHER {
            let results = std::mem::take(&mut results);
            send(Event::ResultsBefore {
                results,
                all: false,
            });
        }
    }
    send(Event::ResultsBefore { results, all: true });
    Ok(())
}

fn shortened(text: &str) -> String {
    let line = text.lines().next().unwrap_or_default();
    line.chars().take(TEXT).collect()
}

/// The patch of an outcome as it is kept, when it is small and holds more than the counts.
fn patch(kept: &KeptResult) -> Option<String> {
    /// One label takes more bytes.
    const LEAST: usize = 60;
    let patch = &kept.outcome.as_ref()?.patch;
    if patch.labels.len() * LEAST > PATCH_BYTES {
        return None;
    }
    let text = serde_json::to_string(patch).ok()?;
    (text.len() <= PATCH_BYTES).then_some(text)
}

/// Writes what has changed, and forgets what is too old.
pub(super) fn write(
    tx: &Transaction<'_>,
    project: &str,
    changes: &KeptFigures,
) -> rusqlite::Result<()> {
    let document = "INSERT OR REPLACE INTO figures VALUES (?1, ?2, ?3)";
    for (stage, figures) in &changes.stages {
        if let Ok(text) = serde_json::to_string(figures) {
            let mut insert = tx.prepare_cached(document)?;
            insert.execute(params![project, stage.0.as_bytes(), text])?;
        }
    }
    for run in &changes.runs {
        let number = i64::try_from(run.number).unwrap_or(i64::MAX);
        if let Ok(text) = serde_json::to_string(run) {
            let insert = "INSERT OR REPLACE INTO run VALUES (?1, ?2, ?3)";
            tx.prepare_cached(insert)?
                .execute(params![project, number, text])?;
        }
        let delete = "DELETE FROM run WHERE project = ?1 AND number <= ?2";
        tx.prepare_cached(delete)?
            .execute(params![project, number - RUNS])?;
    }
    let mut insert = tx.prepare_cached(
        "INSERT OR REPLACE INTO result (project, run, task, stage, title, updated, at, failed, text, pathway, alike,
         added, changed, removed, ms, patch)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)",
    )?;
    for kept in &changes.results {
        let last = &kept.last;
        insert.execute(params![
            project,
            i64::try_from(kept.run).unwrap_or(i64::MAX),
            kept.task.0.as_bytes(),
            kept.stage.0.as_bytes(),
            shortened(&kept.title),
            kept.updated.0,
            last.at.0,
            last.failed,
            shortened(&last.text),
            last.pathway.map(|id| *id.0.as_bytes()),
            last.group,
            last.labels.0,
            last.labels.1,
            last.labels.2,
            last.ms,
            patch(kept),
        ])?;
    }
    match changes.results.len() {
        0 => Ok(()),
        added => forget_old(tx, added),
    }
}

/// Each new result has a higher number than all before it, so that at most so many are within the newest numbers.
fn forget_old(tx: &Transaction<'_>, added: usize) -> rusqlite::Result<()> {
    let newest: i64 = tx.query_row("SELECT max(id) FROM result", [], |r| r.get(0))?;
    let delete = "DELETE FROM result WHERE id <= ?1";
    tx.prepare_cached(delete)?.execute([newest - KEPT])?;
    let added = i64::try_from(added).unwrap_or(i64::MAX);
    let without = newest - WITH_PATCH;
    // Those before were done by the writes before.
    let strip = "UPDATE result SET patch = NULL WHERE id <= ?1 AND id > ?2 AND patch IS NOT NULL";
    tx.prepare_cached(strip)?
        .execute([without, without.saturating_sub(added)])?;
    Ok(())
}
