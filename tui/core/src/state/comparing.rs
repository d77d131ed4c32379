//! Comparisons of two sides over many tasks: inputs are read once for both, agents run dry in parallel behind everything
//! else, and each task is compared beside the state.

mod runs;

use super::*;
use crate::compare::TaskComparison;
use crate::comparing::{
    CompareCommand, CompareFor, CompareSide, CompareSpec, CompareTask, Comparing, Pair, SideResult,
};
use crate::counted::plural;
use crate::work::{Patch, TaskRow};

/// Jobs at a time, unless a run has set how many.
pub(super) const JOBS: usize = 2;
/// Tasks whose agents run or wait for a host, for each job at a time: hosts are never idle and memory stays small.
const UNDER_WAY: usize = 4;

impl State {
    pub(super) fn compare(&mut self, command: CompareCommand) -> Vec<Effect> {
        match command {
            CompareCommand::ListRuns => vec![Effect::ListRuns],
            CompareCommand::Begin(spec) => self.begin_comparison(spec),
            CompareCommand::Stop => self.stop_comparison(),
            CompareCommand::Sort => self.sort_comparison(),
            CompareCommand::Save => vec![Effect::WriteComparison],
        }
    }

    /// Begins a comparison; one that is under way is stopped.
    fn begin_comparison(&mut self, spec: CompareSpec) -> Vec<Effect> {
        let mut effects = self.stop_comparison();
        if let Err(why) = self.may_compare(&spec) {
            self.warn(Kind::Run, why, None);
            return effects;
        }
        self.comparisons += 1;
        let [a, b] = spec.sides.map(CompareSide::words);
        let tasks = plural(spec.rows.len(), "task");
        self.info(Kind::Run, format!("compares {a} with {b} on {tasks}"));
        self.comparing = Some(Box::new(Comparing::new(self.comparisons, spec, self.now)));
        // A run has hosts for as many jobs as it was given.
        if self.run.as_ref().is_none_or(Run::is_over) {
            effects.push(Effect::Concurrency(self.jobs_beside()));
        }
        effects.extend(self.read_runs());
        effects.extend(self.advance_comparison());
        effects
    }

    /// Why these sides cannot be compared.
    fn may_compare(&self, spec: &CompareSpec) -> Result<(), String> {
        if spec.sides[0] == spec.sides[1] {
            let side = spec.sides[0].words();
            return Err(format!("A and B are both {side}: choose another one"));
        }
        if spec.rows.is_empty() && !CompareSide::are_runs(spec.sides) {
            return Err("there is no task to compare".to_owned());
        }
        for side in spec.sides {
            if let CompareSide::Build(build) = side
                && self.agent_of(build, spec.stage).is_none()
            {
                let stage = self.stage_title(spec.stage);
                return Err(format!("build {build} has no agent for stage \"{stage}\""));
            }
        }
        Ok(())
    }

    /// The agent that a build has for a stage, whether the build is active or not.
    #[must_use]
    pub fn agent_of(&self, build: BuildId, stage: StageId) -> Option<(usize, &AgentDescriptor)> {
        let workflow = &self.project.as_ref()?.workflow;
        let known = self.builds.get(build)?;
        if matches!(known.status, BuildStatus::Rejected(_)) {
            return None;
        }
        let mut agents = known.probed.descriptor.agents.iter().enumerate();
        agents.find(|(_, agent)| workflow.find(&agent.stage).is_some_and(|s| s.id == stage))
    }

    /// The builds that can be compared on a stage, the newest first: the active one and those that are kept.
    #[must_use]
    pub fn comparable(&self, stage: StageId) -> Vec<BuildId> {
        let here = |build: &&crate::build::Build| {
            let there = build.status == BuildStatus::Active || self.superseded.contains(&build.id);
            there && self.agent_of(build.id, stage).is_some()
        };
        let builds = self.builds.all.iter().rev().filter(here);
        builds.map(|build| build.id).collect()
    }

    /// Ends the comparison; what has been found stays.
    fn stop_comparison(&mut self) -> Vec<Effect> {
        let now = self.now;
        let Some(comparing) = self.comparing.as_mut().filter(|c| !c.is_over()) else {
            return Vec::new();
        };
        (comparing.ended, comparing.stopped) = (Some(now), true);
        comparing.found.sort(comparing.order);
        comparing.rows.clear();
        comparing.ready.clear();
        comparing.pairs.clear();
        comparing.judged.clear();
        comparing.runs = [HashMap::new(), HashMap::new()];
        (comparing.fetching, comparing.reading) = (None, 0);
        let jobs = std::mem::take(&mut comparing.jobs);
        jobs.into_keys().map(Effect::Cancel).collect()
    }

