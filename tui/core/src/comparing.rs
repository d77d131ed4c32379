//! A comparison of two sides over many tasks while it is under way, and what it has found. What differs on a task is
//! found by [`crate::compare`], moving tasks on is left to the engine (`state::comparing`).

mod earlier;

pub use earlier::{LabelTotals, StoredResult};

use crate::compare::{ComparedTask, Comparison, Side, TaskComparison, TaskOrder, compare};
use crate::error::Error;
use crate::ids::{BatchId, BuildId, JobId, Millis, StageId, TaskId};
use crate::watch::{BatchSize, size_of_outcome};
use crate::work::{Inputs, Outcome, TaskRow};
use agent_abi::model::Ontology;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeSet, HashMap, HashSet, VecDeque};
use std::sync::Arc;

/// What is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum CompareSide {
    /// A build runs dry on each task.
    Build(BuildId),
    /// The outcome that is held for review, as the newest runs gave it.
    Held,
    /// The labels, priority and metadata that are upstream now; tasks wait where they are.
    Upstream,
    /// What an earlier run of the folder gave.
    Run(u64),
}

impl CompareSide {
    /// `build #2`, `held outcomes`, `upstream`.
    #[must_use]
    pub fn words(self) -> String {
        match self {
            Self::Build(build) => format!("build {build}"),
            Self::Held => "held outcomes".to_owned(),
            Self::Upstream => "upstream".to_owned(),
            Self::Run(run) => format!("run {run}"),
        }
    }

    /// The number of the run, if it is one.
    #[must_use]
    pub const fn run(self) -> Option<u64> {
        match self {
            Self::Run(run) => Some(run),
            Self::Build(_) | Self::Held | Self::Upstream => None,
        }
    }

    /// Whether both are earlier runs: nothing is read upstream, and no agent runs.
    #[must_use]
    pub fn are_runs(sides: [Self; 2]) -> bool {
        sides.iter().all(|side| side.run().is_some())
    }
}

/// What a person asks of a comparison.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum CompareCommand {
    /// Look which earlier runs there are.
    ListRuns,
    /// Begin one.
    Begin(CompareSpec),
    /// Stop it; what has been found stays.
    Stop,
    /// Show its tasks in the next order.
    Sort,
    /// Write it to files.
    Save,
}

/// What a person asks to compare.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CompareSpec {
    /// Stage of the tasks.
    pub stage: StageId,
    /// The tasks.
    pub rows: Vec<TaskRow>,
    /// A and B.
    pub sides: [CompareSide; 2],
}

/// What one side gave for a task.
#[derive(Clone, Debug, PartialEq)]
pub struct SideResult {
    /// Outcome or error.
    pub result: Result<Arc<Outcome>, Error>,
    /// Microseconds that the agent ran.
    pub run_us: Option<u64>,
    /// How many labels it would change, where no more than that is known of what it would change.
    pub totals: Option<LabelTotals>,
}

/// What a comparison of two sides on a task is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum CompareFor {
    /// The comparison with this number.
    Comparison(u64),
    /// A watched task, for which this is the number of its comparison.
    Watched(u64),
}

/// A task on which both sides have given something, with what they were given.
#[derive(Clone, Debug, PartialEq)]
pub struct CompareTask {
    /// What it is for.
    pub of: CompareFor,
    /// What both agents were given.
    pub inputs: Arc<Inputs>,
    /// A and B.
    pub results: [SideResult; 2],
}

impl SideResult {
    /// What is known in full.
    #[must_use]
    pub const fn new(result: Result<Arc<Outcome>, Error>, run_us: Option<u64>) -> Self {
        Self {
            result,
            run_us,
            totals: None,
        }
    }

    /// The same, to be compared.
    #[must_use]
    pub fn side(&self) -> Side<'_> {
        Side {
            given: self.result.as_deref(),
            run_us: self.run_us,
        }
    }
}

