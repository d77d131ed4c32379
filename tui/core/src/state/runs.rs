//! Starting, steering and following the newest run.

use super::*;
use crate::counted::{number, plural};

/// Jobs at a time that a key reaches.
const MOST_JOBS: i64 = 64;

impl State {
    pub(super) fn start_run(&mut self, mut spec: RunSpec) -> Vec<Effect> {
        if self.run.as_ref().is_some_and(|r| !r.is_over()) {
            self.warn(
                Kind::Run,
                "a run is under way; cancel it first (X on the Run screen)",
                None,
            );
            return Vec::new();
        }
        if let Some(error) = self.runs_elsewhere(&spec) {
            return self.not_started(error);
        }
        if self.options.screen {
            spec.sink = if self.live { Sink::Commit } else { Sink::Hold };
            spec.concurrency = self.jobs_at_a_time.unwrap_or(spec.concurrency);
        }
        if let Source::Stages(stages) = &mut spec.source
            && stages.is_empty()
        {
            *stages = self.builds.order();
        }
        spec.batch_size = spec.batch_size.max(1);
        spec.timeout_ms = spec.timeout_ms.or(self.options.timeout_ms);
        self.runs += 1;
        self.not_started = None;
        let concurrency = spec.concurrency.max(1);
        self.failures.clear();
        self.failed_tasks.clear();
        self.run_operation = (self.options.screen && self.live).then(|| {
            let words = shell::run(self, &spec, true);
            self.new_operation("commit", words, None)
        });
        self.run_tasks = RunTasks::of(&spec);
        let mut run = Run::new(self.runs, spec, self.now);
        run.typed_timeout_ms = self.typed_timeout_ms;
        self.info(
            Kind::Run,
            format!(
                "run {} began{}",
                self.runs,
                if self.live {
                    ""
                } else {
                    " (every write is held)"
                }
            ),
        );
        self.run = Some(run);
        self.figure_run();
        self.log = Log::default();
        let mut effects = vec![Effect::Concurrency(concurrency)];
        effects.extend(self.advance_run());
        effects
    }

    pub(super) fn not_started(&mut self, error: Error) -> Vec<Effect> {
        self.complain(&error);
        self.not_started = Some(error);
        Vec::new()
    }

    pub(super) fn concurrency(&mut self, delta: i32) -> Vec<Effect> {
        let Some(run) = self.run.as_mut().filter(|r| !r.is_over()) else {
            return Vec::new();
        };
        let wanted = i64::try_from(run.spec.concurrency).unwrap_or(1) + i64::from(delta);
        let wanted = usize::try_from(wanted.clamp(1, MOST_JOBS)).unwrap_or(1);
        self.set_concurrency(wanted)
    }

    /// This many jobs at a time, from now on.
    pub(super) fn set_concurrency(&mut self, jobs: usize) -> Vec<Effect> {
        let Some(run) = self.run.as_mut().filter(|r| !r.is_over()) else {
            return Vec::new();
        };
        run.spec.concurrency = jobs.max(1);
        self.jobs_at_a_time = Some(run.spec.concurrency);
        let mut effects = vec![Effect::Concurrency(run.spec.concurrency)];
        effects.extend(self.advance_run());
        effects
    }

    /// Requests a second from now on.
    pub(super) fn set_rate(&mut self, rate: Option<f64>) -> Vec<Effect> {
        if rate.is_some_and(|r| !r.is_finite() || r <= 0.0) {
            self.warn(
                Kind::Error,
                "a rate is a positive number of requests a second",
                None,
            );
            return Vec::new();
        }
        self.rate = rate;
        let text = rate.map_or_else(
            || "requests are no longer limited".to_owned(),
            |rate| format!("at most {rate} requests a second from now on"),
        );
        self.info(Kind::Net, text);
        vec![Effect::Rate(rate)]
    }

