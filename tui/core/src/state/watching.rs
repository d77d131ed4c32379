//! Watched tasks: at every build their agents run dry again, on the inputs they had.
//!
//! As many at a time as hosts are free beside what people and runs have asked for, those first that were quick the last time,
//! so that a slow one keeps nobody waiting. What a round came to is put in words by [`summary`].

mod summary;

use super::comparing::JOBS;
use super::*;
use crate::compare::{TaskComparison, compare};
use crate::comparing::{CompareFor, CompareTask, SideResult};
use crate::watch::{RunningWatched, WatchComparison, WatchFigures, WatchResult, Watched};
use crate::work::TaskRow;

/// Tasks that wait with their inputs at hand, so that hosts are never idle.
const READY: usize = 128;
/// Batches of inputs that are on their way at once.
const BATCHES: usize = 2;
/// An agent that takes at most this many microseconds is quick: handing over a job costs more than running it.
const QUICK_US: u64 = 500;
/// Jobs of quick agents that are given out beyond those that run.
const AHEAD: usize = 32;

impl State {
    /// Watches tasks of a stage, or no longer.
    pub(super) fn watch(&mut self, stage: StageId, rows: Vec<TaskRow>, on: bool) -> Vec<Effect> {
        if on {
            self.watch.add(stage, rows);
            return self.watch_build();
        }
        let chosen: HashSet<TaskId> = rows.iter().map(|r| r.id).collect();
        self.unwatch(&chosen)
    }

    /// Watches no task any longer.
    pub(super) fn unwatch_all(&mut self) -> Vec<Effect> {
        let all: HashSet<TaskId> = self.watch.iter().map(|task| task.row.id).collect();
        self.unwatch(&all)
    }

    fn unwatch(&mut self, tasks: &HashSet<TaskId>) -> Vec<Effect> {
        kill(self.watch.remove(tasks))
    }

    /// Runs watched tasks again on the newest build.
    pub(super) fn watch_again(&mut self, tasks: &[TaskId]) -> Vec<Effect> {
        let jobs = self.watch.again(tasks);
        let mut effects = kill(jobs);
        effects.extend(self.watch_build());
        effects
    }

    /// Another build may be active: watched tasks of its stages run again, and what runs on an older one is stopped.
    pub(super) fn watch_build(&mut self) -> Vec<Effect> {
        let mut effects = Vec::new();
        for stage in self.watch.stages() {
            let build = self.agent(stage).map(|(build, _, _)| build);
            effects.extend(kill(self.watch.begin_round(stage, build)));
        }
        effects
    }

    /// What an agent of a stage asks for.
    fn fetch_of(&self, stage: StageId) -> Option<FetchSpec> {
        self.agent(stage).map(|(_, _, agent)| FetchSpec::of(agent))
    }

    /// What is to be done next for the watched tasks, after every event: cheap when that is nothing.
    pub(super) fn advance_watch(&mut self) -> Vec<Effect> {
        if self.watch.pending() == 0 && !self.watch.unreported {
            return Vec::new();
        }
        let mut effects = self.watch_fetch();
        effects.extend(self.watch_launch());
        self.sum_up_watch();
        effects
    }

    /// Takes the next tasks, and asks for the inputs that are missing, those of a stage at once.
    fn watch_fetch(&mut self) -> Vec<Effect> {
        let mut effects = Vec::new();
        if self.watch.ahead() > READY / 2 {
            return effects;
        }
        while self.watch.ahead() < READY && self.watch.batches() < BATCHES {
            let Some(stage) = self.watch.next_stage() else {
                break;
            };
            let Some(fetch) = self.fetch_of(stage) else {
                self.watch.begin_round(stage, None);
                continue;
            };
            let most = self.watch.batch.tasks();
            let mut rows = Vec::new();
            while rows.len() < most
                && self.watch.ahead() + rows.len() < READY
                && self.watch.next_stage() == Some(stage)
            {
                rows.extend(self.watch.take_next(stage, &fetch));
            }
            if rows.is_empty() {
                continue;
            }
            let batch = BatchId::next(BatchOwner::Watch, &mut self.batches);
            self.watch.fetch(batch, &rows, fetch.clone());
            effects.push(Effect::Fetch {
                batch,
                stage,
                rows,
                fetch,
            });
        }
        effects
    }

