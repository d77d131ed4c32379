//! All watched tasks with what is looked up of them: by task, by job, by turn, the worst. Nothing here depends on how many
//! there are, but for adding and removing many at once. Which task runs when is decided by the engine.

use super::memory::drop_unkept;
use super::{BatchSize, Phase, WatchAt, WatchFigures, WatchMemory, Watched};
use crate::ids::{BatchId, BuildId, JobId, StageId, TaskId};
use crate::loading::Loading;
use crate::step::Log;
use crate::work::{FetchSpec, Inputs, TaskRow};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};
use std::sync::Arc;

/// Tasks that a person ran again by themselves, and that are kept in full.
const WANTED: usize = 8;

/// How long the last run took, then the order in which tasks were chosen.
pub(super) type Turn = (u64, u64);

/// The watched tasks of a stage that are not on their way.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct WatchedStage {
    /// The build of this round.
    pub build: Option<BuildId>,
    /// No agent answers for the stage.
    pub without_agent: bool,
    /// Those that have yet to run on it.
    pub todo: BTreeSet<Turn>,
    /// Those that did.
    pub done: BTreeSet<Turn>,
}

/// A watched task whose agent was called.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct RunningWatched {
    pub task: TaskId,
    pub build: BuildId,
    pub inputs: Arc<Inputs>,
    /// Process of the host in which its agent runs; `None` while it waits for one.
    pub pid: Option<u32>,
    /// What it loads.
    pub loading: Option<Loading>,
    pub log: Log,
}

/// What is needed to call the agent of a task.
pub(crate) struct NextWatched {
    pub task: TaskId,
    pub stage: StageId,
    pub inputs: Arc<Inputs>,
}

/// All watched tasks, in the order in which they were chosen.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Watch {
    /// By the number that each got when it was chosen, which grows.
    pub(super) tasks: Vec<(u64, Box<Watched>)>,
    pub(super) numbers: HashMap<TaskId, u64>,
    pub(super) next: u64,
    pub(super) stages: BTreeMap<StageId, WatchedStage>,
    /// Those with their inputs at hand that run next.
    pub(super) ready: BTreeSet<Turn>,
    pub(super) running: HashMap<JobId, RunningWatched>,
    /// Whose inputs were asked for, for which agent.
    pub(super) fetches: HashMap<BatchId, (Vec<TaskId>, Arc<FetchSpec>)>,
    pub(super) fetching: usize,
    pub(super) comparing: usize,
    pub(super) comparisons: u64,
    /// Those that differ or fail, the worst first.
    pub(super) worst: BTreeSet<(Reverse<u64>, u64)>,
    pub(super) wanted: VecDeque<TaskId>,
    pub(super) figures: WatchFigures,
    pub(super) memory: WatchMemory,
    /// How many inputs are fetched at once.
    pub(crate) batch: BatchSize,
    /// Quick successes in a row.
    pub(crate) quick: usize,
    /// The results that a person pinned stay what newer builds are compared with.
    pub kept: bool,
    /// The build that was the newest when they were pinned.
    pub(super) pinned: Option<BuildId>,
    /// Results came since the last summary.
    pub(crate) unreported: bool,
}

