//! What is known of a stage beyond its queue: how long attempts take, which pathways its agent returned, the last run
//! and the last commit. All of it is kept up to date by events, one task at a time, in bounded memory; looking at it costs
//! nothing that grows with the tasks. Writing it to the disk is left to the runtime, feeding it to the state.

mod document;
mod kept;
mod recent;
mod speed;
#[cfg(test)]
mod tests;

pub use kept::{FiguresBefore, KeptFigures, KeptResult, KeptRun};
pub use recent::{AttemptTimes, RECENT, RouteCounts, TakenRoute};
pub use speed::{RecentSpeed, SPEED_WINDOW_MS};

use crate::ids::{Millis, OperationId, StageId, TaskId};
use document::FiguresDocument;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// The newest run that handled a task of a stage.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct LastRun {
    /// Number.
    pub number: u64,
    /// It wrote each batch as it finished, instead of holding it.
    pub live: bool,
    /// When it began.
    pub began: Millis,
    /// When it was over; `None`: it is under way, or its process ended first.
    pub ended: Option<Millis>,
    /// It was stopped before its last task.
    pub stopped: bool,
    /// Tasks of this stage that are final.
    pub tasks: u64,
    /// Of these, sent through a pathway.
    pub moved: u64,
    /// Of these, failed.
    pub failed: u64,
    /// Of these, left because of somebody else's change.
    pub conflicts: u64,
}

/// The newest commit of outcomes of a stage from the screen.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct LastCommit {
    /// Number of its operation in the journal, once that is closed.
    pub number: Option<i64>,
    /// When its newest answer came.
    pub at: Millis,
    /// Tasks of this stage that it wrote.
    pub tasks: u64,
    /// Tasks of the operation that were taken back since.
    pub taken_back: u64,
}

/// The figures of one stage.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(from = "FiguresDocument", into = "FiguresDocument")]
pub struct StageFigures {
    /// How long the newest attempts of runs took.
    pub times: AttemptTimes,
    /// Where tasks of runs went, lately and ever.
    pub routes: RouteCounts,
    /// The newest run.
    pub last_run: Option<LastRun>,
    /// The newest commit.
    pub last_commit: Option<LastCommit>,
}

impl StageFigures {
    /// A task of a run is final.
    fn reported(&mut self, run: RunName, route: TakenRoute, build: &str) {
        self.routes.push(route, build);
        let last = self.last_run.get_or_insert_default();
        if last.number != run.number || last.began != run.began {
            *last = LastRun {
                number: run.number,
                live: run.live,
                began: run.began,
                ..LastRun::default()
            };
        }
        last.tasks += 1;
        match route {
            TakenRoute::Pathway(_) | TakenRoute::Stage(_) => last.moved += 1,
            TakenRoute::Failed => last.failed += 1,
            TakenRoute::Conflict => last.conflicts += 1,
            TakenRoute::Stay => {}
        }
    }
}

/// What names a run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RunName {
    pub(crate) number: u64,
    pub(crate) live: bool,
    pub(crate) began: Millis,
}

/// The figures of all stages, and what of them is to be kept.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Figures {
    stages: BTreeMap<StageId, StageFigures>,
    /// How fast tasks of the newest run are decided.
    pub speed: RecentSpeed,
    /// Stages whose figures are other ones than those that are kept.
    changed: BTreeSet<StageId>,
    /// When they were kept last, or changed first.
    kept: Option<Millis>,
    /// They are kept at once, however long ago that was done last.
    due: bool,
    results: Vec<KeptResult>,
    runs: Vec<KeptRun>,
    /// Results of an earlier screen whose tasks are not listed yet.
    pub(crate) coming: HashMap<StageId, HashMap<TaskId, KeptResult>>,
    /// All of those are here.
    pub(crate) all_here: bool,
    /// Commits whose operation has no number yet.
    unnumbered: BTreeMap<OperationId, BTreeSet<StageId>>,
}

/// Figures are kept this often at most while they change, in milliseconds; more often together with results.
const KEEP_MS: u64 = 2_000;
const WITH_RESULTS_MS: u64 = 250;

impl Figures {
    /// The figures of a stage; `None`: nothing ran there yet.
    #[must_use]
    pub fn of(&self, stage: StageId) -> Option<&StageFigures> {
        self.stages.get(&stage)
    }

