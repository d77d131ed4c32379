//! Runs without a screen: news of those of this folder, and the run of this screen when it is to go on as one. It ends here
//! first: nothing is begun any more, what is decided is committed or held, and agents that still run are given a moment. What
//! is left then goes out as an effect, and is done by another process.

use super::*;
use crate::background::BackgroundState;
use crate::counted::plural;
use crate::run::{DoneBefore, RunRest};

/// Milliseconds that agents under way may take when their run goes on elsewhere; they run again there.
const AGENTS_MS: u64 = 2_000;

/// A run that ends here to go on elsewhere.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Leaving {
    since: Millis,
    /// The stages that it had not finished.
    stages: Vec<StageId>,
    /// The builds that it works with on them.
    pub builds: Vec<BuildId>,
    /// How many tasks it has, when that is known.
    all: Option<u64>,
    /// Agents that still run were asked to stop.
    stopped: bool,
}

impl State {
    /// Whether a run of this screen can go on without it.
    ///
    /// # Errors
    /// Why it cannot.
    pub fn can_go_on_in_background(&self) -> Result<(), String> {
        let Some(run) = self.run.as_ref().filter(|run| !run.is_over()) else {
            return Err("no run is in progress".into());
        };
        if run.cancelled {
            return Err("the run is stopping".into());
        }
        match &self.options.no_background {
            Some(why) => Err(why.clone()),
            None => Ok(()),
        }
    }

    /// The run is to go on without this screen.
    pub(super) fn go_on_in_background(&mut self) -> Vec<Effect> {
        if let Err(why) = self.can_go_on_in_background() {
            self.warn(Kind::Run, why, None);
            return Vec::new();
        }
        let all = self.run.as_ref().and_then(|run| self.run_expects(run));
        let Some(run) = &self.run else {
            return Vec::new();
        };
        let mut builds: Vec<BuildId> = run.pins().collect();
        builds.sort_unstable();
        builds.dedup();
        self.leaving = Some(Leaving {
            since: self.now,
            stages: run.stages[run.stage_at.min(run.stages.len())..].to_vec(),
            builds,
            all,
            stopped: false,
        });
        let text = "the run goes on in the background as soon as what is under way is over";
        self.info(Kind::Run, text);
        self.end_run(Run::wind_up)
    }

    /// Agents of a run that goes on elsewhere have had their time.
    pub(super) fn stop_leaving_agents(&mut self) -> Vec<Effect> {
        let now = self.now;
        let due =
            |leaving: &&mut Leaving| !leaving.stopped && now.since(leaving.since) >= AGENTS_MS;
        match self.leaving.as_mut().filter(due) {
            Some(leaving) => {
                leaving.stopped = true;
                self.input(Command::StopAgents)
            }
            None => Vec::new(),
        }
    }

    /// What is left of the run, once nothing of it is under way here.
    pub(super) fn hand_over(&mut self) -> Vec<Effect> {
        let Some(run) = self.run.as_ref().filter(|run| run.is_over()) else {
            return Vec::new();
        };
        let Some(leaving) = self.leaving.take() else {
            return Vec::new();
        };
        if let Some(error) = run.fatal.clone() {
            return self.not_in_background(&error);
        }
        let before = DoneBefore {
            began: run.started,
            tasks: run.totals.tasks,
            failed: run.totals.failed,
            all: leaving.all,
        };
        if self.run_tasks.are_done(&run.spec, &leaving.stages) {
            return self.quit();
        }
        let build = |id: &BuildId| self.builds.get(*id);
        let libraries = leaving.builds.iter().filter_map(build).map(|build| {
            let probed = &build.probed;
            (probed.library.clone(), probed.copy.clone())
        });
        let protected = self.options.level == Some(Level::Protected);
        let title = self.project.as_ref().map(|p| p.title.clone());
        let stage = leaving.stages.first().map(|stage| self.stage_title(*stage));
        let stage = stage.unwrap_or_default().to_owned();
        let spec = self.run_tasks.rest(&run.spec, leaving.stages);
        let rest = RunRest {
            libraries: libraries.collect(),
            stage,
            words: shell::run(self, &spec, spec.sink == Sink::Commit),
            spec,
            typed_timeout_ms: self.typed_timeout_ms,
            rate: self.rate,
            // A person has typed the title to let runs write.
            confirmed: title.filter(|_| protected).into_iter().collect(),
            before,
        };
        vec![Effect::GoOnInBackground(Box::new(rest))]
    }