    /// Inputs of watched tasks arrived; `None`: the batch is somebody else's.
    pub(super) fn watch_fetched(
        &mut self,
        batch: BatchId,
        results: &[Result<Arc<Inputs>, Error>],
    ) -> Option<Vec<Effect>> {
        let (tasks, fetch) = self.watch.take_fetch(batch)?;
        let inputs = results.iter().flatten();
        self.watch.batch.learn(inputs.map(|inputs| &**inputs));
        for (id, result) in tasks.into_iter().zip(results) {
            self.watch.fetched(id, batch, result, &fetch);
        }
        Some(Vec::new())
    }

    /// Jobs at a time beside runs: as many as a person chose for them.
    pub(super) fn jobs_beside(&self) -> usize {
        let run = self.run.as_ref().filter(|run| !run.is_over());
        let chosen = run.map(|run| run.spec.concurrency).or(self.jobs_at_a_time);
        chosen.unwrap_or(JOBS).max(1)
    }

    /// How many watched tasks may run now: where hosts are free. One may in any case, so that a long run does not stop
    /// the loop.
    fn watch_jobs(&self) -> usize {
        let hosts = self.jobs_beside();
        let run = self.run.as_ref().filter(|run| !run.is_over());
        let of_run = run.map_or(0, |run| run.jobs_under_way().min(hosts));
        let stepped = usize::from(self.step.as_ref().is_some_and(|step| step.job.is_some()));
        let ahead = match of_run {
            0 => self.watch.quick.min(AHEAD),
            _ => 0,
        };
        hosts.saturating_sub(of_run + stepped).max(1) + ahead
    }

    /// Starts those of the next tasks for which there is room.
    fn watch_launch(&mut self) -> Vec<Effect> {
        let mut effects = Vec::new();
        let most = self.watch_jobs();
        if !self.watch.is_ready() || self.watch.jobs().len() >= most {
            return effects;
        }
        let stages = self.watch.stages().into_iter();
        let fetches: BTreeMap<StageId, Option<FetchSpec>> =
            stages.map(|stage| (stage, self.fetch_of(stage))).collect();
        let fits = |stage: StageId, fetch: &FetchSpec| {
            fetches.get(&stage).and_then(Option::as_ref) == Some(fetch)
        };
        while self.watch.jobs().len() < most {
            let Some(next) = self.watch.take_ready(fits) else {
                break;
            };
            let agent = self.agent(next.stage);
            let agent = agent.map(|(build, at, agent)| (build, at, self.limit_of(agent)));
            let Some((build, agent, deadline_ms)) = agent else {
                break;
            };
            if self.watch.jobs().is_empty() && self.run.as_ref().is_none_or(Run::is_over) {
                effects.push(Effect::Concurrency(self.jobs_beside()));
            }
            self.jobs += 1;
            let job = JobId(self.jobs);
            let running = RunningWatched {
                task: next.task,
                build,
                inputs: Arc::clone(&next.inputs),
                pid: None,
                loading: None,
                log: Log::default(),
            };
            self.watch.started(job, running);
            effects.push(Effect::Launch(Launch {
                job,
                build,
                agent,
                attempt: 1,
                stage: next.stage,
                inputs: next.inputs,
                deadline_ms,
                priority: Priority::Watch,
                pauses: false,
                given: Arc::default(),
            }));
        }
        effects
    }

    /// A watched task ran; `None`: the job is somebody else's.
    pub(super) fn watch_done(
        &mut self,
        job: JobId,
        result: &Result<Arc<Outcome>, Error>,
        run_us: u64,
    ) -> Option<Vec<Effect>> {
        let build = self.watch.jobs().get(&job)?.build;
        let at = self.now;
        let quick = result.is_ok() && run_us <= QUICK_US;
        self.watch.quick = if quick { self.watch.quick + 1 } else { 0 };
        let newer = WatchResult::new(build, result.clone(), run_us, at);
        let (running, before) = self.watch.ran(job, newer.clone())?;
        self.results
            .insert(running.task, last_result(build, result, run_us, at));
        let compare = before.and_then(|before| self.compare_watched(&running, &before, &newer));
        Some(compare.into_iter().collect())
    }