    /// Limit of one attempt, from the next attempt on.
    pub(super) fn set_timeout(&mut self, ms: Option<u64>) -> Vec<Effect> {
        self.typed_timeout_ms = ms;
        if let Some(run) = self.run.as_mut().filter(|r| !r.is_over()) {
            run.typed_timeout_ms = ms;
        }
        #[allow(clippy::cast_precision_loss)] // seconds for a person
        let text = ms.map_or_else(
            || "attempts have the agents' own limits again".to_owned(),
            |ms| {
                format!(
                    "an attempt may take {} s, from the next one on",
                    ms as f64 / 1000.0
                )
            },
        );
        self.info(Kind::Run, text);
        Vec::new()
    }

    /// Limit of one attempt where the agent declares none.
    pub(super) fn set_default_timeout(&mut self, ms: Option<u64>) -> Vec<Effect> {
        self.options.timeout_ms = ms;
        if let Some(run) = self.run.as_mut().filter(|r| !r.is_over()) {
            run.spec.timeout_ms = ms;
        }
        Vec::new()
    }

    /// Runs failed tasks again as the newest run did; other failures stay in sight.
    pub(super) fn retry(&mut self, stage: StageId, rows: Vec<crate::work::TaskRow>) -> Vec<Effect> {
        let spec = match &self.run {
            Some(run) => RunSpec {
                source: Source::Tasks(stage, rows),
                max_tasks: None,
                filter: crate::filter::Filter::default(),
                only: Vec::new(),
                ..run.spec.clone()
            },
            None => return Vec::new(),
        };
        self.start_again(spec)
    }

    /// Starts a run that goes on with an earlier one: its failures stay in sight until their tasks
    /// ran again.
    pub(super) fn start_again(&mut self, spec: RunSpec) -> Vec<Effect> {
        let failures = std::mem::take(&mut self.failures);
        let tasks = std::mem::take(&mut self.failed_tasks);
        let effects = self.start_run(spec);
        (self.failures, self.failed_tasks) = (failures, tasks);
        effects
    }

    /// What the run does next; tasks that wait at a pause point before their call have others in their place.
    fn advanced(&mut self) -> Vec<Effect> {
        let mut all = Vec::new();
        loop {
            let (Some(run), Some(project)) = (&mut self.run, &self.project) else {
                return all;
            };
            let builds = &self.builds;
            let agent = |stage| {
                let binding = builds.binding(stage)?;
                let (build, agent) = builds.agent(stage)?;
                Some((build.id, binding.agent, agent.clone()))
            };
            let mut around = Around {
                now: self.now,
                project,
                agent: &agent,
                next_job: &mut self.jobs,
            };
            let mut next = run.advance(&mut around);
            let kept_back = self.options.screen && self.keep_back(&mut next);
            all.extend(next);
            if !kept_back {
                return all;
            }
        }
    }

    pub(super) fn advance_run(&mut self) -> Vec<Effect> {
        let advanced = self.advanced();
        let mut effects = Vec::new();
        for effect in advanced {
            match effect {
                Effect::Launch(mut launch) => {
                    launch.pauses = self.options.screen && self.run_pauses(launch.stage);
                    effects.push(Effect::Launch(launch));
                }
                Effect::Commit {
                    batch,
                    changes,
                    overwrite,
                } => {
                    let under = self.run_operation.clone();
                    effects.extend(self.begin_commit(batch, changes, overwrite, under));
                }
                other => effects.push(other),
            }
        }
        if effects.contains(&Effect::RunOver) {
            let over = self.run_operation.take();
            effects.extend(over.map(|operation| Effect::CloseOperation(operation.id)));
        }
        let mut at = 0;
        while at < effects.len() {
            match &effects[at] {
                Effect::Record(report) => {
                    let report = report.clone();
                    self.recorded(&report);
                }
                Effect::RunOver => self.run_over(),
                _ => {}
            }
            at += 1;
        }
        if self.options.screen {
            effects.retain(|e| !matches!(e, Effect::Record(_) | Effect::RunOver));
        }
        effects
    }