    /// Sorts what was compared otherwise.
    fn sort_comparison(&mut self) -> Vec<Effect> {
        if let Some(comparing) = &mut self.comparing {
            comparing.order = comparing.order.next();
            comparing.found.sort(comparing.order);
        }
        Vec::new()
    }

    /// What is to be done next for the comparison.
    fn advance_comparison(&mut self) -> Vec<Effect> {
        let mut effects = Vec::new();
        if self.comparing.as_ref().is_some_and(|c| c.is_reading()) {
            return effects;
        }
        self.take_run_tasks();
        effects.extend(self.read_compared());
        let most = self.jobs_beside() * UNDER_WAY;
        while let Some(inputs) = self.comparing.as_mut().and_then(|c| {
            let room = c.pairs.len() + c.judged.len() < most;
            if room { c.ready.pop_front() } else { None }
        }) {
            effects.extend(self.run_compared(inputs));
        }
        let now = self.now;
        if let Some(comparing) = self
            .comparing
            .as_mut()
            .filter(|c| !c.is_over() && c.is_through())
        {
            comparing.ended = Some(now);
            comparing.runs = [HashMap::new(), HashMap::new()];
            comparing.found.sort(comparing.order);
            let [a, b] = comparing.sides.map(CompareSide::words);
            let mut text = format!("{a} against {b}: {}", comparing.found.words());
            if comparing.unread > 0 {
                let unread = plural(comparing.unread, "task");
                text.push_str(&format!("; the inputs of {unread} could not be read"));
            }
            self.info(Kind::Run, text + " ({key:Compare})");
        }
        effects
    }

    /// Reads the inputs of the next tasks, unless enough are ready.
    fn read_compared(&mut self) -> Option<Effect> {
        let comparing = self.comparing.as_ref().filter(|c| !c.is_over())?;
        let wait =
            comparing.fetching.is_some() || comparing.ready.len() > comparing.batch.tasks() / 2;
        let of_runs = CompareSide::are_runs(comparing.sides);
        if wait || of_runs || comparing.rows.is_empty() {
            return None;
        }
        let (stage, fetch) = (comparing.stage, self.fetch_compared(comparing));
        let batch = BatchId::next(BatchOwner::Compare, &mut self.batches);
        let comparing = self.comparing.as_mut()?;
        let count = comparing.rows.len().min(comparing.batch.tasks());
        let rows: Vec<TaskRow> = comparing.rows.drain(..count).collect();
        comparing.fetching = Some(batch);
        Some(Effect::Fetch {
            batch,
            stage,
            rows,
            fetch,
        })
    }

    /// What the agents of both sides ask for; where they ask for other options, those of the last one count.
    fn fetch_compared(&self, comparing: &Comparing) -> FetchSpec {
        let mut fetch = FetchSpec::default();
        for build in comparing.builds() {
            if let Some((_, agent)) = self.agent_of(build, comparing.stage) {
                let needs = fetch.needs;
                fetch = FetchSpec::of(agent);
                fetch.needs |= needs;
            }
        }
        fetch
    }

    /// Inputs arrived; `None`: the batch is somebody else's.
    pub(super) fn compare_fetched(
        &mut self,
        batch: BatchId,
        results: &[Result<Arc<Inputs>, Error>],
    ) -> Option<Vec<Effect>> {
        if batch.owner() != BatchOwner::Compare {
            return None;
        }
        let comparing = self
            .comparing
            .as_mut()
            .filter(|c| c.fetching == Some(batch));
        let Some(comparing) = comparing else {
            return Some(Vec::new());
        };
        comparing.fetching = None;
        let inputs = results.iter().flatten();
        comparing.batch.learn(inputs.map(|inputs| &**inputs));
        for result in results {
            match result {
                Ok(inputs) => comparing.ready.push_back(Arc::clone(inputs)),
                Err(error) => {
                    comparing.unread += 1;
                    comparing.error.get_or_insert_with(|| error.clone());
                }
            }
        }
        Some(self.advance_comparison())
    }

