//! Runs without a screen, as the state folder has them: a folder for each under `runs/`, named by its number, with how far it
//! is, and for one that goes on in the background what it was asked (`request`), its lines and its messages. `begin` starts
//! such a process, `record` is what the process itself notes, `news` is how a screen hears of it. Running tasks is left to the
//! commands.

mod begin;
mod news;
mod record;
mod request;

pub use begin::{BackgroundFlags, begin};
pub use news::BackgroundNews;
pub use record::RunRecord;
pub use request::BackgroundRequest;

use crate::config::state_dir;
use crate::files::{self, Unusable};
use crate::journal::Keep;
use rustix::process::{Pid, Signal, kill_process};
use std::fs::{DirBuilder, File, TryLockError};
use std::io::{self, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use wb_core::background::{BackgroundRun, BackgroundState};
use wb_core::error::{Error, ErrorKind};

/// The folder of all runs, in the state folder.
const RUNS: &str = "runs";
/// Locked by the process of a run as long as it lives, however it ends.
const ALIVE: &str = "alive";
/// How far the run is.
const STATUS: &str = "status.json";
/// What a run in the background prints.
const LINES: &str = "lines.jsonl";
/// What it reports to a person.
const MESSAGES: &str = "messages";
/// Runs that are begun at the same moment.
const TRIES: u64 = 1000;

/// The folder of one run.
#[derive(Clone, Debug)]
pub struct RunFolder {
    dir: PathBuf,
    number: u64,
}

impl RunFolder {
    /// A new one, with the next number; its lock is held until the file is closed.
    ///
    /// # Errors
    /// The state folder cannot be written.
    fn create() -> Result<(Self, File), Error> {
        let runs = state_dir(RUNS)?;
        let first = numbers(&runs).last().map_or(1, |last| last + 1);
        for number in first..first + TRIES {
            let dir = runs.join(number.to_string());
            match DirBuilder::new().mode(0o700).create(&dir) {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => continue,
                Err(error) => return Err(unusable(&dir, &error)),
            }
            let mut options = files::private();
            let lock = options.read(true).create(true).open(dir.join(ALIVE));
            let lock = lock.map_err(|error| unusable(&dir, &error))?;
            if let Err(error) = lock.lock() {
                tracing::warn!(%error, "no lock for a run");
            }
            return Ok((Self { dir, number }, lock));
        }
        let text = format!("{}: no number is free for a run", runs.display());
        Err(Error::new(ErrorKind::Settings, text))
    }

    /// The folder of the run of this number.
    ///
    /// # Errors
    /// This folder has no such run.
    pub fn of(number: u64) -> Result<Self, Error> {
        let folder = existing().map(|runs| Self::in_runs(&runs, number));
        folder
            .filter(|folder| folder.dir.join(STATUS).is_file())
            .ok_or_else(|| {
                let text = format!("no run #{number} is known in this folder");
                Error::new(ErrorKind::Usage, text).hint("workbench runs")
            })
    }

    fn in_runs(runs: &Path, number: u64) -> Self {
        Self {
            dir: runs.join(number.to_string()),
            number,
        }
    }

    /// How far the run is, or how it ended.
    ///
    /// # Errors
    /// What it has noted cannot be read.
    pub fn status(&self) -> Result<BackgroundRun, Error> {
        // Asked first: what is noted last, just before the end, is read then.
        let alive = self.is_alive();
        let path = self.dir.join(STATUS);
        let unreadable = |why: &dyn std::fmt::Display| {
            let text = format!("{} cannot be read: {why}", path.display());
            Error::new(ErrorKind::Settings, text)
        };
        let text = std::fs::read_to_string(&path).map_err(|error| unreadable(&error))?;
        let mut run: BackgroundRun =
            serde_json::from_str(&text).map_err(|error| unreadable(&error))?;
        if run.state.is_alive() && !alive.unwrap_or_else(|| lives(run.pid)) {
            run.state = BackgroundState::Died;
        }
        Ok(run)
    }

    /// Whether its lock is held; `None` where the folder knows no locks.
    fn is_alive(&self) -> Option<bool> {
        let Ok(file) = File::open(self.dir.join(ALIVE)) else {
            return Some(false);
        };
        match file.try_lock_shared() {
            Ok(()) => Some(false),
            Err(TryLockError::WouldBlock) => Some(true),
            Err(TryLockError::Error(_)) => None,
        }
    }

    /// The lines that it prints, where they are kept.
    #[must_use]
    pub fn lines(&self) -> PathBuf {
        self.dir.join(LINES)
    }

    /// What it reports to a person, where that is kept.
    #[must_use]
    pub fn messages(&self) -> PathBuf {
        self.dir.join(MESSAGES)
    }

    /// Asks it to finish what is under way and to take no further tasks.
    ///
    /// # Errors
    /// Its process cannot be reached.
    pub fn stop(&self) -> Result<(), Error> {
        let run = self.status()?;
        let pid = i32::try_from(run.pid).ok().and_then(Pid::from_raw);
        let (true, Some(pid)) = (run.state.is_alive(), pid) else {
            return Ok(());
        };
        kill_process(pid, Signal::TERM).map_err(|error| {
            let text = format!("run #{} cannot be stopped: {error}", self.number);
            Error::new(ErrorKind::Settings, text)
        })
    }

    /// Replaces a file of it as a whole.
    fn write(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let part = self.dir.join(format!("{name}.part"));
        let mut options = files::private();
        let mut file = options.create(true).truncate(true).open(&part)?;
        file.write_all(bytes)?;
        std::fs::rename(&part, self.dir.join(name))
    }
}

/// Whether a process of this number lives.
fn lives(pid: u32) -> bool {
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw);
    pid.is_some_and(|pid| rustix::process::test_kill_process(pid).is_ok())
}

