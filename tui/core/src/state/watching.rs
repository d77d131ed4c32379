//! Watched tasks: at every build their agents run dry again, on the inputs they had.
//!
//! One at a time, those first that were quick the last time, so that a slow one keeps nobody waiting.

use super::*;
use crate::counted::plural;
use crate::watch::{MOST, Phase, WatchResult, Watched};
use crate::work::TaskRow;

/// Tasks that differ and are named one by one in the activity.
const NAMED: usize = 3;

impl State {
    /// Watches tasks of a stage, or no longer.
    pub(super) fn watch(&mut self, stage: StageId, rows: Vec<TaskRow>, on: bool) -> Vec<Effect> {
        let chosen: HashSet<TaskId> = rows.iter().map(|r| r.id).collect();
        if !on {
            let mut effects = Vec::new();
            for task in self
                .watch
                .tasks
                .iter()
                .filter(|t| chosen.contains(&t.row.id))
            {
                if let Phase::Running(job, _) = task.phase {
                    effects.push(Effect::Kill(job));
                }
            }
            self.watch.tasks.retain(|t| !chosen.contains(&t.row.id));
            if self.watch.tasks.is_empty() {
                self.watch.kept = false;
            }
            effects.extend(self.advance_watch());
            return effects;
        }
        let known: HashSet<TaskId> = self.watch.tasks.iter().map(|t| t.row.id).collect();
        let new: Vec<TaskRow> = rows
            .into_iter()
            .filter(|r| !known.contains(&r.id))
            .collect();
        let room = MOST.saturating_sub(known.len());
        if new.len() > room {
            let text = format!(
                "at most {MOST} tasks are watched; {} are left out",
                new.len() - room
            );
            self.warn(Kind::Watch, text, None);
        }
        let new = new.into_iter().take(room);
        self.watch
            .tasks
            .extend(new.map(|row| Watched::new(stage, row)));
        self.advance_watch()
    }

    /// Runs watched tasks again on the newest build.
    pub(super) fn watch_again(&mut self, tasks: &[TaskId]) -> Vec<Effect> {
        let mut effects = Vec::new();
        for id in tasks {
            let task = self.watch.task(*id).map(|t| (t.stage, t.phase));
            let Some((stage, phase)) = task else { continue };
            if let Phase::Running(job, _) = phase {
                effects.push(Effect::Kill(job));
            }
            if !matches!(phase, Phase::Fetching(_)) {
                let next = self.watch_from(stage, *id);
                if let Some(task) = self.watch.task_mut(*id) {
                    task.phase = next;
                }
            }
        }
        effects.extend(self.advance_watch());
        effects
    }

    /// A build came into charge: watched tasks that another build looked at run again.
    pub(super) fn watch_build(&mut self) -> Vec<Effect> {
        let mut due = Vec::new();
        for task in &self.watch.tasks {
            let build = self.agent(task.stage).map(|(build, _, _)| build);
            let seen = match task.phase {
                Phase::Running(_, on) => Some(on),
                Phase::Seen => task.now.as_ref().map(|l| l.build),
                _ => None,
            };
            if build.is_some() && seen != build {
                due.push(task.row.id);
            }
        }
        self.watch_again(&due)
    }

    /// Where a task starts again: with its inputs, unless they are there and the agent asks for the same.
    fn watch_from(&self, stage: StageId, id: TaskId) -> Phase {
        let Some(fetch) = self.fetch_of(stage) else {
            return Phase::NoAgent;
        };
        let task = self.watch.task(id);
        let here =
            task.is_some_and(|t| t.inputs.is_some() && t.fetched_for.as_ref() == Some(&fetch));
        if here { Phase::Waiting } else { Phase::Wanted }
    }

    /// What the agent of a stage asks for.
    fn fetch_of(&self, stage: StageId) -> Option<FetchSpec> {
        self.agent(stage).map(|(_, _, agent)| FetchSpec::of(agent))
    }