impl CompareTask {
    /// How both sides differ.
    #[must_use]
    pub fn compare(&self, ontology: &Arc<Ontology>) -> TaskComparison {
        if let Some(found) = earlier::by_totals(&self.results) {
            return found;
        }
        let [a, b] = self.results.each_ref().map(SideResult::side);
        compare(ontology, self.inputs.labels.as_ref(), a, b)
    }
}

/// A task whose agents run.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Pair {
    pub inputs: Arc<Inputs>,
    pub results: [Option<SideResult>; 2],
}

/// What both sides gave for a compared task, to be drawn.
#[derive(Clone, Debug, PartialEq)]
pub struct ComparedSides {
    /// What both agents were given.
    pub inputs: Arc<Inputs>,
    /// The outcomes of A and of B; nothing where one failed.
    pub outcomes: [Option<Arc<Outcome>>; 2],
    size: usize,
}

/// The sides of the worst tasks, as far as there is room.
#[derive(Clone, Debug, Default, PartialEq)]
struct KeptSides {
    sides: HashMap<TaskId, ComparedSides>,
    worst: BTreeSet<(u64, TaskId)>,
    size: usize,
}

impl KeptSides {
    /// Bytes that are kept.
    const BYTES: usize = 64 << 20;

    /// Keeps the sides of a task, unless worse ones fill the room.
    fn keep(&mut self, severity: f64, both: &CompareTask) {
        let outcomes = both
            .results
            .each_ref()
            .map(|side| side.result.as_ref().ok().cloned());
        let outcome_sizes = outcomes
            .iter()
            .flatten()
            .map(|outcome| size_of_outcome(outcome));
        let size = both.inputs.size() + outcome_sizes.sum::<usize>();
        let severity = severity.max(0.0).to_bits();
        while self.size + size > Self::BYTES {
            let Some(least) = self
                .worst
                .first()
                .copied()
                .filter(|least| least.0 < severity)
            else {
                return;
            };
            self.worst.remove(&least);
            self.size -= self.sides.remove(&least.1).map_or(0, |sides| sides.size);
        }
        let task = both.inputs.row.id;
        self.size += size;
        self.worst.insert((severity, task));
        let inputs = Arc::clone(&both.inputs);
        self.sides.insert(
            task,
            ComparedSides {
                inputs,
                outcomes,
                size,
            },
        );
    }
}

/// A comparison.
#[derive(Clone, Debug, PartialEq)]
pub struct Comparing {
    /// Number.
    pub id: u64,
    /// Stage of the tasks.
    pub stage: StageId,
    /// A and B.
    pub sides: [CompareSide; 2],
    /// How many tasks were asked for.
    pub asked: usize,
    /// Tasks whose inputs could not be read, with the first reason.
    pub unread: usize,
    /// Why the first of these could not be read.
    pub error: Option<Error>,
    /// When it began.
    pub begun: Millis,
    /// When it ended.
    pub ended: Option<Millis>,
    /// It was stopped before its end.
    pub stopped: bool,
    /// What has been found so far.
    pub found: Comparison,
    /// In which order its tasks are shown.
    pub order: TaskOrder,
    pub(crate) rows: VecDeque<TaskRow>,
    pub(crate) fetching: Option<BatchId>,
    pub(crate) ready: VecDeque<Arc<Inputs>>,
    pub(crate) pairs: HashMap<TaskId, Pair>,
    pub(crate) jobs: HashMap<JobId, (TaskId, usize)>,
    /// Tasks that are being compared.
    pub(crate) judged: HashMap<TaskId, Arc<CompareTask>>,
    kept: KeptSides,
    /// What a person should know of the earlier runs: tasks that one side only has, results that are not kept any more.
    pub remarks: Vec<String>,
    /// Tasks of which only how many labels would change is known on a side.
    pub(crate) by_totals: HashSet<TaskId>,
    /// What the sides that are runs gave, until it is compared.
    pub(crate) runs: [HashMap<TaskId, StoredResult>; 2],
    /// How many of these are being read.
    pub(crate) reading: usize,
    /// How many inputs are fetched at once.
    pub(crate) batch: BatchSize,
}

