//! How a screen hears of the runs in the background of its folder: a thread looks at their notes, and sends what has changed.

use super::{RunFolder, existing, numbers};
use std::collections::{BTreeMap, HashSet};
use std::path::Path;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::time::Duration;
use tokio::sync::mpsc::Sender as News;
use wb_core::background::BackgroundRun;
use wb_core::event::Event;
use wb_core::ids::{Millis, ProjectHash};

/// Time between two looks.
const EVERY: Duration = Duration::from_millis(500);

/// The thread; it ends when this is dropped.
pub struct BackgroundNews {
    _stop: Sender<()>,
}

impl BackgroundNews {
    /// Begins to look.
    #[must_use]
    pub fn begin(project: ProjectHash, news: News<Event>) -> Option<Self> {
        let (stop, stopped) = channel();
        let work = move || {
            let mut seen = SeenRuns::default();
            loop {
                let changed = existing().and_then(|runs| seen.look(&runs, project));
                if let Some(runs) = changed
                    && news.blocking_send(Event::Background(runs)).is_err()
                {
                    return;
                }
                if stopped.recv_timeout(EVERY) != Err(RecvTimeoutError::Timeout) {
                    return;
                }
            }
        };
        let thread = std::thread::Builder::new().name("wb-background".into());
        match thread.spawn(work) {
            Ok(_) => Some(Self { _stop: stop }),
            Err(error) => {
                tracing::warn!(%error, "runs in the background are not looked at");
                None
            }
        }
    }
}

/// What was seen so far.
#[derive(Default)]
struct SeenRuns {
    /// Runs that are over, commands, and runs of other projects: they are not read again.
    over: HashSet<u64>,
    /// Those that were under way when they were looked at last.
    alive: BTreeMap<u64, BackgroundRun>,
}

impl SeenRuns {
    /// The runs under way, and those that have ended since; `None`: nothing has changed.
    fn look(&mut self, runs: &Path, project: ProjectHash) -> Option<Vec<BackgroundRun>> {
        let mut now = Vec::new();
        for number in numbers(runs) {
            if self.over.contains(&number) {
                continue;
            }
            // One that is just being made has no notes yet.
            let Ok(mut run) = RunFolder::in_runs(runs, number).status() else {
                continue;
            };
            let known = self.alive.contains_key(&number);
            let ours = run.background && run.project == project;
            if !run.state.is_alive() || !ours {
                self.over.insert(number);
                if !known || !ours {
                    continue;
                }
            }
            // When it was noted is of no interest here.
            run.noted = Millis::default();
            now.push(run);
        }
        let alive = now.iter().filter(|run| run.state.is_alive());
        let alive: BTreeMap<u64, BackgroundRun> = alive.map(|run| (run.run, run.clone())).collect();
        let ended = now.len() > alive.len();
        let changed = ended || alive != self.alive;
        self.alive = alive;
        changed.then_some(now)
    }
}