    pub(super) fn not_in_background(&mut self, error: &Error) -> Vec<Effect> {
        let text = "the run cannot go on in the background; its other tasks are where they were";
        self.warn(Kind::Run, text, None);
        self.complain(error);
        Vec::new()
    }

    /// Why a run cannot begin: a run without a screen has tasks of the same stage.
    pub(super) fn runs_elsewhere(&self, spec: &RunSpec) -> Option<Error> {
        let order = self.builds.order();
        let stages = match &spec.source {
            Source::Stages(stages) if stages.is_empty() => &order[..],
            Source::Stages(stages) => stages,
            Source::Tasks(stage, _) => std::slice::from_ref(stage),
        };
        let runs = self.background.iter().filter(|run| run.state.is_alive());
        for other in runs {
            let same = |stage: &&StageId| other.stage_uuids.contains(stage);
            if let Some(stage) = stages.iter().find(same) {
                let (name, title) = (other.name(), self.stage_title(*stage));
                let text = format!("{name} has the tasks of {title}; none of them is run twice");
                let stops = format!(
                    "wait for it, or stop it: workbench attach {} --stop",
                    other.run
                );
                return Some(Error::new(ErrorKind::Refused, text).hint(stops));
            }
        }
        None
    }

    pub(super) fn stop_background(&mut self, number: u64) -> Vec<Effect> {
        let alive = |run: &&mut BackgroundRun| run.run == number && run.state.is_alive();
        let Some(run) = self.background.iter_mut().find(alive) else {
            return Vec::new();
        };
        run.state = BackgroundState::Stopping;
        let text = format!("{} takes no further tasks", run.name());
        self.info(Kind::Run, text);
        vec![Effect::StopBackground(number)]
    }

    /// News of runs without a screen.
    pub(super) fn background_news(&mut self, runs: Vec<BackgroundRun>) -> Vec<Effect> {
        let mut over = false;
        for run in &runs {
            let known = self.background.iter().find(|known| known.run == run.run);
            let text = match (known, run.state.is_alive()) {
                (None, true) => format!("{} · {} tasks", run.name(), run.progress()),
                (Some(_), false) => {
                    over = true;
                    let summary = run.summary.clone().unwrap_or_else(|| run.progress());
                    format!("{} {}: {summary}", run.name(), run.state.word())
                }
                _ => continue,
            };
            let bad = run.state == BackgroundState::Died;
            self.note(Kind::Run, bad, text, None);
        }
        self.background = runs;
        self.background.retain(|run| run.state.is_alive());
        if over {
            // It does not stand in the way of another run any more.
            self.not_started
                .take_if(|error| error.kind == ErrorKind::Refused);
        }
        // What it has moved is elsewhere now.
        match over && self.options.screen {
            true => self.refresh(),
            false => Vec::new(),
        }
    }

    /// Outcomes that a run without a screen has held: newer than what is held of their tasks.
    pub(super) fn held_elsewhere(&mut self, outcomes: Vec<(TaskId, Held)>) -> Vec<Effect> {
        let known = |stage| match &self.project {
            Some(project) => project.workflow.stage(stage).is_some(),
            None => false,
        };
        let (now, later): (Vec<_>, Vec<_>) = outcomes
            .into_iter()
            .partition(|(_, held)| known(held.stage));
        if self.project.is_none() {
            let newer: HashSet<TaskId> = later.iter().map(|(task, _)| *task).collect();
            self.returning.retain(|(task, _)| !newer.contains(task));
            self.returning.extend(later);
        }
        let count = now.len();
        for (task, held) in now {
            let result = Ok(held.outcome.clone());
            let last = last_result(held.build, &result, 0, held.at);
            self.results.insert(task, last);
            self.held.insert(task, held);
            self.held.kept(task);
        }
        // While the run goes on its progress is shown, and every few moments some more come.
        if count > 0 && self.background.is_empty() {
            let what = plural(count, "outcome");
            let text = format!("{what} came from a run in the background ({{key:Review}} reviews)");
            self.info(Kind::Task, text);
        }
        Vec::new()
    }
}