fn existing() -> Option<PathBuf> {
    files::existing(RUNS)
}

/// The numbers of all runs, the oldest first.
fn numbers(runs: &Path) -> Vec<u64> {
    let entries = std::fs::read_dir(runs).into_iter().flatten().flatten();
    let name = |entry: std::fs::DirEntry| entry.file_name().to_str()?.parse().ok();
    let mut all: Vec<u64> = entries.filter_map(name).collect();
    all.sort_unstable();
    all
}

/// The runs of this folder, the oldest first.
#[must_use]
pub fn all() -> Vec<BackgroundRun> {
    let Some(runs) = existing() else {
        return Vec::new();
    };
    let of = |number| RunFolder::in_runs(&runs, number).status();
    let mut all = Vec::new();
    for found in numbers(&runs).into_iter().map(of) {
        match found {
            Ok(run) => all.push(run),
            Err(error) => tracing::warn!("{error}"),
        }
    }
    all
}

/// Forgets runs that are over. The newest one stays, so that no number is given twice.
///
/// # Errors
/// A folder cannot be removed.
pub fn prune(keep: Keep, now_ms: i64) -> Result<usize, Error> {
    let all = all();
    let over = match keep {
        Keep::Newest(n) => all.len().saturating_sub(n),
        Keep::Within(_) => all.len(),
    };
    let since = match keep {
        Keep::Newest(_) => i64::MAX,
        Keep::Within(time) => {
            now_ms.saturating_sub_unsigned(u64::try_from(time.as_millis()).unwrap_or(u64::MAX))
        }
    };
    let newest = all.last().map(|run| run.run);
    let old = all
        .iter()
        .take(over)
        .filter(|run| !run.state.is_alive() && run.began.0 < since && Some(run.run) != newest);
    let mut forgotten = 0;
    for run in old {
        let folder = RunFolder::of(run.run)?;
        std::fs::remove_dir_all(&folder.dir).map_err(|error| unusable(&folder.dir, &error))?;
        forgotten += 1;
    }
    Ok(forgotten)
}

fn unusable(dir: &Path, error: &io::Error) -> Error {
    Unusable::because(error).error(dir)
}
