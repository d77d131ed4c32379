//! What a run without a screen notes of itself while it works, so that others can look at it.

use super::{BackgroundRequest, RunFolder, STATUS};
use crate::clock::now;
use std::fs::File;
use std::time::{Duration, Instant};
use wb_core::background::{BackgroundRun, BackgroundState};
use wb_core::error::Error;
use wb_core::ids::{Millis, ProjectHash, StageId};
use wb_core::run::{DoneBefore, Totals};
use wb_core::state::State;

/// Time between two notes.
const EVERY: Duration = Duration::from_millis(250);

/// The notes of a run.
pub struct RunRecord {
    folder: RunFolder,
    run: BackgroundRun,
    before: DoneBefore,
    written: Option<Instant>,
    /// Locked until this process is gone; one in the background was started with it.
    _lock: Option<File>,
}

impl RunRecord {
    /// Of a command that begins now.
    ///
    /// # Errors
    /// The state folder cannot be written.
    pub fn of_command(
        project: ProjectHash,
        stages: &[StageId],
        holds: bool,
    ) -> Result<Self, Error> {
        let (folder, lock) = RunFolder::create()?;
        let run = BackgroundRun {
            run: folder.number,
            project,
            background: false,
            holds,
            stage_uuids: stages.to_vec(),
            stage: String::new(),
            began: now(),
            noted: now(),
            ended: None,
            done: 0,
            all: None,
            failed: 0,
            rate: 0.0,
            pid: std::process::id(),
            state: BackgroundState::Running,
            exit_code: None,
            summary: None,
        };
        let mut record = Self {
            folder,
            run,
            before: DoneBefore::default(),
            written: None,
            _lock: Some(lock),
        };
        record.write();
        Ok(record)
    }

    /// Of this process, which was started to do what is left of a run.
    ///
    /// # Errors
    /// What its folder has of it cannot be read.
    pub fn of_background(folder: RunFolder, request: &BackgroundRequest) -> Result<Self, Error> {
        let mut run = folder.status()?;
        run.pid = std::process::id();
        run.state = BackgroundState::Running;
        let mut record = Self {
            folder,
            run,
            before: request.before,
            written: None,
            _lock: None,
        };
        record.write();
        Ok(record)
    }

    /// Its number.
    #[must_use]
    pub const fn number(&self) -> u64 {
        self.run.run
    }

    /// It takes no further tasks.
    pub fn stopping(&mut self) {
        self.run.state = BackgroundState::Stopping;
        self.write();
    }

    /// Notes now and then how far it is; `earlier` counts the passes before this one.
    pub fn look(&mut self, state: &State, earlier: &Totals) {
        if self.written.is_some_and(|at| at.elapsed() < EVERY) {
            return;
        }
        let Some(run) = &state.run else { return };
        let (before, tasks) = (&self.before, earlier.tasks + run.decided());
        let waiting = run.waiting();
        let listed =
            waiting.map(|waiting| before.tasks + earlier.tasks + run.totals.tasks + waiting);
        let titles = run.stage().map(|stage| state.stage_title(stage).to_owned());
        let seen = BackgroundRun {
            done: before.tasks + tasks,
            failed: before.failed + earlier.failed + run.totals.failed,
            all: listed.filter(|_| run.stages.len() == 1).or(before.all),
            rate: run.rate(state.now),
            stage: titles.unwrap_or_else(|| self.run.stage.clone()),
            ..self.run.clone()
        };
        if seen != self.run {
            self.run = seen;
            self.write();
        }
    }

    /// Its end.
    pub fn end(&mut self, totals: &Totals, whole: bool, code: u8, summary: String) {
        let (done, failed) = self.done(totals);
        let run = &mut self.run;
        (run.done, run.failed) = (done, failed);
        run.all = run
            .all
            .filter(|_| !whole)
            .or(Some(run.done).filter(|_| whole));
        run.ended = Some(now());
        run.exit_code = Some(code);
        run.summary = Some(summary);
        run.state = match whole {
            true => BackgroundState::Finished,
            false => BackgroundState::Stopped,
        };
        self.write();
    }

    /// Tasks that are done and those of them that failed, with what the screen had done.
    #[must_use]
    pub const fn done(&self, totals: &Totals) -> (u64, u64) {
        let before = &self.before;
        (before.tasks + totals.tasks, before.failed + totals.failed)
    }

    /// When it began.
    #[must_use]
    pub const fn began(&self) -> Millis {
        self.run.began
    }

    fn write(&mut self) {
        self.run.noted = now();
        self.written = Some(Instant::now());
        let text = serde_json::to_vec(&self.run).unwrap_or_default();
        if let Err(error) = self.folder.write(STATUS, &text) {
            tracing::warn!(%error, "how far the run is was not noted");
        }
    }
}