    fn change(&mut self, stage: StageId) -> &mut StageFigures {
        self.changed.insert(stage);
        self.stages.entry(stage).or_default()
    }

    /// Figures that an earlier screen kept.
    pub(crate) fn bring_back(&mut self, stages: Vec<(StageId, StageFigures)>) {
        for (stage, figures) in stages {
            self.stages.entry(stage).or_insert(figures);
        }
    }

    /// An attempt of a run is over.
    pub(crate) fn attempted(&mut self, stage: StageId, us: u64) {
        self.change(stage).times.push(us);
    }

    /// A task of a run is final; `build` is the hash of the library that handled it.
    pub(crate) fn reported(
        &mut self,
        stage: StageId,
        run: RunName,
        route: TakenRoute,
        build: &str,
    ) {
        self.change(stage).reported(run, route, build);
    }

    /// A run began.
    pub(crate) fn run_began(&mut self, run: KeptRun) {
        self.speed = RecentSpeed::new(run.began);
        self.runs.push(run);
    }

    /// A run is over.
    pub(crate) fn run_over(&mut self, run: KeptRun) {
        for stage in &run.stages {
            let figures = self.stages.get_mut(stage);
            let last = figures.and_then(|figures| figures.last_run.as_mut());
            if let Some(last) = last.filter(|last| last.number == run.number) {
                (last.ended, last.stopped) = (run.ended, run.stopped);
                self.changed.insert(*stage);
            }
        }
        self.runs.push(run);
        self.due = true;
    }

    /// An operation has written for this many tasks of a stage.
    pub(crate) fn committed(
        &mut self,
        stage: StageId,
        operation: Option<OperationId>,
        tasks: u64,
        now: Millis,
    ) {
        if tasks == 0 {
            return;
        }
        let goes_on = operation.is_some_and(|operation| {
            let stages = self.unnumbered.entry(operation).or_default();
            !stages.insert(stage)
        });
        let last = self.change(stage).last_commit.get_or_insert_default();
        let before = if goes_on { last.tasks } else { 0 };
        *last = LastCommit {
            number: None,
            at: now,
            tasks: before + tasks,
            taken_back: 0,
        };
        self.due = true;
    }

    /// The operation of a commit has this number in the journal.
    pub(crate) fn numbered(&mut self, operation: OperationId, number: i64) {
        for stage in self.unnumbered.remove(&operation).unwrap_or_default() {
            if let Some(last) = &mut self.change(stage).last_commit {
                last.number = Some(number);
            }
        }
        self.due = true;
    }

    /// Tasks of an operation were taken back.
    pub(crate) fn taken_back(&mut self, number: i64, tasks: u64) {
        for (stage, figures) in &mut self.stages {
            let last = figures.last_commit.as_mut();
            if let Some(last) = last.filter(|last| last.number == Some(number)) {
                last.taken_back += tasks;
                self.changed.insert(*stage);
                self.due = true;
            }
        }
    }

    /// The last result of a task is to be kept.
    pub(crate) fn keep(&mut self, result: KeptResult) {
        self.results.push(result);
    }

    /// Whether something was written by an operation of the journal that has a number.
    pub(crate) fn has_commits(&self) -> bool {
        let numbered = |figures: &StageFigures| {
            let last = figures.last_commit.as_ref();
            last.is_some_and(|last| last.number.is_some())
        };
        self.stages.values().any(numbered)
    }

    /// What has to be kept now: results at once, the figures of stages now and then, everything before the end.
    pub(crate) fn take_changes(&mut self, now: Millis, leaving: bool) -> Option<KeptFigures> {
        let kept = *self.kept.get_or_insert(now);
        let wait = match self.results.is_empty() {
            true => KEEP_MS,
            false => WITH_RESULTS_MS,
        };
        let is_time = leaving || self.due || now.since(kept) >= wait;
        let stages = !self.changed.is_empty() && is_time;
        if self.results.is_empty() && self.runs.is_empty() && !stages {
            return None;
        }
        let mut kept = KeptFigures {
            results: std::mem::take(&mut self.results),
            runs: std::mem::take(&mut self.runs),
            stages: Vec::new(),
        };
        if stages {
            (self.kept, self.due) = (Some(now), false);
            for stage in std::mem::take(&mut self.changed) {
                let figures = self.stages.get(&stage).cloned();
                kept.stages.extend(figures.map(|figures| (stage, figures)));
            }
        }
        Some(kept)
    }
}