    /// Starts the agents of both sides on a task.
    fn run_compared(&mut self, inputs: Arc<Inputs>) -> Vec<Effect> {
        let Some((stage, sides)) = self.comparing.as_ref().map(|c| (c.stage, c.sides)) else {
            return Vec::new();
        };
        let task = inputs.row.id;
        let mut pair = Pair {
            inputs: Arc::clone(&inputs),
            results: [None, None],
        };
        let mut effects = Vec::new();
        for (at, side) in sides.into_iter().enumerate() {
            let CompareSide::Build(build) = side else {
                pair.results[at] = Some(match side {
                    CompareSide::Run(_) => self.of_earlier_run(at, task),
                    _ => self.without_run(side, task),
                });
                continue;
            };
            let agent = self.agent_of(build, stage);
            let Some((agent, deadline_ms)) = agent.map(|(at, agent)| (at, self.limit_of(agent)))
            else {
                let text = format!("build {build} has no agent for the stage any more");
                let result = Err(Error::new(ErrorKind::Settings, text));
                pair.results[at] = Some(SideResult::new(result, None));
                continue;
            };
            self.jobs += 1;
            let job = JobId(self.jobs);
            if let Some(comparing) = &mut self.comparing {
                comparing.jobs.insert(job, (task, at));
            }
            effects.push(Effect::Launch(Launch {
                job,
                build,
                agent,
                attempt: 1,
                stage,
                inputs: Arc::clone(&inputs),
                deadline_ms,
                priority: Priority::Background,
                pauses: false,
                given: Arc::default(),
            }));
        }
        if let Some(comparing) = &mut self.comparing {
            comparing.pairs.insert(task, pair);
        }
        effects.extend(self.judge_compared(task));
        effects
    }

    /// What a side without an agent gives.
    fn without_run(&self, side: CompareSide, task: TaskId) -> SideResult {
        let held = self.held.get(&task).filter(|_| side == CompareSide::Held);
        let result = match (held, side) {
            (Some(held), _) => Ok(Arc::clone(&held.outcome)),
            (None, CompareSide::Held) => {
                let text = "no outcome of this task is held";
                Err(Error::new(ErrorKind::Settings, text))
            }
            (None, _) => Ok(Arc::new(unchanged())),
        };
        SideResult::new(result, None)
    }

    /// Whether a job belongs to the comparison; what its agent logs is not shown.
    pub(super) fn compares(&self, job: JobId) -> bool {
        let comparing = self.comparing.as_ref();
        comparing.is_some_and(|c| c.jobs.contains_key(&job))
    }

    /// A job ended; `None`: it is somebody else's.
    pub(super) fn compare_done(
        &mut self,
        job: JobId,
        result: &Result<Arc<Outcome>, Error>,
        run_us: u64,
    ) -> Option<Vec<Effect>> {
        let comparing = self.comparing.as_mut()?;
        let (task, at) = comparing.jobs.remove(&job)?;
        if let Some(pair) = comparing.pairs.get_mut(&task) {
            pair.results[at] = Some(SideResult::new(result.clone(), Some(run_us)));
        }
        let mut effects: Vec<Effect> = self.judge_compared(task).into_iter().collect();
        effects.extend(self.advance_comparison());
        Some(effects)
    }

    /// Both sides have given something: it is compared beside the state.
    fn judge_compared(&mut self, task: TaskId) -> Option<Effect> {
        let comparing = self.comparing.as_mut()?;
        let pair = comparing.pairs.get(&task)?;
        let [Some(a), Some(b)] = &pair.results else {
            return None;
        };
        let both = Arc::new(CompareTask {
            of: CompareFor::Comparison(comparing.id),
            inputs: Arc::clone(&pair.inputs),
            results: [a.clone(), b.clone()],
        });
        comparing.pairs.remove(&task);
        comparing.judged.insert(task, Arc::clone(&both));
        Some(Effect::Compare(both))
    }

    /// A task was compared.
    pub(super) fn compared(
        &mut self,
        of: CompareFor,
        task: TaskId,
        differs: TaskComparison,
    ) -> Vec<Effect> {
        let comparison = match of {
            CompareFor::Comparison(number) => number,
            CompareFor::Watched(ticket) => return self.watched_compared(ticket, task, differs),
        };
        let comparing = self.comparing.as_mut();
        let Some(comparing) = comparing.filter(|c| c.id == comparison && !c.is_over()) else {
            return Vec::new();
        };
        comparing.compared(task, differs);
        self.advance_comparison()
    }
}

/// What is upstream: nothing changes, and the task waits.
fn unchanged() -> Outcome {
    Outcome {
        way: Route::Stay,
        patch: Patch::default(),
        labels_after: None,
        further: Vec::new(),
        steps: Vec::new(),
        unread: Vec::new(),
    }
}