    /// Compares both results of a task: at once where that takes no time, else beside the state.
    fn compare_watched(
        &mut self,
        running: &RunningWatched,
        before: &WatchResult,
        now: &WatchResult,
    ) -> Option<Effect> {
        let id = running.task;
        let (Some(a), Some(b)) = (&before.kept, &now.kept) else {
            let found = in_short(before, now);
            self.watch.compared(id, None, weighed(found, true));
            return None;
        };
        let [a, b] = [(a, before.run_us), (b, now.run_us)]
            .map(|(result, run_us)| SideResult::new(result.clone(), Some(run_us)));
        if is_light(&a) && is_light(&b) {
            let found = compare(&Arc::default(), None, a.side(), b.side());
            self.watch.compared(id, None, weighed(found, false));
            return None;
        }
        let ticket = self.watch.compares(id)?;
        Some(Effect::Compare(Arc::new(CompareTask {
            of: CompareFor::Watched(ticket),
            inputs: Arc::clone(&running.inputs),
            results: [a, b],
        })))
    }

    /// Both results of a task were compared.
    pub(super) fn watched_compared(
        &mut self,
        ticket: u64,
        task: TaskId,
        found: TaskComparison,
    ) -> Vec<Effect> {
        let comparison = weighed(found, false);
        self.watch.compared(task, Some(ticket), comparison);
        Vec::new()
    }

    /// What is there now is what newer builds are compared with, or the build before each.
    pub(super) fn keep_looks(&mut self, keep: bool) -> Vec<Effect> {
        self.watch.kept = keep;
        if keep {
            self.watch.pin();
        }
        Vec::new()
    }

    /// Holds what the newest build gave for a watched task.
    pub(super) fn hold_watched(&mut self, id: TaskId) -> Vec<Effect> {
        let Some(task) = self.watch.task(id) else {
            return Vec::new();
        };
        let given = task
            .now
            .as_ref()
            .and_then(|now| Some((now.build, now.outcome()?)));
        let (Some((build, outcome)), Some(inputs)) = (given, &task.inputs) else {
            return Vec::new();
        };
        let held = Held {
            stage: task.stage,
            inputs: inputs.clone(),
            outcome: outcome.clone(),
            build,
            taken: true,
            at: self.now,
        };
        let title = task.row.title.clone();
        self.held.insert(id, held);
        self.conflicts.remove(&id);
        self.mended(id);
        self.info(
            Kind::Task,
            format!("{title}: held for review ({{key:Review}})"),
        );
        Vec::new()
    }
}

fn kill(jobs: Vec<JobId>) -> Vec<Effect> {
    jobs.into_iter().map(Effect::Kill).collect()
}

/// Whether a result is compared in no time: it has no labels to be parsed.
fn is_light(side: &SideResult) -> bool {
    let outcome = side.result.as_ref().ok();
    outcome.is_none_or(|outcome| {
        outcome.labels_after.is_none()
            && outcome.patch.labels.len() + outcome.patch.changes.len() < 50
    })
}

fn weighed(found: TaskComparison, in_short: bool) -> WatchComparison {
    WatchComparison {
        differs: found.differs(),
        severity: found.severity(),
        figures: WatchFigures::of(&found, in_short),
        found: Some(Arc::new(found)),
    }
}

/// Compares two results of which one is not kept in full: by route and number of labels.
fn in_short(before: &WatchResult, now: &WatchResult) -> TaskComparison {
    let words = |(added, changed, removed): (usize, usize, usize)| {
        format!("+{added} ~{changed} -{removed}")
    };
    let pair = [before, now];
    let note = (before.labels != now.labels).then(|| {
        format!(
            "labels {} → {}; the outcome of build {} is no longer kept, so they were not compared one by one",
            words(before.labels),
            words(now.labels),
            before.build
        )
    });
    TaskComparison {
        routes: pair.map(|one| one.text.to_string()),
        failed: pair.map(|one| one.failed),
        changed_route: before.text != now.text,
        run_us: pair.map(|one| Some(one.run_us)),
        note,
        ..TaskComparison::default()
    }
}
