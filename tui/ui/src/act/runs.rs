//! Runs begun on the screen, and failures run again; asked about first where they write or are large.

use crate::overlays::{Overlay, ask, number};
use crate::{Screen, Ui};
use wb_core::command::{Command, Verb};
use wb_core::ids::StageId;
use wb_core::run::{RunSpec, Source};
use wb_core::state::State;

/// Tasks of a small dry run, unless another number is typed.
const SOME: usize = 50;

/// Tasks of a batch of a run started here: small, so that its progress is seen.
const BATCH: usize = 25;

impl Ui {
    /// Starts a run, after asking how many; asks for a `y` first when it would write or is large.
    pub(super) fn begin_run(&mut self, verb: Verb, state: &State) -> Vec<Command> {
        let Some(stage) = self.stage else {
            return Vec::new();
        };
        let marked = state.queues.get(&stage).map_or(0, |q| q.marks.len());
        match verb {
            Verb::RunMarked if marked > 0 => {
                let rows = state
                    .queues
                    .get(&stage)
                    .map(|q| q.chosen(marked))
                    .unwrap_or_default();
                self.run_or_ask(Source::Tasks(stage, rows), None, state)
            }
            Verb::RunEvery | Verb::RunMatching => {
                let filtered = state
                    .queues
                    .get(&stage)
                    .filter(|q| verb == Verb::RunMatching && !q.filter.is_empty());
                let source = match filtered {
                    Some(q) => Source::Tasks(
                        stage,
                        (0..q.view.len()).filter_map(|p| q.at(p)).cloned().collect(),
                    ),
                    None => Source::Stages(vec![stage]),
                };
                self.ask(ask::Ask::Run(Box::new(spec(source, None))), state)
            }
            _ => {
                let from_queue = verb == Verb::RunMarked;
                let of = number::Of::Tasks { stage, from_queue };
                self.open(Overlay::Number(number::Pane::new(of, &SOME.to_string())))
            }
        }
    }

    /// Runs at once when every write is held; in live mode a `y` is needed.
    pub(crate) fn run_or_ask(
        &mut self,
        source: Source,
        max: Option<usize>,
        state: &State,
    ) -> Vec<Command> {
        let spec = Box::new(spec(source, max));
        if state.live && !state.options.read_only {
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

    /// Runs the tasks of the chosen failure again; in live mode a `y` is needed.
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
        if state.live && !state.options.read_only {
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