impl Comparing {
    /// A comparison that has not begun.
    #[must_use]
    pub fn new(id: u64, spec: CompareSpec, now: Millis) -> Self {
        Self {
            id,
            stage: spec.stage,
            sides: spec.sides,
            asked: spec.rows.len(),
            unread: 0,
            error: None,
            begun: now,
            ended: None,
            stopped: false,
            found: Comparison::default(),
            order: TaskOrder::default(),
            rows: spec.rows.into(),
            fetching: None,
            ready: VecDeque::new(),
            pairs: HashMap::new(),
            jobs: HashMap::new(),
            judged: HashMap::new(),
            kept: KeptSides::default(),
            remarks: Vec::new(),
            by_totals: HashSet::new(),
            runs: [HashMap::new(), HashMap::new()],
            reading: 0,
            batch: BatchSize::default(),
        }
    }

    /// Whether it has ended.
    #[must_use]
    pub const fn is_over(&self) -> bool {
        self.ended.is_some()
    }

    /// How many tasks are compared or could not be.
    #[must_use]
    pub const fn done(&self) -> usize {
        self.found.tasks + self.unread
    }

    /// The builds that it runs on.
    pub fn builds(&self) -> impl Iterator<Item = BuildId> + '_ {
        self.sides.iter().filter_map(|side| match side {
            CompareSide::Build(build) => Some(*build),
            CompareSide::Held | CompareSide::Upstream | CompareSide::Run(_) => None,
        })
    }

    /// Whether a side is an earlier run: its labels are not kept as they were drawn.
    #[must_use]
    pub fn has_run(&self) -> bool {
        self.sides.iter().any(|side| side.run().is_some())
    }

    /// Whether what an earlier run gave is being read.
    #[must_use]
    pub const fn is_reading(&self) -> bool {
        self.reading > 0
    }

    /// How many tasks were compared by the number of their labels, for want of more.
    #[must_use]
    pub fn tasks_by_totals(&self) -> usize {
        self.by_totals.len()
    }

    /// Whether a task was compared by the number of its labels.
    #[must_use]
    pub fn is_by_totals(&self, task: TaskId) -> bool {
        self.by_totals.contains(&task)
    }

    /// What both sides gave for a task, if it is among the worst; of earlier runs that is not kept.
    #[must_use]
    pub fn sides_of(&self, task: TaskId) -> Option<&ComparedSides> {
        self.kept.sides.get(&task)
    }

    /// Nothing is left to be done.
    pub(crate) fn is_through(&self) -> bool {
        self.rows.is_empty()
            && self.reading == 0
            && self.fetching.is_none()
            && self.ready.is_empty()
            && self.pairs.is_empty()
            && self.judged.is_empty()
    }

    /// A task was compared.
    pub(crate) fn compared(&mut self, task: TaskId, mut differs: TaskComparison) {
        let Some(both) = self.judged.remove(&task) else {
            return;
        };
        self.without_routes(&mut differs);
        if !self.has_run() {
            self.kept.keep(differs.severity(), &both);
        }
        if earlier::only_totals(&both.results) {
            self.by_totals.insert(task);
        }
        let title = both.inputs.row.title.clone();
        let differs = Arc::new(differs);
        self.found.add(ComparedTask {
            task,
            title,
            differs,
        });
    }

    /// Upstream has no route to compare: the task waits there.
    fn without_routes(&self, differs: &mut TaskComparison) {
        for (side, route) in self.sides.iter().zip(&mut differs.routes) {
            if *side == CompareSide::Upstream {
                "waits".clone_into(route);
                differs.changed_route = false;
            }
        }
    }
}