impl Watch {
    /// How many tasks are watched.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.tasks.len()
    }

    /// Whether none is.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.tasks.is_empty()
    }

    /// The task at this place of the order in which they were chosen.
    #[must_use]
    pub fn at(&self, place: usize) -> Option<&Watched> {
        self.tasks.get(place).map(|(_, task)| &**task)
    }

    /// All, in the order in which they were chosen.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &Watched> {
        self.tasks.iter().map(|(_, task)| &**task)
    }

    /// A watched task.
    #[must_use]
    pub fn task(&self, id: TaskId) -> Option<&Watched> {
        self.by_number(*self.numbers.get(&id)?)
    }

    /// How many differ or fail.
    #[must_use]
    pub fn worst_len(&self) -> usize {
        self.worst.len()
    }

    /// Those that differ, and after them those that only fail; the worst first, from this place on.
    pub fn worst(&self, from: usize) -> impl Iterator<Item = &Watched> {
        let worst = self.worst.iter().skip(from);
        worst.filter_map(|(_, number)| self.by_number(*number))
    }

    /// How the newest build differs over all tasks, as far as it is known.
    #[must_use]
    pub const fn figures(&self) -> &WatchFigures {
        &self.figures
    }

    /// Bytes that are kept.
    #[must_use]
    pub const fn memory(&self) -> &WatchMemory {
        &self.memory
    }

    /// Tasks of which news is still to come.
    #[must_use]
    pub fn pending(&self) -> usize {
        let stages = self.stages.values().filter(|stage| !stage.without_agent);
        let todo: usize = stages.map(|stage| stage.todo.len()).sum();
        todo + self.fetching + self.ready.len() + self.running.len() + self.comparing
    }

    /// The newest build of the rounds under way.
    #[must_use]
    pub fn newest(&self) -> Option<BuildId> {
        self.stages.values().filter_map(|stage| stage.build).max()
    }

    /// The build whose results a person pinned.
    #[must_use]
    pub fn pinned(&self) -> Option<BuildId> {
        self.pinned.filter(|_| self.kept)
    }

    /// How far a task is.
    #[must_use]
    pub fn phase(&self, task: &Watched) -> Phase {
        match task.at {
            WatchAt::Fetching(batch) => return Phase::Fetching(batch),
            WatchAt::Ready => return Phase::Waiting,
            WatchAt::Running(job, build) => return Phase::Running(job, build),
            WatchAt::Idle => {}
        }
        let stage = self.stages.get(&task.stage);
        let turn = self
            .numbers
            .get(&task.row.id)
            .map(|number| (task.us, *number));
        let todo = stage
            .zip(turn)
            .is_some_and(|(stage, turn)| stage.todo.contains(&turn));
        match todo {
            true if stage.is_some_and(|stage| stage.without_agent) => Phase::NoAgent,
            true => Phase::Waiting,
            false if task.error.is_some() => Phase::Unfetched,
            false => Phase::Seen,
        }
    }

    /// Process of the host in which the agent of a task runs; `None` while it waits for one.
    #[must_use]
    pub fn pid(&self, task: &Watched) -> Option<u32> {
        self.running(task)?.pid
    }

    /// What the running agent of a task loads.
    #[must_use]
    pub fn loading(&self, task: &Watched) -> Option<&Loading> {
        self.running(task)?.loading.as_ref()
    }

    /// The log of a task: of its running agent, else of the newest result.
    #[must_use]
    pub fn log<'a>(&'a self, task: &'a Watched) -> &'a Log {
        self.running(task).map_or(&task.log, |running| &running.log)
    }

    fn running(&self, task: &Watched) -> Option<&RunningWatched> {
        match task.at {
            WatchAt::Running(job, _) => self.running.get(&job),
            _ => None,
        }
    }

    fn place(&self, number: u64) -> Option<usize> {
        self.tasks
            .binary_search_by_key(&number, |(number, _)| *number)
            .ok()
    }

    pub(super) fn by_number(&self, number: u64) -> Option<&Watched> {
        self.at(self.place(number)?)
    }

    /// Changes a task, and what is summed up of it.
    pub(super) fn change<R>(
        &mut self,
        number: u64,
        change: impl FnOnce(&mut Watched, &mut WatchMemory) -> R,
    ) -> Option<R> {
        let place = self.place(number)?;
        let task = &mut self.tasks[place].1;
        let rank = |task: &Watched| {
            task.severity()
                .map(|severity| (Reverse(severity.to_bits()), number))
        };
        let (figures, worst) = (task.figures(), rank(task));
        let result = change(task, &mut self.memory);
        self.figures.take_out(&figures);
        self.figures.add(&task.figures());
        let now = rank(task);
        if now != worst {
            worst.map(|worst| self.worst.remove(&worst));
            now.map(|now| self.worst.insert(now));
        }
        Some(result)
    }

    /// Watches tasks that are not watched yet; how many these are.
    pub(crate) fn add(&mut self, stage: StageId, rows: Vec<TaskRow>) -> usize {
        let before = self.tasks.len();
        let todo = &mut self.stages.entry(stage).or_default().todo;
        for row in rows {
            if self.numbers.contains_key(&row.id) {
                continue;
            }
            let number = self.next;
            self.next += 1;
            self.numbers.insert(row.id, number);
            todo.insert((0, number));
            self.tasks
                .push((number, Box::new(Watched::new(stage, row))));
        }
        self.tasks.len() - before
    }

    /// Watches these tasks no longer; their jobs.
    pub(crate) fn remove(&mut self, tasks: &HashSet<TaskId>) -> Vec<JobId> {
        let (mut jobs, mut gone) = (Vec::new(), HashSet::new());
        for id in tasks {
            jobs.extend(self.back_to_idle(*id));
            let number = self.numbers.remove(id);
            let Some(place) = number.and_then(|number| self.place(number)) else {
                continue;
            };
            let (number, task) = &self.tasks[place];
            self.figures.take_out(&task.figures());
            if let Some(severity) = task.severity() {
                self.worst.remove(&(Reverse(severity.to_bits()), *number));
            }
            if let Some(stage) = self.stages.get_mut(&task.stage) {
                stage.todo.remove(&(task.us, *number));
            }
            self.memory.free_inputs(task.kept_inputs);
            self.memory.free_results(task.kept_results);
            gone.insert(*number);
        }
        match gone.iter().next().and_then(|number| self.place(*number)) {
            Some(place) if gone.len() == 1 => drop(self.tasks.remove(place)),
            _ => self.tasks.retain(|(number, _)| !gone.contains(number)),
        }
        self.wanted.retain(|id| !tasks.contains(id));
        if self.tasks.is_empty() {
            self.kept = false;
        }
        jobs.sort_unstable();
        jobs
    }

    /// A task is not on its way any more and has its turn again; its job.
    pub(super) fn back_to_idle(&mut self, id: TaskId) -> Option<JobId> {
        let number = *self.numbers.get(&id)?;
        let task = self.by_number(number)?;
        let (stage, at, turn) = (task.stage, task.at, (task.us, number));
        let job = match at {
            WatchAt::Idle => None,
            WatchAt::Fetching(_) => {
                self.fetching -= 1;
                None
            }
            WatchAt::Ready => {
                self.ready.remove(&turn);
                None
            }
            WatchAt::Running(job, _) => {
                self.running.remove(&job);
                Some(job)
            }
        };
        let place = self.stages.entry(stage).or_default();
        place.done.remove(&turn);
        place.todo.insert(turn);
        self.compare_no_longer(number);
        self.change(number, |task, _| {
            task.at = WatchAt::Idle;
            drop_unkept(task);
        });
        job
    }

    /// These tasks run again; their jobs. Those of a person who names a few are kept in full.
    pub(crate) fn again(&mut self, tasks: &[TaskId]) -> Vec<JobId> {
        for id in tasks.iter().filter(|_| tasks.len() <= WANTED) {
            self.want(*id);
        }
        let fetching = |id: &&TaskId| {
            let task = self.task(**id);
            task.is_some_and(|task| !matches!(task.at, WatchAt::Fetching(_)))
        };
        let tasks: Vec<TaskId> = tasks.iter().filter(fetching).copied().collect();
        tasks
            .into_iter()
            .filter_map(|id| self.back_to_idle(id))
            .collect()
    }

    fn want(&mut self, id: TaskId) {
        let Some(number) = self.numbers.get(&id).copied() else {
            return;
        };
        self.wanted.retain(|wanted| *wanted != id);
        self.wanted.push_back(id);
        self.change(number, |task, _| task.wanted = true);
        if self.wanted.len() > WANTED
            && let Some(oldest) = self
                .wanted
                .pop_front()
                .and_then(|id| self.numbers.get(&id).copied())
        {
            self.change(oldest, |task, _| task.wanted = false);
        }
    }
}