    /// A task of the run is final: the queue, the results and the held outcomes follow.
    pub(super) fn recorded(&mut self, report: &Report) {
        if !self.options.screen {
            return;
        }
        let moved = report.ending == Ending::Moved
            && (self.run.as_ref()).is_some_and(|run| run.spec.sink == Sink::Commit);
        self.run_tasks.done(report.stage, report.row.id, moved);
        let result = match (&report.ending, &report.outcome) {
            (Ending::Failed(error), _) => Err(error.clone()),
            (Ending::Conflict(by), _) => {
                Err(Error::new(ErrorKind::Upstream, format!("conflict: {by}")))
            }
            (_, Some(outcome)) => Ok(outcome.clone()),
            _ => return,
        };
        let last = last_result(report.build, &result, report.run_us, self.now);
        self.figure_report(report, &last);
        self.results.insert(report.row.id, last);
        self.mended(report.row.id);
        if self.conflicts.remove(&report.row.id).is_some() {
            self.held.touch(report.row.id);
        }
        if let Ending::Failed(error) = &report.ending {
            self.failed(report.stage, report.row.clone(), error, report.attempts);
        }
        if let (Ending::Conflict(by), Some(outcome), Some(inputs), false) =
            (&report.ending, &report.outcome, &report.inputs, report.gone)
        {
            let ours = Held {
                stage: report.stage,
                inputs: inputs.clone(),
                outcome: outcome.clone(),
                build: report.build,
                taken: true,
                at: self.now,
            };
            self.in_conflict(report.row.id, ours, by.clone());
        }
        let sink = self.run.as_ref().map(|r| r.spec.sink);
        match (sink, result, &report.inputs) {
            (Some(Sink::Hold), Ok(outcome), Some(inputs)) => {
                let held = Held {
                    stage: report.stage,
                    inputs: inputs.clone(),
                    outcome,
                    build: report.build,
                    taken: true,
                    at: self.now,
                };
                self.held.insert(report.row.id, held);
            }
            (Some(Sink::Commit), Ok(outcome), _) => {
                self.held.remove(&report.row.id);
                if let Some(to) = outcome.way.to() {
                    self.gone(report.stage, &HashSet::from([report.row.id]), Some(to));
                }
            }
            _ => {}
        }
    }

    /// Tasks that a run handles from its beginning to its end, as far as that is known: of one that was stopped, those
    /// that it would have handled.
    #[must_use]
    pub fn run_expects(&self, run: &Run) -> Option<u64> {
        if run.is_over() && !run.stopped() {
            return Some(run.decided());
        }
        if run.expected.is_some() {
            return run.expected;
        }
        // Committed tasks leave their stage, held ones stay and are counted there already.
        let mut sum = match run.spec.sink {
            Sink::Commit => run.totals.moved,
            Sink::Hold | Sink::Report => 0,
        };
        for stage in &run.stages {
            let (n, whole) = self.count(*stage)?;
            if !whole {
                return None;
            }
            sum += run.spec.max_tasks.map_or(n, |max| n.min(max)) as u64;
        }
        Some(match run.spec.max_tasks {
            Some(max) => sum.min((max * run.stages.len()) as u64),
            None => sum,
        })
    }

    pub(super) fn run_over(&mut self) {
        // Queues are listed again after it: what it would have handled is counted now.
        let expected = self.run.as_ref().and_then(|run| self.run_expects(run));
        if let Some(run) = &mut self.run {
            run.expected = expected;
        }
        self.figure_run();
        let Some(run) = &self.run else { return };
        let t = &run.totals;
        let all = expected.filter(|_| run.stopped());
        let mut text = match all {
            Some(all) => format!(
                "run {} stopped: {} of {}",
                run.id,
                number(t.tasks),
                plural(all, "task")
            ),
            None => format!("run {} ended: {}", run.id, plural(t.tasks, "task")),
        };
        for (route, n) in &t.routes {
            text.push_str(&format!(" · {n} {route}"));
        }
        if t.failed > 0 {
            text.push_str(&format!(
                " · {} failed in {}",
                t.failed,
                plural(t.groups.len(), "group")
            ));
        }
        let bad = t.failed > 0 || run.fatal.is_some();
        let fatal = run.fatal.clone();
        self.note(Kind::Run, bad, text, None);
        if let Some(error) = fatal {
            self.complain(&error);
        }
    }
}
