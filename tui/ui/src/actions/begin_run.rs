//! Runs that are started on the screen, and retries; large ones and those that write ask first.

use crate::overlays::{ask, number};
use crate::{Screen, Ui};
use wb_core::command::Command;
use wb_core::ids::StageId;
use wb_core::run::{RunSpec, Source};
use wb_core::state::State;

/// Tasks of a small dry run, unless another number is typed.
const SOME: usize = 50;

/// Tasks of a batch of a run started here: small, so that its progress is seen.
const BATCH: usize = 25;

impl Ui {
    /// Runs the marked tasks; without marks asks how many.
    pub(super) fn run_marked(&mut self, state: &State) -> Vec<Command> {
        let queue = self.stage.and_then(|s| Some((s, state.queues.get(&s)?)));
        match queue.filter(|(_, q)| !q.marks.is_empty()) {
            Some((stage, q)) => {
                let source = Source::Tasks(stage, q.chosen(q.marks.len()));
                self.run_or_ask(source, None, state)
            }
            None => self.ask_how_many(true),
        }
    }

    /// Asks how many tasks to run, of the queue as it is filtered and sorted or of the stage.
    pub(super) fn ask_how_many(&mut self, from_queue: bool) -> Vec<Command> {
        let Some(stage) = self.stage else {
            return Vec::new();
        };
        let of = number::Of::Tasks { stage, from_queue };
        self.open(number::Number::new(of, &SOME.to_string()))
    }

    /// Runs every task of the stage, or of what the filter leaves; asks first.
    pub(super) fn run_all(&mut self, filtered: bool, state: &State) -> Vec<Command> {
        let Some(stage) = self.stage else {
            return Vec::new();
        };
        let queue = state.queues.get(&stage);
        let source = match queue.filter(|q| filtered && !q.filter.is_empty()) {
            Some(q) => {
                let rows = (0..q.view.len()).filter_map(|p| q.at(p)).cloned();
                Source::Tasks(stage, rows.collect())
            }
            None => Source::Stages(vec![stage]),
        };
        self.ask(ask::Ask::Run(Box::new(spec(source, None))), state)
    }

    /// Runs at once when every write is held; in live mode it asks first.
    pub(crate) fn run_or_ask(
        &mut self,
        source: Source,
        max: Option<usize>,
        state: &State,
    ) -> Vec<Command> {
        let spec = Box::new(spec(source, max));
        if state.writes_at_once() {
            return self.ask(ask::Ask::Run(spec), state);
        }
        self.screen = Screen::Run;
        vec![Command::Run(spec)]
    }

    pub(super) fn step_failed(&mut self, state: &State) -> Vec<Command> {
        let group = state.failures.get(self.run.at);
        match group.and_then(|g| Some((g.stage, g.rows.first()?.id))) {
            Some((stage, task)) => self.open_task(stage, task, state),
            None => Vec::new(),
        }
    }

    /// Runs the tasks of the chosen failure again; in live mode it asks first.
    pub(super) fn retry_group(&mut self, state: &State) -> Vec<Command> {
        match state.failures.get(self.run.at) {
            Some(group) => self.retry(group.stage, group.rows.clone(), state),
            None => Vec::new(),
        }
    }

    /// Runs every failed task of the stage of the chosen failure again.
    pub(super) fn retry_all(&mut self, state: &State) -> Vec<Command> {
        let Some(stage) = state.failures.get(self.run.at).map(|g| g.stage) else {
            return Vec::new();
        };
        let groups = state.failures.iter().filter(|g| g.stage == stage);
        let rows = groups.flat_map(|g| g.rows.iter().cloned()).collect();
        self.retry(stage, rows, state)
    }

    fn retry(
        &mut self,
        stage: StageId,
        rows: Vec<wb_core::work::TaskRow>,
        state: &State,
    ) -> Vec<Command> {
        if state.writes_at_once() {
            return self.ask(ask::Ask::Retry(stage, rows), state);
        }
        vec![Command::Retry { stage, rows }]
    }
}

fn spec(source: Source, max_tasks: Option<usize>) -> RunSpec {
    RunSpec {
        source,
        max_tasks,
        batch_size: BATCH,
        concurrency: 2,
        ..RunSpec::default()
    }
}