    /// What is to be done next for the watched tasks.
    fn advance_watch(&mut self) -> Vec<Effect> {
        let mut effects = self.watch_fetch();
        let running = |t: &Watched| matches!(t.phase, Phase::Running(..));
        if !self.watch.tasks.iter().any(running) {
            effects.extend(self.watch_launch());
        }
        self.sum_up_watch();
        effects
    }

    /// Asks for missing inputs, those of a stage at once.
    fn watch_fetch(&mut self) -> Vec<Effect> {
        let mut effects = Vec::new();
        let wanted = |t: &&Watched| t.phase == Phase::Wanted;
        while let Some(stage) = self.watch.tasks.iter().find(wanted).map(|t| t.stage) {
            let fetch = self.fetch_of(stage);
            let batch = BatchId::next(BatchOwner::Watch, &mut self.batches);
            let mut rows = Vec::new();
            for task in &mut self.watch.tasks {
                if task.phase != Phase::Wanted || task.stage != stage {
                    continue;
                }
                task.phase = if fetch.is_some() {
                    Phase::Fetching(batch)
                } else {
                    Phase::NoAgent
                };
                task.fetched_for.clone_from(&fetch);
                rows.push(task.row.clone());
            }
            let Some(fetch) = fetch else { continue };
            self.watch
                .fetches
                .insert(batch, rows.iter().map(|r| r.id).collect());
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
        let tasks = self.watch.fetches.remove(&batch)?;
        for (id, result) in tasks.into_iter().zip(results) {
            let Some(task) = self
                .watch
                .task_mut(id)
                .filter(|t| t.phase == Phase::Fetching(batch))
            else {
                continue;
            };
            let stage = task.stage;
            match result {
                Ok(inputs) => {
                    task.inputs = Some(inputs.clone());
                    task.error = None;
                }
                Err(error) => {
                    task.error = Some(error.clone());
                    task.phase = Phase::Unfetched;
                    self.watch.unreported = true;
                    continue;
                }
            }
            // A build that came meanwhile may ask for more.
            let next = self.watch_from(stage, id);
            if let Some(task) = self.watch.task_mut(id) {
                task.phase = next;
            }
        }
        Some(self.advance_watch())
    }

    /// Starts the waiting task that was quickest the last time.
    fn watch_launch(&mut self) -> Option<Effect> {
        loop {
            let waiting = self
                .watch
                .tasks
                .iter()
                .filter(|t| t.phase == Phase::Waiting);
            let quickest = waiting.min_by_key(|t| t.now.as_ref().map_or(0, |l| l.run_us))?;
            let (id, stage, inputs) = (quickest.row.id, quickest.stage, quickest.inputs.clone());
            let agent = self
                .agent(stage)
                .map(|(build, at, agent)| (build, at, self.limit_of(agent)));
            let (Some((build, agent, deadline_ms)), Some(inputs)) = (agent, inputs) else {
                self.watch.task_mut(id)?.phase = Phase::NoAgent;
                continue;
            };
            self.jobs += 1;
            let job = JobId(self.jobs);
            let task = self.watch.task_mut(id)?;
            task.phase = Phase::Running(job, build);
            (task.pid, task.loading) = (None, None);
            task.log = Log::default();
            return Some(Effect::Launch(Launch {
                job,
                build,
                agent,
                attempt: 1,
                stage,
                inputs,
                deadline_ms,
                priority: Priority::Watch,
                pauses: false,
                given: Arc::default(),
            }));
        }
    }

    /// A watched task ran; `None`: the job is somebody else's.
    pub(super) fn watch_done(
        &mut self,
        job: JobId,
        result: &Result<Arc<Outcome>, Error>,
        run_us: u64,
    ) -> Option<Vec<Effect>> {
        let (at, kept) = (self.now, self.watch.kept);
        let task = self.watch.of_job(job)?;
        let Phase::Running(_, build) = task.phase else {
            return None;
        };
        let look = WatchResult {
            build,
            result: result.clone(),
            run_us,
            at,
        };
        task.phase = Phase::Seen;
        let older = task.now.replace(look).filter(|l| l.build != build);
        if older.is_some() && !(kept && task.before.is_some()) {
            task.before = older;
        }
        let id = task.row.id;
        self.watch.unreported = true;
        self.results
            .insert(id, last_result(build, result, run_us, at));
        Some(self.advance_watch())
    }

    /// What is there now is what newer builds are compared with, or the build before each.
    pub(super) fn keep_looks(&mut self, keep: bool) -> Vec<Effect> {
        self.watch.kept = keep;
        for task in self.watch.tasks.iter_mut().filter(|_| keep) {
            task.before.clone_from(&task.now);
        }
        Vec::new()
    }

    /// Holds what the newest build gave for a watched task.
    pub(super) fn hold_watched(&mut self, id: TaskId) -> Vec<Effect> {
        let Some(task) = self.watch.task(id) else {
            return Vec::new();
        };
        let (
            Some(WatchResult {
                build,
                result: Ok(outcome),
                ..
            }),
            Some(inputs),
        ) = (&task.now, &task.inputs)
        else {
            return Vec::new();
        };
        let held = Held {
            stage: task.stage,
            inputs: inputs.clone(),
            outcome: outcome.clone(),
            build: *build,
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

    /// Once every watched task was looked at: those that differ, then all in one line.
    fn sum_up_watch(&mut self) {
        if !self.watch.unreported || self.watch.tasks.iter().any(Watched::pending) {
            return;
        }
        self.watch.unreported = false;
        let differing: Vec<&Watched> = self.watch.tasks.iter().filter(|t| t.differs()).collect();
        let mut lines: Vec<(bool, String)> = Vec::new();
        let only = self.watch.tasks.len() == 1;
        let named = differing.iter().take(NAMED).copied();
        let named: Vec<&Watched> = if only {
            self.watch.tasks.iter().collect()
        } else {
            named.collect()
        };
        for task in named {
            lines.push((task.failed(), summary(task)));
        }
        if !only {
            let failing = self.watch.failing();
            let newest = self
                .watch
                .tasks
                .iter()
                .filter_map(|t| t.now.as_ref())
                .map(|l| l.build)
                .max();
            let on = newest.map_or_else(String::new, |b| format!(" on build {b}"));
            let mut text = format!("{}{on}", plural(self.watch.tasks.len(), "task"));
            let compared = self.watch.tasks.iter().any(|t| t.before.is_some());
            text.push_str(&match differing.len() {
                0 if !compared && newest.is_some() => {
                    ": the next build is compared with it".to_owned()
                }
                0 if !compared => String::new(),
                0 => " · none differs".to_owned(),
                1 => " · 1 differs ({key:Watching})".to_owned(),
                n => format!(" · {n} differ ({{key:Watching}})"),
            });
            if failing > 0 {
                text.push_str(&format!(" · {failing} failed"));
            }
            lines.push((failing > 0, text));
        }
        for (bad, text) in lines {
            self.note(Kind::Watch, bad, text, None);
        }
    }
}

/// One watched task in one line.
fn summary(task: &Watched) -> String {
    let title = &task.row.title;
    let Some(now) = &task.now else {
        let why = task.error.as_ref().map_or("", |f| f.summary.as_str());
        return format!("{title}: {why}");
    };
    let counts = |l: &WatchResult| {
        let (added, changed, removed) = short(&l.result).1;
        format!("+{added} ~{changed} -{removed}")
    };
    let Some(before) = &task.before else {
        return format!(
            "{title}: {}  labels {}  on build {}",
            now.route(),
            counts(now),
            now.build
        );
    };
    let pair = |a: String, b: String| if a == b { b } else { format!("{a} → {b}") };
    let way = pair(before.route(), now.route());
    let labels = pair(counts(before), counts(now));
    let same = if task.differs() { "" } else { "the same as " };
    let builds = format!("{same}build {}", before.build);
    let builds = if task.differs() {
        format!("build {} → {}", before.build, now.build)
    } else {
        builds
    };
    format!("{title}: {way}  labels {labels}  {builds}")
}
